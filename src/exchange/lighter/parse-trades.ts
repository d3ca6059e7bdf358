/**
 * Frames of `account_all_trades` → which orders of an account traded, and when (LP §5.6). How much is read only where no record of the
 * orders can be had, on the other account's side; else amounts come from records (invariant 7). Throws `MalformedError` for what it
 * cannot read.
 */
import { z } from 'zod';
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import { lots, ticks, type Lots, type Notional } from '../../domain/lots';
import { quoteOf } from '../../domain/price';
import type { Side } from '../../domain/records';
import {
  check,
  decimalText,
  epochMs,
  exactId,
  idText,
  list,
  rowsByMarket,
  scaled,
  scaleOf,
  type MarketLookup,
} from './parse';

export interface OwnTrade {
  readonly orderIndex: bigint;
  readonly clientOrderIndex: ClientOrderIndex;
  readonly transactionTimeUs: number;
  readonly side: Side;
}

const id = z.number().optional(); // may be beyond 2^53; the text has it exact
// Keys whose value is zero are left out.
const tradeShape = z.object({
  ...{ ask_id: id, ask_id_str: idText.optional(), bid_id: id, bid_id_str: idText.optional() },
  ...{ ask_client_id: id.default(0), ask_client_id_str: idText.optional() },
  ...{ bid_client_id: id.default(0), bid_client_id_str: idText.optional() },
  ...{ ask_account_id: z.number().default(0), bid_account_id: z.number().default(0) },
  ...{ timestamp: z.number(), transaction_time: z.number().optional() },
});
const tradesFrameShape = z.object({ trades: z.union([list, z.record(z.string(), z.unknown())]) });

/** One side of one trade. */
export interface TradedAmount extends Pick<OwnTrade, 'clientOrderIndex' | 'transactionTimeUs'> {
  /** The same for the same side of the same trade only. */
  readonly tradeKey: string;
  readonly marketId: number;
  readonly side: Side;
  readonly tradedLots: Lots;
  readonly tradedQuote: Notional;
}

const amountShape = z.object({
  ...{ trade_id: id, trade_id_str: idText.optional(), market_id: z.number().int().nonnegative().default(0) },
  ...{ size: decimalText, price: decimalText },
});

/** The account's sides of a trade with their amounts; as `parseOwnTrades` otherwise. */
export function parseTradedAmounts(raw: unknown, accountIndex: number, markets: MarketLookup): TradedAmount[] {
  const own = parseOwnTrades(raw, accountIndex);
  if (own.length === 0) return [];
  const trade = check(amountShape, raw, 'trade');
  const marketId = trade.market_id;
  const scale = scaleOf(marketId, markets);
  const tradedLots = lots(scaled(trade.size, scale.sizeDecimals, 'size'));
  const tradedQuote = quoteOf(tradedLots, ticks(scaled(trade.price, scale.priceDecimals, 'price')), scale);
  const tradeId = exactId(trade.trade_id_str, trade.trade_id, 'trade_id');
  return own.map(({ clientOrderIndex, transactionTimeUs, side }) => {
    const tradeKey = `${marketId} ${tradeId} ${side}`;
    return { tradeKey, clientOrderIndex, transactionTimeUs, marketId, side, tradedLots, tradedQuote };
  });
}

/** The raw trades of a frame: a map by market id, a list, or null when there are none. */
export function rawTradesOf(frame: unknown): unknown[] {
  const { trades } = check(tradesFrameShape, frame, 'trades frame');
  return Array.isArray(trades) ? trades : rowsByMarket(trades);
}

/** The account's sides of a trade: one as a rule, both when it traded with itself. Orders without a client index are left out. */
export function parseOwnTrades(raw: unknown, accountIndex: number): OwnTrade[] {
  const trade = check(tradeShape, raw, 'trade');
  const transactionTimeUs = trade.transaction_time ?? epochMs(trade.timestamp) * 1000;
  const own: OwnTrade[] = [];
  for (const side of ['ask', 'bid'] as const) {
    if (trade[`${side}_account_id`] !== accountIndex) continue;
    const clientOrderIndex = exactId(trade[`${side}_client_id_str`], trade[`${side}_client_id`], `${side}_client_id`);
    if (clientOrderIndex === 0n) continue;
    const orderIndex = exactId(trade[`${side}_id_str`], trade[`${side}_id`], `${side}_id`);
    own.push({
      orderIndex,
      clientOrderIndex: clientOrderIndex as ClientOrderIndex,
      transactionTimeUs,
      side: side === 'ask' ? 'sell' : 'buy',
    });
  }
  return own;
}
