/**
 * The REST face: wraps every endpoint with faults, limits and the exchange's answer shapes (LP §1.2). The endpoints themselves are
 * in rest-market.ts, rest-account.ts and rest-send.ts.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from './auth';
import type { ExchangeClock } from './clock';
import { refuse, textOfCode } from './core/codes';
import type { Refusal } from './core/codes';
import type { Exchange } from './core/exchange';
import type { Account } from './core/types';
import type { FaultFacts, FaultPlan } from './faults';
import type { Limited, RequestGate } from './limits';
import type { Submissions } from './submissions';
import { encode } from './wire/json';

export interface RestContext {
  readonly exchange: Exchange;
  readonly clock: ExchangeClock;
  readonly auth: Authenticator;
  readonly submissions: Submissions;
  readonly faults: FaultPlan;
  readonly gate: RequestGate;
}

/** What an endpoint answers: JSON text (HTTP 200), or a refusal with its HTTP status. */
export type RestAnswer =
  | string
  | { readonly httpStatus: number; readonly refusal: Refusal }
  | { readonly httpStatus: number; readonly page: string };

export interface RestCall {
  readonly query: ReadonlyMap<string, string>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly token: string | undefined;
  /** Facts for the fault plan, of the transaction inside if there is one. */
  readonly facts: FaultFacts;
}

export type Endpoint = (call: RestCall) => RestAnswer;

/** Which facts a call offers to the fault plan beyond its path. */
export type FactsOf = (call: Omit<RestCall, 'facts'>, path: string) => FaultFacts;

export function addEndpoint(
  app: FastifyInstance,
  context: RestContext,
  method: 'GET' | 'POST',
  path: string,
  endpoint: Endpoint,
  factsOf: FactsOf = readFacts,
): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  app.route({
    method,
    url: path,
    handler: async (request, reply) => {
      const call = callOf(request);
      const facts = factsOf(call, path);
      const before = context.faults.take('request', facts);
      if (before !== undefined && !(await passes(before, request, reply))) return reply;
      const limited = context.gate.mayRequest(request.ip, name, facts.accountIndex);
      const answer = limited === undefined ? endpoint({ ...call, facts }) : limitedAnswer(reply, limited);
      const after = context.faults.take('response', facts);
      if (after !== undefined && !(await passes(after, request, reply))) return reply;
      return send(reply, answer);
    },
  });
}

/** Carries a request or response fault out. False when the caller must answer nothing more. */
async function passes(
  fault: { readonly action: string; readonly ms: number; readonly status: number; readonly code: number },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  switch (fault.action) {
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return true;
    case 'answer':
      void reply
        .code(fault.status)
        .type('application/json')
        .send(encode({ code: fault.code, message: textOfCode(fault.code) }));
      return false;
    default:
      reply.hijack();
      request.raw.socket.destroy();
      return false;
  }
}

/** 429 of the API, or the firewall's page, which is no JSON (LP §6.1, §9). */
function limitedAnswer(reply: FastifyReply, limited: Limited): RestAnswer {
  void reply.header('retry-after', String(limited.retryAfterSeconds));
  if (limited.by === 'api') return { httpStatus: 429, refusal: refuse(23000) };
  return { httpStatus: 405, page: '<html><body><h1>405 Not Allowed</h1></body></html>' };
}

export function send(reply: FastifyReply, answer: RestAnswer): FastifyReply {
  void reply.type('application/json');
  if (typeof answer === 'string') return reply.code(200).send(answer);
  if ('page' in answer) return reply.type('text/html').code(answer.httpStatus).send(answer.page);
  const { code, message } = answer.refusal;
  return reply.code(answer.httpStatus).send(encode({ code, message }));
}

export function badRequest(refusal: Refusal): RestAnswer {
  return { httpStatus: 400, refusal };
}

/** "invalid param " with its trailing blank, as recorded (LP §1.2). */
export function invalidParam(): RestAnswer {
  return badRequest(refuse(20001));
}

