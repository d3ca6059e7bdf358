/** A small client of the paper exchange for its own tests: plain fetch and ws, waits for events, signs nothing. */
import WebSocket from 'ws';
import type { PaperOptions, PaperServer } from '../src';
import { startPaper } from '../src';
import { parseLossless } from '../src/wire/json';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test reads any field of a frame or body; contract.test.ts holds their shape
export type Row = Record<string, any>;

export interface Answer {
  readonly status: number;
  readonly body: Row;
  readonly text: string;
}

export interface OrderFields {
  readonly MarketIndex?: number;
  readonly ClientOrderIndex?: number;
  readonly BaseAmount?: number;
  readonly Price?: number;
  readonly IsAsk?: number;
  readonly Type?: number;
  readonly TimeInForce?: number;
  readonly ReduceOnly?: number;
  readonly TriggerPrice?: number;
  readonly OrderExpiry?: number;
  readonly ExpiredAt?: number;
  readonly Nonce: number;
  readonly L2TxAttributes?: Record<string, number> | null;
}

/** An exchange without simulated life, whose accounts accept any signature. */
export async function quietExchange(options: PaperOptions = {}): Promise<TestExchange> {
  const server = await startPaper({ flow: 'off', bookIntervalMs: 5, ...options });
  const exchange = new TestExchange(server);
  await exchange.post('/_paper/accounts', { account_index: 100, collateral: '100000', api_keys: { '5': '', '6': '' } });
  await exchange.post('/_paper/accounts', { account_index: 200, collateral: '100000', api_keys: { '5': '' } });
  return exchange;
}

export class TestExchange {
  readonly #sockets: TestSocket[] = [];

  constructor(readonly server: PaperServer) {}

  async call(path: string, init?: RequestInit): Promise<Answer> {
    const response = await fetch(this.server.url + path, init);
    const text = await response.text();
    return { status: response.status, text, body: parseLossless(text) as Row };
  }

  get(path: string, token?: string): Promise<Answer> {
    return this.call(path, token === undefined ? {} : { headers: { authorization: token } });
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** A token nobody signed: good enough while keys accept any signature. */
  token(accountIndex: number, aheadSeconds = 600, apiKeyIndex = 5): string {
    return `${Math.floor(Date.now() / 1000) + aheadSeconds}:${accountIndex}:${apiKeyIndex}:${'ab'.repeat(80)}`;
  }

  send(txType: number, info: Row, form: 'multipart' | 'urlencoded' = 'multipart'): Promise<Answer> {
    const fields = { tx_type: String(txType), tx_info: JSON.stringify(info) };
    if (form === 'urlencoded') {
      return this.call('/api/v1/sendTx', { method: 'POST', body: new URLSearchParams(fields) });
    }
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return this.call('/api/v1/sendTx', { method: 'POST', body });
  }

  create(fields: OrderFields, accountIndex = 100, apiKeyIndex = 5): Promise<Answer> {
    return this.send(14, orderInfo(fields, accountIndex, apiKeyIndex));
  }

  async open(): Promise<TestSocket> {
    const socket = await TestSocket.open(this.server.wsUrl);
    this.#sockets.push(socket);
    return socket;
  }

  async truth(accountIndex: number): Promise<Row> {
    return (await this.get(`/_paper/truth?account_index=${accountIndex}`)).body;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.server.close();
  }
}

/** A post-only BTC bid of 20 lots far below the market, unless told otherwise. */
export function orderInfo(fields: OrderFields, accountIndex = 100, apiKeyIndex = 5): Row {
  const immediate = fields.TimeInForce === 0;
  return {
    AccountIndex: accountIndex,
    ApiKeyIndex: apiKeyIndex,
    MarketIndex: 1,
    ClientOrderIndex: 0,
    BaseAmount: 20,
    Price: 1_080_000,
    IsAsk: 0,
    Type: 0,
    TimeInForce: 2,
    ReduceOnly: 0,
    TriggerPrice: 0,
    OrderExpiry: immediate ? 0 : Date.now() + 600_000,
    ExpiredAt: Date.now() + 590_000,
    Sig: '',
    L2TxAttributes: null,
    ...fields,
  };
}

/** What a stream has brought, and the wait for more. */
export class Frames {
  readonly frames: Row[] = [];
  readonly #waiting = new Set<() => void>();

  protected take(...frames: readonly Row[]): void {
    this.frames.push(...frames);
    for (const wake of [...this.#waiting]) wake();
  }

  /** The first frame from position `from` on that satisfies the test; waits for it. */
  async next(wanted: (frame: Row) => boolean, from = 0): Promise<Row> {
    for (;;) {
      const found = this.frames.slice(from).find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

export class TestSocket extends Frames {
  closed = false;

  private constructor(readonly socket: WebSocket) {
    super();
    socket.on('message', (data: Buffer) => this.take(parseLossless(data.toString()) as Row));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.take();
    });
  }

  static async open(url: string): Promise<TestSocket> {
    const socket = new TestSocket(new WebSocket(url));
    await socket.next((frame) => frame['type'] === 'connected');
    return socket;
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async subscribe(channel: string, auth?: string): Promise<Row> {
    const from = this.frames.length;
    this.say({ type: 'subscribe', channel, auth });
    return this.next((frame) => String(frame['type']).startsWith('subscribed/') || frame['error'] !== undefined, from);
  }

  async whenClosed(): Promise<void> {
    while (!this.closed) await new Promise((resolve) => this.socket.once('close', resolve));
  }

  close(): void {
    this.socket.terminate();
  }
}
