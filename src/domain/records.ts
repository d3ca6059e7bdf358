/**
 * What the exchange tells us, in our units: the shapes that cross from `src/exchange` into the pure core.
 *
 * A record is a fact about the past; its absence is not (invariant 8). `Read` keeps "the read failed" apart from "there is none".
 */
import { assertNever } from './assert';
import type { ClientOrderIndex, Nonce } from './ids-and-nonces';
import type { Lots, Notional, Ticks } from './lots';

export type Side = 'buy' | 'sell';

export function opposite(side: Side): Side {
  return side === 'buy' ? 'sell' : 'buy';
}

/** The exchange's order states as listed in LP §2.5, after our own word for one that is not in that list. */
export const ORDER_STATUSES = [
  'unknown',
  'in-progress',
  'pending',
  'open',
  'filled',
  'canceled',
  'canceled-post-only',
  'canceled-reduce-only',
  'canceled-position-not-allowed',
  'canceled-margin-not-allowed',
  'canceled-too-much-slippage',
  'canceled-not-enough-liquidity',
  'canceled-self-trade',
  'canceled-expired',
  'canceled-oco',
  'canceled-child',
  'canceled-liquidation',
  'canceled-invalid-balance',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Whether no lot can execute for the order any more. */
export function isTerminal(status: OrderStatus): boolean {
  switch (status) {
    case 'unknown':
    case 'in-progress':
    case 'pending':
    case 'open':
      return false;
    case 'filled':
    case 'canceled':
    case 'canceled-post-only':
    case 'canceled-reduce-only':
    case 'canceled-position-not-allowed':
    case 'canceled-margin-not-allowed':
    case 'canceled-too-much-slippage':
    case 'canceled-not-enough-liquidity':
    case 'canceled-self-trade':
    case 'canceled-expired':
    case 'canceled-oco':
    case 'canceled-child':
    case 'canceled-liquidation':
    case 'canceled-invalid-balance':
      return true;
    default:
      return assertNever(status);
  }
}

/** A market's rules (LP §1.4, orderBooks). */
export interface Market {
  readonly marketId: number;
  readonly symbol: string;
  /** Why no order that opens a position is taken; absent when such orders are. */
  readonly obstacle?: string;
  /** An order that reduces a position, and is flagged so, is taken all the same. */
  readonly takesReducing?: true;
  readonly sizeDecimals: number;
  readonly priceDecimals: number;
  /** Smallest resting order, base and quote; market orders have no minimum (LP §2.1). */
  readonly minBaseLots: Lots;
  readonly minQuote: Notional;
}

/** What may change of a market while we run (LP §1.4, orderBookDetails). */
export interface MarketRules extends Pick<Market, 'minBaseLots' | 'minQuote' | 'obstacle' | 'takesReducing'> {
  /** Basis points of the value. */
  readonly initialMarginBps: number;
}

/** Epoch ms in exchange time, the end not part of it. */
export interface Blackout {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly why: string;
}

export interface Upgrades {
  /** Announced, and not over. */
  readonly blackouts: readonly Blackout[];
  /** Announced lately, without a time that could be read. */
  readonly unread: readonly { readonly title: string; readonly content: string; readonly createdAtMs: number }[];
}

/** One order as a frame or a list shows it; status and amounts are of the same moment (LP §1.4). */
export interface OrderRecord {
  readonly accountIndex: number;
  readonly marketId: number;
  /** The exchange's id: may exceed 2^53 (LP §2.2). */
  readonly orderIndex: bigint;
  /** 0 when the order has none. */
  readonly clientOrderIndex: ClientOrderIndex;
  readonly side: Side;
  readonly status: OrderStatus;
  /** What the exchange said instead of a status that we know. */
  readonly statusWord?: string;
  readonly initialLots: Lots;
  /** Cumulative. Never computed from what remains: that is zero on every terminal order (LP §0.1 (9)). */
  readonly filledLots: Lots;
  readonly filledQuote: Notional;
  readonly priceTicks: Ticks;
  /** Microseconds; the exchange's only usable ordering key. 0 when it gave none. */
  readonly transactionTimeUs: number;
}

/**
 * Whether `next` says more than `last` about the same order: the one rule of what is newer. Frames and lists come late, repeated and in
 * any order, and not each has a time, so amounts decide: fills only rise; with as much filled an end is final; between two that live time
 * decides, one without a time being the oldest, then how far the order has come. It orders all records in one line, so that whatever the
 * order of arrival, the same one is newest. Should the exchange contradict itself, the larger fill counts: losing it would leave it naked.
 */
export function supersedes(next: OrderRecord, last: OrderRecord): boolean {
  if (next.filledLots !== last.filledLots) return next.filledLots > last.filledLots;
  if (isTerminal(last.status)) return false;
  if (isTerminal(next.status)) return true;
  if (next.transactionTimeUs !== last.transactionTimeUs) return next.transactionTimeUs > last.transactionTimeUs;
  return ORDER_STATUSES.indexOf(next.status) > ORDER_STATUSES.indexOf(last.status);
}

/** Transaction types that we send or must recognise (LP §3.1). */
export const TX_CHANGE_KEY = 8;
export const TX_TRANSFER = 12;
export const TX_CREATE_ORDER = 14;
export const TX_CANCEL_ORDER = 15;
export const TX_CANCEL_ALL = 16;

/** Whether a type carries a nonce of the lane that it names: internal and L1 types carry numbers that are none (LP §3.1). */
export function usesLaneNonce(type: number): boolean {
  return type >= 8 && !(type >= 21 && type <= 27) && !(type >= 30 && type <= 32) && type !== 37 && type !== 38;
}

/** USDC from the collateral of one account to that of another (LP §3.2, type 12). */
export interface TransferTerms {
  readonly toAccountIndex: number;
  readonly amount: Notional;
}

/** One transaction of a lane, as `accountTxs`, `tx` or the `account_tx` channel show it (LP §3.7). */
export interface TxRecord {
  readonly hash: string;
  readonly type: number;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
  readonly nonce: Nonce;
  /** `executed` is any status ≥ 2; only then does `rejection` mean anything. */
  readonly status: 'failed' | 'pending' | 'executed';
  /** Client order index of a create (14); `Index` of a cancel (15); absent otherwise. */
  readonly clientOrderIndex?: ClientOrderIndex;
  /** What a create asked for; absent when it could not be read. */
  readonly order?: {
    readonly marketId: number;
    readonly side: Side;
    readonly lots: Lots;
    readonly priceTicks: Ticks;
    /** The exchange's id of the order, once executed. */
    readonly orderIndex: bigint;
    /** It met another order at once. */
    readonly hasTraded: boolean;
    /** What did not trade at once rested in the book (no immediate-or-cancel). */
    readonly mayRest: boolean;
  };
  /** What a transfer asked for. */
  readonly transfer?: TransferTerms;
  /** `event_info.ae`: the sequencer rejected it; nonce spent, nothing executed. */
  readonly rejection?: { readonly code: number; readonly message: string };
  /** Epoch ms; 0 when not executed yet. */
  readonly executedAtMs: number;
}

/** An answer from the exchange, or the honest admission that there is none. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/**
 * Outcome of a submission (LP §3.7). None of the three resolves a slice: `accepted` means booked, `rejected` means these bytes were not
 * booked by this call, `unknown` means unknown.
 */
export type SendOutcome =
  | {
      readonly kind: 'accepted';
      readonly txHash: string;
      readonly predictedExecutionMs: number;
      /** What is left of the owner's volume quota, where the answer says so (LP §6.5). */
      readonly quotaLeft?: number;
    }
  | {
      readonly kind: 'rejected';
      readonly txHash: string;
      readonly code: number;
      readonly message: string;
      /** The exchange asks for so much patience. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: 'unknown'; readonly txHash: string; readonly reason: string };

/**
 * What `accountTxs` says about one nonce of a lane.
 * `passed`: a complete read shows a later nonce of the lane executed and none with this one, so it can never execute (LP §3.6), unless
 * its row is only late: nothing says that rows become visible in their order. readings.ts concludes, from two of them.
 * `unseen`: nothing is known, including "not yet".
 */
export type NonceStatus =
  | { readonly kind: 'consumed'; readonly tx: TxRecord }
  | {
      readonly kind: 'passed';
      readonly by: TxRecord;
      /** A row with our nonce is there too, pending or failed: it consumed nothing as far as this reading knows. */
      readonly isContested: boolean;
    }
  | {
      readonly kind: 'unseen';
      /** The read goes back, without a hole, to before the nonce can have been used. */
      readonly isComplete: boolean;
      readonly isContested: boolean;
    };

/** A position, signed: long is positive. */
export interface Position {
  readonly marketId: number;
  readonly lots: Lots;
  readonly avgEntryTicks: string;
  /** The account's own initial margin in this market, basis points of the value; absent when none was shown. */
  readonly initialMarginBps?: number;
  /** At the mark price, never negative; absent when it could not be read. */
  readonly value?: Notional;
  /** Where the account is liquidated if nothing but this market moves; absent when none was shown. */
  readonly liquidationTicks?: Ticks;
  /** It has margin of its own: the account's does not carry it. */
  readonly isIsolated?: boolean;
}

/** What carries an account's positions, isolated ones apart (LP §1.4). */
export interface Margin {
  /** Collateral and unrealized profit. */
  readonly equity: Notional;
  /** What the positions bind. */
  readonly initial: Notional;
  /** With less equity than this the account is liquidated. */
  readonly maintenance: Notional;
}

export interface AccountState {
  readonly accountIndex: number;
  readonly availableBalance: Notional;
  readonly collateral: Notional;
  /** Markets never touched are absent. Ask `positionIn`. */
  readonly positions: readonly Position[];
  /** Markets whose position was shown and could not be read; undefined: not even which market. */
  readonly unreadMarkets: readonly (number | undefined)[];
  /** Absent when it could not be read: unknown, and not zero. */
  readonly margin?: Margin;
  /** What happened before this moment of the monotonic clock is in it. */
  readonly begunMs: number;
}

/** A market that is not shown reads as zero, one that could not be read does not (invariant 8). */
export function positionIn(account: Omit<AccountState, 'begunMs'>, marketId: number): Read<Position | undefined> {
  const isUnread = account.unreadMarkets.some((unread) => unread === undefined || unread === marketId);
  if (isUnread) return { ok: false, reason: `the position of account ${account.accountIndex} could not be read` };
  return { ok: true, value: account.positions.find((position) => position.marketId === marketId) };
}
