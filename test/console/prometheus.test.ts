import { expect, test } from '@jest/globals';
import { barsOf, byLabel, figuresOf, samplesOf } from '../../src/console/prometheus';
import { createMetrics } from '../../src/observability';

test('a page of ours is read as it was written: gauges by label, a histogram with its quantiles', async () => {
  const metrics = createMetrics({ process: 'hedger', version: '1' });
  metrics.booksOff.set({ market: '<script>"x",\\y' }, 0.0003);
  metrics.moneyToday.set({ account: 'both', figure: 'fees' }, -1.5);
  for (const seconds of [0.0004, 0.0004, 0.03, 100]) metrics.fillToSubmit.observe({ path: 'fast' }, seconds);
  metrics.naked.observe('BTC', 0.15, 20);
  const samples = samplesOf(
    `${await metrics.registry.metrics()}\nno sample\ncounterleg_broken{ 1\ncounterleg_nan NaN\n`,
  );
  expect(byLabel(samples, 'books_off_base_units', 'market')).toEqual({ '<script>"x",\\y': 0.0003 });
  expect(figuresOf(samples, 'money_today_usdc', 'figure', 'account')).toEqual({ fees: { both: -1.5 } });
  const bars = barsOf([samples], 'fill_to_submit_seconds');
  expect(bars).toMatchObject({ p50Ms: 0.5 });
  expect(barsOf([samples, samples], 'fill_to_submit_seconds')?.counts.reduce((sum, count) => sum + count, 0)).toBe(8);
  expect(bars?.p99Ms).toBeUndefined(); // beyond the last bound
  expect(bars?.counts.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(barsOf([samples], 'naked_seconds')).toMatchObject({ p50Ms: 200, p99Ms: 200 });
  expect(barsOf([samples], 'fill_to_hedged_seconds')).toBeUndefined();
  expect([samples.has('broken'), samples.has('nan')]).toEqual([false, false]);
});
