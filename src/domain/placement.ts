/** The placement machine: slice 0 of an order on A's lane. Ends with the order's record, or with the proof that there is none (single.ts). */
import { resolutionOf } from './evidence';
import type { NonceEvent, NonceQuestion, NonceSend } from './nonce';
import type { OrderRecord } from './records';
import { advanceSingle, newSingle, type Kind, type Reason, type SingleState } from './single';

export type PlacementState = SingleState<PlacementEnd>;

export type PlacementEnd =
  { readonly placed: true; readonly record: OrderRecord } | ({ readonly placed: false } & Reason);

export function newPlacement(input: Parameters<typeof newSingle>[0]): PlacementState {
  return newSingle(input, 'the placement');
}

export function advancePlacement(
  state: PlacementState,
  event: NonceEvent,
  nowMs: number,
): (NonceSend | NonceQuestion)[] {
  return advanceSingle(placement, state, event, nowMs);
}

const placement: Kind<PlacementEnd, PlacementState> = {
  noun: 'order',
  stale: 'the quote could not be placed in time',
  endOf: placementOf,
  never: (reason) => ({ placed: false, ...reason }),
};

function placementOf({ evidence, reason }: PlacementState): PlacementEnd | undefined {
  const record = evidence.orders.get(0);
  if (record) return { placed: true, record };
  const resolved = resolutionOf(evidence, 0);
  switch (resolved?.kind) {
    case undefined:
      return undefined;
    case 'rejected': {
      const { code, message } = resolved.rejection;
      return { placed: false, code: code.toString(), message };
    }
    case 'foreign': {
      const message = `the lane's nonce was used by ${resolved.txHash}: something else uses this API key`;
      return { placed: false, code: 'foreign-nonce', message };
    }
    case 'seal':
    case 'traded':
      return { placed: false, ...reason };
  }
}
