/** Tells of a ticket that has lacked lots for too long without a break: by the process that knows, whoever else is away. */
import { stampOf, type Clock } from '../clock';
import { ZERO_LOTS, type Lots } from '../domain/lots';

/**
 * A hedge takes a third of a second on the slowest tier, one whose answer was lost 2 s (a second send after 1.5 s). What takes longer is
 * told here: the workflow's own alarm needs Temporal.
 */
export const LATE_MS = 5_000;
/** A reminder, not an alarm a minute: who was told is at work on it. */
const LATE_AGAIN_MS = 5 * 60_000;
/** Its timer that much too late: this process slept, and reads what came meanwhile before it concludes anything from its own sleep. */
const OVERSLEPT_MS = 500;

interface LateWatchOptions {
  readonly clock: Clock;
  readonly lacking: () => Lots;
  readonly tell: (late: { readonly sinceMs: number; readonly forMs: number }) => void;
}

export class LateWatch {
  readonly #options: LateWatchOptions;
  #sinceMs: number | undefined;
  /** Undefined once more is lacking: that is told too, in its time. */
  #toldLots: Lots | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LateWatchOptions) {
    this.#options = options;
  }

  /** The clock starts with the first missing lot; a further fill does not start it anew (S-27), and nothing missing ends it without a word. */
  look(nowMs: number): void {
    const lots = this.#options.lacking();
    if (lots === ZERO_LOTS) {
      this.stop();
      this.#sinceMs = undefined;
      this.#toldLots = undefined;
    } else if (this.#sinceMs === undefined || lots > (this.#toldLots ?? lots)) {
      this.#sinceMs ??= nowMs;
      this.#toldLots = undefined;
      this.#tellIn(LATE_MS);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #tellIn(ms: number): void {
    const { clock, lacking, tell } = this.#options;
    const dueMs = clock.monotonicMs() + ms;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const nowMs = clock.monotonicMs();
      const sinceMs = this.#sinceMs;
      if (sinceMs === undefined || lacking() === ZERO_LOTS) return;
      if (nowMs - dueMs > OVERSLEPT_MS) return this.#tellIn(2 * OVERSLEPT_MS);
      this.#toldLots = lacking();
      tell({ sinceMs: stampOf(clock, sinceMs), forMs: nowMs - sinceMs });
      this.#tellIn(LATE_AGAIN_MS);
    }, ms);
    this.#timer.unref();
  }
}
