/**
 * What an exchange must offer: the only surface that the executor, the listener and the activities know.
 *
 * Business answers are values (`SendOutcome`, `Read`), never exceptions. Keys stay behind `AccountPort.sign`; what it returns is
 * opaque and must not be logged or stored.
 */
import type { KnownDecimals } from '../domain/decimals';
import type { ClientOrderIndex, Nonce } from '../domain/ids-and-nonces';
import type { Lots, Notional, Ticks } from '../domain/lots';
import type {
  AccountState,
  Market,
  MarketRules,
  NonceStatus,
  OrderRecord,
  Read,
  SendOutcome,
  Side,
  TransferTerms,
  TxRecord,
  Upgrades,
} from '../domain/records';
import type { HistoryPort } from './history';

/** Whose resting order gives way when two orders of one owner meet (LP §3.3 keys 6, 7). Sent only with hedges and closes. */
export interface SelfTradeRule {
  readonly behaviour: 'expire-maker';
  readonly compare: 'account' | 'master';
}

interface TxBase {
  /** API key index. */
  readonly lane: number;
  readonly nonce: Nonce;
  /** Skip-nonce attribute (LP §3.3 key 4): the nonce may be any number above the lane's last one. */
  readonly skipNonce: boolean;
}

export type TxRequest =
  | (TxBase & {
      readonly kind: 'market-order';
      readonly marketId: number;
      readonly clientOrderIndex: ClientOrderIndex;
      readonly side: Side;
      readonly lots: Lots;
      /** Worst acceptable average price (LP §2.4). */
      readonly boundTicks: Ticks;
      readonly reduceOnly: boolean;
      readonly selfTrade?: SelfTradeRule;
    })
  | (TxBase & {
      readonly kind: 'post-only-order';
      readonly marketId: number;
      readonly clientOrderIndex: ClientOrderIndex;
      readonly side: Side;
      readonly lots: Lots;
      readonly priceTicks: Ticks;
      /** Epoch ms, exchange time, 5 min … 30 days ahead (LP §2.3). */
      readonly expiryMs: number;
    })
  | (TxBase & {
      /** Limit, immediate-or-cancel: the form of a seal. */
      readonly kind: 'limit-ioc-order';
      readonly marketId: number;
      readonly clientOrderIndex: ClientOrderIndex;
      readonly side: Side;
      readonly lots: Lots;
      readonly priceTicks: Ticks;
    })
  | (TxBase & { readonly kind: 'cancel-order'; readonly marketId: number; readonly index: ClientOrderIndex })
  | (TxBase & { readonly kind: 'cancel-all-now' })
  | (TxBase & {
      /** Dead-man's switch (LP §2.8): everything is cancelled at `atMs` (exchange time, 5 min … 15 days ahead) unless renewed. */
      readonly kind: 'cancel-all-at';
      readonly atMs: number;
    })
  /** Takes a queued cancel-all back. */
  | (TxBase & { readonly kind: 'cancel-all-abort' })
  /** To an account of the same owner: needs no signature of the wallet and costs no fee (LP §3.1). */
  | (TxBase & TransferTerms & { readonly kind: 'transfer' });

/**
 * `here` holds everything else up for a millisecond or two, and is for the hedge that a fill waits for: another thread would have to
 * be waited for, and may have to wait for a processor. `beside`, the default, is for all the rest.
 */
export type SigningThread = 'here' | 'beside';

/** Signed bytes. Opaque outside the adapter; never logged, stored or put in a payload. */
export interface SignedTx {
  readonly request: TxRequest;
  /** 80 hex digits, known before sending (LP §0.1 (1)); safe to show. */
  readonly txHash: string;
  /** Epoch ms after which the bytes are dead (LP §3.5). */
  readonly expiresAtMs: number;
}

/** A level of the book: distinct price, total size. */
export interface BookLevel {
  readonly priceTicks: Ticks;
  readonly lots: Lots;
}

export interface OrderBook {
  readonly marketId: number;
  /** Best first. */
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
  /** Exchange time of the last change, microseconds. */
  readonly updatedAtUs: number;
}

/** Why the account stream cannot be relied on right now; `live` when it can. */
export type StreamState = 'connecting' | 'live' | 'stale' | 'closed';

