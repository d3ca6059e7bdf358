/** `/_paper/market`: stop, start, move and shape the simulated market. */
import type { FastifyInstance } from 'fastify';
import { ControlError, known, marketOf, priceTicksOf, route, scaled } from './control-request';
import type { ControlContext, Fields } from './control-request';
import { formatScaled } from './core/decimal';
import type { Flow, FlowSettings } from './core/flow';
import { settleMarket } from './core/market-rules';
import { marketStatuses } from './core/markets';
import type { MarketSwitches } from './core/markets';
import type { Market } from './core/world';
import { encode } from './wire/json';
import type { Json } from './wire/json';

const fieldNames = [
  'market_id',
  'flow',
  'mid_price',
  'status',
  'is_frozen',
  'force_reduce_only',
  'isolated_only',
  'twin',
  'min_base_amount',
  'flow_rate',
  'volatility',
  'levels',
  'gap_ticks',
  'size_scale',
  'half_spread_ticks',
  'reversion',
] as const;

export function addMarketRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/market', (body) => {
    known(body, fieldNames);
    const market = marketOf(context, body);
    return encode(shape(context, market, flowOf(context, market), body));
  });
  route(app, 'GET', '/_paper/market', (_body, query) => {
    known(query, ['market_id']);
    const { markets } = context.exchange.world;
    const chosen = query['market_id'] === undefined ? [...markets.values()] : [marketOf(context, query)];
    return encode({ markets: chosen.map((market) => describe(market, flowOf(context, market))), fields: fieldNames });
  });
}

/** Name, setting, least and greatest value. What is beyond would stop the exchange rather than shape its market. */
const numbers: readonly (readonly [string, Exclude<keyof FlowSettings, 'flow'>, number, number])[] = [
  ['flow_rate', 'flowRate', 0, 10_000],
  ['volatility', 'volatilityBp', 0, 10_000],
  ['levels', 'levels', 0, 1_000],
  ['gap_ticks', 'gapTicks', 1, 1_000_000],
  ['size_scale', 'sizeScale', 0.000_001, 1_000_000],
  ['half_spread_ticks', 'halfSpreadTicks', 1, 1_000_000],
  ['reversion', 'reversion', 0, 1_000],
];

/** Everything is read before anything is changed: a request with a mistake changes nothing. */
function shape(context: ControlContext, market: Market, flow: Flow, body: Fields): Json {
  const { flow: life, status } = body;
  if (life !== undefined && typeof life !== 'boolean') throw new ControlError('flow must be true or false');
  const wanted = marketStatuses.find((name) => name === status);
  if (status !== undefined && wanted === undefined)
    throw new ControlError(`status must be one of ${marketStatuses.join(', ')}`);
  const switched = switchesOf(body);
  const minBaseLots =
    body['min_base_amount'] === undefined
      ? market.spec.minBaseLots
      : scaled(body, 'min_base_amount', market.spec.sizeDecimals);
  const midTicks = body['mid_price'] === undefined ? undefined : priceTicksOf(body, 'mid_price', market.spec);
  const changed: Partial<Record<Exclude<keyof FlowSettings, 'flow'>, number>> = {};
  let reshaped = false;
  for (const [field, setting, min, max] of numbers) {
    const value = body[field];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw new ControlError(`${field} must be a number between ${min} and ${max}`);
    changed[setting] = value;
    reshaped ||= !['flow_rate', 'volatility', 'reversion'].includes(field);
  }
  Object.assign(flow.settings, changed);
  if (life !== undefined) flow.settings.flow = life ? 'on' : 'off';
  Object.assign(market, switched);
  market.spec.minBaseLots = minBaseLots;
  if (wanted === 'settled' && market.status !== 'settled')
    context.publish(context.exchange.act(context.clock.nowUs(), (world) => settleMarket(world, market)));
  else if (wanted !== undefined) market.status = wanted;
  if (midTicks !== undefined || reshaped) {
    const changes = context.exchange.act(context.clock.nowUs(), (world) => {
      if (reshaped) flow.clear(world);
      if (midTicks === undefined) flow.refill(world);
      else flow.moveTo(world, midTicks);
    });
    context.publish(changes);
  }
  return describe(market, flow);
}

const switches = [
  ['is_frozen', 'isFrozen'],
  ['force_reduce_only', 'forceReduceOnly'],
  ['isolated_only', 'isolatedOnly'],
  ['twin', 'hasTwin'],
] as const;

function switchesOf(body: Fields): Partial<MarketSwitches> {
  const changed: Partial<MarketSwitches> = {};
  for (const [field, name] of switches) {
    const value = body[field];
    if (value === undefined) continue;
    if (typeof value !== 'boolean') throw new ControlError(`${field} must be true or false`);
    changed[name] = value;
  }
  return changed;
}

function describe(market: Market, flow: Flow): Json {
  const price = (ticks: number | undefined): string | null =>
    ticks === undefined ? null : formatScaled(ticks, market.spec.priceDecimals);
  const { settings } = flow;
  return {
    market_id: market.spec.marketId,
    symbol: market.spec.symbol,
    status: market.status,
    ...Object.fromEntries(switches.map(([field, name]) => [field, market[name]])),
    min_base_amount: formatScaled(market.spec.minBaseLots, market.spec.sizeDecimals),
    flow: settings.flow === 'on',
    mid_price: price(flow.midTicks),
    mark_price: price(market.markTicks),
    best_bid: price(market.bids.best()?.priceTicks),
    best_ask: price(market.asks.best()?.priceTicks),
    bid_levels: market.bids.depth,
    ask_levels: market.asks.depth,
    flow_rate: settings.flowRate,
    volatility: settings.volatilityBp,
    levels: settings.levels,
    gap_ticks: settings.gapTicks,
    size_scale: settings.sizeScale,
    half_spread_ticks: settings.halfSpreadTicks,
    reversion: settings.reversion,
  };
}

function flowOf(context: ControlContext, market: Market): Flow {
  const flow = context.simulation.flows.get(market.spec.marketId);
  if (flow === undefined) throw new ControlError(`market ${market.spec.marketId} has no simulated traders`);
  return flow;
}
