/** Candles, funding and the histories of things that do not happen here (LP §1.4 "Others used by clients"). */
import type { FastifyInstance } from 'fastify';
import { resolutionsMs } from './core/candles';
import { refuse } from './core/codes';
import { addEndpoint, authorize, badRequest, integerParam, invalidParam, limitParam } from './rest';
import type { RestAnswer, RestCall, RestContext } from './rest';
import { namedMarket } from './rest-market';
import { addMoneyEndpoints } from './rest-money';
import { encode, RawJson } from './wire/json';
import type { Json } from './wire/json';
import { candleJson } from './wire/markets';
import { txJson } from './wire/orders';

const candlesMax = 500;
const hourMs = 3_600_000;
/** What is quoted, and charged when that is switched on (docs/paper-exchange.md). */
const quotedFunding = { perHour: '0.0012', fraction: 0.000_012 } as const;

export function addHistoryEndpoints(app: FastifyInstance, context: RestContext): void {
  const get = (path: string, endpoint: (call: RestCall) => RestAnswer): void =>
    addEndpoint(app, context, 'GET', `/api/v1/${path}`, endpoint);
  addMoneyEndpoints(app, context);
  get('candles', (call) => candles(context, call, 'trades'));
  get('markPriceCandles', (call) => candles(context, call, 'mark'));
  get('funding-rates', () => fundingRates(context));
  get('fundings', (call) => fundings(context, call));
  get('txs', (call) => recentTxs(context, call));
  // Nothing of these kinds ever happens here: always empty, never wrong.
  emptyList(context, get, 'pnl', { resolution: '1h', pnl: [] });
  emptyList(context, get, 'liquidations', { liquidations: [] });
  emptyList(context, get, 'tokens', { api_tokens: [] });
}

function emptyList(
  context: RestContext,
  get: (path: string, endpoint: (call: RestCall) => RestAnswer) => void,
  path: string,
  body: Readonly<Record<string, Json>>,
): void {
  get(path, (call) => {
    const allowed = authorize(context, call, integerParam(call, 'account_index') ?? integerParam(call, 'value'));
    return 'denied' in allowed ? allowed.denied : encode({ code: 200, ...body });
  });
}

function candles(context: RestContext, call: RestCall, kind: 'trades' | 'mark'): RestAnswer {
  const market = namedMarket(context, call);
  const resolution = call.query.get('resolution') ?? '';
  const lengthMs = resolutionsMs[resolution];
  const fromMs = integerParam(call, 'start_timestamp');
  const untilMs = integerParam(call, 'end_timestamp');
  const countBack = integerParam(call, 'count_back');
  if (market === undefined || fromMs === undefined || untilMs === undefined || countBack === undefined)
    return invalidParam();
  if (lengthMs === undefined) return badRequest(refuse(22401));
  const series = kind === 'trades' ? market.candles : market.markCandles;
  const count = countBack > 0 ? Math.min(countBack, candlesMax) : candlesMax;
  const rows = series.read(lengthMs, fromMs, untilMs, count);
  return encode({
    code: 200,
    r: resolution,
    c: rows.map((candle) => new RawJson(candleJson(market.spec, candle, kind))),
  });
}

function fundingRates(context: RestContext): RestAnswer {
  const rows = [...context.exchange.world.markets.values()].flatMap(({ spec }) =>
    ['binance', 'bybit', 'hyperliquid', 'lighter'].map((exchange) => ({
      market_id: spec.marketId,
      exchange,
      symbol: spec.symbol,
      rate: quotedFunding.fraction,
    })),
  );
  return encode({ code: 200, funding_rates: rows });
}

function fundings(context: RestContext, call: RestCall): RestAnswer {
  const market = namedMarket(context, call);
  const resolution = call.query.get('resolution') ?? '';
  const fromMs = integerParam(call, 'start_timestamp');
  const untilMs = integerParam(call, 'end_timestamp');
  const countBack = integerParam(call, 'count_back');
  if (market === undefined || fromMs === undefined || untilMs === undefined || countBack === undefined)
    return invalidParam();
  const lengthMs = resolution === '1h' ? hourMs : resolution === '1d' ? 24 * hourMs : undefined;
  if (lengthMs === undefined) return badRequest(refuse(22401));
  const rows: Json[] = [];
  const endMs = Math.min(untilMs, context.clock.nowMs());
  for (
    let atMs = Math.floor(endMs / lengthMs) * lengthMs;
    atMs >= fromMs && rows.length < Math.min(countBack, candlesMax);
  ) {
    rows.unshift({ timestamp: atMs / 1000, value: '0.00000000', rate: quotedFunding.perHour, direction: 'long' });
    atMs -= lengthMs;
  }
  return encode({ code: 200, resolution, fundings: rows });
}

/** All accounts' executed transactions, newest first. */
function recentTxs(context: RestContext, call: RestCall): RestAnswer {
  const limit = limitParam(call, 100);
  if (limit === undefined) return invalidParam();
  const before = integerParam(call, 'index') ?? 0;
  const rows = [...context.exchange.txByHash.values()]
    .filter((record) => record.state === 'executed' && (before <= 0 || record.sequence < before))
    .slice(-limit)
    .reverse();
  return `{"code":200,"txs":[${rows.map((record) => txJson(record, 'listed')).join(',')}]}`;
}
