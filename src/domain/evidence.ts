/**
 * What the exchange has shown about the nonces of one ticket, and what follows from it (invariants 3, 5, 8).
 *
 * Two things resolve a nonce and nothing else does: a terminal order record with the slice's client order index, or the executed
 * transaction that consumed the nonce. A missing row, a 200, a 21104 or a next nonce never gets here.
 */
import { invariant } from './assert';
import { clientOrderIndexOf, laneOf, nonceOf, splitClientOrderIndex, type OrderId } from './ids-and-nonces';
import { SEAL_SLICE } from './limits';
import { notional, ZERO_LOTS, type Lots, type Notional } from './lots';
import {
  isTerminal,
  supersedes,
  TX_CANCEL_ALL,
  TX_CANCEL_ORDER,
  TX_CREATE_ORDER,
  type OrderRecord,
  type OrderStatus,
  type Side,
  type TxRecord,
} from './records';

export interface Evidence {
  readonly id: OrderId;
  readonly accountIndex: number;
  readonly marketId: number;
  /** A record of the other side is a stranger's, and proves nothing: an index may be used at any nonce. Absent where it may not be known. */
  readonly side?: Side;
  /** By slice number; the newest record of each. */
  readonly orders: Map<number, OrderRecord>;
  /** By slice number of the nonce; executed transactions only. */
  readonly txs: Map<number, TxRecord>;
}

interface Executed {
  readonly executedLots: Lots;
  readonly executedQuote: Notional;
  /** When the nonce was consumed, by the exchange's clock, epoch ms; absent when nothing told it. */
  readonly settledAtMs?: number;
  /** By the exchange's clock, µs: a market order executes whole, in the transaction that its record was last changed by. */
  readonly executedAtUs?: number;
  readonly txHash?: string;
}

/** `status`, for people: the order's, or `rejected <code>`, or `cancel`, or `foreign`. */
export type Resolved = Executed &
  (
    | { readonly kind: 'traded'; readonly status: OrderStatus; readonly rejection?: undefined }
    | { readonly kind: 'rejected'; readonly status: string; readonly rejection: NonNullable<TxRecord['rejection']> }
    | { readonly kind: 'foreign' | 'seal'; readonly status: string; readonly rejection?: TxRecord['rejection'] }
  );

export function newEvidence(ticket: {
  readonly id: OrderId;
  readonly accountIndex: number;
  readonly marketId: number;
  readonly side?: Side;
}): Evidence {
  return {
    id: ticket.id,
    accountIndex: ticket.accountIndex,
    marketId: ticket.marketId,
    ...(ticket.side === undefined ? {} : { side: ticket.side }),
    orders: new Map(),
    txs: new Map(),
  };
}

/** Keeps an order record of this ticket; false when it is none of ours or tells nothing new. */
export function addOrder(evidence: Evidence, record: OrderRecord): boolean {
  if (record.accountIndex !== evidence.accountIndex || record.marketId !== evidence.marketId) return false;
  const { id, slice } = splitClientOrderIndex(record.clientOrderIndex);
  if (id !== evidence.id || record.side !== (evidence.side ?? record.side)) return false;
  const known = evidence.orders.get(slice);
  if (known && !supersedes(record, known)) return false;
  evidence.orders.set(slice, record);
  return true;
}

/** Keeps a transaction that consumed one of the ticket's nonces; false when it is none, or not executed. */
export function addTx(evidence: Evidence, tx: TxRecord): boolean {
  if (tx.accountIndex !== evidence.accountIndex || tx.apiKeyIndex !== laneOf(evidence.id) || tx.status !== 'executed')
    return false;
  const offset = tx.nonce - nonceOf(evidence.id, 0);
  if (offset < 0n || offset > BigInt(SEAL_SLICE) || evidence.txs.has(Number(offset))) return false;
  evidence.txs.set(Number(offset), tx);
  return true;
}

/** The resolution of slice `k`, or undefined while nothing proves one. All earlier slices must be resolved. */
export function resolutionOf(evidence: Evidence, k: number): Resolved | undefined {
  const tx = evidence.txs.get(k);
  const own = evidence.orders.get(k);
  if (own && isTerminal(own.status)) return traded(own, tx?.hash);
  if (!tx) return undefined;
  if (tx.type === TX_CANCEL_ORDER || tx.type === TX_CANCEL_ALL) return nothing('seal', 'cancel', tx);
  const index = tx.type === TX_CREATE_ORDER ? tx.clientOrderIndex : undefined;
  if (index === undefined || splitClientOrderIndex(index).id !== evidence.id || isOfAnother(evidence, tx))
    return nothing('foreign', 'foreign', tx);
  if (index === clientOrderIndexOf(evidence.id, SEAL_SLICE)) return sealed(evidence, tx);
  invariant(
    index === clientOrderIndexOf(evidence.id, k),
    'a nonce of a ticket and its client order index name the same slice',
  );
  if (!tx.rejection) return undefined;
  return { ...nothing('foreign', `rejected ${tx.rejection.code}`, tx), kind: 'rejected', rejection: tx.rejection };
}

/** The transaction that consumed the nonce, while its amount is not known yet: the order's record is the missing half. */
export function awaitsRecord(evidence: Evidence, k: number): TxRecord | undefined {
  return resolutionOf(evidence, k) === undefined ? evidence.txs.get(k) : undefined;
}

/** It has our index and is none of ours all the same: ours trade one side of one market. */
function isOfAnother({ marketId, side }: Evidence, { order }: TxRecord): boolean {
  return order !== undefined && (order.marketId !== marketId || order.side !== (side ?? order.side));
}

function sealed(evidence: Evidence, tx: TxRecord): Resolved | undefined {
  if (tx.rejection) return nothing('seal', `rejected ${tx.rejection.code}`, tx);
  const record = evidence.orders.get(SEAL_SLICE);
  if (!record || !isTerminal(record.status)) return undefined;
  return { ...traded(record, tx.hash), kind: 'seal' };
}

function traded(record: OrderRecord, txHash: string | undefined): Resolved & { kind: 'traded' } {
  return {
    kind: 'traded',
    executedLots: record.filledLots,
    executedQuote: record.filledQuote,
    status: record.status,
    ...(record.transactionTimeUs > 0 ? { settledAtMs: record.transactionTimeUs / 1_000 } : {}),
    ...(record.filledLots > 0n && record.transactionTimeUs > 0 ? { executedAtUs: record.transactionTimeUs } : {}),
    ...(txHash === undefined ? {} : { txHash }),
  };
}

function nothing(kind: 'foreign' | 'seal', status: string, tx: TxRecord): Resolved & { kind: 'foreign' | 'seal' } {
  return {
    kind,
    executedLots: ZERO_LOTS,
    executedQuote: notional(0n),
    status,
    txHash: tx.hash,
    ...(tx.executedAtMs > 0 ? { settledAtMs: tx.executedAtMs } : {}),
    ...(tx.rejection ? { rejection: tx.rejection } : {}),
  };
}
