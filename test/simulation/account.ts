/**
 * AccountPort over the simulated network: what a process holds in place of src/exchange/lighter.
 *
 * Its stream loses, repeats and delays frames and gets cut; after a cut it reads the gap with the adapter's own code (gap.ts), and
 * fates of nonces come from the adapter's own walk over pages (nonce-status.ts). It concludes nothing.
 */
import { earlyMs, untilTaken } from '../../src/exchange/lighter/early-bytes';
import { readGap } from '../../src/exchange/lighter/gap';
import { OrderCache } from '../../src/exchange/lighter/order-cache';
import { findNonceFate, PAGE_ROWS } from '../../src/exchange/lighter/nonce-status';
import { resolveUnlisted } from '../../src/exchange/lighter/unlisted';
import type { Answered } from '../../src/exchange/lighter/errors';
import type {
  AccountPort,
  AccountStream,
  AccountStreamEvents,
  SignedTx,
  StreamState,
  TxRequest,
} from '../../src/exchange/port';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { AccountState, NonceStatus, OrderRecord, Read, SendOutcome, TxRecord } from '../../src/domain/records';
import { findRejection } from '../../src/domain/rejections';
import { SharedReadings } from '../../src/domain/shared-readings';
import { SIGNED_BYTES_LIFE_MS } from '../../src/domain/limits';
import { liquidationTicks, summarize } from '../../packages/paper-exchange/src/core/margin';
import type { Order } from '../../packages/paper-exchange/src/core/types';
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { Faults } from './faults';
import type { Network } from './network';
import { clockOf, START_MS, type Host, type Time } from './time';
import { ACCOUNT_A, LANES, MARKET, type Venue } from './venue';
import { hashOfTx, newsOf, recordOf, transferRowOf, txOf, txRecordOf, type AccountNews } from './wire';

const SEND_MS = 3_000;
const READ_MS = 5_000;
/** What a stream that starts asks for; as src/exchange/lighter. */
const LOOK_BACK_MS = 10 * 60_000;
/** A key that is none of ours. */
const BURST_LANE = 40;

export interface Surroundings {
  readonly time: Time;
  readonly faults: Faults;
  readonly random: Random;
  readonly network: Network;
  readonly venue: Venue;
  readonly trace: (text: () => string) => void;
  /** Somebody's bytes have just left. */
  readonly onSend: (host: Host, accountIndex: number, request: TxRequest) => void;
}

export class SimAccount implements AccountPort {
  readonly stream: SimStream;

  constructor(
    readonly accountIndex: number,
    readonly lanes: readonly number[],
    private readonly host: Host,
    private readonly around: Surroundings,
  ) {
    this.stream = new SimStream(this, host, around);
  }

  sign(request: TxRequest): Promise<SignedTx> {
    const expiresAtMs = Math.floor(clockOf(this.around.time, this.host).epochMs() + SIGNED_BYTES_LIFE_MS);
    const txHash = hashOfTx(txOf(this.accountIndex, request, expiresAtMs));
    return new Promise((resolve) =>
      this.around.time.after(0.5 + this.around.random.next(), this.host, () =>
        resolve({ request, txHash, expiresAtMs }),
      ),
    );
  }

  async send(signed: SignedTx, onLeft?: () => void): Promise<SendOutcome> {
    const { time } = this.around;
    const provenNowMs = (): number => time.nowMs;
    if (earlyMs(signed.expiresAtMs, provenNowMs()) > 0) {
      const why = await untilTaken(signed.expiresAtMs, { clock: clockOf(time, this.host), provenNowMs });
      if (why !== undefined) return { kind: 'unknown', txHash: signed.txHash, reason: `not sent: ${why}` };
    }
    onLeft?.();
    const answer = await this.#send(signed);
    if (answer.kind !== 'unlisted') return answer;
    const { lane, nonce } = signed.request;
    return resolveUnlisted(answer, nonce, {
      pause: (ms) => new Promise((resolve) => this.around.time.after(ms, this.host, resolve)),
      nextNonce: () => this.nextNonce(lane),
    });
  }

