/**
 * What the account stream missed while it was down (S-07).
 *
 * After a (re)connect the snapshot shows what is live now. This module finds what ended meanwhile: the newest inactive orders, and by
 * client index every order that was known live and is in neither list. An order that no list shows yet stays on the chase: lists lag
 * for seconds (S-11), and absence proves nothing.
 */
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import { isTerminal, type OrderRecord, type Read } from '../../domain/records';

export interface GapReads {
  readonly inactive: () => Promise<Read<readonly OrderRecord[]>>;
  readonly byClientIndex: (indexes: readonly ClientOrderIndex[]) => Promise<Read<readonly OrderRecord[]>>;
}

export interface StreamReads extends GapReads {
  /** All that live, in one request. */
  readonly active: () => Promise<Read<readonly OrderRecord[]>>;
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

/**
 * All that lives, read once, and by client index what of `known` (live when it was asked) is not among it. A failed read fails the whole;
 * what no list shows is left out: absence proves nothing.
 */
export async function readLive(
  known: readonly OrderRecord[],
  reads: StreamReads,
): Promise<Read<readonly OrderRecord[]>> {
  const active = await reads.active();
  if (!active.ok) return active;
  const present = new Set(active.value.map(({ orderIndex }) => orderIndex));
  const gone = known.filter(({ orderIndex, clientOrderIndex }) => !present.has(orderIndex) && clientOrderIndex !== 0n);
  if (gone.length === 0) return active;
  const found = await reads.byClientIndex(gone.map(({ clientOrderIndex }) => clientOrderIndex));
  return found.ok ? { ok: true, value: [...active.value, ...found.value] } : found;
}
