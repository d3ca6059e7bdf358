/**
 * The order's ledger: everything one maker order knows, and how each message changes it.
 *
 * Pure. Messages only record (they may be lost, repeated, reordered: invariant 7); what follows from the ledger is decided in
 * decide.ts. Amounts here are settled facts: `filled` from the maker order's own records, `executed` from tickets.
 *
 * The ledger may know less than the exchange: a hedge can be settled before the fill that caused it is heard of here.
 */
import { invariant } from './assert';
import type { TicketEnd } from './cover';
import { KEY_TRY_MS } from './ladder';
import { laneOf, nextOrderId, nextSpareId, parseOrderId, timeOf, type OrderId } from './ids';
import {
  addLots,
  formatDecimal,
  lots,
  maxLots,
  minLots,
  quote,
  subLots,
  ticks,
  ZERO_LOTS,
  type Lots,
  type Quote,
  type Ticks,
} from './lots';
import type {
  ArmResult,
  CoverResult,
  HedgePolicy,
  HedgeState,
  MakerOrderRead,
  MarketTerms,
  OrderInput,
  OrderResult,
  OrderUpdate,
  PlaceResult,
  SliceReport,
} from './messages';
import { averagePriceTicks } from './price';
import { AGREED_MS } from './readings';
import { isTerminal, opposite, type OrderStatus, type Side } from './records';
import type { Ticket } from './ticket';

export type Direction = 'hedge' | 'close';

/** How a state told to the pair ends when it is the last one. */
export const DONE = ' done';

export interface TicketEntry {
  readonly direction: Direction;
  readonly ticket: Ticket;
  executedLots: Lots;
  executedQuote: Quote;
  slices: SliceReport[];
  /** Started seals are always finished. */
  sealing: boolean;
  end?: TicketEnd;
  /** Found dead a second time, after everybody who may have traded for it had stopped. */
  isDeadForSure?: boolean;
  endedMs?: number;
  blocked?: { readonly code: string; readonly message: string; readonly retryAtMs: number } | undefined;
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
  arm: 'wanted' | 'done' | 'refused';
  /** `in-doubt`: asked for, and nobody could say what became of it; only asking again can tell. */
  placement: 'wanted' | 'asked' | 'in-doubt' | 'placed' | 'not-placed';
  /** When the ledger learned that it was placed, in the workflow's time: its time-out starts here. */
  placedAtMs: number | undefined;
  status: OrderStatus | undefined;
  filledLots: Lots;
  filledQuote: Quote;
  readonly tickets: TicketEntry[];
  /** Since when exposure has not been zero. A further fill does not reset it (S-27). */
  nakedSinceMs: number | undefined;
  stuck: { readonly since: number; readonly reason: string } | undefined;
  /** The operator wants the exposure closed on A, until they ask for another try. */
  closeAsked: boolean;
  /** When the operator last asked for another try: patience starts again from there, the naked clock does not. */
  retriedAtMs: number | undefined;
  /** That wish is passed on to the desk once. */
  retryNow: boolean;
  cancelRequested: boolean;
  /** The pair wants nothing of it to rest any more; unlike after a cancel, the hedge goes on under all the rules. */
  quoteEnded: boolean;
  /** The run of the pair that started it has ended or is about to: only a signal reaches the next one. */
  endAsked: boolean;
  /** Set when it `wearsOn`: from then on what fails is tried again less and less often. */
  patient: boolean;
  makerCancels: number;
  nextCancelAtMs: number;
  confirmed: boolean;
  /** The first thing that two records of the exchange, or a record and our ledger, disagree about. */
  contradiction: string | undefined;
  /** Key of the last state told to the pair. */
  told: string;
  readonly alerted: Set<string>;
  reason: string;
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
    filledQuote: quote(0n),
    tickets: [],
    nakedSinceMs: undefined,
    stuck: undefined,
    closeAsked: false,
    retriedAtMs: undefined,
    retryNow: false,
    cancelRequested: false,
    quoteEnded: false,
    endAsked: false,
    patient: false,
    makerCancels: 0,
    nextCancelAtMs: 0,
    confirmed: false,
    contradiction: undefined,
    told: '',
    alerted: new Set(),
    reason: '',
    lastId: id,
    sparesUsed: 0,
    timings: { created_ms: nowMs },
  };
  order.tickets.push(
    newEntry({ direction: 'hedge', ticket: ticketOf(order, { direction: 'hedge', id, coveredLots: ZERO_LOTS }) }),
  );
  return order;
}

