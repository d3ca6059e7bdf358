/**
 * One connection to Redis that comes back by itself and never holds anything for later.
 *
 * Redis only ever saves latency (design §4: the durable path is Temporal), so nothing here queues, blocks or throws: while the
 * link is not live, commands are rejected at once. A server that stops answering without closing the socket is found by a heartbeat
 * and the connection is made anew. The URL may hold a password: it never reaches a log, a state or an error.
 */
import { Redis, type RedisOptions } from 'ioredis';

/** `absent`: the configuration names no Redis. */
export type LinkState = 'absent' | 'connecting' | 'live' | 'closed';

export interface RedisAccess {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
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
  /** A heartbeat unanswered for this long ends the connection; default 2 000. */
  readonly heartbeatMs?: number;
}

const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;
const HEARTBEAT_MS = 2_000;

export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #redis: Redis | undefined;
  readonly #onReady: (redis: Redis) => Promise<void>;
  readonly #heartbeat: NodeJS.Timeout | undefined;
  #state: LinkState;
  #pinging = false;

  /** `onReady` runs on every new connection before the link counts as live; the subscriber subscribes in it. */
  constructor(options: RedisLinkOptions, onReady: (redis: Redis) => Promise<void> = () => Promise.resolve()) {
    this.#options = options;
    this.#onReady = onReady;
    this.#state = options.redis === undefined ? 'absent' : 'connecting';
    if (options.redis === undefined) return;
    const redis = new Redis(options.redis.url, linkSettings(options.random ?? Math.random));
    this.#redis = redis;
    redis.on('ready', () => void this.#becomeLive(redis));
    redis.on('close', () => this.#enter('connecting'));
    redis.on('error', (error: unknown) => options.onError?.(errorCode(error)));
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
    try {
      this.#pinging = false;
      await this.#onReady(redis);
      if (redis.status === 'ready') this.#enter('live');
    } catch (error) {
      this.#options.onError?.(errorCode(error));
      if (this.#state !== 'closed') redis.disconnect(true);
    }
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

function linkSettings(random: () => number): RedisOptions {
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
    retryStrategy: (attempt) => {
      const delayMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(attempt - 1, 10));
      return Math.round(delayMs * (0.5 + random() / 2));
    },
  };
}
