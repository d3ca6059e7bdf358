/**
 * One maker order from arming to confirmation (docs/architecture.md tells the story; `decide` holds the rules).
 *
 * Handlers only record. One loop starts every step whose lane is free and sleeps until something changes, so a fill is hedged while
 * `place` still runs, and operators are heard while a hedge is under way. A cancel is a latched fact, not an exception: the server
 * delivers only one per run.
 */
import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import { begin, decide, type Plan, type Step, type StepLane } from '../domain/decide';
import { formatDecimal } from '../domain/lots';
import {
  makerQueue,
  ordersQueue,
  type Accounts,
  type CoverInput,
  type SealInput,
  type OrderInput,
  type OrderResult,
} from '../domain/messages';
import {
  askCancel,
  askClose,
  askEndQuote,
  askRetry,
  exposureLots,
  makerIsClosed,
  mayRetry,
  newOrder,
  type Order,
} from '../domain/order';
import {
  absorbArm,
  absorbCancel,
  absorbCover,
  absorbFailure,
  absorbPlace,
  absorbPlaceFailure,
  absorbUpdate,
} from '../domain/order-absorb';
import { packOrder, unpackOrder } from '../domain/order-carry';
import { reportOf } from '../domain/order-report';
import { deadAfterMs } from '../domain/order-tickets';
import { orderInputFrom, orderUpdateFrom } from '../domain/received';
import { ticketToMessage } from '../domain/ticket';
import { detailsOf } from './details';
import { refusalOf, REFUSED_PAUSE_MS } from './refused';
import { orRefuse } from './start';
import {
  endQuoteSignal,
  EXPOSURE,
  HEDGE_STATE,
  forceCloseUpdate,
  orderQuery,
  orderStateSignal,
  orderUpdateSignal,
  retryHedgeUpdate,
} from './messages';

const retry = { initialInterval: '50ms', backoffCoefficient: 1.5, maximumInterval: '1s' } as const;
/** An abandoned wait abandons nothing: the nonce settles what was sent, and the next step finds it. */
const cancellationType = ActivityCancellationType.TRY_CANCEL;
/**
 * Steps that wait send heartbeats, so that another worker takes over a second after theirs died. Long enough for the two readings that
 * prove a lane passed (readings.ts): each attempt begins them anew.
 */
const waiting = { startToCloseTimeout: '180s', heartbeatTimeout: '1s', retry, cancellationType } as const;
const quick = { startToCloseTimeout: '5s', retry, cancellationType } as const;

/** Who carries out an order's steps: the processes of its own two accounts. */
function stepsFor(accounts: Accounts) {
  const onB = { taskQueue: ordersQueue(accounts.hedge) };
  const onA = { taskQueue: makerQueue(accounts.maker) };
  return {
    accounts,
    hedger: proxyActivities<Pick<HedgeActivities, 'cover' | 'seal'>>({ ...waiting, ...onB }),
    desk: proxyActivities<Pick<HedgeActivities, 'arm' | 'confirm' | 'alert'>>({ ...quick, ...onB }),
    /** Repeatable steps, done within the workflow task: each saves the server an activity and a task (TF §2). */
    inTask: proxyLocalActivities<Pick<HedgeActivities, 'arm' | 'confirm'>>({
      // Meanwhile the order hears nothing (TF §0): short, and together well within its workflow task of 2 s.
      scheduleToStartTimeout: '500ms',
      startToCloseTimeout: '1s',
      retry: { maximumAttempts: 1 },
    }),
    maker: proxyActivities<Pick<MakerActivities, 'place' | 'cancelMaker' | 'cover' | 'seal'>>({ ...waiting, ...onA }),
  };
}

type Steps = ReturnType<typeof stepsFor>;

