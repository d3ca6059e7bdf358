/** P-29: the exchange lets no queued dead-man's switch be overwritten: a maker that starts again takes it back, sets it anew, and quotes. */
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './eventually';
import { A, System } from './harness';

let system: System;
afterEach(() => system.stop());

test('a switch of the run before is taken back and set again before a quote rests', async () => {
  system = await System.start({ paper: { switchRenewal: 'refuse' }, config: { makerOrderTimeOutMs: 5_000 } });
  await system.startHedger();
  await system.startMaker();
  const first = await system.fill(1);
  await system.ended(first);
  await system.stopMaker();
  await system.startMaker();
  await eventually('it quotes again', async () =>
    (await system.resting()).find(({ client_order_index }) => String(client_order_index) > first) ? true : undefined,
  );
  const { refused } = await system.truth<{ refused: { code: number }[] }>(A);
  expect(refused.map(({ code }) => code)).toContain(21_712);
  expect(system.alerts.received.filter(({ kind }) => kind === 'switch-not-renewed')).toEqual([]);
}, 90_000);
