/** The hedge meets a book with little or nothing in it: the price bound holds, and what is missing is never forgotten. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { B, NEIGHBOUR, System } from './harness';
import {
  ETH,
  expectMirror,
  fillOrder,
  makerOrderOf,
  quote,
  says,
  resolved,
  transactionsOf,
  type Truth,
} from './orders';

let system: System;
beforeAll(async () => {
  const pair = { side: 'round-trip', maxPosition: '1' } as const;
  system = await System.start({
    pairs: [
      { ...pair, market: 'BTC', lanes: [5] },
      { ...pair, market: 'ETH', quantity: '0.01', lanes: [6] },
    ],
  });
  await system.startHedger();
  await system.startMaker(undefined, []);
});
afterAll(() => system.stop());

/** Everybody else withdraws from the book; only our resting order stays. */
const empty = (market_id: number): Promise<unknown> => system.control('POST', 'market', { market_id, levels: 0 });
const bid = (market_id: number, price: string, base_amount: string): Promise<unknown> =>
  system.control('POST', 'orders', {
    market_id,
    account_index: NEIGHBOUR,
    is_ask: false,
    base_amount,
    price,
    type: 'limit',
  });

test('S-13 the hedge executes 15 of 20: the next slice asks for 5, at a wider bound', async () => {
  const id = await quote(system);
  const price = Number((await makerOrderOf(system, id))?.price);
  await empty(1);
  await bid(1, (price * 0.9995).toFixed(1), '0.00015');
  await bid(1, (price * 0.991).toFixed(1), '0.01'); // 90 bps away: outside the first bounds, inside the last
  await fillOrder(system, id);
  const { result, b } = await resolved(system, id);
  expect(result.hedge.slices.map((slice) => slice.executed).filter((base) => base !== '0.00000')).toEqual([
    '0.00015',
    '0.00005',
  ]);
  const asked = b.orders.filter((order) => order.market_index === 1).map((order) => order.initial_base_amount);
  expect(asked.slice(1).every((base) => base === '0.00005')).toBe(true);
  await expectMirror(system);
});

test('S-35 the nearest bid is 5 % away: not taken, stuck; bids come back: hedged within the bound', async () => {
  const id = await quote(system, { market: ETH, lane: 6, lots: 100n });
  const price = Number((await makerOrderOf(system, id))?.price);
  await empty(0);
  await bid(0, (price * 0.95).toFixed(2), '10');
  await fillOrder(system, id);
  await says(system, id, 'stuck', (state) => state.hedge_state === 'stuck');
  expect(transactionsOf(await system.truth<Truth>(B), id).length).toBeGreaterThan(1);
  await bid(0, (price * 0.995).toFixed(2), '10');
  const { result } = await resolved(system, id);
  expect(Number(result.hedge.avg_price)).toBeGreaterThanOrEqual(price * 0.99);
  await expectMirror(system);
});
