/**
 * One pure decision: which steps an order wants now.
 *
 * The workflow's loop starts each wanted step whose lane is free (`begin` records that it did), folds the answer into the ledger
 * (order-absorb.ts) and asks again. `decide` itself changes only what the passing of time changes: since when the order is naked, and
 * whether it is stuck. Without outside events this reaches a fixpoint.
 *
 * Priorities, per lane:
 *   hedge   finish a started seal → seal what must end (abandoning, change of direction) → wait for the maker before a close
 *           → wait out a back-off → execute → arm → confirm
 *   maker   cancel what should not rest → place what is armed
 *   pair    alert → tell
 */
import { epochMsOf, laneOf, timeOf, type OrderId } from './ids-and-nonces';
import { IDS_AHEAD_MS_MAX } from './limits';
import { formatDecimal, type Lots } from './lots';
import type { HedgeState } from './messages';
import {
  activeTicket,
  executedLots,
  exposureLots,
  isOverHedged,
  makerIsClosed,
  mayRest,
  type Direction,
  type Order,
  type TicketEntry,
} from './order';
import { assess, isLongRunning, patienceEndsMs, restMs } from './order-patience';
import { hedgeStateOf } from './order-report';
import { deadAfterMs, hasLostLane, hasSpareLane, isDeadEnd, isEnded, nextTicket } from './order-tickets';

export type Track = 'maker' | 'hedge' | 'pair';

export type Step =
  | { readonly track: 'hedge'; readonly do: 'arm' }
  | {
      readonly track: 'hedge';
      readonly do: 'execute';
      readonly entry: TicketEntry;
      readonly fillLots: Lots;
      readonly retryNow: boolean;
    }
  | { readonly track: 'hedge'; readonly do: 'seal'; readonly entry: TicketEntry }
  | { readonly track: 'hedge'; readonly do: 'confirm' }
  | { readonly track: 'maker'; readonly do: 'place' }
  | { readonly track: 'maker'; readonly do: 'cancel' }
  | { readonly track: 'pair'; readonly do: 'tell'; readonly state: HedgeState; readonly done: boolean }
  | {
      readonly track: 'pair';
      readonly do: 'alert';
      readonly kind: AlertKind;
      readonly what: string;
      /** What is naked now, e.g. `0.0002 BTC`. Undefined: nothing. */
      readonly exposed: string | undefined;
      readonly next: string;
    };

type AlertKind = 'abandoned' | 'contradiction' | 'stuck';

export interface Plan {
  readonly steps: readonly Step[];
  readonly wakeAtMs?: number;
  readonly hedgeState: HedgeState;
  /** The order is over once its running steps have ended. */
  readonly end: boolean;
}

export function decide(order: Order, nowMs: number): Plan {
  assess(order, nowMs);
  const wakes: number[] = [];
  const hedge = hedgeStep(order, nowMs, wakes);
  const maker = makerStep(order, nowMs, wakes);
  const over = hedge === undefined && maker === undefined && isOver(order);
  const hedgeState = hedgeStateOf(order, over ? 'ended' : 'running');
  const pair = pairStep(order, nowMs, hedgeState, over);
  if (order.nakedSinceMs !== undefined && !order.stuck) wakes.push(patienceEndsMs(order, order.nakedSinceMs));
  const steps = [hedge, maker, pair].filter((step) => step !== undefined);
  const wakeAtMs = wakes.length > 0 ? Math.min(...wakes) : undefined;
  return { steps, hedgeState, end: over && pair === undefined, ...(wakeAtMs === undefined ? {} : { wakeAtMs }) };
}

/** Records that a step was started: what must not be decided twice. */
export function begin(order: Order, step: Step): void {
  switch (step.do) {
    case 'place':
      order.placement = 'asked';
      return;
    case 'cancel':
      order.makerCancels += 1;
      return;
    case 'seal':
      if (!step.entry.sealing) step.entry.blocked = undefined;
      step.entry.sealing = true;
      return;
    case 'execute':
      if (!order.tickets.includes(step.entry)) {
        // Those before it that cannot close are not come back to.
        const spare = order.spareLanes.indexOf(laneOf(step.entry.ticket.id), order.sparesUsed);
        if (spare >= 0) order.sparesUsed = spare + 1;
        order.tickets.push(step.entry);
        order.lastId = laterId(order.lastId, step.entry.ticket.id);
      }
      order.retryNow = false;
      return;
    case 'alert':
      if (step.kind === 'stuck') order.alerted.stuckSinceMs = order.stuck?.sinceMs;
      else order.alerted[step.kind] = true;
      return;
    case 'tell':
      order.told = { state: step.state, done: step.done };
      return;
    case 'arm':
    case 'confirm':
      return;
  }
}

