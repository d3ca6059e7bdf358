/**
 * The WebSocket face on `/stream` (LP §5): hello, subscriptions, keep-alive, transactions. One bad message never costs more than
 * an error frame, one bad connection never more than itself.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import type { Authenticator } from './auth';
import type { Channel, Channels } from './channels';
import { refuse, textOfCode } from './core/codes';
import type { Refusal } from './core/codes';
import { isFields } from './core/tx';
import type { TxFields } from './core/tx';
import { matches } from './faults';
import type { FaultPlan } from './faults';
import { Connection, factsOfChannel, queryOf } from './hub';
import type { Hub } from './hub';
import type { RequestGate } from './limits';
import type { PaperLogger } from './options';
import { factsOf, isRefusal } from './submissions';
import type { SubmissionInput, Submissions } from './submissions';
import type { Spent } from './volume-quota';
import { encode, parseLossless } from './wire/json';
import type { Json } from './wire/json';

/** A client must send something at least this often (LP §5.2). */
const idleMaxMs = 120_000;
/** With `?server_pings=true` (LP §5.2). */
const serverPingMs = 60_000;
const payloadMaxBytes = 1_048_576;
const batchMax = 15;

export class StreamServer {
  readonly #server: WebSocketServer;

  constructor(
    private readonly hub: Hub,
    private readonly channels: Channels,
    private readonly auth: Authenticator,
    private readonly submissions: Submissions,
    private readonly faults: FaultPlan,
    private readonly gate: RequestGate,
    /** Wall clock: moving the exchange's own clock must not make connections look idle. */
    private readonly now: () => number,
    private readonly logger: PaperLogger,
  ) {
    // Pings are answered by hand, so that a silenced connection does not even pong.
    this.#server = new WebSocketServer({ noServer: true, maxPayload: payloadMaxBytes, autoPong: false });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://paper');
    const address = request.socket.remoteAddress ?? '';
    if (path !== '/stream' || !this.gate.mayConnect(address, () => this.hub.countFrom(address))) {
      socket.end(
        `HTTP/1.1 ${path === '/stream' ? '429 Too Many Requests' : '404 Not Found'}\r\nConnection: close\r\n\r\n`,
      );
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#accept(webSocket, address, searchParams);
    });
  }

  /** Closes connections whose client has been quiet for too long, and pings those that asked for it. */
  keepAlive(): void {
    const nowMs = this.now();
    for (const connection of this.hub.connections) {
      pingByServer(connection, nowMs);
      if (nowMs - connection.lastClientFrameMs > idleMaxMs) connection.socket.close(1008, 'no ping');
      if (nowMs - connection.lastClientFrameMs > idleMaxMs + 10_000) connection.socket.terminate();
    }
  }

  /** `stream` faults bite at once on the connections that are open (docs/paper-exchange.md, "Faults"). */
  applyStreamFaults(): void {
    for (const connection of [...this.hub.connections]) this.#applyStreamFault(connection);
  }

  close(): void {
    for (const connection of this.hub.connections) connection.socket.terminate();
    this.#server.close();
  }

  #accept(socket: WebSocket, address: string, params: URLSearchParams): void {
    const connection = new Connection(socket, address, this.faults, this.now, queryOf(params));
    if (params.get('server_pings') === 'true') connection.serverPing = { sentAtMs: this.now(), answered: true };
    this.hub.connections.add(connection);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.hub.remove(connection));
    socket.on('ping', (data: Buffer) => {
      connection.lastClientFrameMs = this.now();
      if (!connection.isSilent()) socket.pong(data);
    });
    socket.on('message', (data: RawData) => {
      connection.lastClientFrameMs = this.now();
      try {
        this.#receive(connection, textOf(data));
      } catch (error) {
        // Our own bug: it costs this message, not the exchange.
        this.logger.warn({ error: String(error) }, 'message failed');
        sendError(connection, refuse(29500));
      }
    });
    connection.send(`{"session_id":"${randomUUID()}","type":"connected"}`);
  }

  #receive(connection: Connection, text: string): void {
    let message: unknown;
    try {
      message = parseLossless(text);
    } catch {
      return sendError(connection, refuse(30000));
    }
    if (!isFields(message)) return sendError(connection, refuse(30000));
    const { type } = message;
    if (type === 'jsonapi/sendtx' || type === 'jsonapi/sendtxbatch')
      return this.#transact(connection, type, message['data']);
    if (!this.gate.mayMessage(connection.countMessage())) return sendError(connection, refuse(30009));
    switch (type) {
      case 'ping':
        return connection.send('{"type":"pong"}');
      case 'pong':
        if (connection.serverPing !== undefined) connection.serverPing.answered = true;
        return undefined;
      case 'subscribe':
        return this.#subscribe(connection, message);
      case 'unsubscribe':
        return this.#unsubscribe(connection, message);
      default:
        return sendError(connection, refuse(30001));
    }
  }

  #subscribe(connection: Connection, message: TxFields): void {
    const { channel: name, auth = connection.query.token } = message;
    if (typeof name !== 'string') return sendError(connection, refuse(30005));
    const channel = this.channels.resolve(name);
    if (isRefusal(channel)) return sendError(connection, channel);
    if (connection.channels.has(channel.key)) {
      return sendError(connection, refuse(30003, `Already Subscribed to : ${channel.shownAs}`));
    }
    const fault = this.faults.take('subscribe', factsOfChannel(channel.key));
    if (fault?.action === 'silence') return undefined;
    if (fault !== undefined) return sendError(connection, { code: fault.code, message: textOfCode(fault.code) });
    const refusal =
      this.#mayRead(channel, typeof auth === 'string' ? auth : undefined) ?? this.#mayJoin(connection, channel);
    if (refusal !== undefined) return sendError(connection, refusal);
    const first = channel.first();
    this.hub.join(channel.key, connection);
    if (first !== undefined) connection.deliver(channel.key, first);
    if (this.faults.has('stream')) this.#applyStreamFault(connection);
  }

  #mayRead(channel: Channel, token: string | undefined): Refusal | undefined {
    if (channel.owner === undefined) return undefined;
    const checked = this.auth.check(token, `auth field is required: ${channel.shownAs}`);
    if (!checked.ok) return checked.refusal;
    return this.auth.mayRead(checked.accountIndex, channel.owner)
      ? undefined
      : refuse(20013, 'invalid auth: invalid account');
  }

  #mayJoin(connection: Connection, channel: Channel): Refusal | undefined {
    const accounts = new Set<number>();
    for (const joined of connection.channels) {
      const { accountIndex } = factsOfChannel(joined);
      if (accountIndex !== undefined) accounts.add(accountIndex);
    }
    if (channel.accountIndex !== undefined) accounts.add(channel.accountIndex);
    return this.gate.maySubscribe(connection.channels.size, accounts.size);
  }

  #unsubscribe(connection: Connection, message: TxFields): void {
    const { channel: name } = message;
    if (typeof name !== 'string') return sendError(connection, refuse(30005));
    const channel = this.channels.resolve(name);
    if (isRefusal(channel)) return sendError(connection, channel);
    if (!connection.channels.has(channel.key)) {
      return sendError(connection, refuse(30002, `Not Subscribed to : ${channel.shownAs}`));
    }
    this.hub.leave(channel.key, connection);
    // With these blanks, as recorded (LP §5.3).
    connection.send(`{"type": "unsubscribed", "channel": "${channel.shownAs}"}`);
  }

  #transact(connection: Connection, type: 'jsonapi/sendtx' | 'jsonapi/sendtxbatch', data: unknown): void {
    if (!isFields(data)) return sendError(connection, refuse(21501));
    // Which refusal a read-only stream answers is not recorded (LP §5.1).
    if (!connection.query.mayTransact) return sendError(connection, refuse(30006), idOf(data['id']));
    const id = idOf(data['id']);
    const inputs = type === 'jsonapi/sendtx' ? singleOf(data) : batchOf(data);
    if (isRefusal(inputs)) return sendError(connection, inputs, inputs.code === 21501 ? undefined : id);
    const facts = factsOf(`/stream/${type}`, inputs[0]);
    if (!this.gate.mayWait(connection.inFlight)) return sendError(connection, refuse(30010), id);
    connection.inFlight += 1;
    const answer = (text?: string): void => {
      connection.inFlight -= 1;
      if (text !== undefined) connection.send(text);
    };
    const act = (): void => {
      const text = this.#run(connection, type, inputs, id);
      const fault = this.faults.take('response', facts);
      if (fault?.action === 'delay') setTimeout(() => answer(text), fault.ms);
      else answer(fault?.action === 'drop' ? undefined : text);
    };
    const fault = this.faults.take('request', facts);
    switch (fault?.action) {
      case undefined:
        return act();
      case 'delay':
        setTimeout(act, fault.ms);
        return undefined;
      case 'answer':
        return answer(errorText({ code: fault.code, message: textOfCode(fault.code) }, id));
      default:
        return answer();
    }
  }

  #run(
    connection: Connection,
    type: 'jsonapi/sendtx' | 'jsonapi/sendtxbatch',
    inputs: readonly SubmissionInput[],
    id: string | undefined,
  ): string {
    const refused = this.gate.maySubmit(inputs, connection.address) ?? this.gate.quota.refusal(inputs);
    if (refused !== undefined) return errorText(refused, id);
    const [first] = inputs;
    if (type === 'jsonapi/sendtx' && first !== undefined) {
      const answer = this.submissions.submit(first, 'on');
      if (!answer.ok) return errorText(answer.refusal, id);
      return successText(type, id, answer.hash, answer.predictedMs, this.gate.quota.spend(inputs));
    }
    const answer = this.submissions.submitBatch(inputs, 'on');
    if (!answer.ok) return errorText(answer.refusal, id);
    return successText(type, id, answer.hashes, answer.predictedMs, this.gate.quota.spend(inputs));
  }

  #applyStreamFault(connection: Connection): void {
    const facts = [...connection.channels].map((channel) => factsOfChannel(channel));
    const fault = this.faults
      .list()
      .find((one) => one.on === 'stream' && (facts.some((fact) => matches(one.match, fact)) || isForAll(one.match)));
    if (fault === undefined) return;
    this.faults.use(fault);
    if (fault.action === 'cut') connection.socket.terminate();
    else if (fault.action === 'shutdown') shutDown(connection, fault.ms);
    else connection.silentUntilMs = this.now() + fault.ms;
  }
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function pingByServer(connection: Connection, nowMs: number): void {
  const ping = connection.serverPing;
  if (ping === undefined || nowMs - ping.sentAtMs < serverPingMs) return;
  if (!ping.answered) {
    connection.socket.close(1008, 'no pong');
    return;
  }
  connection.serverPing = { sentAtMs: nowMs, answered: false };
  connection.send('{"type":"ping"}');
}

