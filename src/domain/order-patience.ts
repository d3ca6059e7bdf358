/** How long an order may be in trouble: when it is stuck, and how long what failed rests before it is tried again. */
import { activeTicket, contradict, executedLots, exposureLots, isOverHedged, makerIsClosed, type Order } from './order';
import { hasSpareLane } from './order-tickets';

/** Until then nothing is stretched: most troubles are over, or somebody looks at them. */
const LONG_MS = 30 * 60_000;
const REST_MS_MAX = 5 * 60_000;
/** Of the trouble's age: a week is 24 000 events, where every 30 s would reach the 51 200 of a run in a day and a half. */
const REST_SHARE = 1 / 60;

/** Whether the order has been in trouble for so long that its history must be spared: what fails is tried again less and less often. */
export function isLongRunning(order: Order, nowMs: number): boolean {
  return nowMs - troubledSinceMs(order) >= LONG_MS;
}

/** Pause before the next try of what failed: what it asks for itself, or its share of the trouble's age. */
export function restMs(order: Order, askedMs: number, nowMs: number): number {
  if (!isLongRunning(order, nowMs)) return askedMs;
  return Math.max(askedMs, Math.min(Math.round((nowMs - troubledSinceMs(order)) * REST_SHARE), REST_MS_MAX));
}

/** Naked, or not ended by its time-out. */
function troubledSinceMs(order: Order): number {
  return Math.min(order.nakedSinceMs ?? Infinity, order.createdMs + order.timeOutMs);
}

/** Starts, keeps or stops the naked clock, and says whether the hedge is stuck. */
export function assess(order: Order, nowMs: number): void {
  if (isOverHedged(order)) contradict(order, `${executedLots(order)} lots traded for a fill of ${order.filledLots}`);
  if (exposureLots(order) === 0n) {
    order.nakedSinceMs = undefined;
    order.stuck = undefined;
    if (order.filledLots > 0n && makerIsClosed(order)) order.timings.hedged_ms ??= nowMs;
    return;
  }
  order.nakedSinceMs ??= nowMs;
  if (order.stuck) return;
  const { blocked, direction, end } = activeTicket(order);
  if (blocked) order.stuck = { sinceMs: nowMs, reason: reasonOf(blocked) };
  else if (end === 'jumped' && !hasSpareLane(order, direction)) {
    order.stuck = {
      sinceMs: nowMs,
      reason: 'its lane was jumped over by another transaction and no spare lane is left',
    };
  } else if (end === 'dead') {
    const then = hasSpareLane(order, direction)
      ? 'it goes on under a spare lane in two minutes'
      : 'no spare lane is left';
    order.stuck = { sinceMs: nowMs, reason: `the exchange rejects its lane's key; ${then}` };
  } else if (nowMs >= patienceEndsMs(order, order.nakedSinceMs)) {
    order.stuck = { sinceMs: nowMs, reason: `not hedged within ${order.policy.force_close_timeout_ms / 1000} s` };
  }
}

/** A status that the message ends with is not said twice. */
function reasonOf({ message, code }: { readonly message: string; readonly code: string }): string {
  return message.endsWith(` as ${code}`) ? message : `${message} (${code})`;
}

/** Until when a naked order is merely being hedged. */
export function patienceEndsMs(order: Order, nakedSinceMs: number): number {
  return Math.max(nakedSinceMs, order.retriedAtMs ?? 0) + order.policy.force_close_timeout_ms;
}
