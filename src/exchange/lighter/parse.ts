/**
 * Lighter's order, market, account and book payloads → our records.
 *
 * Owns the field knowledge of LP §1.4, §5.5, §5.6. Every function throws `MalformedError` for what it cannot read exactly, and
 * never guesses: ids beyond 2^53 come from their string twins, amounts from fixed-decimal text, and what is filled only from
 * `filled_base_amount`. Callers turn the error into a failed read or a rejected record.
 */
import { z } from 'zod';
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import { parseDecimal, type Lots, type Notional, type Ticks } from '../../domain/lots';
import { ORDER_STATUSES, type Market, type OrderRecord, type OrderStatus } from '../../domain/records';

/** The payload is not what LP describes. The message names field and rule, never the whole payload. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** Scale of a market, by id; undefined for a market we have not heard of. */
export type MarketLookup = (marketId: number) => Pick<Market, 'sizeDecimals' | 'priceDecimals'> | undefined;

/** An order or level of a market that is not in our list yet: the caller may refresh the list and try again. */
export class UnknownMarketError extends MalformedError {
  constructor(readonly marketId: number) {
    super(`market ${marketId} is not in the market list`);
  }
}

const CLIENT_INDEX_LIMIT = 1n << 48n;
const STATUS_WORD_MAX = 40;
export const integer = z.number().int();
export const decimalText = z.string().regex(/^\d+(\.\d+)?$/);
export const signedDecimalText = z.string().regex(/^-?\d+(\.\d+)?$/);
export const idText = z.string().regex(/^\d{1,20}$/);

/** Lists may come as null when empty (LP §1.2); absent is malformed, because absent is not empty (invariant 8). */
export const list = z.union([z.array(z.unknown()), z.null()]).transform((value) => value ?? []);

const orderShape = z.object({
  order_index: z.number().optional(), // not `int`: zod would reject what is beyond 2^53, and the twin has it exact
  order_id: idText.optional(),
  client_order_index: integer.optional(),
  client_order_id: idText.optional(),
  market_index: integer.min(0),
  owner_account_index: integer.min(0),
  initial_base_amount: decimalText,
  filled_base_amount: decimalText,
  filled_quote_amount: decimalText,
  price: decimalText,
  is_ask: z.boolean(),
  status: z.unknown().optional(),
  transaction_time: integer.min(0).nullish(),
});

/** `ended`: the list that it is in holds only orders that have ended. */
export function parseOrder(raw: unknown, markets: MarketLookup, ended = false): OrderRecord {
  const order = check(orderShape, raw, 'order');
  const market = scaleOf(order.market_index, markets);
  const clientOrderIndex = exactId(order.client_order_id, order.client_order_index, 'client_order_id');
  if (clientOrderIndex >= CLIENT_INDEX_LIMIT) throw new MalformedError('client_order_id has more than 48 bits');
  const initialLots = scaled(order.initial_base_amount, market.sizeDecimals, 'initial_base_amount') as Lots;
  const filledLots = scaled(order.filled_base_amount, market.sizeDecimals, 'filled_base_amount') as Lots;
  return {
    accountIndex: order.owner_account_index,
    marketId: order.market_index,
    orderIndex: exactId(order.order_id, order.order_index, 'order_id'),
    clientOrderIndex: clientOrderIndex as ClientOrderIndex,
    side: order.is_ask ? 'sell' : 'buy',
    ...statusOf(order.status, { isFull: filledLots > 0n && filledLots === initialLots, ended }),
    initialLots,
    filledLots,
    filledQuote: scaled(order.filled_quote_amount, 6, 'filled_quote_amount') as Notional,
    priceTicks: scaled(order.price, market.priceDecimals, 'price') as Ticks,
    transactionTimeUs: order.transaction_time ?? 0,
  };
}

/**
 * A word that is not in our list takes nothing from the amount beside it. It ends no order by itself: that the whole amount is filled does, and
 * that the exchange lists it among those that have ended.
 */
function statusOf(
  said: unknown,
  { isFull, ended }: { readonly isFull: boolean; readonly ended: boolean },
): Pick<OrderRecord, 'status' | 'statusWord'> {
  const known: OrderStatus | undefined = ORDER_STATUSES.find((status) => status === said && status !== 'unknown');
  if (known !== undefined) return { status: known };
  const statusWord = (typeof said === 'string' ? said : (JSON.stringify(said) ?? 'none')).slice(0, STATUS_WORD_MAX);
  return { status: isFull ? 'filled' : ended ? 'canceled' : 'unknown', statusWord };
}

/** A row that cannot be read. Its client order index, if that much can be read, tells whose order it is not. */
export interface UnreadOrderRow {
  readonly error: MalformedError;
  readonly clientOrderIndex: bigint | undefined;
}

/**
 * The orders of a REST list, row by row. A list without an unread row would read as "not there": whoever concludes from absence
 * must look at `unread` first.
 */
export function parseOrderRows(
  body: unknown,
  expected: { readonly accountIndex: number; readonly markets: MarketLookup; readonly ended?: boolean },
): ReadOrders {
  return readOrders(check(z.object({ orders: list }), body, 'order list').orders, expected);
}

