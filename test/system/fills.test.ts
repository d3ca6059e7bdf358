/** Every way a fill can arrive: each lot of it is hedged once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { runJournal } from '../../src/workers/journal';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import {
  BTC,
  CRV,
  ETH,
  expectMirror,
  fillOrder,
  fillPart,
  hedged,
  makerOrderOf,
  quote,
  rests,
  says,
  resolved,
  startOrder,
  transactionsOf,
  type Truth,
} from './orders';

let system: System;
const LANES_OF_BTC = [5, 6, 9, 10, 11, 12, 13, 14, 15, 16];
const pair = { side: 'round-trip', maxPosition: '1' } as const;
beforeAll(async () => {
  system = await System.start({
    pairs: [
      { ...pair, market: 'BTC', lanes: LANES_OF_BTC, spareLanes: [17] },
      { ...pair, market: 'ETH', quantity: '0.01', lanes: [7], spareLanes: [17] },
      { ...pair, market: 'CRV', quantity: '100', maxPosition: '100000', lanes: [8], spareLanes: [17] },
    ],
  });
  await system.startHedger();
  await system.startMaker(undefined, []);
});
afterAll(() => system.stop());
afterEach(async () => {
  await system.clearFaults();
  await expectMirror(system);
});

describe('partial fills', () => {
  test('S-01 20 lots fill as 5, then 15: two slices, hedged whole', async () => {
    const id = await quote(system);
    await fillPart(system, id, '0.00005');
    await hedged(system, id, '0.00005');
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.hedge.slices.map((slice) => slice.executed)).toEqual(['0.00005', '0.00015']);
    expect(result).toMatchObject({ hedge_state: 'flat', maker: { status: 'filled' } });
  });

  test('S-01, P-05 one fill after another, one lot small, while the hedge of the first is still on its way', async () => {
    const id = await quote(system);
    await system.fault({ on: 'sequencer', action: 'delay', ms: 4_000, match: { account_index: B, tx_type: 14 } });
    await fillOrder(system, id, '0.00001');
    await eventually('the hedge of the first is on its way', async () =>
      transactionsOf(await system.truth<Truth>(B), id).find(({ state }) => state === 'queued'),
    );
    await fillOrder(system, id, '0.00007', '0.00002', '0.00010');
    const { result } = await resolved(system, id);
    expect(result.hedge.slices.map((slice) => slice.executed)).toEqual(['0.00001', '0.00019']);
  });

  test('S-18 fills of two orders in one frame: both told and hedged by one slice each, no nonce in the way of the other', async () => {
    const before = await system.hedgerCount('notices_received_total');
    const [one, two] = await Promise.all([quote(system, { lane: 5 }), quote(system, { lane: 6 })]);
    const { price } = await rests(system, two);
    await system.control('POST', 'orders', {
      market_id: 1,
      is_ask: true,
      base_amount: '100',
      price,
      type: 'ioc',
    });
    const ends = await Promise.all([resolved(system, one), resolved(system, two)]);
    for (const { result } of ends) expect(result.hedge.slices.map((slice) => slice.executed)).toEqual(['0.00020']);
    await system.noticesHeard(before, 2);
    const { refused, transactions } = await system.truth<Truth>(B);
    // The same bytes again are rejected once they have executed: that is no order in the way of another.
    const own = transactions
      .filter((tx) => tx.state === 'executed')
      .map(({ api_key_index, nonce }) => [api_key_index, nonce]);
    expect(own).toEqual(expect.arrayContaining(refused.map(({ api_key_index, nonce }) => [api_key_index, nonce])));
    await system.control('POST', 'market', { market_id: 1, mid_price: '109450.0' });
  });
});

describe('timing', () => {
  test('S-03 the order fills before the submit has been answered: hedged without waiting for the answer', async () => {
    await system.fault(
      { on: 'response', action: 'delay', ms: 30_000, match: { account_index: A, tx_type: 14 } },
      { on: 'frame', action: 'delay', ms: 150, match: { channel: `account_all_orders:${A}` } },
    );
    const id = await startOrder(system);
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.timings['hedge_executed_ms']).toBeLessThan((result.timings['armed_ms'] ?? 0) + 25_000);
  });
});

test('S-02 the market moves through our price between read and send: nothing is taken, nothing is naked', async () => {
  // Whatever is sent again meanwhile is late too.
  await system.fault({ on: 'request', action: 'delay', ms: 5_000, count: 0, match: { account_index: A, tx_type: 14 } });
  const id = await startOrder(system);
  await says(system, id, 'armed', (state) => state.hedge_state === 'quoting');
  await system.control('POST', 'market', { market_id: 1, mid_price: '109000.0' });
  const { result } = await resolved(system, id);
  expect(result.maker.filled_base_amount).toBe('0.00000');
  expect((await makerOrderOf(system, id))?.status).toBe('canceled-post-only');
  await system.control('POST', 'market', { market_id: 1, mid_price: '109450.0' });
});

describe('markets', () => {
  test('S-25 market index 0', async () => {
    const before = await system.hedgerCount('notices_received_total');
    const id = await quote(system, { market: ETH, lane: 7, lots: 100n });
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result).toMatchObject({ market: 'ETH', hedge: { slices: [{ executed: '0.0100' }] } });
    await system.noticesHeard(before);
  });

  test('P-12 exchange ids above 2^53, and a sell order', async () => {
    const id = await quote(system, { market: CRV, lane: 8, lots: 1_000n, side: 'sell' });
    const { order_index } = (await makerOrderOf(system, id)) as unknown as { order_index: number };
    expect(order_index).toBeGreaterThan(2 ** 53);
    await fillPart(system, id, '35.5');
    await fillOrder(system, id);
    await resolved(system, id);
  });

  test('S-15 two markets on the same accounts at once: each order gets its own fills and no others', async () => {
    const [btc, eth] = await Promise.all([
      quote(system, { market: BTC, lane: 5, lots: 60n }),
      quote(system, { market: ETH, lane: 7, lots: 100n, side: 'sell' }),
    ]);
    await Promise.all([fillOrder(system, btc), fillPart(system, eth, '0.0060')]);
    const { result } = await resolved(system, btc);
    expect(result.hedge.executed_base_amount).toBe('0.00060');
    await hedged(system, eth, '0.0060');
    await fillOrder(system, eth);
    expect((await resolved(system, eth)).result.hedge.executed_base_amount).toBe('0.0100');
  });
});

test('P-03 ten orders fill at once: all told and hedged by one slice each', async () => {
  const ids: string[] = [];
  for (const lane of LANES_OF_BTC) ids.push(await quote(system, { lane }));
  const before = await system.hedgerCount('notices_received_total');
  const { price } = await rests(system, ids[9] ?? '');
  await system.control('POST', 'orders', { market_id: 1, is_ask: true, base_amount: '500', price, type: 'ioc' });
  for (const id of ids) {
    const { result } = await resolved(system, id);
    expect(result.hedge.slices).toMatchObject([{ executed: '0.00020' }]);
  }
  await system.noticesHeard(before, 10);
  const { transactions } = await system.truth<Truth>(B);
  const hedges = transactions.filter((tx) => ids.some((id) => BigInt(id) + 1n === BigInt(tx.client_order_index ?? 0)));
  expect(hedges).toHaveLength(10);
  await system.control('POST', 'market', { market_id: 1, mid_price: '109450.0' });
});

test('the database of the journal takes connections and never answers: fills are hedged meanwhile, in the same process even', async () => {
  const waiting: Socket[] = [];
  const database = createServer((socket) => void waiting.push(socket.on('error', () => undefined))).listen(
    0,
    '127.0.0.1',
  );
  const asked = once(database, 'connection');
  await once(database, 'listening');
  const databaseUrl = `postgres://nobody@127.0.0.1:${(database.address() as AddressInfo).port}/none`;
  const journal = await runJournal(
    { ...system.config, journal: { ...system.config.journal, databaseUrl } },
    { env: {}, version: 'test', everyMs: 100, logLevel: 'silent' },
  );
  try {
    await asked;
    const before = await system.hedgerCount('notices_received_total');
    const id = await quote(system);
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.hedge.slices).toMatchObject([{ executed: '0.00020' }]);
    await system.noticesHeard(before);
    expect(waiting.map(({ bytesWritten }) => bytesWritten)).toEqual(waiting.map(() => 0)); // never answered
  } finally {
    for (const socket of waiting) socket.destroy();
    database.close();
    await journal.stop();
  }
});

test('S-19 at depth 1 a hedge would hit our own resting order: that one gives way, A and B never trade with each other', async () => {
  const one = await quote(system, { lane: 5 });
  const two = await quote(system, { lane: 6 });
  // Only A's own bids are left at the top: the hedge of the first one meets the second one.
  await fillOrder(system, one);
  await resolved(system, one);
  const trades = (await system.truth<Truth>(B)).trades;
  expect(trades.filter((t) => [t.ask_account_id, t.bid_account_id].includes(A))).toEqual([]);
  const { result } = await resolved(system, two);
  expect(result).toMatchObject({ hedge_state: 'flat', maker: { filled_base_amount: '0.00000' } });
  expect((await makerOrderOf(system, two))?.status).toMatch(/^canceled/);
});
