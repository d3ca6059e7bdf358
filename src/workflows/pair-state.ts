/**
 * A pair's books: slots, counts, mode. State and rules without any wiring; pair.ts drives it.
 */
import { formatDecimal, parseLots, QUOTE_DECIMALS } from '../domain/lots';
import { laneOf, orderIdOf, parseOrderId, timeOf, type OrderId } from '../domain/ids-and-nonces';
import { ReceivedError } from '../domain/received';
import { changesOf, termsOf, withSetting, type PairChange, type PairSetting } from '../domain/pair-terms';
import { PairMarginState, STEP_FAILED } from './margin-state';
import { targetReached, valueOf } from './pair-target';
import {
  DECIMALS_CHANGED,
  MARKET_CLOSED,
  type BooksRead,
  type BooksState,
  type OrderResult,
  type OrderState,
  type PairCarry,
  type PairInput,
} from '../domain/messages';
import type { PairStatus } from '../domain/pair-status';
import { holdsOf, reasonsOf } from './pair-reasons';
import { orderOf, slotFrom, statusOf, type Slot } from './pair-slot';

export class PairState {
  mode: PairStatus['mode'] = 'running';
  reason = '';
  readonly slots: Slot[];
  readonly counts: PairStatus['counts'];
  /** Orders in a row that could not be placed. */
  failures = 0;
  /** Whether both accounts mirror each other, as last heard; undefined before the first word. */
  books: BooksState | undefined;
  readonly margin: PairMarginState;
  /** Orders in a row that crossed the book and were cancelled by the exchange at once (S-02): a reason to slow down, not to stop. */
  crossings = 0;
  /** This run is about to go on in a new one: it starts no more orders. */
  isRenewing = false;

  /** The last change of the terms. */
  changed: PairChange | undefined;
  /** A's volume since the pair was started, micro-USDC. */
  traded: bigint;

  readonly #spareIds: Map<number, OrderId>;

  constructor(public input: PairInput) {
    const spare = (input.carry?.spare_ids ?? []).flatMap((text) => parseOrderId(text) ?? []);
    this.#spareIds = new Map(spare.map((id) => [laneOf(id), id]));
    this.slots = input.lanes.map((lane) => slotFrom(lane, input.carry));
    this.counts = input.carry
      ? { ...input.carry.counts }
      : { started: 0, filled: 0, unfilled: 0, failed: 0, abandoned: 0 };
    this.books = input.carry?.books;
    this.margin = new PairMarginState(input.carry?.margin);
    this.changed = input.carry?.changed;
    this.traded = BigInt(input.carry?.traded ?? 0);
    const { mode = 'running', reason = '' } = input.carry?.halted ?? {};
    this.mode = mode;
    this.reason = reason;
  }

  /** Whether orders are started at all. One stuck order stops all quoting of the pair, and so does what nobody has looked at yet. */
  get isQuoting(): boolean {
    return holdsOf(this).length === 0;
  }

  /** Whether the slot may take the next step of an unwind: one at a time, and beside nothing but orders that are stuck. */
  mayUnwind(slot: Slot): boolean {
    if (!this.margin.mustUnwind || this.isRenewing || this.books === undefined) return false;
    if (this.mode !== 'running' && this.mode !== 'paused') return false;
    return this.slots.every(
      (other) =>
        other === slot ||
        other.state === 'free' ||
        other.state === 'unproven' ||
        (other.hedge_state === 'stuck' && !other.unwinds),
    );
  }

  /** Whether the slot may start an order now. */
  mayStart(slot: Slot): boolean {
    return this.isQuoting && slot.state === 'free' && this.hasRoom;
  }

  /** A + B, signed, while the accounts do not mirror each other: what grows then is not quoted. */
  get offLots(): string | undefined {
    return this.books?.state === 'off' ? this.books.lots : undefined;
  }

  /** Takes in what the hedger says of the books; unknown leaves all as it is. Answers whether resting quotes may enlarge a position now. */
  compared(read: BooksRead): boolean {
    if (read.state === 'unknown') return false;
    const before = this.offLots;
    this.books = read;
    return this.offLots !== undefined && this.offLots !== before;
  }

  get isStuck(): boolean {
    return this.slots.some((slot) => slot.hedge_state === 'stuck');
  }

  get isIdle(): boolean {
    return this.slots.every((slot) => slot.state !== 'quoting' && slot.state !== 'busy');
  }

  /** Whether no earlier order of a lane can trade any more, whoever started it. */
  get isSealed(): boolean {
    return this.slots.every(({ state, isSealed }) => state === 'free' || (state === 'unproven' && isSealed === true));
  }

  /** Whether a new run may take over: whatever order is left will speak to it. */
  get mayHandOver(): boolean {
    return this.slots.every(({ state, speaks }) => state === 'free' || state === 'unproven' || speaks === true);
  }

