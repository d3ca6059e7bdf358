/**
 * Our requests ↔ the signer's arguments and its `tx_info` (LP §3.2, §8.1). Pure.
 *
 * The signer takes positional C arguments, and a wrong layout signs something else without a complaint (LP §8.3). So every field of
 * the returned text is compared with the request before the bytes may be sent.
 */
import { assertNever } from '../../domain/assert';
import { TX_CANCEL_ALL, TX_CANCEL_ORDER, TX_CREATE_ORDER, TX_TRANSFER } from '../../domain/records';
import type { TxRequest } from '../port';
import { check, exactInteger } from './parse';
import { z } from 'zod';

/** Market index that stands for all markets in a cancel-all (LP §3.3 key 5). */
const ALL_MARKETS = 255n;
const PRICE_LIMIT = 1n << 32n;
const LOTS_LIMIT = 1n << 48n;
const AMOUNT_LIMIT = (1n << 60n) - 1n;

const USDC = 3;
/** Of both ends of a transfer: the collateral of perpetuals (LP §8.1). */
const PERPS = 0;
/** 32 bytes; the exchange shows them and hashes none of them. */
const MEMO = 'counterleg'.padEnd(32);

type NativeValue = bigint | number | string;

export interface SignCall {
  readonly fn: 'SignCreateOrder' | 'SignCancelOrder' | 'SignCancelAllOrders' | 'SignTransfer';
  readonly txType: number;
  readonly args: readonly NativeValue[];
  /** What `tx_info` must say. */
  readonly expected: Readonly<Record<string, bigint>>;
  readonly attributes: Readonly<Record<string, number>>;
}

/** Rejects what the C types would silently cut (price is 32 bits, amounts 48). */
export function signCallOf(accountIndex: number, request: TxRequest): SignCall {
  const account = BigInt(accountIndex);
  const tail = [request.skipNonce ? 1 : 0, request.nonce, request.lane, account] as const;
  const common = { AccountIndex: account, ApiKeyIndex: BigInt(request.lane), Nonce: request.nonce };
  const attributes: Record<string, number> = request.skipNonce ? { 4: 1 } : {};
  switch (request.kind) {
    case 'market-order':
    case 'post-only-order':
    case 'limit-ioc-order': {
      const order = orderFields(request);
      if (order.selfTradeEquality === 1) attributes[7] = 1;
      return {
        fn: 'SignCreateOrder',
        txType: TX_CREATE_ORDER,
        args: [...order.args, 0n, 0, 0, 0, order.selfTradeEquality, ...tail],
        expected: { ...common, ...order.expected },
        attributes,
      };
    }
    case 'cancel-order': {
      const expected = { ...common, MarketIndex: BigInt(request.marketId), Index: request.index as bigint };
      const args = [BigInt(request.marketId), request.index, ...tail];
      return { fn: 'SignCancelOrder', txType: TX_CANCEL_ORDER, args, expected, attributes };
    }
    case 'cancel-all-now': {
      const expected = { ...common, TimeInForce: 0n, Time: 0n };
      const args = [0, 0n, ALL_MARKETS, ...tail];
      return { fn: 'SignCancelAllOrders', txType: TX_CANCEL_ALL, args, expected, attributes };
    }
    case 'cancel-all-at': {
      const expected = { ...common, TimeInForce: 1n, Time: BigInt(request.atMs) };
      const args = [1, BigInt(request.atMs), ALL_MARKETS, ...tail];
      return { fn: 'SignCancelAllOrders', txType: TX_CANCEL_ALL, args, expected, attributes };
    }
    case 'cancel-all-abort': {
      const expected = { ...common, TimeInForce: 2n, Time: 0n };
      const args = [2, 0n, ALL_MARKETS, ...tail];
      return { fn: 'SignCancelAllOrders', txType: TX_CANCEL_ALL, args, expected, attributes };
    }
    case 'transfer': {
      const { toAccountIndex, amount, lane, nonce } = request;
      if (amount < 1n || amount >= AMOUNT_LIMIT)
        throw new RangeError('a transfer has 1 … 2^60 - 2 micro-USDC (LP §8.1)');
      const expected = {
        ...{
          FromAccountIndex: account,
          ApiKeyIndex: BigInt(lane),
          Nonce: nonce,
          ToAccountIndex: BigInt(toAccountIndex),
        },
        ...{
          AssetIndex: BigInt(USDC),
          FromRouteType: BigInt(PERPS),
          ToRouteType: BigInt(PERPS),
          Amount: amount,
          USDCFee: 0n,
        },
      };
      const args = [BigInt(toAccountIndex), USDC, PERPS, PERPS, amount, 0n, MEMO, ...tail];
      return { fn: 'SignTransfer', txType: TX_TRANSFER, args, expected, attributes };
    }
    default:
      return assertNever(request);
  }
}

