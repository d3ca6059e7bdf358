/** `/_paper/orders`: orders of other traders. */
import type { FastifyInstance } from 'fastify';
import {
  accountOf,
  ControlError,
  fieldsOf,
  integer,
  known,
  marketOf,
  priceTicksMax,
  priceTicksOf,
  route,
  scaled,
} from './control-request';
import type { ControlContext, Fields } from './control-request';
import type { Exchange } from './core/exchange';
import type { MarketSpec, OrderRequest } from './core/types';
import { encode } from './wire/json';
import type { Json } from './wire/json';

const clientIndexMax = 2 ** 48 - 1;
const orderKinds = ['limit', 'market', 'ioc', 'post-only'] as const;

export function addOrderRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/orders', (body, _query, raw) =>
    encode(Array.isArray(raw) ? raw.map((one) => placeOrder(context, fieldsOf(one))) : placeOrder(context, body)),
  );
}

/** Acts as another trader. Without account_index: a simulated one with endless means. */
function placeOrder(context: ControlContext, body: Fields): Json {
  known(body, ['market_id', 'account_index', 'is_ask', 'base_amount', 'price', 'type', 'client_order_index']);
  const market = marketOf(context, body);
  const account =
    body['account_index'] === undefined ? context.simulation.other : accountOf(context, integer(body, 'account_index'));
  const request = requestOf(market.spec, body, context.clock.nowMs());
  let outcome: ReturnType<Exchange['place']> = '';
  const changes = context.exchange.act(context.clock.nowUs(), () => {
    outcome = context.exchange.place(account, request);
  });
  const { trades } = changes;
  context.publish(changes);
  if (typeof outcome !== 'string') throw new ControlError(`refused: ${(outcome as { message: string }).message}`);
  const lots = trades.reduce((sum, trade) => sum + trade.lots, 0);
  return {
    order_id: orderIdOf(outcome),
    filled_base_amount: amount(market.spec, lots),
    trades: trades.length,
  };
}

function requestOf(spec: MarketSpec, body: Fields, nowMs: number): OrderRequest {
  const kind = orderKinds.find((name) => name === (body['type'] ?? 'limit'));
  if (kind === undefined) throw new ControlError(`type must be one of ${orderKinds.join(', ')}`);
  if (typeof body['is_ask'] !== 'boolean') throw new ControlError('is_ask must be true or false');
  const immediate = kind === 'market' || kind === 'ioc';
  const anyPrice = body['is_ask'] ? 1 : priceTicksMax;
  const priced = kind !== 'market' || body['price'] !== undefined;
  return {
    marketId: spec.marketId,
    clientIndex: body['client_order_index'] === undefined ? 0 : integer(body, 'client_order_index', 0, clientIndexMax),
    baseLots: scaled(body, 'base_amount', spec.sizeDecimals),
    priceTicks: priced ? priceTicksOf(body, 'price', spec) : anyPrice,
    isAsk: body['is_ask'] ? 1 : 0,
    // A market order without a bound is a limit order at any price: no average to keep.
    type: 0,
    timeInForce: immediate ? 0 : kind === 'post-only' ? 2 : 1,
    reduceOnly: 0,
    triggerTicks: 0,
    expiryMs: immediate ? 0 : nowMs + 28 * 86_400_000,
  };
}

function orderIdOf(eventInfo: string): string {
  return /"to":\{"i":(\d+)/.exec(eventInfo)?.[1] ?? '0';
}

function amount(spec: MarketSpec, lots: number): string {
  const text = String(Math.abs(lots)).padStart(spec.sizeDecimals + 1, '0');
  const cut = text.length - spec.sizeDecimals;
  const shown = spec.sizeDecimals === 0 ? text : `${text.slice(0, cut)}.${text.slice(cut)}`;
  return lots < 0 ? `-${shown}` : shown;
}
