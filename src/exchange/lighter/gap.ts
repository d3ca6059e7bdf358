/**
 * What the account stream missed while it was down (S-07).
 *
 * After a (re)connect the snapshot shows what is live now. This module finds what ended meanwhile: the newest inactive orders, and by
 * client index every order that was known live and is in neither list. An order that no list shows yet stays on the chase: lists lag
 * for seconds (S-11), and absence proves nothing.
 */
import type { ClientOrderIndex } from '../../domain/ids';
import { isTerminal, type OrderRecord, type Read } from '../../domain/records';

/** Orders of one account that were live when last heard of. */
export class LiveOrders {
  readonly #orders = new Map<bigint, OrderRecord>();

  /** The newest transaction time heard of, µs. */
  lastSeenUs = 0;

  /** False for a record older than what is known of that order: lists lag behind frames. */
  isNews(order: OrderRecord): boolean {
    const known = this.#orders.get(order.orderIndex);
    return known === undefined || isTerminal(order.status) || order.transactionTimeUs > known.transactionTimeUs;
  }

  note(order: OrderRecord): void {
    this.lastSeenUs = Math.max(this.lastSeenUs, order.transactionTimeUs);
    if (isTerminal(order.status)) this.#orders.delete(order.orderIndex);
    else this.#orders.set(order.orderIndex, order);
  }

  /** By client index: those of orders that carry one. */
  get indexes(): ClientOrderIndex[] {
    return [...this.#orders.values()].flatMap(({ clientOrderIndex }) =>
      clientOrderIndex === 0n ? [] : [clientOrderIndex],
    );
  }

  /** Known live before, and not among `present`. */
  missingFrom(present: readonly OrderRecord[]): OrderRecord[] {
    const seen = new Set(present.map(({ orderIndex }) => orderIndex));
    return [...this.#orders.values()].filter(({ orderIndex }) => !seen.has(orderIndex));
  }

  forget(orderIndex: bigint): void {
    this.#orders.delete(orderIndex);
  }
}

export interface GapReads {
  readonly inactive: () => Promise<Read<readonly OrderRecord[]>>;
  readonly byClientIndex: (indexes: readonly ClientOrderIndex[]) => Promise<Read<readonly OrderRecord[]>>;
}

export interface GapResult {
  /** Records that the listeners should see, oldest first. */
  readonly records: readonly OrderRecord[];
  /** Orders that ended or vanished, and that no list shows yet. */
  readonly unresolved: readonly OrderRecord[];
}

/** Reads the gap once. `sinceUs`: older inactive orders are no news. A failed read fails the whole. */
export async function readGap(
  missing: readonly OrderRecord[],
  sinceUs: number,
  reads: GapReads,
): Promise<Read<GapResult>> {
  const inactive = await reads.inactive();
  if (!inactive.ok) return inactive;
  const wanted = new Set(missing.map(({ orderIndex }) => orderIndex));
  const found = new Map<bigint, OrderRecord>();
  for (const order of inactive.value) {
    if (wanted.has(order.orderIndex) || order.transactionTimeUs >= sinceUs) found.set(order.orderIndex, order);
  }
  const left = missing.filter(({ orderIndex, clientOrderIndex }) => !found.has(orderIndex) && clientOrderIndex !== 0n);
  if (left.length > 0) {
    const read = await reads.byClientIndex(left.map(({ clientOrderIndex }) => clientOrderIndex));
    if (!read.ok) return read;
    for (const order of read.value) if (wanted.has(order.orderIndex)) found.set(order.orderIndex, order);
  }
  return {
    ok: true,
    value: {
      records: [...found.values()].sort((a, b) => a.transactionTimeUs - b.transactionTimeUs),
      // A list that still shows the order as live while the snapshot does not is a lagging list, not an answer.
      unresolved: missing.filter(({ orderIndex }) => {
        const record = found.get(orderIndex);
        return record === undefined || !isTerminal(record.status);
      }),
    },
  };
}
