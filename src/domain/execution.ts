/**
 * The execution machine: makes one ticket execute *at least* a target, exactly once, whatever fails (invariants 1, 3, 5, 8).
 *
 * Sans-I/O: `advance(state, event, now)` changes the state and returns commands; the driver carries them out and feeds the answers
 * back. Any number of machines for one ticket may run anywhere at once: slice k goes out only when slices 1…k−1 are resolved and k is
 * not, always at the same nonce, so the exchange lets one of all contenders through. Recovery is this same machine starting at 1.
 * One nonce after the other is resolved by nonce.ts.
 *
 * It must never: skip an unresolved slice, count anything that is not resolved, send after it has seen a seal.
 */
import { invariant } from './assert';
import { newEvidence, resolutionOf, type Resolved } from './evidence';
import { laneOf, nonceOf } from './ids-and-nonces';
import { KEY_TRY_MS, newLadder } from './doubt-ladder';
import { SLICE_MAX, SLICES_BEFORE_RENEWAL } from './limits';
import { addLots, lots, maxLots, notional, subLots, ZERO_LOTS, type Lots, type Notional, type Ticks } from './lots';
import {
  absorbNonce,
  awaitsFrame,
  nextForNonce,
  startSealing,
  type NonceEvent,
  type NonceFinding,
  type NonceQuestion,
  type NonceSend,
  type NonceState,
} from './nonce';
import { sealTicks } from './price';
import { currentBoundTicks, fallShort, isBelowMinimum, setBack, type Hindered } from './setback';
import { targetLots, type Ticket } from './ticket';

export type Path = 'fast' | 'durable';

export interface ExecutionState extends NonceState, Hindered {
  readonly accountIndex: number;
  /** Highest cumulative fill of the maker order that anybody told us. */
  fillLots: Lots;
  /** Until when a rejected key is tried again without being asked anew. */
  keyUntilMs: number;
  /** Who told us first about the part that is not executed yet. */
  path: Path;
  /** Slice k is at [k − 1]. */
  readonly resolved: ResolvedSlice[];
  executedLots: Lots;
  executedQuote: Notional;
  /** What was last sent for the current slice. */
  sent: SentSlice | undefined;
  end: TicketEnd | undefined;
}

/**
 * `sealed`: no slice of the ticket can execute any more. `jumped`: something else took the lane past it. `dead`: the lane's key is
 * rejected for good and nothing is booked; it must not be registered again while a process that knew the ticket may wake up.
 */
export type TicketEnd = 'sealed' | 'jumped' | 'dead';

export interface SentSlice {
  readonly lots: Lots;
  readonly path: Path;
  txHash?: string;
}

export type ResolvedSlice = Resolved & { readonly k: number; readonly sent: SentSlice | undefined };

export type ExecutionEvent =
  | { readonly type: 'raise'; readonly fillLots: Lots; readonly path: Path }
  /**
   * End the ticket: trade no more, prove what executed. `again`: that the lane was found dead is too long ago to count.
   */
  | { readonly type: 'seal'; readonly again: boolean }
  /** The order's own run wants it done: unlike a notice, that shows that it has not gone on elsewhere. */
  | { readonly type: 'asked' }
  /** The operator wants another try now. */
  | { readonly type: 'retry' }
  | NonceEvent;

export interface SliceSend extends NonceSend {
  readonly skipNonce: boolean;
  readonly lots: Lots;
  readonly priceTicks: Ticks;
}

export interface LaneAlert {
  readonly do: 'alert';
  readonly kind: 'foreign-nonce' | 'lane-jumped' | 'lane-dead';
  readonly what: string;
}

export type ExecutionCommand = SliceSend | NonceQuestion | LaneAlert;

export function newExecution(ticket: Ticket, accountIndex: number, nowMs: number): ExecutionState {
  return {
    ticket,
    accountIndex,
    evidence: newEvidence({ id: ticket.id, accountIndex, marketId: ticket.market.market_id, side: ticket.side }),
    slice: 1,
    ladder: newLadder(nowMs),
    sealing: false,
    sealForm: 'order',
    lastForm: undefined,
    fillLots: ZERO_LOTS,
    keyUntilMs: nowMs,
    path: 'durable',
    resolved: [],
    executedLots: ZERO_LOTS,
    executedQuote: notional(0n),
    sent: undefined,
    bps: ticket.slippageBps,
    setbacks: 0,
    blocked: undefined,
    end: undefined,
  };
}

