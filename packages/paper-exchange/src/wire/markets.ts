/** Books, tickers and market statistics as the exchange writes them (LP §1.4 orderBooks, §5.5). */
import { formatMicro, formatScaled } from '../core/decimal';
import type { Candle } from '../core/candles';
import type { BookSide } from '../core/book';
import type { MarketSpec } from '../core/types';
import type { Market } from '../core/world';
import { encode } from './json';
import type { Json } from './json';

const openInterestLimit = '72057594037927936.000000';
/** Funding timestamps lie a few milliseconds past the hour (LP §5.5). */
const fundingDelayMs = 3;

export function orderBookRow(market: Market): Record<string, Json> {
  const { spec } = market;
  return {
    symbol: spec.symbol,
    market_id: spec.marketId,
    market_type: 'perp',
    base_asset_id: 0,
    quote_asset_id: 0,
    status: market.status,
    taker_fee: '0.0000',
    is_taker_fee_enabled: true,
    maker_fee: '0.0000',
    is_maker_fee_enabled: true,
    liquidation_fee: '1.0000',
    min_base_amount: formatScaled(spec.minBaseLots, spec.sizeDecimals),
    min_quote_amount: formatMicro(spec.minQuoteMicro),
    order_quote_limit: '281474976.710655',
    supported_size_decimals: spec.sizeDecimals,
    supported_price_decimals: spec.priceDecimals,
    supported_quote_decimals: 6,
    created_at: '1737098461100',
    multiplier: '1.000000000000000000',
    start_timestamp: 0,
    end_timestamp: 0,
    open_interest: formatScaled(market.openInterestLots, spec.sizeDecimals),
    open_interest_limit: openInterestLimit,
    open_interest_usd: formatMicro(2 * market.openInterestLots * market.markTicks),
    outcome: 0,
    operator_account_index: 1,
    settlement_cap: 0,
    settlement_type: 0,
    settlement_price: 0,
    default_price: 0,
    is_frozen: market.isFrozen,
    market_deployer: 'lighter',
  };
}

export function orderBookDetailsRow(market: Market): Record<string, Json> {
  const { spec, daily } = market;
  const price = (ticks: number): string => formatScaled(ticks, spec.priceDecimals);
  const number = (ticks: number): number => Number(price(ticks));
  return {
    ...orderBookRow(market),
    size_decimals: spec.sizeDecimals,
    price_decimals: spec.priceDecimals,
    quote_multiplier: 1,
    default_initial_margin_fraction: spec.defaultMarginFraction,
    min_initial_margin_fraction: spec.minMarginFraction,
    maintenance_margin_fraction: spec.maintenanceMarginFraction,
    closeout_margin_fraction: spec.closeoutMarginFraction,
    mark_price: price(market.markTicks),
    index_price: price(market.markTicks),
    last_trade_price: number(market.lastTradeTicks),
    daily_trades_count: daily.trades,
    daily_base_token_volume: baseOf(spec, daily.baseLots),
    daily_quote_token_volume: daily.quoteMicro / 1e6,
    daily_price_low: number(daily.lowTicks),
    daily_price_high: number(daily.highTicks),
    daily_price_change: changeOf(market),
    open_interest: baseOf(spec, market.openInterestLots),
    daily_chart: {},
    market_config: {
      market_margin_mode: market.isolatedOnly ? 1 : 0,
      insurance_fund_account_index: 281_474_976_710_655,
      liquidation_mode: 0,
      force_reduce_only: market.forceReduceOnly,
      trading_hours: '',
      funding_fee_discounts_enabled: false,
      hidden: false,
      rfq_enabled: true,
    },
    strategy_index: 2,
    market_flags: 0,
    funding_premium_multiplier: 100,
    funding_clamp_small: '0.0500',
    funding_clamp_big: '4.0000',
    base_interest_rate: '0.0100',
  };
}

export function marketStatsJson(market: Market, nowMs: number): string {
  const { spec, daily } = market;
  const price = (ticks: number): string => formatScaled(ticks, spec.priceDecimals);
  const bid = market.bids.best()?.priceTicks ?? market.markTicks;
  const ask = market.asks.best()?.priceTicks ?? market.markTicks;
  const hourMs = 3_600_000;
  return encode({
    symbol: spec.symbol,
    market_id: spec.marketId,
    index_price: price(market.markTicks),
    mark_price: price(market.markTicks),
    mid_price: price(Math.round((bid + ask) / 2)),
    best_ask_price: price(ask),
    best_bid_price: price(bid),
    open_interest: formatMicro(market.openInterestLots * market.markTicks),
    open_interest_limit: openInterestLimit,
    open_interest_usd: formatMicro(2 * market.openInterestLots * market.markTicks),
    funding_clamp_small: '0.0500',
    funding_clamp_big: '4.0000',
    last_trade_price: price(market.lastTradeTicks),
    current_funding_rate: '0.0012',
    funding_rate: '0.0012',
    funding_timestamp: Math.floor(nowMs / hourMs) * hourMs + fundingDelayMs,
    base_interest_rate: '0.0100',
    daily_base_token_volume: baseOf(spec, daily.baseLots),
    daily_quote_token_volume: daily.quoteMicro / 1e6,
    daily_price_low: Number(price(daily.lowTicks)),
    daily_price_high: Number(price(daily.highTicks)),
    daily_price_change: changeOf(market),
    premium: '0.0000',
  });
}

/** Prices are JSON numbers here (LP §1.4 candles). Mark-price candles count samples instead of volume. */
export function candleJson(spec: MarketSpec, candle: Candle, kind: 'trades' | 'mark'): string {
  const price = (ticks: number): number => Number(formatScaled(ticks, spec.priceDecimals));
  const { startMs, openTicks, highTicks, lowTicks, closeTicks } = candle;
  const [o, h, l, c] = [price(openTicks), price(highTicks), price(lowTicks), price(closeTicks)];
  const head = { t: startMs, o, h, l, c };
  if (kind === 'mark') return encode({ ...head, sc: 1 });
  return encode({ ...head, v: baseOf(spec, candle.lots), V: candle.quoteMicro / 1e6, i: candle.lastTradeId });
}

export function tickerJson(market: Market): string {
  return encode({
    s: market.spec.symbol,
    a: bestJson(market.spec, market.asks),
    b: bestJson(market.spec, market.bids),
    last_updated_at: market.changedAtUs,
  });
}

export function levelJson(spec: MarketSpec, priceTicks: number, lots: number): string {
  return `{"price":"${formatScaled(priceTicks, spec.priceDecimals)}","size":"${formatScaled(lots, spec.sizeDecimals)}"}`;
}

export function levelsJson(spec: MarketSpec, side: BookSide): string {
  const parts: string[] = [];
  for (const level of side.levels()) parts.push(levelJson(spec, level.priceTicks, level.lots));
  return `[${parts.join(',')}]`;
}

/** An empty side is `""` on both fields (LP §5.5). */
function bestJson(spec: MarketSpec, side: BookSide): Json {
  const best = side.best();
  if (best === undefined) return { price: '', size: '' };
  return { price: formatScaled(best.priceTicks, spec.priceDecimals), size: formatScaled(best.lots, spec.sizeDecimals) };
}

function baseOf(spec: MarketSpec, lots: number): number {
  return Number(formatScaled(lots, spec.sizeDecimals));
}

function changeOf(market: Market): number {
  const { startTicks } = market.spec;
  return Number(((100 * (market.lastTradeTicks - startTicks)) / startTicks).toFixed(4));
}
