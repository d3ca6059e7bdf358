/** P-21: the volume quota is used up: hedges go in the free slots, nothing else is spent, quoting stops above a floor and goes on by itself. */
import { afterEach, expect, test } from '@jest/globals';
import type { PairStatus } from '../../src/domain/pair-status';
import { eventually, standstill } from './eventually';
import { B, System } from './harness';
import { expectMirror, type Truth } from './orders';

let system: System;
afterEach(() => system.stop());

interface Refusals {
  readonly refused: readonly { readonly code: number }[];
}

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
  const { refused } = (await system.truth<Truth & Refusals>(B)) as Refusals;
  expect(refused.filter(({ code }) => code !== 23_000)).toEqual([]);
  const low = await system.alerts.expect('quota-low');
  expect(low.what).toMatch(/are left of the volume quota .* nothing is quoted/);
  for (const order of await system.resting()) await system.fillResting(order);
  await system.pairSays('why it does not quote', (pair: PairStatus) =>
    pair.slots.some(({ note }) => /left of the volume quota/.test(note ?? '')),
  );
  await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
  await system.control('POST', 'limits', { quota_start: 1_000 });
  await eventually('it quotes again', async () => ((await system.resting()).length > 0 ? true : undefined), 90_000);
  await expectMirror(system);
}, 200_000);
