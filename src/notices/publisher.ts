/**
 * Publishes notices. Owns the sequence numbers and the bound on what may be on its way to Redis.
 *
 * Must never be awaited and never throws: it runs between reading a frame and hedging it (S-39). While Redis is down, slow or
 * absent, notices are dropped and counted; the durable path hedges (S-05).
 */
import type { Redis } from 'ioredis';
import { systemClock, type Clock } from '../clock';
import {
  encodeNotice,
  FILLS_CHANNEL,
  HEDGES_CHANNEL,
  NoticeKey,
  type NoticeChannel,
  type OutgoingNotice,
} from './notice';
import { RedisLink, type LinkState, type RedisLinkOptions } from './redis-link';

export interface NoticePublisherOptions extends RedisLinkOptions {
  readonly clock?: Pick<Clock, 'epochMs'>;
  /** Notices written but not yet answered by Redis; beyond it they are dropped. Default 1 000. */
  readonly inFlightMax?: number;
}

/** `sent`: written to Redis, which may yet fail; `dropped`: Redis is away or behind; `absent`: there is none by configuration. */
export type Publication = 'sent' | 'dropped' | 'absent';

export interface PublisherCounts {
  /** Answered by Redis. */
  readonly published: number;
  /** Never left, or left without an answer. */
  readonly dropped: number;
  readonly inFlight: number;
}

const IN_FLIGHT_MAX = 1_000;

export class NoticePublisher {
  readonly #link: RedisLink;
  readonly #key: NoticeKey | undefined;
  readonly #clock: Pick<Clock, 'epochMs'>;
  readonly #inFlightMax: number;
  #sequence = 0;
  #published = 0;
  #dropped = 0;
  #inFlight = 0;

  constructor(options: NoticePublisherOptions) {
    this.#key = options.redis && new NoticeKey(options.redis.noticeSecret);
    this.#clock = options.clock ?? systemClock;
    this.#inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX;
    this.#link = new RedisLink(options);
  }

  get state(): LinkState {
    return this.#link.state;
  }

  get counts(): PublisherCounts {
    return { published: this.#published, dropped: this.#dropped, inFlight: this.#inFlight };
  }

  /** All fills of one frame, in one pipeline. */
  publishFills(fills: readonly OutgoingNotice[]): Publication {
    return this.#publish(FILLS_CHANNEL, fills);
  }

  /** This much of a maker order is hedged. */
  publishHedge(hedge: OutgoingNotice): void {
    this.#publish(HEDGES_CHANNEL, [hedge]);
  }

  close(): void {
    this.#link.close();
  }

  #publish(channel: NoticeChannel, notices: readonly OutgoingNotice[]): Publication {
    const redis = this.#link.live;
    const key = this.#key;
    if (redis === undefined || key === undefined || this.#inFlight + notices.length > this.#inFlightMax) {
      if (this.#link.state === 'absent') return 'absent';
      this.#dropped += notices.length;
      return 'dropped';
    }
    const texts = notices.map((notice) => {
      const sentAtUs = Math.floor(this.#clock.epochMs() * 1_000);
      return encodeNotice({ channel, notice, key, sequence: this.#nextSequence(sentAtUs), sentAtUs });
    });
    this.#send(redis, channel, texts);
    return 'sent';
  }

  #send(redis: Redis, channel: NoticeChannel, texts: readonly string[]): void {
    this.#inFlight += texts.length;
    void publish(redis, channel, texts).then((published) => this.#resolve(texts.length, published));
  }

  #resolve(sent: number, published: number): void {
    this.#inFlight -= sent;
    this.#published += published;
    this.#dropped += sent - published;
  }

  /** Starts at the clock, so that it also rises from one process to the next. */
  #nextSequence(nowUs: number): number {
    this.#sequence = Math.max(this.#sequence + 1, nowUs);
    return this.#sequence;
  }
}

/** How many of them Redis took. Never rejects. */
export function publish(redis: Redis, channel: string, texts: readonly string[]): Promise<number> {
  const pipeline = redis.pipeline();
  for (const text of texts) pipeline.publish(channel, text);
  return pipeline.exec().then(
    (answers) => answers?.filter(([error]) => error === null).length ?? 0,
    () => 0,
  );
}
