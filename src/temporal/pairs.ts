/** Pairs as Temporal lists them: a pair goes on when the configuration no longer names it. */
import type { Client } from '@temporalio/client';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import { listRuns, type ListedRun } from './runs';

const LIST_MS = 5_000;

/** Markets whose pair runs. */
export async function runningPairs(client: Client, makerAccount: number): Promise<readonly string[]> {
  const query = `ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${pairWorkflowId(makerAccount, '')}"`;
  const runs = await client.withDeadline(Date.now() + LIST_MS, () => listRuns(client, query));
  return runs.flatMap((run) => marketOfPair(makerAccount, run) ?? []);
}

/** Undefined: the run is no pair of that account. */
export function marketOfPair(makerAccount: number, { workflowId }: Pick<ListedRun, 'workflowId'>): string | undefined {
  const prefix = pairWorkflowId(makerAccount, '');
  return workflowId.startsWith(prefix) ? workflowId.slice(prefix.length) : undefined;
}
