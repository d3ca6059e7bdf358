/** Orders that may make B trade, as Temporal knows them: for a hedger that armed none of them. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { MarginDeps } from '../activities/margin';
import { orderWorkflowId, parseOrderWorkflowId } from '../domain/ids-and-nonces';
import { ordersQueue, type Accounts } from '../domain/messages';
import { orderInputFrom } from '../domain/received';
import { opposite } from '../domain/records';
import { eachRun } from '../temporal/runs';

export function openOrders(client: Client, accounts: Accounts): Pick<MarginDeps, 'running' | 'promiseOf'> {
  const query = `ExecutionStatus = "Running" AND WorkflowType = "makerOrder" AND TaskQueue = "${ordersQueue(accounts.hedge)}"`;
  return {
    async running() {
      const ids = [];
      for await (const { workflowId } of eachRun(client, query)) {
        const id = parseOrderWorkflowId(workflowId)?.id;
        if (id !== undefined) ids.push(id);
      }
      return ids;
    },
    async promiseOf(id) {
      const { history } = await client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId: orderWorkflowId(accounts.maker, id) },
        maximumPageSize: 1,
      });
      const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
      if (!payload) return undefined;
      const order = orderInputFrom(defaultPayloadConverter.fromPayload(payload));
      return {
        id,
        marketId: order.market.market_id,
        side: opposite(order.side),
        lots: BigInt(order.lots),
        priceTicks: BigInt(order.price_ticks),
        untilMs: Infinity, // the list says when it is over
      };
    },
  };
}
