/** A pair's flatten: the steps of src/domain/flatten.ts as activities on both accounts' queues, once nothing else trades in the market. */
import { ApplicationFailure, condition, proxyActivities, sleep } from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import { flatten as flattenBoth, ROUNDS_MAX, spares, type FlattenSide } from '../domain/flatten';
import { nextOrderId } from '../domain/ids-and-nonces';
import { makerQueue, ordersQueue } from '../domain/messages';
import type { PairRun } from './pair-run';

type Activities = Pick<HedgeActivities & MakerActivities, 'execute' | 'seal' | 'readPosition'>;

const options = {
  // A seal may have to prove that its lane is dead or passed (readings.ts).
  startToCloseTimeout: '180s',
  heartbeatTimeout: '2s',
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
} as const;
const reading = { startToCloseTimeout: '5s', retry: { initialInterval: '200ms', maximumInterval: '1s' } } as const;

/** Lists show an order as running for a while after its end. */
const LOOKS = 10;
const LOOK_MS = 1_000;
/** What rests is cancelled meanwhile, and what somebody else's order sent is sealed. */
const PROOFS_MS = 60_000;

/** Answers once both positions were read as zero. Throws, with what is left, when they do not become zero. */
export async function flatten(run: PairRun): Promise<string> {
  const { accounts, input, state } = run;
  const { market, policy } = input;
  await condition(() => state.isIdle);
  await nothingElseTrades(run);
  const left = await flattenBoth({
    a: sideOn(makerQueue(accounts.maker), run),
    b: sideOn(ordersQueue(accounts.hedge), run),
    lanes: [...state.slots, ...spares(input.spare_lanes, input.lanes, Date.now())],
    policy,
    epochMs: () => Date.now(),
    sleep,
  });
  if (left !== undefined)
    throw failed(
      `the positions are not flat after ${ROUNDS_MAX} rounds (${left}): flatten again, or close the rest by hand`,
    );
  for (const lane of state.slots)
    lane.flatUpTo = nextOrderId({ epochMs: Date.now(), lane: lane.lane, last: lane.lastId });
  return `flat: both positions in ${market} were read as zero; resume to quote again`;
}

/**
 * An order hedges what it filled by itself, also one that this run knows nothing of: traded to zero here as well, it would be covered twice.
 * So would what a lane can still trade whose order nobody looks after.
 */
async function nothingElseTrades({ accounts, hedger, input: { market }, state }: PairRun): Promise<void> {
  const summary = `which orders in ${market} still run?`;
  for (let look = 1; ; look++) {
    const [order] = (await hedger.runningOrders.executeWithOptions({ summary }, [{ accounts, market }])).order_ids;
    if (order === undefined) break;
    if (look === LOOKS)
      throw failed(
        `nothing was traded: order ${order} still runs and hedges by itself what it filled, so it would be covered twice. ` +
          `Remove what holds it up (\`counterleg order ${order}\`), or \`counterleg hedge close ${order}\`; once it has ended, flatten again`,
      );
    await sleep(LOOK_MS);
  }
  if (await condition(() => state.isSealed, PROOFS_MS)) return;
  const notes = state.slots.flatMap(({ lane, state: is, note }) =>
    is === 'unproven' ? [note ?? `lane ${lane} could not be proved`] : [],
  );
  throw failed(`nothing was traded: what an earlier order left may still trade (${notes.join('; ')}); flatten again`);
}

/** Any other error would fail the pair's workflow task, for ever, instead of answering the operator. */
function failed(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message);
}

function sideOn(taskQueue: string, { accounts, input: { market } }: PairRun): FlattenSide {
  const trading = proxyActivities<Pick<Activities, 'execute' | 'seal'>>({ ...options, taskQueue });
  const { readPosition } = proxyActivities<Pick<Activities, 'readPosition'>>({ ...reading, taskQueue });
  return {
    readPosition: () => readPosition({ accounts, market }),
    async reduce(ticket) {
      const result = await trading.execute({
        accounts,
        ticket,
        fill_lots: ticket.max_lots,
        retry_now: false,
        purpose: 'flatten',
      });
      if (result.state === 'blocked') await trading.seal({ accounts, ticket, purpose: 'flatten' });
      return result.state === 'executed';
    },
  };
}
