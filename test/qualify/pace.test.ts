/** `qualify` asks no faster than the account's tier allows. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/clock';
import { Pace, type Budget } from '../../src/qualify/pace';

async function timesOf(budget: Budget, what: string, count: number): Promise<number[]> {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const pace = new Pace(budget, clock, async (ms) => void (nowMs += ms));
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    await pace.take(what);
    times.push(nowMs);
  }
  return times;
}

test('sixty requests a minute: forty-eight at once, the next a minute later', async () => {
  const times = await timesOf({ perMinute: 60, counts: 'requests' }, 'account', 50);
  expect(times.slice(0, 48)).toEqual(Array(48).fill(0));
  expect(times[48]).toBeGreaterThan(60_000);
  expect(times[48]).toBeLessThan(61_100);
});

test('weights: an account is three hundred, a send six', async () => {
  const budget = { perMinute: 24_000, counts: 'weights' } as const;
  expect((await timesOf(budget, 'account', 65)).filter((atMs) => atMs === 0)).toHaveLength(64);
  expect((await timesOf(budget, 'sendTx', 200)).filter((atMs) => atMs === 0)).toHaveLength(200);
});
