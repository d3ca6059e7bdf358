/**
 * One WebSocket connection to Lighter, kept alive and reopened for ever (LP §5).
 *
 * Owns: the `connected` handshake, keep-alive both ways, back-off, and `jsonapi/sendtx`; which frame answers it is found in
 * pending-answers.ts. It knows no channel: what is subscribed, and what a frame means, is its owner's. It never resends a transaction.
 *
 * Hot path: `send` writes the bytes to the socket before it returns; nothing is awaited between the call and the write.
 */
import { WebSocket } from 'ws';
import type { Clock } from '../../clock';
import type { SocketOptions } from './approach';
import { isFirewallPage } from './blocked-paths';
import type { Log } from './log';
import { Backoff } from './pauses';
import { field, numberField, reasonOf, shorten, stringField, type Answered } from './errors';
import type { HostLimit } from './host-limit';
import { PendingAnswers } from './pending-answers';
import type { SessionTimes } from './session-times';
import type { LighterSignedTx } from './signer';

/** A frame for the owner: parsed JSON with the moment at which its bytes arrived. */
export interface Frame {
  readonly type: string;
  readonly channel: string;
  readonly body: unknown;
  readonly receivedAtMs: number;
}

export interface SessionHandlers {
  /** The server has greeted: subscribe now. Called once per connection. */
  readonly onOpen: () => void;
  readonly onFrame: (frame: Frame) => void;
  /** An error frame that is not known to answer a submission: about a subscription, say, but it names none (LP §5.3). */
  readonly onError: (error: { readonly code: number; readonly message: string }) => void;
  readonly onDown: (reason: string) => void;
  /** The server will close this connection (LP §5.2). */
  readonly onShutdown?: (closeInMs: number) => void;
  readonly onMalformed: (reason: string) => void;
}

export interface SessionOptions {
  readonly url: string;
  readonly socket?: SocketOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly limit: HostLimit;
  readonly handlers: SessionHandlers;
}

const PING = '{"type":"ping"}';
const PONG = '{"type":"pong"}';
const REFUSED_MS_MAX = 60_000;
const FRAME_BYTES_MAX = 32 * 1024 * 1024;

export class Session {
  #socket: WebSocket | undefined;
  #greeted = false;
  #closed = false;
  #retired = false;
  #nextId = 1;
  #lastReceivedMs = 0;
  #lastSentMs = 0;
  /** When the last sign of life was asked for on this connection. */
  #askedAtMs: number | undefined;
  #cancelWatch: () => void = () => undefined;
  #cancelRetry: () => void = () => undefined;
  readonly #answers: PendingAnswers;
  readonly #backoff: Backoff;
  /** While a firewall refuses the handshake: who knocks on is kept out longer (LP §6.1). */
  readonly #refused: Backoff;

  constructor(private readonly options: SessionOptions) {
    const { clock, limit, times } = options;
    this.#answers = new PendingAnswers({ clock, limit, sendMs: times.sendMs });
    this.#backoff = new Backoff(options.clock, { minMs: times.reconnectMinMs, maxMs: times.reconnectMaxMs });
    this.#refused = new Backoff(options.clock, { minMs: times.reconnectMaxMs, maxMs: REFUSED_MS_MAX });
  }

