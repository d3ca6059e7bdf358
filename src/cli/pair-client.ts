/**
 * A market's strategy as operators see it: the `pair` workflow, its updates and its state.
 *
 * Owns the calls, not their meaning: the workflow validates. Every call has a deadline, since an update without a worker would
 * hang for ever (TF §11).
 */
import { type Client, isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import type { PairSetting } from '../domain/pair-terms';
import { CommandError } from './context';

export const PAIR_OPERATIONS = ['pause', 'resume', 'stop', 'flatten'] as const;
export type PairOperation = (typeof PAIR_OPERATIONS)[number];

const DEADLINE_MS = 30_000;
const AGAIN_MS = 100;
/** Flattening waits for running hedges, then trades and reads both positions. */
const FLATTEN_DEADLINE_MS = 300_000;

/** Carries out an operation; resolves with the workflow's answer. */
export async function operatePair(
  client: Client,
  pair: { readonly makerAccount: number; readonly market: string },
  operation: PairOperation,
): Promise<unknown> {
  const deadlineMs = operation === 'flatten' ? FLATTEN_DEADLINE_MS : DEADLINE_MS;
  return update(client, pairWorkflowId(pair.makerAccount, pair.market), operation, deadlineMs);
}

/** Changes what the pair quotes from now on; resolves with what changed. */
export function setPair(
  client: Client,
  pair: { readonly makerAccount: number; readonly market: string },
  setting: PairSetting,
): Promise<unknown> {
  return update(client, pairWorkflowId(pair.makerAccount, pair.market), 'set', DEADLINE_MS, setting);
}

/** Stops quoting and lets hedges finish; a pair that is not running is stopped already. */
export async function stopPair(client: Client, makerAccount: number, market: string): Promise<void> {
  try {
    await operatePair(client, { makerAccount, market }, 'stop');
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
  }
}

/** What the pair says about itself. */
export async function pairState(
  client: Client,
  makerAccount: number,
  market: string,
  deadlineMs = DEADLINE_MS,
): Promise<unknown> {
  return queryState(client, pairWorkflowId(makerAccount, market), deadlineMs);
}

/** What a workflow of ours says about itself. */
export async function queryState(client: Client, workflowId: string, deadlineMs = DEADLINE_MS): Promise<unknown> {
  const handle = client.workflow.getHandle(workflowId);
  return explained(workflowId, () =>
    client.connection.withDeadline(Date.now() + deadlineMs, () => handle.query<unknown>('state')),
  );
}

/** Runs an update of a workflow by name. */
export async function update(
  client: Client,
  workflowId: string,
  name: string,
  deadlineMs = DEADLINE_MS,
  argument?: unknown,
): Promise<unknown> {
  const handle = client.workflow.getHandle(workflowId);
  return explained(workflowId, () =>
    client.connection.withDeadline(Date.now() + deadlineMs, () =>
      untilRecorded(() =>
        argument === undefined
          ? handle.executeUpdate<unknown, []>(name)
          : handle.executeUpdate<unknown, [unknown]>(name, { args: [argument] }),
      ),
    ),
  );
}

/** An update whose task fails, as one does that ends the run while something else arrives, is not recorded: it is asked for again. */
export async function untilRecorded<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!isGrpcServiceError(cause) || !cause.details.includes('unexpected workflow task failure')) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

export class NotRunningError extends CommandError {}

function notRunning(workflowId: string): string {
  if (workflowId.startsWith('limits/'))
    return `${workflowId} is not running: the journal has told nothing of the day yet, and no limit stands`;
  return workflowId.startsWith('pair/')
    ? `${workflowId} is not running: nothing is quoted for it, and no new order will start. Orders that it left go on by themselves ` +
        '(`counterleg orders --state open`); `counterleg pair start` begins anew'
    : `${workflowId} is not running: it has ended, or never was. Nothing was changed; \`counterleg order ID\` tells how it ended and ` +
        'whether anything was left naked';
}

async function explained<T>(workflowId: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new NotRunningError(notRunning(workflowId));
    if (error instanceof WorkflowUpdateFailedError) {
      throw new CommandError(`${workflowId} rejected: ${error.cause?.message ?? error.message}`);
    }
    if (error instanceof Error && /deadline/i.test(error.message)) {
      throw new CommandError(
        `${workflowId} gave no answer in time: workflows run in the hedger, and none seems to be up. Whether the request will still be ` +
          'carried out is unknown; fills are hedged again once a hedger runs. Start one (`counterleg hedger`), then ask again; ' +
          '`counterleg doctor` shows what is missing',
      );
    }
    throw error;
  }
}
