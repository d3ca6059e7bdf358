/** The steps of an order: each asks an activity and folds its answer into the order's ledger; `decide` says which step is next. */
import {
  ActivityCancellationType,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import type { Step } from '../domain/decide';
import { formatDecimal } from '../domain/lots';
import { makerQueue, ordersQueue, type Accounts, type ExecuteResult, type OrderInput } from '../domain/messages';
import { exposureLots, type Order, type TicketEntry } from '../domain/order';
import {
  absorbArm,
  absorbCancel,
  absorbExecution,
  absorbFailure,
  absorbPlace,
  absorbPlaceFailure,
} from '../domain/order-absorb';
import { reportOf } from '../domain/order-report';
import { deadAfterMs } from '../domain/order-tickets';
import { ticketToMessage } from '../domain/ticket';
import { orderStateSignal } from './messages';
import { rejectionOf, REJECTED_PAUSE_MS } from './rejected';

const retry = { initialInterval: '50ms', backoffCoefficient: 1.5, maximumInterval: '1s' } as const;
/** An abandoned wait abandons nothing: the nonce resolves what was sent, and the next step finds it. */
const cancellationType = ActivityCancellationType.TRY_CANCEL;
/**
 * Steps that wait send heartbeats, so that another worker takes over a second after theirs died. Long enough for the two readings that
 * prove a lane passed (readings.ts): each attempt begins them anew.
 */
const waiting = { startToCloseTimeout: '180s', heartbeatTimeout: '1s', retry, cancellationType } as const;
const quick = { startToCloseTimeout: '5s', retry, cancellationType } as const;

/** Who carries out an order's steps: the processes of its own two accounts. */
function proxiesFor(accounts: Accounts) {
  const onB = { taskQueue: ordersQueue(accounts.hedge) };
  const onA = { taskQueue: makerQueue(accounts.maker) };
  return {
    accounts,
    hedger: proxyActivities<Pick<HedgeActivities, 'execute' | 'seal'>>({ ...waiting, ...onB }),
    executor: proxyActivities<Pick<HedgeActivities, 'arm' | 'confirm' | 'alert'>>({ ...quick, ...onB }),
    /** Repeatable steps, done within the workflow task: each saves the server an activity and a task (TF §2). */
    inTask: proxyLocalActivities<Pick<HedgeActivities, 'arm' | 'execute' | 'confirm'>>({
      // Meanwhile the order hears nothing (TF §0): short, and together well within its workflow task of 2 s.
      scheduleToStartTimeout: '500ms',
      startToCloseTimeout: '1s',
      retry: { maximumAttempts: 1 },
    }),
    maker: proxyActivities<Pick<MakerActivities, 'place' | 'cancelMaker' | 'execute' | 'seal'>>({ ...waiting, ...onA }),
  };
}

export interface Steps extends ReturnType<typeof proxiesFor> {
  readonly order: Order;
  /** The order as it was asked for: what activities are given. */
  readonly given: OrderInput;
  /** A step is under way within the workflow task: what is shown and which timers are set waits for its answer. */
  isInTask: boolean;
  /** It is no more, and its step still runs. */
  readonly leftTask: () => void;
}

export function stepsOf(order: Order, given: OrderInput, leftTask: () => void): Steps {
  const accounts = { maker: order.makerAccount, hedge: order.hedgeAccount };
  return { order, given, isInTask: false, leftTask, ...proxiesFor(accounts) };
}

type StepOf<D extends Step['do']> = Extract<Step, { readonly do: D }>;

/** A quote that was not placed by then is stale: its nonce is sealed instead. */
const STALE_MS = 10_000;
const FAILED_STEP_PAUSE_MS = 1_000;
/** The engine takes summaries of at most 400 bytes; exchange texts in them may be long. */
const SUMMARY_CHARS_MAX = 100;
/** An armed ticket is kept for the order's whole life on the exchange and a while longer. */
const KEEP_SLACK_MS = 5 * 60_000;

/** Resolves when the step's answer is in the ledger; rejects when it ended without one. */
export function carryOut(steps: Steps, step: Step): Promise<void> {
  switch (step.do) {
    case 'arm':
      return arm(steps);
    case 'place':
      return place(steps);
    case 'cancel':
      return cancel(steps);
    case 'execute':
      return execution(steps, step);
    case 'seal':
      return seal(steps, step);
    case 'confirm':
      return confirm(steps);
    case 'alert':
      return alert(steps, step);
    case 'tell':
      return tellPair(steps, step);
  }
}

async function arm(steps: Steps): Promise<void> {
  const { order, accounts } = steps;
  const [first] = order.tickets;
  if (!first) return;
  const input = { accounts, ticket: ticketToMessage(first.ticket), keep_ms: order.expiryMs + KEEP_SLACK_MS };
  const summary = `can B hedge up to ${amountOf(order, order.lots)}?`;
  const result = await inTaskFirst(steps, (on) => on.arm.executeWithOptions({ summary }, [input]), steps.executor);
  absorbArm(order, result, Date.now());
}

async function place({ order, given, accounts, maker }: Steps): Promise<void> {
  const price = formatDecimal(order.priceTicks, order.market.price_decimals);
  const how = given.unwind === true ? `at market, reduce-only, from ${price} on` : `at ${price}, post-only`;
  const summary = `${order.side} ${amountOf(order, order.lots)} ${how}`;
  const input = { accounts, order: given, stale_at_ms: order.createdMs + STALE_MS };
  absorbPlace(order, await maker.place.executeWithOptions({ summary }, [input]), Date.now());
}

async function cancel({ order, given, accounts, maker }: Steps): Promise<void> {
  const summary = `cancel the quote, ${amountOf(order, order.filledLots)} known to be filled`;
  const input = { accounts, order_id: given.order_id, market: given.market };
  absorbCancel(order, await maker.cancelMaker.executeWithOptions({ summary }, [input]), Date.now());
}

async function execution(steps: Steps, { entry, fillLots, retryNow }: StepOf<'execute'>): Promise<void> {
  const { order, accounts } = steps;
  const input = {
    accounts,
    ticket: ticketToMessage(entry.ticket),
    fill_lots: fillLots.toString(),
    retry_now: retryNow,
    purpose: entry.direction,
  };
  const on = entry.direction === 'hedge' ? steps.hedger : steps.maker;
  const summary = `${entry.direction} up to ${amountOf(order, fillLots)}`;
  const ask = (by: typeof on | Steps['inTask']): Promise<ExecuteResult> =>
    by.execute.executeWithOptions({ summary }, [input]);
  // What an operator asks for is answered before it is done.
  const result = isPlain(order, entry) && !retryNow ? await inTaskFirst(steps, ask, on) : await ask(on);
  absorbExecution(order, entry, result, Date.now());
}

/**
 * The hedge of an order in no trouble, under the ticket that follows from the order's input alone: whichever task asks for it, and however
 * often, it is the same one (invariants 3, 4). Any later ticket is on record before it trades.
 */
function isPlain(order: Order, { direction, ticket, blocked }: TicketEntry): boolean {
  return direction === 'hedge' && ticket.id === order.id && blocked === undefined && !order.stuck;
}

async function seal(steps: Steps, { entry }: StepOf<'seal'>): Promise<void> {
  const { order, accounts } = steps;
  const input = {
    accounts,
    ticket: ticketToMessage(entry.ticket),
    purpose: entry.direction,
    ...(entry.end === 'dead' && { dead_after_ms: deadAfterMs(entry) }),
  };
  const on = entry.direction === 'hedge' ? steps.hedger : steps.maker;
  const summary = `end the ${entry.direction} for good, and say what it did`;
  absorbExecution(order, entry, await on.seal.executeWithOptions({ summary }, [input]), Date.now());
}

async function confirm(steps: Steps): Promise<void> {
  const { order, accounts } = steps;
  order.timings.confirmed_ms = Date.now();
  const summary = `nothing is naked: ${amountOf(order, order.filledLots)} filled`;
  const input = { accounts, result: reportOf(order, 'ended') };
  await inTaskFirst(steps, (on) => on.confirm.executeWithOptions({ summary }, [input]), steps.executor);
  order.confirmed = true;
}

async function alert({ given, executor }: Steps, { kind, what, exposed, next }: StepOf<'alert'>): Promise<void> {
  const summary = what.slice(0, SUMMARY_CHARS_MAX);
  await executor.alert.executeWithOptions({ summary }, [{ order_id: given.order_id, kind, what, exposed, next }]);
}

/** A pair that is gone does not need to know. */
async function tellPair({ order, given }: Steps, { state, done }: StepOf<'tell'>): Promise<void> {
  if (given.pair_workflow_id === undefined) return;
  try {
    await getExternalWorkflowHandle(given.pair_workflow_id).signal(orderStateSignal, {
      order_id: given.order_id,
      last_id: order.lastId.toString(),
      hedge_state: state,
      exposure_lots: exposureLots(order).toString(),
      done,
      ...(done ? { result: reportOf(order, 'ended') } : {}),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('the pair was not there to be told', { pair: given.pair_workflow_id });
  }
}

/** Within the workflow task; what fails there or does not answer at once is asked again as a step of its own, retried as such. */
async function inTaskFirst<T, On>(
  steps: Steps,
  ask: (on: On | Steps['inTask']) => Promise<T>,
  otherwise: On,
): Promise<T> {
  steps.isInTask = true;
  try {
    return await ask(steps.inTask);
  } catch (error) {
    if (isCancellation(error)) throw error;
    steps.leftTask();
  } finally {
    steps.isInTask = false;
  }
  return ask(otherwise);
}

/** For summaries: `0.00020 BTC`. */
function amountOf(order: Order, amount: bigint): string {
  return `${formatDecimal(amount, order.market.size_decimals)} ${order.market.symbol}`;
}

/** An activity that ended without an answer says nothing; its lane rests a moment and the step is decided anew. */
export async function stepFailed(order: Order, step: Step, error: unknown): Promise<void> {
  if (isCancellation(error)) return;
  const rejection = rejectionOf(error);
  log.error('a step failed without an answer', { step: step.do, error: rejection ?? String(error) });
  const message = rejection ?? `the ${step.do} step failed`;
  const pauseMs = rejection === undefined ? FAILED_STEP_PAUSE_MS : REJECTED_PAUSE_MS;
  switch (step.do) {
    case 'execute':
    case 'seal':
      absorbFailure(order, step.entry, { message, pauseMs }, Date.now());
      return void (await sleep(FAILED_STEP_PAUSE_MS)); // the entry keeps the longer pause, which a retry by hand ends
    case 'arm':
      if (rejection === undefined) break;
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
