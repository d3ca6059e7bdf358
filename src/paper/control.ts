/**
 * The control face under `/_paper`, loopback only: accounts, other traders' orders, the market, the clock, faults, the truth.
 * It is no part of the exchange; it exists for tests and for `up`. Unknown fields are refused with the list of known ones.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExchangeClock } from './clock';
import type { Exchange } from './core/exchange';
import { parseScaled } from './core/decimal';
import type { Account, MarketSpec, OrderRequest } from './core/types';
import type { Changes, Market } from './core/world';
import { addAccountRoutes } from './control-accounts';
import { addFaultRoutes } from './control-faults';
import { addMarketRoutes } from './control-market';
import { truthJson } from './control-truth';
import { addLimitRoutes } from './control-limits';
import { addPositionRoutes } from './control-positions';
import type { FaultPlan } from './faults';
import type { RequestGate } from './limits';
import type { Simulation } from './simulation';
import { encode } from './wire/json';

export interface ControlContext {
  readonly exchange: Exchange;
  readonly simulation: Simulation;
  readonly clock: ExchangeClock;
  readonly faults: FaultPlan;
  readonly gate: RequestGate;
  readonly publish: (changes: Changes) => void;
  readonly applyStreamFaults: () => void;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A mistake in a control request: HTTP 400 with this text. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

const clientIndexMax = 2 ** 48 - 1;
const priceTicksMax = 2 ** 32 - 1;

export function addControlRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/orders', (body) => placeOrder(context, body));
  route(app, 'POST', '/_paper/clock', (body) => {
    known(body, ['offset_ms', 'step_ms']);
    const { clock } = context;
    if (body['offset_ms'] !== undefined && body['step_ms'] !== undefined)
      throw new ControlError('say either offset_ms or step_ms');
    if (body['offset_ms'] !== undefined) clock.moveTo(integer(body, 'offset_ms'));
    if (body['step_ms'] !== undefined) clock.moveTo(clock.offsetMs + integer(body, 'step_ms'));
    return encode({ now_ms: clock.nowMs(), offset_ms: clock.offsetMs });
  });
  route(app, 'GET', '/_paper/truth', (_body, query) => {
    known(query, ['account_index']);
    const isNamed = query['account_index'] !== undefined;
    return truthJson(context, isNamed ? accountOf(context, integer(query, 'account_index')) : undefined);
  });
  addAccountRoutes(app, context);
  addPositionRoutes(app, context);
  addMarketRoutes(app, context);
  addLimitRoutes(app, context);
  addFaultRoutes(app, context);
}

export function route(
  app: FastifyInstance,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  handler: (body: Fields, query: Fields, raw: unknown) => string,
): void {
  app.route({
    method,
    url: path,
    handler: (request: FastifyRequest, reply: FastifyReply) => {
      void reply.type('application/json');
      if (!isLoopback(request.ip))
        return reply.code(403).send(encode({ message: 'the control face answers to loopback only' }));
      try {
        return reply.send(handler(fieldsOf(request.body), fieldsOf(request.query), request.body));
      } catch (error) {
        if (error instanceof ControlError) return reply.code(400).send(encode({ message: error.message }));
        throw error;
      }
    },
  });
}

const orderKinds = ['limit', 'market', 'ioc', 'post-only'] as const;

/** Acts as another trader. Without account_index: a simulated one with endless means. */
function placeOrder(context: ControlContext, body: Fields): string {
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
  return encode({
    order_id: orderIdOf(outcome),
    filled_base_amount: amount(market.spec, lots),
    trades: trades.length,
  });
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

// ---- reading control requests ----

export function known(fields: Fields, names: readonly string[]): void {
  const unknown = Object.keys(fields).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new ControlError(`unknown field ${unknown.join(', ')}; known: ${names.join(', ')}`);
}

/** Within its bounds, both included. Queries bring texts, so digits in a text are tolerated. */
export function integer(fields: Fields, name: string, min = -Infinity, max = Infinity): number {
  const value = fields[name];
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw new ControlError(`${name} must be an integer`);
  if (number < min || number > max) throw new ControlError(`${name} must be between ${min} and ${max}`);
  return number;
}

/** A price in ticks, within what a transaction can carry (LP §2.1). */
export function priceTicksOf(fields: Fields, name: string, spec: MarketSpec): number {
  const ticks = scaled(fields, name, spec.priceDecimals);
  if (ticks > priceTicksMax) throw new ControlError(`${name} must be at most ${priceTicksMax} ticks`);
  return ticks;
}

/** A member that holds an object; none when it is missing. */
export function objectOf(fields: Fields, name: string): Fields {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ControlError(`${name} must be an object`);
  return value as Fields;
}

/** A positive decimal string, as on the exchange's own face; numbers are tolerated. */
export function scaled(fields: Fields, name: string, decimals: number): number {
  const value = fields[name];
  const text = typeof value === 'number' ? String(value) : value;
  const parsed = typeof text === 'string' ? parseScaled(text, decimals) : undefined;
  if (parsed === undefined || parsed <= 0) {
    throw new ControlError(`${name} must be a positive decimal string with at most ${decimals} decimals`);
  }
  return parsed;
}

export function textOr(fields: Fields, name: string, otherwise: string): string {
  const value = fields[name];
  if (value === undefined) return otherwise;
  if (typeof value !== 'string') throw new ControlError(`${name} must be a text`);
  return value;
}

export function marketOf(context: ControlContext, fields: Fields): Market {
  const market = context.exchange.world.markets.get(integer(fields, 'market_id'));
  if (market === undefined) {
    const ids = [...context.exchange.world.markets.keys()].join(', ');
    throw new ControlError(`no such market; market_id is one of ${ids}`);
  }
  return market;
}

export function accountOf(context: ControlContext, accountIndex: number): Account {
  const account = context.exchange.world.accounts.get(accountIndex);
  if (account === undefined) throw new ControlError(`no account ${accountIndex}; add it with POST /_paper/accounts`);
  return account;
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function amount(spec: MarketSpec, lots: number): string {
  const text = String(Math.abs(lots)).padStart(spec.sizeDecimals + 1, '0');
  const cut = text.length - spec.sizeDecimals;
  const shown = spec.sizeDecimals === 0 ? text : `${text.slice(0, cut)}.${text.slice(cut)}`;
  return lots < 0 ? `-${shown}` : shown;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
