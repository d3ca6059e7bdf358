/**
 * The cover machine: makes one ticket execute *at least* a target, exactly once, whatever fails (invariants 1, 3, 5, 8).
 *
 * Sans-I/O: `advance(state, event, now)` changes the state and returns commands; the driver carries them out and feeds the answers
 * back. Any number of machines for one ticket may run anywhere at once: slice k goes out only when slices 1…k−1 are settled and k is
 * not, always at the same nonce, so the exchange lets one of all contenders through. Recovery is this same machine starting at 1.
 *
 * It must never: skip an unsettled slice, count anything that is not settled, send after it has seen a seal.
 */
import { assertNever, invariant } from './assert';
import { addOrder, addTx, awaitsRecord, newEvidence, settlementOf, type Evidence, type Settled } from './evidence';
import { clientOrderIndexOf, laneOf, nonceOf, type ClientOrderIndex, type Nonce } from './ids';
import {
  awaitRecord,
  BLOCKED_MS_MAX,
  BLOCKED_MS_MIN,
  backOff,
  isDead,
  KEY_TRY_MS,
  newLadder,
  onNothing,
  onSent,
  type Ladder,
  type SetBack,
} from './ladder';
import { SEAL_SLICE, SLICE_MAX, SLICES_BEFORE_RENEWAL } from './limits';
import { addLots, lots, maxLots, quote, subLots, ZERO_LOTS, type Lots, type Quote, type Ticks } from './lots';
import { boundTicks, sealTicks } from './price';
import { conclude } from './readings';
import type { NonceFate, OrderRecord, OrderStatus, Read, SendOutcome, TxRecord } from './records';
import { BELOW_MINIMUM, classOfStatus, describeRefusal, type RefusalClass } from './refusals';
import { targetLots, type Ticket } from './ticket';

export type Path = 'fast' | 'durable';

export interface CoverState {
  readonly ticket: Ticket;
  readonly accountIndex: number;
  readonly evidence: Evidence;
  /** Highest cumulative fill of the maker order that anybody told us. */
  fillLots: Lots;
  /** Until when a refused key is tried again without being asked anew. */
  keyUntilMs: number;
  /** Who told us first about the part that is not executed yet. */
  path: Path;
  /** Slice k is at [k − 1]. */
  readonly settled: SettledSlice[];
  executedLots: Lots;
  executedQuote: Quote;
  /** Of slice `settled.length + 1`. */
  ladder: Ladder;
  /** What was last sent for the current slice. */
  sent?: SentSlice | undefined;
  bps: number;
  /** Consecutive slices and refusals without an executed lot, for the back-off. */
  setbacks: number;
  blocked?: BlockedState | undefined;
  sealing: boolean;
  sealForm: SealForm;
  end?: TicketEnd | undefined;
  /** When it was found dead. */
  deadAtMs?: number;
}

/**
 * `sealed`: no slice of the ticket can execute any more. `jumped`: something else took the lane past it. `dead`: the lane's key is
 * refused for good and nothing is booked; it must not be registered again while a process that knew the ticket may wake up.
 */
export type TicketEnd = 'sealed' | 'jumped' | 'dead';

/** How a seal looks; the next one is tried when the exchange refuses one. */
type SealForm = 'order' | 'cancel' | 'renewal';

const NEXT_SEAL_FORM: Readonly<Record<SealForm, SealForm>> = { order: 'cancel', cancel: 'renewal', renewal: 'order' };

export interface SentSlice {
  readonly form: 'trade' | 'seal';
  readonly lots: Lots;
  readonly path: Path;
  readonly atMs: number;
  txHash?: string;
}

export interface SettledSlice extends Settled {
  readonly k: number;
  readonly sent?: SentSlice | undefined;
  readonly atMs: number;
}

export interface BlockedState {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number;
  readonly atMs: number;
}

