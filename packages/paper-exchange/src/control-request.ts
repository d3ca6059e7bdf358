/** What every control route is made of: the route itself, the mistake it answers, and the readers of a request's fields. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExchangeClock } from './clock';
import { parseScaled } from './core/decimal';
import type { Exchange } from './core/exchange';
import type { Account, MarketSpec } from './core/types';
import type { Changes, Market } from './core/world';
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

export const priceTicksMax = 2 ** 32 - 1;

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

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

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
