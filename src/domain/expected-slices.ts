/** What a ticket may send next, so that its bytes can be signed before they are needed. It says what may come; execution.ts alone says what is sent. */
import type { ExecutionState, SliceSend } from './execution';
import { clientOrderIndexOf, nonceOf } from './ids-and-nonces';
import { SLICES_BEFORE_RENEWAL } from './limits';
import { addLots, subLots, ZERO_LOTS, type Lots } from './lots';
import { currentBoundTicks } from './setback';
import { targetLots } from './ticket';

/** Every amount is expected of so many lots; of more only the likeliest two. */
export const FEW_LOTS = 32n;

/**
 * Slices at the first nonce for which nothing was sent, likeliest first: what is asked for, all the rest, then each amount in between. What
 * is under way is taken to execute in full.
 */
export function expectedSlices(state: ExecutionState): SliceSend[] {
  const { ticket, slice, sent } = state;
  const k = sent ? slice + 1 : slice;
  if (state.end !== undefined || state.sealing || k > SLICES_BEFORE_RENEWAL) return [];
  const doneLots = addLots(state.executedLots, sent?.lots ?? ZERO_LOTS);
  const restLots = subLots(ticket.maxLots, doneLots);
  const askedLots = subLots(targetLots(ticket, state.fillLots), doneLots);
  const amounts = new Set<bigint>();
  if (askedLots > 0n) amounts.add(askedLots);
  if (restLots > 0n) amounts.add(restLots);
  // A fill never shrinks.
  if (restLots <= FEW_LOTS) for (let more = restLots - 1n; more > 0n && more > askedLots; more -= 1n) amounts.add(more);
  const common = {
    do: 'send',
    k,
    form: 'order',
    nonce: nonceOf(ticket.id, k),
    skipNonce: k === 1 && ticket.start === 'opens-lane',
    clientOrderIndex: clientOrderIndexOf(ticket.id, k),
    priceTicks: currentBoundTicks(state),
  } as const;
  return [...amounts].map((amount) => ({ ...common, lots: amount as Lots }));
}