function hedgeStep(order: Order, nowMs: number, wakes: number[]): Step | undefined {
  const entry = activeTicket(order);
  if (entry.sealing && entry.end === undefined)
    return due(entry, nowMs, wakes) ? { track: 'hedge', do: 'seal', entry } : undefined;
  if (exposureLots(order) === 0n) return noExposureStep(order);
  if (entry.end === 'dead' && !isEnded(entry)) {
    const againAtMs = deadAfterMs(entry) + DEAD_SLACK_MS;
    if (nowMs >= againAtMs) return due(entry, nowMs, wakes) ? { track: 'hedge', do: 'seal', entry } : undefined;
    wakes.push(againAtMs);
    return undefined;
  }
  if (order.cancelRequested && order.stuck) {
    if (entry.end !== undefined || !makerIsClosed(order)) return undefined;
    return { track: 'hedge', do: 'seal', entry };
  }
  const direction = wantedDirection(order, nowMs, wakes);
  if (isGivenUp(order)) return undefined;
  if (direction === 'close' && isOnQuotesOnlyLane(order, entry) && hasSpareLane(order, direction))
    return { track: 'hedge', do: 'seal', entry };
  if (direction === entry.direction && entry.end === undefined) {
    // The answer of a try that an operator's wish met under way is older than the wish.
    return order.retryNow || due(entry, nowMs, wakes)
      ? { track: 'hedge', do: 'execute', entry, fillLots: order.filledLots, retryNow: order.retryNow }
      : undefined;
  }
  if (entry.end === undefined) return { track: 'hedge', do: 'seal', entry };
  // Closing while the maker order still rests would race its next fill (S-26).
  if (direction === 'close' && !makerIsClosed(order)) return undefined;
  if (hasLostLane(entry) && direction === entry.direction && !hasSpareLane(order, direction)) {
    // The same lane again, and perhaps past us again: without a pause this would spin until the history is full.
    const endedMs = entry.endedMs ?? 0;
    const againAtMs = endedMs + restMs(order, JUMPED_PAUSE_MS, endedMs);
    if (nowMs < againAtMs && !order.retryNow) {
      wakes.push(againAtMs);
      return undefined;
    }
  }
  const next = nextTicket(order, direction, nowMs);
  const mayBeginMs = epochMsOf(timeOf(next.ticket.id)) - IDS_AHEAD_MS_MAX;
  if (nowMs < mayBeginMs) {
    wakes.push(mayBeginMs);
    if (mayBeginMs - nowMs > UNTOLD_WAIT_MS) {
      const inS = Math.ceil((mayBeginMs - nowMs) / 1_000);
      order.stuck ??= {
        sinceMs: nowMs,
        reason: `its next order id lies ahead of the clock: it trades again in ${inS} s`,
      };
    }
    return undefined;
  }
  return { track: 'hedge', do: 'execute', entry: next, fillLots: order.filledLots, retryNow: false };
}

/** A close that began there before anybody knew: it is never taken, and its seal is. */
function isOnQuotesOnlyLane(order: Order, { direction, end, ticket }: TicketEntry): boolean {
  return direction === 'close' && end === undefined && order.quotesOnly?.includes(laneOf(ticket.id)) === true;
}

const JUMPED_PAUSE_MS = 30_000;
/** A wait for its own id that is longer counts as stuck, so that somebody hears why the amount is naked. */
const UNTOLD_WAIT_MS = 5_000;
/** For clocks that differ, and so that an executor which proved it meanwhile has nothing left to do. */
const DEAD_SLACK_MS = 25_000;

/** Nothing is naked: arm before quoting, confirm at the end. */
function noExposureStep(order: Order): Step | undefined {
  if (order.arm === 'wanted') {
    if (!mayRest(order) && order.placement === 'wanted') return undefined;
    return { track: 'hedge', do: 'arm' };
  }
  if (order.filledLots > 0n && makerIsClosed(order) && !order.confirmed) {
    return executedLots(order) === order.filledLots ? { track: 'hedge', do: 'confirm' } : undefined;
  }
  return undefined;
}

function makerStep(order: Order, nowMs: number, wakes: number[]): Step | undefined {
  if (makerIsClosed(order) || order.arm !== 'done') return undefined;
  switch (order.placement) {
    case 'wanted':
      return !mayRest(order) || order.stuck ? undefined : { track: 'maker', do: 'place' };
    case 'asked':
      return undefined;
    case 'in-doubt':
      return { track: 'maker', do: 'place' };
    case 'placed': {
      const timeOutAtMs = (order.placedAtMs ?? order.createdMs) + order.timeOutMs;
      const mustEnd = !mayRest(order) || order.stuck !== undefined || order.closeAsked;
      if (!mustEnd && nowMs < timeOutAtMs) {
        wakes.push(timeOutAtMs);
        return undefined;
      }
      if (nowMs < order.nextCancelAtMs) {
        wakes.push(order.nextCancelAtMs);
        return undefined;
      }
      return { track: 'maker', do: 'cancel' };
    }
    case 'not-placed':
      return undefined;
  }
}