  get limitReached(): boolean {
    return this.input.order_limit !== undefined && this.counts.filled >= this.input.order_limit;
  }

  /** With a limit, no more orders are open at once than may still fill. */
  get hasRoom(): boolean {
    const open = this.slots.filter((slot) => slot.state === 'quoting' || slot.state === 'busy').length;
    return this.input.order_limit === undefined || this.counts.filled + open < this.input.order_limit;
  }

  /** What may fill besides the order that `asking` wants to start. Of two that ask at once, the first one has the room. */
  openLotsBeside(asking: Slot): bigint {
    const before = this.slots.indexOf(asking);
    return this.slots.reduce((sum, slot, i) => {
      if (slot.state === 'busy') return sum + (slot.lots ?? 0n);
      return slot.state === 'quoting' && i < before ? sum + BigInt(this.input.lots) : sum;
    }, 0n);
  }

  targetReached(nowMs: number): string | undefined {
    return targetReached(this.input, this.traded, nowMs);
  }

  pause(reason: string): void {
    if (this.mode !== 'running') return;
    this.mode = 'paused';
    this.reason = reason;
  }

  resume(): void {
    this.margin.halted = undefined;
    if (this.mode !== 'paused') return;
    this.mode = 'running';
    this.reason = '';
    this.failures = 0;
  }

  stop(reason: string): void {
    if (this.mode === 'stopped') return;
    this.mode = 'stopping';
    this.reason = reason;
  }

  /** The terms with a change. Throws ReceivedError, and nothing is changed then. */
  after(setting: unknown, nowMs: number): PairInput {
    const next = withSetting(this.input, setting);
    const { target_until: until } = setting as PairSetting;
    if (typeof until === 'string' && !(Date.parse(until) > nowMs))
      throw new ReceivedError(`target.until is past: ${until}`);
    return next;
  }

  /** Other terms from the next quote on; answers what changed. */
  set(setting: PairSetting, nowMs: number): string {
    const next = this.after(setting, nowMs);
    const what = changesOf(this.input, next);
    this.input = next;
    this.changed = { at_ms: nowMs, by: setting.by ?? 'unknown', what };
    return what;
  }

  started(slot: Slot, order: { readonly id: OrderId; readonly lots: bigint; readonly unwinds?: boolean }): void {
    slot.state = 'busy';
    slot.order_id = order.id.toString();
    slot.hedge_state = 'arming';
    slot.lots = order.lots;
    slot.unwinds = order.unwinds === true;
    this.#spoken(slot, order.id);
    delete slot.note;
    delete slot.code;
    this.counts.started += 1;
  }

  /** An order spoke. Messages of orders that this pair no longer waits for change nothing. */
  heard(state: OrderState): Slot | undefined {
    const slot = this.slots.find((s) => s.order_id === state.order_id);
    if (!slot) return undefined;
    slot.hedge_state = state.hedge_state;
    slot.speaks = true;
    const last = parseOrderId(state.last_id);
    if (last !== undefined) this.#spoken(slot, last);
    if (state.done) this.ended(slot, state);
    return slot;
  }

