/** Requests no faster than the account's tier allows (LP §6.1): what is tried is the exchange, not its patience. */
import type { Clock } from '../clock';
import { costOf } from '../domain/budget';

export interface Budget {
  readonly perMinute: number;
  readonly counts: 'requests' | 'weights';
}

const MINUTE_MS = 60_000;
/** The rest is for what the adapter asks by itself. */
const SHARE = 0.8;

export class Pace {
  readonly #spent: { readonly atMs: number; readonly cost: number }[] = [];

  constructor(
    private readonly budget: Budget,
    private readonly clock: Clock,
    private readonly sleep: (ms: number) => Promise<void>,
  ) {}

  /** Waits for room. `what` is the last part of the path. */
  async take(what: string): Promise<void> {
    const cost = costOf(what, this.budget.counts);
    for (;;) {
      const nowMs = this.clock.monotonicMs();
      while (this.#spent[0] !== undefined && nowMs - this.#spent[0].atMs > MINUTE_MS) this.#spent.shift();
      const spent = this.#spent.reduce((sum, one) => sum + one.cost, 0);
      const [oldest] = this.#spent;
      if (oldest === undefined || spent + cost <= this.budget.perMinute * SHARE) {
        this.#spent.push({ atMs: nowMs, cost });
        return;
      }
      await this.sleep(Math.min(1_000, oldest.atMs + MINUTE_MS - nowMs + 1));
    }
  }
}
