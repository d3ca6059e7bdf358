/** The other half of the 5 000 seeds of every test run, so that two workers share them (simulation.test.ts has the first). */
import { expect, test } from '@jest/globals';
import { simulate } from './child';

test('every invariant holds in seeds 2 501 … 5 000, and every order ends once the faults stop', async () => {
  const { code, output } = await simulate(['--seeds', '2500', '--from', '2501']);
  expect(output).toContain('ok: 2500');
  expect(code).toBe(0);
}, 600_000);

test('H-24 old rejections that a restarted process meets again pause nothing (seed 23 001 742)', async () => {
  const { output } = await simulate(['--seeds', '1', '--from', '23001742']);
  expect(output).toContain('ok: 1');
});
