/** Orders as Temporal lists them: they outlive their pairs, and pairs the configuration. */
import type { Client } from '@temporalio/client';
import { orderWorkflowPrefix, parseOrderWorkflowId, type OrderId } from '../domain/ids-and-nonces';
import { eachRun } from './runs';

export interface OpenOrder {
  readonly id: OrderId;
  /** Symbol; undefined where it cannot be read. */
  readonly market: string | undefined;
}

/** Those whose workflow runs. */
export async function openOrders(client: Client, makerAccount: number): Promise<readonly OpenOrder[]> {
  const query = `ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${orderWorkflowPrefix(makerAccount)}"`;
  const found: OpenOrder[] = [];
  for await (const run of eachRun(client, query)) {
    const id = parseOrderWorkflowId(run.workflowId)?.id;
    const market = run.attribute('Market');
    if (id !== undefined) found.push({ id, market: typeof market === 'string' ? market : undefined });
  }
  return found;
}