export type CoverEvent =
  | { readonly type: 'raise'; readonly fillLots: Lots; readonly path: Path }
  /** End the ticket: trade no more, prove what executed. */
  /** `deadAfterMs`: a finding that the lane is dead counts only when it was made later; epoch ms. */
  | { readonly type: 'seal'; readonly deadAfterMs?: number | undefined }
  /** The order's own run wants it done: unlike a notice, that shows that it has not gone on elsewhere. */
  | { readonly type: 'asked' }
  /** The operator wants another try now. */
  | { readonly type: 'retry' }
  | { readonly type: 'sent'; readonly k: number; readonly outcome: SendOutcome }
  | { readonly type: 'order'; readonly record: OrderRecord }
  | { readonly type: 'tx'; readonly tx: TxRecord }
  /** A look or recall is over; what it found came as `order` events before. */
  | { readonly type: 'looked'; readonly k: number }
  | { readonly type: 'traced'; readonly k: number; readonly fate: Read<NonceFate> }
  | { readonly type: 'tick' };

export type CoverCommand =
  | {
      readonly do: 'send';
      readonly k: number;
      /** `seal-renewal` (A only): renews the dead-man's switch at this nonce, which is never refused for a missing order. */
      readonly form: 'trade' | 'seal-order' | 'seal-cancel' | 'seal-renewal';
      readonly nonce: Nonce;
      readonly skipNonce: boolean;
      readonly clientOrderIndex: ClientOrderIndex;
      readonly lots: Lots;
      readonly priceTicks: Ticks;
    }
  | { readonly do: 'look'; readonly k: number; readonly indexes: readonly ClientOrderIndex[] }
  | { readonly do: 'trace'; readonly k: number; readonly nonce: Nonce }
  | { readonly do: 'recall'; readonly k: number; readonly tx: TxRecord }
  | { readonly do: 'alert'; readonly kind: 'foreign-nonce' | 'lane-jumped' | 'lane-dead'; readonly what: string };

export function newCover(ticket: Ticket, accountIndex: number, nowMs: number): CoverState {
  return {
    ticket,
    accountIndex,
    evidence: newEvidence({ id: ticket.id, accountIndex, marketId: ticket.market.market_id }),
    fillLots: ZERO_LOTS,
    keyUntilMs: nowMs,
    path: 'durable',
    settled: [],
    executedLots: ZERO_LOTS,
    executedQuote: quote(0n),
    ladder: newLadder(nowMs),
    bps: ticket.slippageBps,
    setbacks: 0,
    sealing: false,
    sealForm: 'order',
  };
}

/** Lots still to be executed for what is known to be filled. */
export function missingLots(state: CoverState): Lots {
  return maxLots(ZERO_LOTS, subLots(targetLots(state.ticket, state.fillLots), state.executedLots));
}

/** Whether the ticket has executed what `fillLots` asks of it. */
export function isCovered(state: CoverState, fillLots: Lots): boolean {
  return state.executedLots >= targetLots(state.ticket, fillLots);
}

/** When the machine wants a `tick`; undefined while it waits for events only. */
export function wakeAtMs(state: CoverState): number | undefined {
  return isIdle(state) || state.ladder.busy || waitsToBeAsked(state, state.ladder.dueMs)
    ? undefined
    : state.ladder.dueMs;
}

/** The lane's key is refused, and nobody has asked for a while: whoever gave the ticket up may have gone on elsewhere. */
function waitsToBeAsked({ ladder, keyUntilMs }: CoverState, atMs: number): boolean {
  const { keyRefused } = ladder;
  return keyRefused !== undefined && atMs > Math.max(keyUntilMs, keyRefused.sinceMs + KEY_TRY_MS);
}

export function advance(state: CoverState, event: CoverEvent, nowMs: number): CoverCommand[] {
  const commands: CoverCommand[] = [];
  absorb(state, event, nowMs, commands);
  settleAll(state, nowMs, commands);
  const next = nextCommand(state, nowMs);
  if (next) commands.push(next);
  return commands;
}

