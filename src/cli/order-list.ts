/**
 * Orders as Temporal's records show them: open ones by search attribute, ended ones by the memo `result` (docs/contracts.md).
 *
 * Reads only. A Canceled run has no workflow result, so the memo is the one place where every ending is found.
 */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { OrderResult } from '../domain/messages';
import { orderResultFrom } from '../temporal/order-result';
import { orderWorkflowPrefix, parseOrderWorkflowId } from '../domain/ids-and-nonces';
import { nakedP50Ms } from './naked-text';
import { durationText, table } from './table';

export interface ListedOrder {
  readonly orderId: string;
  readonly workflowId: string;
  readonly status: 'running' | 'completed' | 'canceled' | 'terminated' | 'failed';
  readonly startedMs: number;
  readonly closedMs: number | undefined;
  readonly market: string;
  readonly side: string;
  readonly hedgeState: string;
  /** Base units, for display. */
  readonly exposure: string;
  /** Absent while it runs, and when it was terminated. */
  readonly result: OrderResult | undefined;
}

export interface OrderFilter {
  readonly makerAccount: number;
  readonly state: 'open' | 'closed' | 'all';
  readonly hedgeState?: string;
  readonly closedAfterMs?: number;
  readonly limit: number;
}

/** Newest first. Visibility lags a workflow's end by some milliseconds. */
export async function listOrders(client: Client, filter: OrderFilter): Promise<ListedOrder[]> {
  // An order that was stuck for long went through several runs: the last one is the order.
  const conditions = [
    `WorkflowId STARTS_WITH "${orderWorkflowPrefix(filter.makerAccount)}" AND ExecutionStatus != "ContinuedAsNew"`,
  ];
  if (filter.state === 'open') conditions.push('ExecutionStatus = "Running"');
  if (filter.state === 'closed') conditions.push('ExecutionStatus != "Running"');
  if (filter.hedgeState !== undefined) conditions.push(`HedgeState = "${filter.hedgeState}"`);
  if (filter.closedAfterMs !== undefined) {
    conditions.push(`CloseTime >= "${new Date(filter.closedAfterMs).toISOString()}"`);
  }
  const found: ListedOrder[] = [];
  for await (const info of client.workflow.list({ query: conditions.join(' AND ') })) {
    const order = listedOrder(info);
    if (order !== undefined) found.push(order);
    if (found.length >= filter.limit) break;
  }
  return found;
}

export function listedOrder(info: WorkflowExecutionInfo): ListedOrder | undefined {
  const id = parseOrderWorkflowId(info.workflowId);
  if (id === undefined) return undefined;
  const result = resultOf(info);
  const attribute = (name: string): string => String(info.searchAttributes[name]?.[0] ?? '');
  return {
    orderId: id.id.toString(),
    workflowId: info.workflowId,
    status: statusOf(info),
    startedMs: info.startTime.getTime(),
    closedMs: info.closeTime?.getTime(),
    market: result?.market ?? attribute('Market'),
    side: result?.side ?? attribute('Side'),
    hedgeState: result?.hedge_state ?? attribute('HedgeState'),
    exposure: result?.exposure ?? attribute('Exposure'),
    result,
  };
}

/** One that cannot be read is shown as none: the auditor tells of it. */
function resultOf({ memo }: WorkflowExecutionInfo): OrderResult | undefined {
  try {
    return orderResultFrom(memo?.['result']);
  } catch {
    return undefined;
  }
}

function statusOf(info: WorkflowExecutionInfo): ListedOrder['status'] {
  switch (info.status.name) {
    case 'RUNNING':
    case 'PAUSED':
    case 'CONTINUED_AS_NEW':
      return 'running';
    case 'COMPLETED':
      return 'completed';
    case 'CANCELLED':
      return 'canceled';
    case 'TERMINATED':
      return 'terminated';
    case 'FAILED':
    case 'TIMED_OUT':
    case 'UNSPECIFIED':
    case 'UNKNOWN':
      return 'failed';
  }
}

/** Whether any lot of the maker order executed. */
export function isFilled(result: OrderResult): boolean {
  return /[1-9]/.test(result.maker.filled_base_amount);
}

/** Path of the first slice: how the news of the fill arrived in time. */
export function pathOf(result: OrderResult): string {
  const paths = new Set(result.hedge.slices.map((entry) => entry.path));
  return paths.size === 0 ? '–' : [...paths].join('+');
}

/**
 * First fill frame on A → first hedge on B's socket; undefined when one of the two was not seen by a living process. The workflow may have
 * heard only of a later frame than the one that was hedged first: that says nothing about time.
 */
export function fillToSubmitMs(result: OrderResult): number | undefined {
  const { fill_frame_ms: from, hedge_submitted_ms: to } = result.timings;
  return from === undefined || to === undefined || to < from ? undefined : to - from;
}

export function ordersTable(orders: readonly ListedOrder[]): string {
  const columns = [
    { title: 'order' },
    { title: 'market' },
    { title: 'side' },
    { title: 'status' },
    { title: 'state' },
    { title: 'filled', align: 'right' },
    { title: 'hedged', align: 'right' },
    { title: 'exposure', align: 'right' },
    { title: 'path' },
    { title: 'fill → sent', align: 'right' },
    { title: 'naked p50', align: 'right' },
    { title: 'started' },
  ] as const;
  const rows = orders.map(({ result, ...order }) => [
    order.orderId,
    order.market,
    order.side,
    order.status,
    order.hedgeState,
    result?.maker.filled_base_amount ?? '',
    result?.hedge.executed_base_amount ?? '',
    order.exposure,
    result === undefined ? '' : pathOf(result),
    result === undefined ? '' : durationText(fillToSubmitMs(result)),
    result === undefined ? '' : durationText(nakedP50Ms(result.naked_times)),
    new Date(order.startedMs).toISOString().slice(0, 19),
  ]);
  return table(columns, rows);
}