export function integerParam(call: RestCall, name: string): number | undefined {
  const text = call.query.get(name);
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `limit` within its bounds; undefined when missing or out of them. */
export function limitParam(call: RestCall, max: number): number | undefined {
  const limit = integerParam(call, 'limit');
  return limit !== undefined && limit >= 1 && limit <= max ? limit : undefined;
}

/** Opaque to clients: base64 of a JSON object with the last row's id (LP §1.2). */
export function cursorOf(index: string | number): string {
  return Buffer.from(`{"index":${index}}`).toString('base64');
}

/** The digits inside a cursor, `first` without one; undefined when it is none of ours. */
export function cursorParam(call: RestCall): string | undefined {
  const cursor = call.query.get('cursor') ?? '';
  if (cursor === '') return 'first';
  return /^\{"index":(\d+)\}$/.exec(Buffer.from(cursor, 'base64').toString())?.[1];
}

/** The account of a read that needs a token, or the refusal. */
export function authorize(
  context: RestContext,
  call: RestCall,
  accountIndex: number | undefined,
  missing = 'auth query param and Authorization header are empty',
): { readonly account: Account } | { readonly denied: RestAnswer } {
  const checked = context.auth.check(call.token, missing);
  if (!checked.ok) return { denied: { httpStatus: checked.httpStatus, refusal: checked.refusal } };
  const wanted = accountIndex ?? checked.accountIndex;
  const account = context.exchange.world.accounts.get(wanted);
  if (account === undefined) return { denied: badRequest(refuse(21100)) };
  if (!context.auth.mayRead(checked.accountIndex, wanted)) {
    return { denied: { httpStatus: 401, refusal: refuse(20013, 'invalid auth: invalid account') } };
  }
  return { account };
}

/** The instant (µs) at which a list shows a row; `row` is what tells it from every other one. */
export type ListView = (row: string) => number;

const current: ListView = () => Infinity;

/** How a list is seen: as it is, or while a `lists` fault lasts as it was, all rows alike or each with a delay of its own (LP §9). */
export function listView(context: RestContext, call: RestCall): ListView {
  const fault = context.faults.take('lists', call.facts);
  if (fault === undefined) return current;
  const nowMs = context.clock.nowMs();
  if (fault.action === 'lag') return () => (nowMs - fault.ms) * 1000;
  return (row) => (nowMs - delayOf(row, fault.ms)) * 1000;
}

/** 0…maxMs, always the same for a row. */
function delayOf(row: string, maxMs: number): number {
  return createHash('sha256').update(row).digest().readUInt32LE(0) % (maxMs + 1);
}

function callOf(request: FastifyRequest): Omit<RestCall, 'facts'> {
  const query = new Map<string, string>();
  for (const [name, value] of Object.entries((request.query ?? {}) as Record<string, unknown>)) {
    const text = Array.isArray(value) ? value.join(',') : value;
    if (typeof text === 'string') query.set(name, text);
  }
  const { authorization } = request.headers;
  const token = query.get('auth') ?? query.get('authorization') ?? authorization;
  const body =
    typeof request.body === 'object' && request.body !== null ? (request.body as Record<string, unknown>) : {};
  return { query, body, token };
}

function readFacts(call: Omit<RestCall, 'facts'>, path: string): FaultFacts {
  const number = (name: string): number | undefined => {
    const text = call.query.get(name);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const byIndex = call.query.get('by')?.endsWith('index') === true ? number('value') : undefined;
  // accountOrders leaves the account to the token; reading the claim here verifies nothing.
  const claimed = /^\d+:(\d+):/.exec(call.token ?? '')?.[1];
  const accountIndex = number('account_index') ?? byIndex ?? (claimed === undefined ? undefined : Number(claimed));
  return { path, accountIndex, apiKeyIndex: number('api_key_index') };
}
