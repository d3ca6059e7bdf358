/**
 * The order's ledger: everything one maker order knows, and what follows from it at once.
 *
 * Pure. Messages only record (order-absorb.ts); which steps follow is decided in decide.ts. Amounts here are resolved facts: `filled` from
 * the maker order's own records, `executed` from tickets. The ledger may know less than the exchange: a hedge can be resolved before the
 * fill that caused it is heard of here.
 */
import { invariant } from './assert';
import type { TicketEnd } from './execution';
import { parseOrderId, type OrderId } from './ids-and-nonces';
import {
  addLots,
  lots,
  maxLots,
  notional,
  subLots,
  ticks,
  ZERO_LOTS,
  type Lots,
  type Notional,
  type Ticks,
} from './lots';
import type { HedgePolicy, HedgeState, MarketTerms, OrderInput, SliceReport } from './messages';
import type { Traded } from './naked';
import { isTerminal, opposite, type OrderStatus, type Side } from './records';
import type { Ticket } from './ticket';

export type Direction = 'hedge' | 'close';

export interface TicketEntry {
  readonly direction: Direction;
  readonly ticket: Ticket;
  executedLots: Lots;
  executedQuote: Notional;
  slices: SliceReport[];
  /** Started seals are always finished. */
  sealing: boolean;
  end?: TicketEnd;
  /** Found dead a second time, after everybody who may have traded for it had stopped. */
  isDeadForSure?: boolean;
  endedMs?: number;
  blocked?: { readonly code: string; readonly message: string; readonly retryAtMs: number } | undefined;
}

/** What a person was told of: the two that are told once, and since when the order was stuck that was told last. */
export interface Alerted {
  abandoned: boolean;
  contradiction: boolean;
  stuckSinceMs: number | undefined;
}

export interface Order {
  readonly id: OrderId;
  readonly makerAccount: number;
  readonly hedgeAccount: number;
  readonly market: MarketTerms;
  readonly side: Side;
  readonly lots: Lots;
  readonly priceTicks: Ticks;
  readonly timeOutMs: number;
  readonly expiryMs: number;
  readonly policy: HedgePolicy;
  readonly spareLanes: readonly number[];
  readonly createdMs: number;
  arm: 'wanted' | 'done' | 'rejected';
  /** `in-doubt`: asked for, and nobody could say what became of it; only asking again can tell. */
  placement: 'wanted' | 'asked' | 'in-doubt' | 'placed' | 'not-placed';
  /** Lanes whose key on A may only quote and cancel: no close goes there. */
  quotesOnly?: readonly number[];
  /** When the ledger learned that it was placed, in the workflow's time: its time-out starts here. */
  placedAtMs: number | undefined;
  status: OrderStatus | undefined;
  filledLots: Lots;
  filledQuote: Notional;
  /** What is known of its single trades. */
  readonly trades: Traded[];
  readonly tickets: TicketEntry[];
  /** Since when exposure has not been zero. A further fill does not reset it (S-27). */
  nakedSinceMs: number | undefined;
  stuck: { readonly sinceMs: number; readonly reason: string } | undefined;
  /** The operator wants the exposure closed on A, until they ask for another try. */
  closeAsked: boolean;
  /** When the operator last asked for another try: patience starts again from there, the naked clock does not. */
  retriedAtMs: number | undefined;
  /** That wish is passed on to the executor once. */
  retryNow: boolean;
  cancelRequested: boolean;
  /** The pair wants nothing of it to rest any more; unlike after a cancel, the hedge goes on under all the rules. */
  quoteEnded: boolean;
  makerCancels: number;
  nextCancelAtMs: number;
  confirmed: boolean;
  /** The first thing that two records of the exchange, or a record and our ledger, disagree about. */
  contradiction: string | undefined;
  /** The last state told to the pair; `done` when it was the last word. */
  told: { readonly state: HedgeState; readonly done: boolean } | undefined;
  readonly alerted: Alerted;
  reason: string;
  reasonCode?: string;
  /** Highest id this order used on its lanes. */
  lastId: OrderId;
  sparesUsed: number;
  readonly timings: Record<string, number>;
}

