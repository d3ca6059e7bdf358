/** Why a pair, and each slot of it, does not quote. Codes stay, texts are for people. Whatever stops quotes adds itself here. */
import type { Reason } from '../domain/pair-status';
import type { Slot } from './pair-slot';
import type { PairState } from './pair-state';

/** What stops every slot; empty: orders are started. */
export function holdsOf(state: PairState): readonly Reason[] {
  const { mode, reason } = state;
  const holds: Reason[] = mode === 'running' ? [] : [{ code: mode, text: reason === '' ? mode : reason }];
  const hold = (applies: boolean, code: string, text: string): void => void (applies && holds.push({ code, text }));
  hold(state.isStuck, 'stuck', 'an order is stuck: no new quotes until it is hedged or closed');
  hold(state.isRenewing, 'renewing', 'its history is long: it goes on in a new run once its open orders have ended');
  hold(state.books === undefined, 'books-unread', 'no quotes before both accounts have been compared');
  hold(state.margin.read === undefined, 'margin-unread', 'no quotes before the margin of both accounts has been read');
  const unwinding = `an unwind: both accounts reduce together until they are safe (${state.margin.read?.what})`;
  hold(state.margin.mustUnwind, 'unwinding', unwinding);
  return holds;
}

/** Empty while the slot's order rests, as far as the pair has heard. */
export function reasonsOf(state: PairState, slot: Slot): readonly Reason[] {
  if (slot.state === 'busy') return reasonsOfOrder(slot);
  const { note, code = 'failed' } = slot;
  const reasons = [...holdsOf(state)];
  if (!state.hasRoom) reasons.push({ code: 'order-limit', text: 'as many orders are open as may still fill' });
  if (slot.state === 'unproven') reasons.push({ code: 'lane-unproven', text: note ?? 'its lane is being proven' });
  else if (note !== undefined) reasons.push({ code, text: note });
  return reasons;
}

function reasonsOfOrder({ hedge_state, quoteEnded }: Slot): readonly Reason[] {
  if (hedge_state === 'stuck') return [{ code: 'stuck', text: 'the hedge of its order is stuck' }];
  if (hedge_state === 'hedging') return [{ code: 'hedging', text: 'what filled of its order is being hedged' }];
  return quoteEnded === true ? [{ code: 'ending', text: 'its quote is being withdrawn' }] : [];
}
