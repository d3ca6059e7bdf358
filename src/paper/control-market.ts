/** `/_paper/market`: stop, start, move and shape the simulated market. */
import type { FastifyInstance } from 'fastify';
import { ControlError, known, marketOf, route, scaled } from './control';
import type { ControlContext, Fields } from './control';
import { formatScaled } from './core/decimal';
import type { Flow, FlowSettings } from './core/flow';
import type { Market } from './core/world';
import { encode } from './wire/json';
import type { Json } from './wire/json';

const fieldNames = [
  'market_id',
  'flow',
  'mid_price',
  'status',
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

function shape(context: ControlContext, market: Market, flow: Flow, body: Fields): Json {
  const { settings } = flow;
  if (body['flow'] !== undefined) {
    if (typeof body['flow'] !== 'boolean') throw new ControlError('flow must be true or false');
    settings.flow = body['flow'] ? 'on' : 'off';
  }
  const numbers: readonly (readonly [string, Exclude<keyof FlowSettings, 'flow'>, number])[] = [
    ['flow_rate', 'flowRate', 0],
    ['volatility', 'volatilityBp', 0],
    ['levels', 'levels', 0],
    ['gap_ticks', 'gapTicks', 1],
    ['size_scale', 'sizeScale', 0.000_001],
    ['half_spread_ticks', 'halfSpreadTicks', 1],
    ['reversion', 'reversion', 0],
  ];
  let reshaped = false;
  for (const [field, setting, min] of numbers) {
    const value = body[field];
    if (value === undefined) continue;
    const number = Number(value);
    if (!Number.isFinite(number) || number < min)
      throw new ControlError(`${field} must be a number of at least ${min}`);
    settings[setting] = number;
    reshaped ||= !['flow_rate', 'volatility', 'reversion'].includes(field);
  }
  if (body['status'] !== undefined) {
    if (body['status'] !== 'active' && body['status'] !== 'inactive')
      throw new ControlError('status must be active or inactive');
    market.status = body['status'];
  }
  const midTicks = body['mid_price'] === undefined ? undefined : scaled(body, 'mid_price', market.spec.priceDecimals);
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

function describe(market: Market, flow: Flow): Json {
  const price = (ticks: number | undefined): string | null =>
    ticks === undefined ? null : formatScaled(ticks, market.spec.priceDecimals);
  const { settings } = flow;
  return {
    market_id: market.spec.marketId,
    symbol: market.spec.symbol,
    status: market.status,
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
