/**
 * An exchange account for the executor's tests: one nonce sequence per lane (LP §3.6), a stream, lists, and the test as the market.
 *
 * It books what is sent and executes only when the test says so (`auto` does it at once), so that a test can put any frame, answer or
 * failure in any order. `faults` breaks one call after the other.
 */
import type { KnownDecimals } from '../../src/domain/decimals';
import { nonceOf, type ClientOrderIndex, type Nonce, type OrderId } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks, type Lots } from '../../src/domain/lots';
import {
  TX_CANCEL_ALL,
  TX_CANCEL_ORDER,
  TX_CREATE_ORDER,
  TX_TRANSFER,
  type AccountState,
  type NonceStatus,
  type OrderRecord,
  type OrderStatus,
  type Read,
  type SendOutcome,
  type TxRecord,
} from '../../src/domain/records';
import type {
  AccountPort,
  AccountStream,
  AccountStreamEvents,
  RejectedKey,
  SignedTx,
  SigningThread,
  StreamState,
  TxRequest,
} from '../../src/exchange/port';
import { OrderCache } from '../../src/exchange/lighter/order-cache';

export type Placed = Extract<TxRequest, { clientOrderIndex: ClientOrderIndex }>;

/** How one call of `send` ends; `book` is what an undisturbed exchange does. */
export type SendFault =
  | { readonly kind: 'book' }
  | { readonly kind: 'throw' }
  /** Booked, but the answer is lost. */
  | { readonly kind: 'booked-unknown' }
  /** Neither booked nor answered. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'refuse'; readonly code: number };

class FakeStream implements AccountStream {
  state: StreamState = 'live';
  readonly own = new OrderCache((error) => {
    throw error;
  });
  readonly #listeners: { [E in keyof AccountStreamEvents]: Set<AccountStreamEvents[E]> } = {
    orders: new Set(),
    txs: new Set(),
    state: new Set(),
  };

  on<E extends keyof AccountStreamEvents>(event: E, listener: AccountStreamEvents[E]): () => void {
    this.#listeners[event].add(listener);
    return () => void this.#listeners[event].delete(listener);
  }

  whenLive(): Promise<void> {
    return Promise.resolve();
  }

  get listeners(): number {
    return this.#listeners.orders.size + this.#listeners.txs.size;
  }

  orders(...orders: OrderRecord[]): void {
    this.ordersAt(0, ...orders);
  }

  ordersAt(receivedAtMs: number, ...orders: OrderRecord[]): void {
    for (const listener of [...this.#listeners.orders]) listener({ kind: 'change', orders, receivedAtMs });
    for (const order of orders) this.own.note(order);
  }

  txs(...txs: TxRecord[]): void {
    for (const listener of [...this.#listeners.txs]) listener(txs);
  }
}

export class FakeAccount implements AccountPort {
  readonly makerOnly: number[] = [];
  readonly accountIndex = 7;
  readonly lanes = [4, 5, 9];
  readonly stream = new FakeStream();
  readonly signed: TxRequest[] = [];
  /** Where each of them was signed. */
  readonly threads: SigningThread[] = [];
  readonly sent: SignedTx[] = [];
  readonly sends: SendFault[] = [];
  readonly orders: OrderRecord[] = [];
  readonly txs: TxRecord[] = [];
  looks = 0;
  traces = 0;
  /** What every booked order executes at once; undefined: the test executes. */
  auto: ((request: Placed) => { lots: Lots; status?: OrderStatus }) | undefined;
  signing: (() => Promise<void>) | undefined;
  reading: 'ok' | 'fail' | 'throw' = 'ok';
  signedLifeMs = 599_000;
  /** Lanes whose key the exchange rejects, until it is registered again. */
  readonly revoked = new Set<number>();
  position = lots(0);
  readonly #next = new Map<number, bigint>();

  quota: { left: number; ageMs: number } | undefined;

  known: KnownDecimals | undefined;

  decimals(): KnownDecimals | undefined {
    return this.known;
  }

  volumeQuota(): { left: number; ageMs: number } | undefined {
    return this.quota;
  }

  async sign(request: TxRequest, where: SigningThread = 'beside'): Promise<SignedTx> {
    this.threads.push(where);
    await this.signing?.();
    this.signed.push(request);
    return { request, txHash: `hash-${this.signed.length}`, expiresAtMs: Date.now() + this.signedLifeMs };
  }

  async send(tx: SignedTx, onLeft?: () => void): Promise<SendOutcome> {
    this.sent.push(tx);
    onLeft?.();
    const { txHash } = tx;
    if (this.revoked.has(tx.request.lane))
      return { kind: 'rejected', txHash, code: 21109, message: 'api key not found' };
    const fault = this.sends.shift() ?? { kind: 'book' };
    switch (fault.kind) {
      case 'throw':
        throw new Error('the socket is gone');
      case 'lost':
        return { kind: 'unknown', txHash, reason: 'no answer' };
      case 'refuse':
        return { kind: 'rejected', txHash, code: fault.code, message: `code ${fault.code}` };
      case 'book':
      case 'booked-unknown': {
        if (Date.now() > tx.expiresAtMs) return { kind: 'rejected', txHash, code: 21501, message: 'invalid tx info' };
        const { lane, nonce, skipNonce } = tx.request;
        const next = this.#next.get(lane) ?? 0n;
        if (skipNonce ? nonce < next : nonce !== next)
          return { kind: 'rejected', txHash, code: 21104, message: 'invalid nonce' };
        this.#next.set(lane, nonce + 1n);
        if (this.auto) queueMicrotask(() => this.execute(tx));
        return fault.kind === 'book'
          ? { kind: 'accepted', txHash, predictedExecutionMs: Date.now() }
          : { kind: 'unknown', txHash, reason: 'the answer was lost' };
      }
    }
  }

  /** The sequencer executes what was sent: by default all of it. Frames follow, unless `silently`. */
  execute(
    tx: SignedTx,
    how: { lots?: Lots; status?: OrderStatus; rejection?: number; silently?: boolean } = {},
  ): OrderRecord | undefined {
    const { request } = tx;
    const record = this.txOf(tx, how.rejection);
    this.txs.push(record);
    let order: OrderRecord | undefined;
    if ('clientOrderIndex' in request && how.rejection === undefined) {
      const auto = this.auto?.(request);
      const isTrade = request.kind === 'market-order';
      const filled = how.lots ?? auto?.lots ?? (isTrade ? request.lots : lots(0));
      const status =
        how.status ??
        auto?.status ??
        (request.kind === 'post-only-order'
          ? 'open'
          : filled === request.lots
            ? 'filled'
            : 'canceled-not-enough-liquidity');
      order = this.orderOf(request, filled, status);
      this.orders.push(order);
    }
    if (how.silently !== true) {
      this.stream.txs(record);
      if (order) this.stream.orders(order);
    }
    return order;
  }

  /** As if another process had sent it and the exchange had executed it, without a frame to us. */
  executed(request: Placed, how: { lots: Lots; status: OrderStatus }): void {
    this.#next.set(request.lane, request.nonce + 1n);
    this.execute({ request, txHash: 'elsewhere', expiresAtMs: Infinity }, { ...how, silently: true });
  }

  orderOf(request: Placed, filledLots: Lots, status: OrderStatus): OrderRecord {
    return {
      accountIndex: this.accountIndex,
      marketId: request.marketId,
      orderIndex: 1n,
      clientOrderIndex: request.clientOrderIndex,
      side: request.side,
      status,
      initialLots: request.lots,
      filledLots,
      filledQuote: notional(filledLots * 100n),
      priceTicks: ticks(1n),
      transactionTimeUs: 0,
    };
  }

  txOf({ request, txHash }: SignedTx, rejection?: number): TxRecord {
    const type =
      request.kind === 'cancel-order'
        ? TX_CANCEL_ORDER
        : request.kind.startsWith('cancel-all')
          ? TX_CANCEL_ALL
          : request.kind === 'transfer'
            ? TX_TRANSFER
            : TX_CREATE_ORDER;
    return {
      hash: txHash,
      type,
      accountIndex: this.accountIndex,
      apiKeyIndex: request.lane,
      nonce: request.nonce,
      status: 'executed',
      executedAtMs: Date.now(),
      ...('clientOrderIndex' in request ? { clientOrderIndex: request.clientOrderIndex } : {}),
      ...(request.kind === 'transfer' ? { transfer: { ...request } } : {}),
      ...(rejection === undefined ? {} : { rejection: { code: rejection, message: `code ${rejection}` } }),
    };
  }

  /** Something that is not ours used the lane. */
  foreign(lane: number, nonce: bigint): TxRecord {
    this.#next.set(lane, nonce + 1n);
    const tx: TxRecord = {
      hash: `foreign-${nonce}`,
      type: TX_CREATE_ORDER,
      accountIndex: this.accountIndex,
      apiKeyIndex: lane,
      nonce: nonce as Nonce,
      status: 'executed',
      executedAtMs: Date.now(),
      clientOrderIndex: 77n as ClientOrderIndex,
    };
    this.txs.push(tx);
    return tx;
  }

  /** A contender on another machine sends a slice of the ticket: its own bytes, the same nonce. */
  contender(id: OrderId, k: number, request: Placed): SignedTx {
    this.#next.set(request.lane, nonceOf(id, k) + 1n);
    return { request, txHash: `contender-${k}`, expiresAtMs: Infinity };
  }

  #read<T>(value: T): Promise<Read<T>> {
    if (this.reading === 'throw') return Promise.reject(new Error('a bug in the adapter'));
    return Promise.resolve(this.reading === 'ok' ? { ok: true, value } : { ok: false, reason: 'HTTP 503' });
  }

  findOrders(indexes: readonly ClientOrderIndex[]): Promise<Read<readonly OrderRecord[]>> {
    this.looks += 1;
    return this.#read(this.orders.filter((order) => indexes.includes(order.clientOrderIndex)));
  }

  nonceStatus(query: { lane: number; nonce: Nonce }): Promise<Read<NonceStatus>> {
    this.traces += 1;
    const rows = this.txs.filter((tx) => tx.apiKeyIndex === query.lane);
    const consumed = rows.find((tx) => tx.nonce === query.nonce);
    if (consumed) return this.#read<NonceStatus>({ kind: 'consumed', tx: consumed });
    const by = rows.find((tx) => tx.nonce > query.nonce);
    return this.#read<NonceStatus>(
      by ? { kind: 'passed', by, isContested: false } : { kind: 'unseen', isComplete: true, isContested: false },
    );
  }

  /** What the lists of orders do not reach any more, by transaction hash. */
  readonly recalled = new Map<string, OrderRecord>();

  recall(tx: TxRecord): Promise<Read<OrderRecord | undefined>> {
    return this.#read(this.recalled.get(tx.hash));
  }

  activeOrders(): Promise<Read<readonly OrderRecord[]>> {
    return this.#read(this.orders.filter((order) => order.status === 'open'));
  }

  inactiveOrders(): Promise<Read<readonly OrderRecord[]>> {
    return this.#read(this.orders.filter((order) => order.status !== 'open'));
  }

  nextNonce(lane: number): Promise<Read<Nonce>> {
    return this.#read((this.#next.get(lane) ?? 0n) as Nonce);
  }

  makerOnlyKeys(): Promise<Read<readonly number[]>> {
    return this.#read([...this.makerOnly]);
  }

  tryPaths(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }

  rejectedKeys(): Promise<Read<readonly RejectedKey[]>> {
    return this.#read([]);
  }

  account(): Promise<Read<AccountState>> {
    return this.#read({
      accountIndex: this.accountIndex,
      availableBalance: notional(1_000_000_000n),
      collateral: notional(1_000_000_000n),
      unreadMarkets: [],
      begunMs: 0,
      positions: this.position === 0n ? [] : [{ marketId: 1, lots: this.position, avgEntryTicks: '1' }],
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  get last(): SignedTx {
    const tx = this.sent.at(-1);
    if (!tx) throw new Error('nothing was sent');
    return tx;
  }
}
