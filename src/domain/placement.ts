/**
 * The placement machine: slice 0 of an order on A's lane. Ends with the order's record, or with the proof that there is none.
 *
 * "Not placed" is concluded from one thing only: slice 0's nonce was executed by another transaction, or by our own with a rejection
 * (design of the lanes: docs/architecture.md). So a placement that is rejected, late or in doubt is given up by sealing its nonce.
 * Sans-I/O like the execution machine, over the same step (nonce.ts); the bytes of the quote are fixed by the order, so any retry sends the
 * same order.
 */
import { newEvidence, resolutionOf } from './evidence';
import { laneOf, type OrderId } from './ids-and-nonces';
import { newLadder } from './doubt-ladder';
import {
  absorbNonce,
  nextForNonce,
  startSealing,
  type NonceEvent,
  type NonceFinding,
  type NonceQuestion,
  type NonceSend,
  type NonceState,
} from './nonce';
import type { OrderRecord } from './records';

export interface PlacementState extends NonceState {
  /** From this moment of the driver's clock on the quote is stale: it is not sent any more, but sealed. */
  staleAtMs: number;
  /** Why it was given up. */
  reason: Reason;
  end?: PlacementEnd | undefined;
}

interface Reason {
  readonly code: string;
  readonly message: string;
}

export type PlacementEnd =
  { readonly placed: true; readonly record: OrderRecord } | ({ readonly placed: false } & Reason);

/** It was not to go out any more. */
export const STALE = 'stale';
/** The lane is dead: its key is rejected for good. */
export const KEY_REJECTED = 'key-rejected';

export function newPlacement(input: {
  readonly id: OrderId;
  readonly accountIndex: number;
  readonly marketId: number;
  readonly staleAtMs: number;
  readonly nowMs: number;
}): PlacementState {
  return {
    evidence: newEvidence(input),
    slice: 0,
    ladder: newLadder(input.nowMs),
    sealing: false,
    sealForm: 'cancel',
    lastForm: undefined,
    staleAtMs: input.staleAtMs,
    reason: { code: 'sealed', message: 'the nonce of the placement was used by another transaction' },
  };
}

export function placementWakeAtMs({ end, ladder, sealing, staleAtMs }: PlacementState): number | undefined {
  if (end || ladder.busy) return undefined;
  return sealing ? ladder.dueMs : Math.min(ladder.dueMs, Math.max(staleAtMs, 0));
}

export function advancePlacement(
  state: PlacementState,
  event: NonceEvent,
  nowMs: number,
): (NonceSend | NonceQuestion)[] {
  const finding = absorbNonce(state, event, nowMs);
  if (finding) onFinding(state, finding, nowMs);
  state.end ??= placementOf(state);
  if (state.end) return [];
  if (nowMs >= state.staleAtMs) giveUp(state, { code: STALE, message: 'the quote could not be placed in time' }, nowMs);
  const next = nextForNonce(state, false, nowMs);
  return next ? [next] : [];
}

function onFinding(state: PlacementState, finding: NonceFinding, nowMs: number): void {
  switch (finding.kind) {
    case 'rejected': {
      const { class: kind, code, message } = finding.rejection;
      // A post-only quote that is rejected is not worth a second try: the next one carries a fresh price.
      if (kind !== 'transient') giveUp(state, { code: code.toString(), message }, nowMs);
      return;
    }
    case 'passed': {
      const message = `the lane's nonce was jumped over by ${finding.by.nonce}: something else uses this API key`;
      state.end = { placed: false, code: 'lane-jumped', message };
      return;
    }
    case 'dead': {
      const why = `${finding.message} (${finding.code})`;
      const message = `the exchange rejects API key ${laneOf(state.evidence.id)}: ${why}; nothing is booked for the order`;
      state.end = { placed: false, code: KEY_REJECTED, message };
      return;
    }
  }
}

function giveUp(state: PlacementState, reason: Reason, nowMs: number): void {
  if (!state.sealing) state.reason = reason;
  startSealing(state, nowMs);
}

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