  get isOpen(): boolean {
    return this.#greeted && this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Submissions whose answer is still out. */
  get inFlight(): number {
    return this.#answers.size;
  }

  open(): void {
    if (!this.#closed && this.#socket === undefined) this.#connectWhenAllowed();
  }

  /** The connection does what it is for: the next failure starts with the shortest back-off again. */
  markHealthy(): void {
    this.#backoff.reset();
  }

  /** Sends a JSON text (a subscription); false when there is no open connection. */
  write(text: string): boolean {
    if (!this.isOpen) return false;
    this.#write(text);
    return true;
  }

  /** Undefined when there is no connection to rely on: nothing was sent, the caller may use another way. */
  send(tx: LighterSignedTx): Promise<Answered> | undefined {
    if (!this.isOpen || this.#retired || this.#isSuspect()) return undefined;
    const id = String(this.#nextId++);
    this.#write(`{"type":"jsonapi/sendtx","data":{"id":"${id}","tx_type":${tx.txType},"tx_info":${tx.txInfo()}}}`);
    this.options.limit.onRequest('sendTx');
    return this.#awaitAnswer(id, tx.txHash);
  }

  /** Takes no more submissions, and is not reopened once it has closed: another one takes over. */
  retire(): void {
    this.#retired = true;
    this.#cancelRetry();
  }

  /** Drops the connection; it is reopened after the usual back-off. */
  reconnect(reason: string): void {
    this.#down(reason);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    const socket = this.#socket;
    this.#detach('closed');
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(200, () => socket.terminate());
      socket.once('close', () => {
        cancel();
        resolve();
      });
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
      else socket.close(1000);
    });
  }

  /** A handshake is a request like any other: while the exchange limits us it stays away too. */
  #connectWhenAllowed(): void {
    this.#cancelRetry();
    const heldMs = this.options.limit.remainingMs();
    if (heldMs === 0) this.#connect();
    else this.#cancelRetry = this.options.clock.after(heldMs + 1, () => this.#connectWhenAllowed());
  }

  #connect(): void {
    const { url, times, socket: how } = this.options;
    // Compression costs latency on every frame and buys nothing on small ones.
    const socket = new WebSocket(url, {
      ...how,
      perMessageDeflate: false,
      handshakeTimeout: times.connectMs,
      maxPayload: FRAME_BYTES_MAX,
      skipUTF8Validation: true,
    });
    this.#socket = socket;
    this.#greeted = false;
    this.#askedAtMs = undefined;
    this.#lastReceivedMs = this.options.clock.monotonicMs();
    const current = (): boolean => this.#socket === socket;
    socket.on('open', () => {
      if (current()) this.#lastSentMs = this.options.clock.monotonicMs();
    });
    socket.on('message', (data: Buffer) => {
      if (current()) this.#received(data);
    });
    // A WebSocket-level ping is a sign of life too; the library answers it by itself.
    socket.on('ping', () => {
      if (current()) this.#lastReceivedMs = this.options.clock.monotonicMs();
    });
    socket.on('unexpected-response', (request, { statusCode: httpStatus = 0, headers }) => {
      const isPage = isFirewallPage(httpStatus, undefined, '');
      this.options.limit.saw({ where: '/stream', httpStatus, retryAfter: headers['retry-after'], isPage });
      request.destroy();
      const page = isPage ? ", a firewall's page" : '';
      if (current())
        this.#down(`the handshake was answered with HTTP ${httpStatus}${page}`, isPage ? this.#refused : this.#backoff);
    });
    socket.on('error', (error) => {
      if (current()) this.#down(reasonOf(error));
    });
    socket.on('close', (code, reason) => {
      if (current()) this.#down(`closed by the server: ${code} ${shorten(reason.toString())}`.trim());
    });
    this.#cancelWatch = this.options.clock.after(times.connectMs, () => this.#down('no greeting within the deadline'));
  }

