/**
 * One connection to Redis that comes back by itself and never holds anything for later.
 *
 * Redis only ever saves latency (design §4: the durable path is Temporal), so nothing here queues, blocks or throws: while the
 * link is not live, commands are rejected at once. A server that stops answering without closing the socket is found by a heartbeat
 * and the connection is made anew. One that rejects our user, or what the link is for, is asked ever more slowly, and told once until it
 * takes us. The URL may hold a password: it never reaches a log, a state or an error.
 */
import { Redis, type RedisOptions } from 'ioredis';

/** `absent`: the configuration names no Redis. */
export type LinkState = 'absent' | 'connecting' | 'live' | 'closed';

export interface RedisAccess {
  /** `redis://…` or `rediss://…`, with user and password. */
  readonly url: string;
  /** ioredis's own: `sentinels`, `name`, `tls` … */
  readonly options?: RedisOptions;
  /** Signs the notices; shared by the processes of one installation, at least 16 characters. */
  readonly noticeSecret: string;
}

export interface RedisLinkOptions {
  /** Undefined when the system runs without Redis. */
  readonly redis: RedisAccess | undefined;
  /** 0 ≤ random < 1, for the jitter of reconnects. */
  readonly random?: () => number;
  readonly onState?: (state: LinkState) => void;
  /** Code of a connection error (`ECONNREFUSED`, `NOAUTH` …). Repeats on every failed attempt. */
  readonly onError?: (code: string) => void;
  /** What the connection is for: it is live once the server permits it. */
  readonly publishes?: string;
  readonly subscribes?: string;
  /** The server does not let us in, or not do that: told once until it does. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** A heartbeat unanswered for this long ends the connection; default 2 000. */
  readonly heartbeatMs?: number;
}

export interface Refusal {
  /** `NOPERM`, `NOAUTH`, `WRONGPASS`. */
  readonly code: string;
  /** What was refused: `SUBSCRIBE hedge:…`, or `AUTH`. */
  readonly command: string;
}

const REFUSALS: ReadonlySet<string> = new Set(['NOPERM', 'NOAUTH', 'WRONGPASS']);
/** Only a person can change what a refused user may do. */
const REFUSED_MS_MIN = 2_000;
const REFUSED_MS_MAX = 60_000;
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;
const HEARTBEAT_MS = 2_000;

export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #redis: Redis | undefined;
  readonly #onReady: (redis: Redis) => void;
  readonly #heartbeat: NodeJS.Timeout | undefined;
  #state: LinkState;
  #pinging = false;
  /** In a row. */
  #refusals = 0;

  /** `onReady` runs on every new connection before it subscribes: who listens says so in it. */
  constructor(options: RedisLinkOptions, onReady: (redis: Redis) => void = () => undefined) {
    this.#options = options;
    this.#onReady = onReady;
    this.#state = options.redis === undefined ? 'absent' : 'connecting';
    if (options.redis === undefined) return;
    const delayMs = (attempt: number): number => this.#delayMs(attempt);
    const redis = new Redis(options.redis.url, { ...options.redis.options, ...linkSettings(delayMs) });
    this.#redis = redis;
    redis.on('ready', () => void this.#becomeLive(redis));
    redis.on('close', () => this.#enter('connecting'));
    redis.on('error', (error: unknown) => this.#failed(error, 'AUTH'));
    redis.connect().catch(() => undefined); // reported by 'error'; the link keeps trying
    this.#heartbeat = setInterval(() => this.#beat(redis), options.heartbeatMs ?? HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The client while the link is live; undefined otherwise. */
  get live(): Redis | undefined {
    return this.#state === 'live' ? this.#redis : undefined;
  }

  /** Ends the connection at once: nothing unsent is worth waiting for. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#enter('closed');
    this.#redis?.disconnect();
  }

  async #becomeLive(redis: Redis): Promise<void> {
    const { publishes, subscribes } = this.#options;
    let command = '';
    try {
      this.#pinging = false;
      this.#onReady(redis);
      command = `PUBLISH ${publishes ?? ''}`;
      if (publishes !== undefined) await tryPublish(redis, publishes);
      command = `SUBSCRIBE ${subscribes ?? ''}`;
      if (subscribes !== undefined) await redis.subscribe(subscribes);
      if (redis.status !== 'ready') return;
      this.#refusals = 0;
      this.#enter('live');
    } catch (error) {
      this.#failed(error, command);
      if (this.#state !== 'closed') redis.disconnect(true);
    }
  }

  #failed(error: unknown, command: string): void {
    const code = errorCode(error);
    this.#options.onError?.(code);
    if (!REFUSALS.has(code)) return;
    this.#refusals += 1;
    if (this.#refusals === 1) this.#options.onRefused?.({ code, command });
  }

  #delayMs(attempt: number): number {
    const refused = this.#refusals > 0;
    const [minMs, maxMs, n] = refused
      ? [REFUSED_MS_MIN, REFUSED_MS_MAX, this.#refusals]
      : [RECONNECT_MS_MIN, RECONNECT_MS_MAX, attempt];
    const delayMs = Math.min(maxMs, minMs * 2 ** Math.min(n - 1, 10));
    return Math.round(delayMs * (0.5 + (this.#options.random ?? Math.random)() / 2));
  }

  #beat(redis: Redis): void {
    if (redis.status !== 'ready') return;
    if (this.#pinging) {
      this.#options.onError?.('HEARTBEAT');
      redis.disconnect(true);
      return;
    }
    this.#pinging = true;
    redis.ping().then(
      () => (this.#pinging = false),
      () => (this.#pinging = false),
    );
  }

  #enter(state: LinkState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

/** What failed, without the message: messages of a client library may quote addresses and credentials. */
function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  return /^[A-Z]{3,20}\b/.exec(message)?.[0] ?? 'UNKNOWN';
}

/** Whether we may publish there, without doing it: the server looks when it queues a command, and forgets it on DISCARD. */
export async function tryPublish(redis: Redis, channel: string): Promise<void> {
  await redis.multi({ pipeline: false });
  try {
    await redis.publish(channel, '');
  } finally {
    await redis.discard();
  }
}

function linkSettings(delayMs: (attempt: number) => number): RedisOptions {
  return {
    lazyConnect: true,
    // Nothing is kept for later: an old fill is on the durable path already (S-05).
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0, // what was on its way fails with its connection
    connectTimeout: 2_000,
    // A frozen server never answers our FIN; after this the socket is destroyed.
    disconnectTimeout: 200,
    noDelay: true,
    retryStrategy: delayMs,
  };
}