function absorb(state: CoverState, event: CoverEvent, nowMs: number, commands: CoverCommand[]): void {
  switch (event.type) {
    case 'raise':
      if (event.fillLots <= state.fillLots) return;
      if (missingLots(state) === 0n) state.path = event.path;
      state.fillLots = event.fillLots;
      if (isBelowMinimum(state.blocked)) {
        // The larger amount may pass: it does not sit out the small one's back-off (P-05).
        state.blocked = undefined;
        state.ladder.refusals = 0;
        if (!awaitsFrame(state, nowMs)) state.ladder.dueMs = nowMs;
      }
      return;
    case 'asked':
      state.keyUntilMs = nowMs + KEY_TRY_MS;
      return;
    case 'seal':
      if (state.end === 'dead' && event.deadAfterMs !== undefined && (state.deadAtMs ?? 0) < event.deadAfterMs) {
        // It was found while others may still have traded for it: what the lane shows from here on is final.
        state.end = undefined;
        state.ladder = newLadder(nowMs);
      }
      if (!state.sealing) state.ladder.dueMs = Math.min(state.ladder.dueMs, earliestSealMs(state, nowMs));
      state.sealing = true;
      return;
    case 'retry':
      state.blocked = undefined;
      state.setbacks = 0;
      state.ladder.refusals = 0;
      state.bps = state.ticket.slippageBps;
      if (!awaitsFrame(state, nowMs)) state.ladder.dueMs = nowMs;
      return;
    case 'sent':
      if (event.k === currentSlice(state)) onAnswer(state, event.outcome, nowMs);
      return;
    case 'order':
      addOrder(state.evidence, event.record);
      return;
    case 'tx':
      addTx(state.evidence, event.tx);
      return;
    case 'looked':
      if (event.k === currentSlice(state) && state.ladder.rung !== 'send' && state.ladder.rung !== 'trace')
        climb(state, nowMs);
      return;
    case 'traced':
      onTraced(state, event, nowMs, commands);
      return;
    case 'tick':
      return;
    default:
      assertNever(event);
  }
}

function onAnswer(state: CoverState, outcome: SendOutcome, nowMs: number): void {
  if (state.sent) state.sent.txHash = outcome.txHash;
  const refusal = onSent(state.ladder, outcome, nowMs);
  if (!refusal) return;
  if (state.sent?.form === 'seal') {
    if (refusal.class === 'key') return; // no other form would pass
    // Transient refusals too: an exchange that refuses the cancel of a missing order would do so for ever (LP §11 (10)).
    state.sealForm = NEXT_SEAL_FORM[state.sealForm];
    if (state.sealForm !== 'order' && refusal.class !== 'transient') state.ladder.dueMs = nowMs;
    return;
  }
  setBack(state, refusal, nowMs);
}

function onTraced(
  state: CoverState,
  event: { readonly k: number; readonly fate: Read<NonceFate> },
  nowMs: number,
  commands: CoverCommand[],
): void {
  if (event.k !== currentSlice(state)) return;
  const fate = event.fate.ok ? event.fate.value : undefined;
  if (fate?.kind === 'consumed') addTx(state.evidence, fate.tx);
  const finding = conclude(state.ladder.readings, event.fate, nowMs);
  if (fate?.kind === 'passed' && finding === 'passed' && settlementOf(state.evidence, event.k) === undefined) {
    state.end = 'jumped';
    const nonce = nonceOf(state.ticket.id, event.k);
    commands.push({
      do: 'alert',
      kind: 'lane-jumped',
      what: `nonce ${nonce} was jumped over by ${fate.by.nonce} (${fate.by.hash})`,
    });
    return;
  }
  if (isDead(state.ladder, finding) && settlementOf(state.evidence, event.k) === undefined) {
    state.end = 'dead';
    state.deadAtMs = nowMs;
    const { code, message } = state.ladder.keyRefused ?? {};
    const key = `API key ${laneOf(state.ticket.id)} of account ${state.accountIndex}`;
    const what = `the exchange refuses ${key}: ${message} (${code}); nothing is booked for nonce ${nonceOf(state.ticket.id, event.k)}`;
    commands.push({ do: 'alert', kind: 'lane-dead', what });
    return;
  }
  if (state.ladder.rung === 'trace') climb(state, nowMs);
}

function climb(state: CoverState, nowMs: number): void {
  const tx = awaitsRecord(state.evidence, currentSlice(state));
  if (tx) awaitRecord(state.ladder, tx, nowMs);
  else onNothing(state.ladder, nowMs);
}

function settleAll(state: CoverState, nowMs: number, commands: CoverCommand[]): void {
  while (state.end === undefined) {
    const k = currentSlice(state);
    const settled = settlementOf(state.evidence, k);
    if (!settled) return;
    settle(state, k, settled, nowMs);
    if (settled.kind === 'foreign') {
      commands.push({
        do: 'alert',
        kind: 'foreign-nonce',
        what: `nonce ${nonceOf(state.ticket.id, k)} of our lane was used by ${settled.txHash ?? 'another transaction'}`,
      });
    }
  }
}