  #send(signed: SignedTx): Promise<Answered> {
    const { venue, network, trace } = this.around;
    const { txHash } = signed;
    const tx = txOf(this.accountIndex, signed.request, signed.expiresAtMs);
    trace(() => `${this.host.name} sends ${signed.request.kind} ${txHash}`);
    this.around.onSend(this.host, this.accountIndex, signed.request);
    return network.call<Answered>(this.host, {
      kind: 'send',
      deadlineMs: SEND_MS,
      silence: () => ({ kind: 'unknown', txHash, reason: 'no answer' }),
      limited: () => ({ kind: 'unknown', txHash, reason: 'status 429' }),
      serve: () => {
        const answer = venue.submit(tx, txHash);
        trace(() => `exchange ${answer.ok ? 'books' : `refuses (${answer.rejection.code})`} ${txHash}`);
        if (answer.ok) return { kind: 'accepted', txHash, predictedExecutionMs: answer.predictedMs };
        const { code, message } = answer.rejection;
        return { kind: findRejection(code) ? 'rejected' : 'unlisted', txHash, code, message }; // as the adapter
      },
    });
  }

  findOrders(indexes: readonly ClientOrderIndex[]): Promise<Read<readonly OrderRecord[]>> {
    const wanted = new Set(indexes.map(Number));
    return this.#readOrders((order) => wanted.has(order.clientIndex));
  }

  activeOrders(): Promise<Read<readonly OrderRecord[]>> {
    return this.#readOrders((order) => order.status === 'open' || order.status === 'pending');
  }

  inactiveOrders(): Promise<Read<readonly OrderRecord[]>> {
    return this.#readOrders((order) => order.status !== 'open' && order.status !== 'pending');
  }

  nonceStatus(query: {
    readonly lane: number;
    readonly nonce: Nonce;
    readonly sinceMs: number;
  }): Promise<Read<NonceStatus>> {
    return findNonceFate({ ...query, sinceMs: query.sinceMs - 10_000, accountIndex: this.accountIndex }, (index) =>
      this.#read(() => {
        const { venue } = this.around;
        const rows = [
          ...venue.listedTxs(this.accountIndex).map(txRecordOf),
          registrationOf(this.accountIndex, query.lane),
        ];
        for (const { accountIndex, atMs } of venue.bursts)
          if (accountIndex === this.accountIndex) rows.push(...burstOf(accountIndex, atMs));
        if (venue.bursts.length > 0) rows.sort((a, b) => b.executedAtMs - a.executedAtMs);
        // Counted from the oldest: what `index` asks for is everything up to that row.
        return rows
          .map((tx, at) => ({
            tx,
            sequenceIndex: rows.length - at,
            transactionIndex: undefined,
            timeMs: tx.executedAtMs,
          }))
          .filter(({ sequenceIndex }) => index === undefined || sequenceIndex <= index)
          .slice(0, PAGE_ROWS)
          .map((row) =>
            row.tx.transfer === undefined
              ? row
              : { ...transferRowOf(row.tx, venue.areTermsHidden), sequenceIndex: row.sequenceIndex },
          );
      }),
    );
  }

  /** The lists of this exchange reach back for ever. */
  recall(): Promise<Read<undefined>> {
    return Promise.resolve({ ok: true, value: undefined });
  }

  tryPaths(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }

  decimals(): undefined {
    return undefined;
  }

  volumeQuota(): undefined {
    return undefined;
  }

  rejectedKeys(): Promise<Read<never[]>> {
    return Promise.resolve({ ok: true, value: [] });
  }

  makerOnlyKeys(): Promise<Read<number[]>> {
    const { isMakerOnly } = this.around.venue;
    return Promise.resolve({ ok: true, value: isMakerOnly && this.accountIndex === ACCOUNT_A ? [...LANES] : [] });
  }

  nextNonce(lane: number): Promise<Read<Nonce>> {
    return this.#read(() => {
      // It may lag behind (LP §1.4): what the lists know.
      const last = this.around.venue
        .listedTxs(this.accountIndex)
        .find((tx) => tx.apiKeyIndex === lane && tx.state !== 'dropped');
      return BigInt((last?.nonce ?? 0) + 1) as Nonce;
    });
  }

  account(sinceMs?: number): Promise<Read<AccountState>> {
    return readState(this.around, this.host, { accountIndex: this.accountIndex, sinceMs });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #readOrders(isWanted: (order: Order) => boolean): Promise<Read<readonly OrderRecord[]>> {
    return this.#read(() => this.around.venue.listed(this.accountIndex).filter(isWanted).map(recordOf));
  }

  #read<T>(serve: () => T): Promise<Read<T>> {
    return readFrom(this.around, this.host, serve);
  }
}

/** A read over the network that may fail; the account is the caller's. */
export function readFrom<T>(around: Surroundings, host: Host, serve: () => T): Promise<Read<T>> {
  return around.network.call<Read<T>>(host, {
    kind: 'read',
    deadlineMs: READ_MS,
    silence: () => ({ ok: false, reason: 'no answer' }),
    limited: () => ({ ok: false, reason: 'status 429' }),
    serve: () =>
      around.faults.strike('read-fails') ? { ok: false, reason: 'status 503' } : { ok: true, value: serve() },
  });
}

type State = Omit<AccountState, 'begunMs'>;
const readings = new WeakMap<Host, SharedReadings<State>>();

