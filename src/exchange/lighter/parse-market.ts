/**
 * Lighter's market rows → what may be traded (LP §1.4, orderBooks and orderBookDetails).
 *
 * A market takes our orders only when everything that is said of it is known to allow them: an unknown status, kind or margin mode is no
 * reason to trade.
 */
import { z } from 'zod';
import type { Lots, Notional } from '../../domain/lots';
import type { Market, MarketRules } from '../../domain/records';
import { check, decimalText, epochMs, integer, integerField, list, MalformedError, scaled } from './parse';

/** What older rows leave out stands for what it was then: a perpetual that is not frozen. */
const switches = {
  market_type: z.unknown().optional(),
  status: z.unknown().optional(),
  is_frozen: z.unknown().optional(),
  market_config: z
    .object({ force_reduce_only: z.unknown().optional(), market_margin_mode: z.unknown().optional() })
    .nullish(),
};
const marketShape = z.object({
  ...switches,
  symbol: z.string().min(1),
  market_id: integer.min(0),
  supported_size_decimals: integer.min(0).max(18),
  supported_price_decimals: integer.min(0).max(18),
  min_base_amount: decimalText,
  min_quote_amount: decimalText,
});
const marginShape = z.object({ default_initial_margin_fraction: integer.min(1).max(10_000) });

/**
 * All markets. A row we cannot read is left out and reported: an exotic market must not stop trading in the others. Of several rows with one
 * symbol the one that can be traded comes first, then the one in which a position can be reduced.
 */
export function parseMarkets(body: unknown, onRejected: (error: MalformedError) => void): Market[] {
  const rows = check(z.object({ order_books: list }), body, 'market list').order_books;
  const markets = rows.flatMap((raw) => {
    try {
      return [parseMarket(raw)];
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      onRejected(error);
      return [];
    }
  });
  return markets.sort((a, b) => rankOf(a) - rankOf(b));
}

function rankOf({ obstacle, takesReducing }: Market): number {
  if (obstacle === undefined) return 0;
  return takesReducing === true ? 1 : 2;
}

export function parseMarket(raw: unknown): Market {
  const row = check(marketShape, raw, 'market');
  const obstacle = obstacleOf(row);
  return {
    marketId: row.market_id,
    symbol: row.symbol,
    ...(obstacle === undefined ? {} : { obstacle, ...(obstacle === REDUCE_ONLY ? { takesReducing: true } : {}) }),
    sizeDecimals: row.supported_size_decimals,
    priceDecimals: row.supported_price_decimals,
    minBaseLots: scaled(row.min_base_amount, row.supported_size_decimals, 'min_base_amount') as Lots,
    minQuote: scaled(row.min_quote_amount, 6, 'min_quote_amount') as Notional,
  };
}

/** Of one market, in an answer that names it. */
export function parseMarketDetails(body: unknown, marketId: number): MarketRules & { readonly market: Market } {
  const shape = z.object({ order_book_details: list, spot_order_book_details: list.optional() });
  const details = check(shape, body, 'market details');
  const rows = [...details.order_book_details, ...(details.spot_order_book_details ?? [])];
  const raw = rows.find((one) => integerField(one, 'market_id') === marketId);
  if (raw === undefined) throw new MalformedError(`answer does not hold market ${marketId}`);
  const market = parseMarket(raw);
  const { minBaseLots, minQuote, obstacle, takesReducing } = market;
  const initialMarginBps = check(marginShape, raw, 'market details').default_initial_margin_fraction;
  return {
    ...{ market, minBaseLots, minQuote, initialMarginBps },
    ...(obstacle === undefined ? {} : { obstacle }),
    ...(takesReducing === undefined ? {} : { takesReducing }),
  };
}

const REDUCE_ONLY = 'it takes only orders that reduce a position';

function obstacleOf(row: z.output<z.ZodObject<typeof switches>>): string | undefined {
  const { market_type: kind = 'perp', status, is_frozen: frozen = false, market_config: config } = row;
  if (kind !== 'perp') return `it is no perpetual (${said(kind)})`;
  if (status !== 'active') return `its status is ${said(status)}`;
  if (frozen !== false) return 'it is frozen';
  if ((config?.market_margin_mode ?? 0) !== 0) return 'it takes isolated margin only';
  if ((config?.force_reduce_only ?? false) !== false) return REDUCE_ONLY;
  return undefined;
}

function said(word: unknown): string {
  return typeof word === 'string' ? word.slice(0, 40) : (JSON.stringify(word) ?? 'not told').slice(0, 40);
}

/** What the exchange tells everybody, in prose. */
export interface Announcement {
  readonly title: string;
  readonly content: string;
  readonly createdAtMs: number;
  /** About the end of what is announced. */
  readonly expiredAtMs?: number;
}

const announcementShape = z.object({
  title: z.string().nullish(),
  content: z.string().nullish(),
  created_at: z.number().min(0),
  expired_at: z.number().min(0).nullish(),
});

/** Newest first, as they come. One that cannot be read is reported, and hides no other. */
export function parseAnnouncements(body: unknown, onRejected: (error: MalformedError) => void): Announcement[] {
  return check(z.object({ announcements: list }), body, 'announcements').announcements.flatMap((raw) => {
    try {
      const row = check(announcementShape, raw, 'announcement');
      const expired = row.expired_at ?? 0;
      return [
        {
          ...{ title: row.title ?? '', content: row.content ?? '', createdAtMs: epochMs(row.created_at) },
          ...(expired > 0 ? { expiredAtMs: epochMs(expired) } : {}),
        },
      ];
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      onRejected(error);
      return [];
    }
  });
}