function settle(state: CoverState, k: number, settled: Settled, nowMs: number): void {
  const { sent } = state;
  state.settled.push({ ...settled, k, sent, atMs: nowMs });
  state.executedLots = addLots(state.executedLots, settled.executedLots);
  state.executedQuote = quote(state.executedQuote + settled.executedQuote);
  invariant(state.executedLots <= state.ticket.maxLots, 'a ticket never executes more than its maximum');
  state.sent = undefined;
  state.ladder = newLadder(nowMs);
  if (settled.kind === 'seal') {
    state.end = 'sealed';
    state.blocked = undefined;
    return;
  }
  if (settled.executedLots > 0n) {
    state.setbacks = 0;
    state.blocked = undefined;
  }
  if (missingLots(state) > 0n) fallShort(state, settled, nowMs);
  if (k >= SLICES_BEFORE_RENEWAL && missingLots(state) > 0n) state.sealing = true;
}

/** The slice is settled and lots are still missing: why, and when to try the next one. */
function fallShort(state: CoverState, settled: Settled, nowMs: number): void {
  const kind = classOfShortfall(settled);
  if (kind === undefined) return;
  const refusals = state.setbacks;
  const slow = kind === 'blocked' || kind === 'key' || kind === 'invalid';
  const retryAfterMs = slow ? backOff(refusals, BLOCKED_MS_MIN, BLOCKED_MS_MAX) : backOff(refusals, 50, 5_000);
  const code = settled.refusal?.code ?? 0;
  const message = settled.refusal?.message ?? `the exchange ended the order as ${settled.status}`;
  state.ladder.dueMs = nowMs + retryAfterMs;
  state.ladder.refusals = refusals + 1;
  setBack(state, { class: kind, code, message, retryAfterMs }, nowMs, settled.status);
}

function setBack(state: CoverState, refusal: SetBack, nowMs: number, status?: string): void {
  state.setbacks += 1;
  const code = status ?? refusal.code.toString();
  const block = (message: string, retryAfterMs: number): void => {
    state.ladder.dueMs = nowMs + retryAfterMs;
    state.blocked = { code, message, retryAfterMs, atMs: nowMs };
  };
  switch (refusal.class) {
    case 'nonce':
    case 'transient':
      return;
    case 'price':
      if (isTooFar(refusal.code)) {
        // The bound itself is what offends: wider would be refused for ever.
        if (state.bps > 1) {
          state.bps = Math.max(Math.floor(state.bps / 2), 1);
          return;
        }
        block(
          `the exchange takes no price bound this far from the mark price (${refusal.message})`,
          backOff(state.setbacks - 1, BLOCKED_MS_MIN, BLOCKED_MS_MAX),
        );
        return;
      }
      if (widen(state)) return;
      block(
        `no liquidity within ${state.ticket.slippageBpsMax} bps of the maker order's price (${refusal.message})`,
        backOff(state.setbacks - 1, BLOCKED_MS_MIN, BLOCKED_MS_MAX),
      );
      return;
    case 'blocked':
    case 'invalid':
      block(refusal.message, refusal.retryAfterMs);
      return;
    case 'key':
      // The ladder knows when: it reads before it sends again.
      state.blocked = { code, message: refusal.message, retryAfterMs: refusal.retryAfterMs, atMs: nowMs };
      return;
    default:
      assertNever(refusal.class);
  }
}

/** The next bound that is another price, if the ticket allows one; of a cheap coin several steps are the same tick. */
function widen(state: CoverState): boolean {
  const { slippageBpsMax } = state.ticket;
  const before = currentBoundTicks(state);
  while (state.bps < slippageBpsMax) {
    state.bps = Math.min(Math.max(state.bps * 2, 1), slippageBpsMax);
    if (currentBoundTicks(state) !== before) return true;
  }
  return false;
}

function currentBoundTicks({ ticket, bps }: CoverState): Ticks {
  return boundTicks({ side: ticket.side, anchorTicks: ticket.anchorTicks, bps });
}

/** The code alone, or `refused CODE` when the sequencer said so. */
function isBelowMinimum(blocked: BlockedState | undefined): boolean {
  return blocked?.code.split(' ').at(-1) === String(BELOW_MINIMUM);
}

