/**
 * The state of the exchange and the collector of what one event changed.
 *
 * Owns accounts, markets, counters and the current exchange time, which is set from outside before every event. It never reads a
 * clock and never does I/O. The rules that move this state are in matching.ts, orders.ts and engine.ts.
 */
import { BookSide } from './book';
import { CandleSeries } from './candles';
import { openMarket } from './markets';
import type { MarketSwitches } from './markets';
import type { Account, ApiKey, MarketSpec, Order, Position, Tier, Trade, TxRecord } from './types';

/**
 * Bounds of what is remembered; older entries are forgotten (docs/paper-exchange.md). An account gets its share of `all`, so that
 * a thousand busy accounts fit into memory (about 6 kB per order and transaction) and two keep a whole day.
 */
export const memory = {
  perAccount: { least: 200, most: 50_000, all: 200_000 },
  refusals: 2_000,
  marketTrades: 2_000,
} as const;

const firstBlock = 303_153_774;
/** A block's time lies at least this long before what it holds (recorded: 15 to 481 ms, LP §1.4). */
const blockLeadMs = 15;
const blockMs = 250;

export interface DailyStats {
  trades: number;
  baseLots: number;
  quoteMicro: number;
  lowTicks: number;
  highTicks: number;
}

export interface Market extends MarketSwitches {
  readonly spec: MarketSpec;
  readonly bids: BookSide;
  readonly asks: BookSide;
  /** Asks count up from 0, bids down from 2^48 − 1 (LP §2.2). */
  nextAskNonce: number;
  nextBidNonce: number;
  readonly orders: Map<number, Order>;
  markTicks: number;
  lastTradeTicks: number;
  /** Matching-engine nonce of the newest change of the book (LP §5.5). */
  bookNonce: number;
  changedAtUs: number;
  /** Newest last, bounded. */
  readonly trades: Trade[];
  readonly daily: DailyStats;
  openInterestLots: number;
  readonly candles: CandleSeries;
  readonly markCandles: CandleSeries;
  /** Conditional orders waiting for the mark price. */
  readonly waiting: Set<Order>;
}

/** Seconds (LP §1.4). */
export interface Announcement {
  readonly title: string;
  readonly content: string;
  readonly createdAtS: number;
  readonly expiredAtS: number | undefined;
}

export interface AccountChanges {
  /** Orders of the account that changed, in order of change, once each. */
  readonly orders: Set<Order>;
  readonly trades: Trade[];
  /** Markets whose position or order counts changed. */
  readonly markets: Set<number>;
  readonly txs: TxRecord[];
  /** Collateral came or went without a trade. */
  moneyMoved: boolean;
}

/** Everything that one event (a transaction, a sweep, a step of the market) changed. Read it before the next event. */
export class Changes {
  readonly accounts = new Map<Account, AccountChanges>();
  readonly trades: Trade[] = [];
  readonly markets = new Set<Market>();

  constructor(readonly atUs: number) {}

  of(account: Account): AccountChanges {
    let changes = this.accounts.get(account);
    if (changes === undefined) {
      changes = { orders: new Set(), trades: [], markets: new Set(), txs: [], moneyMoved: false };
      this.accounts.set(account, changes);
    }
    return changes;
  }
}

export interface NewAccount {
  readonly accountIndex: number;
  readonly l1Address: string;
  readonly tier: Tier;
  readonly collateralMicro: number;
  readonly keys: ReadonlyMap<number, string>;
  readonly synthetic: boolean;
}