const txInfoShape = z
  .object({ ExpiredAt: z.number().int().positive(), Sig: z.string().length(108) })
  .catchall(z.union([z.number(), z.null(), z.string(), z.array(z.number()), z.record(z.string(), z.number())]));

/** Throws unless `txInfo` is the request and nothing else; returns when the bytes expire. The text of an error holds no signature. */
export function verifySigned(call: SignCall, txInfo: string): { readonly expiresAtMs: number } {
  const info = check(txInfoShape, JSON.parse(txInfo), 'signed transaction');
  for (const [key, value] of Object.entries(call.expected)) {
    const read = info[key];
    const shown = typeof read === 'number' && Number.isSafeInteger(read) ? BigInt(read) : exactInteger(txInfo, key);
    if (shown !== value)
      throw new RangeError(`the signer signed ${key} ${shown} instead of ${value}: library and layout do not match`);
  }
  const shownAttributes = info['L2TxAttributes'] ?? {};
  if (JSON.stringify(shownAttributes) !== JSON.stringify(call.attributes)) {
    throw new RangeError('the signer signed other attributes than requested: library and layout do not match');
  }
  return { expiresAtMs: info.ExpiredAt };
}

type OrderRequest = Extract<TxRequest, { readonly lots: bigint }>;

function orderFields(request: OrderRequest): {
  readonly args: readonly NativeValue[];
  readonly expected: Record<string, bigint>;
  readonly selfTradeEquality: 0 | 1;
} {
  const form = formOf(request);
  const isAsk = request.side === 'sell' ? 1 : 0;
  const reduceOnly = request.kind === 'market-order' && request.reduceOnly ? 1 : 0;
  if (request.lots < 1n || request.lots >= LOTS_LIMIT) throw new RangeError('an order has 1 … 2^48 - 1 lots (LP §2.1)');
  if (form.price < 1n || form.price >= PRICE_LIMIT) throw new RangeError('a price has 1 … 2^32 - 1 ticks (LP §2.1)');
  const market = BigInt(request.marketId);
  // The library takes a C int and reads it as unsigned: the upper half of the range travels as negative numbers.
  const price = Number(BigInt.asIntN(32, form.price));
  return {
    args: [
      market,
      request.clientOrderIndex,
      request.lots,
      price,
      isAsk,
      form.type,
      form.timeInForce,
      reduceOnly,
      0, // trigger price
      form.expiryMs,
    ],
    expected: {
      MarketIndex: market,
      ClientOrderIndex: request.clientOrderIndex,
      BaseAmount: request.lots,
      Price: form.price,
      IsAsk: BigInt(isAsk),
      Type: BigInt(form.type),
      TimeInForce: BigInt(form.timeInForce),
      ReduceOnly: BigInt(reduceOnly),
      TriggerPrice: 0n,
      OrderExpiry: form.expiryMs,
    },
    // Behaviour "expire maker" is the exchange's default, 0, and a nil attribute is not emitted (LP §3.3).
    selfTradeEquality: request.kind === 'market-order' && request.selfTrade?.compare === 'master' ? 1 : 0,
  };
}

/** Type and time in force by number (LP §2.3): limit 0, market 1; immediate-or-cancel 0, post-only 2. */
function formOf(request: OrderRequest): {
  readonly type: number;
  readonly timeInForce: number;
  readonly price: bigint;
  readonly expiryMs: bigint;
} {
  switch (request.kind) {
    case 'market-order':
      return { type: 1, timeInForce: 0, price: request.boundTicks, expiryMs: 0n };
    case 'limit-ioc-order':
      return { type: 0, timeInForce: 0, price: request.priceTicks, expiryMs: 0n };
    case 'post-only-order':
      return { type: 0, timeInForce: 2, price: request.priceTicks, expiryMs: BigInt(request.expiryMs) };
    default:
      return assertNever(request);
  }
}
