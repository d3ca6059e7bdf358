/**
 * What crosses process boundaries through Temporal: inputs, signals, activity results, the order's result.
 *
 * Plain JSON: amounts, ids and nonces are decimal text (JSON has no bigint), times are epoch milliseconds unless named otherwise.
 * Names are snake_case because operators and outside tools read them (docs/contracts.md). No key, token or signature ever appears here.
 */
import type { MarginLevel } from './margin';
import type { CarriedMargin, PairCounts } from './pair-status';
import type { PairChange, QuoteTerms } from './pair-terms';
import type { OrderStatus, Side } from './records';
import type { ExecuteTimings, HedgedLots, SliceTimes, TradeReport } from './times';

/** Whose money it is: the maker account A and the hedge account B, by their indexes on the exchange. */
export interface Accounts {
  maker: number;
  hedge: number;
}

/** What every step is told. Whoever carries it out compares them with its own before anything else (`onlyFor`). */
export interface Addressed {
  accounts: Accounts;
}

/** Workflows and B's steps. A queue per account: another installation in the same namespace never gets a task of ours (S-43). */
export function ordersQueue(hedgeAccount: number): string {
  return `counterleg-orders/${hedgeAccount}`;
}

/** A's steps. */
export function makerQueue(makerAccount: number): string {
  return `counterleg-maker/${makerAccount}`;
}

/** Type of the failure of a step that is not for the accounts of the process that was given it. */
export const WRONG_ACCOUNTS = 'WrongAccounts';

export type HedgeState = 'arming' | 'quoting' | 'hedging' | 'stuck' | 'flat' | 'abandoned';

export interface MarketTerms {
  market_id: number;
  symbol: string;
  size_decimals: number;
  price_decimals: number;
}

export interface HedgePolicy {
  /** First price bound of a hedge, in basis points from the maker order's price. */
  slippage_bps: number;
  /** Widest bound; beyond it the hedge is stuck rather than executed. */
  max_slippage_bps: number;
  on_stuck: 'keep_trying' | 'close';
  /** Naked for longer than this is stuck; with `close` the exposure is then traded away on A. */
  force_close_timeout_ms: number;
}

export interface OrderInput {
  order_id: string;
  maker_account: number;
  hedge_account: number;
  market: MarketTerms;
  side: Side;
  lots: string;
  price_ticks: string;
  /** Cancel what rests after this long. */
  time_out_ms: number;
  /** The exchange drops the order after this long, whatever happens to us. */
  expiry_ms: number;
  policy: HedgePolicy;
  /** The pair to tell; absent for an order started by hand. */
  pair_workflow_id?: string;
  /** Lanes for a ticket whose own lane was jumped over, or is dead. */
  spare_lanes: number[];
  /** Continue as new from this length on; for tests. */
  history_events_max?: number;
  /** From the run before, when its history had grown long: the ledger (order-carry.ts). */
  carry?: string;
  /** A step of an unwind: takes from the book, reduce-only, instead of resting. */
  unwind?: boolean;
}

/** Signal `orderUpdate`: cumulative state of the maker order as one frame showed it. */
export interface OrderUpdate {
  order_id: string;
  status: OrderStatus;
  filled_lots: string;
  /** Cumulative micro-USDC. */
  filled_quote: string;
  transaction_time_us: number;
  /** When the frame reached the maker process, epoch ms with fraction. */
  received_at_ms: number;
  /** Of the amount; absent: as the order's own. */
  size_decimals?: number;
  /** When its records had been read. */
  parsed_at_ms?: number;
  /** When the notice about it had been handed to Redis; absent when there was none to send. */
  noticed_at_ms?: number;
  /** The order's trades since the update before, oldest first. */
  trades?: TradeReport[];
}

/**
 * Signal `orderState`, order → pair: when stuck or long in trouble, each change of state after that, and then its end. The end of another
 * one is told by its result, unless it is cancelled: a cancelled run has none.
 */
