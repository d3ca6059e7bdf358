/**
 * One nonce of a lane, until it is known who consumed it: the step that the execution machine and the placement machine share.
 *
 * Takes what the exchange answers and shows (evidence.ts, readings.ts), and says what is asked of it next (doubt-ladder.ts). What is sent for
 * the nonce, and when the machine is done, differ: those are execution.ts and placement.ts.
 */
import { assertNever, invariant } from './assert';
import { addOrder, addTx, awaitsRecord, resolutionOf, type Evidence } from './evidence';
import { clientOrderIndexOf, nonceOf, type ClientOrderIndex, type Nonce, type OrderId } from './ids-and-nonces';
import { awaitRecord, isDead, onNothing, onSent, type Ladder, type SetBack } from './doubt-ladder';
import { SEAL_SLICE, SLICE_MAX } from './limits';
import { conclude } from './readings';
import type { NonceStatus, OrderRecord, Read, SendOutcome, TxRecord } from './records';
import { describeRejection, MAKER_ONLY } from './rejections';

/**
 * How a seal looks; the next one is tried when the exchange rejects one. `renewal` is never rejected for a missing order: on A it renews the
 * dead-man's switch.
 */
export type SealForm = 'order' | 'cancel' | 'renewal';

const NEXT_SEAL_FORM: Readonly<Record<SealForm, SealForm>> = { order: 'cancel', cancel: 'renewal', renewal: 'order' };

export interface NonceState {
  readonly evidence: Evidence;
  /** Whose nonce is open. */
  slice: number;
  ladder: Ladder;
  /** The nonce is to be consumed by something that trades nothing. */
  sealing: boolean;
  sealForm: SealForm;
  /** What was last sent at the nonce. */
  lastForm: 'order' | 'seal' | undefined;
}

export type NonceEvent =
  | { readonly type: 'sent'; readonly k: number; readonly outcome: SendOutcome }
  | { readonly type: 'order'; readonly record: OrderRecord }
  | { readonly type: 'tx'; readonly tx: TxRecord }
  /** A look or recall is over; what it found came as `order` events before. */
  | { readonly type: 'looked'; readonly k: number }
  | { readonly type: 'traced'; readonly k: number; readonly nonceStatus: Read<NonceStatus> }
  | { readonly type: 'tick' };

export interface NonceSend {
  readonly do: 'send';
  readonly k: number;
  readonly form: 'order' | `seal-${SealForm}`;
  readonly nonce: Nonce;
  /** Of the slice, or of the seal: an index that no order of ours rests with. */
  readonly clientOrderIndex: ClientOrderIndex;
}

export type NonceQuestion =
  | { readonly do: 'look'; readonly k: number; readonly indexes: readonly ClientOrderIndex[] }
  | { readonly do: 'trace'; readonly k: number; readonly nonce: Nonce }
  | { readonly do: 'recall'; readonly k: number; readonly tx: TxRecord };

/**
 * What a machine decides by itself. `rejected`: its order. `passed`: a later nonce executed, so this one never will. `dead`: the
 * lane's key is rejected for good, and nothing is booked here.
 */
export type NonceFinding =
  | { readonly kind: 'rejected'; readonly rejection: SetBack }
  | { readonly kind: 'passed'; readonly by: TxRecord }
  | { readonly kind: 'dead'; readonly code: number; readonly message: string };

export function absorbNonce(state: NonceState, event: NonceEvent, nowMs: number): NonceFinding | undefined {
  switch (event.type) {
    case 'sent':
      return event.k === state.slice ? onAnswer(state, event.outcome, nowMs) : undefined;
    case 'order':
      addOrder(state.evidence, event.record);
      return undefined;
    case 'tx':
      addTx(state.evidence, event.tx);
      return undefined;
    case 'looked':
      if (event.k === state.slice && state.ladder.rung !== 'send' && state.ladder.rung !== 'trace') climb(state, nowMs);
      return undefined;
    case 'traced':
      return event.k === state.slice ? onTraced(state, event.nonceStatus, nowMs) : undefined;
    case 'tick':
      return undefined;
    default:
      return assertNever(event);
  }
}

function onAnswer(state: NonceState, outcome: SendOutcome, nowMs: number): NonceFinding | undefined {
  const rejection = onSent(state.ladder, outcome, nowMs);
  if (!rejection) return undefined;
  if (state.lastForm !== 'seal') return { kind: 'rejected', rejection };
  // No other form would pass; a maker-only key may cancel.
  if (rejection.class === 'key' && rejection.code !== MAKER_ONLY) return undefined;
  // Transient rejections too: an exchange that rejects the cancel of a missing order would do so for ever (LP §11 (10)).
  state.sealForm = NEXT_SEAL_FORM[state.sealForm];
  if (state.sealForm !== 'order' && rejection.class !== 'transient') state.ladder.dueMs = nowMs;
  return undefined;
}