/** A quote that was not placed by then is stale: its nonce is sealed instead. */
const STALE_MS = 10_000;
const FAILED_STEP_PAUSE_MS = 1_000;
/** A replay takes about a millisecond for each event. */
const HISTORY_EVENTS_MAX = 500;
/** The engine takes summaries of at most 400 bytes; exchange texts in them may be long. */
const SUMMARY_CHARS_MAX = 100;
/** An armed ticket is kept for the order's whole life on the exchange and a while longer. */
const KEEP_SLACK_MS = 5 * 60_000;

export async function makerOrder(input: OrderInput): Promise<OrderResult> {
  const order = orRefuse(() => open(orderInputFrom(input)));
  const steps = stepsFor({ maker: order.makerAccount, hedge: order.hedgeAccount });
  let changes = 0;
  const changed = (): void => {
    changes += 1;
  };
  const cancellation = listen(order, changed);

  return CancellationScope.nonCancellable(async () => {
    const busy = new Map<StepLane, { readonly step: Step; readonly scope: CancellationScope }>();
    const launch = (step: Step): void => {
      const scope = new CancellationScope();
      begin(order, step);
      busy.set(step.lane, { step, scope });
      scope
        .run(() => act(order, input, step, steps))
        .catch((error: unknown) => onFailure(order, step, error))
        .finally(() => {
          busy.delete(step.lane);
          changed();
        });
    };
    let wakeAtMs = Infinity;
    let shown = input.carry === undefined ? 'arming' : '';
    for (;;) {
      const seen = changes;
      const plan = decide(order, Date.now());
      for (const step of plan.steps) {
        const running = busy.get(step.lane);
        if (!running) launch(step);
        else if (supersedes(step, running.step)) running.scope.cancel();
      }
      shown = show(order, plan, shown);
      if (plan.end && busy.size === 0) return finish(order, cancellation());
      if (plan.wakeAtMs !== undefined && plan.wakeAtMs < wakeAtMs) {
        // Early wake-ups are harmless, so a timer is never cancelled.
        const at = (wakeAtMs = plan.wakeAtMs);
        void sleep(Math.max(1, at - Date.now())).then(() => {
          if (wakeAtMs === at) wakeAtMs = Infinity;
          changed();
        });
      }
      if (plan.steps.length === 0 && busy.size === 0 && mustRenew(order, input)) {
        await condition(allHandlersFinished);
        if (changes !== seen) continue; // a cancel, for one, is delivered to one run only
        await continueAsNew<typeof makerOrder>({ ...input, carry: packOrder(order) });
      }
      await condition(() => changes !== seen);
    }
  });
}

function open(input: OrderInput): Order {
  if (input.carry === undefined) return newOrder(input, Date.now());
  const order = unpackOrder(input.carry);
  if (order.id.toString() !== input.order_id) throw new Error('the ledger of another order was carried over');
  return order;
}

/**
 * A new worker replays the whole history before it acts: an order that is stuck for days goes on in a run of its own each few hundred
 * events. Not a cancelled one: the engine delivers a cancel to one run only, and such an order ends soon.
 */
function mustRenew(order: Order, input: OrderInput): boolean {
  return !order.cancelRequested && workflowInfo().historyLength >= (input.history_events_max ?? HISTORY_EVENTS_MAX);
}

/** A seal, or the operator's wish to try now, does not wait for the answer of a `cover` that sits out a back-off. */
function supersedes(wanted: Step, running: Step): boolean {
  if (running.do !== 'cover') return false;
  return wanted.do === 'seal' || (wanted.do === 'cover' && wanted.retryNow && !running.retryNow);
}

