/**
 * One market on two accounts: runs its slots, one maker order each, until it is stopped.
 *
 * Orders are children that outlive it (ABANDON); it acts on their `orderState` signals, because a cancelled child yields no result, and
 * on the results that carry a `last_id`: those orders send no signal at their end.
 * A slot is used only after its lane is proved free: no earlier order of it open on A, running, or naked (P-19).
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
  type ExternalWorkflowHandle,
} from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import { nextOrderId, orderWorkflowId } from '../domain/ids';
import { formatDecimal } from '../domain/lots';
import {
  makerQueue,
  ordersQueue,
  type Accounts,
  type BooksRead,
  type LaneHistory,
  type OrderInput,
  type PairInput,
  type PairStatus,
  type QuoteResult,
} from '../domain/messages';
import { booksStateFrom, orderStateFrom, pairInputFrom } from '../domain/received';
import { flatten } from './flatten';
import { makerOrder } from './maker-order';
import { refusalOf, REFUSED_PAUSE_MS } from './refused';
import { orRefuse } from './start';
import {
  booksStateSignal,
  endQuoteSignal,
  EXPOSURE,
  flattenUpdate,
  HEDGE_STATE,
  MARKET,
  orderStateSignal,
  pairQuery,
  pauseUpdate,
  resumeUpdate,
  SIDE,
  stopUpdate,
  tellEndSignal,
} from './messages';
import { PairState, type Slot } from './pair-state';

const retry = { initialInterval: '100ms', maximumInterval: '2s' } as const;

/** Who carries out a pair's steps: the processes of its own two accounts. */
function stepsFor({ maker_account, hedge_account }: PairInput) {
  const accounts: Accounts = { maker: maker_account, hedge: hedge_account };
  return {
    accounts,
    maker: proxyActivities<Pick<MakerActivities, 'quote' | 'laneOrders' | 'cancelMaker'>>({
      startToCloseTimeout: '10s',
      retry,
      taskQueue: makerQueue(accounts.maker),
    }),
    hedger: proxyActivities<Pick<HedgeActivities, 'laneHistory' | 'proveHedged' | 'alert' | 'books'>>({
      startToCloseTimeout: '60s',
      retry,
      taskQueue: ordersQueue(accounts.hedge),
    }),
  };
}

/** Between two attempts to prove a lane. */
const PROOF_PAUSE_MS = 2_000;
/** After an order that could not be placed, times the failures in a row. */
const FAILURE_PAUSE_MS = 500;
/** Post-only orders that crossed slow the next one down to this many pauses. */
const CROSSINGS_MAX = 10;
/** Between two looks at the orders that a run took over from the one before: they are no children of its own. */
const CARRIED_LOOK_MS = 15_000;
/** At least, between two asks for a quote of one slot, whatever the answer says: each is a dozen events. */
const QUOTE_PAUSE_MS = 250;
/** Between two asks whether the books are even, while nobody knows. */
const BOOKS_PAUSE_MS_MIN = 1_000;
const BOOKS_PAUSE_MS_MAX = 15_000;
/** The auditor says every minute that they are off. Silent for longer than this, it is asked. */
const BOOKS_ASK_MS = 180_000;

interface Steps {
  /** Looks again at what there is to do. */
  readonly changed: () => void;
  /** Ends all quotes of the pair. */
  readonly endAll: () => void;
  /** An order spoke. */
  readonly heard: (order: unknown) => void;
}

