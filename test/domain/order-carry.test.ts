import { expect, test } from '@jest/globals';
import { newOrder } from '../../src/domain/order';
import { packOrder, unpackOrder } from '../../src/domain/order-carry';
import { lots } from '../../src/domain/lots';

const order = () =>
  newOrder(
    {
      order_id: ((1n << 20n) * 128n).toString(),
      maker_account: 1,
      hedge_account: 2,
      market: { market_id: 0, symbol: 'BTC', size_decimals: 5, price_decimals: 1 },
      side: 'buy',
      lots: '20',
      price_ticks: '1000000',
      time_out_ms: 30_000,
      expiry_ms: 600_000,
      policy: { slippage_bps: 20, max_slippage_bps: 100, on_stuck: 'close', force_close_timeout_ms: 10_000 },
      spare_lanes: [9],
    },
    1_000,
  );

test('S-58 a ledger survives the way from one run to the next, whatever it holds', () => {
  const before = order();
  before.filledLots = lots(20n);
  before.nakedSinceMs = 5;
  before.stuck = { sinceMs: 7, reason: 'no margin: {"$bigint":"3"}' };
  before.alerted.stuckSinceMs = 7;
  before.tickets[0]!.blocked = { code: 'margin', message: 'too little', retryAtMs: 9 };
  expect(unpackOrder(packOrder(before))).toEqual(before);
});

test('what is no ledger is refused', () => {
  for (const text of ['', '{}', '[]', 'null', '{"id":1}']) expect(() => unpackOrder(text)).toThrow();
});