// ---- what the ledger says

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
  if (order.arm === 'refused' || order.placement === 'not-placed') return true;
  return order.status !== undefined && isTerminal(order.status);
}

export function activeTicket(order: Order): TicketEntry {
  const entry = order.tickets.at(-1);
  invariant(entry !== undefined, 'an order always has a ticket');
  return entry;
}

/** The ticket that continues after the active one has ended: fresh id, everything settled so far as `covered`. */
export function nextTicket(order: Order, direction: Direction, nowMs: number): TicketEntry {
  const coveredLots = executedLots(order);
  const previous = order.tickets.findLast((entry) => entry.direction === direction);
  if (!previous) return newEntry({ direction, ticket: ticketOf(order, { direction, id: order.id, coveredLots }) });
  const spare = hasLostLane(previous) ? order.spareLanes[order.sparesUsed] : undefined;
  const lane = spare ?? laneOf(previous.ticket.id);
  const ownLane = laneOf(order.id);
  const at = { epochMs: nowMs, lane, last: order.lastId };
  const id = lane === ownLane ? nextOrderId(at) : nextSpareId({ ...at, ownLane });
  return newEntry({ direction, ticket: ticketOf(order, { direction, id, coveredLots }) });
}

function ticketOf(
  order: Order,
  input: { readonly direction: Direction; readonly id: OrderId; readonly coveredLots: Lots },
): Ticket {
  return {
    id: input.id,
    orderId: order.id,
    market: order.market,
    side: opposite(order.side),
    maxLots: subLots(order.lots, input.coveredLots),
    coveredLots: input.coveredLots,
    anchorTicks: order.priceTicks,
    slippageBps: order.policy.slippage_bps,
    slippageBpsMax: order.policy.max_slippage_bps,
    start: input.direction === 'close' && input.id === order.id ? 'follows-placement' : 'opens-lane',
  };
}

function newEntry(input: { readonly direction: Direction; readonly ticket: Ticket }): TicketEntry {
  return { ...input, executedLots: ZERO_LOTS, executedQuote: quote(0n), slices: [], sealing: false };
}

// ---- messages

export function absorbUpdate(order: Order, update: OrderUpdate, nowMs: number): 'taken' | 'other-order' {
  if (parseOrderId(update.order_id) !== order.id) return 'other-order';
  absorbMaker(
    order,
    {
      status: update.status,
      filledLots: lots(BigInt(update.filled_lots)),
      filledQuote: quote(BigInt(update.filled_quote)),
    },
    nowMs,
  );
  // Last: an update that was refused above must not stop the placement.
  if (order.placement === 'not-placed') contradict(order, `reported as not placed, then shown as ${update.status}`);
  placed(order, nowMs);
  if (order.filledLots > 0n && order.timings.fill_frame_ms === undefined) {
    note(order, 'fill_frame_ms', update.received_at_ms);
    note(order, 'frame_parsed_ms', update.parsed_at_ms);
    note(order, 'notice_published_ms', update.noticed_at_ms);
  }
  return 'taken';
}

export function absorbArm(order: Order, result: ArmResult, nowMs: number): void {
  if (result.armed) {
    order.arm = 'done';
    order.timings.armed_ms = nowMs;
    return;
  }
  order.arm = 'refused';
  order.reason = `not quoted: ${result.message}`;
}

export function absorbPlace(order: Order, result: PlaceResult, nowMs: number): void {
  if (!result.placed) {
    if (order.status !== undefined) {
      contradict(order, `a record shows the order as ${order.status}, yet it was reported as not placed`);
      placed(order, nowMs);
      return;
    }
    order.placement = 'not-placed';
    order.reason = `not placed: ${result.message}`;
    return;
  }
  placed(order, nowMs);
  order.timings.placed_ms ??= result.at_ms;
  absorbMaker(
    order,
    {
      status: result.status,
      filledLots: lots(BigInt(result.filled_lots)),
      filledQuote: quote(BigInt(result.filled_quote)),
    },
    nowMs,
  );
}

function placed(order: Order, nowMs: number): void {
  order.placement = 'placed';
  order.placedAtMs ??= nowMs;
}

/** The step that places ended without an answer: the order may well rest on the exchange. */
export function absorbPlaceFailure(order: Order): void {
  if (order.placement === 'asked') order.placement = 'in-doubt';
}