export async function pair(input: PairInput): Promise<PairStatus> {
  const state = orRefuse(() => new PairState(pairInputFrom(input)));
  let changes = 0;
  let flattening: Promise<string> | undefined;
  const changed = (): void => {
    changes += 1;
  };
  /** Words under way to orders and operators: a run that ends before they are delivered takes them back. */
  let sending = 0;
  const send = (word: Promise<void>): void => {
    sending += 1;
    void word.finally(() => {
      sending -= 1;
      changed();
    });
  };
  const endAll = (): void => endQuotes(state).forEach(send);
  const stop = (reason: string): void => {
    state.stop(reason);
    endAll();
    changed();
  };
  setHandler(pairQuery, () => state.status);
  const heard = (order: unknown): void => {
    try {
      const { isStuck: wasStuck, mode: before } = state;
      const spoken = orderStateFrom(order);
      state.heard(spoken);
      if (state.isStuck && !wasStuck) {
        endAll();
        if (before === 'running') send(tellStopped(input, `order ${spoken.order_id} is stuck`, STUCK_NEXT));
      }
      if (state.mode === 'paused' && before === 'running') send(tellStopped(input, state.reason, PAUSED_NEXT));
    } catch (error) {
      log.error('an order state was refused and changed nothing', { order, error: String(error) });
    }
    changed();
  };
  setHandler(orderStateSignal, heard);
  const books = new BooksWatch(state, { changed, endAll });
  setHandler(booksStateSignal, (said) => books.heard(said));
  setDefaultSignalHandler((signal) => log.warn('a signal of unknown name was ignored', { signal }));
  setHandler(pauseUpdate, () => {
    state.pause('paused by the operator');
    endAll();
    changed();
    return 'paused: quotes are cancelled, hedges go on';
  });
  setHandler(
    resumeUpdate,
    () => {
      state.resume();
      changed();
      return `the pair is ${state.mode}`;
    },
    {
      validator: () => {
        if (flattening)
          throw new Error('a flatten is under way: new orders would trade against it; resume when it has answered');
      },
    },
  );
  setHandler(stopUpdate, () => {
    stop('stopped by the operator');
    return 'stopping: quotes are cancelled, hedges finish';
  });
  setHandler(flattenUpdate, () => {
    state.pause('flattened by the operator');
    endAll();
    changed();
    flattening ??= CancellationScope.nonCancellable(() => flattenAll(input, state)).finally(() => {
      flattening = undefined;
      changed();
    });
    return flattening;
  });
  CancellationScope.current().cancelRequested.catch(() => stop('cancelled'));

  return CancellationScope.nonCancellable(async () => {
    const running = new Set<Slot>();
    const run = (slot: Slot, work: () => Promise<void>): void => {
      running.add(slot);
      void work()
        .catch(async (error: unknown) => {
          const refusal = refusalOf(error);
          slot.note = refusal ?? String(error);
          log.error('a slot failed and is tried again', { lane: slot.lane, error: slot.note });
          await sleep(refusal === undefined ? PROOF_PAUSE_MS : REFUSED_PAUSE_MS);
        })
        .finally(() => {
          running.delete(slot);
          changed();
        });
    };
    void watchCarried(state, changed);
    void books.watch();
    for (;;) {
      const seen = changes;
      if (state.limitReached && state.mode === 'running') stop('the order limit is reached');
      const renew = mustRenew(input);
      for (const slot of state.slots) {
        if (running.has(slot) || renew) continue;
        if (slot.state === 'unproven' && state.mode !== 'stopping') run(slot, () => prove(input, slot));
        else if (state.mayStart(slot)) run(slot, () => quote(input, state, slot, { changed, endAll, heard }));
      }
      setCurrentDetails(detailsOf(state.status));
      const quiet = running.size === 0 && flattening === undefined;
      if (quiet && sending === 0 && state.isIdle && state.mode === 'stopping') break;
      // A stopping pair ends here instead: the next run would not know that it is to stop.
      const mayRenew = quiet && renew && state.mode !== 'stopping';
      if (mayRenew && sending === 0 && (state.isIdle || tellNextRun(state, changed))) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof pair>({ ...input, carry: state.carry });
      }
      await condition(() => changes !== seen);
    }
    state.mode = 'stopped';
    await condition(allHandlersFinished);
    return state.status;
  });
}

/**
 * Whether both accounts mirror each other. What the auditor signals is a hint (invariant 7): that they are off counts at once, because it
 * is the safe side; that they are even only makes the pair ask, and so does silence. Neither a lost signal nor a made-up one can stop a
 * pair for good, or make it quote while the hedger knows better; a hedger that does not know leaves it as it is.
 */
class BooksWatch {
  #wakes = 0;
  #mustAsk = true;

  constructor(
    private readonly state: PairState,
    private readonly pair: Pick<Steps, 'changed' | 'endAll'>,
  ) {
    this.#mustAsk = state.books === undefined;
  }

  heard(said: unknown): void {
    try {
      const books = booksStateFrom(said);
      // What is said again and again postpones no question: only the hedger's own answer does.
      if (books.state !== this.state.books?.state) this.#wakes += 1;
      if (books.state === 'off') this.#take(books);
      else if (this.state.offLots !== undefined) this.#mustAsk = true;
    } catch (error) {
      log.error('a state of the books was refused and changed nothing', { said, error: String(error) });
    }
  }