export function newOrder(input: OrderInput, nowMs: number): Order {
  const id = parseOrderId(input.order_id);
  invariant(id !== undefined, 'an order id has 48 bits, the last seven zero');
  const order: Order = {
    id,
    makerAccount: input.maker_account,
    hedgeAccount: input.hedge_account,
    market: input.market,
    side: input.side,
    lots: lots(BigInt(input.lots)),
    priceTicks: ticks(BigInt(input.price_ticks)),
    timeOutMs: input.time_out_ms,
    expiryMs: input.expiry_ms,
    policy: input.policy,
    spareLanes: input.spare_lanes,
    createdMs: nowMs,
    arm: 'wanted',
    placement: 'wanted',
    placedAtMs: undefined,
    status: undefined,
    filledLots: ZERO_LOTS,
    filledQuote: notional(0n),
    trades: [],
    tickets: [],
    nakedSinceMs: undefined,
    stuck: undefined,
    closeAsked: false,
    retriedAtMs: undefined,
    retryNow: false,
    cancelRequested: false,
    quoteEnded: false,
    makerCancels: 0,
    nextCancelAtMs: 0,
    confirmed: false,
    contradiction: undefined,
    told: undefined,
    alerted: { abandoned: false, contradiction: false, stuckSinceMs: undefined },
    reason: '',
    lastId: id,
    sparesUsed: 0,
    timings: { created_ms: nowMs },
  };
  order.tickets.push(
    newEntry({ direction: 'hedge', ticket: ticketOf(order, { direction: 'hedge', id, priorLots: ZERO_LOTS }) }),
  );
  return order;
}

export function ticketOf(
  order: Order,
  input: { readonly direction: Direction; readonly id: OrderId; readonly priorLots: Lots },
): Ticket {
  return {
    id: input.id,
    orderId: order.id,
    market: order.market,
    side: opposite(order.side),
    maxLots: subLots(order.lots, input.priorLots),
    priorLots: input.priorLots,
    anchorTicks: order.priceTicks,
    slippageBps: order.policy.slippage_bps,
    slippageBpsMax: order.policy.max_slippage_bps,
    start: input.direction === 'close' && input.id === order.id ? 'follows-placement' : 'opens-lane',
  };
}

export function newEntry(input: { readonly direction: Direction; readonly ticket: Ticket }): TicketEntry {
  return { ...input, executedLots: ZERO_LOTS, executedQuote: notional(0n), slices: [], sealing: false };
}

export function executedLots(order: Order, direction?: Direction): Lots {
  return order.tickets
    .filter((entry) => direction === undefined || entry.direction === direction)
    .reduce((sum, entry) => addLots(sum, entry.executedLots), ZERO_LOTS);
}

/** What is naked as far as the ledger knows; never negative. */
export function exposureLots(order: Order): Lots {
  return maxLots(ZERO_LOTS, subLots(order.filledLots, executedLots(order)));
}

export function makerIsClosed(order: Order): boolean {
  if (order.arm === 'rejected' || order.placement === 'not-placed') return true;
  return order.status !== undefined && isTerminal(order.status);
}

export function activeTicket(order: Order): TicketEntry {
  const entry = order.tickets.at(-1);
  invariant(entry !== undefined, 'an order always has a ticket');
  return entry;
}

/** More traded than the closed maker order ever filled: nothing of ours can mend that, a human must (invariant 1). */
export function isOverHedged(order: Order): boolean {
  return makerIsClosed(order) && executedLots(order) > order.filledLots;
}

/** The exchange disagrees with itself or with us: kept for an alert. The first one is what an operator needs to look at. */
export function contradict(order: Order, what: string): void {
  order.contradiction ??= `order ${order.id}: ${what}`;
}

// ---- what the operator and the pair want

export function mayRetry(order: Order): boolean {
  return exposureLots(order) > 0n && !hasSaidDone(order);
}

/** Its pair may start the next order on the same lane from here on, under any later id: this one trades no more. */
function hasSaidDone(order: Order): boolean {
  return order.told?.done === true;
}

export function askRetry(order: Order, nowMs: number): void {
  order.closeAsked = false;
  order.retriedAtMs = nowMs;
  order.retryNow = true;
  order.stuck = undefined;
  order.alerted.abandoned = false; // should it end with exposure after all, that is news
  const entry = activeTicket(order);
  if (!entry.sealing) entry.blocked = undefined;
}

export function askClose(order: Order): void {
  order.closeAsked = true;
}

export function askCancel(order: Order): void {
  order.cancelRequested = true;
}

/** From the pair: stopped, paused, or another of its orders is stuck. */
export function askEndQuote(order: Order): void {
  order.quoteEnded = true;
}

export function mayRest(order: Order): boolean {
  return !order.cancelRequested && !order.quoteEnded;
}
