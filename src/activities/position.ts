/** An account's position in a market together with the price to trade from; unknown when either cannot be read (invariant 8). */
import type { Clock } from '../clock';
import { positionIn, type Market, type Position, type Read } from '../domain/records';
import type { MarketTerms, PositionRead } from '../domain/messages';
import type { AccountPort, ExchangePort, OrderBook } from '../exchange/port';

export async function readPosition(
  deps: { readonly account: AccountPort; readonly exchange: ExchangePort },
  symbol: string,
): Promise<PositionRead> {
  const markets = await deps.exchange.markets();
  if (!markets.ok) return { known: false, reason: `the markets could not be read: ${markets.reason}` };
  const market = markets.value.find((m) => m.symbol === symbol);
  if (!market) return { known: false, reason: `there is no market ${symbol}` };
  const book = deps.exchange.book(market.marketId);
  const mid = book && midOf(book);
  if (mid === undefined) return { known: false, reason: `the order book of ${symbol} is not there yet` };
  const account = await deps.account.account();
  if (!account.ok) return { known: false, reason: `the account could not be read: ${account.reason}` };
  const held = positionIn(account.value, market.marketId);
  if (!held.ok) return { known: false, reason: held.reason };
  return { known: true, lots: (held.value?.lots ?? 0n).toString(), mid_ticks: mid.toString(), market: termsOf(market) };
}

/** Lanes of a pair that quote together are answered by one reading; whoever trades on A unheard is seen by the auditor no sooner. */
const SHARED_MS = 1_000;

export type HeldIn = (marketId: number) => Promise<Read<Position | undefined>>;

/** A's position for quotes: read after the last fill of A that was heard, and after the stream was last away. */
export function positionForQuotes(account: AccountPort, clock: Pick<Clock, 'monotonicMs'>): HeldIn {
  let tradedMs = -Infinity;
  const traded = (): void => void (tradedMs = clock.monotonicMs());
  account.stream.on('orders', ({ orders }) => {
    if (orders.some(({ filledLots }) => filledLots > 0n)) traded();
  });
  account.stream.on('state', traded);
  return async (marketId) => {
    const read = await account.account(Math.max(clock.monotonicMs() - SHARED_MS, tradedMs));
    return read.ok
      ? positionIn(read.value, marketId)
      : { ok: false, reason: `the position could not be read: ${read.reason}` };
  };
}

export function termsOf(market: Market): MarketTerms {
  return {
    market_id: market.marketId,
    symbol: market.symbol,
    size_decimals: market.sizeDecimals,
    price_decimals: market.priceDecimals,
  };
}

function midOf(book: OrderBook): bigint | undefined {
  const bid = book.bids[0]?.priceTicks;
  const ask = book.asks[0]?.priceTicks;
  return bid === undefined || ask === undefined ? undefined : (bid + ask) / 2n;
}