export interface OrderState {
  order_id: string;
  /** Highest id this order used; the lane's next one must be later. */
  last_id: string;
  hedge_state: HedgeState;
  exposure_lots: string;
  done: boolean;
  result?: OrderResult;
}

/**
 * Signal `booksState`, auditor → pair: do both accounts mirror each other in this market? `off`: they do not, and nothing explains it.
 */
export interface BooksState {
  state: 'even' | 'off';
  /** A + B, signed lots; not zero exactly when they are off. */
  lots: string;
  /** Both positions in words; empty when they are even. */
  what: string;
}

/** What the hedger answers a pair that asks; `unknown`: not read lately, or a difference that may be a hedge under way. */
export type BooksRead = BooksState | { state: 'unknown' };

/**
 * How near the nearer of both accounts is to its liquidation. Signal `marginState`, hedger → pair, and what the hedger answers a pair that
 * asks; `unknown`: not read lately, or not in full.
 */
export interface MarginState {
  level: MarginLevel | 'unknown';
  /** Both accounts in words. */
  what: string;
  /** What stays in force for whoever was there before: a pair that has just begun takes it over. */
  held?: MarginLevel;
}

/** A ticket on the wire; every field follows from the order and its ledger (docs/architecture.md). */
export interface TicketMessage {
  ticket_id: string;
  order_id: string;
  market: MarketTerms;
  side: Side;
  max_lots: string;
  prior_lots: string;
  anchor_ticks: string;
  slippage_bps: number;
  max_slippage_bps: number;
  /** `opens-lane`: its first transaction skips nonces; `follows-placement`: slice 0 of the same id went before. */
  start: 'opens-lane' | 'follows-placement';
}

export interface ExecuteInput extends Addressed {
  ticket: TicketMessage;
  /** Cumulative fill of the maker order, up to which is executed. */
  fill_lots: string;
  /** The operator asked for a try right now, at the first price bound. */
  retry_now: boolean;
  /**
   * `close`: reduce-only if the account's position has the sign that the trade reduces, so that it can never flip (S-17).
   * `flatten`: always reduce-only.
   */
  purpose: 'hedge' | 'close' | 'flatten';
}

export interface SealInput extends Pick<ExecuteInput, 'accounts' | 'ticket' | 'purpose'> {
  /** Of a ticket that was found dead: a finding counts only when it was made after this time (epoch ms). */
  dead_after_ms?: number;
}

export interface SliceReport {
  client_order_index: string;
  nonce: string;
  base_amount: string;
  executed: string;
  status: string;
  path: 'fast' | 'durable';
  tx_hash: string;
  /** By the exchange's clock, microseconds; absent when nothing executed, and when its record did not say. */
  executed_at_us?: number;
  /** Epoch ms of what happened in the process that reports; absent when all of it happened elsewhere. */
  times?: SliceTimes;
}

export interface Blocked {
  code: string;
  message: string;
  retry_after_ms: number;
}

/** What an `execute` or `seal` found out. `executed_lots` is resolved: it can only grow. */
export interface ExecuteResult {
  /** `dead`: the lane's key is rejected for good; nothing of the ticket is booked. */
  state: 'executed' | 'blocked' | 'sealed' | 'jumped' | 'dead';
  executed_lots: string;
  executed_quote: string;
  slices: SliceReport[];
  blocked?: Blocked;
  /** Epoch ms, by the clock of the host that did it; absent when it did not happen here. */
  timings: ExecuteTimings;
}

export type ArmResult = { armed: true } | { armed: false; code: string; message: string };

export type PlaceResult =
  /** `quotes_only`: lanes of the order, its own and its spare ones, whose key is maker-only, so that the exchange would reject a close there. */
  | {
      placed: true;
      status: OrderStatus;
      filled_lots: string;
      filled_quote: string;
      at_ms: number;
      quotes_only?: number[];
    }
  | { placed: false; code: string; message: string };

