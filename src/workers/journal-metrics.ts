/** The main figures of the day, for whoever watches. What is not known is absent: yesterday's figure says nothing of today. */
import { dayStartUs } from '../domain/rebalance';
import { reportOf, type Report } from '../journal/report';
import type { Store } from '../journal/store';
import type { Metrics } from '../observability/metrics';
import type { Accounts } from '../journal/orders';

/** `store` undefined: the database cannot be opened. Never rejects. */
export async function showToday(
  store: Store | undefined,
  from: { readonly accounts: Accounts; readonly metrics: Metrics; readonly lagUs: bigint; readonly nowMs: number },
): Promise<void> {
  const { accounts, metrics, lagUs, nowMs } = from;
  const untilUs = BigInt(Math.floor(nowMs)) * 1000n;
  const asked = { accounts, lagUs, untilUs, fromUs: dayStartUs(untilUs) };
  const report = store === undefined ? undefined : await reportOf(store, asked).catch(() => undefined);
  forget(metrics);
  if (report !== undefined) show(metrics, report);
}

function show(metrics: Metrics, { total, orders }: Report): void {
  const figures = {
    volume: total.volume_usdc,
    fees: total.fees_usdc,
    funding: total.funding_usdc,
    realised_pnl: total.realised_pnl_usdc,
    ...(total.open_pnl_usdc === null ? {} : { open_pnl: total.open_pnl_usdc }),
  };
  for (const [figure, money] of Object.entries(figures)) {
    for (const account of ['maker', 'hedge', 'both'] as const)
      metrics.moneyToday.set({ account, figure }, Number(money[account]));
  }
  metrics.moneyToday.set({ account: 'both', figure: 'spread' }, Number(total.spread_usdc));
  if (total.cost_usdc !== null) metrics.moneyToday.set({ account: 'both', figure: 'cost' }, Number(total.cost_usdc));
  if (total.cost_bps !== null) metrics.costToday.set({ account: 'both' }, Number(total.cost_bps));
  metrics.nakedToday.set(total.naked.usdc_seconds);
  if (orders === null) return;
  metrics.quotaUsedToday.set(orders.quota_used);
  if (orders.fill_rate !== null) metrics.fillRateToday.set(orders.fill_rate);
}

function forget({ moneyToday, costToday, nakedToday, quotaUsedToday, fillRateToday }: Metrics): void {
  for (const gauge of [moneyToday, costToday]) gauge.reset();
  for (const gauge of [nakedToday, quotaUsedToday, fillRateToday]) gauge.remove();
}
