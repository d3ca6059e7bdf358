/** What the run `limits` says of the day. */
import type { Client } from '@temporalio/client';
import { limitsWorkflowId, type LimitsStatus } from '../domain/day-limits';
import { hasEnded, within } from './order-word';

/** Undefined: it does not run, so nobody has told anything. Rejects when nobody answers. `client` must reject queries of runs that have ended. */
export async function limitsStatus(client: Client, makerAccount: number): Promise<LimitsStatus | undefined> {
  const handle = client.workflow.getHandle(limitsWorkflowId(makerAccount));
  try {
    return await within(client, () => handle.query<LimitsStatus>('state'));
  } catch (error) {
    if (hasEnded(error)) return undefined;
    throw error;
  }
}
