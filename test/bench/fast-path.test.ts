import { expect, jest, test } from '@jest/globals';
import { measureFastPath } from '../../bench/hedge-path';

/**
 * Above every ratio seen without a fault: 1.0 to 1.2, 0.5 to 1.5 where the system denies priority, 2.4 before there was a warm-up.
 * Below those with 2 ms lost in the listener, 4.0. A machine may be noisy, but the noise hits the floor as well (docs/benchmarks.md,
 * Guard).
 */
const RATIO_MAX = 3;

/** A neighbour's noise comes and goes, a loss of ours is in every round: the best round is judged. */
const ROUNDS_MAX = 3;

test('the fast path stays within a small factor of what the machine can do at all', async () => {
  jest.spyOn(console, 'log').mockImplementation(() => undefined); // the benchmark's own lines
  let best = Infinity;
  for (let round = 0; round < ROUNDS_MAX && best > RATIO_MAX; round++) {
    const [line] = await measureFastPath({ fills: { whole: 40, half: 0 }, warmUp: 15, intervalMs: 150 });
    expect(line?.n).toBeGreaterThanOrEqual(40);
    best = Math.min(best, (line?.p50_ms ?? NaN) / (line?.floor_p50_ms ?? NaN));
  }
  expect(best).toBeLessThanOrEqual(RATIO_MAX);
}, 240_000);
