/**
 * One nonce of a lane in doubt: when to send, when to look, how long to wait in between.
 *
 * The ladder never concludes anything; evidence does (evidence.ts). Sending the same nonce again is probe and cure in one: at most
 * one transaction per (lane, nonce) executes, so a repeat either lands because the first never did, or is rejected because it did.
 *
 *   send ──accepted──▶ wait for the frame ──silence──▶ send again …
 *     ├──nonce taken──▶ look at the order ──nothing──▶ look at the nonce ──nothing──▶ back off, send again
 *     ├──rejected──────▶ back off by class, send again
 *     ├──key rejected──▶ look at the nonce ──nothing──▶ back off, send again
 *     └──unknown──────▶ send again
 */
import { assertNever } from './assert';
import { AGREED_MS, newReadings, type Finding, type Readings } from './readings';
import type { SendOutcome, TxRecord } from './records';
import { describeRejection, findRejection, type RejectionClass } from './rejections';

/** `recall`: the record of an old order is made from its transaction and its trades. */
export type Rung = 'send' | 'look' | 'trace' | 'recall';

export interface Ladder {
  rung: Rung;
  /** Epoch ms of the driver's clock at which the rung is due. */
  dueMs: number;
  /** A request of this rung is on its way: nothing else is started. */
  busy: boolean;
  /** The last send was booked: its frame is awaited until `dueMs`. */
  booked: boolean;
  /** Sends of ours that were not rejected: one of them may have consumed the nonce. */
  standing: number;
  /** Rounds without a conclusion, for the back-off. */
  round: number;
  /** Consecutive rejections of the classes that need a human or the market to change. */
  rejections: number;
  readonly readings: Readings;
  /** The exchange rejects the lane's key, or with a code that nobody lists, and has since then answered no send in any other way. */
  keyRejected: { readonly sinceMs: number; readonly code: number; readonly message: string } | undefined;
}

/** Frames follow execution by 30…70 ms (LP §6.4); four times that is silence. */
const SILENCE_MS = 300;
/** A predicted execution further away than this is a clock that disagrees with ours (S-40), not a slow exchange. */
const PREDICTION_MS_MAX = 2_000;
const ROUND_MS_MIN = 20;
const ROUND_MS_MAX = 5_000;
const TRANSIENT_MS_MIN = 50;
/**
 * How long a lane whose key is rejected is tried after somebody asked for it. Bounded, so that nobody still tries a ticket that its order
 * has given up: the key may come back, and the order has gone on elsewhere by then (`deadAfterMs` in order-tickets.ts).
 */
export const KEY_TRY_MS = 45_000;
/** Between two tries: it is over within a minute, one way or the other, and whoever asks is to hear of it soon. */
const KEY_PAUSE_MS_MAX = 8_000;
/** Without quota one transaction passes in so long (LP §6.5): asking sooner changes nothing. */
const FREE_SLOT_MS = 15_000;
export const BLOCKED_MS_MIN = 1_000;
export const BLOCKED_MS_MAX = 30_000;

export function newLadder(nowMs: number): Ladder {
  return {
    rung: 'send',
    dueMs: nowMs,
    busy: false,
    booked: false,
    standing: 0,
    round: 0,
    rejections: 0,
    readings: newReadings(),
    keyRejected: undefined,
  };
}

export interface SetBack {
  readonly class: RejectionClass;
  readonly code: number;
  readonly message: string;
  readonly retryAfterMs: number;
}

/** Takes the answer of a send; returns the rejection that the caller must act on, if it is one. */
export function onSent(ladder: Ladder, outcome: SendOutcome, nowMs: number): SetBack | undefined {
  ladder.busy = false;
  ladder.booked = outcome.kind === 'accepted';
  if (outcome.kind !== 'rejected') ladder.keyRejected = undefined; // something may be booked from here on
  switch (outcome.kind) {
    case 'accepted': {
      const predictedMs = Math.min(Math.max(outcome.predictedExecutionMs - nowMs, 0), PREDICTION_MS_MAX);
      ladder.dueMs = nowMs + predictedMs + SILENCE_MS + backOff(ladder.round, ROUND_MS_MIN, ROUND_MS_MAX);
      ladder.rung = ladder.round > 0 ? 'look' : 'send';
      ladder.round += 1;
      ladder.rejections = 0;
      return undefined;
    }
    case 'unknown':
      ladder.rung = ladder.round > 1 ? 'look' : 'send';
      ladder.dueMs = nowMs + backOff(ladder.round, ROUND_MS_MIN, ROUND_MS_MAX);
      ladder.round += 1;
      return undefined;
    case 'rejected':
      return onRejected(ladder, outcome, nowMs);
    default:
      return assertNever(outcome);
  }
}

