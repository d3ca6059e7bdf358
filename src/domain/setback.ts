/** What a rejection, or an order that ended short, does to a ticket: how long it waits, how its price bound moves, what blocks it. */
import { assertNever } from './assert';
import type { Resolved } from './evidence';
import { BLOCKED_MS_MAX, BLOCKED_MS_MIN, backOff, type Ladder, type SetBack } from './doubt-ladder';
import type { Ticks } from './lots';
import { boundTicks } from './price';
import { BELOW_MINIMUM, classOfStatus, describeRejection, type RejectionClass } from './rejections';
import type { Ticket } from './ticket';

export interface Hindered {
  readonly ticket: Ticket;
  ladder: Ladder;
  bps: number;
  /** Consecutive slices and rejections without an executed lot, for the back-off. */
  setbacks: number;
  blocked: BlockedState | undefined;
}

export interface BlockedState {
  readonly code: string;
  /** The exchange's code, if it is one of its rejections. */
  readonly rejection: number;
  readonly message: string;
  readonly retryAfterMs: number;
  readonly atMs: number;
}

/** A slice is resolved and lots are still missing: why, and when to try the next one. `sinceMs`: from when its pause counts. */
export function fallShort(state: Hindered, resolved: Resolved, sinceMs: number): void {
  const kind = classOfShortfall(resolved);
  if (kind === undefined) return;
  const rejections = state.setbacks;
  const slow = kind === 'blocked' || kind === 'key' || kind === 'invalid';
  const retryAfterMs = slow ? backOff(rejections, BLOCKED_MS_MIN, BLOCKED_MS_MAX) : backOff(rejections, 50, 5_000);
  const code = resolved.rejection?.code ?? 0;
  const message = resolved.rejection?.message ?? `the exchange ended the order as ${resolved.status}`;
  state.ladder.dueMs = sinceMs + retryAfterMs;
  state.ladder.rejections = rejections + 1;
  setBack(state, { class: kind, code, message, retryAfterMs }, sinceMs, resolved.status);
}

export function setBack(state: Hindered, rejection: SetBack, nowMs: number, status?: string): void {
  const lastingMs = backOff(state.setbacks, BLOCKED_MS_MIN, BLOCKED_MS_MAX);
  state.setbacks += 1;
  const block = (message: string, retryAfterMs: number): void => {
    const code = status ?? rejection.code.toString();
    state.blocked = { code, rejection: rejection.code, message, retryAfterMs, atMs: nowMs };
  };
  const wait = (message: string, retryAfterMs: number): void => {
    state.ladder.dueMs = nowMs + retryAfterMs;
    block(message, retryAfterMs);
  };
  switch (rejection.class) {
    case 'nonce':
    case 'transient':
    case 'quota': // nobody is to act on it at once: it passes in the next free slot
      return;
    case 'price':
      if (isTooFar(rejection.code)) {
        if (!narrow(state))
          wait(`the exchange takes no price bound this far from the mark price (${rejection.message})`, lastingMs);
      } else if (!widen(state)) {
        const { slippageBpsMax } = state.ticket;
        wait(`no liquidity within ${slippageBpsMax} bps of the maker order's price (${rejection.message})`, lastingMs);
      }
      return;
    case 'blocked':
    case 'invalid':
      wait(rejection.message, rejection.retryAfterMs);
      return;
    case 'key':
      block(rejection.message, rejection.retryAfterMs); // the ladder knows when: it reads before it sends again
      return;
    default:
      assertNever(rejection.class);
  }
}

/** The larger amount may pass: it does not sit out the small one's back-off (P-05). */
export function isBelowMinimum({ blocked }: Hindered): boolean {
  return blocked?.rejection === BELOW_MINIMUM;
}

export function currentBoundTicks({ ticket, bps }: Hindered): Ticks {
  return boundTicks({ side: ticket.side, anchorTicks: ticket.anchorTicks, bps });
}

/** The next bound that is another price, if the ticket allows one; of a cheap coin several steps are the same tick. */
function widen(state: Hindered): boolean {
  const { slippageBpsMax } = state.ticket;
  const before = currentBoundTicks(state);
  while (state.bps < slippageBpsMax) {
    state.bps = Math.min(Math.max(state.bps * 2, 1), slippageBpsMax);
    if (currentBoundTicks(state) !== before) return true;
  }
  return false;
}

/** The bound itself is what offends: wider would be rejected for ever. */
function narrow(state: Hindered): boolean {
  if (state.bps <= 1) return false;
  state.bps = Math.max(Math.floor(state.bps / 2), 1);
  return true;
}

/** Rejections of a price that is too far from the mark price (LP §2.4), not of one at which nobody trades. */
function isTooFar(code: number): boolean {
  return code === 21733 || code === 21734;
}

function classOfShortfall(resolved: Resolved): RejectionClass | undefined {
  if (resolved.kind === 'foreign') return 'transient';
  if (resolved.rejection) return describeRejection(resolved.rejection.code).class;
  return resolved.kind === 'traded' ? classOfStatus(resolved.status) : undefined;
}