/** Of a list or a frame, row by row. */
export interface ReadOrders {
  readonly orders: OrderRecord[];
  readonly unread: UnreadOrderRow[];
}

export function readOrders(
  raws: readonly unknown[],
  expected: { readonly accountIndex: number; readonly markets: MarketLookup; readonly ended?: boolean },
): ReadOrders {
  const orders: OrderRecord[] = [];
  const unread: UnreadOrderRow[] = [];
  for (const raw of raws) {
    try {
      const order = parseOrder(raw, expected.markets, expected.ended);
      if (order.accountIndex !== expected.accountIndex) throw new MalformedError('order of another account');
      orders.push(order);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      unread.push({ error, clientOrderIndex: readableIndex(raw) });
    }
  }
  return { orders, unread };
}

function readableIndex(raw: unknown): bigint | undefined {
  const ids = z.object({ client_order_id: idText.optional(), client_order_index: integer.optional() }).safeParse(raw);
  if (!ids.success || (ids.data.client_order_id ?? ids.data.client_order_index) === undefined) return undefined;
  try {
    return exactId(ids.data.client_order_id, ids.data.client_order_index, 'client_order_id');
  } catch {
    return undefined;
  }
}

const ordersFrameShape = z.object({ orders: z.union([z.record(z.string(), z.unknown()), z.null()]) });

/** The raw orders of an `account_all_orders` frame: a map by market id, `{}` or null when there are none. */
export function rawOrdersOf(frame: unknown): unknown[] {
  return rowsByMarket(check(ordersFrameShape, frame, 'orders frame').orders);
}

/** What is no list of rows counts as one row, which cannot be read then: one market's must not hide the others'. */
export function rowsByMarket(byMarket: Readonly<Record<string, unknown>> | null): unknown[] {
  return Object.values(byMarket ?? {}).flatMap((rows) => rows ?? []);
}

/** To find the row that is meant, whatever is wrong with the rest of it or with other rows. */
export function integerField(raw: unknown, key: string): number | undefined {
  const value: unknown = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>)[key] : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export const levelShape = z.object({ price: decimalText, size: decimalText });

/** `nonce` of a `nextNonce` answer. */
export function parseNextNonce(body: unknown): bigint {
  return BigInt(check(z.object({ nonce: integer.min(0) }), body, 'nextNonce').nonce);
}

/** `api_keys` of an `apikeys` answer: the public key of each slot that was ever used; undefined where none is registered now. */
export function parseKeySlots(body: unknown): ReadonlyMap<number, string | undefined> {
  const row = z.object({ api_key_index: integer.min(0), public_key: z.string().regex(/^(0x)?[0-9a-fA-F]{80}$/) });
  const { api_keys: rows } = check(z.object({ api_keys: z.array(row).nullish() }), body, 'apikeys');
  return new Map(
    (rows ?? []).map(({ api_key_index: lane, public_key: text }) => {
      const publicKey = text.replace(/^0x/, '').toLowerCase();
      return [lane, /^0+$/.test(publicKey) ? undefined : publicKey];
    }),
  );
}

/** `api_key_indexes` of a `getMakerOnlyApiKeys` answer. */
export function parseKeyIndexes(body: unknown): readonly number[] {
  const shape = z.object({ api_key_indexes: z.array(integer.min(0)).nullish() });
  return check(shape, body, 'getMakerOnlyApiKeys').api_key_indexes ?? [];
}

/** zod as a check that throws our error, naming the first offending field only. */
export function check<T extends z.ZodType>(shape: T, raw: unknown, what: string): z.output<T> {
  const result = shape.safeParse(raw);
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw new MalformedError(`${what}: ${first?.path.map(String).join('.') ?? ''} ${first?.message ?? 'is malformed'}`);
}

/** Exact text of a fixed-decimal amount as a scaled integer; more digits than the scale are rejected, never rounded. */
export function scaled(text: string, decimals: number, what: string): bigint {
  try {
    return parseDecimal(text, decimals);
  } catch {
    throw new MalformedError(`${what} is not exact at ${decimals} decimals`);
  }
}

export function scaleOf(marketId: number, markets: MarketLookup): NonNullable<ReturnType<MarketLookup>> {
  const market = markets(marketId);
  if (market === undefined) throw new UnknownMarketError(marketId);
  return market;
}

/** The string twin when there is one; the number only while it is exact (LP §1.2, P-12). */
export function exactId(text: string | undefined, value: number | undefined, what: string): bigint {
  if (text !== undefined) return BigInt(text);
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw new MalformedError(`${what} is missing and its number is not exact`);
}

/** Milliseconds of an epoch that comes in seconds, milliseconds or microseconds (LP §9: all three in one object). */
export function epochMs(value: number): number {
  if (value < 1e11) return value * 1000;
  return value < 1e14 ? value : Math.floor(value / 1000);
}

/** Of an integer member in a JSON text: JSON.parse rounds what is beyond 2^53. The first of that name. */
export function exactInteger(text: string, key: string): bigint | undefined {
  const digits = new RegExp(`"${key}"\\s*:\\s*(-?\\d{1,20})(?!\\d)`).exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