export interface OrdersFrame {
  /**
   * `snapshot`: all live orders, after (re)connecting; `change`: only orders that changed, terminal ones once (LP §5.6); `read`: what lists
   * show and no frame had shown.
   */
  readonly kind: 'snapshot' | 'change' | 'read';
  readonly orders: readonly OrderRecord[];
  /** Milliseconds of the monotonic clock (src/clock.ts) at which the frame's bytes arrived. */
  readonly receivedAtMs: number;
}

export interface AccountStreamEvents {
  orders: (frame: OrdersFrame) => void;
  /** Transactions of the account from `account_tx`: the only push that shows sequencer rejections (LP §5.6). */
  txs: (txs: readonly TxRecord[]) => void;
  state: (state: StreamState) => void;
}

/**
 * The account's orders as far as this process has heard of them. What is here happened, what is not here says nothing (invariant 8);
 * orders that ended long ago are forgotten. An order without a client index is nobody's here.
 */
export interface OwnOrders {
  /** The newest record. */
  find(index: ClientOrderIndex): OrderRecord | undefined;
  /** Those that were resting when last heard of. */
  open(marketId: number): OrderRecord[];
  /** Tells each newer record, once it is the one that `find` answers. */
  on(index: ClientOrderIndex, listener: (record: OrderRecord) => void): () => void;
}

/** Subscriptions end by calling the returned function. */
export interface AccountStream {
  readonly own: OwnOrders;
  on<E extends keyof AccountStreamEvents>(event: E, listener: AccountStreamEvents[E]): () => void;
  readonly state: StreamState;
  /** Resolves when the stream is live: subscribed, snapshot delivered, gap re-read. Rejects when the stream is closed. */
  whenLive(): Promise<void>;
}

/** Each checked key is one request of the budget; more lanes than this find out when they are used. */
export const KEYS_CHECKED_MAX = 16;

/** One account: its stream, its reads, its lanes. */
export interface AccountPort {
  readonly accountIndex: number;
  readonly stream: AccountStream;
  /** Lanes whose private key this process holds. */
  readonly lanes: readonly number[];
  sign(request: TxRequest, where?: SigningThread): Promise<SignedTx>;
  /**
   * Sends over the open WebSocket, else HTTP. Never throws for a business answer, never resends by itself. `onLeft`: the bytes are on their
   * way; within this call, unless they must wait for the exchange to take them.
   */
  send(tx: SignedTx, onLeft?: () => void): Promise<SendOutcome>;
  /**
   * `accountOrders?client_order_indexes` (LP §1.4): the orders found; those not found prove nothing. A row that cannot be read is left
   * out; with `every`, for who sums up what is found, it fails the read if it may be one of `indexes`. `urgent`: a hedge, a cancel or a
   * fill waits for it, so that it is asked even while the exchange limits us.
   */
  findOrders(
    indexes: readonly ClientOrderIndex[],
    options?: { readonly every?: boolean; readonly urgent?: boolean },
  ): Promise<Read<readonly OrderRecord[]>>;
  /**
   * With `lane`, a row that cannot be read fails the read only if it may be an order of that lane; without, any does.
   */
  activeOrders(query?: { readonly marketId?: number; readonly lane?: number }): Promise<Read<readonly OrderRecord[]>>;
  /** Newest first, at most `limit` (1…100); `lane` as above. */
  inactiveOrders(query: {
    readonly marketId?: number;
    readonly lane?: number;
    readonly limit: number;
  }): Promise<Read<readonly OrderRecord[]>>;
  /** Who consumed (lane, nonce)? Pages `accountTxs` back until the nonce is found, provably passed, or `sinceMs` is reached. */
  nonceStatus(query: {
    readonly lane: number;
    readonly nonce: Nonce;
    readonly sinceMs: number;
    /** As for `findOrders`. */
    readonly urgent?: boolean;
  }): Promise<Read<NonceStatus>>;
  /**
   * The last record of an order that the lists of orders no longer reach, made from its transaction and its trades (LP §1.4: they hold the
   * newest 1 000 that ended, for a day). Only for a transaction that is older than any list lags; undefined when it lives or is not told.
   */
  recall(tx: TxRecord): Promise<Read<OrderRecord | undefined>>;
  /** May lag behind accepted transactions (LP §1.4): a hint, never a proof. */
  nextNonce(lane: number): Promise<Read<Nonce>>;
  /** Lanes (of the first `KEYS_CHECKED_MAX`) whose key the exchange rejects, and its words. Found by reading, one request per lane. */
  rejectedKeys(): Promise<Read<readonly RejectedKey[]>>;
  /** Asks every path that the product needs, one request each: does the exchange answer there? */
  tryPaths(): Promise<readonly TriedPath[]>;
  /** Keys that the exchange lets quote and cancel only (LP §3.6). */
  makerOnlyKeys(): Promise<Read<readonly number[]>>;
  /**
   * What was heard by `sinceMs` (monotonic clock) is in it: a reading of this process that began after that moment answers too. Without it one
   * begins now.
   */
  account(sinceMs?: number): Promise<Read<AccountState>>;
  /** Undefined before the market is known. */
  decimals(marketId: number): KnownDecimals | undefined;
  /** What was left of the owner's volume quota when an answer last said so (LP §6.5); undefined where none is counted. */
  volumeQuota(): { readonly left: number; readonly ageMs: number } | undefined;
  close(): Promise<void>;
}