function pairStep(order: Order, nowMs: number, hedgeState: HedgeState, over: boolean): Step | undefined {
  const alert = alertStep(order, over);
  if (alert) return alert;
  const isKnown = order.told?.state === hedgeState && order.told.done === over;
  return speaks(order, nowMs, hedgeState, over) && !isKnown
    ? { track: 'pair', do: 'tell', state: hedgeState, done: over }
    : undefined;
}

/**
 * Whether the pair is told by signal. An ordinary order's end is told by its result. That reaches only the run of the pair that started the
 * order, and a pair waits for its orders before it goes on in a new run, but not for one in trouble: such an order speaks, up to its end.
 */
function speaks(order: Order, nowMs: number, hedgeState: HedgeState, over: boolean): boolean {
  if (order.told !== undefined || hedgeState === 'stuck') return true;
  // A cancelled run has no result.
  return over ? order.cancelRequested : isLongRunning(order, nowMs);
}

function alertStep(order: Order, over: boolean): Step | undefined {
  const exposed = `${formatDecimal(exposureLots(order), order.market.size_decimals)} ${order.market.symbol}`;
  const alert = (kind: AlertKind, what: string, next: string): Step => ({
    track: 'pair',
    do: 'alert',
    kind,
    what,
    exposed: exposureLots(order) > 0n ? exposed : undefined,
    next,
  });
  if (over && exposureLots(order) > 0n && !order.alerted.abandoned) {
    return alert(
      'abandoned',
      `order ${order.id} ended with ${exposed} naked: ${order.stuck?.reason ?? 'cancelled'}`,
      'Hedge or close this amount by hand: nothing of ours will.',
    );
  }
  if (order.contradiction !== undefined && !order.alerted.contradiction) {
    return alert(
      'contradiction',
      `the exchange and the ledger disagree, ${order.contradiction}`,
      'Compare the order and both positions on the exchange; the larger fill was taken as true.',
    );
  }
  if (over || !order.stuck || order.alerted.stuckSinceMs === order.stuck.sinceMs) return undefined;
  return alert(
    'stuck',
    `hedge of order ${order.id} is stuck with ${exposed} naked: ${order.stuck.reason}`,
    order.policy.on_stuck === 'close'
      ? `It keeps trying, then closes on the maker account; \`counterleg hedge close ${order.id}\` does so now.`
      : `It keeps trying; \`counterleg hedge retry ${order.id}\` tries now, \`counterleg hedge close ${order.id}\` closes on the maker account.`,
  );
}

function wantedDirection(order: Order, nowMs: number, wakes: number[]): Direction {
  // A key that is rejected for good is not worth further tries, whatever the policy: the other account's keys trade what is naked.
  if (isDeadEnd(order, 'close')) return 'hedge';
  if (order.closeAsked || isDeadEnd(order, 'hedge')) return 'close';
  if (order.policy.on_stuck !== 'close' || order.nakedSinceMs === undefined) return 'hedge';
  const closeAtMs = patienceEndsMs(order, order.nakedSinceMs);
  if (nowMs >= closeAtMs) return 'close';
  wakes.push(closeAtMs);
  return 'hedge';
}

function due(entry: TicketEntry, nowMs: number, wakes: number[]): boolean {
  if (!entry.blocked || nowMs >= entry.blocked.retryAtMs) return true;
  wakes.push(entry.blocked.retryAtMs);
  return false;
}

/** Nothing more can happen to this order: the maker side is closed, and the ledger is even or given up. */
function isOver(order: Order): boolean {
  const neverPlaced = !mayRest(order) && order.placement === 'wanted' && order.status === undefined;
  if (!makerIsClosed(order) && !neverPlaced) return false;
  if (isGivenUp(order)) return true;
  if (exposureLots(order) > 0n)
    return order.cancelRequested && order.stuck !== undefined && isEnded(activeTicket(order));
  return order.filledLots === 0n || order.confirmed || isOverHedged(order);
}

/** Neither account's key can trade what is naked: for a person. */
function isGivenUp(order: Order): boolean {
  return exposureLots(order) > 0n && makerIsClosed(order) && isDeadEnd(order, 'hedge') && isDeadEnd(order, 'close');
}

function laterId(a: OrderId, b: OrderId): OrderId {
  return timeOf(a) >= timeOf(b) ? a : b;
}