function onTraced(state: NonceState, read: Read<NonceStatus>, nowMs: number): NonceFinding | undefined {
  const nonceStatus = read.ok ? read.value : undefined;
  if (nonceStatus?.kind === 'consumed') addTx(state.evidence, nonceStatus.tx);
  const finding = conclude(state.ladder.readings, read, nowMs);
  if (resolutionOf(state.evidence, state.slice) === undefined) {
    const { keyRejected } = state.ladder;
    if (nonceStatus?.kind === 'passed' && finding === 'passed') return { kind: 'passed', by: nonceStatus.by };
    if (keyRejected && bearsOnAll(state, keyRejected) && isDead(state.ladder, finding))
      return { kind: 'dead', ...keyRejected };
  }
  if (state.ladder.rung === 'trace') climb(state, nowMs);
  return undefined;
}

/** Of a seal every form is tried: a code that nobody lists and that rejects them all says as much as a rejected key. */
function bearsOnAll({ sealing }: NonceState, { code }: { readonly code: number }): boolean {
  return sealing || describeRejection(code).class === 'key';
}

function climb({ evidence, slice, ladder }: NonceState, nowMs: number): void {
  const tx = awaitsRecord(evidence, slice);
  if (tx) awaitRecord(ladder, tx, nowMs);
  else onNothing(ladder, nowMs);
}

/** From now on the nonce is sealed. A transaction that was booked a moment ago is given its time before the seal contends with it. */
export function startSealing(state: NonceState, nowMs: number): void {
  if (!state.sealing) {
    if (!awaitsFrame(state, nowMs)) state.ladder.dueMs = nowMs;
    const { keyRejected } = state.ladder;
    if (keyRejected && !bearsOnAll(state, keyRejected)) state.ladder.keyRejected = undefined; // a seal may pass
  }
  state.sealing = true;
}

export function awaitsFrame({ ladder }: NonceState, nowMs: number): boolean {
  return ladder.booked && ladder.dueMs > nowMs;
}

/** What is due for the nonce; nothing while a request is under way. `lacksLots`: what still has to be executed may be executed by a seal. */
export function nextForNonce(
  state: NonceState,
  lacksLots: boolean,
  nowMs: number,
): NonceSend | NonceQuestion | undefined {
  const { evidence, ladder, slice: k } = state;
  if (ladder.busy || nowMs < ladder.dueMs) return undefined;
  ladder.busy = true;
  const nonce = nonceOf(evidence.id, k);
  switch (ladder.rung) {
    case 'send':
      ladder.standing += 1;
      return { do: 'send', k, nonce, ...(state.sealing ? nextSeal(state, lacksLots) : nextOrder(state)) };
    case 'look':
      return { do: 'look', k, indexes: lookIndexes(evidence.id, k) };
    case 'trace':
      ladder.readings.askedAtMs = nowMs;
      return { do: 'trace', k, nonce };
    case 'recall': {
      const tx = awaitsRecord(evidence, k);
      invariant(tx !== undefined, 'only an executed transaction is recalled');
      return { do: 'recall', k, tx };
    }
    default:
      return assertNever(ladder.rung);
  }
}

function nextOrder(state: NonceState): Pick<NonceSend, 'form' | 'clientOrderIndex'> {
  state.lastForm = 'order';
  return { form: 'order', clientOrderIndex: clientOrderIndexOf(state.evidence.id, state.slice) };
}

function nextSeal(state: NonceState, lacksLots: boolean): Pick<NonceSend, 'form' | 'clientOrderIndex'> {
  state.lastForm = 'seal';
  // The one lot of an order may execute when the market has run away: only a nonce that lacks a lot may risk it.
  if (state.sealForm === 'order' && !lacksLots) state.sealForm = 'cancel';
  return { form: `seal-${state.sealForm}`, clientOrderIndex: clientOrderIndexOf(state.evidence.id, SEAL_SLICE) };
}

/** `accountOrders` takes at most 20 client order indexes (LP §1.4). */
const LOOK_AHEAD = 19;

/** A placement is the only slice of its lane; behind a slice of a ticket there may be more, of another process. */
function lookIndexes(id: OrderId, k: number): ClientOrderIndex[] {
  if (k === 0) return [clientOrderIndexOf(id, 0)];
  const slices = Array.from({ length: Math.min(LOOK_AHEAD, SLICE_MAX - k + 1) }, (_, ahead) => k + ahead);
  return [...slices, SEAL_SLICE].map((slice) => clientOrderIndexOf(id, slice));
}
