/** What the hedger tells when an order is confirmed. */
import { describe, expect, test } from '@jest/globals';
import type { OrderResult, SliceReport } from '../../src/domain/messages';
import { lots, notional } from '../../src/domain/lots';
import type { Market } from '../../src/domain/records';
import { createMetrics } from '../../src/observability';
import { hedgeNotice, observeStages } from '../../src/workers/confirmation';

const btc: Market = {
  marketId: 1,
  symbol: 'BTC',
  status: 'active',
  sizeDecimals: 5,
  priceDecimals: 1,
  minBaseLots: lots(20),
  minQuote: notional(10_000_000n),
};
const at = { hedgeAccount: 1002, markets: [btc] };

const slice: SliceReport = {
  client_order_index: '9240073732737',
  nonce: '2298142806017',
  base_amount: '0.00020',
  executed: '0.00020',
  status: 'filled',
  path: 'fast',
  tx_hash: 'ab',
};

function resultOf(change: Partial<OrderResult> = {}): OrderResult {
  return {
    order_id: '9240073732736',
    market: 'BTC',
    side: 'buy',
    maker: { status: 'filled', filled_base_amount: '0.00020', avg_price: '109440.7' },
    hedge: {
      executed_base_amount: '0.00020',
      executed_quote_amount: '21.888713',
      avg_price: '109443.6',
      slices: [slice],
    },
    closed_base_amount: '0.00000',
    exposure: '0.00000',
    hedge_state: 'flat',
    reason: '',
    timings: {},
    last_id: '9240073732736',
    ...change,
  };
}

describe('B’s notice', () => {
  test('says what B hedged, with the exact quote of the ledger and not one made from the price shown', () => {
    expect(hedgeNotice(resultOf(), at)).toMatchObject({
      accountIndex: 1002,
      side: 'sell',
      status: 'filled',
      filledLots: 20n,
      filledQuote: 21_888_713n,
    });
  });

  test('is not sent for an order that was closed on A, not one lot of it hedged', () => {
    const hedge = {
      executed_base_amount: '0.00000',
      executed_quote_amount: '0.000000',
      avg_price: '0.0',
      slices: [],
    };
    expect(hedgeNotice(resultOf({ hedge, closed_base_amount: '0.00020' }), at)).toBeUndefined();
  });

  test('tells the hedged part of an order that was partly closed on A', () => {
    const hedge = { ...resultOf().hedge, executed_base_amount: '0.00005', executed_quote_amount: '5.472175' };
    expect(hedgeNotice(resultOf({ hedge, closed_base_amount: '0.00015' }), at)).toMatchObject({
      filledLots: 5n,
      filledQuote: 5_472_175n,
    });
  });
});

describe('stages across processes', () => {
  const sums = async (timings: Record<string, number>, slices = [slice]) => {
    const metrics = createMetrics({ process: 'hedger', version: '0' });
    observeStages(metrics, resultOf({ timings, hedge: { ...resultOf().hedge, slices } }));
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