/** The market takes no such order. */
export const MARKET_CLOSED = 'market-closed';

/** The order or the pair was made with other decimals than the market has (decimals.ts). */
export const DECIMALS_CHANGED = 'decimals-changed';

/** `unknown`: no record could be read; nothing follows from it. */
export type MakerOrderRead =
  | { known: true; status: OrderStatus; filled_lots: string; filled_quote: string; transaction_time_us: number }
  | { known: false; reason: string };

export interface OrderResult {
  order_id: string;
  market: string;
  side: Side;
  maker: { status: OrderStatus | 'not-placed'; filled_base_amount: string; avg_price: string };
  hedge: { executed_base_amount: string; executed_quote_amount: string; avg_price: string; slices: SliceReport[] };
  closed_base_amount: string;
  exposure: string;
  /** All that was hedged or closed, in the order in which it had traded. */
  naked_times: HedgedLots[];
  hedge_state: HedgeState;
  /** Why it ended without a fill, or with exposure; empty otherwise. */
  reason: string;
  reason_code?: string;
  /** Milliseconds since the epoch of each stage that happened. */
  timings: Record<string, number>;
  /** Highest id this order used; the lane's next one must be later. */
  last_id: string;
}

export type Strategy = 'buy' | 'sell' | 'round-trip';

export interface LaneHistory {
  /** Order of this lane whose workflow still runs. */
  running?: string;
  /** Newest order of this lane that has ended, whether its own result says that nothing is naked, and how much it says is (base units) where it gave up. */
  newest?: { order_id: string; flat: boolean; exposure?: string };
}

export interface LaneOrders {
  /** Orders of this lane that rest on the exchange. */
  open: string[];
  latest?: LaneOrder;
  /** Of the first that rests; of the market that was asked about, where none does. */
  market?: MarketTerms;
}

export interface LaneOrder {
  order_id: string;
  market: MarketTerms;
  side: Side;
  lots: string;
  price_ticks: string;
  filled_lots: string;
}

/** An account's position in one market, for `flatten`. */
export type PositionRead =
  { known: true; lots: string; mid_ticks: string; market: MarketTerms } | { known: false; reason: string };

/** A pair: one market on two accounts, some slots. Everything it needs for its whole life, so that a replay reads no configuration. */
export interface PairInput extends QuoteTerms {
  market: string;
  maker_account: number;
  hedge_account: number;
  strategy: Strategy;
  depth: number;
  /** Size of each maker order. */
  lots: string;
  /** With which the amounts were made. */
  size_decimals: number;
  max_position_lots: string;
  /** One slot per lane. */
  lanes: number[];
  spare_lanes: number[];
  time_out_ms: number;
  expiry_ms: number;
  policy: HedgePolicy;
  max_consecutive_failures: number;
  /** Stop by itself after this many orders that filled. */
  order_limit?: number;
  /** Continue as new from this length on, if before the engine suggests it. */
  history_events_max?: number;
  /** Ask whether the books are still off when nobody has said so for this long, instead of three minutes. */
  books_ask_ms?: number;
  /** From the run before, when history grew too long. */
  carry?: PairCarry;
}

export interface PairCarry {
  slots: { lane: number; last_id?: string; order?: CarriedOrder; flat_up_to?: string }[];
  /** The latest id of each spare lane that was used. */
  spare_ids?: string[];
  counts: PairCounts;
  halted?: { mode: 'paused' | 'stopping'; reason: string };
  /** Micro-USDC; absent: nothing yet. */
  traded?: string;
  books?: BooksState;
  margin?: CarriedMargin;
  changed?: PairChange;
}

/** An order that was in trouble when the pair's run ended, and has told the pair so. */
export interface CarriedOrder {
  order_id: string;
  hedge_state: HedgeState;
  lots: string;
  /** It is a step of an unwind. */
  unwinds?: boolean;
  /** The lane on which it last spoke, where that is not its own. */
  at?: number;
}
