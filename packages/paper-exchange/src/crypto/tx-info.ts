/**
 * Reads the fields of a `tx_info` (LP §3.2) as integers, and says which fields of which type are hashed, in which order.
 *
 * It judges only what the hash needs: that a field is there and fits its Go type. Whether a price is sensible or a market
 * exists is the exchange's business. Order indexes exceed 2^53 (LP §2.2), so text must be read with `parseTxInfo`, never
 * with JSON.parse, which would silently hash another order.
 */

/** A parsed tx_info: numbers beyond 2^53 are `bigint`. */
export type TxInfo = Record<string, unknown>;

/** `two words` are amounts that may exceed the field and are hashed as their low and high 32 bits. */
type Kind = 'u8' | 'u16' | 'u32' | 'i16' | 'i64' | 'two words' | 'public key' | 'orders';

export type Field = readonly [name: string, kind: Kind];

/** JSON text with every integer intact; nothing for text that is no JSON object. */
export function parseTxInfo(text: string): TxInfo | undefined {
  // Only integers of 16 and more digits can be beyond 2^53; they become marked texts, and then bigints.
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') ? token : `"${BIG}${token}"`,
  );
  try {
    const value: unknown = JSON.parse(marked, (_key, entry: unknown) =>
      typeof entry === 'string' && entry.startsWith(BIG) ? bigIntOf(entry.slice(BIG.length)) : entry,
    );
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The hashed fields of a transaction type after chain, type, nonce and expiry; nothing for types no client signs. */
export function findFields(txType: number): readonly Field[] | undefined {
  return FIELDS.get(txType);
}

/** The fields of each order of a group (type 28). */
export const GROUPED_ORDER_FIELDS: readonly Field[] = [
  ['MarketIndex', 'i64'],
  ['ClientOrderIndex', 'i64'],
  ['BaseAmount', 'i64'],
  ['Price', 'u32'],
  ['IsAsk', 'u8'],
  ['Type', 'u8'],
  ['TimeInForce', 'u8'],
  ['ReduceOnly', 'u8'],
  ['TriggerPrice', 'u32'],
  ['OrderExpiry', 'i64'],
];

/** The integer of a field, or nothing if it is absent, no integer, no longer exact, or outside its type. */
export function readInteger(
  info: TxInfo,
  name: string,
  kind: Exclude<Kind, 'public key' | 'orders'>,
): bigint | undefined {
  const value = info[name];
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'bigint') return undefined;
  const integer = BigInt(value as number | bigint);
  const [min, max] = RANGES[kind];
  return integer >= min && integer <= max ? integer : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** U+E000 is a private-use character: no client writes it. A text that does begin with it is read as text or refused. */
const BIG = '\ue000';

function bigIntOf(digits: string): unknown {
  if (!/^-?\d+$/.test(digits)) return digits;
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits);
}

const RANGES = {
  u8: [0n, 255n],
  u16: [0n, 65535n],
  u32: [0n, 2n ** 32n - 1n],
  i16: [-(2n ** 15n), 2n ** 15n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  'two words': [0n, 2n ** 64n - 1n],
} as const;

const ACCOUNT: readonly Field[] = [
  ['AccountIndex', 'i64'],
  ['ApiKeyIndex', 'u8'],
];
const FROM_ACCOUNT: readonly Field[] = [
  ['FromAccountIndex', 'i64'],
  ['ApiKeyIndex', 'u8'],
];
const POOL_SHARES: readonly Field[] = [...ACCOUNT, ['PublicPoolIndex', 'i64'], ['ShareAmount', 'i64']];
const STAKING_SHARES: readonly Field[] = [...ACCOUNT, ['StakingPoolIndex', 'i64'], ['ShareAmount', 'i64']];

const FIELDS: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [8, [...ACCOUNT, ['PubKey', 'public key']]],
  [9, ACCOUNT],
  [10, [...ACCOUNT, ['OperatorFee', 'i64'], ['InitialTotalShares', 'i64'], ['MinOperatorShareRate', 'u16']]],
  [
    11,
    [...ACCOUNT, ['PublicPoolIndex', 'i64'], ['Status', 'u8'], ['OperatorFee', 'i64'], ['MinOperatorShareRate', 'u16']],
  ],
  [
    12, // the memo is signed by the Ethereum wallet, not hashed here
    [
      ...FROM_ACCOUNT,
      ['ToAccountIndex', 'i64'],
      ['AssetIndex', 'i16'],
      ['FromRouteType', 'u8'],
      ['ToRouteType', 'u8'],
      ['Amount', 'two words'],
      ['USDCFee', 'two words'],
    ],
  ],
  [13, [...FROM_ACCOUNT, ['AssetIndex', 'i16'], ['RouteType', 'u8'], ['Amount', 'two words']]],
  [14, [...ACCOUNT, ...GROUPED_ORDER_FIELDS]],
  [15, [...ACCOUNT, ['MarketIndex', 'i64'], ['Index', 'i64']]],
  [16, [...ACCOUNT, ['TimeInForce', 'u8'], ['Time', 'i64']]],
  [
    17,
    [
      ...ACCOUNT,
      ['MarketIndex', 'i64'],
      ['Index', 'i64'],
      ['BaseAmount', 'i64'],
      ['Price', 'u32'],
      ['TriggerPrice', 'u32'],
    ],
  ],
  [18, POOL_SHARES],
  [19, POOL_SHARES],
  [20, [...ACCOUNT, ['MarketIndex', 'i64'], ['InitialMarginFraction', 'u16'], ['MarginMode', 'u8']]],
  [28, [...ACCOUNT, ['GroupingType', 'u8'], ['Orders', 'orders']]],
  [29, [...ACCOUNT, ['MarketIndex', 'i64'], ['USDCAmount', 'two words'], ['Direction', 'u8']]],
  [35, STAKING_SHARES],
  [36, STAKING_SHARES],
  [41, [...ACCOUNT, ['AccountTradingMode', 'u8']]],
  [42, [...ACCOUNT, ['AssetIndex', 'i16'], ['AssetMarginMode', 'u8']]],
  [
    45,
    [
      ...ACCOUNT,
      ['IntegratorAccountIndex', 'i64'],
      ['MaxPerpsTakerFee', 'u32'],
      ['MaxPerpsMakerFee', 'u32'],
      ['MaxSpotTakerFee', 'u32'],
      ['MaxSpotMakerFee', 'u32'],
      ['ApprovalExpiry', 'i64'],
    ],
  ],
]);
