/** The other half of the 5 000 seeds of every test run, so that two workers share them (simulation.test.ts has the first). */
import { expect, test } from '@jest/globals';
import { simulate } from './child';

test('every invariant holds in seeds 2 501 … 5 000, and every order ends once the faults stop', async () => {
  const { code, output } = await simulate(['--seeds', '2500', '--from', '2501']);
  expect(output).toContain('ok: 2500');
  expect(code).toBe(0);
}, 240_000);
