/** Pairs as Temporal lists them: a pair goes on when the configuration no longer names it. */
import type { Client } from '@temporalio/client';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import { listRuns } from './runs';

const LIST_MS = 5_000;

/** Markets whose pair runs. */
export async function runningPairs(client: Client, makerAccount: number): Promise<readonly string[]> {
  const prefix = pairWorkflowId(makerAccount, '');
  const query = `ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${prefix}"`;
  const runs = await client.withDeadline(Date.now() + LIST_MS, () => listRuns(client, query));
  return runs.map(({ workflowId }) => workflowId.slice(prefix.length));
}