  async watch(): Promise<void> {
    const { accounts, hedger } = stepsFor(this.state.input);
    const { market, books_ask_ms: askMs = BOOKS_ASK_MS } = this.state.input;
    let pauseMs = BOOKS_PAUSE_MS_MIN;
    for (;;) {
      await condition(() => this.#mustAsk || this.state.books?.state !== 'even');
      if (!this.#mustAsk) {
        const wakes = this.#wakes;
        if (!(await condition(() => this.#wakes !== wakes, askMs))) this.#mustAsk = true;
        continue;
      }
      this.#mustAsk = false;
      const seen = this.#wakes;
      const summary = `do both accounts mirror each other in ${market}?`;
      const read = await hedger.books.executeWithOptions({ summary }, [{ accounts, market }]).catch(unknownBooks);
      // Something was said meanwhile: the answer may be older than that.
      if (this.#wakes !== seen && read.state === 'even') this.#mustAsk = true;
      else this.#take(read);
      if (read.state !== 'unknown') {
        pauseMs = BOOKS_PAUSE_MS_MIN;
        continue;
      }
      await sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, BOOKS_PAUSE_MS_MAX);
      this.#mustAsk = true;
    }
  }

  #take(read: BooksRead): void {
    if (this.state.compared(read)) this.pair.endAll();
    this.pair.changed();
  }
}

/** Refused by a process of other accounts, for one: nothing is known then. */
function unknownBooks(error: unknown): BooksRead {
  log.error('whether both accounts mirror each other could not be asked', { error: String(error) });
  return { state: 'unknown' };
}

const STUCK_NEXT = 'It quotes again by itself once the order is hedged or closed: see `hedge-stuck` about it.';
const PAUSED_NEXT = 'Look at `counterleg pair status` and remove the reason, then `counterleg pair resume`.';

/** A pair that stopped quoting by itself says so. */
function tellStopped(input: PairInput, reason: string, next: string): Promise<void> {
  const { market } = input;
  const what = `the pair ${market} has stopped quoting: ${reason}`;
  return stepsFor(input)
    .hedger.alert.executeWithOptions({ summary: `tell that the pair has stopped quoting` }, [
      { kind: 'quoting', market, what, next },
    ])
    .catch((error: unknown) =>
      log.error('nobody could be told that the pair has stopped quoting', { error: String(error) }),
    );
}

/**
 * Orders that were open when the run before this one ended speak to this run as they did to that; one that is gone without a word
 * (terminated) is found here.
 */
async function watchCarried(state: PairState, changed: () => void): Promise<void> {
  const { accounts, hedger } = stepsFor(state.input);
  const open = (): Slot[] => state.slots.filter((slot) => slot.carried === true);
  while (open().length > 0) {
    await sleep(CARRIED_LOOK_MS);
    for (const slot of open()) {
      const { lane, order_id } = slot;
      if (order_id === undefined) continue;
      const summary = `does order ${order_id} of lane ${lane} still run?`;
      const { running, newest } = await hedger.laneHistory.executeWithOptions({ summary }, [{ accounts, lane }]);
      // Only the list's own word that it ended counts: an order that is not listed yet may be running.
      if (running !== undefined || slot.order_id !== order_id || newest?.order_id !== order_id) continue;
      state.vanished(order_id);
      changed();
    }
  }
}

/**
 * Whether every open order tells its end by signal: its result would reach this run only, which is about to end. Asks those that do
 * not yet. One that is gone before it hears that has ended: its result is on the way to this run.
 */
function tellNextRun(state: PairState, changed: () => void): boolean {
  const open = state.slots.filter((slot) => slot.order_id !== undefined && slot.carried !== true);
  for (const slot of open) {
    const { order_id, tellsEnd } = slot;
    if (order_id === undefined || tellsEnd !== undefined) continue;
    slot.tellsEnd = 'asked';
    const { workflowId, order } = orderOf(state, order_id);
    void order.signal(tellEndSignal).then(
      () => {
        if (slot.order_id === order_id) slot.tellsEnd = 'heard';
        changed();
      },
      (error: unknown) => log.info('an order was gone before it was asked', { workflowId, error: String(error) }),
    );
  }
  return open.every(({ tellsEnd }) => tellsEnd === 'heard');
}

/** The engine suggests it near 4096 events; an input may ask for it earlier. */
function mustRenew(input: PairInput): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength >= (input.history_events_max ?? Infinity);
}

/** Marks the slot free once no earlier order of its lane can rest, fill or be hedged any more. */
async function prove(input: PairInput, slot: Slot): Promise<void> {
  const { accounts, maker, hedger } = stepsFor(input);
  const refuse = async (note: string): Promise<void> => {
    slot.note = note;
    await sleep(PROOF_PAUSE_MS);
  };
  const history = await hedger.laneHistory.executeWithOptions({ summary: `which orders did lane ${slot.lane} have?` }, [
    { accounts, lane: slot.lane },
  ]);
  if (history.running !== undefined)
    return refuse(`lane ${slot.lane} is used by order ${history.running}, which still runs`);
  const orders = await maker.laneOrders.executeWithOptions(
    { summary: `what of lane ${slot.lane} is on the exchange?` },
    [
      {
        accounts,
        lane: slot.lane,
        market: input.market,
        ...(history.newest && !history.newest.flat ? { order_id: history.newest.order_id } : {}),
      },
    ],
  );
  const [open] = orders.open;
  if (open !== undefined) {
    const terms = orders.market ?? orders.latest?.market;
    if (terms) {
      await maker.cancelMaker.executeWithOptions({ summary: `cancel order ${open}, which nobody looks after` }, [
        { accounts, order_id: open, market: terms },
      ]);
    }
    return refuse(
      `lane ${slot.lane} still has order ${open} on the exchange, which nobody looks after; it is being cancelled`,
    );
  }
  const { latest } = orders;
  if (latest && !isSettled(latest.order_id, history.newest, slot)) {
    const { slippage_bps, max_slippage_bps } = input.policy;
    const { exposure_lots } = await hedger.proveHedged.executeWithOptions(
      { summary: `is order ${latest.order_id} of lane ${slot.lane} hedged?` },
      [{ accounts, order: latest, slippage_bps, max_slippage_bps }],
    );
    if (exposure_lots !== '0') {
      const naked = formatDecimal(BigInt(exposure_lots), latest.market.size_decimals);
      const note = `order ${latest.order_id} of lane ${slot.lane} was left with ${naked} ${input.market} naked`;
      if (slot.note !== note) {
        const next = 'Flatten the pair, or hedge this amount by hand and use another lane.';
        await hedger.alert.executeWithOptions({ summary: note }, [
          { order_id: latest.order_id, kind: 'pair', what: note, next },
        ]);
      }
      return refuse(note);
    }
  }
  const last = [latest?.order_id, history.newest?.order_id].flatMap((id) => (id === undefined ? [] : [BigInt(id)]));
  if (last.length > 0) slot.lastId = last.reduce((a, b) => (a > b ? a : b)) as NonNullable<Slot['lastId']>;
  delete slot.note;
  slot.state = 'free';
}

/** Known to be even: by its own word, by a later order's (which the proof of its lane came before), or by a flatten since. */
function isSettled(orderId: string, newest: LaneHistory['newest'], slot: Slot): boolean {
  const id = BigInt(orderId);
  if (slot.flatUpTo !== undefined && id <= slot.flatUpTo) return true;
  return newest?.flat === true && id <= BigInt(newest.order_id);
}

/** Asks where to quote, then starts the order. */
async function quote(input: PairInput, state: PairState, slot: Slot, pair: Steps): Promise<void> {
  const { accounts, maker } = stepsFor(input);
  slot.state = 'quoting';
  try {
    const pauses = state.failures + Math.min(state.crossings, CROSSINGS_MAX);
    if (pauses > 0) await sleep(FAILURE_PAUSE_MS * pauses);
    const off = state.offLots;
    const answer = await maker.quote.executeWithOptions(
      { summary: `where to quote ${input.market} on lane ${slot.lane}, at depth ${input.depth}?` },
      [
        {
          accounts,
          lane: slot.lane,
          market: input.market,
          strategy: input.strategy,
          depth: input.depth,
          lots: input.lots,
          max_position_lots: input.max_position_lots,
          open_lots: state.openLotsBeside(slot).toString(),
          ...(off === undefined ? {} : { off_lots: off }),
        },
      ],
    );
    if (!answer.quote) {
      slot.note = `not quoting: ${answer.message}`;
      const isOver = (): boolean => state.offLots !== off || state.mode !== 'running';
      await condition(isOver, Math.max(answer.retry_after_ms, QUOTE_PAUSE_MS));
      return;
    }
    if (state.mode !== 'running' || state.isStuck || state.offLots !== off) return;
    await startOrder(input, state, slot, answer, pair);
  } finally {
    if (slot.state === 'quoting') slot.state = 'free';
  }
}

async function startOrder(
  input: PairInput,
  state: PairState,
  slot: Slot,
  answer: QuoteResult & { quote: true },
  { changed, endAll, heard }: Steps,
): Promise<void> {
  const id = nextOrderId({ epochMs: Date.now(), lane: slot.lane, last: slot.lastId });
  const order: OrderInput = {
    order_id: id.toString(),
    maker_account: input.maker_account,
    hedge_account: input.hedge_account,
    market: answer.market,
    side: answer.side,
    lots: input.lots,
    price_ticks: answer.price_ticks,
    time_out_ms: input.time_out_ms,
    expiry_ms: input.expiry_ms,
    policy: input.policy,
    pair_workflow_id: workflowInfo().workflowId,
    spare_lanes: input.spare_lanes,
  };
  const size = formatDecimal(BigInt(input.lots), answer.market.size_decimals);
  const price = formatDecimal(BigInt(answer.price_ticks), answer.market.price_decimals);
  // Before the start is confirmed: a short order can speak its last word in the very task that brings the confirmation.
  state.started(slot, { id, lots: BigInt(input.lots) });
  const gone = (): void => {
    state.vanished(id.toString());
    changed();
  };
  const off = state.offLots;
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
    gone();
    throw error;
  });
  if (state.mode !== 'running' || state.isStuck || state.offLots !== off) endAll();
  // A result without `last_id` comes after a signal that said more; then this only notices a run whose word was lost.
  void child.result().then(
    async (result) => {
      const { order_id, last_id, hedge_state } = result;
      if (last_id !== undefined) {
        heard({ order_id, last_id, hedge_state, exposure_lots: '0', done: true, result });
        return;
      }
      if (slot.order_id !== id.toString()) return;
      await sleep(1_000);
      gone();
    },
    async () => {
      await sleep(1_000);
      gone();
    },
  );
}

