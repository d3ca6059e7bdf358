/** A slot of a pair: one lane, and the order that is on it. */
import { parseOrderId, type OrderId } from '../domain/ids-and-nonces';
import type { PairCarry } from '../domain/messages';
import type { PairSlot, Reason } from '../domain/pair-status';

export interface Slot extends Omit<PairSlot, 'reasons'> {
  /** Its order is a step of an unwind. */
  unwinds?: boolean;
  /** Of the note. */
  code?: string;
  lastId?: OrderId;
  lots?: bigint;
  /** The lane on which its order last spoke: its own, or a spare one. */
  at?: number;
  /** This pair has asked for the end of its order's quote. */
  quoteEnded?: boolean;
  /** Its order is in trouble and has said so: it will say its end by signal too, to whichever run of the pair there is then. */
  speaks?: boolean;
  /** Its order was started by a run before this one. */
  isHandedOver?: boolean;
  /** Unproven, but nothing of an earlier order of the lane rests or can trade any more; only what it left naked stands against its use. */
  isSealed?: boolean;
  /** Orders up to this id were part of a flatten that read both positions as zero. */
  flatUpTo?: OrderId;
}

export function statusOf({ lane, state, order_id, hedge_state, note }: Slot, reasons: readonly Reason[]): PairSlot {
  return {
    lane,
    state,
    reasons,
    ...(order_id === undefined ? {} : { order_id }),
    ...(hedge_state === undefined ? {} : { hedge_state }),
    ...(note === undefined ? {} : { note }),
  };
}

export function orderOf({
  lane,
  at = lane,
  order_id,
  hedge_state,
  lots,
  unwinds,
}: Slot): Pick<PairCarry['slots'][number], 'order'> {
  if (order_id === undefined || hedge_state === undefined || lots === undefined) return {};
  return {
    order: {
      order_id,
      hedge_state,
      lots: lots.toString(),
      ...(unwinds === true ? { unwinds } : {}),
      ...(at === lane ? {} : { at }),
    },
  };
}

export function slotFrom(lane: number, carry: PairCarry | undefined): Slot {
  const { last_id, order, flat_up_to } = carry?.slots.find((slot) => slot.lane === lane) ?? {};
  const flatUpTo = flat_up_to === undefined ? undefined : parseOrderId(flat_up_to);
  const flat = flatUpTo === undefined ? {} : { flatUpTo };
  const lastId = last_id === undefined ? undefined : parseOrderId(last_id);
  const known = { lane, ...(lastId === undefined ? {} : { lastId }), ...flat };
  if (order === undefined) {
    // A lane that this pair has used itself up to now needs no new proof.
    return { ...known, state: lastId === undefined ? 'unproven' : 'free' };
  }
  // Of a step on a spare lane the slot's own lane may never have had an id.
  const { order_id, hedge_state, lots, unwinds = false, at = lane } = order;
  const taken = { order_id, hedge_state, lots: BigInt(lots), unwinds, at, speaks: true, isHandedOver: true };
  return { ...known, state: 'busy', ...taken };
}
