/** A pair's orders: asking where to quote, starting one, hearing of it, looking after one that a run before had started. */
import {
  condition,
  log,
  ParentClosePolicy,
  sleep,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { laneOf, nextOrderId, nextGuestId, orderWorkflowId, parseOrderId } from '../domain/ids-and-nonces';
import { formatDecimal } from '../domain/lots';
import {
  DECIMALS_CHANGED,
  type OrderInput,
  type OrderResult,
  type OrderState,
  type PairInput,
} from '../domain/messages';
import type { QuoteResult } from '../domain/quote-messages';
import { quoteTermsOf } from '../domain/pair-terms';
import { orderStateFrom } from '../domain/received';
import { makerOrder } from './maker-order';
import { EXPOSURE, HEDGE_STATE, MARKET, SIDE } from './messages';
import type { PairRun } from './pair-run';
import type { Slot } from './pair-slot';
import type { PairState } from './pair-state';
import { tellHalted } from './unwind-words';

/** After an order that could not be placed, times the failures in a row. */
const FAILURE_PAUSE_MS = 500;
/** Post-only orders that crossed slow the next one down to this many pauses. */
const CROSSINGS_MAX = 10;
/** Between two looks at an order of the run before. */
const LOOK_MS = 15_000;
/** At least, between two asks for a quote of one slot, whatever the answer says: each is a dozen events. */
const QUOTE_PAUSE_MS = 250;

/** Asks where to quote, then starts the order. */
export async function quote(run: PairRun, slot: Slot): Promise<void> {
  const { state, input, accounts, maker } = run;
  slot.state = 'quoting';
  try {
    const pauses = state.failures + Math.min(state.crossings, CROSSINGS_MAX);
    if (pauses > 0) await sleep(FAILURE_PAUSE_MS * pauses);
    const off = state.offLots;
    const noEnlarging = state.margin.holdsEnlarging;
    const asked = { off, input, mayEnlarge: noEnlarging === undefined };
    const answer = await maker.quote.executeWithOptions(
      { summary: `where to quote ${input.market} on lane ${slot.lane}?` },
      [
        {
          accounts,
          lane: slot.lane,
          market: input.market,
          strategy: input.strategy,
          depth: input.depth,
          lots: input.lots,
          size_decimals: input.size_decimals,
          max_position_lots: input.max_position_lots,
          open_lots: state.openLotsBeside(slot).toString(),
          ...(off === undefined ? {} : { off_lots: off }),
          ...(noEnlarging === undefined ? {} : { no_enlarging: noEnlarging }),
          ...quoteTermsOf(input),
        },
      ],
    );
    if (!answer.quote) {
      slot.note = answer.message;
      slot.code = answer.code;
      if (answer.code === DECIMALS_CHANGED) return pauseBy(run, answer.message);
      await condition(() => !isAsAsked(state, asked), Math.max(answer.retry_after_ms, QUOTE_PAUSE_MS));
      return;
    }
    if (!isAsAsked(state, asked)) return;
    await startOrder(run, slot, answer);
    if (!isAsAsked(state, asked)) run.endQuotes();
  } finally {
    if (slot.state === 'quoting') slot.state = 'free';
  }
}

interface Asked {
  readonly off: string | undefined;
  readonly input: PairInput;
  readonly mayEnlarge: boolean;
}

/** Still quoting, with the books, the margin and under the terms for which a quote was asked. */
function isAsAsked(state: PairState, { off, input, mayEnlarge }: Asked): boolean {
  const isSame = state.offLots === off && state.input === input;
  return state.isQuoting && isSame && (state.margin.holdsEnlarging === undefined) === mayEnlarge;
}

/** What the pair waits for does not come by itself. */
function pauseBy(run: PairRun, reason: string): void {
  if (run.state.mode !== 'running') return;
  run.pause(reason);
  tellStopped(run, reason, pausedNext(run));
}

/** `unwinds`: a step of an unwind. */
export async function startOrder(
  run: PairRun,
  slot: Slot,
  answer: QuoteResult & { quote: true },
  unwinds = false,
): Promise<void> {
  const { state, input } = run;
  const { lots = input.lots, lane = slot.lane } = answer;
  const epochMs = Date.now();
  const id =
    lane === slot.lane
      ? nextOrderId({ epochMs, lane, last: slot.lastId })
      : nextGuestId({ epochMs, lane, last: state.lastOnSpare(lane), owners: input.lanes });
  const order: OrderInput = {
    order_id: id.toString(),
    maker_account: input.maker_account,
    hedge_account: input.hedge_account,
    market: answer.market,
    side: answer.side,
    lots,
    price_ticks: answer.price_ticks,
    time_out_ms: Math.min(input.time_out_ms, answer.rest_ms_max ?? Infinity),
    expiry_ms: input.expiry_ms,
    policy: input.policy,
    pair_workflow_id: workflowInfo().workflowId,
    spare_lanes: input.spare_lanes.filter((spare) => spare !== lane),
    ...(unwinds ? { unwind: true } : {}),
  };
  const size = formatDecimal(BigInt(lots), answer.market.size_decimals);
  const price = formatDecimal(BigInt(answer.price_ticks), answer.market.price_decimals);
  // Before the start is confirmed: a short order can speak its last word in the very task that brings the confirmation.
  state.started(slot, { id, lots: BigInt(lots), unwinds });
  const child = await startChild(makerOrder, {
    workflowId: orderWorkflowId(input.maker_account, id),
    args: [order],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    workflowTaskTimeout: '2s',
    staticSummary: `${answer.side.toUpperCase()} ${size} ${input.market} @ ${price}`,
    typedSearchAttributes: [
      { key: MARKET, value: input.market },
      { key: SIDE, value: answer.side },
      { key: HEDGE_STATE, value: 'arming' },
      { key: EXPOSURE, value: 0 },
    ],
  }).catch((error: unknown) => {
    state.vanished(id.toString());
    throw error;
  });
  void child.result().then(
    (result) => heard(run, endOf(result)),
    // Cancelled, which it has said by signal before, or terminated without a word.
    () => {
      state.vanished(id.toString());
      run.changed();
    },
  );
}

/** What an order would say of its end. */
function endOf(result: OrderResult): OrderState {
  const { order_id, last_id, hedge_state } = result;
  return { order_id, last_id, hedge_state, exposure_lots: '0', done: true, result };
}

/** An order spoke: by signal when it is in trouble and ever after, else by its result. */
export function heard(run: PairRun, order: unknown): void {
  const { state } = run;
  try {
    const { isStuck: wasStuck, mode: before } = state;
    const wasHalted = state.margin.halted !== undefined;
    const spoken = orderStateFrom(order);
    state.heard(spoken);
    if (state.isStuck && !wasStuck) {
      run.endQuotes();
      if (before === 'running') tellStopped(run, `order ${spoken.order_id} is stuck`, STUCK_NEXT);
    }
    if (state.mode === 'paused' && before === 'running') tellStopped(run, state.reason, pausedNext(run));
    if (state.margin.halted !== undefined && !wasHalted) tellHalted(run, state.margin.halted);
    if (spoken.result?.reason_code === DECIMALS_CHANGED) run.endQuotes();
  } catch (error) {
    log.error('an order state was rejected and changed nothing', { order, error: String(error) });
  }
  run.changed();
}

const STUCK_NEXT = 'It quotes again by itself once the order is hedged or closed: see `hedge-stuck` about it.';
const pausedNext = ({ input: { market } }: PairRun): string =>
  `Look at \`counterleg pair status ${market}\` and remove the reason, then \`counterleg pair resume ${market}\`.`;

/** A pair that stopped quoting by itself says so. */
export function tellStopped(run: PairRun, reason: string, next: string): void {
  run.tell('quoting', `the pair ${run.input.market} has stopped quoting: ${reason}`, next);
}

/**
 * An order of the run before was in trouble when that run ended, and says its end by signal. One that is terminated says nothing: it is
 * found here.
 */
export async function lookAfter(run: PairRun, slot: Slot): Promise<void> {
  const { state, accounts, hedger } = run;
  const { order_id } = slot;
  const isOver = (): boolean => slot.order_id !== order_id || (state.isRenewing && !run.flattening);
  if ((await condition(isOver, LOOK_MS)) || order_id === undefined) return;
  const id = parseOrderId(order_id);
  const lane = id === undefined ? slot.lane : laneOf(id); // a step of an unwind may be on a spare one
  const summary = `does order ${order_id} of lane ${lane} still run?`;
  const { running, newest } = await hedger.laneHistory.executeWithOptions({ summary }, [{ accounts, lane }]);
  // Only the list's own word that it ended counts: an order that is not listed yet may be running.
  if (running === undefined && newest?.order_id === order_id) state.vanished(order_id);
}