export class World {
  readonly accounts = new Map<number, Account>();
  readonly byL1Address = new Map<string, Account[]>();
  readonly markets = new Map<number, Market>();
  /** Live orders of real accounts by the second in which they expire. */
  readonly expiries = new Map<number, Set<Order>>();
  /** Accounts with a dead-man's switch. */
  readonly switches = new Set<Account>();
  changes = new Changes(0);
  nowUs = 0;
  nowMs = 0;
  blockHeight = 0;
  blockTimeMs = 0;
  /** The hash that the next fill carries: of the transaction under way until it has traded once. */
  fillHash: (() => string) | undefined;
  /** Counts everything that the matching engine did. */
  engineSequence = 18_032_383_898;
  txSequence = 1;
  nextTradeId = 26_412_422_124;
  nextFundingId = 1;
  nextMoneyId = 1;
  /** Of the whole exchange: no order is placed meanwhile. */
  upgrade: { readonly fromMs: number; readonly untilMs: number } | undefined;
  /** Newest first. */
  readonly announcements: Announcement[] = [];
  readonly #startMs: number;

  constructor(specs: readonly MarketSpec[], startMs: number) {
    this.#startMs = startMs;
    for (const spec of specs) this.markets.set(spec.marketId, newMarket(spec));
    this.setTime(startMs * 1000);
  }

