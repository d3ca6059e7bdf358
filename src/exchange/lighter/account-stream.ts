/**
 * One account's live record: its orders and transactions, from `account_all_orders` and `account_tx` (LP §5.6); from
 * `account_all_trades` it only learns which order's frame was lost. Only the first of the three is needed.
 *
 * `live` means: subscribed, snapshot delivered, gap re-read. A frame is a hint that may be lost, repeated or reordered (invariant 7);
 * a record that cannot be read is rejected and counted, and neither it nor a listener that throws stops the stream (S-33).
 */
import type { Clock } from '../../clock';
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import { isTerminal, type OrderRecord } from '../../domain/records';
import type { AccountStream, AccountStreamEvents, StreamState } from '../port';
import type { StreamAddress } from './approach';
import type { Log } from './log';
import { field, isAboutTransactions, reasonOf } from './errors';
import type { Markets } from './markets';
import { OrderCache } from './order-cache';
import { OrderRecovery, type RecoveryReads } from './order-recovery';
import { rawOrdersOf, readOrders, UnknownMarketError, type ReadOrders } from './parse';
import { readTxs } from './parse-tx';
import { isLimitCode, type HostLimit } from './host-limit';
import { Line } from './line';
import type { Frame } from './session';
import type { SessionTimes } from './session-times';
import { SideChannel } from './side-channel';
import type { Token, Tokens } from './tokens';
import type { TellTrouble } from './trouble';

/** From the subscription to the snapshot. */
const SNAPSHOT_MS = 5_000;

export interface AccountStreamOptions extends StreamAddress {
  readonly accountIndex: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly tokens: Tokens;
  readonly markets: Markets;
  readonly limit: HostLimit;
  readonly reads: RecoveryReads;
  readonly onMalformed: (what: string, reason: string) => void;
  /** Orders that a frame has brought, and rows of it that are none that can be read. */
  readonly onRead: (read: ReadOrders & { readonly where: string }) => void;
  readonly onTrouble: TellTrouble;
}

type Listeners = { [E in keyof AccountStreamEvents]: Set<AccountStreamEvents[E]> };

