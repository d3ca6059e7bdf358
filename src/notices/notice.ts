/**
 * A notice: what it says, its JSON, and its signature (docs/notices.md is the page for outside readers).
 *
 * Pure: text in, text out. The JSON keeps the eight fields of the original scripts, with their types, so that their consumers
 * still work; ours are added. Amounts are cumulative, never deltas, so a repeated or late notice can do no harm (invariant 7).
 * The signature covers every value and the channel; whoever lacks the key can make nobody trade (S-37).
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { parseOrderId, type OrderId } from '../domain/ids-and-nonces';
import { formatDecimal, lots, parseNotional, QUOTE_DECIMALS, type Lots, type Notional } from '../domain/lots';
import { averagePriceTicks } from '../domain/price';
import { ORDER_STATUSES, type OrderStatus, type Side } from '../domain/records';

/** A's fills, maker process → hedger. */
export const FILLS_CHANNEL = 'hedge:account_a_filled';
/** The hedger's acknowledgement: this much of the maker order is hedged. */
export const HEDGES_CHANNEL = 'hedge:account_b_filled';
export type NoticeChannel = typeof FILLS_CHANNEL | typeof HEDGES_CHANNEL;

/** Ours are about 500 characters; whatever is far longer is not read at all. */
export const NOTICE_CHARS_MAX = 4096;
const KEY_CHARS_MIN = 16;

/** Cumulative executed amount of one order. On the hedges channel account, side and exchange order are B's, the order id is A's. */
export interface Notice {
  readonly accountIndex: number;
  readonly marketId: number;
  /** The exchange's id; 0 when there is no single one (a hedge of several slices). */
  readonly orderIndex: bigint;
  readonly orderId: OrderId;
  readonly side: Side;
  readonly status: OrderStatus;
  readonly filledLots: Lots;
  readonly filledQuote: Notional;
}

/** A notice to send: the market's decimals are needed for the original's fields. */
export interface OutgoingNotice extends Notice {
  readonly sizeDecimals: number;
  readonly priceDecimals: number;
}

/** A notice that was signed by us. */
export interface ReceivedNotice extends Notice {
  readonly sizeDecimals: number;
  readonly sequence: number;
  /** Epoch microseconds of the sender's clock: for latency figures only, never for decisions. */
  readonly sentAtUs: number;
}

export type Decoded =
  | { readonly ok: true; readonly notice: ReceivedNotice }
  | { readonly ok: false; readonly reason: 'malformed' | 'forged' };

/** Holds the key; nothing prints it. */
export class NoticeKey {
  readonly #key: KeyObject;

  constructor(secret: string) {
    if (secret.length < KEY_CHARS_MIN)
      throw new RangeError(`the notice key must have at least ${KEY_CHARS_MIN} characters`);
    this.#key = createSecretKey(secret, 'utf8');
  }

  sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text, 'utf8').digest();
  }
}

export function encodeNotice(input: {
  readonly channel: NoticeChannel;
  readonly notice: OutgoingNotice;
  readonly key: NoticeKey;
  readonly sequence: number;
  readonly sentAtUs: number;
}): string {
  const { notice } = input;
  const body: WireBody = {
    account_index: notice.accountIndex,
    market_index: notice.marketId,
    filled_base_amount: formatDecimal(notice.filledLots, notice.sizeDecimals),
    filled_quote_amount: formatDecimal(notice.filledQuote, QUOTE_DECIMALS),
    avg_price: formatDecimal(averagePriceTicks(notice.filledQuote, notice.filledLots, notice), notice.priceDecimals),
    timestamp: Math.floor(input.sentAtUs / 1_000_000),
    side: notice.side,
    order_id: notice.orderId.toString(),
    order_index_text: notice.orderIndex.toString(),
    status: notice.status,
    filled_lots: notice.filledLots.toString(),
    sequence: input.sequence,
    sent_at_us: input.sentAtUs,
  };
  const hmac = input.key.sign(canonical(input.channel, body)).toString('hex');
  // The original's order_index is a JSON number. It may exceed 2^53 (P-12), so its digits are written as they are.
  return `{"order_index":${notice.orderIndex},${JSON.stringify({ ...body, hmac }).slice(1)}`;
}

/** Reads a notice of `channel`. Never throws: whatever comes over Redis is a value or a rejection (S-33). */
export function decodeNotice(channel: NoticeChannel, text: string, key: NoticeKey): Decoded {
  if (text.length > NOTICE_CHARS_MAX) return malformed;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return malformed;
  }
  const parsed = wireNotice.safeParse(json);
  if (!parsed.success) return malformed;
  const { hmac, order_index, ...body } = parsed.data;
  // JSON.parse has rounded the number; the text is exact and signed. They must be the same id.
  if (order_index !== Number(body.order_index_text)) return malformed;
  if (!timingSafeEqual(key.sign(canonical(channel, body)), Buffer.from(hmac, 'hex')))
    return { ok: false, reason: 'forged' };
  const orderId = parseOrderId(body.order_id);
  if (orderId === undefined) return malformed;
  return {
    ok: true,
    notice: {
      accountIndex: body.account_index,
      marketId: body.market_index,
      orderIndex: BigInt(body.order_index_text),
      orderId,
      side: body.side,
      status: body.status,
      filledLots: lots(BigInt(body.filled_lots)),
      filledQuote: parseNotional(body.filled_quote_amount),
      sizeDecimals: body.filled_base_amount.split('.')[1]?.length ?? 0,
      sequence: body.sequence,
      sentAtUs: body.sent_at_us,
    },
  };
}

const malformed: Decoded = { ok: false, reason: 'malformed' };

const index = z.number().int().nonnegative();
const digits = z.string().regex(/^(0|[1-9]\d{0,29})$/);
const decimal = z.string().regex(/^\d{1,30}(\.\d{1,18})?$/);
const wireNotice = z.object({
  account_index: index,
  market_index: index, // 0 is a market (S-25)
  order_index: z.number().nonnegative(),
  filled_base_amount: decimal,
  filled_quote_amount: z.string().regex(/^\d{1,30}(\.\d{1,6})?$/),
  avg_price: decimal,
  timestamp: index,
  side: z.enum(['buy', 'sell']),
  order_id: digits,
  order_index_text: digits,
  status: z.enum(ORDER_STATUSES),
  filled_lots: digits,
  sequence: index,
  sent_at_us: index,
  hmac: z.string().regex(/^[0-9a-f]{64}$/),
});
type WireBody = Omit<z.infer<typeof wireNotice>, 'hmac' | 'order_index'>;

/**
 * The signed text: a version line, the channel, then one `name=value` line per field, sorted by name. Values are digits, decimals
 * or words without line breaks (the schema sees to it), so two different notices never have one text.
 */
function canonical(channel: NoticeChannel, body: WireBody): string {
  const fields: Readonly<Record<keyof WireBody, string | number>> = body;
  const lines = SIGNED_FIELDS.map((name) => `${name}=${fields[name]}`);
  return ['counterleg-notice-1', channel, ...lines].join('\n');
}

const SIGNED_FIELDS = [
  'account_index',
  'avg_price',
  'filled_base_amount',
  'filled_lots',
  'filled_quote_amount',
  'market_index',
  'order_id',
  'order_index_text',
  'sent_at_us',
  'sequence',
  'side',
  'status',
  'timestamp',
] as const satisfies readonly (keyof WireBody)[];