/** Any account as everybody may read it; a process shares its readings, as src/exchange/lighter. */
export async function readState(
  around: Surroundings,
  host: Host,
  { accountIndex, sinceMs }: { readonly accountIndex: number; readonly sinceMs: number | undefined },
): Promise<Read<AccountState>> {
  let shared = readings.get(host);
  if (shared === undefined) {
    const begin = (index: number): Promise<Read<State>> => readFrom(around, host, () => stateOf(around.venue, index));
    shared = new SharedReadings(begin, () => clockOf(around.time, host).monotonicMs());
    readings.set(host, shared);
  }
  const read = await shared.read(accountIndex, sinceMs);
  return read.ok ? { ok: true, value: { ...read.value.value, begunMs: read.value.begunMs } } : read;
}

function stateOf(venue: Venue, accountIndex: number): State {
  const account = venue.account(accountIndex);
  const { world } = venue.exchange;
  const summary = summarize(world, account);
  const amount = (micro: number) => notional(Math.floor(micro));
  const held = venue.unshown === 'positions' ? [] : [...account.positions.values()];
  const margin = {
    equity: amount(summary.valueMicro),
    initial: amount(summary.initialMicro),
    maintenance: amount(summary.maintenanceMicro),
  };
  return {
    accountIndex,
    availableBalance: amount(summary.availableMicro),
    collateral: amount(account.collateralMicro),
    unreadMarkets: venue.unshown === 'positions' ? [MARKET.marketId] : [],
    positions: held.map((position) => {
      const liquidation = Math.floor(liquidationTicks(world, account, position));
      return {
        marketId: position.marketId,
        lots: lots(position.lots),
        avgEntryTicks: '0',
        value: amount(Math.abs(position.lots) * venue.exchange.market(position.marketId).markTicks),
        ...(liquidation > 0 ? { liquidationTicks: ticks(liquidation) } : {}),
      };
    }),
    ...(venue.unshown === undefined ? { margin } : {}),
  };
}

/** The first transaction of every key registers it, with nonce 0 (LP §1.4); a key without one does not exist. */
function registrationOf(accountIndex: number, lane: number): TxRecord {
  return {
    hash: `registration/${lane}`,
    type: 8,
    accountIndex,
    apiKeyIndex: lane,
    nonce: 0n as Nonce,
    status: 'executed',
    executedAtMs: START_MS - 86_400_000,
  };
}

/** A page full of somebody else's transactions. */
function burstOf(accountIndex: number, atMs: number): TxRecord[] {
  return Array.from({ length: PAGE_ROWS }, (_, at) => ({
    hash: `burst/${accountIndex}/${atMs}/${at}`,
    type: 14,
    accountIndex,
    apiKeyIndex: BURST_LANE,
    nonce: BigInt(at) as Nonce,
    status: 'executed',
    executedAtMs: atMs + at / 1_000,
  }));
}

type Listeners = { [E in keyof AccountStreamEvents]: Set<AccountStreamEvents[E]> };

export class SimStream implements AccountStream {
  state: StreamState = 'connecting';
  /** By lane: the highest nonce that this stream showed as executed. */
  readonly seen = new Map<number, bigint>();
  readonly #listeners: Listeners = { orders: new Set(), txs: new Set(), state: new Set() };
  readonly own = new OrderCache((error) => {
    throw error;
  });
  #epoch = 0;
  #isConnected = false;
  /** Frames of a channel arrive in order: a late one holds up those behind it. */
  readonly #arrivesMs = { orders: 0, txs: 0 };