export class LighterAccountStream implements AccountStream {
  readonly session: Line;
  readonly #listeners: Listeners = { orders: new Set(), txs: new Set(), state: new Set() };
  readonly own = new OrderCache((error) => this.#threw('orders', error));
  readonly #recovery: OrderRecovery;
  readonly #ordersChannel: string;
  readonly #txChannel: string;
  readonly #tradesChannel: string;
  readonly #txSide: SideChannel;
  readonly #tradesSide: SideChannel;
  #state: StreamState = 'connecting';
  /** Counts connections: what an older one started must not act on a newer one. */
  #epoch = 0;
  /** With which the newest subscription was asked for. */
  #token: Token | undefined;
  #snapshotSeen = false;
  /** The connection before this one still delivers, until our snapshot is there. */
  #follows = false;
  #cancelSnapshotDeadline: () => void = () => undefined;
  #cancelRenewal: () => void = () => undefined;
  #waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(private readonly options: AccountStreamOptions) {
    this.#ordersChannel = `account_all_orders:${options.accountIndex}`;
    this.#txChannel = `account_tx:${options.accountIndex}`;
    this.#tradesChannel = `account_all_trades:${options.accountIndex}`;
    this.#recovery = new OrderRecovery({
      ...options,
      orders: this.own,
      onFound: (orders) => this.#emit('orders', { kind: 'read', orders, receivedAtMs: options.clock.monotonicMs() }),
      onCaughtUp: () => {
        this.session.markHealthy();
        this.#enter('live');
      },
      onMalformed: (reason) => options.onMalformed('account_all_trades', reason),
    });
    this.#txSide = this.#sideChannel({
      name: 'account_tx',
      auth: true,
      means: 'a transaction that the exchange rejects late is found by reading, some seconds later',
    });
    this.#tradesSide = this.#sideChannel({
      name: 'account_all_trades',
      auth: false,
      means: 'a fill whose order frame is lost is found by the next reading of all orders, up to half a minute later',
    });
    this.session = new Line({
      ...options,
      handlers: {
        onOpen: (follows) => this.#opened(follows),
        onFrame: (frame, isOld) => this.#received(frame, isOld),
        onError: (error) => this.#errored(error),
        onFollowed: () => this.#followed(),
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
    this.#recovery.close();
    this.#enter('closed');
    await this.session.close();
  }

  /** Told by a read: an order that lives is looked after from now on, even if its first frame was lost. */
  learn(records: readonly OrderRecord[]): void {
    this.#recovery.found(records.filter(({ status }) => !isTerminal(status)));
  }

  #opened(follows: boolean): void {
    if (follows) this.#endSubscription(); // but what the connection before delivers counts, and the stream stays live
    this.#follows = follows;
    void this.#subscribe();
  }

  /** What is not heard on this connection yet is heard nowhere any more. */
  #followed(): void {
    this.#follows = false;
    if (this.#snapshotSeen) return;
    this.#recovery.endConnection();
    if (this.#state === 'live') this.#enter('stale');
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
      this.#cancelRenewal = clock.after(Math.max(1, token.renewAtMs - clock.epochMs()), () =>
        this.session.replace('renewing the auth token'),
      );
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
          path: `${name}/${accountIndex}`,
          what: `the exchange does not serve the channel ${name} of account ${accountIndex}: ${means}. Hedging goes on`,
          next: 'Nothing at once: it is asked for every minute. If it lasts, look for a change of the exchange, and report it.',
        }),
      onBack: () => log.info({ accountIndex, channel: name }, 'the channel is served again'),
    });
  }

  /** `isOld`: of the connection that is being replaced; it brings news, and says nothing of what the next one follows. */
  #received(frame: Frame, isOld: boolean): void {
    if (isOld && frame.type.startsWith('subscribed/')) return;
    switch (frame.type) {
      case 'subscribed/account_all_orders':
        if (frame.channel === this.#ordersChannel) this.#snapshot(frame);
        return;
      case 'update/account_all_orders':
        // Before the snapshot there is nothing to change (LP §5.5); the snapshot will have it.
        if (frame.channel === this.#ordersChannel && (this.#snapshotSeen || this.#follows)) this.#changes(frame);
        return;
      case 'subscribed/account_tx':
      case 'update/account_tx':
        if (frame.channel !== this.#txChannel) return;
        if (!isOld) this.#txSide.heard();
        // The first frame has none (LP §5.4).
        if (frame.type.startsWith('update/') || field(frame.body, 'txs') !== undefined) this.#transactions(frame);
        return;
      case 'subscribed/account_all_trades': // may repeat old trades: no news
        if (frame.channel === this.#tradesChannel) this.#tradesSide.heard();
        return;
      case 'update/account_all_trades':
        if (frame.channel !== this.#tradesChannel) return;
        if (!isOld) this.#tradesSide.heard();
        this.#recovery.traded(frame.body);
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
      this.#recovery.endConnection(); // until here it looked after the connection before
      // Only now: an error frame names no channel, and before the snapshot it is taken for a rejection of the orders.
      this.#txSide.open();
      this.#tradesSide.open();
    }
    this.#snapshotSeen = true;
    this.session.acknowledged();
    this.#emit('orders', { kind: 'snapshot', orders: orders.orders, receivedAtMs: frame.receivedAtMs });
    this.#recovery.snapshot(orders.orders);
    this.#doubt(orders);
  }

  #changes(frame: Frame): void {
    const orders = this.#parseOrders(frame);
    if (orders === undefined) return;
    if (orders.orders.length > 0) {
      this.#emit('orders', { kind: 'change', orders: orders.orders, receivedAtMs: frame.receivedAtMs });
      this.#recovery.heard(orders.orders);
    }
    this.#doubt(orders);
  }

  /** After the listeners: what cannot be read, or not wholly, is told, and the order is read again. */
  #doubt({ orders, unread }: ReadOrders): void {
    this.options.onRead({ where: 'account_all_orders', orders, unread });
    for (const { error, clientOrderIndex } of unread) {
      if (error instanceof UnknownMarketError) void this.#learnMarket(error.marketId);
      if (clientOrderIndex !== undefined) this.#recovery.unread(clientOrderIndex as ClientOrderIndex);
    }
  }

  #transactions({ body }: Frame): void {
    const txs = readTxs(body, this.options.accountIndex, (error) => this.#reject(error, 'account_tx'));
    if (txs.length > 0) this.#emit('txs', txs);
  }

  /** The orders of a frame, row by row; undefined when the frame itself is malformed. */
  #parseOrders(frame: Frame): ReadOrders | undefined {
    const { accountIndex, markets } = this.options;
    try {
      return readOrders(rawOrdersOf(frame.body), { accountIndex, markets: markets.lookup });
    } catch (error) {
      this.#reject(error, 'account_all_orders');
      return undefined;
    }
  }

  /** A market listed while we run: once its scale is known, a fresh snapshot has its orders. */
  async #learnMarket(marketId: number): Promise<void> {
    const epoch = this.#epoch;
    const learnt = await this.options.markets.refreshFor(marketId);
    if (learnt && epoch === this.#epoch && this.options.markets.lookup(marketId) !== undefined) {
      this.session.reconnect(`market ${marketId} is new`);
    }
  }

  #errored(error: { readonly code: number; readonly message: string }): void {
    this.options.log.warn({ ...error, accountIndex: this.options.accountIndex }, 'the exchange sent an error frame');
    // It may be the answer to our subscription; before the snapshot that is what it is taken for.
    if (this.#snapshotSeen || isAboutTransactions(error.code)) return;
    if (this.#token !== undefined && !isLimitCode(error.code)) this.options.tokens.drop(this.#token);
    this.session.reconnect(`subscription rejected: ${error.code} ${error.message}`);
  }

  #lost(): void {
    this.#endConnection();
    if (this.#state === 'live') this.#enter('stale');
  }

  #endConnection(): void {
    this.#endSubscription();
    this.#follows = false;
    this.#txSide.close();
    this.#tradesSide.close();
    this.#recovery.endConnection();
  }

  #endSubscription(): void {
    this.#epoch += 1;
    this.#snapshotSeen = false;
    this.#cancelSnapshotDeadline();
    this.#cancelRenewal();
  }

  #reject(error: unknown, what: string): void {
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
        this.#threw(event, error);
      }
    }
  }

  #threw(event: string, error: unknown): void {
    this.options.log.error({ event, reason: reasonOf(error) }, 'a listener of the account stream threw');
  }
}
