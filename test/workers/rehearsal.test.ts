/** Going through the motions: by the clock, one at a time, and never anybody's trouble. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { rehearseHedge } from '../../src/desk/rehearsal';
import { preferMainThread } from '../../src/workers/single-machine';
import { startRehearsals } from '../../src/workers/rehearsal';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('one every few milliseconds until closed; never when the configuration says 0', async () => {
  let count = 0;
  const rehearsals = startRehearsals(10, () => count++);
  const none = startRehearsals(0, () => (count += 100));
  await jest.advanceTimersByTimeAsync(35);
  expect(count).toBe(3);
  rehearsals.close();
  none.close();
  await jest.advanceTimersByTimeAsync(100);
  expect(count).toBe(3);
});

test('one that throws or rejects costs nothing but itself', async () => {
  let count = 0;
  const rehearsals = startRehearsals(10, () => {
    count++;
    if (count === 1) throw new Error('a bug');
    return Promise.reject(new Error('another'));
  });
  await jest.advanceTimersByTimeAsync(30);
  expect(count).toBe(3);
  rehearsals.close();
});

test('one that takes long is not overtaken by the next', async () => {
  let count = 0;
  let finish: () => void = () => undefined;
  const rehearsals = startRehearsals(10, () => {
    count++;
    return new Promise<void>((resolve) => (finish = resolve));
  });
  await jest.advanceTimersByTimeAsync(50);
  expect(count).toBe(1);
  finish();
  await jest.advanceTimersByTimeAsync(10);
  expect(count).toBe(2);
  rehearsals.close();
});

test('the desk’s part hedges a made-up fill on an account that sends nothing, with timers that Node can keep', async () => {
  const set = jest.spyOn(globalThis, 'setTimeout');
  await expect(rehearseHedge()).resolves.toBeUndefined();
  expect(jest.getTimerCount()).toBe(0);
  const delays = set.mock.calls.map(([, ms]) => ms ?? 0);
  expect(delays.length).toBeGreaterThan(0);
  expect(delays.filter((ms) => ms > 2 ** 31 - 1)).toEqual([]); // beyond it Node warns, and fires at once
});

test('a process that may not be preferred goes on as it is, and can say why', async () => {
  jest.useRealTimers();
  const gone = 2 ** 22 + 1; // above the largest pid of the kernel
  expect(await preferMainThread(gone)).toMatchObject({ kind: 'ordinary', reason: expect.stringMatching(/./) });
});