function absorbRead(order: Order, read: MakerOrderRead, nowMs: number): void {
  if (!read.known) return;
  absorbMaker(
    order,
    { status: read.status, filledLots: lots(BigInt(read.filled_lots)), filledQuote: quote(BigInt(read.filled_quote)) },
    nowMs,
  );
}

/** Status and amount are of one record; a late record never takes anything back. */
function absorbMaker(
  order: Order,
  seen: { readonly status: OrderStatus; readonly filledLots: Lots; readonly filledQuote: Quote },
  nowMs: number,
): void {
  const closed = order.status !== undefined && isTerminal(order.status);
  const ends = isTerminal(seen.status);
  if (seen.filledLots > order.lots) contradict(order, `${seen.filledLots} of ${order.lots} lots filled`);
  if (closed && seen.filledLots > order.filledLots)
    contradict(order, `closed with ${order.filledLots} lots filled, then shown with ${seen.filledLots}`);
  if (ends && seen.filledLots < order.filledLots)
    contradict(order, `shown with ${order.filledLots} lots filled, then closed with ${seen.filledLots}`);
  // Refusing a record that contradicts would lose the fill in it: the larger fill is hedged, and somebody is told.
  if (seen.filledLots > order.filledLots) {
    order.filledLots = minLots(seen.filledLots, order.lots);
    order.filledQuote = seen.filledQuote;
  } else if (seen.filledLots < order.filledLots && !ends) return;
  if (!closed) order.status = seen.status;
  if (ends) order.timings.maker_closed_ms ??= nowMs;
  if (seen.filledLots > 0n) order.timings.fill_known_ms ??= nowMs;
  weigh(order, nowMs);
}

/** The exchange disagrees with itself or with us: kept for an alert. The first one is what an operator needs to look at. */
function contradict(order: Order, what: string): void {
  order.contradiction ??= `order ${order.id}: ${what}`;
}

export function absorbCover(order: Order, entry: TicketEntry, result: CoverResult, nowMs: number): void {
  const executed = lots(BigInt(result.executed_lots));
  const end = result.state === 'covered' || result.state === 'blocked' ? undefined : result.state;
  invariant(
    executed >= entry.executedLots || end === undefined,
    'what a ticket executed is never less at its end than before',
  );
  invariant(executed <= entry.ticket.maxLots, 'a ticket never executes more than its maximum');
  // A desk that is still finding out, in another process, may know less than the ledger: then it takes nothing back.
  if (executed >= entry.executedLots) {
    entry.executedLots = executed;
    entry.executedQuote = quote(BigInt(result.executed_quote));
  }
  if (result.slices.length >= entry.slices.length) entry.slices = result.slices;
  if (end !== undefined) {
    if (end === 'dead' && entry.end === 'dead' && entry.sealing) entry.isDeadForSure = true;
    entry.end = end;
    entry.endedMs ??= nowMs;
  }
  entry.blocked = result.blocked && {
    code: result.blocked.code,
    message: result.blocked.message,
    retryAtMs: nowMs + restMs(order, result.blocked.retry_after_ms, nowMs),
  };
  const { timings } = result;
  note(order, 'notice_received_ms', timings.notice_received_ms);
  note(order, 'hedge_submitted_ms', timings.first_submitted_ms);
  note(order, 'hedge_accepted_ms', timings.first_accepted_ms);
  if (timings.last_executed_ms !== undefined) order.timings.hedge_executed_ms = timings.last_executed_ms;
  if (timings.last_settled_ms !== undefined) order.timings.hedge_settled_ms = timings.last_settled_ms;
  weigh(order, nowMs);
}

/** Keeps the first time that is told. */
function note(order: Order, stage: string, atMs: number | undefined): void {
  if (atMs !== undefined) order.timings[stage] ??= atMs;
}

/** After a cancel whose effect is not known the next one waits a little longer each time. */
export function absorbCancel(order: Order, read: MakerOrderRead, nowMs: number): void {
  absorbRead(order, read, nowMs);
  order.nextCancelAtMs = nowMs + restMs(order, Math.min(250 * 2 ** Math.min(order.makerCancels, 6), 10_000), nowMs);
}

