/**
 * HTTP to Lighter: one keep-alive pool, a deadline on everything, and no retry.
 *
 * A read is either the parsed body or a reason (invariant 8); nothing here turns a failure into an empty list. `sendTx` reports what
 * the answer proves and resends nothing: only the owner of a slice may decide to send again (LP §3.7).
 */
import type { Dispatcher } from 'undici';
import type { Clock } from '../../clock';
import type { Read } from '../../domain/records';
import type { ClockSkew } from './clock-skew';
import { isQuotaRefusal, numberField, outcomeOf, readFailure, reasonOf, unknown, type Answered } from './errors';
import { dispatcherFor, headersOf, type Approach } from './approach';
import { isFirewallPage } from './blocked-paths';
import { retryAfterMsOf, type HostLimit } from './host-limit';
import { MalformedError } from './parse';
import type { LighterSignedTx } from './signer';
import type { Tokens } from './tokens';

/** Several reads, plus the fall-back for sends, side by side. */
const CONNECTIONS_MAX = 8;
/** The longest list (100 transactions with their events) is far below; a firewall page is too. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

export interface RestOptions {
  readonly baseUrl: string;
  readonly approach?: Approach;
  readonly clock: Clock;
  readonly skew: ClockSkew;
  readonly limit: HostLimit;
  /** For each read, connection included. */
  readonly deadlineMs: number;
  /** For each submission: short, because asking again with the same nonce cannot trade twice. */
  readonly sendMs: number;
  readonly onMalformed: (what: string, reason: string) => void;
}

/** `doubt`: a hedge, a cancel or a fill waits for it; it goes in its turn while the exchange limits us. The rest stays away then. */
export type Urgency = 'ordinary' | 'doubt';

export type Query = Readonly<Record<string, string | number | undefined>>;

interface Answer {
  readonly httpStatus: number;
  readonly body: unknown;
  readonly retryAfterMs: number;
}

export class Rest {
  readonly #pool: Dispatcher;
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #basePath: string;