  setTime(nowUs: number): void {
    this.nowUs = nowUs;
    this.nowMs = Math.floor(nowUs / 1000);
    // Its number only grows, even when the clock is moved back.
    const blocks = Math.floor((this.nowMs - this.#startMs) / blockMs);
    this.blockHeight = Math.max(this.blockHeight, firstBlock + blocks);
    this.blockTimeMs = this.#startMs + blocks * blockMs - blockLeadMs;
  }

  /** Opens an event: what follows is collected into fresh changes. */
  begin(nowUs: number): void {
    this.setTime(nowUs);
    this.changes = new Changes(nowUs);
    this.fillHash = undefined;
  }

  takeFillHash(): string | undefined {
    const hash = this.fillHash?.();
    this.fillHash = undefined;
    return hash;
  }

  addAccount(spec: NewAccount): Account {
    const siblings = this.byL1Address.get(spec.l1Address.toLowerCase()) ?? [];
    const account: Account = {
      accountIndex: spec.accountIndex,
      l1Address: spec.l1Address,
      accountType: siblings.length === 0 ? 0 : 1,
      createdAtMs: this.nowMs,
      tier: spec.tier,
      tierChangedAtMs: 0,
      synthetic: spec.synthetic,
      collateralMicro: spec.collateralMicro,
      feesPaidMicro: 0,
      depositedMicro: spec.collateralMicro,
      tradeCount: 0,
      tradedQuoteMicro: 0,
      keys: new Map(),
      positions: new Map(),
      liveOrders: new Map(),
      byClientIndex: new Map(),
      inactiveOrders: [],
      trades: [],
      txs: [],
      fundings: [],
      moneyMoves: [],
      refusals: [],
      cancelAllAtMs: 0,
      integrators: new Map(),
      updatedAtUs: this.nowUs,
    };
    for (const [index, publicKey] of spec.keys) account.keys.set(index, this.newKey(index, publicKey, 1));
    this.accounts.set(spec.accountIndex, account);
    this.byL1Address.set(spec.l1Address.toLowerCase(), [...siblings, account]);
    return account;
  }

  /** A registered key starts at nonce 1: its ChangePubKey used 0 (LP §1.4 nextNonce). */
  newKey(index: number, publicKey: string, next: 0 | 1): ApiKey {
    const nonces = { executedNext: next, bookedNext: next, pending: [] };
    return { index, publicKey, makerOnly: false, ...nonces, updatedAtUs: this.nowUs };
  }

  watchExpiry(order: Order): void {
    if (order.account.synthetic) return;
    const second = Math.floor(order.expiryMs / 1000);
    const watched = this.expiries.get(second);
    if (watched === undefined) this.expiries.set(second, new Set([order]));
    else watched.add(order);
  }

  unwatchExpiry(order: Order): void {
    const second = Math.floor(order.expiryMs / 1000);
    const watched = this.expiries.get(second);
    if (watched?.delete(order) === true && watched.size === 0) this.expiries.delete(second);
  }

  position(account: Account, market: Market): Position {
    let position = account.positions.get(market.spec.marketId);
    if (position === undefined) {
      position = {
        marketId: market.spec.marketId,
        lots: 0,
        entryQuoteMicro: 0,
        realizedPnlMicro: 0,
        marginFraction: market.spec.defaultMarginFraction,
        marginMode: 'cross',
        allocatedMarginMicro: 0,
        fundingPaidMicro: 0,
        openOrderCount: 0,
        pendingOrderCount: 0,
        restingBidMicro: 0,
        restingAskMicro: 0,
      };
      account.positions.set(market.spec.marketId, position);
    }
    return position;
  }

  /** How many finished orders, trades and transactions each account keeps. */
  get historyMax(): number {
    const { least, most, all } = memory.perAccount;
    return Math.max(least, Math.min(most, Math.floor(all / this.accounts.size)));
  }

  /** Notes that the order changed now. */
  touch(order: Order): void {
    order.updatedAtMs = this.nowMs;
    order.transactionUs = this.nowUs;
    order.blockHeight = this.blockHeight;
    if (order.account.synthetic) return;
    recordState(order);
    const changes = this.changes.of(order.account);
    changes.orders.add(order);
    changes.markets.add(order.marketId);
  }

  touchBook(market: Market): void {
    this.engineSequence += 1;
    market.bookNonce = this.engineSequence;
    market.changedAtUs = this.nowUs;
    this.changes.markets.add(market);
  }
}

/** Keeps the newest state of each instant. */
function recordState(order: Order): void {
  const { history } = order;
  if (history[history.length - 1]?.transactionUs === order.transactionUs) history.pop();
  const { transactionUs, bookNonce, priceTicks, initialLots, remainingLots, filledLots, filledQuoteMicro } = order;
  const { status, version, triggeredAtMs, updatedAtMs, blockHeight } = order;
  const amounts = { initialLots, remainingLots, filledLots, filledQuoteMicro };
  const times = { transactionUs, triggeredAtMs, updatedAtMs, blockHeight };
  history.push({ bookNonce, priceTicks, ...amounts, status, version, ...times });
  if (history.length > 64) history.shift();
}

/** The order as it was at an instant; undefined when it did not exist yet. */
export function orderAsOf(order: Order, atUs: number): Order | undefined {
  if (order.transactionUs <= atUs) return order;
  for (let index = order.history.length - 1; index >= 0; index -= 1) {
    const state = order.history[index]!;
    if (state.transactionUs <= atUs) return { ...order, ...state };
  }
  return undefined;
}

/** Appends to a bounded list. Trims by half a bound at a time, so that the common case moves nothing. */
export function remember<T>(list: T[], item: T, bound: number): void {
  list.push(item);
  if (list.length > bound * 1.5) list.splice(0, list.length - bound);
}

export function bestTicks(side: BookSide): number | undefined {
  return side.best()?.priceTicks;
}

export function sideOf(market: Market, side: 'bid' | 'ask'): BookSide {
  return side === 'bid' ? market.bids : market.asks;
}

export function oppositeOf(market: Market, side: 'bid' | 'ask'): BookSide {
  return side === 'bid' ? market.asks : market.bids;
}

function newMarket(spec: MarketSpec): Market {
  if (spec.sizeDecimals + spec.priceDecimals !== 6) throw new Error(`market ${spec.symbol}: decimals must sum to 6`);
  return {
    spec: { ...spec },
    bids: new BookSide('bid'),
    asks: new BookSide('ask'),
    nextAskNonce: 0,
    nextBidNonce: 2 ** 48 - 1,
    orders: new Map(),
    markTicks: spec.startTicks,
    lastTradeTicks: spec.startTicks,
    ...openMarket,
    bookNonce: 0,
    changedAtUs: 0,
    trades: [],
    daily: { trades: 0, baseLots: 0, quoteMicro: 0, lowTicks: spec.startTicks, highTicks: spec.startTicks },
    openInterestLots: 0,
    candles: new CandleSeries(),
    markCandles: new CandleSeries(),
    waiting: new Set(),
  };
}
