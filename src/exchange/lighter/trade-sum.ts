/**
 * How much an order of an account traded, summed over its trades (LP §1.4, `trades`).
 *
 * The order's own record says so better; this is for orders that no list of orders holds any more. All pages are read, or nothing is
 * said (invariant 8).
 */
import { z } from 'zod';
import { addLots, notional, ZERO_LOTS, type Lots, type Notional } from '../../domain/lots';
import type { Read } from '../../domain/records';
import {
  check,
  epochMs,
  exactId,
  idText,
  list,
  MalformedError,
  scaled,
  scaleOf,
  UnknownMarketError,
  type MarketLookup,
} from './parse';

/** Of one side of one order; more than any order of ours is worth reading. */
const PAGES_MAX = 20;

const id = z.number().optional(); // may be beyond 2^53; the text has it exact
const amount = z.string().regex(/^\d+(\.\d+)?$/);
// Keys whose value is zero are left out.
const tradeShape = z.object({
  ...{ trade_id: id, trade_id_str: idText.optional(), market_id: z.number().int().min(0).default(0) },
  ...{ size: amount, usd_amount: amount, timestamp: z.number() },
  ...{ ask_id: id, ask_id_str: idText.optional(), bid_id: id, bid_id_str: idText.optional() },
  ...{ ask_account_id: z.number().default(0), bid_account_id: z.number().default(0) },
});
const pageShape = z.object({ trades: list, next_cursor: z.string().nullish() });

interface Trade {
  readonly tradeId: bigint;
  readonly timeMs: number;
  readonly lots: Lots;
  readonly quote: Notional;
  /** Account and order of both sides. */
  readonly sides: readonly { readonly accountIndex: number; readonly orderIndex: bigint }[];
}

export interface TradePage {
  readonly trades: readonly Trade[];
  /** Why a row could not be read; undefined when all could. A sum needs each of them. */
  readonly unread: string | undefined;
  readonly nextCursor: string | undefined;
}

export function parseTradePage(body: unknown, markets: MarketLookup): TradePage {
  const page = check(pageShape, body, 'trade list');
  const trades: Trade[] = [];
  let unread: string | undefined;
  for (const raw of page.trades) {
    try {
      trades.push(parseTrade(raw, markets));
    } catch (error) {
      if (!(error instanceof MalformedError) || error instanceof UnknownMarketError) throw error; // that one makes the list be read again
      unread = error.message;
    }
  }
  const nextCursor = page.next_cursor ?? '';
  return { trades, unread, nextCursor: nextCursor === '' || page.trades.length === 0 ? undefined : nextCursor };
}

function parseTrade(raw: unknown, markets: MarketLookup): Trade {
  const trade = check(tradeShape, raw, 'trade');
  const { sizeDecimals } = scaleOf(trade.market_id, markets);
  const side = (name: 'ask' | 'bid') => ({
    accountIndex: trade[`${name}_account_id`],
    orderIndex: exactId(trade[`${name}_id_str`], trade[`${name}_id`], `${name}_id`),
  });
  return {
    timeMs: epochMs(trade.timestamp),
    tradeId: exactId(trade.trade_id_str, trade.trade_id, 'trade_id'),
    lots: scaled(trade.size, sizeDecimals, 'size') as Lots,
    quote: scaled(trade.usd_amount, 6, 'usd_amount') as Notional,
    sides: [side('ask'), side('bid')],
  };
}

export async function sumTrades(
  order: { readonly accountIndex: number; readonly orderIndex: bigint; readonly marketId: number },
  readPage: (cursor: string | undefined) => Promise<Read<TradePage>>,
): Promise<Read<{ readonly lots: Lots; readonly quote: Notional }>> {
  const seen = new Set<bigint>();
  let lots = ZERO_LOTS;
  let micros = 0n;
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await readPage(cursor);
    if (!page.ok) return page;
    const { unread } = page.value;
    if (unread !== undefined)
      return { ok: false, reason: `a trade that may be one of order ${order.orderIndex}: ${unread}` };
    for (const trade of page.value.trades) {
      const isOwn = trade.sides.some(
        ({ accountIndex, orderIndex }) => accountIndex === order.accountIndex && orderIndex === order.orderIndex,
      );
      if (!isOwn || seen.has(trade.tradeId)) continue;
      seen.add(trade.tradeId);
      lots = addLots(lots, trade.lots);
      micros += trade.quote;
    }
    cursor = page.value.nextCursor;
    if (cursor === undefined) return { ok: true, value: { lots, quote: notional(micros) } };
  }
  return { ok: false, reason: `the trades of order ${order.orderIndex} are more than ${PAGES_MAX} pages` };
}

/** Whether the list of trades goes back to before `sinceMs` (epoch): only then does it say anything that an order is not in it. */
export async function reachesBack(
  sinceMs: number,
  readPage: (cursor: string | undefined) => Promise<Read<TradePage>>,
): Promise<Read<boolean>> {
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await readPage(cursor);
    if (!page.ok) return page;
    if (page.value.trades.some(({ timeMs }) => timeMs < sinceMs)) return { ok: true, value: true };
    cursor = page.value.nextCursor;
    if (cursor === undefined) break;
  }
  return { ok: true, value: false };
}