  /** An order of this slot has taken an id: the next ones of its lane, and of the spare lane that it is on, must be later. */
  #spoken(slot: Slot, id: OrderId): void {
    slot.at = laneOf(id);
    if (slot.at !== slot.lane) {
      const known = this.#spareIds.get(slot.at);
      if (known === undefined || id > known) this.#spareIds.set(slot.at, id);
      if (slot.unwinds === true) return; // a step begins there, and says nothing of this lane
    }
    slot.lastId = orderIdOf({ time: timeOf(id), lane: slot.lane });
  }

  /** Of the orders that this pair knows to have been on a spare lane, the latest id. */
  lastOnSpare(lane: number): OrderId | undefined {
    return this.#spareIds.get(lane);
  }

  /** Where a step of an unwind may begin: on none where another order is being hedged. */
  get freeSpareLanes(): number[] {
    return this.input.spare_lanes.filter(
      (lane) => !this.slots.some((slot) => slot.state === 'busy' && slot.at === lane),
    );
  }

  private ended(slot: Slot, state: OrderState): void {
    const wasAsked = slot.quoteEnded === true;
    const { result } = state;
    const isStep = slot.unwinds === true;
    if (isStep && result) this.#stepped(state.order_id, result);
    this.release(slot, 'free');
    if (result) this.traded += valueOf(result.maker);
    if (state.hedge_state === 'abandoned') {
      this.counts.abandoned += 1;
      this.pause(
        `order ${state.order_id} ended with ${result?.exposure ?? 'an unknown amount'} naked: resolve it by hand, then resume`,
      );
      return;
    }
    const status = result?.maker.status;
    if (status !== 'canceled-post-only') this.crossings = 0;
    if (result && Number(result.maker.filled_base_amount) > 0) {
      this.counts.filled += 1;
      this.failures = 0;
    } else if (isStep) {
      this.counts.unfilled += 1;
      slot.note = `a step of the unwind traded nothing: ${result?.reason || (status ?? 'it was cancelled')}`;
      slot.code = STEP_FAILED;
    } else if (result && ((status === 'not-placed' && !wasAsked) || isRejection(status))) {
      this.counts.failed += 1;
      if (result.reason_code !== MARKET_CLOSED) this.failures += 1;
      const why = result.reason === '' ? `the exchange ended it as ${status}` : result.reason;
      slot.note = why;
      slot.code = result.reason_code ?? 'failed';
      if (result.reason_code === DECIMALS_CHANGED) this.pause(why);
      if (this.failures >= this.input.max_consecutive_failures) {
        this.pause(`${this.failures} orders in a row could not be placed, the last one: ${why}`);
      }
    } else {
      this.counts.unfilled += 1;
      this.failures = 0;
      if (status === 'canceled-post-only') this.crossings += 1;
    }
  }

  /** What B could not hedge of a step was traded back on A: another one would cost the same again. */
  #stepped(orderId: string, { maker, closed_base_amount: closed }: OrderResult): void {
    const lotsOf = (amount: string): bigint => parseLots(amount, this.input.size_decimals);
    this.margin.stepped(lotsOf(maker.filled_base_amount) - lotsOf(closed));
    if (lotsOf(closed) > 0n)
      this.margin.halted = `B did not take its part of order ${orderId}, so A traded ${closed} back and no further step is made`;
  }

  /** The order's run is gone without a word (terminated): its lane needs a proof before it is used again. */
  vanished(orderId: string): void {
    const slot = this.slots.find((s) => s.order_id === orderId);
    if (slot) this.release(slot, 'unproven');
  }

  private release(slot: Slot, state: 'free' | 'unproven'): void {
    slot.state = state;
    delete slot.order_id;
    delete slot.hedge_state;
    delete slot.lots;
    delete slot.at;
    delete slot.unwinds;
    delete slot.quoteEnded;
    delete slot.speaks;
    delete slot.isHandedOver;
    delete slot.isSealed;
  }

  get status(): PairStatus {
    return {
      market: this.input.market,
      mode: this.mode,
      reason: this.mode === 'running' ? this.waitsFor : this.reason,
      slots: this.slots.map((slot) => statusOf(slot, reasonsOf(this, slot))),
      counts: this.counts,
      traded_usdc: formatDecimal(this.traded, QUOTE_DECIMALS),
      terms: termsOf(this.input),
      ...(this.margin.status === undefined ? {} : { margin: this.margin.status }),
      ...(this.changed === undefined ? {} : { changed: this.changed }),
    };
  }

  /** Why a running pair does not quote, or not everything. */
  private get waitsFor(): string {
    const [hold] = holdsOf(this);
    if (hold !== undefined) return hold.text;
    const { holdsEnlarging } = this.margin;
    if (holdsEnlarging !== undefined) return `nothing that enlarges a position is quoted: ${holdsEnlarging}`;
    if (this.books?.state !== 'off') return this.reason;
    return `the accounts do not mirror each other (${this.books.what}): nothing that enlarges a position is quoted until they do`;
  }

  get carry(): PairCarry {
    return {
      slots: this.slots.map((slot) => ({
        lane: slot.lane,
        // Without an id the next run proves the lane again.
        ...(slot.lastId === undefined || slot.state === 'unproven' ? {} : { last_id: slot.lastId.toString() }),
        ...(slot.flatUpTo === undefined ? {} : { flat_up_to: slot.flatUpTo.toString() }),
        ...orderOf(slot),
      })),
      ...(this.#spareIds.size === 0 ? {} : { spare_ids: [...this.#spareIds.values()].map(String) }),
      counts: this.counts,
      ...(this.mode === 'paused' || this.mode === 'stopping'
        ? { halted: { mode: this.mode, reason: this.reason } }
        : {}),
      ...(this.traded === 0n ? {} : { traded: this.traded.toString() }),
      ...(this.books === undefined ? {} : { books: this.books }),
      ...(this.margin.carry === undefined ? {} : { margin: this.margin.carry }),
      ...(this.changed === undefined ? {} : { changed: this.changed }),
    };
  }
}

/** Ends of an order without a fill that are ordinary: asked for, the market's doing, or our own hedge's. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set([
  'canceled',
  'canceled-expired',
  'canceled-post-only',
  'canceled-self-trade', // a hedge of ours met it (S-19)
]);

/** The exchange took the order and ended it by itself without a fill: repeating it at once would only repeat that. */
function isRejection(status: OrderResult['maker']['status'] | undefined): boolean {
  return status !== undefined && status.startsWith('canceled') && !ORDINARY_ENDS.has(status);
}
