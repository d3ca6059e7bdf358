/**
 * One account's live record: its orders and transactions, from `account_all_orders` and `account_tx` (LP §5.6); from
 * `account_all_trades` it only learns which order's frame was lost. Only the first of the three is needed.
 *
 * `live` means: subscribed, snapshot delivered, gap re-read. A frame is a hint that may be lost, repeated or reordered (invariant 7);
 * a record that cannot be read is refused and counted, and neither it nor a listener that throws stops the stream (S-33).
 */
import { isTerminal, type OrderRecord, type TxRecord } from '../../domain/records';
import type { AccountStream, AccountStreamEvents, StreamState } from '../port';
import { Backoff, Pauses, type Clock, type Log } from './clock';
import { field, isAboutTransactions, reasonOf } from './errors';
import { LiveOrders, readGap, readLive, type StreamReads } from './gap';
import type { Markets } from './markets';
import { MalformedError, parseOrder, rawOrdersOf, UnknownMarketError } from './parse';
import { parseTxRow, rawTxsOf } from './parse-tx';
import { isLimitCode, type HostLimit } from './host-limit';
import { Session, type Frame, type SessionTimes } from './session';
import { SideChannel } from './side-channel';
import type { Token, Tokens } from './tokens';
import { TradeWatch } from './trade-watch';
import type { TellTrouble } from './trouble';

/** From the subscription to the snapshot. */
const SNAPSHOT_MS = 5_000;
/** Inactive orders from a little before the last frame: their times and the order of frames need not agree. */
const OVERLAP_US = 10_000_000;
/** On the first connect nothing was heard before: what ended within an order's life may concern workflows that still wait (S-08). */
const LOOK_BACK_US = 10 * 60_000_000;
const CHASE_MIN_MS = 250;
const CHASE_MAX_MS = 10_000;
/** Lists lag for seconds; an order that no list shows within this time is reported and given up. */
const CHASE_ENDS_MS = 10 * 60_000;
/** A planned reconnect waits for answers to submissions, but not for ever. */
const QUIESCE_MS = 10_000;

export interface AccountStreamOptions {
  readonly accountIndex: number;
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly tokens: Tokens;
  readonly markets: Markets;
  readonly limit: HostLimit;
  readonly reads: StreamReads & {
    /** By client index, of orders that have traded: a hedge waits for it. */
    readonly filled: StreamReads['byClientIndex'];
  };
  readonly onMalformed: (what: string, reason: string) => void;
  readonly onTrouble: TellTrouble;
}

type Listeners = { [E in keyof AccountStreamEvents]: Set<AccountStreamEvents[E]> };

