/** S-49 A's quoting lanes are maker-only: the exchange itself keeps A from taking there, and what is closed is closed under a spare lane. */
import { afterEach, expect, test } from '@jest/globals';
import { A, B, System } from './harness';
import { expectMirror } from './orders';

let system: System;
afterEach(() => system.stop());

async function start(lanes: readonly number[]): Promise<void> {
  system = await System.start({
    pairs: [{ lanes: [5], spareLanes: [9] }],
    config: { hedge: { slippageBps: 20, slippageBpsMax: 100, onStuck: 'close', forceCloseTimeoutMs: 2_000 } },
  });
  for (const lane of lanes)
    await system.control('POST', 'keys', { account_index: A, api_key_index: lane, maker_only: true });
  await system.startHedger();
  await system.startMaker();
}

test('quotes fill and are hedged; what cannot be hedged is closed under the spare lane at once', async () => {
  await start([5, 4]);
  const first = await system.fill(1);
  expect((await system.ended(first)).result).toMatchObject({ hedge_state: 'flat', closed_base_amount: '0.00000' });
  await system.fault({
    ...{ on: 'request', action: 'answer', status: 400, code: 21739, count: 0 },
    match: { path: 'sendTx', account_index: B, tx_type: 14 },
  });
  const id = await system.fill(1);
  const { result } = await system.ended(id, 30_000);
  expect(result).toMatchObject({ exposure: '0.00000', closed_base_amount: '0.00020' });
  await expectMirror(system);
  expect(system.alerts.received.filter(({ kind }) => kind === 'key-rejected')).toEqual([]);
}, 90_000);

test('a flatten whose lanes are refused on A goes on under the spare lane', async () => {
  await start([5]);
  const id = await system.fill(1);
  expect((await system.ended(id)).result).toMatchObject({ hedge_state: 'flat' });
  expect(await system.pair().executeUpdate('flatten')).toMatch(/^flat/);
}, 90_000);

test('no ordinary lane to close on: told at the start, with the remedy', async () => {
  await start([5, 9]);
  const alert = await system.alerts.expect('cannot-close');
  expect(alert).toMatchObject({
    what: expect.stringMatching(/API key 5 .*BTC/),
    next: expect.stringContaining('spare_lanes'),
  });
});
