/**
 * Receives notices of fills. Owns the rejection of whatever is not news from us: malformed, forged, from another account, replayed.
 *
 * What is rejected is told by its reason; the consumer lives (S-33, S-37). What is accepted is still only a hint: the receiver may
 * raise the target of an armed ticket with it, nothing else (invariant 7).
 */
import type { Redis } from 'ioredis';
import type { OrderId } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import type { Lots } from '../domain/lots';
import { decodeNotice, FILLS_CHANNEL, NoticeKey, type ReceivedNotice } from './notice';
import { RedisLink, type LinkState, type RedisLinkOptions } from './redis-link';

export type RejectionReason = 'malformed' | 'forged' | 'foreign' | 'replayed' | 'handler-failed';

export interface NoticeSubscriberOptions extends RedisLinkOptions {
  /** Whose fills, and what takes them: called in order of arrival, once per accepted notice. */
  readonly fills: { readonly account: number; readonly handle: (notice: ReceivedNotice) => void };
  readonly onRejected?: (reason: RejectionReason) => void;
}

/** Orders remembered for telling replays; an older one is only hinted at again. */
const ORDERS_REMEMBERED = 4_096;

export class NoticeSubscriber {
  readonly #options: NoticeSubscriberOptions;
  readonly #link: RedisLink;
  readonly #key: NoticeKey | undefined;
  readonly #newest = new Map<OrderId, { readonly sequence: number; readonly filledLots: Lots }>();

  constructor(options: NoticeSubscriberOptions) {
    this.#options = options;
    this.#key = options.redis && new NoticeKey(options.redis.noticeSecret);
    this.#link = new RedisLink({ ...options, subscribes: FILLS_CHANNEL }, (redis) => this.#listen(redis));
  }

  get state(): LinkState {
    return this.#link.state;
  }

  close(): void {
    this.#link.close();
  }

  #listen(redis: Redis): void {
    redis.removeAllListeners('message');
    redis.on('message', (_channel: string, text: string) => {
      const reason = this.#receive(text);
      if (reason !== undefined) this.#options.onRejected?.(reason);
    });
  }

  /** Answers why the notice was rejected, if it was. */
  #receive(text: string): RejectionReason | undefined {
    if (this.#key === undefined) return undefined;
    const { account, handle } = this.#options.fills;
    const decoded = decodeNotice(FILLS_CHANNEL, text, this.#key);
    if (!decoded.ok) return decoded.reason;
    if (decoded.notice.accountIndex !== account) return 'foreign';
    if (!this.#isNews(decoded.notice)) return 'replayed';
    try {
      handle(decoded.notice);
      return undefined;
    } catch {
      return 'handler-failed';
    }
  }

  /**
   * Rejects only what can say nothing new: not later and not more. A late notice with more is news, and so is a later one with
   * as much, since its ticket may have been armed in between.
   */
  #isNews({ orderId, sequence, filledLots }: ReceivedNotice): boolean {
    const newest = this.#newest.get(orderId);
    if (newest && sequence <= newest.sequence && filledLots <= newest.filledLots) return false;
    this.#newest.delete(orderId); // so that a Map's order is "least recently heard of first"
    this.#newest.set(orderId, {
      sequence: Math.max(sequence, newest?.sequence ?? 0),
      filledLots: newest && newest.filledLots > filledLots ? newest.filledLots : filledLots,
    });
    keepNewest(this.#newest, ORDERS_REMEMBERED);
    return true;
  }
}