/** A step failed without an answer: nothing is known, it is tried again a little later. */
export function absorbFailure(
  order: Order,
  entry: TicketEntry,
  failure: { readonly message: string; readonly pauseMs: number },
  nowMs: number,
): void {
  const { message, pauseMs } = failure;
  entry.blocked = { code: 'no-answer', message, retryAtMs: nowMs + restMs(order, pauseMs, nowMs) };
}

// ---- a trouble that lasts

/** Until then nothing is stretched: most troubles are over, or somebody looks at them. */
const PATIENT_AFTER_MS = 30 * 60_000;
const REST_MS_MAX = 5 * 60_000;
/** Of the trouble's age: a week is 24 000 events, where every 30 s would reach the 51 200 of a run in a day and a half. */
const REST_SHARE = 1 / 60;

/** Whether the order has been in trouble for so long that its history must be spared from now on. */
export function wearsOn(order: Order, nowMs: number): boolean {
  return !order.patient && nowMs - troubledSinceMs(order) >= PATIENT_AFTER_MS;
}

/** Pause before the next try of what failed: what it asks for itself, or its share of the trouble's age. */
export function restMs(order: Order, askedMs: number, nowMs: number): number {
  if (!order.patient) return askedMs;
  return Math.max(askedMs, Math.min(Math.round((nowMs - troubledSinceMs(order)) * REST_SHARE), REST_MS_MAX));
}

/** Naked, or not ended by its time-out. */
function troubledSinceMs(order: Order): number {
  return Math.min(order.nakedSinceMs ?? Infinity, order.createdMs + order.timeOutMs);
}

/** Starts, keeps or stops the naked clock, and says whether the hedge is stuck. */
export function weigh(order: Order, nowMs: number): void {
  if (isOverHedged(order)) contradict(order, `${executedLots(order)} lots traded for a fill of ${order.filledLots}`);
  if (exposureLots(order) === 0n) {
    order.nakedSinceMs = undefined;
    order.stuck = undefined;
    if (order.filledLots > 0n && makerIsClosed(order)) order.timings.hedged_ms ??= nowMs;
    return;
  }
  order.nakedSinceMs ??= nowMs;
  if (order.stuck) return;
  const { blocked, end } = activeTicket(order);
  if (blocked) order.stuck = { since: nowMs, reason: `${blocked.message} (${blocked.code})` };
  else if (end === 'jumped' && !hasSpareLane(order)) {
    order.stuck = { since: nowMs, reason: 'its lane was jumped over by another transaction and no spare lane is left' };
  } else if (end === 'dead') {
    const then = hasSpareLane(order) ? 'it goes on under a spare lane in two minutes' : 'no spare lane is left';
    order.stuck = { since: nowMs, reason: `the exchange refuses its lane's key; ${then}` };
  } else if (nowMs >= patienceEndsMs(order, order.nakedSinceMs)) {
    order.stuck = { since: nowMs, reason: `not hedged within ${order.policy.force_close_timeout_ms / 1000} s` };
  }
}

/** More traded than the closed maker order ever filled: nothing of ours can mend that, a human must (invariant 1). */
export function isOverHedged(order: Order): boolean {
  return makerIsClosed(order) && executedLots(order) > order.filledLots;
}

export function hasSpareLane(order: Order): boolean {
  return order.sparesUsed < order.spareLanes.length;
}

/** Nothing of the ticket can execute any more. One that was found dead once may still be traded by a process that tries it. */
export function isEnded(entry: TicketEntry): boolean {
  return entry.end !== undefined && (entry.end !== 'dead' || entry.isDeadForSure === true);
}

/**
 * A ticket whose key is refused cannot be sealed. Others may still try it, in other processes, for `KEY_TRY_MS` after they were asked or
 * raised; should its key come back meanwhile, what they do must be known before it is hedged elsewhere. So it is sealed, or found dead, once
 * more, and a finding made after this time began when all had stopped, whichever desk made it. Somebody is told all the while.
 */
export function deadAfterMs(entry: TicketEntry): number {
  return (entry.endedMs ?? 0) + KEY_TRY_MS + AGREED_MS;
}

/** Its lane is of no use to the order any more. */
export function hasLostLane(entry: TicketEntry): boolean {
  return entry.end === 'jumped' || entry.end === 'dead';
}

/**
 * Nothing of this direction can trade any more: its last ticket's key is refused for good, and no spare lane is left. Until the
 * operator, who may have registered another key, asks for another try.
 */
