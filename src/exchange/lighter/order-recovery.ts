/**
 * Finds the orders' records that no frame brought: of while the connection was away (gap.ts), of a trade whose order's frame was lost
 * (trade-watch.ts), and, by one slow look at all that lives, of anything else.
 *
 * What a read shows is told if it says more than what is known.
 */
import type { Clock } from '../../clock';
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import type { OrderRecord } from '../../domain/records';
import { readGap, readLive, type StreamReads } from './gap';
import type { Log } from './log';
import type { OrderCache } from './order-cache';
import { Backoff, Pauses } from './pauses';
import { TradeWatch } from './trade-watch';

/** Inactive orders from a little before the last frame: their times and the order of frames need not agree. */
const OVERLAP_US = 10_000_000;
/** On the first connect nothing was heard before: what ended within an order's life may concern workflows that still wait (S-08). */
const LOOK_BACK_US = 10 * 60_000_000;
const CHASE_MIN_MS = 250;
const CHASE_MAX_MS = 10_000;
/** Lists lag for seconds; an order that no list shows within this time is reported and given up. */
const CHASE_ENDS_MS = 10 * 60_000;

export interface RecoveryReads extends StreamReads {
  /** By client index, of orders that have traded: a hedge waits for it. */
  readonly filled: StreamReads['byClientIndex'];
}

export interface OrderRecoveryOptions {
  readonly accountIndex: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: { readonly tradeGraceMs: number; readonly lookMs: number };
  readonly reads: RecoveryReads;
  readonly orders: OrderCache;
  readonly onFound: (orders: readonly OrderRecord[]) => void;
  /** What the connection's snapshot left open has been read. */
  readonly onCaughtUp: () => void;
  /** Of the trades channel. */
  readonly onMalformed: (reason: string) => void;
}

export class OrderRecovery {
  readonly #trades: TradeWatch;
  readonly #backoff: Backoff;
  readonly #unread = new Set<ClientOrderIndex>();
  /** The connection in whose time what is unread is being read. */
  #readingIn: number | undefined;
  /** Of this connection: they end with it. */
  readonly #pauses: Pauses;
  /** Counts connections: what an older one started must not act on a newer one. */
  #epoch = 0;
  #closed = false;

