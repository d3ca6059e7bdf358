/** Tells of a ticket that has lacked lots for too long without a break: by the process that knows, whoever else is away. */
import { stampOf, type Clock } from '../clock';

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
  readonly isLacking: () => boolean;
  readonly tell: (late: { readonly sinceMs: number; readonly forMs: number }) => void;
}

export class LateWatch {
  readonly #options: LateWatchOptions;
  #sinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LateWatchOptions) {
    this.#options = options;
  }

  /** The clock starts with the first missing lot; a further fill does not start it anew (S-27), and nothing missing ends it without a word. */
  look(nowMs: number): void {
    if (!this.#options.isLacking()) {
      clearTimeout(this.#timer);
      this.#sinceMs = undefined;
    } else if (this.#sinceMs === undefined) {
      this.#sinceMs = nowMs;
      this.#tellIn(LATE_MS);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #tellIn(ms: number): void {
    const { clock, isLacking, tell } = this.#options;
    const dueMs = clock.monotonicMs() + ms;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const nowMs = clock.monotonicMs();
      const sinceMs = this.#sinceMs;
      if (sinceMs === undefined || !isLacking()) return;
      if (nowMs - dueMs > OVERSLEPT_MS) return this.#tellIn(2 * OVERSLEPT_MS);
      tell({ sinceMs: stampOf(clock, sinceMs), forMs: nowMs - sinceMs });
      this.#tellIn(LATE_AGAIN_MS);
    }, ms);
    this.#timer.unref();
  }
}