/** Lots still to be executed for what is known to be filled. */
export function missingLots(state: ExecutionState): Lots {
  return maxLots(ZERO_LOTS, subLots(targetLots(state.ticket, state.fillLots), state.executedLots));
}

/** Whether the ticket has executed what `fillLots` asks of it. */
export function hasReached(state: ExecutionState, fillLots: Lots): boolean {
  return state.executedLots >= targetLots(state.ticket, fillLots);
}

/** When the machine wants a `tick`; undefined while it waits for events only. */
export function wakeAtMs(state: ExecutionState): number | undefined {
  const { busy, dueMs } = state.ladder;
  return isIdle(state) || busy || waitsToBeAsked(state, dueMs) ? undefined : dueMs;
}

function isIdle(state: ExecutionState): boolean {
  return state.end !== undefined || (!state.sealing && missingLots(state) === 0n);
}

/** The lane's key is rejected, and nobody has asked for a while: whoever gave the ticket up may have gone on elsewhere. */
function waitsToBeAsked({ ladder, keyUntilMs }: ExecutionState, atMs: number): boolean {
  const { keyRejected } = ladder;
  return keyRejected !== undefined && atMs > Math.max(keyUntilMs, keyRejected.sinceMs + KEY_TRY_MS);
}

export function advance(state: ExecutionState, event: ExecutionEvent, nowMs: number): ExecutionCommand[] {
  const found = absorb(state, event, nowMs);
  const commands: ExecutionCommand[] = found ? [found] : [];
  commands.push(...resolveAll(state, nowMs));
  const next = nextCommand(state, nowMs);
  if (next) commands.push(next);
  return commands;
}

function absorb(state: ExecutionState, event: ExecutionEvent, nowMs: number): LaneAlert | undefined {
  switch (event.type) {
    case 'raise':
      raise(state, event, nowMs);
      return undefined;
    case 'asked':
      state.keyUntilMs = nowMs + KEY_TRY_MS;
      return undefined;
    case 'seal':
      if (state.end === 'dead' && event.again) {
        // It was found while others may still have traded for it: what the lane shows from here on is final.
        state.end = undefined;
        state.ladder = newLadder(nowMs);
      }
      startSealing(state, nowMs);
      return undefined;
    case 'retry':
      state.blocked = undefined;
      state.setbacks = 0;
      state.bps = state.ticket.slippageBps;
      tryNow(state, nowMs);
      return undefined;
    case 'sent':
      if (event.k === state.slice && state.sent) state.sent.txHash = event.outcome.txHash;
      break;
    case 'order':
    case 'tx':
    case 'looked':
    case 'traced':
    case 'tick':
      break;
  }
  const finding = absorbNonce(state, event, nowMs);
  return finding && onFinding(state, finding, nowMs);
}

function raise(state: ExecutionState, event: ExecutionEvent & { type: 'raise' }, nowMs: number): void {
  if (event.fillLots <= state.fillLots) return;
  if (missingLots(state) === 0n) state.path = event.path;
  state.fillLots = event.fillLots;
  if (!isBelowMinimum(state)) return;
  state.blocked = undefined;
  tryNow(state, nowMs);
}

/** Without sitting out the back-off of rejections. */
function tryNow(state: ExecutionState, nowMs: number): void {
  state.ladder.rejections = 0;
  if (!awaitsFrame(state, nowMs)) state.ladder.dueMs = nowMs;
}

