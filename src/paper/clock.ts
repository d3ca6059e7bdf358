/** The exchange's clock: microseconds since 1970, strictly increasing, so that `transaction_time` orders everything (LP §1.4). */
export class ExchangeClock {
  #lastUs = 0;
  offsetMs = 0;

  constructor(private readonly now: () => number) {}

  /** A fresh instant, later than every earlier one. */
  nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Math.floor((this.now() + this.offsetMs) * 1000));
    return this.#lastUs;
  }

  /** Reading the time without making an instant. */
  nowMs(): number {
    return Math.floor(this.now() + this.offsetMs);
  }
}

/** Wall clock with sub-millisecond resolution. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
