/**
 * The exchange as it comes over the wire, for assumptions about the wire itself: bodies, headers, frames, and when they came.
 * What the adapter makes of them is the adapter's affair.
 */
import type { Dispatcher } from 'undici';
import { WebSocket } from 'ws';
import type { Clock } from '../clock';
import { dispatcherFor, headersOf, socketOptionsOf, type Approach } from '../exchange/lighter';
import { NotTried } from './assumption';
import type { Pace } from './pace';

export type Fields = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Fields;
  readonly code: number | undefined;
  readonly message: string;
  readonly ms: number;
}

export interface Frame {
  readonly type: string;
  readonly channel: string;
  readonly body: Fields;
  /** Of the monotonic clock. */
  readonly atMs: number;
}

/** Signed bytes as the signer gave them. */
export interface Bytes {
  readonly txType: number;
  txInfo(): string;
}

const DEADLINE_MS = 10_000;
/** Too many requests, or the volume quota is used up (LP §3.9). */
const LIMITED = 23_000;

export interface WireOptions extends Approach {
  readonly baseUrl: string;
  readonly wsUrl: string;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly until: <T>(look: () => T | undefined, ms: number) => Promise<T | undefined>;
}

export class Wire {
  readonly #sockets: Socket[] = [];
  readonly #dispatcher: Dispatcher;

  constructor(private readonly options: WireOptions) {
    this.#dispatcher = dispatcherFor(new URL(options.baseUrl).origin, options, { pipelining: 1 });
  }

  /** `path` without `/api/v1/`. */
  async get(path: string, query: Readonly<Record<string, string | number>>, token?: string): Promise<Answer> {
    await this.options.pace.take(path);
    const pairs = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]);
    const headers = token === undefined ? {} : { authorization: token };
    return this.#request('GET', `/api/v1/${path}?${new URLSearchParams(pairs).toString()}`, headers);
  }

  async post(tx: Bytes): Promise<Answer> {
    await this.options.pace.take('sendTx');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `tx_type=${tx.txType}&tx_info=${encodeURIComponent(tx.txInfo())}`;
    return this.#request('POST', '/api/v1/sendTx', headers, body);
  }

  async socket(): Promise<Socket> {
    const socket = new Socket(this.options);
    this.#sockets.push(socket);
    if ((await socket.first(({ type }) => type === 'connected', DEADLINE_MS)) === undefined)
      throw new Error(`no stream at ${this.options.wsUrl}`);
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.#dispatcher.destroy();
  }

  async #request(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: string | null = null,
  ): Promise<Answer> {
    const { baseUrl, clock } = this.options;
    const url = new URL(baseUrl);
    const startMs = clock.monotonicMs();
    const response = await this.#dispatcher.request({
      ...{ origin: url.origin, method, body, signal: AbortSignal.timeout(DEADLINE_MS) },
      path: url.pathname.replace(/\/$/, '') + path,
      headers: { accept: 'application/json', ...headersOf(this.options), ...headers },
    });
    const text = await response.body.text();
    return given(answerOf(response.statusCode, response.headers, fieldsOf(text), clock.monotonicMs() - startMs), path);
  }
}

/** One connection. Keeps what came. */
export class Socket {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  #ids = 0;

  constructor(private readonly options: WireOptions) {
    this.#socket = new WebSocket(options.wsUrl, { ...socketOptionsOf(options), perMessageDeflate: false });
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (data: Buffer) => {
      const body = fieldsOf(data.toString());
      const type = textOf(body, 'type');
      if (type === 'ping') this.#socket.send('{"type":"pong"}');
      this.frames.push({ type, channel: textOf(body, 'channel'), body, atMs: options.clock.monotonicMs() });
    });
  }

  /** The first frame of the channel, or the error that came instead; undefined when neither came. */
  async subscribe(channel: string, token?: string): Promise<Frame | undefined> {
    const before = this.frames.length;
    this.#socket.send(JSON.stringify({ type: 'subscribe', channel, ...(token === undefined ? {} : { auth: token }) }));
    const name = channel.split('/')[0] ?? '';
    const isAnswer = (frame: Frame): boolean =>
      frame.type === `subscribed/${name}` || frame.body['error'] !== undefined;
    return this.first(isAnswer, DEADLINE_MS, before);
  }

  /** Sends over this connection; undefined when no answer came. */
  async send(tx: Bytes): Promise<Answer | undefined> {
    await this.options.pace.take('sendTx');
    const id = `q${++this.#ids}`;
    const startMs = this.options.clock.monotonicMs();
    this.#socket.send(
      `{"type":"jsonapi/sendtx","data":{"id":"${id}","tx_type":${tx.txType},"tx_info":${tx.txInfo()}}}`,
    );
    const frame = await this.first(({ body }) => body['id'] === id, DEADLINE_MS);
    if (frame === undefined) return undefined;
    const error = frame.body['error'];
    const body = typeof error === 'object' && error !== null ? (error as Fields) : frame.body;
    return given(answerOf(error === undefined ? 200 : 400, {}, body, frame.atMs - startMs), 'the stream');
  }

  /** The first frame from the `from`-th on that fits, as soon as it is there. */
  first(fits: (frame: Frame) => boolean, ms: number, from = 0): Promise<Frame | undefined> {
    return this.options.until(() => this.frames.slice(from).find(fits), ms);
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** The rows of a frame's or list's member that is a list, or a map of lists by market. */
export function rowsOf(body: Fields, key: string): readonly Fields[] {
  const value = body[key];
  if (typeof value !== 'object' || value === null) return [];
  return (Array.isArray(value) ? value : Object.values(value).flat()) as Fields[];
}

export function textOf(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function numberOf(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  return typeof value === 'number' ? value : undefined;
}

/** An object out of JSON text; empty when it is none. */
export function fieldsOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

/** `200`, `400 21104 invalid nonce`, or that nothing came. */
export function told(answer: Answer | undefined): string {
  if (answer === undefined) return 'no answer';
  return answer.code === 200 ? '200' : `${answer.status} ${answer.code ?? ''} ${answer.message}`.trim().slice(0, 80);
}

/** A limit, a firewall, or a server in trouble: that says nothing about what is assumed. */
function given(answer: Answer, where: string): Answer {
  const { status, code } = answer;
  if (status !== 429 && status !== 405 && status < 500 && code !== LIMITED) return answer;
  throw new NotTried(`${where.split('?')[0] ?? ''} answered ${told(answer)}: try again later`);
}

function answerOf(status: number, headers: Answer['headers'], body: Fields, ms: number): Answer {
  return { status, headers, body, code: numberOf(body, 'code'), message: textOf(body, 'message'), ms };
}
