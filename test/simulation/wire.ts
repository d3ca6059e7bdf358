/** Our words ↔ the paper exchange's: requests out, records in. The simulator's stand-in for src/exchange/lighter's signer and parser. */
import { attributeKeys } from '../../packages/paper-exchange/src/core/tx';
import type { Changes } from '../../packages/paper-exchange/src/core/world';
import type {
  Account,
  Order,
  OrderRequest,
  Tx,
  TxBody,
  TxRecord as PaperTx,
} from '../../packages/paper-exchange/src/core/types';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { OrderRecord, TxRecord } from '../../src/domain/records';
import { parseTxRows, type TxRow, type UnreadTxRow } from '../../src/exchange/lighter/parse-tx';
import type { TxRequest } from '../../src/exchange/port';

const USDC = 3;
const TX_TYPE: Readonly<Record<TxRequest['kind'], number>> = {
  'market-order': 14,
  'post-only-order': 14,
  'limit-ioc-order': 14,
  'cancel-order': 15,
  'cancel-all-now': 16,
  'cancel-all-at': 16,
  'cancel-all-abort': 16,
  transfer: 12,
};

export function txOf(accountIndex: number, request: TxRequest, expiredAtMs: number): Tx {
  const attributes = new Map<number, number>();
  if (request.skipNonce) attributes.set(attributeKeys.skipNonce, 1);
  if (request.kind === 'market-order' && request.selfTrade) attributes.set(attributeKeys.selfTradeEquality, 1);
  const head = {
    txType: TX_TYPE[request.kind],
    accountIndex,
    apiKeyIndex: request.lane,
    nonce: Number(request.nonce),
    expiredAtMs,
    signature: '',
    attributes,
  };
  return { head, body: bodyOf(request) };
}

function bodyOf(request: TxRequest): TxBody {
  switch (request.kind) {
    case 'market-order':
      return create(request, {
        type: 1,
        timeInForce: 0,
        price: request.boundTicks,
        expiryMs: 0,
        reduceOnly: request.reduceOnly ? 1 : 0,
      });
    case 'post-only-order':
      return create(request, {
        type: 0,
        timeInForce: 2,
        price: request.priceTicks,
        expiryMs: request.expiryMs,
        reduceOnly: 0,
      });
    case 'limit-ioc-order':
      return create(request, { type: 0, timeInForce: 0, price: request.priceTicks, expiryMs: 0, reduceOnly: 0 });
    case 'cancel-order':
      return { kind: 'cancel', marketId: request.marketId, index: request.index };
    case 'cancel-all-now':
      return { kind: 'cancel-all', timeInForce: 0, atMs: 0 };
    case 'cancel-all-at':
      return { kind: 'cancel-all', timeInForce: 1, atMs: request.atMs };
    case 'cancel-all-abort':
      return { kind: 'cancel-all', timeInForce: 2, atMs: 0 };
    case 'transfer': {
      const { toAccountIndex, amount } = request;
      return {
        kind: 'transfer',
        toAccountIndex,
        assetIndex: USDC,
        routes: [0, 0],
        amountMicro: Number(amount),
        feeMicro: 0,
      };
    }
  }
}

function create(
  request: Extract<TxRequest, { clientOrderIndex: ClientOrderIndex }>,
  how: {
    readonly type: number;
    readonly timeInForce: number;
    readonly price: bigint;
    readonly expiryMs: number;
    readonly reduceOnly: number;
  },
): TxBody {
  const order: OrderRequest = {
    marketId: request.marketId,
    clientIndex: Number(request.clientOrderIndex),
    baseLots: Number(request.lots),
    priceTicks: Number(how.price),
    isAsk: request.side === 'sell' ? 1 : 0,
    type: how.type,
    timeInForce: how.timeInForce,
    reduceOnly: how.reduceOnly,
    triggerTicks: 0,
    expiryMs: how.expiryMs,
  };
  return { kind: 'create', order };
}

/** A pure function of the signed fields, as on the exchange (LP §3.4). */
export function hashOfTx(tx: Tx): string {
  const { head, body } = tx;
  const detail =
    body.kind === 'create'
      ? `${body.order.clientIndex}/${body.order.baseLots}/${body.order.priceTicks}/${body.order.reduceOnly}`
      : body.kind;
  return `${head.accountIndex}/${head.apiKeyIndex}/${head.nonce}/${detail}/${head.expiredAtMs}`;
}

export function recordOf(order: Order): OrderRecord {
  return {
    accountIndex: order.account.accountIndex,
    marketId: order.marketId,
    orderIndex: BigInt(order.indexText),
    clientOrderIndex: BigInt(order.clientIndex) as ClientOrderIndex,
    side: order.side === 'bid' ? 'buy' : 'sell',
    status: order.status,
    initialLots: lots(order.initialLots),
    filledLots: lots(order.filledLots),
    filledQuote: notional(order.filledQuoteMicro),
    priceTicks: ticks(order.priceTicks),
    transactionTimeUs: order.transactionUs,
  };
}

export function txRecordOf(tx: PaperTx): TxRecord {
  const { body } = tx.tx;
  const index =
    body.kind === 'create' ? BigInt(body.order.clientIndex) : body.kind === 'cancel' ? body.index : undefined;
  return {
    hash: tx.hash,
    type: tx.txType,
    accountIndex: tx.account.accountIndex,
    apiKeyIndex: tx.apiKeyIndex,
    nonce: BigInt(tx.nonce) as Nonce,
    status: tx.state === 'executed' ? 'executed' : tx.state === 'queued' ? 'pending' : 'failed',
    ...(index === undefined ? {} : { clientOrderIndex: index as ClientOrderIndex }),
    ...(body.kind === 'transfer'
      ? { transfer: { toAccountIndex: body.toAccountIndex, amount: notional(body.amountMicro) } }
      : {}),
    ...(tx.refusal === undefined ? {} : { rejection: { code: tx.refusal.code, message: tx.refusal.message } }),
    executedAtMs: tx.executedAtUs / 1000,
  };
}

/** A transfer as the list of transactions has it, read as the adapter does; `isHidden`: its terms are not there. */
export function transferRowOf(tx: TxRecord, isHidden: boolean): TxRow | UnreadTxRow {
  const status = { failed: 0, pending: 1, executed: 3 }[tx.status];
  const { toAccountIndex, amount } = tx.transfer ?? { toAccountIndex: 0, amount: 0n };
  const terms = isHidden ? {} : { ToAccountIndex: toAccountIndex, AssetIndex: USDC, Amount: Number(amount) };
  const ae = tx.rejection === undefined ? {} : { ae: JSON.stringify(tx.rejection) };
  const raw = {
    ...{ hash: tx.hash, type: tx.type, status, account_index: tx.accountIndex, api_key_index: tx.apiKeyIndex },
    ...{ nonce: Number(tx.nonce), info: JSON.stringify(terms), executed_at: tx.executedAtMs },
    event_info: JSON.stringify(ae),
  };
  const [row] = parseTxRows({ txs: [raw] });
  if (row === undefined) throw new Error('a transfer has no row');
  return row;
}

/** What one event changed for an account, as its two private channels would say it. */
export interface AccountNews {
  readonly orders: readonly OrderRecord[];
  readonly txs: readonly TxRecord[];
}

export function newsOf(changes: Changes, account: Account): AccountNews | undefined {
  const own = changes.accounts.get(account);
  if (own === undefined || (own.orders.size === 0 && own.txs.length === 0)) return undefined;
  return { orders: [...own.orders].map(recordOf), txs: own.txs.map(txRecordOf) };
}
