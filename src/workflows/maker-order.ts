/**
 * One maker order from arming to confirmation (docs/architecture.md tells the story; `decide` holds the rules).
 *
 * Handlers only record. One loop starts every step whose lane is free and sleeps until something changes, so a fill is hedged while
 * `place` still runs, and operators are heard while a hedge is under way. A cancel is a latched fact, not an exception: the server
 * delivers only one per run.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { begin, decide, type Plan, type Step, type Track } from '../domain/decide';
import { formatDecimal } from '../domain/lots';
import type { OrderInput, OrderResult } from '../domain/messages';
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
import { absorbUpdate } from '../domain/order-absorb';
import { packOrder, unpackOrder } from '../domain/order-carry';
import { reportOf } from '../domain/order-report';
import { orderInputFrom, orderUpdateFrom } from '../domain/received';
import { detailsOf } from './details';
import {
  endQuoteSignal,
  EXPOSURE,
  forceCloseUpdate,
  HEDGE_STATE,
  orderQuery,
  orderUpdateSignal,
  retryHedgeUpdate,
} from './messages';
import { carryOut, stepFailed, stepsOf } from './order-steps';
import { orReject } from './start';

/** A replay takes about a millisecond for each event. */
const HISTORY_EVENTS_MAX = 500;

export async function makerOrder(input: OrderInput): Promise<OrderResult> {
  const order = orReject(() => open(orderInputFrom(input)));
  let changes = 0;
  const changed = (): void => {
    changes += 1;
  };
  const steps = stepsOf(order, input, changed);
  const cancellation = listen(order, changed);

  return CancellationScope.nonCancellable(async () => {
    const busy = new Map<Track, { readonly step: Step; readonly scope: CancellationScope }>();
    const launch = (step: Step): void => {
      const scope = new CancellationScope();
      begin(order, step);
      busy.set(step.track, { step, scope });
      scope
        .run(() => carryOut(steps, step))
        .catch((error: unknown) => stepFailed(order, step, error))
        .finally(() => {
          busy.delete(step.track);
          changed();
        });
    };
    let wakeAtMs = Infinity;
    let shown = input.carry === undefined ? 'arming' : '';
    for (;;) {
      const seen = changes;
      const plan = decide(order, Date.now());
      for (const step of plan.steps) {
        const running = busy.get(step.track);
        if (!running) launch(step);
        else if (supersedes(step, running.step)) running.scope.cancel();
      }
      if (steps.isInTask) {
        await condition(() => changes !== seen);
        continue;
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

/** A seal, or the operator's wish to try now, does not wait for the answer of an `execute` that sits out a back-off. */
function supersedes(wanted: Step, running: Step): boolean {
  if (running.do !== 'execute') return false;
  return wanted.do === 'seal' || (wanted.do === 'execute' && wanted.retryNow && !running.retryNow);
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
      log.error('an update was rejected and changed nothing', { update, error: String(error) });
    }
    changed();
  });
  setHandler(endQuoteSignal, () => {
    askEndQuote(order);
    changed();
  });
  setDefaultSignalHandler((signal) => log.warn('a signal of unknown name was ignored', { signal }));
  const ifNaked = (move: string): { validator: () => void } => ({
    validator: () => {
      if (mayRetry(order)) return;
      throw new Error(`nothing of this order is naked, or it has ended: there is nothing to ${move}`);
    },
  });
  const retry = (): string => {
    askRetry(order, Date.now());
    changed();
    return 'trying again now';
  };
  setHandler(retryHedgeUpdate, retry, ifNaked('retry'));
  const close = (): string => {
    askClose(order);
    changed();
    return 'sealing the hedge, then closing on the maker account';
  };
  setHandler(forceCloseUpdate, close, ifNaked('close'));
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    cancellation = error instanceof Error ? error : new Error(String(error));
    askCancel(order);
    changed();
  });
  return () => cancellation;
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
