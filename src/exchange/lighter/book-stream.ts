/**
 * The live books, over one connection of their own (LP §5.5).
 *
 * A book is offered only while it is whole: after its snapshot, without a gap, on a connection that lives. Otherwise `book` answers
 * undefined, and whoever needs a price waits.
 */
import type { Clock } from '../../clock';
import type { OrderBook } from '../port';
import { Book, parseBookFrame } from './book';
import type { StreamAddress } from './approach';
import type { Log } from './log';
import { Absence } from './absence';
import { Backoff } from './pauses';
import type { ClockSkew } from './clock-skew';
import { numberField, reasonOf } from './errors';
import type { HostLimit } from './host-limit';
import type { Markets } from './markets';
import { epochMs } from './parse';
import { Line } from './line';
import type { Frame } from './session';
import type { SessionTimes } from './session-times';
import type { TellTrouble } from './trouble';

const SNAPSHOT_MS = 5_000;
/** A book that breaks again within this time is asked for ever more slowly. */
const CALM_MS = 60_000;
const AGAIN_MS_MIN = 250;
const AGAIN_MS_MAX = 30_000;
/** Without a book for so long, a person is told why nothing is quoted. */
const MISSING_MS = 20_000;

export interface BookStreamOptions extends StreamAddress {
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly markets: Markets;
  readonly skew: ClockSkew;
  readonly limit: HostLimit;
  readonly onTrouble: TellTrouble;
  readonly onMalformed: (what: string, reason: string) => void;
}

interface Subscription {
  /** `leaving`: unsubscribed because of a gap; a second subscribe would be answered by an error and no snapshot (LP §5.3). */
  state: 'idle' | 'subscribing' | 'live' | 'leaving';
  book: Book | undefined;
  /** Its book is fed by the connection before, until this one's snapshot is there. */
  isFollowing: boolean;
  cancelDeadline: () => void;
  brokeAtMs: number;
  /** From the answer to `unsubscribe` to the next subscription. */
  pauseMs: number;
  readonly backoff: Backoff;
  readonly absence: Absence;
  readonly waiters: { readonly resolve: (book: OrderBook) => void; readonly reject: (error: Error) => void }[];
}

export class BookStream {
  readonly #session: Line;
  readonly #subscriptions = new Map<number, Subscription>();
  #closed = false;

