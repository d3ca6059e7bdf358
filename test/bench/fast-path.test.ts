import { expect, jest, test } from '@jest/globals';
import { measureFastPath } from '../../bench/hedge-path';

/** Far above what is measured (docs/benchmarks.md): a machine may be noisy, but the noise hits the floor as well. */
const RATIO_MAX = 8;

test('the fast path stays within a small factor of what the machine can do at all', async () => {
  jest.spyOn(console, 'log').mockImplementation(() => undefined); // the benchmark's own lines
  const [line] = await measureFastPath({ fills: { whole: 40, half: 0 }, warmUp: 15, intervalMs: 150 });
  expect(line?.n).toBeGreaterThanOrEqual(40);
  expect((line?.p50_ms ?? NaN) / (line?.floor_p50_ms ?? NaN)).toBeLessThanOrEqual(RATIO_MAX);
}, 120_000);
