/**
 * One market on two accounts: runs its slots, one maker order each, until it is stopped.
 *
 * Orders are children that outlive it (ABANDON). Each tells its end by its result; one in trouble speaks by `orderState` signals too, its
 * end included, because a cancelled child yields no result and a result reaches only the run that started the order.
 * A run whose history is long starts no more orders, ends its quotes and goes on in a new one once its slots are empty. An order that is
 * in trouble does not hold that up: its slot stays taken, and the new run hears of it.
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
} from '@temporalio/workflow';
import type { PairInput } from '../domain/messages';
import type { PairStatus } from '../domain/pair-status';
import { demandQuoteTerms } from '../domain/pair-terms';
import { pairInputFrom } from '../domain/received';
import { pairDetailsOf } from './details';
import { flatten } from './flatten';
import { prove } from './lane-proof';
import {
  booksStateSignal,
  flattenUpdate,
  marginStateSignal,
  orderStateSignal,
  pairQuery,
  pauseUpdate,
  resumeUpdate,
  setUpdate,
  stopUpdate,
} from './messages';
import { BooksWatch } from './pair-books';
import { heard, lookAfter, quote, tellStopped } from './pair-orders';
import { PairRun } from './pair-run';
import type { Slot } from './pair-slot';
import { PairState } from './pair-state';
import { unwind } from './pair-unwind';
import { isLong } from './renewal';
import { tellUnwound } from './unwind-words';
import { orReject } from './start';

export async function pair(input: PairInput): Promise<PairStatus> {
  const run = new PairRun(orReject(() => new PairState(demandQuoteTerms(pairInputFrom(input)))));
  const books = new BooksWatch(run);
  setHandler(booksStateSignal, (said) => books.heard(said));
  setHandler(marginStateSignal, () => run.margin.heard());
  setHandler(orderStateSignal, (order) => heard(run, order));
  setDefaultSignalHandler((signal) => log.warn('a signal of unknown name was ignored', { signal }));
  setHandler(pairQuery, () => run.state.status);
  obey(run);
  CancellationScope.current().cancelRequested.catch(() => run.stop('cancelled'));
  return CancellationScope.nonCancellable(() => {
    void books.watch();
    void run.margin.watch();
    run.wakeAtTarget();
    return runSlots(run);
  });
}

async function runSlots(run: PairRun): Promise<PairStatus> {
  const { state } = run;
  for (;;) {
    const seen = run.changes;
    if (state.limitReached && state.mode === 'running') run.stop('the order limit is reached');
    endAtTarget(run);
    if (!state.isRenewing && isLong(run.input)) {
      state.isRenewing = true;
      run.endQuotes();
    }
    tellUnwound(run);
    for (const slot of state.slots) {
      const work = workOf(run, slot);
      if (work) run.serve(slot, work);
    }
    setCurrentDetails(pairDetailsOf(state.status));
    if (run.isQuiet && state.mode === 'stopping' && state.isIdle) break;
    if (run.isQuiet && state.isRenewing && state.mayHandOver) {
      await condition(allHandlersFinished);
      if (run.changes !== seen) continue;
      await continueAsNew<typeof pair>({ ...run.input, carry: state.carry });
    }
    await condition(() => run.changes !== seen);
  }
  state.mode = 'stopped';
  await condition(allHandlersFinished);
  return state.status;
}

function endAtTarget(run: PairRun): void {
  const { state, input } = run;
  const reached = state.mode === 'running' ? state.targetReached(Date.now()) : undefined;
  if (reached === undefined) return;
  if (input.target_then === 'stop') return run.stop(reached);
  run.pause(reached);
  tellStopped(
    run,
    reached,
    `As asked for. To go on: \`counterleg pair set ${input.market} target.volume=…\` (or \`=off\`), then \`counterleg pair resume ${input.market}\`.`,
  );
}

function workOf(run: PairRun, slot: Slot): (() => Promise<void>) | undefined {
  const { state } = run;
  if (slot.isHandedOver === true && (!state.isRenewing || run.flattening)) return () => lookAfter(run, slot);
  // While an order holds a flatten up, proofs would only make the history long.
  const isProved = run.flattening ? state.isIdle : !state.isRenewing && state.mode !== 'stopping';
  if (slot.state === 'unproven' && isProved) return () => prove(run, slot);
  // A flatten waits for every slot, and trades on the same lanes.
  if (state.isRenewing || run.flattening) return undefined;
  if (slot.state === 'free' && state.mayUnwind(slot)) return () => unwind(run, slot);
  return state.mayStart(slot) ? () => quote(run, slot) : undefined;
}

const REASON_MAX = 200;

/** The operators' commands. */
function obey(run: PairRun): void {
  const { state } = run;
  setHandler(pauseUpdate, (reason) => {
    run.pause(typeof reason === 'string' ? reason.slice(0, REASON_MAX) : 'paused by the operator');
    return 'paused: quotes are cancelled, hedges go on';
  });
  setHandler(
    resumeUpdate,
    () => {
      state.resume();
      run.changed();
      return `the pair is ${state.mode}`;
    },
    {
      validator: () => {
        if (run.flattening)
          throw new Error('a flatten is under way: new orders would trade against it; resume when it has answered');
        const reached = state.targetReached(Date.now());
        if (reached !== undefined)
          throw new Error(
            `${reached}. Nothing was changed: set another target, or off (\`counterleg pair set\`), then resume`,
          );
      },
    },
  );
  setHandler(
    setUpdate,
    (setting) => {
      const what = state.set(setting, Date.now());
      run.wakeAtTarget();
      run.endQuotes();
      return `${what}: what rests is cancelled and quoted anew`;
    },
    { validator: (setting) => void state.after(setting, Date.now()) },
  );
  setHandler(stopUpdate, () => {
    run.stop('stopped by the operator');
    return 'stopping: quotes are cancelled, hedges finish';
  });
  setHandler(flattenUpdate, () => {
    run.pause('flattened by the operator');
    return (run.flattening ??= run.beside(() =>
      flatten(run).finally(() => {
        run.flattening = undefined;
      }),
    ));
  });
}