  constructor(private readonly options: BookStreamOptions) {
    this.#session = new Line({
      ...options,
      handlers: {
        onOpen: (follows) => {
          if (follows) this.#follow();
          void this.#resubscribe();
        },
        onFollowed: () => this.#followed(),
        onFrame: (frame, isOld) => this.#received(frame, isOld),
        onError: (error) => {
          // It names no channel; the snapshot's deadline finds out whom it concerns.
          options.log.warn(error, 'the exchange sent an error frame on the book stream');
        },
        onDown: () => this.#lost(),
        onMalformed: (reason) => options.onMalformed('book stream', reason),
      },
    });
  }

  book(marketId: number): OrderBook | undefined {
    const subscription = this.#subscriptionOf(marketId);
    return subscription.state === 'live' ? subscription.book?.view() : undefined;
  }

  whenBook(marketId: number): Promise<OrderBook> {
    if (this.#closed) return Promise.reject(new Error('the book stream is closed'));
    const book = this.book(marketId);
    if (book !== undefined) return Promise.resolve(book);
    return new Promise((resolve, reject) => this.#subscriptionOf(marketId).waiters.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const subscription of this.#subscriptions.values()) {
      subscription.cancelDeadline();
      subscription.absence.back();
      for (const { reject } of subscription.waiters.splice(0)) reject(new Error('the book stream is closed'));
    }
    await this.#session.close();
  }

  #subscriptionOf(marketId: number): Subscription {
    const present = this.#subscriptions.get(marketId);
    if (present !== undefined) return present;
    const subscription: Subscription = {
      state: 'idle',
      book: undefined,
      isFollowing: false,
      cancelDeadline: () => undefined,
      brokeAtMs: Number.NEGATIVE_INFINITY,
      pauseMs: 0,
      backoff: new Backoff(this.options.clock, { minMs: AGAIN_MS_MIN, maxMs: AGAIN_MS_MAX }),
      absence: new Absence({ clock: this.options.clock, afterMs: MISSING_MS, tell: () => this.#tell(marketId) }),
      waiters: [],
    };
    this.#subscriptions.set(marketId, subscription);
    if (this.#closed) return subscription;
    subscription.absence.away();
    this.#session.open();
    if (this.#session.isOpen) void this.#resubscribe();
    return subscription;
  }

  async #resubscribe(): Promise<void> {
    const ready = await this.options.markets.ready();
    if (this.#closed || !this.#session.isOpen) return;
    if (!ready.ok) return this.#session.reconnect(ready.reason);
    for (const [marketId, subscription] of this.#subscriptions) {
      if (subscription.state === 'idle') this.#subscribe(marketId, subscription);
      else if (subscription.isFollowing) this.#ask(marketId, subscription);
    }
  }

  #subscribe(marketId: number, subscription: Subscription): void {
    subscription.state = 'subscribing';
    subscription.book = undefined;
    subscription.absence.away();
    this.#ask(marketId, subscription);
  }

  #ask(marketId: number, subscription: Subscription): void {
    this.#session.write(`{"type":"subscribe","channel":"order_book/${marketId}"}`);
    this.#awaitSnapshot(marketId, subscription);
  }

  #awaitSnapshot(marketId: number, subscription: Subscription): void {
    subscription.cancelDeadline();
    subscription.cancelDeadline = this.options.clock.after(SNAPSHOT_MS, () => this.#missed(marketId, subscription));
  }

  /** One market that the exchange does not serve must not cost the others their books. */
  #missed(marketId: number, subscription: Subscription): void {
    const isServed = [...this.#subscriptions.values()].some(
      ({ state, isFollowing }) => state === 'live' && !isFollowing,
    );
    if (!isServed) return this.#session.reconnect(`no order book of market ${marketId} in time`);
    this.options.log.warn({ marketId }, 'the exchange sends no order book of this market; asking again');
    if (subscription.state === 'leaving') this.#subscribe(marketId, subscription);
    else this.#leave(marketId, subscription);
  }

  /** A new connection, and the one before still delivers: its books count until ours are there. */
  #follow(): void {
    for (const subscription of this.#subscriptions.values()) {
      subscription.cancelDeadline();
      subscription.isFollowing = subscription.state === 'live';
      if (!subscription.isFollowing) subscription.state = 'idle';
    }
  }

  #followed(): void {
    for (const subscription of this.#subscriptions.values()) {
      if (!subscription.isFollowing) continue;
      subscription.isFollowing = false;
      subscription.state = 'subscribing';
      subscription.book = undefined;
      subscription.absence.away();
    }
  }

  #received(frame: Frame, isOld: boolean): void {
    const marketId = Number(/^order_book:(\d+)$/.exec(frame.channel)?.[1] ?? Number.NaN);
    const subscription = this.#subscriptions.get(marketId);
    if (subscription === undefined || (isOld && !subscription.isFollowing)) return;
    if (frame.type === 'unsubscribed') {
      if (subscription.state === 'leaving') this.#subscribeAgain(marketId, subscription);
      return;
    }
    const timestamp = numberField(frame.body, 'timestamp');
    if (timestamp !== undefined && timestamp > 0) this.options.skew.sawFrame(epochMs(timestamp));
    try {
      if (frame.type === 'subscribed/order_book') this.#snapshot(frame, marketId, subscription);
      else if (frame.type === 'update/order_book' && isOld === subscription.isFollowing)
        this.#change(frame, marketId, subscription);
    } catch (error) {
      this.options.onMalformed('order_book', reasonOf(error));
      // What the frame would have changed is lost: only a fresh snapshot makes the book whole.
      this.#leave(marketId, subscription);
    }
  }

  #snapshot(frame: Frame, marketId: number, subscription: Subscription): void {
    if (subscription.state === 'leaving') return;
    const book = new Book(marketId, parseBookFrame(frame.body, marketId, this.options.markets.lookup));
    subscription.cancelDeadline();
    subscription.book = book;
    subscription.isFollowing = false;
    subscription.state = 'live';
    subscription.absence.back();
    this.#session.markHealthy();
    this.#session.acknowledged();
    for (const { resolve } of subscription.waiters.splice(0)) resolve(book.view());
  }

  #change(frame: Frame, marketId: number, subscription: Subscription): void {
    if (subscription.state !== 'live' || subscription.book === undefined) return; // before the snapshot (LP §5.5)
    const change = parseBookFrame(frame.body, marketId, this.options.markets.lookup);
    if (subscription.book.apply(change) === 'applied') return;
    this.options.log.warn({ marketId }, 'gap in the order book; taking a fresh snapshot');
    this.#leave(marketId, subscription);
  }

  #leave(marketId: number, subscription: Subscription): void {
    if (subscription.state === 'leaving') return;
    subscription.state = 'leaving';
    subscription.isFollowing = false;
    subscription.book = undefined;
    subscription.absence.away();
    const nowMs = this.options.clock.monotonicMs();
    const isCalm = nowMs - subscription.brokeAtMs > CALM_MS;
    if (isCalm) subscription.backoff.reset();
    subscription.pauseMs = isCalm ? 0 : subscription.backoff.nextMs();
    subscription.brokeAtMs = nowMs;
    this.#session.write(`{"type":"unsubscribe","channel":"order_book/${marketId}"}`);
    this.#awaitSnapshot(marketId, subscription);
  }

  #subscribeAgain(marketId: number, subscription: Subscription): void {
    const { pauseMs } = subscription;
    if (pauseMs === 0) return this.#subscribe(marketId, subscription);
    subscription.cancelDeadline();
    subscription.cancelDeadline = this.options.clock.after(pauseMs, () => this.#subscribe(marketId, subscription));
  }

  #lost(): void {
    for (const subscription of this.#subscriptions.values()) {
      subscription.cancelDeadline();
      subscription.state = 'idle';
      subscription.isFollowing = false;
      subscription.book = undefined;
      subscription.absence.away();
    }
  }

  #tell(marketId: number): void {
    this.options.onTrouble({
      kind: 'channel-missing',
      path: `order_book/${marketId}`,
      what: `the exchange has sent no whole order book of market ${marketId} for ${MISSING_MS / 1_000} s: nothing is quoted there. Hedging goes on, by the price of the order`,
      next: 'Nothing at once: it is asked for again and again. If it lasts, run `counterleg doctor` and look at the status page of the exchange.',
    });
  }
}