  constructor(
    private readonly port: SimAccount,
    private readonly host: Host,
    private readonly around: Surroundings,
  ) {
    const { venue } = around;
    venue.watchers.push((changes) => {
      const news = newsOf(changes, venue.account(port.accountIndex));
      if (news && this.#isOpen) this.#carry(news);
    });
    venue.bookings.push((accountIndex, tx) => {
      if (accountIndex === port.accountIndex && this.#isOpen) this.#carry({ orders: [], txs: [txRecordOf(tx)] });
    });
    this.connect();
  }

  on<E extends keyof AccountStreamEvents>(event: E, listener: AccountStreamEvents[E]): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  get #isOpen(): boolean {
    return this.#isConnected && this.host.state !== 'dead' && this.state !== 'closed';
  }

  whenLive(): Promise<void> {
    return Promise.resolve();
  }

  /** The connection is lost: frames until the next snapshot are gone. */
  cut(forMs: number): void {
    this.#epoch += 1;
    this.#isConnected = false;
    this.#enter('stale');
    this.around.time.after(forMs, this.host, () => this.connect());
  }

  connect(): void {
    const { time, venue, random } = this.around;
    const epoch = (this.#epoch += 1);
    time.after(5 + 50 * random.next(), undefined, () => {
      if (epoch !== this.#epoch) return;
      this.#isConnected = true; // frames of what happens from here on follow the snapshot
      const orders = [...venue.account(this.port.accountIndex).liveOrders.values()].map(recordOf);
      time.after(5, this.host, () => {
        if (epoch !== this.#epoch) return;
        const missing = this.own.missingFrom(orders);
        const sinceUs = this.own.lastSeenUs > 0 ? this.own.lastSeenUs - 1_000_000 : (time.nowMs - LOOK_BACK_MS) * 1000;
        this.#emitOrders('snapshot', orders);
        for (const order of orders) this.own.note(order);
        void this.#closeGap(epoch, missing, sinceUs);
      });
    });
  }

  #note(txs: readonly TxRecord[]): void {
    for (const { apiKeyIndex, nonce, status } of txs)
      if (status === 'executed' && nonce > (this.seen.get(apiKeyIndex) ?? 0n)) this.seen.set(apiKeyIndex, nonce);
  }

  /** Two channels: each may lose, repeat and delay what it carries without the other (LP §9). */
  #carry(news: AccountNews): void {
    const { venue } = this.around;
    if (news.orders.length > 0)
      this.#deliver('orders', () => {
        const orders = news.orders.map((order) => this.#asShown(order));
        this.#emitOrders('change', orders);
        for (const order of orders) this.own.note(order);
        for (const order of orders) if (order.status === 'unknown') void this.#readAgain(order.clientOrderIndex);
      });
    if (news.txs.length > 0 && !venue.isTxChannelRejected)
      this.#deliver('txs', () => {
        // A row that cannot be read is none.
        const txs = venue.areTermsHidden ? news.txs.filter(({ transfer }) => transfer === undefined) : news.txs;
        this.#note(txs);
        for (const listener of this.#listeners.txs) listener(txs);
      });
  }

  /** Under a word that the adapter does not know; what is wholly filled is over whatever it is called. */
  #asShown(order: OrderRecord): OrderRecord {
    const isStrange = order.filledLots < order.initialLots && this.around.faults.strike('strange-status');
    return isStrange ? { ...order, status: 'unknown' } : order;
  }

  /** As LighterAccountStream: until a reading or a frame knows the status. */
  async #readAgain(index: ClientOrderIndex): Promise<void> {
    const epoch = this.#epoch;
    for (let round = 0; round < 100; round += 1) {
      await new Promise<void>((resolve) => this.around.time.after(500, this.host, resolve));
      if (epoch !== this.#epoch || this.own.find(index)?.status !== 'unknown') return;
      const read = await this.port.findOrders([index]);
      if (epoch !== this.#epoch || !read.ok) continue;
      const news = read.value.filter((order) => this.own.isNews(order));
      if (news.length > 0) this.#emitOrders('change', news);
      for (const order of news) this.own.note(order);
    }
  }

  #deliver(channel: 'orders' | 'txs', emit: () => void): void {
    const { time, faults, random } = this.around;
    const epoch = this.#epoch;
    const deliver = (): void => {
      if (epoch === this.#epoch && !faults.strike('frame-lost')) emit();
    };
    const lateMs = faults.strike('frame-late') ? faults.random('frame-late').logUniform(100, 8_000) : 0;
    const arrivesMs = Math.max(this.#arrivesMs[channel], time.nowMs + 1 + 40 * random.next() + lateMs);
    this.#arrivesMs[channel] = arrivesMs;
    time.after(arrivesMs - time.nowMs, this.host, deliver);
    if (faults.strike('frame-twice')) time.after(arrivesMs - time.nowMs + 500 * random.next(), this.host, deliver);
  }

  /** As LighterAccountStream: until the gap is read the stream is not live, and what no list shows yet is chased. */
  async #closeGap(epoch: number, missing: readonly OrderRecord[], sinceUs: number): Promise<void> {
    const reads = {
      inactive: () => this.port.inactiveOrders(),
      byClientIndex: (indexes: readonly ClientOrderIndex[]) => this.port.findOrders(indexes),
    };
    let left = missing;
    for (let round = 0; round < 100; round += 1) {
      const gap = await readGap(left, sinceUs, reads);
      if (epoch !== this.#epoch) return;
      if (gap.ok) {
        const news = gap.value.records.filter((order) => this.own.isNews(order));
        if (news.length > 0) this.#emitOrders('change', news);
        for (const order of news) this.own.note(order);
        if (this.state !== 'live') this.#enter('live');
        left = gap.value.unresolved;
        if (left.length === 0) return;
      }
      await new Promise<void>((resolve) => this.around.time.after(500, this.host, resolve));
      if (epoch !== this.#epoch) return;
    }
  }

  #emitOrders(kind: 'snapshot' | 'change', orders: readonly OrderRecord[]): void {
    const receivedAtMs = clockOf(this.around.time, this.host).monotonicMs();
    for (const listener of this.#listeners.orders) listener({ kind, orders, receivedAtMs });
  }

  #enter(state: StreamState): void {
    this.state = state;
    for (const listener of this.#listeners.state) listener(state);
  }
}