/** Registers all handlers before anything is awaited; answers how the run was cancelled, if it was. */
function listen(order: Order, changed: () => void): () => Error | undefined {
  let cancellation: Error | undefined;
  setHandler(orderQuery, () => reportOf(order, 'running'));
  setHandler(orderUpdateSignal, (update) => {
    try {
      if (absorbUpdate(order, orderUpdateFrom(update), Date.now()) === 'other-order')
        log.warn('an update of another order was ignored', { update });
    } catch (error) {
      log.error('an update was refused and changed nothing', { update, error: String(error) });
    }
    changed();
  });
  setHandler(endQuoteSignal, () => {
    askEndQuote(order);
    changed();
  });
  setDefaultSignalHandler((signal) => log.warn('a signal of unknown name was ignored', { signal }));
  setHandler(
    retryHedgeUpdate,
    () => {
      askRetry(order, Date.now());
      changed();
      return 'trying again now';
    },
    {
      validator: () => {
        if (!mayRetry(order))
          throw new Error('nothing of this order is naked, or it has ended: there is nothing to retry');
      },
    },
  );
  setHandler(
    forceCloseUpdate,
    () => {
      askClose(order);
      changed();
      return 'sealing the hedge, then closing on the maker account';
    },
    {
      validator: () => {
        if (!mayRetry(order))
          throw new Error('nothing of this order is naked, or it has ended: there is nothing to close');
      },
    },
  );
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    cancellation = error instanceof Error ? error : new Error(String(error));
    askCancel(order);
    changed();
  });
  return () => cancellation;
}

async function act(order: Order, given: OrderInput, step: Step, steps: Steps): Promise<void> {
  const { accounts, hedger, desk, maker } = steps;
  switch (step.do) {
    case 'arm': {
      const [first] = order.tickets;
      if (!first) return;
      const input = { accounts, ticket: ticketToMessage(first.ticket), keep_ms: order.expiryMs + KEEP_SLACK_MS };
      const summary = `can B hedge up to ${amountOf(order, order.lots)}?`;
      const result = await inTaskFirst(steps, (on) => on.arm.executeWithOptions({ summary }, [input]));
      absorbArm(order, result, Date.now());
      return;
    }
    case 'place':
      absorbPlace(
        order,
        await maker.place.executeWithOptions(
          {
            summary: `${order.side} ${amountOf(order, order.lots)} at ${formatDecimal(order.priceTicks, order.market.price_decimals)}, post-only`,
          },
          [{ accounts, order: given, stale_at_ms: order.createdMs + STALE_MS }],
        ),
        Date.now(),
      );
      return;
    case 'cancel':
      absorbCancel(
        order,
        await maker.cancelMaker.executeWithOptions(
          { summary: `cancel the quote, ${amountOf(order, order.filledLots)} known to be filled` },
          [{ accounts, order_id: given.order_id, market: given.market }],
        ),
        Date.now(),
      );
      return;
    case 'cover': {
      const cover: CoverInput = {
        accounts,
        ticket: ticketToMessage(step.entry.ticket),
        fill_lots: step.fillLots.toString(),
        retry_now: step.retryNow,
        purpose: step.entry.direction,
      };
      const on = step.entry.direction === 'hedge' ? hedger : maker;
      const summary = `${step.entry.direction} up to ${amountOf(order, step.fillLots)}`;
      absorbCover(order, step.entry, await on.cover.executeWithOptions({ summary }, [cover]), Date.now());
      return;
    }
    case 'seal': {
      const on = step.entry.direction === 'hedge' ? hedger : maker;
      const seal: SealInput = {
        accounts,
        ticket: ticketToMessage(step.entry.ticket),
        purpose: step.entry.direction,
        ...(step.entry.end === 'dead' && { dead_after_ms: deadAfterMs(step.entry) }),
      };
      const summary = `end the ${step.entry.direction} for good, and say what it did`;
      absorbCover(order, step.entry, await on.seal.executeWithOptions({ summary }, [seal]), Date.now());
      return;
    }
    case 'confirm': {
      order.timings.confirmed_ms = Date.now();
      const summary = `nothing is naked: ${amountOf(order, order.filledLots)} filled`;
      const input = { accounts, result: reportOf(order, 'ended') };
      await inTaskFirst(steps, (on) => on.confirm.executeWithOptions({ summary }, [input]));
      order.confirmed = true;
      return;
    }
    case 'alert':
      await desk.alert.executeWithOptions({ summary: step.what.slice(0, SUMMARY_CHARS_MAX) }, [
        {
          order_id: given.order_id,
          kind: step.kind,
          what: step.what,
          next: step.next,
        },
      ]);
      return;
    case 'tell':
      await tellPair(order, given, step);
      return;
  }
}

