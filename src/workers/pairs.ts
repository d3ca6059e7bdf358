/** Starting a pair, or joining the one that runs: everything it needs for its life comes from the configuration, once, here. */
import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  type Client,
} from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Config, PairConfig } from '../config';
import { laneOf, pairWorkflowId } from '../domain/ids-and-nonces';
import { parseLots } from '../domain/lots';
import { ordersQueue, type PairInput } from '../domain/messages';
import { pairInputFrom } from '../domain/received';
import type { Market } from '../domain/records';
import type { pair as pairWorkflow } from '../workflows';
import { openOrders } from '../temporal/orders';
import { MARKET } from '../workflows/messages';

const GRPC_NOT_FOUND = 5;

export interface PairOverrides {
  readonly quantity?: string;
  readonly depth?: number;
  /** End by itself after this many filled orders. */
  readonly orderLimit?: number;
}

export function pairInput(config: Config, pair: PairConfig, market: Market, overrides: PairOverrides = {}): PairInput {
  const quantity = overrides.quantity ?? pair.quantity;
  return {
    market: market.symbol,
    maker_account: config.accounts.maker.index,
    hedge_account: config.accounts.hedge.index,
    strategy: pair.side,
    depth: overrides.depth ?? pair.depth,
    lots: parseLots(quantity, market.sizeDecimals).toString(),
    size_decimals: market.sizeDecimals,
    max_position_lots: parseLots(pair.maxPosition, market.sizeDecimals).toString(),
    ...pair.terms,
    ...(pair.maxLong === undefined ? {} : { max_long_lots: parseLots(pair.maxLong, market.sizeDecimals).toString() }),
    ...(pair.maxShort === undefined
      ? {}
      : { max_short_lots: parseLots(pair.maxShort, market.sizeDecimals).toString() }),
    lanes: [...pair.lanes],
    spare_lanes: [...pair.spareLanes],
    time_out_ms: config.makerOrderTimeOutMs,
    expiry_ms: config.safety.orderExpiryMs,
    policy: {
      slippage_bps: config.hedge.slippageBps,
      max_slippage_bps: config.hedge.slippageBpsMax,
      on_stuck: config.hedge.onStuck,
      force_close_timeout_ms: config.hedge.forceCloseTimeoutMs,
    },
    max_consecutive_failures: config.safety.consecutiveFailuresMax,
    ...(overrides.orderLimit === undefined ? {} : { order_limit: overrides.orderLimit }),
  };
}

/** Starts the pair; one that already runs is joined and keeps its own settings, its lanes too (`otherLanes`). */
export async function startPair(client: Client, input: PairInput): Promise<'started' | 'joined'> {
  try {
    await client.workflow.start<typeof pairWorkflow>('pair', {
      workflowId: pairWorkflowId(input.maker_account, input.market),
      taskQueue: ordersQueue(input.hedge_account),
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      staticSummary: `${input.strategy} ${input.market} on accounts ${input.maker_account} and ${input.hedge_account}`,
      typedSearchAttributes: [{ key: MARKET, value: input.market }],
    });
    return 'started';
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return 'joined';
  }
}

/** Lanes that the market's newest pair was started with and `wanted` lacks; none when there was no pair. */
export async function otherLanes(
  client: Client,
  wanted: Pick<PairInput, 'maker_account' | 'market' | 'lanes'>,
): Promise<readonly number[]> {
  try {
    const known = await inputOf(client, pairWorkflowId(wanted.maker_account, wanted.market));
    return known?.lanes.filter((lane) => !wanted.lanes.includes(lane)) ?? [];
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND) return [];
    throw error;
  }
}

/** Lane and market of every order that runs. */
export async function lanesOfOpenOrders(
  client: Client,
  makerAccount: number,
): Promise<readonly { readonly symbol: string; readonly lane: number }[]> {
  const open = await openOrders(client, makerAccount);
  return open.flatMap(({ id, market: symbol }) => (symbol === undefined ? [] : [{ symbol, lane: laneOf(id) }]));
}

/** What the newest run was started with; from its history, so that no worker needs to answer. */
async function inputOf(client: Client, workflowId: string): Promise<PairInput | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return payload ? pairInputFrom(defaultPayloadConverter.fromPayload(payload)) : undefined;
}