  #received(data: Buffer): void {
    const receivedAtMs = this.options.clock.monotonicMs();
    this.#lastReceivedMs = receivedAtMs;
    let body: unknown;
    try {
      body = JSON.parse(data.toString());
    } catch {
      this.options.handlers.onMalformed('frame is not JSON');
      return;
    }
    if (body === null) return; // the exchange sends some, and means nothing by them (LP §5.2)
    const type = stringField(body, 'type');
    const id = idOf(body);
    if (id !== undefined && (type?.startsWith('jsonapi/') === true || field(body, 'error') !== undefined)) {
      this.#answers.answered(id, body);
    } else if (field(body, 'error') !== undefined || type === 'error') {
      this.#errorWithoutId(body);
    } else if (type === 'connected') {
      this.#greet();
    } else if (type === 'ping') {
      this.#write(PONG);
    } else if (type === 'shutdown') {
      this.options.handlers.onShutdown?.(numberField(body, 'close_in_ms') ?? 0);
    } else if (type === undefined) {
      this.options.handlers.onMalformed('frame without type');
    } else if (type !== 'pong') {
      this.options.handlers.onFrame({ type, channel: stringField(body, 'channel') ?? '', body, receivedAtMs });
    }
  }

  #greet(): void {
    if (this.#greeted) return;
    this.#greeted = true;
    this.#refused.reset();
    this.options.limit.saw({ where: '/stream' });
    this.#cancelWatch();
    this.#watch();
    this.options.handlers.onOpen();
  }

  /** Asks for a sign of life when the server was quiet, and for none when it was not. */
  #watch(): void {
    const { clock, times } = this.options;
    const quietMs = clock.monotonicMs() - this.#lastReceivedMs;
    const untilMs = Math.max(1, Math.min(times.quietMs - quietMs, times.idleMs));
    this.#cancelWatch = clock.after(untilMs, () => {
      const now = clock.monotonicMs();
      if (now - this.#lastReceivedMs >= times.quietMs) {
        this.#probe(times.pongMs);
        return;
      }
      if (now - this.#lastSentMs >= times.idleMs) this.#write(PING);
      this.#watch();
    });
  }

  /** Any frame counts as the answer: what matters is that the socket still carries something. */
  #probe(deadlineMs: number): void {
    const { clock } = this.options;
    this.#cancelWatch();
    const askedAtMs = clock.monotonicMs();
    this.#askedAtMs = askedAtMs;
    this.#write(PING);
    this.#cancelWatch = clock.after(deadlineMs, () => {
      if (this.#lastReceivedMs >= askedAtMs) this.#watch();
      else this.#down(`open but silent: no answer to a ping within ${deadlineMs} ms`);
    });
  }

  #isSuspect(): boolean {
    const askedAtMs = this.#askedAtMs;
    if (askedAtMs === undefined || this.#lastReceivedMs >= askedAtMs) return false;
    return this.options.clock.monotonicMs() - askedAtMs > this.options.times.suspectMs;
  }

  async #awaitAnswer(id: string, txHash: string): Promise<Answered> {
    const { clock, times } = this.options;
    const socket = this.#socket;
    const sentAtMs = clock.monotonicMs();
    const cancelProbe = clock.after(times.probeMs, () => {
      // Half-open sockets show first on the thing that matters most; do not wait for the ordinary watch (S-34).
      if (this.#socket === socket && this.#lastReceivedMs < sentAtMs) this.#probe(times.probeMs);
    });
    try {
      return await this.#answers.wait(id, txHash);
    } finally {
      cancelProbe();
    }
  }

  #errorWithoutId(body: unknown): void {
    const error = this.#answers.errorWithoutId(body);
    if (error !== undefined) this.options.handlers.onError(error);
  }

  #write(text: string): void {
    this.#lastSentMs = this.options.clock.monotonicMs();
    this.#socket?.send(text, (error) => {
      if (error) this.options.log.debug({ reason: reasonOf(error) }, 'a frame was not written');
    });
  }

  #down(reason: string, backoff = this.#backoff): void {
    const socket = this.#socket;
    if (socket === undefined || this.#closed) return;
    this.#detach(reason);
    socket.terminate();
    if (!this.#retired) {
      const delayMs = backoff.nextMs();
      this.options.log.warn({ reason, delayMs: Math.round(delayMs) }, 'connection lost; will reconnect');
      this.#cancelRetry = this.options.clock.after(delayMs, () => this.#connectWhenAllowed());
    }
    this.options.handlers.onDown(reason);
  }

  /** Forgets the socket; whatever was out on it is unknown from here on. */
  #detach(reason: string): void {
    this.#cancelWatch();
    this.#socket?.on('error', () => undefined); // terminating a half-open handshake emits one
    this.#socket = undefined;
    this.#greeted = false;
    this.#answers.lose(reason);
  }
}

function idOf(body: unknown): string | undefined {
  const id = field(body, 'id');
  return typeof id === 'number' ? String(id) : typeof id === 'string' && id !== '' ? id : undefined;
}
