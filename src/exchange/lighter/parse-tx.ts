/**
 * Lighter's transaction rows (`tx`, `accountTxs`, `account_tx`) → TxRecord (LP §3.7).
 *
 * `status` alone cannot tell a rejection: it is in `event_info.ae`. `info` and `event_info` are JSON texts inside JSON. An order
 * transaction whose event cannot be read is malformed, because "no rejection seen" would then be a guess.
 */
import { z } from 'zod';
import type { ClientOrderIndex, Nonce } from '../../domain/ids-and-nonces';
import { notional, type Lots, type Ticks } from '../../domain/lots';
import {
  TX_CANCEL_ALL,
  TX_CANCEL_ORDER,
  TX_CREATE_ORDER,
  TX_TRANSFER,
  type TransferTerms,
  type TxRecord,
} from '../../domain/records';
import { check, epochMs, exactInteger, list, MalformedError } from './parse';

const USDC = 3;
const integer = z.number().int();
const txShape = z.object({
  hash: z.string(),
  type: integer.min(0),
  status: integer.min(0),
  info: z.string().nullish(),
  event_info: z.string().nullish(),
  account_index: integer,
  // Older servers leave the next two out of the row; `info` always has them.
  api_key_index: integer.nullish(),
  nonce: integer.nullish(),
  executed_at: z.number().min(0).nullish(),
  queued_at: z.number().min(0).nullish(),
  sequence_index: integer.nullish(),
  transaction_index: integer.nullish(),
});

/** A row of `accountTxs` with what paging needs besides the record. */
export interface TxRow {
  readonly tx: TxRecord;
  /** Candidates for the `index` parameter, whose meaning the documentation leaves open. */
  readonly sequenceIndex: number | undefined;
  readonly transactionIndex: number | undefined;
  /** Execution or else queueing time, epoch ms; 0 when neither is given. */
  readonly timeMs: number;
}

/** A row that cannot be read, with what of it can: it may be any transaction that these do not rule out. */
export interface UnreadTxRow {
  readonly unread: MalformedError;
  readonly accountIndex: number | undefined;
  readonly apiKeyIndex: number | undefined;
  readonly nonce: bigint | undefined;
}

/** A page of `accountTxs`, row by row: one that cannot be read must not hide the others, nor be taken for absent. */
export function parseTxRows(body: unknown): (TxRow | UnreadTxRow)[] {
  return rawTxsOf(body).map((raw) => {
    try {
      return parseTxRow(raw);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      const nonce = safeField(raw, 'nonce');
      return {
        unread: error,
        accountIndex: safeField(raw, 'account_index'),
        apiKeyIndex: safeField(raw, 'api_key_index'),
        nonce: nonce === undefined ? undefined : BigInt(nonce),
      };
    }
  });
}

export function parseTxRow(raw: unknown): TxRow {
  const row = check(txShape, raw, 'transaction');
  const info = parseJson(row.info);
  const apiKeyIndex = row.api_key_index ?? safeField(info, 'ApiKeyIndex');
  const nonce = row.nonce ?? safeField(info, 'Nonce');
  if (apiKeyIndex === undefined || nonce === undefined) throw new MalformedError('transaction: no api key or nonce');
  const clientOrderIndex = clientIndexOf(row.type, row.info ?? '', info);
  const transfer = row.type === TX_TRANSFER ? transferOf(info) : undefined;
  const rejection = rejectionOf(row.type, row.event_info);
  const executedAtMs = epochMs(row.executed_at ?? 0);
  const order = rejection === undefined && row.status > 1 ? orderOf(row.type, info, row.event_info) : undefined;
  const tx: TxRecord = {
    hash: row.hash,
    type: row.type,
    accountIndex: row.account_index,
    apiKeyIndex,
    nonce: BigInt(nonce) as Nonce,
    status: row.status === 0 ? 'failed' : row.status === 1 ? 'pending' : 'executed',
    ...(clientOrderIndex === undefined ? {} : { clientOrderIndex }),
    ...(order === undefined ? {} : { order }),
    ...(transfer === undefined ? {} : { transfer }),
    ...(rejection === undefined ? {} : { rejection }),
    executedAtMs,
  };
  return {
    tx,
    sequenceIndex: row.sequence_index ?? undefined,
    transactionIndex: row.transaction_index ?? undefined,
    timeMs: executedAtMs > 0 ? executedAtMs : epochMs(row.queued_at ?? 0),
  };
}

