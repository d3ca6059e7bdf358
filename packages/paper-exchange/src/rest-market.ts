/** Endpoints about the exchange and its markets; none needs a token (LP §1.4). */
import type { FastifyInstance } from 'fastify';
import { refuse } from './core/codes';
import type { BookSide } from './core/book';
import type { Market } from './core/world';
import { addEndpoint, badRequest, integerParam, invalidParam, limitParam } from './rest';
import type { RestAnswer, RestCall, RestContext } from './rest';
import { encode, RawJson } from './wire/json';
import { orderBookDetailsRow, orderBookRow } from './wire/markets';
import { simpleOrderJson, tradeJson, txJson } from './wire/orders';

/** "All markets" in a market_id parameter. */
const allMarkets = 255;
const twinIdBase = 3_000;

export function addMarketEndpoints(app: FastifyInstance, context: RestContext): void {
  const { world } = context.exchange;
  const get = (path: string, endpoint: (call: RestCall) => RestAnswer): void =>
    addEndpoint(app, context, 'GET', path, endpoint);

  get('/', () => encode({ status: 200, network_id: 1, timestamp: Math.floor(context.clock.nowMs() / 1000) }));
  get('/info', () => encode({ contract_address: '0x0000000000000000000000000000000000000000' }));
  get('/api/v1/status', () =>
    encode({ code: 200, status: 200, network_id: 1, timestamp: Math.floor(context.clock.nowMs() / 1000) }),
  );
  get('/api/v1/info', () => encode({ code: 200, contract_address: '0x0000000000000000000000000000000000000000' }));
  get('/api/v1/currentHeight', () => {
    world.setTime(context.clock.nowUs());
    return encode({ code: 200, height: world.blockHeight });
  });

  get('/api/v1/orderBooks', (call) => {
    const markets = chosenMarkets(context, call);
    return 'refused' in markets
      ? markets.refused
      : encode({
          code: 200,
          order_books: markets.flatMap((market) => [...twinOf(market, call), orderBookRow(market)]),
        });
  });
  get('/api/v1/orderBookDetails', (call) => {
    const markets = chosenMarkets(context, call);
    return 'refused' in markets
      ? markets.refused
      : encode({
          code: 200,
          order_book_details: markets.map((market) => orderBookDetailsRow(market)),
          spot_order_book_details: [],
        });
  });
  get('/api/v1/orderBookOrders', (call) => {
    const limit = limitParam(call, 250);
    const market = namedMarket(context, call);
    if (limit === undefined || market === undefined) return invalidParam();
    const asks = topOrders(market, market.asks, limit);
    const bids = topOrders(market, market.bids, limit);
    return (
      `{"code":200,"total_asks":${asks.length},"asks":[${asks.join(',')}],` +
      `"total_bids":${bids.length},"bids":[${bids.join(',')}]}`
    );
  });
  get('/api/v1/recentTrades', (call) => {
    const limit = limitParam(call, 100);
    const market = namedMarket(context, call);
    if (limit === undefined || market === undefined) return invalidParam();
    const rows = market.trades.slice(-limit).reverse();
    return encode({ code: 200, trades: rows.map((trade) => new RawJson(tradeJson(market.spec, trade, 'public'))) });
  });
  get('/api/v1/tx', (call) => {
    const value = call.query.get('value');
    const by = call.query.get('by');
    if (value === undefined || (by !== 'hash' && by !== 'sequence_index')) return invalidParam();
    const record =
      by === 'hash'
        ? context.exchange.txByHash.get(value.toLowerCase())
        : context.exchange.findBySequence(Number(value));
    return record === undefined ? badRequest(refuse(21500)) : txJson(record, 'enriched');
  });
}

/** In the list of all only: a market that was taken down once and has the symbol still. */
function twinOf(market: Market, call: RestCall): ReturnType<typeof orderBookRow>[] {
  if (!market.hasTwin || (call.query.get('market_id') ?? '255') !== '255') return [];
  return [{ ...orderBookRow(market), market_id: twinIdBase + market.spec.marketId, status: 'inactive' }];
}

/** `market_id` 255 (default) lists all; undefined for a market that does not exist. */
export function chosenMarkets(
  context: RestContext,
  call: RestCall,
): readonly Market[] | { readonly refused: RestAnswer } {
  const { markets } = context.exchange.world;
  const filter = call.query.get('filter') ?? 'all';
  const marketId = call.query.has('market_id') ? integerParam(call, 'market_id') : allMarkets;
  if (!['all', 'perp', 'spot'].includes(filter) || marketId === undefined) return { refused: invalidParam() };
  if (filter === 'spot') return [];
  if (marketId === allMarkets) return [...markets.values()];
  const market = markets.get(marketId);
  return market === undefined ? { refused: badRequest(refuse(21602)) } : [market];
}

export function namedMarket(context: RestContext, call: RestCall): Market | undefined {
  return context.exchange.world.markets.get(integerParam(call, 'market_id') ?? -1);
}

/** Order by order, best price first, oldest first within a price (LP §1.4 orderBookOrders). */
function topOrders(market: Market, side: BookSide, limit: number): readonly string[] {
  const rows: string[] = [];
  for (const level of side.levels()) {
    for (let order = level.head; order !== undefined; order = order.next) {
      if (rows.length >= limit) return rows;
      rows.push(simpleOrderJson(market.spec, order));
    }
  }
  return rows;
}
