/**
 * Ended orders, as they end: asks Temporal's visibility twice a second, hands each order over once, oldest first.
 *
 * Owns the memory of what was seen. A failed read is skipped and made up for by the next (a message is a hint; the list is not).
 */
import type { Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { listOrders, type ListedOrder } from '../order-list';

const POLL_MS = 500;
/** Visibility may show an earlier end later than a later one; so far back each read looks. */
const OVERLAP_MS = 10_000;
const PAGE = 1000;

export interface OrderFeedOptions {
  readonly client: Client;
  readonly makerAccount: number;
  readonly sinceMs: number;
  readonly onOrder: (order: ListedOrder) => void;
}

export class OrderFeed {
  readonly #options: OrderFeedOptions;
  /** Workflow id → its end, as long as a reading may show it again. */
  readonly #seen = new Map<string, number>();
  readonly #ended = new AbortController();
  #fromMs: number;
  #loop: Promise<void> | undefined;

  constructor(options: OrderFeedOptions) {
    this.#options = options;
    this.#fromMs = options.sinceMs;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends the asking, after one last read. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#loop;
    await this.read().catch(() => undefined);
  }

  /** One read. Rejects when Temporal does not answer. */
  async read(): Promise<void> {
    const { client, makerAccount, onOrder } = this.#options;
    const orders = await listOrders(client, {
      makerAccount,
      state: 'closed',
      closedAfterMs: this.#fromMs,
      limit: PAGE,
    });
    for (const order of orders.sort((a, b) => (a.closedMs ?? 0) - (b.closedMs ?? 0))) {
      if (this.#seen.has(order.workflowId)) continue;
      this.#seen.set(order.workflowId, order.closedMs ?? 0);
      this.#fromMs = Math.max(this.#fromMs, (order.closedMs ?? 0) - OVERLAP_MS);
      onOrder(order);
    }
    for (const [id, closedMs] of this.#seen) if (closedMs < this.#fromMs) this.#seen.delete(id);
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.read().catch(() => undefined);
      await sleep(POLL_MS, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }
}
