/** A pair's flatten: the steps of src/domain/flatten.ts as activities on both accounts' queues. */
import { ApplicationFailure, proxyActivities, sleep } from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import { flatten as flattenBoth, ROUNDS_MAX, type FlattenLane, type FlattenSide } from '../domain/flatten';
import { makerQueue, ordersQueue, type Accounts, type HedgePolicy } from '../domain/messages';

type Activities = Pick<HedgeActivities & MakerActivities, 'execute' | 'seal' | 'readPosition'>;

const options = {
  // A seal may have to prove that its lane is dead or passed (readings.ts).
  startToCloseTimeout: '180s',
  heartbeatTimeout: '2s',
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
} as const;
const reading = { startToCloseTimeout: '5s', retry: { initialInterval: '200ms', maximumInterval: '1s' } } as const;

export interface FlattenInput {
  readonly accounts: Accounts;
  readonly market: string;
  readonly lanes: readonly FlattenLane[];
  readonly policy: HedgePolicy;
}

/** Throws, with what is left, when the positions do not become zero. */
export async function flatten(input: FlattenInput): Promise<void> {
  const { accounts, lanes, policy } = input;
  const left = await flattenBoth({
    a: sideOn(makerQueue(accounts.maker), input),
    b: sideOn(ordersQueue(accounts.hedge), input),
    lanes,
    policy,
    epochMs: () => Date.now(),
    sleep,
  });
  // Any other error would fail the pair's workflow task, for ever, instead of answering the operator.
  if (left !== undefined)
    throw ApplicationFailure.nonRetryable(
      `the positions are not flat after ${ROUNDS_MAX} rounds (${left}): close the rest by hand`,
    );
}

function sideOn(taskQueue: string, { accounts, market }: FlattenInput): FlattenSide {
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
