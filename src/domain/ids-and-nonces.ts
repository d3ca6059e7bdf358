/**
 * The id scheme: every identity of an order on the exchange follows from its order id, each with its inverse.
 *
 *   order id = T (33 bits) · lane (8 bits) · 7 zero bits          also the client order index of the placement on A
 *   slice k  : client order index = order id + k, nonce = (T + tenths of 1970…2026) × 128 + k
 *
 * T is in tenths of a second since 2026-01-01 UTC and strictly increases per lane, so nonces of a lane do too. A nonce is
 * about 2.3e12: above any millisecond clock, below the exchange's 2^47 (LP §3.6).
 */
import { invariant } from './assert';
import { EPOCH_TENTHS, LANE_BITS, NONCE_LIMIT, ORDER_TIME_BITS, SEAL_SLICE, SLICE_BITS } from './limits';

declare const kind: unique symbol;

/** 48-bit id of a maker order, or of a later ticket of it. Its last seven bits are zero. */
export type OrderId = bigint & { readonly [kind]: 'order id' };
/** Client order index on the exchange: order id + slice. */
export type ClientOrderIndex = bigint & { readonly [kind]: 'client order index' };
/** Sequence number of a transaction within its lane (LP §3.6). */
export type Nonce = bigint & { readonly [kind]: 'nonce' };
/** Tenths of a second since 2026-01-01 UTC. */
export type Tenths = bigint & { readonly [kind]: 'tenths' };

const SLICE_MASK = (1n << SLICE_BITS) - 1n;
const LANE_MASK = (1n << LANE_BITS) - 1n;
const LANE_MAX = 254;

export function orderIdOf(parts: { readonly time: Tenths; readonly lane: number }): OrderId {
  const { time, lane } = parts;
  invariant(time >= 0n && time < 1n << ORDER_TIME_BITS, 'T of an order id has 33 bits');
  invariant(Number.isInteger(lane) && lane >= 0 && lane <= LANE_MAX, 'a lane is an API key index, 0…254');
  return ((time << (LANE_BITS + SLICE_BITS)) | (BigInt(lane) << SLICE_BITS)) as OrderId;
}

export function timeOf(id: OrderId): Tenths {
  return (id >> (LANE_BITS + SLICE_BITS)) as Tenths;
}

export function laneOf(id: OrderId): number {
  return Number((id >> SLICE_BITS) & LANE_MASK);
}

/** Time of an epoch-millisecond clock as T, rounded down. */
export function tenthsAt(epochMs: number): Tenths {
  return (BigInt(Math.floor(epochMs / 100)) - EPOCH_TENTHS) as Tenths;
}

/** Epoch milliseconds at which T began. */
export function epochMsOf(time: Tenths): number {
  return Number((time + EPOCH_TENTHS) * 100n);
}

/** The next id of a lane: the clock's T, or one more than the lane's last T when the clock has not moved on. */
export function nextOrderId(input: {
  readonly epochMs: number;
  readonly lane: number;
  readonly last?: OrderId | undefined;
}): OrderId {
  return orderIdOf({ time: nextTime(input), lane: input.lane });
}

/**
 * The next id of an order that continues on a lane which is not its own. Others may come to that lane in the same tenth of a second,
 * and two orders with one id would take each other's executions for theirs: so T ends, modulo 256, in the order's own lane.
 * It may therefore run ahead of the clock by 25.6 s, and by twice that where the order was on a spare lane before (IDS_AHEAD_MS_MAX).
 */
export function nextSpareId(input: {
  readonly epochMs: number;
  readonly lane: number;
  readonly last: OrderId;
  readonly ownLane: number;
}): OrderId {
  const first = nextTime(input);
  const ahead = (BigInt(input.ownLane) - first) & LANE_MASK;
  return orderIdOf({ time: (first + ahead) as Tenths, lane: input.lane });
}

/**
 * The next id of an order that begins on a lane where orders of `owners` continue (nextSpareId): T, modulo 256, is no owner's, so the two never
 * have one id. It runs no further ahead of the clock than `last` does.
 */
export function nextGuestId(input: {
  readonly epochMs: number;
  readonly lane: number;
  readonly last: OrderId | undefined;
  readonly owners: readonly number[];
}): OrderId {
  let time = nextTime(input);
  while (input.owners.includes(Number(time & LANE_MASK))) time = (time + 1n) as Tenths;
  return orderIdOf({ time, lane: input.lane });
}

function nextTime(input: { readonly epochMs: number; readonly last?: OrderId | undefined }): Tenths {
  const now = tenthsAt(input.epochMs);
  const after = input.last === undefined ? now : ((timeOf(input.last) + 1n) as Tenths);
  return now > after ? now : after;
}

export function clientOrderIndexOf(id: OrderId, slice: number): ClientOrderIndex {
  invariant(Number.isInteger(slice) && slice >= 0 && slice <= SEAL_SLICE, 'a slice is 0…127');
  return (id + BigInt(slice)) as ClientOrderIndex;
}

export function nonceOf(id: OrderId, slice: number): Nonce {
  invariant(Number.isInteger(slice) && slice >= 0 && slice <= SEAL_SLICE, 'a slice is 0…127');
  const nonce = ((timeOf(id) + EPOCH_TENTHS) << SLICE_BITS) + BigInt(slice);
  invariant(nonce < NONCE_LIMIT, 'a nonce is below 2^47 - 1');
  return nonce as Nonce;
}

/** T of the id whose nonces these are; negative for a nonce that is none of ours. */
export function timeOfNonce(nonce: bigint): Tenths {
  return ((nonce >> SLICE_BITS) - EPOCH_TENTHS) as Tenths;
}

/** The id that a nonce of a lane belongs to, whichever its slice; undefined for one that no id of ours has. */
export function orderIdOfNonce(lane: number, nonce: bigint): OrderId | undefined {
  const time = timeOfNonce(nonce);
  const isOurs = time >= 0n && time < 1n << ORDER_TIME_BITS && lane <= LANE_MAX;
  return isOurs ? orderIdOf({ time, lane }) : undefined;
}

/** Takes a client order index apart. Any number has this form: whether it is ours is for the caller to know. */
export function splitClientOrderIndex(index: bigint): { readonly id: OrderId; readonly slice: number } {
  return { id: (index & ~SLICE_MASK) as OrderId, slice: Number(index & SLICE_MASK) };
}

/** Reads an order id from its decimal text; undefined when it is none. */
export function parseOrderId(text: string): OrderId | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > 0n && value < 1n << 48n && (value & SLICE_MASK) === 0n ? (value as OrderId) : undefined;
}

export function orderWorkflowId(makerAccount: number, id: OrderId): string {
  return `${orderWorkflowPrefix(makerAccount)}${id}`;
}

/** With which the workflow ids of all orders of an account begin. */
export function orderWorkflowPrefix(makerAccount: number): string {
  return `order/${makerAccount}/`;
}

/** Inverse of `orderWorkflowId`; undefined for any other workflow id. */
export function parseOrderWorkflowId(
  workflowId: string,
): { readonly makerAccount: number; readonly id: OrderId } | undefined {
  const match = /^order\/(\d{1,15})\/(\d{1,15})$/.exec(workflowId);
  const id = match?.[2] === undefined ? undefined : parseOrderId(match[2]);
  return id === undefined ? undefined : { makerAccount: Number(match?.[1]), id };
}

export function pairWorkflowId(makerAccount: number, symbol: string): string {
  return `pair/${makerAccount}/${symbol}`;
}
