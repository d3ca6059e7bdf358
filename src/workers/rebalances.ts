/** Starting a rebalance, by whoever asks: one at a time for a pair of accounts. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
  type WorkflowHandleWithFirstExecutionRunId as Handle,
} from '@temporalio/client';
import { ordersQueue, type Accounts } from '../domain/messages';
import { planWorkflowId, rebalanceWorkflowId, type RebalanceInput } from '../domain/rebalance-messages';
import type { rebalance } from '../workflows';

export type RebalanceRun = Handle<typeof rebalance>;

/** Undefined while another one runs: nothing more is begun. */
export async function startRebalance(
  client: Client,
  { maker, hedge }: Accounts,
  asked: Omit<RebalanceInput, 'maker_account' | 'hedge_account'>,
): Promise<RebalanceRun | undefined> {
  const isPlan = asked.plan_only === true;
  try {
    return await client.workflow.start<typeof rebalance>('rebalance', {
      workflowId: isPlan ? planWorkflowId(maker) : rebalanceWorkflowId(maker),
      taskQueue: ordersQueue(hedge),
      memo: { by: asked.by },
      args: [{ ...asked, maker_account: maker, hedge_account: hedge }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: isPlan
        ? WorkflowIdConflictPolicy.TERMINATE_EXISTING // it only reads
        : WorkflowIdConflictPolicy.FAIL,
      staticSummary: `${isPlan ? 'plan of a rebalance' : 'rebalance'}, asked for by ${asked.by}`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}