export interface TriedPath {
  readonly path: string;
  /** Ok, or why it was not the exchange that answered. */
  readonly answers: Read<undefined>;
  /** What goes on while it does not, and what does not. */
  readonly without: string;
}

export interface RejectedKey {
  readonly lane: number;
  readonly reason: string;
}

/** Market data and facts that need no key. */
export interface ExchangePort {
  markets(): Promise<Read<readonly Market[]>>;
  /** A market's initial margin, basis points of the value (LP §1.4); read again every ten minutes at most. */
  initialMarginBps(marketId: number): Promise<Read<number>>;
  /** What a market takes now; read again when what is known is older than `ageMsMax`. */
  marketRules(marketId: number, ageMsMax: number): Promise<Read<MarketRules>>;
  /** What is announced of times without orders. */
  upgrades(): Promise<Read<Upgrades>>;
  /** Live book of a market: opens the stream on first use; `undefined` until its snapshot is in, or while it is stale. */
  book(marketId: number): OrderBook | undefined;
  whenBook(marketId: number): Promise<OrderBook>;
  /** Exchange clock minus the host's, milliseconds, estimated from server times; undefined before the first sample. */
  clockSkewMs(): number | undefined;
  /**
   * Why the exchange is asked for nothing but hedges, cancels and what they need, after it has rejected requests for their number; undefined
   * when nothing is held back. Reads fail with the same reason meanwhile.
   */
  backingOff(): string | undefined;
  /** Exchange time, epoch ms, for every deadline that the exchange reads; a step of the host's clock does not move it. */
  exchangeNowMs(): number;
  /** Public reading of any account: positions and collateral, without a key. `sinceMs` as for `AccountPort.account`. */
  accountState(accountIndex: number, sinceMs?: number): Promise<Read<AccountState>>;
  /** Master account (L1 address) of an account, to tell whether two of ours share one. */
  ownerOf(accountIndex: number): Promise<Read<string>>;
  /**
   * Tells what the orders of any account trade, without a key and without a request, from now until the exchange is closed. What is
   * traded while the connection is down is missed.
   */
  watchTrades(accountIndex: number, onTraded: (sum: TradedSum) => void): void;
  openAccount(options: AccountOptions): AccountPort;
  /** What happened to an account's money. Opens no stream and sends nothing: the keys only sign what shows who reads. */
  openHistory(options: AccountOptions): HistoryPort;
  close(): Promise<void>;
}

/** What an order traded as far as it was heard: at most what executed, less when something was missed. */
export interface TradedSum {
  readonly clientOrderIndex: ClientOrderIndex;
  readonly marketId: number;
  readonly side: Side;
  readonly tradedLots: Lots;
  readonly tradedQuote: Notional;
  readonly transactionTimeUs: number;
}

export interface AccountOptions {
  readonly accountIndex: number;
  /** API key index → private key (hex). The adapter hands them to the signer and keeps nothing else of them. */
  readonly keys: ReadonlyMap<number, string>;
}
