/** Bursts of fills: another trader takes A's resting orders, wholly or in part, all of a side at once. Its own trades never fail a run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange, Resting } from './exchange';
import type { Random } from './random';

const BETWEEN_MS = { min: 300, max: 1_200 } as const;

export class Bursts {
  #stop = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly makerAccount: number,
    private readonly random: Random,
  ) {}

  /** Burst after burst until `over` resolves. The first comes within a moment, so that its hedges meet the fault. */
  async during(over: Promise<unknown>): Promise<void> {
    this.#stop = false;
    const ended = over.then(
      () => (this.#stop = true),
      () => (this.#stop = true),
    );
    while (!this.#isOver()) {
      await this.#burst().catch(() => undefined); // the exchange may be the one that is frozen
      await Promise.race([ended, sleep(this.random.between(BETWEEN_MS.min, BETWEEN_MS.max))]);
    }
  }

  #isOver(): boolean {
    return this.#stop;
  }

  async #burst(): Promise<void> {
    const resting = await this.exchange.resting(this.makerAccount);
    const side = this.random.next() < 0.5 ? 'asks' : 'bids';
    const chosen = resting.filter(({ isAsk }) => isAsk === (side === 'asks'));
    const orders = chosen.length > 0 ? chosen : resting;
    const deepest = orders.reduce<Resting | undefined>(
      (found, order) => (found === undefined || order.beforeLots > found.beforeLots ? order : found),
      undefined,
    );
    if (deepest === undefined) return;
    const part = this.random.next() < 0.4 ? BigInt(this.random.between(1, 99)) : 100n;
    const lots = (deepest.lots * part) / 100n;
    await this.exchange.take(deepest, deepest.beforeLots + (lots === 0n ? 1n : lots));
  }
}