/** Refusals of a price that is too far from the mark price (LP §2.4), not of one at which nobody trades. */
function isTooFar(code: number): boolean {
  return code === 21733 || code === 21734;
}

function classOfShortfall(settled: Settled): RefusalClass | undefined {
  if (settled.kind === 'foreign') return 'transient';
  if (settled.refusal) return describeRefusal(settled.refusal.code).class;
  return classOfStatus(settled.status as OrderStatus);
}

function nextCommand(state: CoverState, nowMs: number): CoverCommand | undefined {
  if (isIdle(state) || state.ladder.busy || nowMs < state.ladder.dueMs || waitsToBeAsked(state, nowMs))
    return undefined;
  const k = currentSlice(state);
  invariant(k <= SLICE_MAX, 'a ticket has at most 126 slices');
  state.ladder.busy = true;
  switch (state.ladder.rung) {
    case 'send':
      return send(state, k, nowMs);
    case 'look':
      return { do: 'look', k, indexes: lookIndexes(state, k) };
    case 'trace':
      state.ladder.readings.askedAtMs = nowMs;
      return { do: 'trace', k, nonce: nonceOf(state.ticket.id, k) };
    case 'recall': {
      const tx = awaitsRecord(state.evidence, k);
      invariant(tx !== undefined, 'only an executed transaction is recalled');
      return { do: 'recall', k, tx };
    }
    default:
      return assertNever(state.ladder.rung);
  }
}

function send(state: CoverState, k: number, nowMs: number): CoverCommand {
  const { ticket } = state;
  state.ladder.sends += 1;
  const common = {
    do: 'send',
    k,
    nonce: nonceOf(ticket.id, k),
    skipNonce: k === 1 && ticket.start === 'opens-lane',
  } as const;
  if (state.sealing) {
    // A seal's one lot may execute when the market has run away: only a ticket that lacks a lot may risk it.
    if (state.sealForm === 'order' && missingLots(state) === 0n) state.sealForm = 'cancel';
    const form = `seal-${state.sealForm}` as const;
    state.sent = { form: 'seal', lots: ZERO_LOTS, path: state.path, atMs: nowMs };
    return {
      ...common,
      form,
      clientOrderIndex: clientOrderIndexOf(ticket.id, SEAL_SLICE),
      lots: lots(1),
      priceTicks: sealTicks({ side: ticket.side, anchorTicks: ticket.anchorTicks, bps: SEAL_DISTANCE_BPS }),
    };
  }
  const amount = missingLots(state);
  invariant(
    amount > 0n && addLots(state.executedLots, amount) <= ticket.maxLots,
    'a slice never exceeds what its ticket still may trade',
  );
  state.sent = { form: 'trade', lots: amount, path: state.path, atMs: nowMs };
  return {
    ...common,
    form: 'trade',
    clientOrderIndex: clientOrderIndexOf(ticket.id, k),
    lots: amount,
    priceTicks: currentBoundTicks(state),
  };
}

/** Far enough not to cross, near enough not to be refused as an accident (LP §2.4 refuses beyond 5 % through the book). */
const SEAL_DISTANCE_BPS = 400;
/** `accountOrders` takes at most 20 client order indexes (LP §1.4). */
const LOOK_AHEAD = 19;

function lookIndexes(state: CoverState, k: number): ClientOrderIndex[] {
  const indexes: ClientOrderIndex[] = [];
  for (let slice = k; slice < k + LOOK_AHEAD && slice <= SLICE_MAX; slice++)
    indexes.push(clientOrderIndexOf(state.ticket.id, slice));
  indexes.push(clientOrderIndexOf(state.ticket.id, SEAL_SLICE));
  return indexes;
}

export function currentSlice(state: CoverState): number {
  return state.settled.length + 1;
}

function isIdle(state: CoverState): boolean {
  if (state.end !== undefined) return true;
  return !state.sealing && missingLots(state) === 0n;
}

/** A trade that was booked a moment ago is given its time before a seal contends for the same nonce. */
function earliestSealMs(state: CoverState, nowMs: number): number {
  return awaitsFrame(state, nowMs) ? state.ladder.dueMs : nowMs;
}

function awaitsFrame(state: CoverState, nowMs: number): boolean {
  return state.ladder.booked && state.ladder.dueMs > nowMs;
}
