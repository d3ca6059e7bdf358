/**
 * The placement machine: slice 0 of an order on A's lane. Ends with the order's record, or with the proof that there is none.
 *
 * "Not placed" is concluded from one thing only: slice 0's nonce was executed by another transaction, or by our own with a refusal
 * (design of the lanes: docs/architecture.md). So a placement that is refused, late or in doubt is given up by sealing its nonce.
 * Sans-I/O like the cover machine; the bytes of the quote are fixed by the order, so any retry sends the same order.
 */
import { assertNever, invariant } from './assert';
import { addOrder, addTx, newEvidence, type Evidence } from './evidence';
import {
  clientOrderIndexOf,
  laneOf,
  nonceOf,
  splitClientOrderIndex,
  type ClientOrderIndex,
  type Nonce,
  type OrderId,
} from './ids';
import { awaitRecord, isDead, newLadder, onNothing, onSent, type Ladder } from './ladder';
import { SEAL_SLICE } from './limits';
import { conclude } from './readings';
import {
  TX_CREATE_ORDER,
  type NonceFate,
  type OrderRecord,
  type Read,
  type SendOutcome,
  type TxRecord,
} from './records';

export interface PlacementState {
  readonly id: OrderId;
  readonly evidence: Evidence;
  /** After this moment the quote is stale: it is not sent any more, but sealed. Epoch ms of the driver's clock. */
  readonly staleAtMs: number;
  ladder: Ladder;
  sealing: boolean;
  sealForm: 'cancel' | 'renewal';
  /** Why it was given up. */
  reason: { readonly code: string; readonly message: string };
  lastForm?: 'place' | 'seal' | undefined;
  end?: PlacementEnd | undefined;
}

export type PlacementEnd =
  | { readonly placed: true; readonly record: OrderRecord }
  | { readonly placed: false; readonly code: string; readonly message: string };

/** The lane is dead: its key is refused for good. */
export const KEY_REFUSED = 'key-refused';

export type PlacementEvent =
  | { readonly type: 'start' | 'tick' | 'looked' }
  | { readonly type: 'give-up'; readonly code: string; readonly message: string }
  | { readonly type: 'sent'; readonly outcome: SendOutcome }
  | { readonly type: 'order'; readonly record: OrderRecord }
  | { readonly type: 'tx'; readonly tx: TxRecord }
  | { readonly type: 'traced'; readonly fate: Read<NonceFate> };

export type PlacementCommand =
  | {
      readonly do: 'send';
      /** `seal-renewal` renews the dead-man's switch at this nonce: it cannot trade and is never refused for a missing order. */
      readonly form: 'place' | 'seal-cancel' | 'seal-renewal';
      readonly nonce: Nonce;
      /** Of the order, or for a cancel the index that no order has. */
      readonly clientOrderIndex: ClientOrderIndex;
    }
  | { readonly do: 'look'; readonly indexes: readonly ClientOrderIndex[] }
  | { readonly do: 'trace'; readonly nonce: Nonce }
  | { readonly do: 'recall'; readonly tx: TxRecord };

export function newPlacement(input: {
  readonly id: OrderId;
  readonly accountIndex: number;
  readonly marketId: number;
  readonly staleAtMs: number;
  readonly nowMs: number;
}): PlacementState {
  return {
    id: input.id,
    evidence: newEvidence(input),
    staleAtMs: input.staleAtMs,
    ladder: newLadder(input.nowMs),
    sealing: false,
    sealForm: 'cancel',
    reason: { code: 'sealed', message: 'the nonce of the placement was used by another transaction' },
  };
}

export function placementWakeAtMs(state: PlacementState): number | undefined {
  if (state.end || state.ladder.busy) return undefined;
  return state.sealing ? state.ladder.dueMs : Math.min(state.ladder.dueMs, Math.max(state.staleAtMs, 0));
}

export function advancePlacement(state: PlacementState, event: PlacementEvent, nowMs: number): PlacementCommand[] {
  absorb(state, event, nowMs);
  state.end ??= placementOf(state);
  if (state.end) return [];
  if (!state.sealing && nowMs >= state.staleAtMs) {
    giveUp(state, { code: 'stale', message: 'the quote could not be placed in time' }, nowMs);
  }
  if (state.ladder.busy || nowMs < state.ladder.dueMs) return [];
  state.ladder.busy = true;
  return [nextCommand(state, nowMs)];
}

