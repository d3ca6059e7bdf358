/**
 * Frames → maker updates of our maker orders. Pure: the whole question "is this ours?" is answered here, from the record alone.
 *
 * Attribution never waits for the exchange's id nor for `place` to return (S-03): a maker order is known by its client order
 * index, which is its order id. Anything else on the account is ignored with a reason: orders of others and of old with zero or
 * chance indexes (S-04), slices and seals of a close, which share the order's index range (P-17), another market (S-15).
 */
import { epochMsOf, laneOf, splitClientOrderIndex, timeOf, type OrderId } from '../domain/ids-and-nonces';
import { ORDER_ID_BITS } from '../domain/limits';
import type { OrderRecord } from '../domain/records';
import type { OrdersFrame } from '../exchange/port';

/** What a lane of A is configured to quote. */
export interface LaneTerms {
  readonly marketId: number;
  readonly sizeDecimals: number;
  readonly priceDecimals: number;
}

/** Ours, as configured. The map may grow while the listener runs. */
export interface Registry {
  readonly makerAccount: number;
  readonly lanes: ReadonlyMap<number, LaneTerms>;
}

/** One of our maker orders, as one frame showed it. Amounts and status are of the same record (invariant 6). */
export interface MakerUpdate {
  readonly orderId: OrderId;
  readonly terms: LaneTerms;
  readonly record: OrderRecord;
  /** When the order traded up to the record's amount, if it did: µs of the exchange's clock; undefined where the record does not say. */
  readonly tradedAtUs?: number;
  /** Monotonic milliseconds at which the frame arrived. */
  readonly receivedAtMs: number;
  /** The same, when its records had been read. */
  readonly parsedAtMs?: number;
  /** The same, when the notice about it had been handed to Redis. */
  readonly noticedAtMs?: number | undefined;
}

export const IGNORE_REASONS = [
  'other-account',
  'no-client-index',
  'slice',
  'foreign-lane',
  'other-market',
  'not-our-time',
  'poison',
] as const;
export type IgnoreReason = (typeof IGNORE_REASONS)[number];

export interface Ignored {
  readonly reason: IgnoreReason;
  readonly record: OrderRecord;
}

export interface Translation {
  readonly makerUpdates: readonly MakerUpdate[];
  readonly ignored: readonly Ignored[];
}

/**
 * A maker order lives minutes; an index that reads as another day is chance, for example a millisecond clock used as an index
 * (S-04). Wide enough for any clock error worth surviving (S-40).
 */
export const ORDER_TIME_WINDOW_MS = 24 * 3_600_000;

export function translate(frame: OrdersFrame, registry: Registry, epochMs: number): Translation {
  const makerUpdates: MakerUpdate[] = [];
  const ignored: Ignored[] = [];
  for (const record of frame.orders) {
    const found = attributeSafely(record, registry, epochMs);
    if (typeof found === 'string') ignored.push({ reason: found, record });
    else makerUpdates.push({ ...found, ...tradedAt(frame.kind, record), record, receivedAtMs: frame.receivedAtMs });
  }
  return { makerUpdates, ignored };
}

/** A trade's own frame dates it. Any other record is of a later change, as far as is known. */
function tradedAt(kind: OrdersFrame['kind'], record: OrderRecord): { tradedAtUs?: number } {
  const { status, filledLots, transactionTimeUs } = record;
  const isTrade = kind === 'change' && (status === 'open' || status === 'filled') && filledLots > 0n;
  return isTrade && transactionTimeUs > 0 ? { tradedAtUs: transactionTimeUs } : {};
}

/** A record that breaks its type must not hide the others of its frame (S-33). */
function attributeSafely(...input: Parameters<typeof attribute>): ReturnType<typeof attribute> {
  try {
    return attribute(...input);
  } catch {
    return 'poison';
  }
}

function attribute(
  record: OrderRecord,
  registry: Registry,
  epochMs: number,
): Pick<MakerUpdate, 'orderId' | 'terms'> | IgnoreReason {
  if (record.accountIndex !== registry.makerAccount) return 'other-account';
  const index: bigint = record.clientOrderIndex;
  if (index <= 0n || index >= 1n << ORDER_ID_BITS) return 'no-client-index';
  const { id, slice } = splitClientOrderIndex(index);
  if (slice !== 0) return 'slice';
  const terms = registry.lanes.get(laneOf(id));
  if (terms === undefined) return 'foreign-lane';
  if (terms.marketId !== record.marketId) return 'other-market';
  if (Math.abs(epochMsOf(timeOf(id)) - epochMs) > ORDER_TIME_WINDOW_MS) return 'not-our-time';
  return { orderId: id, terms };
}
