/**
 * The newest record of each of A's own orders, from the account stream, with somebody waiting for it.
 *
 * A cache of facts: a record that is here happened; one that is not here says nothing. Bounded: old orders are forgotten.
 */
import type { ClientOrderIndex } from '../domain/ids';
import { keepNewest } from '../domain/keep-newest';
import { isTerminal, supersedes, type OrderRecord } from '../domain/records';
import type { AccountStream } from '../exchange/port';

/** Far more than all lanes can have open; the oldest goes first. */
const RECORDS_MAX = 4_096;

export class OrderWatch {
  readonly #records = new Map<ClientOrderIndex, OrderRecord>();
  readonly #waiters = new Map<ClientOrderIndex, Set<(record: OrderRecord) => void>>();
  readonly #stop: () => void;

  constructor(stream: AccountStream) {
    this.#stop = stream.on('orders', (frame) => frame.orders.forEach((record) => this.#take(record)));
  }

  find(index: ClientOrderIndex): OrderRecord | undefined {
    return this.#records.get(index);
  }

  /** Our orders that were resting when last heard of. */
  open(marketId: number): OrderRecord[] {
    return [...this.#records.values()].filter((record) => record.marketId === marketId && !isTerminal(record.status));
  }

  on(index: ClientOrderIndex, listener: (record: OrderRecord) => void): () => void {
    const set = this.#waiters.get(index) ?? new Set();
    set.add(listener);
    this.#waiters.set(index, set);
    return () => {
      set.delete(listener);
      if (set.size === 0) this.#waiters.delete(index);
    };
  }

  /** Resolves with the order's terminal record, or undefined after `forMs`: then nothing is known. */
  terminal(index: ClientOrderIndex, forMs: number): Promise<OrderRecord | undefined> {
    const known = this.#records.get(index);
    if (known && isTerminal(known.status)) return Promise.resolve(known);
    return new Promise((resolve) => {
      const end = (record?: OrderRecord): void => {
        clearTimeout(timer);
        off();
        resolve(record);
      };
      const off = this.on(index, (record) => {
        if (isTerminal(record.status)) end(record);
      });
      const timer = setTimeout(() => end(), forMs);
    });
  }

  close(): void {
    this.#stop();
  }

  #take(record: OrderRecord): void {
    if (record.clientOrderIndex === 0n) return;
    const known = this.#records.get(record.clientOrderIndex);
    if (known && !supersedes(record, known)) return;
    this.#records.delete(record.clientOrderIndex);
    this.#records.set(record.clientOrderIndex, record);
    keepNewest(this.#records, RECORDS_MAX);
    this.#waiters.get(record.clientOrderIndex)?.forEach((listener) => listener(record));
  }
}