  constructor(private readonly options: OrderRecoveryOptions) {
    const { accountIndex, clock, log, times, reads, orders, onMalformed } = options;
    this.#trades = new TradeWatch({
      accountIndex,
      clock,
      log,
      graceMs: times.tradeGraceMs,
      isShown: ({ orderIndex, transactionTimeUs }) => orders.shows(orderIndex, transactionTimeUs),
      look: async (indexes) => {
        const read = await reads.filled(indexes);
        if (read.ok) this.found(read.value);
      },
      onMalformed,
    });
    this.#pauses = new Pauses(clock);
    this.#backoff = new Backoff(clock, { minMs: 100, maxMs: 5_000 });
  }

  /** Takes a connection's snapshot, after its listeners, and reads what it leaves open. */
  snapshot(orders: readonly OrderRecord[]): void {
    const missing = this.options.orders.missingFrom(orders);
    const { lastSeenUs } = this.options.orders;
    const sinceUs = lastSeenUs > 0 ? lastSeenUs - OVERLAP_US : this.options.clock.epochMs() * 1000 - LOOK_BACK_US;
    this.heard(orders);
    void this.#closeGap(missing, sinceUs);
  }

  /** Takes a frame's orders, after its listeners: noting takes time that the hedge does not have. */
  heard(orders: readonly OrderRecord[]): void {
    for (const order of orders) {
      this.options.orders.note(order);
      if (order.clientOrderIndex === 0n) continue;
      if (order.status === 'unknown') this.unread(order.clientOrderIndex);
      else this.#unread.delete(order.clientOrderIndex);
    }
  }

  /** A frame's row of this order could not be read, or its status is a word that we do not know: read again until it can. */
  unread(index: ClientOrderIndex): void {
    this.#unread.add(index);
    if (this.#readingIn !== this.#epoch) void this.#readUnread();
  }

  /** Takes a frame of the trades channel. */
  traded(frame: unknown): void {
    this.#trades.heard(frame);
  }

  /** Takes what a read has shown; what is news is told. */
  found(records: readonly OrderRecord[]): void {
    if (this.#closed) return;
    const news = records.filter((order) => this.options.orders.isNews(order));
    if (news.length === 0) return;
    this.options.onFound(news);
    this.heard(news);
  }

  /** The connection has ended: what it left open is found missing again on the next one. */
  endConnection(): void {
    this.#epoch += 1;
    this.#unread.clear();
    this.#pauses.drop();
  }

  close(): void {
    this.#closed = true;
    this.endConnection();
    this.#trades.close();
  }

  /** Repeats the read until it succeeds: only then is the stream live, because a failed read is not an empty gap. */
  async #closeGap(missing: readonly OrderRecord[], sinceUs: number): Promise<void> {
    const epoch = this.#epoch;
    const { accountIndex, log, reads, onCaughtUp } = this.options;
    for (;;) {
      const gap = await readGap(missing, sinceUs, reads);
      if (epoch !== this.#epoch) return;
      if (gap.ok) {
        this.found(gap.value.records);
        this.#backoff.reset();
        onCaughtUp();
        if (gap.value.unresolved.length > 0) void this.#chase(gap.value.unresolved, sinceUs);
        void this.#lookAgain();
        return;
      }
      log.warn({ accountIndex, reason: gap.reason }, 'the gap could not be read; again');
      await this.#pauses.pause(this.#backoff.nextMs());
      if (epoch !== this.#epoch) return;
    }
  }

  async #readUnread(): Promise<void> {
    const epoch = (this.#readingIn = this.#epoch);
    const { clock, log, reads } = this.options;
    const backoff = new Backoff(clock, { minMs: CHASE_MIN_MS, maxMs: CHASE_MAX_MS });
    const endsAtMs = clock.monotonicMs() + CHASE_ENDS_MS;
    while (this.#unread.size > 0 && clock.monotonicMs() < endsAtMs) {
      await this.#pauses.pause(backoff.nextMs());
      if (epoch !== this.#epoch) return; // the new connection's snapshot has it again
      const wanted = new Set(this.#unread);
      // The list of those that have ended says more than the status; an order that lives is found by its index.
      for (const read of await Promise.all([reads.inactive(), reads.filled([...wanted])])) {
        if (epoch !== this.#epoch) return;
        if (!read.ok) continue;
        const shown = read.value.filter(({ clientOrderIndex }) => wanted.has(clientOrderIndex));
        this.found(shown);
        for (const { clientOrderIndex, status } of shown)
          if (status !== 'unknown') this.#unread.delete(clientOrderIndex);
      }
    }
    for (const index of this.#unread) log.error({ clientOrderIndex: index.toString() }, 'an order stays unreadable');
    this.#unread.clear();
    this.#readingIn = undefined;
  }

  /** The last net: a fill of which every frame was lost would else be naked until the order times out (invariant 7). */
  async #lookAgain(): Promise<void> {
    const epoch = this.#epoch;
    const { reads, times } = this.options;
    for (;;) {
      await this.#pauses.pause(times.lookMs);
      const known = this.options.orders.live;
      if (known.length === 0) continue;
      const read = await readLive(known, reads);
      if (epoch !== this.#epoch) return;
      if (read.ok) this.found(read.value);
    }
  }

  async #chase(missing: readonly OrderRecord[], sinceUs: number): Promise<void> {
    const epoch = this.#epoch;
    const { clock, log, reads } = this.options;
    const backoff = new Backoff(clock, { minMs: CHASE_MIN_MS, maxMs: CHASE_MAX_MS });
    const endsAtMs = clock.monotonicMs() + CHASE_ENDS_MS;
    let left = missing;
    while (left.length > 0 && clock.monotonicMs() < endsAtMs) {
      await this.#pauses.pause(backoff.nextMs());
      if (epoch !== this.#epoch) return; // a new connection sees them missing again
      const gap = await readGap(left, sinceUs, reads);
      if (epoch !== this.#epoch) return;
      if (!gap.ok) continue;
      const wanted = new Set(left.map(({ orderIndex }) => orderIndex));
      this.found(gap.value.records.filter(({ orderIndex }) => wanted.has(orderIndex)));
      left = gap.value.unresolved;
    }
    for (const { orderIndex } of left) {
      this.options.orders.forget(orderIndex);
      log.error({ orderIndex: orderIndex.toString() }, 'an order left the snapshot and no list shows how it ended');
    }
  }
}
