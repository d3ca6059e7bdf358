/**
 * Between the product and the paper exchange: answers, rewrites or drops requests, answers, handshakes and frames. What no hook
 * touches passes as it came. Hooks are plain fields; set them while it runs.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type RawData } from 'ws';

export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** A frame's text; `in` comes from the exchange. */
export interface SeenFrame {
  readonly direction: 'in' | 'out';
  readonly text: string;
  /** Counts the connections from 0. */
  readonly stream: number;
}

type Maybe<T> = T | undefined;

export class ManInTheMiddle {
  /** An answer instead of the exchange's, `'drop'` to cut the connection before the request arrives, nothing to let it pass. */
  onRequest: (request: SeenRequest) => Maybe<Answer | 'drop'> = () => undefined;
  /** Another answer, `'drop'` to lose it after the exchange has acted, nothing to let it pass. */
  onAnswer: (request: SeenRequest, answer: Answer) => Maybe<Answer | 'drop'> = () => undefined;
  /** An answer refuses the upgrade; nothing lets it pass. */
  onHandshake: (request: SeenRequest) => Maybe<Answer> = () => undefined;
  /** Other frames in its place (none drops it); nothing lets it pass. */
  onFrame: (frame: SeenFrame) => Maybe<readonly string[]> = () => undefined;
  readonly requests: SeenRequest[] = [];
  readonly handshakes: SeenRequest[] = [];
  /** One pair for each connection, the client's side first. */
  readonly streams: { readonly client: WebSocket; readonly exchange: WebSocket }[] = [];
  readonly #server = createServer((request, response) => void this.#pass(request, response));
  readonly #upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  constructor(private readonly target: string) {
    this.#server.keepAliveTimeout = 0; // no connection closes in the moment in which it is asked again
    this.#server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head);
    });
  }

  /** `http://127.0.0.1:port`; streams are at the same port. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    for (const { client, exchange } of this.streams) {
      client.terminate();
      exchange.terminate();
    }
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = seen(incoming, await bodyOf(incoming));
    this.requests.push(request);
    const own = this.onRequest(request);
    if (own === 'drop') return void incoming.socket.destroy();
    if (own !== undefined) return answer(response, own);
    try {
      const passed = await this.#forward(request, incoming.url ?? '/');
      const changed = this.onAnswer(request, passed);
      if (changed === 'drop') incoming.socket.destroy();
      else answer(response, changed ?? passed);
    } catch {
      incoming.socket.destroy();
    }
  }

  async #forward(request: SeenRequest, url: string): Promise<Answer> {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (typeof value === 'string' && !HOP_BY_HOP.has(name)) headers.set(name, value);
    }
    const response = await fetch(this.target + url, {
      method: request.method,
      headers,
      ...(request.body === '' ? {} : { body: request.body }),
    });
    const kept = [...response.headers].filter(([name]) => !HOP_BY_HOP.has(name));
    return { status: response.status, headers: Object.fromEntries(kept), body: await response.text() };
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const request = seen(incoming, '');
    this.handshakes.push(request);
    const refused = this.onHandshake(request);
    if (refused !== undefined) {
      const headers = Object.entries({ connection: 'close', ...refused.headers }).map(([k, v]) => `${k}: ${v}\r\n`);
      socket.end(`HTTP/1.1 ${refused.status} x\r\n${headers.join('')}\r\n${refused.body}`);
      return;
    }
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name) && !name.startsWith('sec-websocket')),
    );
    const exchange = new WebSocket(this.target.replace(/^http/, 'ws') + (incoming.url ?? '/'), {
      headers: headers as Record<string, string>,
      perMessageDeflate: false,
    });
    this.#upgrades.handleUpgrade(incoming, socket, head, (client) => {
      this.#join(client, exchange);
    });
  }

  #join(client: WebSocket, exchange: WebSocket): void {
    const stream = this.streams.push({ client, exchange }) - 1;
    const early: string[] = [];
    const send = (to: WebSocket, text: string): void => {
      if (to.readyState === WebSocket.OPEN) to.send(text);
      else if (to === exchange && to.readyState === WebSocket.CONNECTING) early.push(text);
    };
    const relay = (from: WebSocket, to: WebSocket, direction: 'in' | 'out'): void => {
      from.on('message', (data: RawData) => {
        const text = (data as Buffer).toString();
        for (const frame of this.onFrame({ direction, text, stream }) ?? [text]) send(to, frame);
      });
      from.on('ping', () => {
        if (to.readyState === WebSocket.OPEN) to.ping();
      });
      from.on('close', (code, reason) => {
        if (code >= 1000 && code !== 1005 && code !== 1006) to.close(code, reason.toString());
        else to.terminate();
      });
      from.on('error', () => {
        to.terminate();
      });
    };
    exchange.on('open', () => {
      for (const frame of early.splice(0)) exchange.send(frame);
    });
    relay(client, exchange, 'out');
    relay(exchange, client, 'in');
  }
}

/** `target`: the exchange's `http://` address. Close it after the test. */
export async function startManInTheMiddle(target: string): Promise<ManInTheMiddle> {
  return new ManInTheMiddle(target).listen();
}

/** A JSON answer, rewritten; a body that is no JSON stays. */
export function rewritten(answer: Answer, change: (body: Record<string, unknown>) => Record<string, unknown>): Answer {
  try {
    return { ...answer, body: JSON.stringify(change(JSON.parse(answer.body) as Record<string, unknown>)) };
  } catch {
    return answer;
  }
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'host',
  'upgrade',
  'transfer-encoding',
  'content-length',
  'content-encoding',
]);

function seen(incoming: IncomingMessage, body: string): SeenRequest {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://x');
  const { method = 'GET', headers } = incoming;
  return { method, path: pathname, query: searchParams, headers, body, atMs: performance.now() };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  return body;
}

function answer(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}
