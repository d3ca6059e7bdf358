/** What the hedger tells when an order is confirmed. */
import { describe, expect, test } from '@jest/globals';
import { lots, notional } from '../../src/domain/lots';
import type { Market } from '../../src/domain/records';
import { createMetrics } from '../../src/observability';
import { orderResultOf, sliceOf } from '../order-result';
import { hedgeNotice, observeNaked, observeStages } from '../../src/workers/confirmation';

const btc: Market = {
  marketId: 1,
  symbol: 'BTC',
  sizeDecimals: 5,
  priceDecimals: 1,
  minBaseLots: lots(20),
  minQuote: notional(10_000_000n),
};
const at = { hedgeAccount: 1002, markets: [btc] };

describe('B’s notice', () => {
  test('says what B hedged, with the exact quote of the ledger and not one made from the price shown', () => {
    expect(hedgeNotice(orderResultOf(), at)).toMatchObject({
      accountIndex: 1002,
      side: 'sell',
      status: 'filled',
      filledLots: 20n,
      filledQuote: 21_888_700n,
    });
  });

  test('is not sent for an order that was closed on A, not one lot of it hedged', () => {
    const hedge = {
      executed_base_amount: '0.00000',
      executed_quote_amount: '0.000000',
      avg_price: '0.0',
      slices: [],
    };
    expect(hedgeNotice(orderResultOf({ hedge, closed_base_amount: '0.00020' }), at)).toBeUndefined();
  });

  test('tells the hedged part of an order that was partly closed on A', () => {
    const hedge = { ...orderResultOf().hedge, executed_base_amount: '0.00005', executed_quote_amount: '5.472175' };
    expect(hedgeNotice(orderResultOf({ hedge, closed_base_amount: '0.00015' }), at)).toMatchObject({
      filledLots: 5n,
      filledQuote: 5_472_175n,
    });
  });
});

describe('stages across processes', () => {
  const sums = async (timings: Record<string, number>, slices = [sliceOf()]) => {
    const metrics = createMetrics({ process: 'hedger', version: '0' });
    observeStages(metrics, orderResultOf({ timings, hedge: { ...orderResultOf().hedge, slices } }));
    const text = await metrics.registry.metrics();
    return Object.fromEntries(
      [...text.matchAll(/^counterleg_(\w+)_seconds_sum\{(.*)\} (\S+)$/gm)].map(([, name, labels, sum]) => [
        `${name} ${/path="(\w+)"/.exec(labels ?? '')?.[1] ?? ''}`.trim(),
        Number(sum),
      ]),
    );
  };

  test('are observed by path, from the times that the result has collected', async () => {
    const found = await sums({
      fill_frame_ms: 1_000,
      hedge_submitted_ms: 1_001,
      hedge_resolved_ms: 1_300,
      confirmed_ms: 1_325,
    });
    expect(found).toMatchObject({
      'fill_to_submit fast': 0.001,
      'fill_to_hedged fast': 0.3,
      hedged_to_confirmed: 0.025,
    });
  });

  test.each([
    ['a hedge before the frame that the workflow heard of', { fill_frame_ms: 1_002, hedge_submitted_ms: 1_001 }],
    ['a stage that nobody alive saw', { hedge_submitted_ms: 1_001 }],
  ])('%s says nothing about time', async (_, timings) => {
    expect(await sums(timings)).not.toHaveProperty(['fill_to_submit fast']);
  });

  test('an order without a hedge has none', async () => {
    expect(await sums({ fill_frame_ms: 1_000, confirmed_ms: 1_325 }, [])).toMatchObject({ hedged_to_confirmed: 0 });
  });
});

test('naked time counts each lot once, those of which it is unknown not at all', async () => {
  const metrics = createMetrics({ process: 'hedger', version: '0' });
  const matched = [
    { base_amount: '0.00005', traded_at_us: 1_000, hedged_at_us: 251_000, delay_ms: 180 },
    { base_amount: '0.00012', traded_at_us: 51_000, hedged_at_us: 551_000 },
    { base_amount: '0.00003', hedged_at_us: 551_000 },
  ];
  observeNaked(metrics, orderResultOf({ naked_times: matched }));
  const text = await metrics.registry.metrics();
  const value = (name: string, labels: string): string | undefined =>
    new RegExp(`^counterleg_${name}\\{${labels},process="hedger"\\} (\\S+)$`, 'm').exec(text)?.[1];
  const bucket = (le: string) => value('naked_seconds_bucket', `market="BTC",le="${le}"`);
  expect(['0.2', '0.5', '1', '\\+Inf'].map(bucket)).toEqual(['0', '17', '17', '17']);
  expect(value('naked_seconds_sum', 'market="BTC"')).toBe('7.25');
  expect(value('naked_seconds_count', 'market="BTC"')).toBe('17');
  expect(
    ['yes', 'no', 'unknown'].map((overlap) => value('lots_hedged_total', `market="BTC",overlap="${overlap}"`)),
  ).toEqual(['12', '5', '3']);
});
