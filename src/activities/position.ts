/** An account's position in a market together with the price to trade from; unknown when either cannot be read (invariant 8). */
import { positionIn, type Market } from '../domain/records';
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
