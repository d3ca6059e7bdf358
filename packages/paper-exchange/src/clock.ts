/**
 * The exchange's clock: microseconds since 1970, strictly increasing, so that `transaction_time` orders everything (LP §1.4).
 *
 * It may be moved against the host's, ahead or back: to a client that looks like its own host's clock having stepped. Only then do
 * instants go back. What waits for a while (latency) waits by the host's clock.
 */
export class ExchangeClock {
  #lastUs = 0;
  #offsetMs = 0;

  constructor(private readonly now: () => number) {}

  get offsetMs(): number {
    return this.#offsetMs;
  }

  moveTo(offsetMs: number): void {
    if (offsetMs < this.#offsetMs) this.#lastUs = 0;
    this.#offsetMs = offsetMs;
  }

  /** A fresh instant, later than every earlier one since the clock was last moved back. */
  nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Math.floor((this.now() + this.#offsetMs) * 1000));
    return this.#lastUs;
  }

  /** Reading the time without making an instant. */
  nowMs(): number {
    return Math.floor(this.now() + this.#offsetMs);
  }

  /** The host's time, with fractions. */
  hostMs(): number {
    return this.now();
  }
}

/** Wall clock with sub-millisecond resolution. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
