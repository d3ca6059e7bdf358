/** What the adapter's tests share: a tiny Lighter on a free loopback port, signed bytes without a signer, waiting for events. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import { LighterSignedTx } from '../../src/exchange/lighter/signer';
import type { SessionTimes } from '../../src/exchange/lighter/session-times';
import type { TxRequest } from '../../src/exchange/port';

export function fixture<T = Record<string, unknown>>(name: string): T {
  return JSON.parse(readFileSync(path.join(__dirname, '../fixtures/lighter', name), 'utf8')) as T;
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly form: URLSearchParams;
}
export interface FakeAnswer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of a body: raw text, or a connection that is dropped or never answered. */
  readonly raw?: string;
  readonly fault?: 'drop' | 'silence';
}
export type Route = (request: FakeRequest) => FakeAnswer;
export type Message = Record<string, unknown>;

export class FakeLighter {
  readonly requests: FakeRequest[] = [];
  readonly messages: Message[] = [];
  readonly routes = new Map<string, Route>([['/api/v1/orderBooks', () => ({ body: fixture('order-books.json') })]]);
  readonly sockets: WebSocket[] = [];
  connections = 0;
  handshakes = 0;
  /** HTTP status with which handshakes are refused. */
  refusesHandshakes: number | undefined;
  /** Called for every message of a client. */
  onMessage: (message: Message, socket: WebSocket) => void = () => undefined;
  onConnection: (socket: WebSocket) => void = (socket) => {
    socket.send('{"session_id":"00000000-0000-4000-8000-000000000000","type":"connected"}');
  };
  readonly #server: Server;
  readonly #ws: WebSocketServer;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.keepAliveTimeout = 0; // no connection closes in the moment in which it is asked again
    this.#ws = new WebSocketServer({
      ...{ server: this.#server, path: '/stream' },
      verifyClient: (_info, answer) => {
        this.handshakes += 1;
        if (this.refusesHandshakes === undefined) answer(true);
        else answer(false, this.refusesHandshakes, 'refused', { 'retry-after': '5' });
      },
    });
    this.#ws.on('connection', (socket) => {
      this.connections += 1;
      this.sockets.push(socket);
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Message;
        this.messages.push(message);
        this.onMessage(message, socket);
      });
      socket.on('error', () => undefined);
      this.onConnection(socket);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get wsUrl(): string {
    return `${this.url.replace('http', 'ws')}/stream`;
  }

  push(frame: unknown): void {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    this.sockets.at(-1)?.send(text);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.#ws.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: FakeRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      token: incoming.headers.authorization,
      form: new URLSearchParams(Buffer.concat(chunks).toString()),
    };
    this.requests.push(request);
    const answer: FakeAnswer = this.routes.get(url.pathname)?.(request) ?? { status: 404, body: { code: 29404 } };
    if (answer.fault === 'drop') incoming.socket.destroy();
    if (answer.fault !== undefined) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.raw ?? JSON.stringify(answer.body));
  }
}

export const HASH = '52857ec7'.repeat(10);

/** Bytes as a signer would return them, for tests that need none of its arithmetic. */
export function signed(overrides: { readonly nonce?: bigint; readonly hash?: string } = {}): LighterSignedTx {
  const nonce = (overrides.nonce ?? 7n) as Nonce;
  const request: TxRequest = {
    kind: 'market-order',
    lane: 5,
    nonce,
    skipNonce: true,
    marketId: 1,
    clientOrderIndex: 129n as ClientOrderIndex,
    side: 'buy',
    lots: lots(20),
    boundTicks: ticks(1_000_000),
    reduceOnly: false,
  };
  return new LighterSignedTx(request, overrides.hash ?? HASH, 0, 14, `{"Nonce":${nonce},"Sig":"SECRET"}`);
}

/**
 * Patient about silence and late answers: the exchange of a test lives in the test's own process, so a stall of it looks like an exchange
 * that is gone. A test about silence brings its own times.
 */
export const PATIENT = {
  connectMs: 17_000,
  quietMs: 17_000,
  pongMs: 17_000,
  suspectMs: 17_000,
  idleMs: 17_000,
  sendMs: 17_000,
  probeMs: 17_000,
} as const;

/** Patient, and reconnects at once. */
export const FAST: SessionTimes = {
  ...PATIENT,
  lookMs: 60_000,
  tradeGraceMs: 20,
  reconnectMinMs: 5,
  reconnectMaxMs: 50,
};

/** Resolves when `condition` holds; looks again after every turn of the event loop. */
export async function until(condition: () => boolean, what: string, deadlineMs = 20_000): Promise<void> {
  const endsAt = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endsAt) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
