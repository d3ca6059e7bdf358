/**
 * How each message and each answer of a step changes an order's ledger.
 *
 * They only record: messages may be lost, repeated, reordered. A late one never takes anything back.
 */
import { invariant } from './assert';
import { lotsIn } from './decimals';
import { laneOf, parseOrderId } from './ids-and-nonces';
import { lots, minLots, notional, type Lots, type Notional } from './lots';
import type { ArmResult, ExecuteResult, MakerOrderRead, OrderUpdate, PlaceResult } from './messages';
import { noteTrades, tradesFrom } from './naked';
import { contradict, type Order, type TicketEntry } from './order';
import { restMs } from './order-patience';
import { isTerminal, type OrderStatus } from './records';
import { MAKER_ONLY } from './rejections';

export function absorbUpdate(order: Order, update: OrderUpdate, nowMs: number): 'taken' | 'other-order' {
  if (parseOrderId(update.order_id) !== order.id) return 'other-order';
  const { size_decimals: own } = order.market;
  const filledLots = lotsIn(lots(BigInt(update.filled_lots)), update.size_decimals ?? own, own);
  invariant(filledLots !== undefined, 'what filled is a whole number of lots');
  // Trades are for display: those in other decimals are left out.
  if ((update.size_decimals ?? own) === own) noteTrades(order.trades, tradesFrom(update.trades ?? [], order.lots));
  absorbMaker(
    order,
    {
      status: update.status,
      filledLots,
      filledQuote: notional(BigInt(update.filled_quote)),
    },
    nowMs,
  );
  // Last: an update that was rejected above must not stop the placement.
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
  order.arm = 'rejected';
  order.reason = `not quoted: ${result.message}`;
  order.reasonCode = result.code;
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
    order.reasonCode = result.code;
    return;
  }
  placed(order, nowMs);
  if (result.quotes_only) order.quotesOnly = result.quotes_only;
  order.timings.placed_ms ??= result.at_ms;
  absorbMaker(
    order,
    {
      status: result.status,
      filledLots: lots(BigInt(result.filled_lots)),
      filledQuote: notional(BigInt(result.filled_quote)),
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
    {
      status: read.status,
      filledLots: lots(BigInt(read.filled_lots)),
      filledQuote: notional(BigInt(read.filled_quote)),
    },
    nowMs,
  );
}

/** Status and amount are of one record; a late record never takes anything back. */
function absorbMaker(
  order: Order,
  seen: { readonly status: OrderStatus; readonly filledLots: Lots; readonly filledQuote: Notional },
  nowMs: number,
): void {
  const closed = order.status !== undefined && isTerminal(order.status);
  const ends = isTerminal(seen.status);
  if (seen.filledLots > order.lots) contradict(order, `${seen.filledLots} of ${order.lots} lots filled`);
  if (closed && seen.filledLots > order.filledLots)
    contradict(order, `closed with ${order.filledLots} lots filled, then shown with ${seen.filledLots}`);
  if (ends && seen.filledLots < order.filledLots)
    contradict(order, `shown with ${order.filledLots} lots filled, then closed with ${seen.filledLots}`);
  // Rejecting a record that contradicts would lose the fill in it: the larger fill is hedged, and somebody is told.
  if (seen.filledLots > order.filledLots) {
    order.filledLots = minLots(seen.filledLots, order.lots);
    noteTrades(order.trades, [{ lots: order.filledLots }]);
    order.filledQuote = seen.filledQuote;
  } else if (seen.filledLots < order.filledLots && !ends) return;
  if (!closed) order.status = seen.status;
  if (ends) order.timings.maker_closed_ms ??= nowMs;
  if (seen.filledLots > 0n) order.timings.fill_known_ms ??= nowMs;
}

export function absorbExecution(order: Order, entry: TicketEntry, result: ExecuteResult, nowMs: number): void {
  const executed = lots(BigInt(result.executed_lots));
  const end = result.state === 'executed' || result.state === 'blocked' ? undefined : result.state;
  invariant(
    executed >= entry.executedLots || end === undefined,
    'what a ticket executed is never less at its end than before',
  );
  invariant(executed <= entry.ticket.maxLots, 'a ticket never executes more than its maximum');
  // An executor that is still finding out, in another process, may know less than the ledger: then it takes nothing back.
  if (executed >= entry.executedLots) {
    entry.executedLots = executed;
    entry.executedQuote = notional(BigInt(result.executed_quote));
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
  // Its placement, which says so too, may not have answered.
  if (entry.direction === 'close' && result.blocked?.code === String(MAKER_ONLY))
    order.quotesOnly = [...new Set([...(order.quotesOnly ?? []), laneOf(entry.ticket.id)])];
  const { timings } = result;
  note(order, 'notice_received_ms', timings.notice_received_ms);
  note(order, 'hedge_submitted_ms', timings.first_submitted_ms);
  note(order, 'hedge_accepted_ms', timings.first_accepted_ms);
  if (timings.last_executed_ms !== undefined) order.timings.hedge_executed_ms = timings.last_executed_ms;
  if (timings.last_resolved_ms !== undefined) order.timings.hedge_resolved_ms = timings.last_resolved_ms;
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
