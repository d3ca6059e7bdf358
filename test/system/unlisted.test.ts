/** P-22: the exchange rejects hedges with a code that nobody lists: named, not sent again for ever, and closed on A where that is the policy. */
import { afterEach, expect, test } from '@jest/globals';
import { B, System } from './harness';
import { expectMirror, retryHedge } from './orders';

let system: System;
afterEach(() => system.stop());

const rejects = (match: object): Promise<void> =>
  system.fault({ on: 'request', action: 'answer', status: 400, code: 21_999, count: 0, match });

async function start(onStuck: 'keep_trying' | 'close'): Promise<void> {
  system = await System.start({
    pairs: [{ lanes: [5], spareLanes: [] }],
    config: { hedge: { slippageBps: 20, slippageBpsMax: 100, onStuck, forceCloseTimeoutMs: 2_000 } },
  });
  await system.startHedger();
  await system.startMaker();
}

test('orders of B are rejected: the alert names code and text, and A is closed', async () => {
  await start('close');
  await rejects({ path: 'sendTx', account_index: B, tx_type: 14 });
  const id = await system.fill(1);
  const stuck = await system.alerts.expect('hedge-stuck', id);
  expect(stuck.what).toMatch(/\(21999\)/);
  const { result } = await system.ended(id, 30_000);
  expect(result).toMatchObject({ exposure: '0.00000', hedge: { executed_base_amount: '0.00000' } });
  await expectMirror(system);
}, 90_000);

test('it is tried again ever more slowly, and hedged as soon as the exchange takes it', async () => {
  await start('keep_trying');
  await rejects({ path: 'sendTx', account_index: B, tx_type: 14 });
  const id = await system.fill(1);
  await system.alerts.expect('hedge-stuck', id);
  const { active } = await system.control<{ active: { hits: number }[] }>('GET', 'faults');
  expect(active[0]?.hits).toBeLessThan(8); // as unknown it is sent a dozen times in the first seconds
  await system.clearFaults();
  await retryHedge(system, id);
  expect((await system.ended(id)).result).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
  await expectMirror(system);
}, 90_000);