  constructor(private readonly options: RestOptions) {
    const url = new URL(options.baseUrl);
    this.#basePath = url.pathname.replace(/\/$/, '');
    this.#origin = url.origin;
    const approach = options.approach ?? {};
    this.#headers = { accept: 'application/json', ...headersOf(approach) };
    this.#pool = dispatcherFor(url.origin, approach, {
      connections: CONNECTIONS_MAX,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      connectTimeout: options.deadlineMs,
      headersTimeout: options.deadlineMs,
      bodyTimeout: options.deadlineMs,
      maxResponseSize: RESPONSE_BYTES_MAX,
    });
  }

  /** GET and parse. `parse` throws MalformedError for a body that is not what the protocol promises. */
  async read<T>(
    path: string,
    query: Query,
    parse: (body: unknown) => T,
    tokens?: Tokens,
    urgency: Urgency = 'ordinary',
  ): Promise<Read<T>> {
    const held = await this.#held(urgency);
    if (held !== undefined) return { ok: false, reason: `${path}: ${held}` };
    try {
      const headers: Record<string, string> = {};
      const token = await tokens?.token();
      if (token !== undefined) headers['authorization'] = token.text;
      const { httpStatus, body } = await this.#request({ method: 'GET', path: withQuery(path, query), headers });
      if (httpStatus === 401 && token !== undefined) tokens?.drop(token);
      const failure = readFailure(httpStatus, body);
      if (failure !== undefined) return { ok: false, reason: `${path}: ${failure}` };
      return { ok: true, value: parse(body) };
    } catch (error) {
      if (error instanceof MalformedError) this.options.onMalformed(path, error.message);
      return { ok: false, reason: `${path}: ${reasonOf(error)}` };
    }
  }

  /** Why the exchange rejects this token, or undefined if it takes it. What fails for any other reason proves nothing. */
  async tokenRejection(path: string, query: Query, token: string): Promise<Read<string | undefined>> {
    const held = await this.#held('ordinary');
    if (held !== undefined) return { ok: false, reason: `${path}: ${held}` };
    try {
      const { httpStatus, body } = await this.#request({
        method: 'GET',
        path: withQuery(path, query),
        headers: { authorization: token },
      });
      const failure = readFailure(httpStatus, body);
      if (failure === undefined || httpStatus === 401) return { ok: true, value: failure };
      return { ok: false, reason: `${path}: ${failure}` };
    } catch (error) {
      return { ok: false, reason: `${path}: ${reasonOf(error)}` };
    }
  }

  /** Whether the exchange itself answers there, whatever it says. */
  async answers(path: string, query: Query, tokens: Tokens): Promise<Read<undefined>> {
    const method = path.endsWith('/sendTx') ? 'POST' : 'GET'; // without a transaction in it: rejected, and nothing else
    try {
      const { text: authorization } = await tokens.token();
      const { httpStatus, body } = await this.#request({
        method,
        path: withQuery(path, query),
        headers: { authorization },
      });
      if (httpStatus < 500 && body !== undefined) return { ok: true, value: undefined };
      return { ok: false, reason: readFailure(httpStatus, body) ?? `HTTP ${httpStatus}` };
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    }
  }

  /** POST of a form; what the answer holds besides its code says nothing. */
  async post(path: string, form: Readonly<Record<string, string>>, tokens: Tokens): Promise<Read<undefined>> {
    const held = await this.#held('ordinary');
    if (held !== undefined) return { ok: false, reason: `${path}: ${held}` };
    try {
      const { text: authorization } = await tokens.token();
      const { httpStatus, body } = await this.#request({
        method: 'POST',
        path,
        headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      });
      const failure = readFailure(httpStatus, body);
      return failure === undefined ? { ok: true, value: undefined } : { ok: false, reason: `${path}: ${failure}` };
    } catch (error) {
      return { ok: false, reason: `${path}: ${reasonOf(error)}` };
    }
  }

  async sendTx(tx: Pick<LighterSignedTx, 'txType' | 'txHash' | 'txInfo'>): Promise<Answered> {
    const form = `tx_type=${tx.txType}&tx_info=${encodeURIComponent(tx.txInfo())}`;
    try {
      const answer = await this.#request({
        method: 'POST',
        path: '/api/v1/sendTx',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form,
        deadlineMs: this.options.sendMs,
      });
      return outcomeOf({ ...answer, txHash: tx.txHash });
    } catch (error) {
      return unknown(tx.txHash, `HTTP: ${reasonOf(error)}`);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #held(urgency: Urgency): Promise<string | undefined> {
    const { limit } = this.options;
    return urgency === 'doubt' ? limit.turn() : limit.reason();
  }

  async #request(request: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly deadlineMs?: number;
  }): Promise<Answer> {
    const { clock, limit, skew } = this.options;
    const deadlineMs = request.deadlineMs ?? this.options.deadlineMs;
    const abort = new AbortController();
    const cancelDeadline = clock.after(deadlineMs, () => abort.abort(new Error(`no answer within ${deadlineMs} ms`)));
    const sentAtMs = clock.monotonicMs();
    const where = request.path.split('?')[0] ?? '';
    limit.onRequest(where.slice(where.lastIndexOf('/') + 1));
    try {
      const response = await this.#pool.request({
        origin: this.#origin,
        method: request.method,
        path: this.#basePath + request.path,
        headers: { ...this.#headers, ...request.headers },
        body: request.body ?? null,
        signal: abort.signal,
      });
      skew.sawAnswer(response.headers, sentAtMs);
      const httpStatus = response.statusCode;
      const text = await response.body.text();
      const body = parseJson(text);
      const retryAfter = response.headers['retry-after'];
      const isPage = isFirewallPage(httpStatus, body, text);
      const limited = isQuotaRefusal(body) ? {} : { httpStatus, code: numberField(body, 'code'), retryAfter };
      limit.saw({ where, isPage, ...limited });
      if (isPage) throw new Error(`HTTP ${httpStatus}, a firewall's page in place of an answer`);
      return { httpStatus, body, retryAfterMs: retryAfterMsOf(retryAfter) };
    } finally {
      cancelDeadline();
    }
  }
}

function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