/** Within the workflow task; what fails there or does not answer at once is asked again as a step of its own, retried as such. */
async function inTaskFirst<T>(
  { desk, inTask }: Steps,
  ask: (on: Steps['desk'] | Steps['inTask']) => Promise<T>,
): Promise<T> {
  try {
    return await ask(inTask);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return ask(desk);
  }
}

/** For summaries: `0.00020 BTC`. */
function amountOf(order: Order, amount: bigint): string {
  return `${formatDecimal(amount, order.market.size_decimals)} ${order.market.symbol}`;
}

/** A pair that is gone does not need to know. */
async function tellPair(order: Order, input: OrderInput, step: Step & { do: 'tell' }): Promise<void> {
  if (input.pair_workflow_id === undefined) return;
  try {
    await getExternalWorkflowHandle(input.pair_workflow_id).signal(orderStateSignal, {
      order_id: input.order_id,
      last_id: order.lastId.toString(),
      hedge_state: step.state,
      exposure_lots: exposureLots(order).toString(),
      done: step.done,
      ...(step.done ? { result: reportOf(order, 'ended') } : {}),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('the pair was not there to be told', { pair: input.pair_workflow_id });
  }
}

/** An activity that ended without an answer says nothing; its lane rests a moment and the step is decided anew. */
async function onFailure(order: Order, step: Step, error: unknown): Promise<void> {
  if (isCancellation(error)) return;
  const refusal = refusalOf(error);
  log.error('a step failed without an answer', { step: step.do, error: refusal ?? String(error) });
  const message = refusal ?? `the ${step.do} step failed`;
  const pauseMs = refusal === undefined ? FAILED_STEP_PAUSE_MS : REFUSED_PAUSE_MS;
  switch (step.do) {
    case 'cover':
    case 'seal':
      absorbFailure(order, step.entry, { message, pauseMs }, Date.now());
      return void (await sleep(FAILED_STEP_PAUSE_MS)); // the entry keeps the longer pause, which a retry by hand ends
    case 'arm':
      if (refusal === undefined) break;
      absorbArm(order, { armed: false, code: 'wrong-accounts', message }, Date.now());
      return;
    case 'place':
      absorbPlaceFailure(order);
      break;
    case 'cancel':
    case 'confirm':
    case 'alert':
    case 'tell':
      break;
  }
  await sleep(pauseMs);
}

/**
 * What lists and the Web UI show. An upsert is an event and a write, so `Exposure` follows the hedge's state, and every change of it
 * only while the order is stuck: a hedge in flight is over before anybody could read it.
 */
function show(order: Order, plan: Plan, shown: string): string {
  const exposure = formatDecimal(exposureLots(order), order.market.size_decimals);
  // Even and closed: the next thing to show is its end.
  const isEnding = !plan.end && plan.hedgeState === 'quoting' && makerIsClosed(order);
  const face = plan.hedgeState === 'stuck' ? `stuck ${exposure}` : plan.hedgeState;
  setCurrentDetails(detailsOf(order, plan.end ? 'ended' : 'running'));
  if (face === shown || isEnding) return shown;
  upsertSearchAttributes([
    { key: HEDGE_STATE, value: plan.hedgeState },
    { key: EXPOSURE, value: Number(exposure) },
  ]);
  return face;
}

function finish(order: Order, cancellation: Error | undefined): OrderResult {
  const result = reportOf(order, 'ended');
  upsertMemo({ result });
  if (cancellation) throw cancellation; // status Canceled; such a run has no result, the memo keeps it
  return result;
}