function onRejected(ladder: Ladder, outcome: SendOutcome & { kind: 'rejected' }, nowMs: number): SetBack | undefined {
  ladder.standing -= 1;
  const kind = describeRejection(outcome.code).class;
  // A code that nobody lists may be said of everything on this lane, and is then handled as a rejected key is.
  const handledAs: RejectionClass = findRejection(outcome.code) === undefined ? 'key' : kind;
  const rejection = (retryAfterMs: number): SetBack => {
    ladder.rung = 'send';
    ladder.dueMs = nowMs + retryAfterMs;
    ladder.rejections += 1;
    return { class: kind, code: outcome.code, message: outcome.message, retryAfterMs };
  };
  if (handledAs !== 'key') ladder.keyRejected = undefined;
  switch (handledAs) {
    case 'nonce':
      ladder.rung = 'look';
      ladder.dueMs = nowMs;
      return undefined;
    case 'transient':
      return rejection(backOff(ladder.rejections, TRANSIENT_MS_MIN, ROUND_MS_MAX));
    case 'quota':
      return rejection(Math.max(FREE_SLOT_MS, outcome.retryAfterMs ?? 0));
    case 'price':
      return rejection(backOff(ladder.rejections, TRANSIENT_MS_MIN, BLOCKED_MS_MAX));
    case 'blocked':
    case 'invalid':
      return rejection(backOff(ladder.rejections, BLOCKED_MS_MIN, BLOCKED_MS_MAX));
    case 'key': {
      const { code, message } = outcome;
      ladder.keyRejected ??= { sinceMs: nowMs, code, message };
      const setBack = rejection(backOff(ladder.rejections, BLOCKED_MS_MIN, KEY_PAUSE_MS_MAX));
      // Whether anything was ever booked for the nonce: the next send waits for its time after that.
      ladder.rung = 'trace';
      ladder.dueMs = nowMs;
      return setBack;
    }
    default:
      return assertNever(handledAs);
  }
}

/** The look or trace came back and the evidence still does not resolve it: climb on. */
export function onNothing(ladder: Ladder, nowMs: number): void {
  ladder.busy = false;
  if (ladder.rung === 'look') {
    ladder.rung = 'trace';
    ladder.dueMs = nowMs;
    return;
  }
  ladder.rung = 'send';
  ladder.dueMs =
    nowMs + (ladder.keyRejected ? keyPauseMs(ladder, nowMs) : backOff(ladder.round, ROUND_MS_MIN, ROUND_MS_MAX));
  ladder.round += 1;
}

/** Far longer than any list lags (LP §9): what no list of orders shows by then, it will not show any more. */
const OLD_MS = 10 * 60_000;

/**
 * The nonce is consumed, but the record that has the amount was not found, and no send can bring it: it is looked for again. An order
 * so old that the lists may not reach back to it is recalled.
 */
export function awaitRecord(ladder: Ladder, tx: TxRecord, nowMs: number): void {
  const from = ladder.rung;
  onNothing(ladder, nowMs);
  if (ladder.rung !== 'send') return;
  const isOld = tx.executedAtMs > 0 && nowMs - tx.executedAtMs >= OLD_MS;
  ladder.rung = isOld && from === 'trace' ? 'recall' : 'look';
}

/** As after any rejection that lasts, but not beyond the moment from which a further reading may be conclusive. */
function keyPauseMs({ rejections, readings: { agreed } }: Ladder, nowMs: number): number {
  const pauseMs = backOff(rejections - 1, BLOCKED_MS_MIN, KEY_PAUSE_MS_MAX);
  const conclusiveInMs = agreed === undefined ? pauseMs : agreed.sinceMs + AGREED_MS - nowMs;
  return conclusiveInMs > 0 ? Math.max(Math.min(pauseMs, conclusiveInMs), BLOCKED_MS_MIN) : pauseMs;
}

/**
 * Whether the lane is dead to this nonce: its key is rejected, and `finding` says that nothing of ours was ever executed there. Nothing
 * can be booked any more, and what might have been before the rejection has had its time to show.
 */
export function isDead({ keyRejected, readings }: Ladder, finding: Finding | undefined): boolean {
  return finding !== undefined && keyRejected !== undefined && readings.askedAtMs - keyRejected.sinceMs >= AGREED_MS;
}

export function backOff(attempt: number, firstMs: number, mostMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(attempt, 20), mostMs);
}
