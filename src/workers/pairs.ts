/** Starting a pair, or joining the one that runs: everything it needs for its life comes from the configuration, once, here. */
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy, type Client } from '@temporalio/client';
import type { Config, PairConfig } from '../config';
import { pairWorkflowId } from '../domain/ids';
import { parseLots } from '../domain/lots';
import { ORDERS_QUEUE, type PairInput } from '../domain/messages';
import type { Market } from '../domain/records';
import type { pair as pairWorkflow } from '../workflows';
import { MARKET } from '../workflows/messages';

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
    max_position_lots: parseLots(pair.maxPosition, market.sizeDecimals).toString(),
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

/** Starts the pair; one that already runs is joined and keeps its own settings. */
export async function startPair(client: Client, input: PairInput): Promise<'started' | 'joined'> {
  try {
    await client.workflow.start<typeof pairWorkflow>('pair', {
      workflowId: pairWorkflowId(input.maker_account, input.market),
      taskQueue: ORDERS_QUEUE,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      staticSummary: `${input.strategy} ${input.market} on accounts ${input.maker_account} and ${input.hedge_account}`,
      typedSearchAttributes: [{ key: MARKET, value: input.market }],
    });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'joined';
    throw error;
  }
}
