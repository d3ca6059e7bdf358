/**
 * Which namespace `up` may use on a Temporal server that was here before.
 *
 * Task queues are named by account, and paper accounts have the numbers of the configuration: in a namespace where another system works,
 * its hedger might be given our paper orders, and hedge them with real money. There `up` makes a namespace of its own. Never ends anything that runs there.
 */
import type { Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config';
import { makerQueue, ordersQueue } from '../../domain/messages';
import { CommandError, connectTemporal } from '../context';

/** A worker's poll lasts a minute; one seen within this time may still be there. */
const POLLER_FRESH_MS = 90_000;
/** The server's caches learn of a namespace within ten seconds. */
const NAMESPACE_READY_MS = 30_000;
const RETENTION_S = 30 * 86_400;

/** The configured namespace, or a fresh one when somebody else uses that. */
export async function ownNamespace(config: Config): Promise<string> {
  const client = await connectTemporal(config);
  try {
    const { namespace } = config.temporal;
    if (!(await isInUse(client, config))) return namespace;
    const own = `${namespace}-paper-${Date.now().toString(36)}`;
    await client.workflowService.registerNamespace({
      namespace: own,
      description: 'a run of `counterleg up`',
      workflowExecutionRetentionPeriod: { seconds: RETENTION_S as never },
    });
    await untilUsable(client, own);
    return own;
  } finally {
    await client.connection.close();
  }
}

async function isInUse(client: Client, { accounts, temporal: { namespace } }: Config): Promise<boolean> {
  const query = 'ExecutionStatus = "Running" AND (WorkflowId STARTS_WITH "order/" OR WorkflowId STARTS_WITH "pair/")';
  if ((await client.workflow.count(query)).count > 0) return true;
  for (const name of [ordersQueue(accounts.hedge.index), makerQueue(accounts.maker.index)]) {
    for (const taskQueueType of [WORKFLOW_QUEUE, ACTIVITY_QUEUE]) {
      const request = { namespace, taskQueue: { name }, taskQueueType };
      const { pollers } = await client.workflowService.describeTaskQueue(request);
      if (pollers?.some(({ lastAccessTime }) => isFresh(Number(lastAccessTime?.seconds ?? 0) * 1000)) === true)
        return true;
    }
  }
  return false;
}

/** `temporal.api.enums.v1.TaskQueueType` */
const WORKFLOW_QUEUE = 1;
const ACTIVITY_QUEUE = 2;

function isFresh(epochMs: number): boolean {
  return Date.now() - epochMs < POLLER_FRESH_MS;
}

async function untilUsable(client: Client, namespace: string): Promise<void> {
  const deadlineMs = performance.now() + NAMESPACE_READY_MS;
  for (;;) {
    try {
      await client.workflowService.countWorkflowExecutions({ namespace, query: '' });
      return;
    } catch {
      if (performance.now() > deadlineMs) throw new CommandError(`Temporal's new namespace ${namespace} is not usable`);
      await sleep(200);
    }
  }
}
