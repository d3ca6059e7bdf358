/** An order's tickets, one after the other: when one has ended, what lanes are left, and which ticket comes next. */
import { laneOf, nextOrderId, nextSpareId } from './ids-and-nonces';
import { KEY_TRY_MS } from './doubt-ladder';
import { executedLots, newEntry, ticketOf, type Direction, type Order, type TicketEntry } from './order';
import { AGREED_MS } from './readings';

/** The ticket that continues after the active one has ended: fresh id, everything resolved so far as `priorLots`. */
export function nextTicket(order: Order, direction: Direction, nowMs: number): TicketEntry {
  const priorLots = executedLots(order);
  const previous = order.tickets.findLast((entry) => entry.direction === direction);
  const spare = spareFor(order, direction, previous);
  if (previous === undefined && spare === undefined)
    return newEntry({ direction, ticket: ticketOf(order, { direction, id: order.id, priorLots }) });
  const lane = spare ?? laneOf((previous?.ticket ?? order).id);
  const ownLane = laneOf(order.id);
  const at = { epochMs: nowMs, lane, last: order.lastId };
  const id = lane === ownLane ? nextOrderId(at) : nextSpareId({ ...at, ownLane });
  return newEntry({ direction, ticket: ticketOf(order, { direction, id, priorLots }) });
}

/**
 * What was placed on a maker-only lane is closed under a spare lane: from the start, or from when that is known, because such a lane can be
 * sealed and is not lost. A spare lane that the hedge went on under was B's key of it.
 */
function spareFor(order: Order, direction: Direction, previous?: TicketEntry): number | undefined {
  const next = order.spareLanes.slice(order.sparesUsed).find((lane) => takes(order, lane, direction));
  if (previous !== undefined && hasLostLane(previous)) return next;
  if (takes(order, laneOf((previous?.ticket ?? order).id), direction)) return undefined;
  return next ?? order.spareLanes.findLast((lane) => takes(order, lane, direction));
}

export function hasSpareLane(order: Order, direction: Direction): boolean {
  return order.spareLanes.slice(order.sparesUsed).some((lane) => takes(order, lane, direction));
}

/** A maker-only key of A closes nothing; the hedge's keys are B's. */
function takes({ quotesOnly = [] }: Order, lane: number, direction: Direction): boolean {
  return direction === 'hedge' || !quotesOnly.includes(lane);
}

/** Nothing of the ticket can execute any more. One that was found dead once may still be traded by a process that tries it. */
export function isEnded(entry: TicketEntry): boolean {
  return entry.end !== undefined && (entry.end !== 'dead' || entry.isDeadForSure === true);
}

/**
 * A ticket whose key is rejected cannot be sealed. Others may still try it, in other processes, for `KEY_TRY_MS` after they were asked or
 * raised; should its key come back meanwhile, what they do must be known before it is hedged elsewhere. So it is sealed, or found dead, once
 * more, and a finding made after this time began when all had stopped, whichever executor made it. Somebody is told all the while.
 */
export function deadAfterMs(entry: TicketEntry): number {
  return (entry.endedMs ?? 0) + KEY_TRY_MS + AGREED_MS;
}

/** Its lane is of no use to the order any more. */
export function hasLostLane(entry: TicketEntry): boolean {
  return entry.end === 'jumped' || entry.end === 'dead';
}

/**
 * Nothing of this direction can trade any more: its last ticket's key is rejected for good, and no spare lane is left. Until the
 * operator, who may have registered another key, asks for another try.
 */
export function isDeadEnd(order: Order, direction: Direction): boolean {
  const last = order.tickets.findLast((entry) => entry.direction === direction);
  return (
    last?.end === 'dead' &&
    isEnded(last) &&
    !hasSpareLane(order, direction) &&
    (last.endedMs ?? 0) >= (order.retriedAtMs ?? 0)
  );
}