function onFinding(state: ExecutionState, finding: NonceFinding, nowMs: number): LaneAlert | undefined {
  const nonce = nonceOf(state.ticket.id, state.slice);
  switch (finding.kind) {
    case 'rejected':
      setBack(state, finding.rejection, nowMs);
      return undefined;
    case 'passed': {
      state.end = 'jumped';
      const { by } = finding;
      return { do: 'alert', kind: 'lane-jumped', what: `nonce ${nonce} was jumped over by ${by.nonce} (${by.hash})` };
    }
    case 'dead': {
      state.end = 'dead';
      const key = `API key ${laneOf(state.ticket.id)} of account ${state.accountIndex}`;
      const why = `${finding.message} (${finding.code})`;
      const what = `the exchange rejects ${key}: ${why}; nothing is booked for nonce ${nonce}`;
      return { do: 'alert', kind: 'lane-dead', what };
    }
  }
}

function resolveAll(state: ExecutionState, nowMs: number): LaneAlert[] {
  const alerts: LaneAlert[] = [];
  while (state.end === undefined) {
    const nonce = nonceOf(state.ticket.id, state.slice);
    const resolved = resolutionOf(state.evidence, state.slice);
    if (!resolved) break;
    resolve(state, resolved, nowMs);
    if (resolved.kind !== 'foreign') continue;
    const what = `nonce ${nonce} of our lane was used by ${resolved.txHash ?? 'another transaction'}`;
    alerts.push({ do: 'alert', kind: 'foreign-nonce', what });
  }
  return alerts;
}

function resolve(state: ExecutionState, resolved: Resolved, nowMs: number): void {
  const k = state.slice;
  const sinceMs = pausesFromMs(state, resolved, nowMs);
  state.resolved.push({ ...resolved, k, sent: state.sent });
  state.slice += 1;
  state.sent = undefined;
  state.lastForm = undefined;
  state.ladder = newLadder(nowMs);
  state.executedLots = addLots(state.executedLots, resolved.executedLots);
  state.executedQuote = notional(state.executedQuote + resolved.executedQuote);
  invariant(state.executedLots <= state.ticket.maxLots, 'a ticket never executes more than its maximum');
  if (resolved.kind === 'seal') {
    state.end = 'sealed';
    state.blocked = undefined;
    return;
  }
  if (resolved.executedLots > 0n) {
    state.setbacks = 0;
    state.blocked = undefined;
  }
  if (missingLots(state) === 0n) return;
  fallShort(state, resolved, sinceMs);
  if (k >= SLICES_BEFORE_RENEWAL) state.sealing = true;
}

/**
 * What an earlier process, or another one, sent is over since the exchange settled it: a pause after it does not begin again when it is met.
 * What we sent ourselves counts from now: should the two clocks differ, nothing is sent without a pause.
 */
function pausesFromMs({ ladder }: ExecutionState, { settledAtMs }: Resolved, nowMs: number): number {
  return ladder.standing > 0 ? nowMs : Math.min(settledAtMs ?? nowMs, nowMs);
}

function nextCommand(state: ExecutionState, nowMs: number): SliceSend | NonceQuestion | undefined {
  if (isIdle(state) || waitsToBeAsked(state, nowMs)) return undefined;
  invariant(state.slice <= SLICE_MAX, 'a ticket has at most 126 slices');
  const next = nextForNonce(state, missingLots(state) > 0n, nowMs);
  return next?.do === 'send' ? sliceOf(state, next) : next;
}

function sliceOf(state: ExecutionState, send: NonceSend): SliceSend {
  const { ticket, path } = state;
  const skipNonce = send.k === 1 && ticket.start === 'opens-lane';
  if (send.form !== 'order') {
    state.sent = { lots: ZERO_LOTS, path };
    const priceTicks = sealTicks({ side: ticket.side, anchorTicks: ticket.anchorTicks, bps: SEAL_DISTANCE_BPS });
    return { ...send, skipNonce, lots: lots(1), priceTicks };
  }
  const amount = missingLots(state);
  invariant(
    amount > 0n && addLots(state.executedLots, amount) <= ticket.maxLots,
    'a slice never exceeds what its ticket still may trade',
  );
  state.sent = { lots: amount, path };
  return { ...send, skipNonce, lots: amount, priceTicks: currentBoundTicks(state) };
}

/** Far enough not to cross, near enough not to be rejected as an accident (LP §2.4 rejects beyond 5 % through the book). */
const SEAL_DISTANCE_BPS = 400;
