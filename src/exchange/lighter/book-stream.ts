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
import { Backoff } from './pauses';
import type { ClockSkew } from './clock-skew';
import { numberField, reasonOf } from './errors';
import type { HostLimit } from './host-limit';
import type { Markets } from './markets';
import { epochMs } from './parse';
import { Session, type Frame, type SessionTimes } from './session';

const SNAPSHOT_MS = 5_000;
/** A book that breaks again within this time is asked for ever more slowly. */
const CALM_MS = 60_000;
const AGAIN_MS_MIN = 250;
const AGAIN_MS_MAX = 30_000;

export interface BookStreamOptions extends StreamAddress {
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly markets: Markets;
  readonly skew: ClockSkew;
  readonly limit: HostLimit;
  readonly onMalformed: (what: string, reason: string) => void;
}

interface Subscription {
  /** `leaving`: unsubscribed because of a gap; a second subscribe would be answered by an error and no snapshot (LP §5.3). */
  state: 'idle' | 'subscribing' | 'live' | 'leaving';
  book: Book | undefined;
  cancelDeadline: () => void;
  brokeAtMs: number;
  /** From the answer to `unsubscribe` to the next subscription. */
  pauseMs: number;
  readonly backoff: Backoff;
  readonly waiters: { readonly resolve: (book: OrderBook) => void; readonly reject: (error: Error) => void }[];
}

export class BookStream {
  readonly #session: Session;
  readonly #subscriptions = new Map<number, Subscription>();
  #closed = false;

  constructor(private readonly options: BookStreamOptions) {
    this.#session = new Session({
      url: options.url,
      socket: options.socket,
      clock: options.clock,
      log: options.log,
      times: options.times,
      limit: options.limit,
      handlers: {
        onOpen: () => void this.#resubscribe(),
        onFrame: (frame) => this.#received(frame),
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
      cancelDeadline: () => undefined,
      brokeAtMs: Number.NEGATIVE_INFINITY,
      pauseMs: 0,
      backoff: new Backoff(this.options.clock, { minMs: AGAIN_MS_MIN, maxMs: AGAIN_MS_MAX }),
      waiters: [],
    };
    this.#subscriptions.set(marketId, subscription);
    if (this.#closed) return subscription;
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
    }
  }

  #subscribe(marketId: number, subscription: Subscription): void {
    subscription.state = 'subscribing';
    subscription.book = undefined;
    this.#session.write(`{"type":"subscribe","channel":"order_book/${marketId}"}`);
    this.#awaitSnapshot(marketId, subscription);
  }

  #awaitSnapshot(marketId: number, subscription: Subscription): void {
    subscription.cancelDeadline();
    subscription.cancelDeadline = this.options.clock.after(SNAPSHOT_MS, () => this.#missed(marketId, subscription));
  }

  /** One market that the exchange does not serve must not cost the others their books. */
  #missed(marketId: number, subscription: Subscription): void {
    const isServed = [...this.#subscriptions.values()].some(({ state }) => state === 'live');
    if (!isServed) return this.#session.reconnect(`no order book of market ${marketId} in time`);
    this.options.log.warn({ marketId }, 'the exchange sends no order book of this market; asking again');
    if (subscription.state === 'leaving') this.#subscribe(marketId, subscription);
    else this.#leave(marketId, subscription);
  }

  #received(frame: Frame): void {
    const marketId = Number(/^order_book:(\d+)$/.exec(frame.channel)?.[1] ?? Number.NaN);
    const subscription = this.#subscriptions.get(marketId);
    if (subscription === undefined) return;
    if (frame.type === 'unsubscribed') {
      if (subscription.state === 'leaving') this.#subscribeAgain(marketId, subscription);
      return;
    }
    const timestamp = numberField(frame.body, 'timestamp');
    if (timestamp !== undefined && timestamp > 0) this.options.skew.sawFrame(epochMs(timestamp));
    try {
      if (frame.type === 'subscribed/order_book') this.#snapshot(frame, marketId, subscription);
      else if (frame.type === 'update/order_book') this.#change(frame, marketId, subscription);
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
    subscription.state = 'live';
    this.#session.markHealthy();
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
    subscription.book = undefined;
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
      subscription.book = undefined;
    }
  }
}
