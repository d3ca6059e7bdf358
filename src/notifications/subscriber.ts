/**
 * Receives notices. Owns the refusal of whatever is not news from us: malformed, forged, from another account, replayed.
 *
 * What is refused is counted and the last few are parked for inspection; the consumer lives (S-33, S-37). What is accepted is
 * still only a hint: the receiver may raise the target of an armed ticket with it, nothing else (invariant 7).
 */
import type { Redis } from 'ioredis';
import type { OrderId } from '../domain/ids';
import { keepNewest } from '../domain/keep-newest';
import type { Lots } from '../domain/lots';
import {
  decodeNotice,
  FILLS_CHANNEL,
  HEDGES_CHANNEL,
  NoticeKey,
  type NoticeChannel,
  type ReceivedNotice,
} from './notice';
import { RedisLink, type LinkState, type RedisLinkOptions } from './redis-link';

export const REFUSAL_REASONS = ['malformed', 'forged', 'foreign', 'replayed', 'handler-failed'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** A refused notice, kept for `orders`, `doctor` and the curious. */
export interface Parked {
  readonly channel: string;
  readonly reason: RefusalReason;
  /** The message, cut to `PARKED_CHARS`. */
  readonly text: string;
  readonly atMs: number;
}

export interface NoticeSubscriberOptions extends RedisLinkOptions {
  /** What to listen to, and from which account. Called in order of arrival, once per accepted notice. */
  readonly fills?: { readonly account: number; readonly handle: (notice: ReceivedNotice) => void };
  readonly hedges?: { readonly account: number; readonly handle: (notice: ReceivedNotice) => void };
  readonly onRefused?: (reason: RefusalReason, channel: string) => void;
  /** Epoch milliseconds, for the parked ring only. */
  readonly nowMs?: () => number;
}

export const PARKED_MAX = 64;
export const PARKED_CHARS = 512;
/** Orders remembered for telling replays; an older one is only hinted at again. */
const ORDERS_REMEMBERED = 4_096;

export class NoticeSubscriber {
  readonly #options: NoticeSubscriberOptions;
  readonly #link: RedisLink;
  readonly #key: NoticeKey | undefined;
  readonly #nowMs: () => number;
  readonly #newest = new Map<string, { readonly sequence: number; readonly filledLots: Lots }>();
  readonly #parked: Parked[] = [];
  readonly #refused = new Map<RefusalReason, number>();
  #accepted = 0;

  constructor(options: NoticeSubscriberOptions) {
    this.#options = options;
    this.#key = options.redis && new NoticeKey(options.redis.noticeSecret);
    this.#nowMs = options.nowMs ?? Date.now;
    this.#link = new RedisLink(options, (redis) => this.#subscribe(redis));
  }

  get state(): LinkState {
    return this.#link.state;
  }

  get accepted(): number {
    return this.#accepted;
  }

  refused(reason: RefusalReason): number {
    return this.#refused.get(reason) ?? 0;
  }

  /** Oldest first. Reading changes nothing. */
  get parked(): readonly Parked[] {
    return [...this.#parked];
  }

  close(): void {
    this.#link.close();
  }

  async #subscribe(redis: Redis): Promise<void> {
    redis.removeAllListeners('message');
    redis.on('message', (channel: string, text: string) => this.#receive(channel, text));
    const channels = [FILLS_CHANNEL, HEDGES_CHANNEL].filter((channel) => this.#consumerOf(channel) !== undefined);
    if (channels.length === 0) return;
    await redis.subscribe(...channels);
  }

  #receive(channel: string, text: string): void {
    const consumer = this.#consumerOf(channel);
    if (consumer === undefined || this.#key === undefined) return;
    const decoded = decodeNotice(consumer.channel, text, this.#key);
    if (!decoded.ok) return this.#refuse(channel, text, decoded.reason);
    const { notice } = decoded;
    if (notice.accountIndex !== consumer.account) return this.#refuse(channel, text, 'foreign');
    if (!this.#isNews(channel, notice)) return this.#refuse(channel, text, 'replayed');
    try {
      consumer.handle(notice);
      this.#accepted++;
    } catch {
      this.#refuse(channel, text, 'handler-failed');
    }
  }

  /**
   * Refuses only what can say nothing new: not later and not more. A late notice with more is news, and so is a later one with
   * as much, since its ticket may have been armed in between.
   */
  #isNews(channel: string, notice: ReceivedNotice): boolean {
    const key = orderKey(channel, notice.orderId);
    const newest = this.#newest.get(key);
    if (newest && notice.sequence <= newest.sequence && notice.filledLots <= newest.filledLots) return false;
    this.#newest.delete(key); // so that a Map's order is "least recently heard of first"
    this.#newest.set(key, {
      sequence: Math.max(notice.sequence, newest?.sequence ?? 0),
      filledLots: newest && newest.filledLots > notice.filledLots ? newest.filledLots : notice.filledLots,
    });
    keepNewest(this.#newest, ORDERS_REMEMBERED);
    return true;
  }

  #refuse(channel: string, text: string, reason: RefusalReason): void {
    this.#refused.set(reason, this.refused(reason) + 1);
    this.#parked.push({ channel, reason, text: text.slice(0, PARKED_CHARS), atMs: this.#nowMs() });
    if (this.#parked.length > PARKED_MAX) this.#parked.shift();
    this.#options.onRefused?.(reason, channel);
  }

  #consumerOf(
    channel: string,
  ): { channel: NoticeChannel; account: number; handle: (notice: ReceivedNotice) => void } | undefined {
    const { fills, hedges } = this.#options;
    if (channel === FILLS_CHANNEL && fills) return { channel: FILLS_CHANNEL, ...fills };
    if (channel === HEDGES_CHANNEL && hedges) return { channel: HEDGES_CHANNEL, ...hedges };
    return undefined;
  }
}

function orderKey(channel: string, orderId: OrderId): string {
  return `${channel} ${orderId}`;
}
