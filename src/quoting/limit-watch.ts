/**
 * Whether a limit of the day stands, for the maker's quotes: asks the run `limits` every few seconds. When one is reached, or nobody knows any more,
 * what rests is withdrawn, and only what reduces a position is quoted anew; hedges, closes and unwinds never ask.
 */
import type { Clock } from '../clock';
import { holdOf, type DayBounds, type LimitsStatus } from '../domain/day-limits';

export type Hold = NonNullable<ReturnType<typeof holdOf>>;

export interface LimitWatchOptions {
  readonly bounds: DayBounds;
  /** Undefined: nobody has told anything yet. */
  readonly read: () => Promise<LimitsStatus | undefined>;
  /** Asks for the cancel of each quote of ours that was begun before then, epoch ms. */
  readonly withdraw: (beforeMs: number) => void;
  /** For a person: nobody knows. */
  readonly tell: (told: { readonly what: string; readonly next: string }) => void;
  /** The hold begins, changes or ends. */
  readonly onHold: (hold: Hold | undefined) => void;
  readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs' | 'after'>;
  readonly everyMs?: number;
}

const EVERY_MS = 5_000;
/** A quote may have been allowed just before, and begun just after. */
const ON_ITS_WAY_MS = 10_000;
/** Unknown for so long, somebody is told; at a start the journal needs a minute or two. */
const TELL_AFTER_MS = 5 * 60_000;
const REMIND_MS = 30 * 60_000;

export class LimitWatch {
  readonly #options: LimitWatchOptions;
  #status: LimitsStatus | undefined;
  #hold: Hold | undefined;
  /** What rests from before then has to go. */
  #withdrawBeforeMs: number | undefined;
  #unreadSinceMs: number | undefined;
  #toldMs = -Infinity;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(options: LimitWatchOptions) {
    this.#options = options;
    this.#hold = holdOf(undefined, options.bounds, options.clock.epochMs());
    void this.#round();
  }

  /** Why nothing is quoted that enlarges a position; undefined: it may be. */
  hold(): Hold | undefined {
    return this.#hold;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #round(): Promise<void> {
    const { read, clock, everyMs = EVERY_MS } = this.#options;
    try {
      this.#status = await read();
    } catch {
      // What it said last stays, and grows old.
    }
    if (this.#isClosed) return;
    this.#judge();
    this.#cancel = clock.after(everyMs, () => void this.#round());
  }

  #judge(): void {
    const { bounds, clock, onHold, withdraw } = this.#options;
    const nowMs = clock.epochMs();
    const hold = holdOf(this.#status, bounds, nowMs);
    if (hold?.text !== this.#hold?.text) onHold(hold);
    this.#hold = hold;
    if (hold === undefined) this.#withdrawBeforeMs = undefined;
    else withdraw((this.#withdrawBeforeMs ??= nowMs + ON_ITS_WAY_MS));
    this.#tellUnread(hold);
  }

  #tellUnread(hold: Hold | undefined): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (hold?.code !== 'limits-unread') {
      this.#unreadSinceMs = undefined;
      return;
    }
    this.#unreadSinceMs ??= nowMs;
    if (nowMs - this.#unreadSinceMs < TELL_AFTER_MS || nowMs - this.#toldMs < REMIND_MS) return;
    this.#toldMs = nowMs;
    this.#options.tell({
      what: `${hold.text}. Nothing that enlarges a position is quoted; hedges, closes and what reduces go on`,
      next:
        'See that `counterleg journal` runs and reaches the exchange, its database and Temporal (its /health and log). It goes on by itself; ' +
        'only after a `journal-gap` of today not before midnight: take this limit out of the configuration, restart journal and maker.',
    });
  }
}
