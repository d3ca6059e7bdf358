/**
 * tx_info to typed transactions (LP §3.1–3.3). Shape only: key names, integers, attributes. What the numbers mean is checks.ts.
 */
import { refuse } from './codes';
import type { Refusal } from './codes';
import type { OrderRequest, Tx, TxBody, TxHead } from './types';

/** A parsed tx_info: integers beyond 2^53 arrive as bigint. */
export type TxFields = Readonly<Record<string, unknown>>;

export type ParsedTx = { readonly ok: true; readonly tx: Tx } | { readonly ok: false; readonly refusal: Refusal };

/** L2TxAttributes keys (LP §3.3). */
export const attributeKeys = {
  integrator: 1,
  integratorTakerFee: 2,
  integratorMakerFee: 3,
  skipNonce: 4,
  cancelAllMarket: 5,
  selfTradeBehaviour: 6,
  selfTradeEquality: 7,
  orderVersion: 8,
} as const;

const accountMax = 2 ** 48 - 2;

/** LP §3.3: the greatest value, and the one that stands for "absent". */
const attributeRanges: Readonly<Record<string, { readonly max: number; readonly nil: number }>> = {
  1: { max: accountMax, nil: 0 },
  2: { max: 1_000_000, nil: 0 },
  3: { max: 1_000_000, nil: 0 },
  4: { max: 1, nil: 0 },
  5: { max: 2 ** 48 - 1, nil: 255 },
  6: { max: 3, nil: 0 },
  7: { max: 1, nil: 0 },
  8: { max: 2 ** 48 - 1, nil: 0 },
};
const attributesMax = 4;
/** Its account is named otherwise (LP §3.2). */
const transferType = 12;

class Malformed extends Error {}

export function parseTx(txType: number, fields: TxFields): ParsedTx {
  try {
    const body = parseBody(txType, fields);
    if (body === undefined) return { ok: false, refusal: refuse(21505) };
    return { ok: true, tx: { head: parseHead(txType, fields), body } };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, refusal: refuse(21501) };
    throw error;
  }
}

export function isSkipNonce(head: TxHead): boolean {
  return head.attributes.get(attributeKeys.skipNonce) === 1;
}

function parseHead(txType: number, fields: TxFields): TxHead {
  return {
    txType,
    accountIndex: integer(fields, txType === transferType ? 'FromAccountIndex' : 'AccountIndex'),
    apiKeyIndex: integer(fields, 'ApiKeyIndex'),
    nonce: integer(fields, 'Nonce'),
    expiredAtMs: integer(fields, 'ExpiredAt'),
    signature: text(fields, 'Sig'),
    attributes: parseAttributes(fields['L2TxAttributes']),
  };
}

/** Undefined: a type that is not simulated (docs/paper-exchange.md lists them), or none of the exchange's. */
function parseBody(txType: number, fields: TxFields): TxBody | undefined {
  switch (txType) {
    case 8:
      return {
        kind: 'change-pub-key',
        publicKey: hexOfBase64(text(fields, 'PubKey')),
        l1Signature: text(fields, 'L1Sig'),
      };
    case 9:
      return { kind: 'create-sub-account' };
    case transferType:
      return {
        kind: 'transfer',
        toAccountIndex: integer(fields, 'ToAccountIndex'),
        assetIndex: integer(fields, 'AssetIndex'),
        routes: [integer(fields, 'FromRouteType'), integer(fields, 'ToRouteType')],
        amountMicro: integer(fields, 'Amount'),
        feeMicro: integer(fields, 'USDCFee'),
      };
    case 14:
      return { kind: 'create', order: parseOrder(fields) };
    case 15:
      return { kind: 'cancel', marketId: integer(fields, 'MarketIndex'), index: big(fields, 'Index') };
    case 16:
      return { kind: 'cancel-all', timeInForce: integer(fields, 'TimeInForce'), atMs: integer(fields, 'Time') };
    case 17:
      return {
        kind: 'modify',
        marketId: integer(fields, 'MarketIndex'),
        index: big(fields, 'Index'),
        baseLots: integer(fields, 'BaseAmount'),
        priceTicks: integer(fields, 'Price'),
        triggerTicks: integer(fields, 'TriggerPrice'),
      };
    case 20:
      return {
        kind: 'update-leverage',
        marketId: integer(fields, 'MarketIndex'),
        marginFraction: integer(fields, 'InitialMarginFraction'),
        marginMode: integer(fields, 'MarginMode'),
      };
    case 28:
      return { kind: 'grouped', groupingType: integer(fields, 'GroupingType'), orders: parseOrders(fields['Orders']) };
    case 29:
      return {
        kind: 'update-margin',
        marketId: integer(fields, 'MarketIndex'),
        amountMicro: integer(fields, 'USDCAmount'),
        direction: integer(fields, 'Direction'),
      };
    case 45:
      return {
        kind: 'approve-integrator',
        integratorIndex: integer(fields, 'IntegratorIndex'),
        expiryMs: integer(fields, 'ApprovalExpiry'),
      };
    default:
      return undefined;
  }
}

function parseOrder(fields: TxFields): OrderRequest {
  return {
    marketId: integer(fields, 'MarketIndex'),
    clientIndex: integer(fields, 'ClientOrderIndex'),
    baseLots: integer(fields, 'BaseAmount'),
    priceTicks: integer(fields, 'Price'),
    isAsk: integer(fields, 'IsAsk'),
    type: integer(fields, 'Type'),
    timeInForce: integer(fields, 'TimeInForce'),
    reduceOnly: integer(fields, 'ReduceOnly'),
    triggerTicks: integer(fields, 'TriggerPrice'),
    expiryMs: integer(fields, 'OrderExpiry'),
  };
}

function parseOrders(value: unknown): readonly OrderRequest[] {
  if (!Array.isArray(value)) throw new Malformed();
  return value.map((item: unknown) => {
    if (!isFields(item)) throw new Malformed();
    return parseOrder(item);
  });
}

/** Values that say nothing are left out. */
function parseAttributes(value: unknown): ReadonlyMap<number, number> {
  const attributes = new Map<number, number>();
  if (value === null || value === undefined) return attributes;
  if (!isFields(value)) throw new Malformed();
  for (const key of Object.keys(value)) {
    const range = attributeRanges[key];
    const attribute = integer(value, key);
    if (range === undefined || attribute < 0 || attribute > range.max) throw new Malformed();
    if (attribute !== range.nil) attributes.set(Number(key), attribute);
  }
  if (attributes.size > attributesMax) throw new Malformed();
  return attributes;
}

export function isFields(value: unknown): value is TxFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function integer(fields: TxFields, key: string): number {
  const value = fields[key];
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw new Malformed();
  return number;
}

function big(fields: TxFields, key: string): bigint {
  const value = fields[key];
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Malformed();
  return BigInt(value);
}

function text(fields: TxFields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new Malformed();
  return value;
}

/** 40 bytes of standard base64 as 80 hex digits. */
function hexOfBase64(base64: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let bits = '';
  for (const character of base64.replace(/=+$/, '')) {
    const value = alphabet.indexOf(character);
    if (value < 0) throw new Malformed();
    bits += value.toString(2).padStart(6, '0');
  }
  if (bits.length < 320 || bits.length > 324) throw new Malformed();
  return (bits.slice(0, 320).match(/.{4}/g) ?? []).map((four) => parseInt(four, 2).toString(16)).join('');
}