/** The announced close (LP §5.2). */
function shutDown(connection: Connection, closeInMs: number): void {
  connection.send(`{"type":"shutdown","close_in_ms":${closeInMs}}`);
  setTimeout(() => connection.socket.close(1001, 'going away'), closeInMs).unref();
}

function isForAll(match: object): boolean {
  return Object.values(match).every((value) => value === undefined);
}

function singleOf(data: TxFields): readonly SubmissionInput[] | Refusal {
  const { tx_type: txType, tx_info: info } = data;
  if (typeof txType !== 'number' || !isFields(info)) return refuse(21501);
  return [{ txType, info }];
}

/** Both lists come as JSON texts (LP §5.7). */
function batchOf(data: TxFields): readonly SubmissionInput[] | Refusal {
  return parseBatch(data['tx_types'], data['tx_infos'], batchMax);
}

export function parseBatch(typesText: unknown, infosText: unknown, max: number): readonly SubmissionInput[] | Refusal {
  const types = listOf(typesText);
  const infos = listOf(infosText);
  if (types === undefined || infos === undefined) return refuse(21501);
  if (types.length !== infos.length) return refuse(21513);
  if (types.length > max) return refuse(21514, `maximum ${max} transactions allowed per batch`);
  return types.map((txType, index) => {
    const info = infos[index];
    // Anything but a number and a text is 21501 like any other unreadable transaction.
    return { txType: typeof txType === 'number' ? txType : NaN, info: typeof info === 'string' ? info : undefined };
  });
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value !== 'string') return undefined;
  try {
    const parsed = parseLossless(value);
    return Array.isArray(parsed) ? (parsed as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

function successText(type: string, id: string | undefined, hash: Json, predictedMs: number, { left }: Spent): string {
  return encode({
    ...{ code: 200, id, predicted_execution_time_ms: predictedMs, tx_hash: hash, type },
    volume_quota_remaining: left,
  });
}

/** Error frames carry neither type nor channel (LP §5.3, §5.7). */
function errorText(refusal: Refusal, id?: string): string {
  return encode({ error: { code: refusal.code, message: refusal.message }, id });
}

function sendError(connection: Connection, refusal: Refusal, id?: string): void {
  connection.send(errorText(refusal, id));
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
}