export function isDeadEnd(order: Order, direction: Direction): boolean {
  const last = order.tickets.findLast((entry) => entry.direction === direction);
  return (
    last?.end === 'dead' && isEnded(last) && !hasSpareLane(order) && (last.endedMs ?? 0) >= (order.retriedAtMs ?? 0)
  );
}

/** Until when a naked order is merely being hedged. */
export function patienceEndsMs(order: Order, nakedSinceMs: number): number {
  return Math.max(nakedSinceMs, order.retriedAtMs ?? 0) + order.policy.force_close_timeout_ms;
}

// ---- the operator

export function mayRetry(order: Order): boolean {
  return exposureLots(order) > 0n && !hasSaidDone(order);
}

/** Its pair may start the next order on the same lane from here on, under any later id: this one trades no more. */
export function hasSaidDone(order: Order): boolean {
  return order.told.endsWith(DONE);
}

export function askRetry(order: Order, nowMs: number): void {
  order.closeAsked = false;
  order.retriedAtMs = nowMs;
  order.retryNow = true;
  order.stuck = undefined;
  order.alerted.delete('abandoned'); // should it end with exposure after all, that is news
  const entry = activeTicket(order);
  if (!entry.sealing) entry.blocked = undefined;
}

export function mayClose(order: Order): boolean {
  return mayRetry(order);
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

/** From the pair, whose run ends: the end of the order is to be told by signal. */
export function askEnd(order: Order): void {
  order.endAsked = true;
}

/**
 * Whether the end is told by signal: a result reaches only the run of the pair that started the order, and a Canceled run has none.
 * A pair that was told of trouble hears of its end the same way.
 */
export function mustTellEnd(order: Order): boolean {
  if (order.endAsked || order.cancelRequested || order.told !== '') return true;
  return hedgeStateOf(order, 'ended') !== 'flat';
}

export function mayRest(order: Order): boolean {
  return !order.cancelRequested && !order.quoteEnded;
}

// ---- faces

export function hedgeStateOf(order: Order, phase: 'running' | 'ended'): HedgeState {
  const exposed = exposureLots(order) > 0n;
  if (phase === 'ended') return exposed || isOverHedged(order) ? 'abandoned' : 'flat';
  if (order.stuck) return 'stuck';
  if (exposed) return 'hedging';
  return order.arm === 'wanted' ? 'arming' : 'quoting';
}

export function reportOf(order: Order, phase: 'running' | 'ended'): OrderResult {
  const sum = (direction: Direction): { lots: Lots; quote: bigint } => ({
    lots: executedLots(order, direction),
    quote: order.tickets.filter((e) => e.direction === direction).reduce((total, e) => total + e.executedQuote, 0n),
  });
  const hedge = sum('hedge');
  const base = (amount: bigint): string => formatDecimal(amount, order.market.size_decimals);
  const price = (quoteMicros: bigint, amount: Lots): string =>
    formatDecimal(
      averagePriceTicks({ quote: quoteMicros, lots: amount, market: order.market }),
      order.market.price_decimals,
    );
  return {
    order_id: order.id.toString(),
    market: order.market.symbol,
    side: order.side,
    maker: {
      status: makerStatus(order),
      filled_base_amount: base(order.filledLots),
      avg_price: price(order.filledQuote, order.filledLots),
    },
    hedge: {
      executed_base_amount: base(hedge.lots),
      avg_price: price(hedge.quote, hedge.lots),
      slices: order.tickets.filter((entry) => entry.direction === 'hedge').flatMap((entry) => entry.slices),
    },
    closed_base_amount: base(executedLots(order, 'close')),
    exposure: base(isOverHedged(order) ? subLots(order.filledLots, executedLots(order)) : exposureLots(order)),
    hedge_state: hedgeStateOf(order, phase),
    reason: order.reason === '' && isOverHedged(order) ? (order.contradiction ?? '') : order.reason,
    timings: order.timings,
  };
}

function makerStatus(order: Order): OrderResult['maker']['status'] {
  if (order.arm === 'refused' || order.placement === 'not-placed') return 'not-placed';
  return order.status ?? (order.placement === 'asked' || order.placement === 'in-doubt' ? 'unknown' : 'not-placed');
}

/** The lane's last id, as a number that orders ids of different lanes by time. */
export function laterId(a: OrderId, b: OrderId): OrderId {
  return timeOf(a) >= timeOf(b) ? a : b;
}
