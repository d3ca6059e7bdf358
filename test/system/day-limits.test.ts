/**
 * Limits of a day on a running system: the journal tells, what enlarges is withdrawn and not quoted, until somebody acknowledges it.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acknowledge, limitsStatus } from '../../src/cli/limits-command';
import { limitsWorkflowId } from '../../src/domain/day-limits';
import { runJournal } from '../../src/workers/journal';
import type { RunningProcess } from '../../src/workers/process';
import { eventually } from './eventually';
import { A, System } from './harness';
import { BTC, expectMirror } from './orders';

let system: System;
let journal: RunningProcess;

beforeAll(async () => {
  const limits = { daily_loss: '0.000001', naked_usdc_seconds: '1000000.000000' };
  system = await System.start({ pairs: [{ side: 'buy', quantity: '0.002' }], config: { limits } });
  const options = { env: process.env, version: 'test', logLevel: 'silent' };
  journal = await runJournal(system.config, { ...options, everyMs: 300, lagMs: 500 });
  // Also of a run that is there before, a hedger knows that it is of its accounts.
  const run = system.client.workflow.getHandle(limitsWorkflowId(A));
  await eventually('the journal has told the day', () => run.describe(), 60_000); // its database takes its time
  await system.startHedger();
  await system.startMaker();
}, 120_000);
afterAll(async () => {
  await journal.stop();
  await system.stop();
});

const rests = (): Promise<true> =>
  eventually('an order rests', async () => ((await system.resting()).length > 0 ? true : undefined));
const heldBy = (code: string): Promise<unknown> =>
  system.pairSays(`not quoted: ${code}`, ({ slots }) =>
    slots.every(({ reasons }) => reasons.some((one) => one.code === code)),
  );

test('quoted once the day is known; reached by a hedged fill, nothing that enlarges rests', async () => {
  const order = await system.fill(BTC.market_id);
  expect((await system.ended(order)).result).toMatchObject({ hedge_state: 'flat' });
  const alert = await system.alerts.expect('limit-daily-loss');
  expect(alert.what).toMatch(/lost \d.* USDC since midnight UTC .*until somebody acknowledges it/);
  await heldBy('limit');
  expect(await system.resting()).toEqual([]);
});

test('what reduces is quoted and hedged meanwhile; acknowledged, what enlarges is too', async () => {
  await system.pair().executeUpdate('set', { args: [{ strategy: 'sell' }] });
  const order = await system.fill(BTC.market_id);
  expect((await system.ended(order)).result).toMatchObject({ side: 'sell', hedge_state: 'flat' });
  await heldBy('limit'); // flat: a sell would enlarge
  await eventually('the journal has told both fills', async () => {
    const { figures } = (await limitsStatus(system.client, system.config)) ?? {};
    return Number(figures?.volume_usdc) > 700 ? true : undefined;
  });
  const said = await acknowledge(system.client, system.config, { name: 'all', by: 'ann@desk' });
  expect(said).toMatch(/^acknowledged: daily_loss\./);
  await rests();
  await expectMirror(system);
  expect(await limitsStatus(system.client, system.config)).toMatchObject({
    limits: [{ acknowledged: { by: 'ann@desk' } }, {}],
  });
  await expect(acknowledge(system.client, system.config, { name: 'loss', by: 'x' })).rejects.toThrow(
    /say one of daily_loss/,
  );
});
