/** The main figures of the day, for whoever watches. */
import { dayStartUs } from '../domain/rebalance';
import { reportOf } from '../journal/report';
import type { Store } from '../journal/store';
import type { Metrics } from '../observability/metrics';
import type { Accounts } from '../journal/orders';

export async function showToday(
  store: Store,
  from: { readonly accounts: Accounts; readonly metrics: Metrics; readonly lagUs: bigint; readonly nowMs: number },
): Promise<void> {
  const { accounts, metrics, lagUs, nowMs } = from;
  const untilUs = BigInt(Math.floor(nowMs)) * 1000n;
  const { total, orders } = await reportOf(store, { accounts, lagUs, untilUs, fromUs: dayStartUs(untilUs) });
  const figures = {
    volume: total.volume_usdc,
    fees: total.fees_usdc,
    funding: total.funding_usdc,
    realised_pnl: total.realised_pnl_usdc,
    open_pnl: total.open_pnl_usdc,
  };
  for (const [figure, money] of Object.entries(figures)) {
    for (const account of ['maker', 'hedge', 'both'] as const)
      metrics.moneyToday.set({ account, figure }, Number(money[account]));
  }
  metrics.moneyToday.set({ account: 'both', figure: 'spread' }, Number(total.spread_usdc));
  metrics.moneyToday.set({ account: 'both', figure: 'cost' }, Number(total.cost_usdc));
  if (total.cost_bps === null) metrics.costToday.remove({ account: 'both' });
  else metrics.costToday.set({ account: 'both' }, Number(total.cost_bps));
  metrics.nakedToday.set(total.naked.usdc_seconds);
  if (orders === null) return;
  metrics.quotaUsedToday.set(orders.quota_used);
  if (orders.fill_rate !== null) metrics.fillRateToday.set(orders.fill_rate);
}
