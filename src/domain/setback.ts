/** What a refusal, or an order that ended short, does to a ticket: how long it waits, how its price bound moves, what blocks it. */
import { assertNever } from './assert';
import type { Settled } from './evidence';
import { BLOCKED_MS_MAX, BLOCKED_MS_MIN, backOff, type Ladder, type SetBack } from './ladder';
import type { Ticks } from './lots';
import { boundTicks } from './price';
import { BELOW_MINIMUM, classOfStatus, describeRefusal, type RefusalClass } from './refusals';
import type { Ticket } from './ticket';

export interface Hindered {
  readonly ticket: Ticket;
  ladder: Ladder;
  bps: number;
  /** Consecutive slices and refusals without an executed lot, for the back-off. */
  setbacks: number;
  blocked: BlockedState | undefined;
}

export interface BlockedState {
  readonly code: string;
  /** The exchange's code, if it is one of its refusals. */
  readonly refusal: number;
  readonly message: string;
  readonly retryAfterMs: number;
  readonly atMs: number;
}

/** A slice is settled and lots are still missing: why, and when to try the next one. */
export function fallShort(state: Hindered, settled: Settled, nowMs: number): void {
  const kind = classOfShortfall(settled);
  if (kind === undefined) return;
  const refusals = state.setbacks;
  const slow = kind === 'blocked' || kind === 'key' || kind === 'invalid';
  const retryAfterMs = slow ? backOff(refusals, BLOCKED_MS_MIN, BLOCKED_MS_MAX) : backOff(refusals, 50, 5_000);
  const code = settled.refusal?.code ?? 0;
  const message = settled.refusal?.message ?? `the exchange ended the order as ${settled.status}`;
  state.ladder.dueMs = nowMs + retryAfterMs;
  state.ladder.refusals = refusals + 1;
  setBack(state, { class: kind, code, message, retryAfterMs }, nowMs, settled.status);
}

export function setBack(state: Hindered, refusal: SetBack, nowMs: number, status?: string): void {
  const lastingMs = backOff(state.setbacks, BLOCKED_MS_MIN, BLOCKED_MS_MAX);
  state.setbacks += 1;
  const block = (message: string, retryAfterMs: number): void => {
    const code = status ?? refusal.code.toString();
    state.blocked = { code, refusal: refusal.code, message, retryAfterMs, atMs: nowMs };
  };
  const wait = (message: string, retryAfterMs: number): void => {
    state.ladder.dueMs = nowMs + retryAfterMs;
    block(message, retryAfterMs);
  };
  switch (refusal.class) {
    case 'nonce':
    case 'transient':
      return;
    case 'price':
      if (isTooFar(refusal.code)) {
        if (!narrow(state))
          wait(`the exchange takes no price bound this far from the mark price (${refusal.message})`, lastingMs);
      } else if (!widen(state)) {
        const { slippageBpsMax } = state.ticket;
        wait(`no liquidity within ${slippageBpsMax} bps of the maker order's price (${refusal.message})`, lastingMs);
      }
      return;
    case 'blocked':
    case 'invalid':
      wait(refusal.message, refusal.retryAfterMs);
      return;
    case 'key':
      block(refusal.message, refusal.retryAfterMs); // the ladder knows when: it reads before it sends again
      return;
    default:
      assertNever(refusal.class);
  }
}

/** The larger amount may pass: it does not sit out the small one's back-off (P-05). */
export function isBelowMinimum({ blocked }: Hindered): boolean {
  return blocked?.refusal === BELOW_MINIMUM;
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

/** The bound itself is what offends: wider would be refused for ever. */
function narrow(state: Hindered): boolean {
  if (state.bps <= 1) return false;
  state.bps = Math.max(Math.floor(state.bps / 2), 1);
  return true;
}

/** Refusals of a price that is too far from the mark price (LP §2.4), not of one at which nobody trades. */
function isTooFar(code: number): boolean {
  return code === 21733 || code === 21734;
}

function classOfShortfall(settled: Settled): RefusalClass | undefined {
  if (settled.kind === 'foreign') return 'transient';
  if (settled.refusal) return describeRefusal(settled.refusal.code).class;
  return settled.kind === 'traded' ? classOfStatus(settled.status) : undefined;
}