export class LighterAccountStream implements AccountStream {
  readonly session: Session;
  readonly #listeners: Listeners = { orders: new Set(), txs: new Set(), state: new Set() };
  readonly #live = new LiveOrders();
  readonly #ordersChannel: string;
  readonly #txChannel: string;
  readonly #tradesChannel: string;
  readonly #trades: TradeWatch;
  readonly #txSide: SideChannel;
  readonly #tradesSide: SideChannel;
  readonly #readBackoff: Backoff;
  #state: StreamState = 'connecting';
  /** Counts connections: what an older one started must not act on a newer one. */
  #epoch = 0;
  /** With which the newest subscription was asked for. */
  #token: Token | undefined;
  #snapshotSeen = false;
  #cancelSnapshotDeadline: () => void = () => undefined;
  #cancelRenewal: () => void = () => undefined;
  /** Of this connection: they end with it. */
  readonly #pauses: Pauses;
  #waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(private readonly options: AccountStreamOptions) {
    this.#ordersChannel = `account_all_orders:${options.accountIndex}`;
    this.#txChannel = `account_tx:${options.accountIndex}`;
    this.#tradesChannel = `account_all_trades:${options.accountIndex}`;
    this.#trades = new TradeWatch({
      accountIndex: options.accountIndex,
      clock: options.clock,
      log: options.log,
      graceMs: options.times.tradeGraceMs,
      isShown: ({ orderIndex, transactionTimeUs }) => this.#live.shows(orderIndex, transactionTimeUs),
      look: async (indexes) => {
        const read = await options.reads.filled(indexes);
        if (read.ok && this.#state !== 'closed') this.#emitFound(read.value);
      },
      onMalformed: (reason) => options.onMalformed('account_all_trades', reason),
    });
    this.#txSide = this.#sideChannel({
      name: 'account_tx',
      auth: true,
      means: 'a transaction that the exchange refuses late is found by reading, some seconds later',
    });
    this.#tradesSide = this.#sideChannel({
      name: 'account_all_trades',
      auth: false,
      means: 'a fill whose order frame is lost is found by the next reading of all orders, up to half a minute later',
    });
    this.#pauses = new Pauses(options.clock);
    this.#readBackoff = new Backoff(options.clock, { minMs: 100, maxMs: 5_000 });
    this.session = new Session({
      url: options.url,
      clock: options.clock,
      log: options.log,
      times: options.times,
      limit: options.limit,
      handlers: {
        onOpen: () => void this.#subscribe(),
        onFrame: (frame) => this.#received(frame),
        onError: (error) => this.#errored(error),
        onDown: () => this.#lost(),
        onMalformed: (reason) => options.onMalformed('stream', reason),
      },
    });
  }

  get state(): StreamState {
    return this.#state;
  }

  on<E extends keyof AccountStreamEvents>(event: E, listener: AccountStreamEvents[E]): () => void {
    this.#listeners[event].add(listener);
    return () => void this.#listeners[event].delete(listener);
  }

  whenLive(): Promise<void> {
    if (this.#state === 'live') return Promise.resolve();
    if (this.#state === 'closed') return Promise.reject(new Error('the account stream is closed'));
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  open(): void {
    this.session.open();
  }

  async close(): Promise<void> {
    this.#endConnection();
    this.#trades.close();
    this.#enter('closed');
    await this.session.close();
  }

  /** Told by a read: an order that lives is looked after from now on, even if its first frame was lost. */
  learn(records: readonly OrderRecord[]): void {
    this.#emitFound(records.filter(({ status }) => !isTerminal(status)));
  }

  async #subscribe(): Promise<void> {
    const epoch = this.#epoch;
    const { accountIndex, clock, markets, tokens } = this.options;
    const ready = await markets.ready();
    if (epoch !== this.#epoch) return;
    if (!ready.ok) return this.session.reconnect(ready.reason);
    try {
      const token = await tokens.token();
      if (epoch !== this.#epoch) return;
      this.#token = token;
      const auth = JSON.stringify(token.text);
      this.session.write(`{"type":"subscribe","channel":"account_all_orders/${accountIndex}","auth":${auth}}`);
      // Whether a stream is cut when its token expires is unknown (LP §4): be on a fresh connection before that.
      this.#cancelRenewal();
      this.#cancelRenewal = clock.after(Math.max(1, token.renewAtMs - clock.wallMs()), () => this.#renew(epoch, 0));
      this.#cancelSnapshotDeadline();
      this.#cancelSnapshotDeadline = clock.after(SNAPSHOT_MS, () => this.session.reconnect('no snapshot in time'));
    } catch (error) {
      if (epoch === this.#epoch) this.session.reconnect(`no auth token: ${reasonOf(error)}`);
    }
  }

  #sideChannel(channel: { readonly name: string; readonly auth: boolean; readonly means: string }): SideChannel {
    const { accountIndex, clock, log, tokens, onTrouble } = this.options;
    const { name, auth, means } = channel;
    const subscribe = async (): Promise<void> => {
      const epoch = this.#epoch;
      const token = auth ? JSON.stringify((await tokens.token()).text) : undefined;
      if (epoch !== this.#epoch) return;
      const member = token === undefined ? '' : `,"auth":${token}`;
      this.session.write(`{"type":"subscribe","channel":"${name}/${accountIndex}"${member}}`);
    };
    return new SideChannel({
      clock,
      subscribe: () => void subscribe().catch(() => undefined), // then its first frame is missed, which is told
      onMissing: () =>
        onTrouble({
          kind: 'channel-missing',
          what: `the exchange does not serve the channel ${name} of account ${accountIndex}: ${means}. Hedging goes on`,
          next: 'Nothing at once: it is asked for every minute. If it lasts, look for a change of the exchange, and report it.',
        }),
      onBack: () => log.info({ accountIndex, channel: name }, 'the channel is served again'),
    });
  }

  /** Reconnects at a moment when no submission is out, so that none becomes unknown by our own doing. */
  #renew(epoch: number, waitedMs: number): void {
    if (epoch !== this.#epoch) return;
    if (this.session.inFlight > 0 && waitedMs < QUIESCE_MS) {
      this.#cancelRenewal = this.options.clock.after(50, () => this.#renew(epoch, waitedMs + 50));
      return;
    }
    this.session.markHealthy();
    this.session.reconnect('renewing the auth token');
  }

  #received(frame: Frame): void {
    switch (frame.type) {
      case 'subscribed/account_all_orders':
        if (frame.channel === this.#ordersChannel) this.#snapshot(frame);
        return;
      case 'update/account_all_orders':
        // Before the snapshot there is nothing to change (LP §5.5); the snapshot will have it.
        if (frame.channel === this.#ordersChannel && this.#snapshotSeen) this.#changes(frame);
        return;
      case 'subscribed/account_tx':
      case 'update/account_tx':
        if (frame.channel !== this.#txChannel) return;
        this.#txSide.heard();
        // The first frame has none (LP §5.4).
        if (frame.type.startsWith('update/') || field(frame.body, 'txs') !== undefined) this.#transactions(frame);
        return;
      case 'subscribed/account_all_trades': // may repeat old trades: no news
        if (frame.channel === this.#tradesChannel) this.#tradesSide.heard();
        return;
      case 'update/account_all_trades':
        if (frame.channel === this.#tradesChannel) this.#trades.heard(frame.body);
        return;
      default: // other channels' frames, `unsubscribed`, kinds that later servers add: not ours
        return;
    }
  }

  #snapshot(frame: Frame): void {
    const orders = this.#parseOrders(frame);
    if (orders === undefined) {
      this.session.reconnect('the snapshot is malformed');
      return;
    }
    this.#cancelSnapshotDeadline();
    if (!this.#snapshotSeen) {
      // Only now: an error frame names no channel, and before the snapshot it is taken for a refusal of the orders.
      this.#txSide.open();
      this.#tradesSide.open();
    }
    this.#snapshotSeen = true;
    const missing = this.#live.missingFrom(orders);
    const sinceUs = this.#live.lastSeenUs > 0 ? this.#live.lastSeenUs - OVERLAP_US : this.#lookBackUs();
    for (const order of orders) this.#live.note(order);
    this.#emit('orders', { kind: 'snapshot', orders, receivedAtMs: frame.receivedAtMs });
    void this.#closeGap(missing, sinceUs);
  }

  #changes(frame: Frame): void {
    const orders = this.#parseOrders(frame);
    if (orders === undefined || orders.length === 0) return;
    // Listeners first: noting takes time that the hedge does not have.
    this.#emit('orders', { kind: 'change', orders, receivedAtMs: frame.receivedAtMs });
    for (const order of orders) this.#live.note(order);
  }

  #transactions(frame: Frame): void {
    let rows: unknown[];
    try {
      rows = rawTxsOf(frame.body);
    } catch (error) {
      this.#refuse(error, 'account_tx');
      return;
    }
    const txs = rows.flatMap((raw): TxRecord[] => {
      try {
        const { tx } = parseTxRow(raw);
        return tx.accountIndex === this.options.accountIndex ? [tx] : [];
      } catch (error) {
        this.#refuse(error, 'account_tx');
        return [];
      }
    });
    if (txs.length > 0) this.#emit('txs', txs);
  }

  /** The readable orders of a frame that are this account's; undefined when the frame itself is malformed. */
  #parseOrders(frame: Frame): OrderRecord[] | undefined {
    let raws: unknown[];
    try {
      raws = rawOrdersOf(frame.body);
    } catch (error) {
      this.#refuse(error, 'account_all_orders');
      return undefined;
    }
    return raws.flatMap((raw) => {
      try {
        const order = parseOrder(raw, this.options.markets.lookup);
        if (order.accountIndex !== this.options.accountIndex) throw new MalformedError('order of another account');
        return [order];
      } catch (error) {
        this.#refuse(error, 'account_all_orders');
        if (error instanceof UnknownMarketError) void this.#learnMarket(error.marketId);
        return [];
      }
    });
  }

  /** A market listed while we run: once its scale is known, a fresh snapshot has its orders. */
  async #learnMarket(marketId: number): Promise<void> {
    const epoch = this.#epoch;
    const learnt = await this.options.markets.refreshFor(marketId);
    if (learnt && epoch === this.#epoch && this.options.markets.lookup(marketId) !== undefined) {
      this.session.reconnect(`market ${marketId} is new`);
    }
  }

  /** Repeats the read until it succeeds: only then is the stream live, because a failed read is not an empty gap. */
  async #closeGap(missing: readonly OrderRecord[], sinceUs: number): Promise<void> {
    const epoch = this.#epoch;
    const { log, reads } = this.options;
    for (;;) {
      const gap = await readGap(missing, sinceUs, reads);
      if (epoch !== this.#epoch) return;
      if (gap.ok) {
        this.#emitFound(gap.value.records);
        this.#readBackoff.reset();
        this.session.markHealthy();
        this.#enter('live');
        if (gap.value.unresolved.length > 0) void this.#chase(gap.value.unresolved, sinceUs);
        void this.#lookAgain();
        return;
      }
      log.warn({ accountIndex: this.options.accountIndex, reason: gap.reason }, 'the gap could not be read; again');
      await this.#pauses.pause(this.#readBackoff.nextMs());
      if (epoch !== this.#epoch) return;
    }
  }

  /** The last net: a fill of which every frame was lost would else be naked until the order times out (invariant 7). */
  async #lookAgain(): Promise<void> {
    const epoch = this.#epoch;
    const { reads, times } = this.options;
    for (;;) {
      await this.#pauses.pause(times.lookMs);
      const known = this.#live.all;
      if (known.length === 0) continue;
      const read = await readLive(known, reads);
      if (epoch !== this.#epoch) return;
      if (read.ok) this.#emitFound(read.value);
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
      this.#emitFound(gap.value.records.filter(({ orderIndex }) => wanted.has(orderIndex)));
      left = gap.value.unresolved;
    }
    for (const { orderIndex } of left) {
      this.#live.forget(orderIndex);
      log.error({ orderIndex: orderIndex.toString() }, 'an order left the snapshot and no list shows how it ended');
    }
  }

  #emitFound(records: readonly OrderRecord[]): void {
    const news = records.filter((order) => this.#live.isNews(order));
    if (news.length === 0) return;
    this.#emit('orders', { kind: 'change', orders: news, receivedAtMs: this.options.clock.monotonicMs() });
    for (const order of news) this.#live.note(order);
  }

  #errored(error: { readonly code: number; readonly message: string }): void {
    this.options.log.warn({ ...error, accountIndex: this.options.accountIndex }, 'the exchange sent an error frame');
    // It may be the answer to our subscription; before the snapshot that is what it is taken for.
    if (this.#snapshotSeen || isAboutTransactions(error.code)) return;
    if (this.#token !== undefined && !isLimitCode(error.code)) this.options.tokens.drop(this.#token);
    this.session.reconnect(`subscription refused: ${error.code} ${error.message}`);
  }

  #lost(): void {
    this.#endConnection();
    if (this.#state === 'live') this.#enter('stale');
  }

  #endConnection(): void {
    this.#epoch += 1;
    this.#snapshotSeen = false;
    this.#cancelSnapshotDeadline();
    this.#txSide.close();
    this.#tradesSide.close();
    this.#cancelRenewal();
    this.#pauses.drop();
  }

  #lookBackUs(): number {
    return this.options.clock.wallMs() * 1000 - LOOK_BACK_US;
  }

  #refuse(error: unknown, what: string): void {
    this.options.onMalformed(what, reasonOf(error));
  }

  #enter(state: StreamState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    if (state === 'live') for (const { resolve } of this.#waiters.splice(0)) resolve();
    if (state === 'closed') {
      for (const { reject } of this.#waiters.splice(0)) reject(new Error('the account stream is closed'));
    }
    this.#emit('state', state);
  }

  #emit<E extends keyof AccountStreamEvents>(event: E, value: Parameters<AccountStreamEvents[E]>[0]): void {
    for (const listener of this.#listeners[event]) {
      try {
        (listener as (value: Parameters<AccountStreamEvents[E]>[0]) => void)(value);
      } catch (error) {
        this.options.log.error({ event, reason: reasonOf(error) }, 'a listener of the account stream threw');
      }
    }
  }
}
