/**
 * What the exchange has shown about the nonces of one ticket, and what follows from it (invariants 3, 5, 8).
 *
 * Two things settle a nonce and nothing else does: a terminal order record with the slice's client order index, or the executed
 * transaction that consumed the nonce. A missing row, a 200, a 21104 or a next nonce never gets here.
 */
import { invariant } from './assert';
import { clientOrderIndexOf, laneOf, nonceOf, splitClientOrderIndex, type OrderId } from './ids';
import { SEAL_SLICE } from './limits';
import { quote, ZERO_LOTS, type Lots, type Quote } from './lots';
import {
  isTerminal,
  supersedes,
  TX_CANCEL_ALL,
  TX_CANCEL_ORDER,
  TX_CREATE_ORDER,
  type OrderRecord,
  type OrderStatus,
  type TxRecord,
} from './records';

export interface Evidence {
  readonly id: OrderId;
  readonly accountIndex: number;
  readonly marketId: number;
  /** By slice number; the newest record of each. */
  readonly orders: Map<number, OrderRecord>;
  /** By slice number of the nonce; executed transactions only. */
  readonly txs: Map<number, TxRecord>;
}

interface Executed {
  readonly executedLots: Lots;
  readonly executedQuote: Quote;
  readonly txHash?: string;
}

/** `status`, for people: the order's, or `refused <code>`, or `cancel`, or `foreign`. */
export type Settled = Executed &
  (
    | { readonly kind: 'traded'; readonly status: OrderStatus; readonly refusal?: undefined }
    | { readonly kind: 'refused'; readonly status: string; readonly refusal: NonNullable<TxRecord['refusal']> }
    | { readonly kind: 'foreign' | 'seal'; readonly status: string; readonly refusal?: TxRecord['refusal'] }
  );

export function newEvidence(ticket: {
  readonly id: OrderId;
  readonly accountIndex: number;
  readonly marketId: number;
}): Evidence {
  return {
    id: ticket.id,
    accountIndex: ticket.accountIndex,
    marketId: ticket.marketId,
    orders: new Map(),
    txs: new Map(),
  };
}

/** Keeps an order record of this ticket; false when it is none of ours or tells nothing new. */
export function addOrder(evidence: Evidence, record: OrderRecord): boolean {
  if (record.accountIndex !== evidence.accountIndex || record.marketId !== evidence.marketId) return false;
  const { id, slice } = splitClientOrderIndex(record.clientOrderIndex);
  if (id !== evidence.id) return false;
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

/** The settlement of slice `k`, or undefined while nothing proves one. All earlier slices must be settled. */
export function settlementOf(evidence: Evidence, k: number): Settled | undefined {
  const tx = evidence.txs.get(k);
  const own = evidence.orders.get(k);
  if (own && isTerminal(own.status)) return traded(own, tx?.hash);
  if (!tx) return undefined;
  if (tx.type === TX_CANCEL_ORDER || tx.type === TX_CANCEL_ALL) return nothing('seal', 'cancel', tx);
  const index = tx.type === TX_CREATE_ORDER ? tx.clientOrderIndex : undefined;
  if (index === undefined || splitClientOrderIndex(index).id !== evidence.id) return nothing('foreign', 'foreign', tx);
  if (index === clientOrderIndexOf(evidence.id, SEAL_SLICE)) return sealed(evidence, tx);
  invariant(
    index === clientOrderIndexOf(evidence.id, k),
    'a nonce of a ticket and its client order index name the same slice',
  );
  if (!tx.refusal) return undefined;
  return { ...nothing('foreign', `refused ${tx.refusal.code}`, tx), kind: 'refused', refusal: tx.refusal };
}

/** The transaction that consumed the nonce, while its amount is not known yet: the order's record is the missing half. */
export function awaitsRecord(evidence: Evidence, k: number): TxRecord | undefined {
  return settlementOf(evidence, k) === undefined ? evidence.txs.get(k) : undefined;
}

function sealed(evidence: Evidence, tx: TxRecord): Settled | undefined {
  if (tx.refusal) return nothing('seal', `refused ${tx.refusal.code}`, tx);
  const record = evidence.orders.get(SEAL_SLICE);
  if (!record || !isTerminal(record.status)) return undefined;
  return { ...traded(record, tx.hash), kind: 'seal' };
}

function traded(record: OrderRecord, txHash: string | undefined): Settled & { kind: 'traded' } {
  return {
    kind: 'traded',
    executedLots: record.filledLots,
    executedQuote: record.filledQuote,
    status: record.status,
    ...(txHash === undefined ? {} : { txHash }),
  };
}

function nothing(kind: 'foreign' | 'seal', status: string, tx: TxRecord): Settled & { kind: 'foreign' | 'seal' } {
  return {
    kind,
    executedLots: ZERO_LOTS,
    executedQuote: quote(0n),
    status,
    txHash: tx.hash,
    ...(tx.refusal ? { refusal: tx.refusal } : {}),
  };
}
