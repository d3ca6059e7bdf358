/**
 * One transaction at one nonce: sent, or, once it is not wanted any more, sealed; it ends when it is known which of them the exchange executed.
 * What placements and transfers share; sans-I/O like the execution machine, over the same step (nonce.ts). The bytes follow from the
 * id, so any retry, by any process, contends for the same nonce and at most one of them executes.
 *
 * That it did not happen is concluded from one thing only: its nonce was executed by another transaction, or by its own with a rejection.
 * So what is rejected, late or in doubt is given up by sealing its nonce.
 */
import { newEvidence } from './evidence';
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

export interface SingleState<End> extends NonceState {
  /** From this moment of the driver's clock on it is not sent any more, but sealed. */
  staleAtMs: number;
  /** Why it was given up. */
  reason: Reason;
  end?: End | undefined;
}

export interface Reason {
  readonly code: string;
  readonly message: string;
}

/** What differs from kind to kind. */
export interface Kind<End, State extends SingleState<End>> {
  /** Of which messages speak: `order`. */
  readonly noun: string;
  readonly stale: string;
  /** What the evidence says became of it, if it does. */
  endOf(state: State): End | undefined;
  /** The end of one that did not happen. */
  never(reason: Reason): End;
}

/** It was not to go out any more. */
export const STALE = 'stale';
/** The lane is dead: its key is rejected for good. */
export const KEY_REJECTED = 'key-rejected';

export function newSingle<End>(
  input: {
    readonly id: OrderId;
    readonly accountIndex: number;
    readonly marketId: number;
    readonly staleAtMs: number;
    readonly nowMs: number;
  },
  what: string,
): SingleState<End> {
  const { id, accountIndex, marketId } = input;
  return {
    evidence: newEvidence({ id, accountIndex, marketId }),
    slice: 0,
    ladder: newLadder(input.nowMs),
    sealing: false,
    sealForm: 'cancel',
    lastForm: undefined,
    staleAtMs: input.staleAtMs,
    reason: { code: 'sealed', message: `the nonce of ${what} was used by another transaction` },
  };
}

export function singleWakeAtMs({ end, ladder, sealing, staleAtMs }: SingleState<unknown>): number | undefined {
  if (end !== undefined || ladder.busy) return undefined;
  return sealing ? ladder.dueMs : Math.min(ladder.dueMs, Math.max(staleAtMs, 0));
}

export function advanceSingle<End, State extends SingleState<End>>(
  kind: Kind<End, State>,
  state: State,
  event: NonceEvent,
  nowMs: number,
): (NonceSend | NonceQuestion)[] {
  const finding = absorbNonce(state, event, nowMs);
  if (finding) onFinding(kind, state, finding, nowMs);
  state.end ??= kind.endOf(state);
  if (state.end !== undefined) return [];
  if (nowMs >= state.staleAtMs) giveUp(state, { code: STALE, message: kind.stale }, nowMs);
  const next = nextForNonce(state, false, nowMs);
  return next ? [next] : [];
}

function onFinding<End, State extends SingleState<End>>(
  kind: Kind<End, State>,
  state: State,
  finding: NonceFinding,
  nowMs: number,
): void {
  switch (finding.kind) {
    case 'rejected': {
      const { class: ofCode, code, message } = finding.rejection;
      // What is rejected for good is not worth a second try: the next one is made of what is true then.
      if (ofCode !== 'transient') giveUp(state, { code: code.toString(), message }, nowMs);
      return;
    }
    case 'passed': {
      const message = `the lane's nonce was jumped over by ${finding.by.nonce}: something else uses this API key`;
      state.end = kind.never({ code: 'lane-jumped', message });
      return;
    }
    case 'dead': {
      const why = `${finding.message} (${finding.code})`;
      const message = `the exchange rejects API key ${laneOf(state.evidence.id)}: ${why}; nothing is booked for the ${kind.noun}`;
      state.end = kind.never({ code: KEY_REJECTED, message });
      return;
    }
  }
}

function giveUp(state: SingleState<unknown>, reason: Reason, nowMs: number): void {
  if (!state.sealing) state.reason = reason;
  startSealing(state, nowMs);
}