/** An account's transactions in a frame, row by row. */
export function readTxs(body: unknown, accountIndex: number, onRejected: (error: unknown) => void): TxRecord[] {
  const orNone = <T>(read: () => T[]): T[] => {
    try {
      return read();
    } catch (error) {
      onRejected(error);
      return [];
    }
  };
  const rows = orNone(() => rawTxsOf(body));
  return rows.flatMap((raw) => orNone(() => [parseTxRow(raw).tx])).filter((tx) => tx.accountIndex === accountIndex);
}

export function rawTxsOf(body: unknown): unknown[] {
  return check(z.object({ txs: list }), body, 'transaction list').txs;
}

function clientIndexOf(type: number, infoText: string, info: unknown): ClientOrderIndex | undefined {
  if (type !== TX_CREATE_ORDER && type !== TX_CANCEL_ORDER) return undefined;
  const key = type === TX_CREATE_ORDER ? 'ClientOrderIndex' : 'Index';
  const value = safeField(info, key);
  if (value !== undefined) return BigInt(value) as ClientOrderIndex;
  // A cancel may name an exchange order index, beyond 2^53.
  const exact = exactInteger(infoText, key);
  if (exact === undefined || exact < 0n) throw new MalformedError(`transaction: info has no ${key}`);
  return exact as ClientOrderIndex;
}

/** Types that we send: an event that cannot be read may be a rejection. */
const OURS: ReadonlySet<number> = new Set([TX_CREATE_ORDER, TX_CANCEL_ORDER, TX_CANCEL_ALL, TX_TRANSFER]);

function rejectionOf(type: number, eventInfo: string | null | undefined): TxRecord['rejection'] {
  const event = parseJson(eventInfo);
  if (event === undefined) {
    if (OURS.has(type) && eventInfo !== undefined && eventInfo !== null && eventInfo !== '') {
      throw new MalformedError('transaction: event_info is not readable');
    }
    return undefined;
  }
  const ae = event['ae'];
  if (ae === undefined || ae === null || ae === '') return undefined;
  // Double-encoded since 2026; older documents print the bare name (LP §3.7). Both are rejections.
  const text = typeof ae === 'string' ? ae : JSON.stringify(ae);
  const inner = typeof ae === 'string' ? parseJson(ae) : (ae as Record<string, unknown>);
  return {
    code: safeField(inner, 'code') ?? 0,
    message: typeof inner?.['message'] === 'string' ? inner['message'] : text.slice(0, 200),
  };
}

/** What an executed create asked for, with the order's id from its event (LP §3.7); undefined when a part of it is missing. */
function orderOf(type: number, info: unknown, eventInfo: string | null | undefined): TxRecord['order'] {
  const event = parseJson(eventInfo);
  if (type !== TX_CREATE_ORDER || event === undefined) return undefined;
  const [marketId, amount, price, isAsk] = ['MarketIndex', 'BaseAmount', 'Price', 'IsAsk'].map((key) =>
    safeField(info, key),
  );
  // An order index may exceed 2^53, which JSON.parse rounds: take its digits from the text.
  const digits = /"to"\s*:\s*\{\s*"i"\s*:\s*(\d{1,20})/.exec(eventInfo ?? '')?.[1];
  if (marketId === undefined || amount === undefined || price === undefined || isAsk === undefined) return undefined;
  if (digits === undefined || digits === '0') return undefined;
  return {
    marketId,
    side: isAsk === 1 ? 'sell' : 'buy',
    lots: BigInt(amount) as Lots,
    priceTicks: BigInt(price) as Ticks,
    orderIndex: BigInt(digits),
    hasTraded: event['t'] !== undefined && event['t'] !== null,
    mayRest: safeField(info, 'TimeInForce') !== 0,
  };
}

/**
 * Amounts are within 2^53 for nine billion USDC; one beyond is rounded by JSON.parse, and is none of ours. Throws for one that cannot be read: taken
 * for somebody else's, our own would be made a second time.
 */
function transferOf(info: unknown): TransferTerms | undefined {
  const [to, asset, amount] = ['ToAccountIndex', 'AssetIndex', 'Amount'].map((key) => safeField(info, key));
  if (to === undefined || asset === undefined || amount === undefined)
    throw new MalformedError('transaction: the terms of a transfer are not readable');
  if (asset !== USDC) return undefined;
  return { toAccountIndex: to, amount: notional(BigInt(amount)) };
}

function parseJson(text: string | null | undefined): Record<string, unknown> | undefined {
  if (text === undefined || text === null || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function safeField(object: unknown, key: string): number | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const value = (object as Record<string, unknown>)[key];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
