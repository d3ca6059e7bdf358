/** Transfers of collateral between both accounts, in the program's names. */
import type { RebalanceLimits } from '../domain/rebalance';
import type { RawConfig } from './schema';

export interface RebalanceConfig extends RebalanceLimits {
  readonly lane: number;
  readonly automatic: boolean;
  /** By itself when the poorer account holds less than this part of both. */
  readonly startBelow: number;
}

export function rebalanceFrom({ rebalance }: RawConfig): { readonly rebalance?: RebalanceConfig } {
  if (rebalance === undefined) return {};
  const { lane, max_transfer: maxTransfer, max_per_day: maxPerDay, automatic, start_below: startBelow } = rebalance;
  return { rebalance: { lane, maxTransfer, maxPerDay, automatic, startBelow } };
}