/**
 * Ends every resting quote of the pair; each order hedges what filled, under all the rules. A stuck one rests nothing any more.
 * Each promise resolves when its order has been told, or was gone.
 */
function endQuotes(state: PairState): Promise<void>[] {
  return state.slots.flatMap((slot) => {
    if (slot.order_id === undefined || slot.hedge_state === 'stuck') return [];
    const { workflowId, order } = orderOf(state, slot.order_id);
    const end = (): Promise<void> => {
      slot.quoteEnded = true;
      return order.signal(endQuoteSignal);
    };
    // When the pair itself was cancelled, its own scope refuses every new call.
    return CancellationScope.nonCancellable(end).catch((error: unknown) =>
      log.info('an order was gone before its quote was ended', { workflowId, error: String(error) }),
    );
  });
}

/** One of the pair's orders, by its id, for signals. */
function orderOf({ input }: PairState, id: string): { workflowId: string; order: ExternalWorkflowHandle } {
  const workflowId = orderWorkflowId(input.maker_account, BigInt(id) as NonNullable<Slot['lastId']>);
  return { workflowId, order: getExternalWorkflowHandle(workflowId) };
}

async function flattenAll(input: PairInput, state: PairState): Promise<string> {
  await condition(() => state.isIdle);
  const accounts = { maker: input.maker_account, hedge: input.hedge_account };
  await flatten({ accounts, market: input.market, lanes: state.slots, policy: input.policy });
  for (const lane of state.slots)
    lane.flatUpTo = nextOrderId({ epochMs: Date.now(), lane: lane.lane, last: lane.lastId });
  return `flat: both positions in ${input.market} were read as zero; resume to quote again`;
}

function detailsOf(status: PairStatus): string {
  const { counts } = status;
  const slots = status.slots.map(
    (slot) =>
      `| ${slot.lane} | ${slot.state} | ${slot.order_id ?? ''} | ${slot.hedge_state ?? ''} | ${slot.note ?? ''} |`,
  );
  return [
    `**${status.mode}** ${status.reason}`,
    `started ${counts.started}, filled ${counts.filled}, unfilled ${counts.unfilled}, failed ${counts.failed}, abandoned ${counts.abandoned}`,
    ['| lane | slot | order | hedge | note |', '|---|---|---|---|---|', ...slots].join('\n'),
  ].join('\n\n');
}
