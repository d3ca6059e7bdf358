/** P-21: the volume quota is used up: hedges go in the free slots, nothing else is spent, quoting stops above a floor and goes on by itself. */
import { afterEach, expect, test } from '@jest/globals';
import type { PairStatus } from '../../src/domain/pair-status';
import { eventually, standstill } from './eventually';
import { B, System } from './harness';
import { expectMirror, type Truth } from './orders';

let system: System;
afterEach(() => system.stop());

test('two fills without any quota: both are hedged within two free slots; then it quotes again by itself', async () => {
  system = await System.start({
    pairs: [{ lanes: [5, 6] }],
    paper: { quota: 'tier' },
    config: {
      safety: { orderExpiryMs: 600_000, deadManMs: 360_000, consecutiveFailuresMax: 5, clockSkewMsMax: 1_000 },
    },
  });
  await system.control('POST', 'limits', { quota_start: 140 });
  await system.startHedger();
  await system.startMaker();
  const orders = await eventually('two quotes rest', async () => {
    const resting = await system.resting();
    return resting.length === 2 ? resting : undefined;
  });
  await system.control('POST', 'limits', { quota_start: 0 });
  const filledAtMs = performance.now();
  const stoodMs = standstill();
  for (const order of orders) await system.fillResting(order);
  for (const order of orders)
    expect((await system.ended(order.client_order_index, 40_000)).result).toMatchObject({ exposure: '0.00000' });
  expect(performance.now() - filledAtMs).toBeLessThan(25_000 + stoodMs());
  const { refused, transactions } = await system.truth<Truth>(B);
  // The same bytes again are refused once they have executed.
  const spent = new Set(transactions.map(({ api_key_index, nonce }) => `${api_key_index} ${nonce}`));
  const others = refused.filter(({ api_key_index, nonce }) => !spent.has(`${api_key_index} ${nonce}`));
  expect(others.filter(({ code }) => code !== 23_000)).toEqual([]);
  const low = await system.alerts.expect('quota-low');
  expect(low.what).toMatch(/are left of the volume quota .* nothing is quoted/);
  // One that ends by itself meanwhile need not fill.
  for (const order of await system.resting()) await system.fillResting(order).catch(() => undefined);
  await system.pairSays('why it does not quote', (pair: PairStatus) =>
    pair.slots.some(({ note }) => /left of the volume quota/.test(note ?? '')),
  );
  await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
  await system.control('POST', 'limits', { quota_start: 1_000 });
  await eventually('it quotes again', async () => ((await system.resting()).length > 0 ? true : undefined), 90_000);
  await expectMirror(system);
}, 200_000);
