/** Where and when a running pair quotes, changed by `pair set`: its price, placing anew on drift, the edge, the schedule. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PairSetting } from '../../src/domain/pair-terms';
import { eventually } from './eventually';
import { A, NEIGHBOUR, System } from './harness';
import { expectMirror, resolved, type Truth } from './orders';

let system: System;
beforeAll(async () => {
  const pair = { side: 'buy', depth: 3, lanes: [5] } as const;
  system = await System.start({ pairs: [pair], config: { fees: { maker: 40n, taker: 280n } } });
  await system.startHedger();
  await system.startMaker();
});
afterAll(() => system.stop());

const set = (setting: PairSetting): Promise<string> => system.pair().executeUpdate('set', { args: [setting] });
const refused = (code: string) =>
  system.pairSays(code, ({ slots }) => slots[0]?.reasons.some((reason) => reason.code === code) === true);

/** Price of A's one order that rests and is not `beside`. */
const rests = (beside?: string): Promise<string> =>
  eventually('another order of A rests', async () => {
    const [order, ...more] = await system.resting(1);
    return order === undefined || more.length > 0 || order.price === beside ? undefined : order.price;
  });

/** The best bid of others. */
async function bestBid(): Promise<string> {
  const response = await fetch(`${system.paper.url}/api/v1/orderBookOrders?market_id=1&limit=10`);
  const { bids } = (await response.json()) as { bids: { owner_account_index: number; price: string }[] };
  return bids.find((row) => row.owner_account_index !== A)?.price ?? 'none';
}

test('the best level is joined; when somebody bids more the quote is placed anew there, and what fills is hedged', async () => {
  const third = await rests();
  await set({ price_buy: 'join', requote_drift: '1 ticks', requote_min_rest_ms: 100 });
  const joined = await rests(third);
  expect(joined).toBe(await bestBid());
  const price = (Number(joined) + 0.1).toFixed(1);
  const bid = { market_id: 1, account_index: NEIGHBOUR, is_ask: false, base_amount: '0.01', price, type: 'limit' };
  await system.control('POST', 'orders', bid);
  expect(await rests(joined)).toBe(price);
  const { orders } = await system.truth<Truth>(A);
  expect(orders.filter((order) => order.price === joined).map(({ status }) => status)).toEqual(['canceled']);
  const { result } = await resolved(system, await system.fill(1));
  expect(result.maker.avg_price).toBe(price);
  await expectMirror(system);
});

test('an edge that no book leaves: nothing rests, and the slot says what there would be', async () => {
  await set({ min_edge_bps: '500' });
  const { slots } = await refused('edge');
  expect(slots[0]?.note).toMatch(/a buy at this price would leave -?[\d.]+ bps after fees, min_edge_bps is 500/);
  expect(await system.resting(1)).toEqual([]);
  await set({ min_edge_bps: '-500' });
  await rests();
});

test('an edge that goes while the quote rests takes it away, also from a maker that did not place it', async () => {
  await set({ price_buy: 'level 10', requote_drift: null, min_edge_bps: '-10', time_out_ms: 600_000 });
  await rests();
  await system.stopMaker();
  await system.startMaker();
  await system.control('POST', 'market', { market_id: 1, levels: 0 }); // nobody is left to hedge with
  await refused('thin-book');
  expect(await system.resting(1)).toEqual([]);
  await system.control('POST', 'market', { market_id: 1, levels: 20 });
  await rests();
});

test('a schedule: nothing rests outside of it, and its end is known', async () => {
  const other = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][(new Date().getUTCDay() + 2) % 7] ?? '';
  await set({ min_edge_bps: null, requote_min_rest_ms: null, schedule: `${other} 06:00-18:00` });
  const { slots, terms } = await refused('schedule');
  expect(slots[0]?.note).toMatch(/outside its schedule \(.*, UTC\): quotes again at 20/);
  expect(terms.schedule).toBe(`${other} 06:00-18:00`);
  expect(await system.resting(1)).toEqual([]);
  await set({ schedule: null });
  await rests();
});

test('what is wrong is rejected, and what rests stays', async () => {
  const before = await system.resting(1);
  await expect(set({ price_buy: 'best' })).rejects.toMatchObject({
    cause: { message: expect.stringContaining('price.buy cannot be "best"') as unknown },
  });
  expect(await system.resting(1)).toEqual(before);
});