function absorb(state: PlacementState, event: PlacementEvent, nowMs: number): void {
  switch (event.type) {
    case 'start':
    case 'tick':
      return;
    case 'looked':
      if (state.ladder.rung !== 'send' && state.ladder.rung !== 'trace') climb(state, nowMs);
      return;
    case 'give-up':
      giveUp(state, event, nowMs);
      return;
    case 'sent':
      onAnswer(state, event.outcome, nowMs);
      return;
    case 'order':
      addOrder(state.evidence, event.record);
      return;
    case 'tx':
      addTx(state.evidence, event.tx);
      return;
    case 'traced': {
      const fate = event.fate.ok ? event.fate.value : undefined;
      if (fate?.kind === 'consumed') addTx(state.evidence, fate.tx);
      const finding = conclude(state.ladder.readings, event.fate, nowMs);
      if (fate?.kind === 'passed' && finding === 'passed' && placementOf(state) === undefined) {
        state.end = {
          placed: false,
          code: 'lane-jumped',
          message: `the lane's nonce was jumped over by ${fate.by.nonce}: something else uses this API key`,
        };
      }
      const { keyRefused } = state.ladder;
      if (keyRefused && isDead(state.ladder, finding) && placementOf(state) === undefined) {
        const { code, message } = keyRefused;
        state.end = {
          placed: false,
          code: KEY_REFUSED,
          message: `the exchange refuses API key ${laneOf(state.id)}: ${message} (${code}); nothing is booked for the order`,
        };
      }
      if (state.ladder.rung !== 'trace') return;
      climb(state, nowMs);
      return;
    }
    default:
      assertNever(event);
  }
}

function climb(state: PlacementState, nowMs: number): void {
  const tx = state.evidence.txs.get(0);
  if (tx) awaitRecord(state.ladder, tx, nowMs);
  else onNothing(state.ladder, nowMs);
}

function onAnswer(state: PlacementState, outcome: SendOutcome, nowMs: number): void {
  const refusal = onSent(state.ladder, outcome, nowMs);
  if (!refusal) return;
  if (state.lastForm === 'seal') {
    if (refusal.class === 'key') return; // no other form would pass
    // Transient refusals too: an exchange that refuses the cancel of a missing order would do so for ever (LP §11 (10)).
    state.sealForm = state.sealForm === 'cancel' ? 'renewal' : 'cancel';
    if (state.sealForm === 'renewal' && refusal.class !== 'transient') state.ladder.dueMs = nowMs;
    return;
  }
  if (refusal.class === 'transient') return;
  // A post-only quote that is refused is not worth a second try: the next one carries a fresh price.
  giveUp(state, { code: refusal.code.toString(), message: refusal.message }, nowMs);
}

function giveUp(
  state: PlacementState,
  reason: { readonly code: string; readonly message: string },
  nowMs: number,
): void {
  if (state.sealing) return;
  state.sealing = true;
  state.reason = { code: reason.code, message: reason.message };
  if (!state.ladder.booked) state.ladder.dueMs = nowMs;
}

function placementOf(state: PlacementState): PlacementEnd | undefined {
  const record = state.evidence.orders.get(0);
  if (record) return { placed: true, record };
  const tx = state.evidence.txs.get(0);
  if (!tx) return undefined;
  const own = tx.type === TX_CREATE_ORDER && tx.clientOrderIndex === clientOrderIndexOf(state.id, 0);
  if (!own) {
    const foreign =
      tx.type === TX_CREATE_ORDER &&
      (tx.clientOrderIndex === undefined || splitClientOrderIndex(tx.clientOrderIndex).id !== state.id);
    return foreign
      ? {
          placed: false,
          code: 'foreign-nonce',
          message: `the lane's nonce was used by ${tx.hash}: something else uses this API key`,
        }
      : { placed: false, ...state.reason };
  }
  return tx.refusal ? { placed: false, code: tx.refusal.code.toString(), message: tx.refusal.message } : undefined;
}

function nextCommand(state: PlacementState, nowMs: number): PlacementCommand {
  const nonce = nonceOf(state.id, 0);
  switch (state.ladder.rung) {
    case 'send':
      state.ladder.sends += 1;
      state.lastForm = state.sealing ? 'seal' : 'place';
      if (!state.sealing)
        return { do: 'send', form: 'place', nonce, clientOrderIndex: clientOrderIndexOf(state.id, 0) };
      return {
        do: 'send',
        form: state.sealForm === 'cancel' ? 'seal-cancel' : 'seal-renewal',
        nonce,
        clientOrderIndex: clientOrderIndexOf(state.id, SEAL_SLICE),
      };
    case 'look':
      return { do: 'look', indexes: [clientOrderIndexOf(state.id, 0)] };
    case 'trace':
      state.ladder.readings.askedAtMs = nowMs;
      return { do: 'trace', nonce };
    case 'recall': {
      const tx = state.evidence.txs.get(0);
      invariant(tx !== undefined, 'only an executed transaction is recalled');
      return { do: 'recall', tx };
    }
    default:
      return assertNever(state.ladder.rung);
  }
}
