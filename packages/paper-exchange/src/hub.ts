/**
 * Who listens to what. A frame is rendered once and the same bytes go to every subscriber; a channel nobody listens to costs one
 * map look-up. Frame faults bite here, per connection and frame.
 *
 * A frame to a crowd goes out in portions, a turn of the event loop each, so that nobody's transaction waits for a thousand
 * writes of a public book. Within a channel the order holds; frames of small channels pass between the portions.
 */
import type { WebSocket } from 'ws';
import type { FaultPlan } from './faults';
import { packed } from './wire/msgpack';

/** A consumer that lets this much pile up is cut, as the exchange does with slow ones (LP §5.2). */
const backlogMaxBytes = 16 * 1024 * 1024;

/** Written in one turn at most: about a millisecond of writes. */
const portionMax = 100;
/** With more frames than this under way the crowd is served at once: the backlog must not grow without end. */
const underWayMax = 64;

/** Canonical channel name: `account_orders:1:516`. Frames may show a shorter one. */
export type ChannelKey = string;

/** What the URL of a stream asks for (LP §5.1). */
export interface StreamQuery {
  readonly encoding: 'json' | 'msgpack';
  /** False with `readonly=true`. */
  readonly mayTransact: boolean;
  /** `auth`: for subscriptions that bring none. */
  readonly token: string | undefined;
}

/** `server` only chooses among the exchange's own machines; `flush_interval` of a subscription is accepted and ignored. */
export function queryOf(params: URLSearchParams): StreamQuery {
  return {
    encoding: params.get('encoding') === 'msgpack' ? 'msgpack' : 'json',
    mayTransact: params.get('readonly') !== 'true',
    token: params.get('auth') ?? undefined,
  };
}

export class Connection {
  readonly channels = new Set<ChannelKey>();
  lastClientFrameMs: number;
  silentUntilMs = 0;
  /** Transactions that came and are not answered yet: more than one only while a fault holds answers back. */
  inFlight = 0;
  /** Only with `?server_pings=true` (LP §5.2): when the last ping went out, and whether it was answered. */
  serverPing: { sentAtMs: number; answered: boolean } | undefined;
  #held: string | Buffer | undefined;
  readonly #messageTimes: number[] = [];

  constructor(
    readonly socket: WebSocket,
    readonly address: string,
    private readonly faults: FaultPlan,
    private readonly nowMs: () => number,
    readonly query: StreamQuery = { encoding: 'json', mayTransact: true, token: undefined },
  ) {
    this.lastClientFrameMs = nowMs();
  }

  /** Sends a channel's frame, through the fault plan. */
  deliver(channel: ChannelKey, data: string | Buffer): void {
    const fault = this.faults.has('frame') ? this.faults.take('frame', factsOfChannel(channel)) : undefined;
    switch (fault?.action) {
      case undefined:
        this.send(data);
        break;
      case 'repeat':
        this.send(data);
        this.send(data);
        break;
      case 'null':
        for (let count = 0; count < 3; count += 1) this.send('null');
        this.send(data);
        break;
      case 'delay':
        setTimeout(() => this.send(data), fault?.ms ?? 0);
        return;
      case 'reorder':
        this.#held = data;
        return;
      default:
        return;
    }
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.send(held);
  }

  /** Sends now; never throws for a socket that is gone. */
  send(data: string | Buffer): void {
    if (this.socket.readyState !== this.socket.OPEN || this.isSilent()) return;
    if (this.socket.bufferedAmount > backlogMaxBytes) {
      this.socket.terminate();
      return;
    }
    if (this.query.encoding === 'msgpack') this.socket.send(packed(data), { binary: true });
    else this.socket.send(data, { binary: false });
  }

  isSilent(): boolean {
    return this.silentUntilMs > this.nowMs();
  }

  /** Counts a client message; how many came within the last minute. */
  countMessage(): number {
    const nowMs = this.nowMs();
    const times = this.#messageTimes;
    times.push(nowMs);
    while (times.length > 0 && (times[0] ?? nowMs) < nowMs - 60_000) times.shift();
    return times.length;
  }
}

/** A frame on its way to a crowd. */
interface UnderWay {
  readonly channel: ChannelKey;
  readonly data: Buffer;
  readonly sequence: number;
  readonly receivers: readonly Connection[];
  next: number;
}

export class Hub {
  readonly connections = new Set<Connection>();
  /** Members with the sequence of the last frame before they joined: their first frame already contains it. */
  readonly #channels = new Map<ChannelKey, Map<Connection, number>>();
  readonly #underWay: UnderWay[] = [];
  #sequence = 0;

  join(channel: ChannelKey, connection: Connection): void {
    const members = this.#channels.get(channel);
    if (members === undefined) this.#channels.set(channel, new Map([[connection, this.#sequence]]));
    else members.set(connection, this.#sequence);
    connection.channels.add(channel);
  }

  leave(channel: ChannelKey, connection: Connection): void {
    connection.channels.delete(channel);
    const members = this.#channels.get(channel);
    if (members?.delete(connection) === true && members.size === 0) this.#channels.delete(channel);
  }

  remove(connection: Connection): void {
    for (const channel of [...connection.channels]) this.leave(channel, connection);
    this.connections.delete(connection);
  }

  /** Open connections from one address. */
  countFrom(address: string): number {
    let count = 0;
    for (const connection of this.connections) if (connection.address === address) count += 1;
    return count;
  }

  has(channel: ChannelKey): boolean {
    return this.#channels.has(channel);
  }

  channelsNow(): IterableIterator<ChannelKey> {
    return this.#channels.keys();
  }

  publish(channel: ChannelKey, text: string): void {
    const members = this.#channels.get(channel);
    if (members === undefined) return;
    this.#sequence += 1;
    const isWaiting = this.#underWay.some((frame) => frame.channel === channel);
    if (members.size <= portionMax && !isWaiting) {
      const data = members.size > 1 ? Buffer.from(text) : text;
      for (const connection of members.keys()) connection.deliver(channel, data);
      return;
    }
    const receivers = [...members.keys()];
    this.#underWay.push({ channel, data: Buffer.from(text), sequence: this.#sequence, receivers, next: 0 });
    while (this.#underWay.length > underWayMax) this.#deliverPortion();
    if (this.#underWay.length === 1) this.#deliverOnTurns();
  }

  #deliverOnTurns(): void {
    this.#deliverPortion();
    if (this.#underWay.length > 0) setImmediate(() => this.#deliverOnTurns());
  }

  #deliverPortion(): void {
    const [frame] = this.#underWay;
    if (frame === undefined) return;
    const portion = frame.receivers.slice(frame.next, frame.next + portionMax);
    frame.next += portion.length;
    if (frame.next >= frame.receivers.length) this.#underWay.shift();
    const members = this.#channels.get(frame.channel);
    for (const connection of portion) {
      const joinedAfter = members?.get(connection);
      if (joinedAfter !== undefined && joinedAfter < frame.sequence) connection.deliver(frame.channel, frame.data);
    }
  }
}

export function factsOfChannel(channel: ChannelKey): { readonly channel: string; readonly accountIndex?: number } {
  const parts = channel.split(':');
  const account = Number(parts[parts.length - 1]);
  const isPrivate = channel.startsWith('account_') || channel.startsWith('user_') || channel.startsWith('notification');
  return isPrivate && Number.isSafeInteger(account) ? { channel, accountIndex: account } : { channel };
}
