/** A warm-up: by the clock, one at a time, and never anybody's trouble. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { lots } from '../../src/domain/lots';
import { Executor } from '../../src/hedging/executor';
import { hedgeMadeUp } from '../../src/warm-up/executor';
import { warmUpEvery } from '../../src/warm-up/every';
import { ORDER_ID, readMadeUpFill } from '../../src/warm-up/made-up-fill';
import { madeUpListener } from '../../src/warm-up/maker';
import type { OutgoingNotice } from '../../src/notices/notice';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('one every few milliseconds until closed; never when the configuration says 0', async () => {
  let count = 0;
  const warmUp = warmUpEvery(10, () => count++);
  const none = warmUpEvery(0, () => (count += 100));
  await jest.advanceTimersByTimeAsync(35);
  expect(count).toBe(3);
  warmUp.close();
  none.close();
  await jest.advanceTimersByTimeAsync(100);
  expect(count).toBe(3);
});

test('one that throws or rejects costs nothing but itself', async () => {
  let count = 0;
  const warmUp = warmUpEvery(10, () => {
    count++;
    if (count === 1) throw new Error('a bug');
    return Promise.reject(new Error('another'));
  });
  await jest.advanceTimersByTimeAsync(30);
  expect(count).toBe(3);
  warmUp.close();
});

test('one that takes long is not overtaken by the next', async () => {
  let count = 0;
  let finish: () => void = () => undefined;
  const warmUp = warmUpEvery(10, () => {
    count++;
    return new Promise<void>((resolve) => (finish = resolve));
  });
  await jest.advanceTimersByTimeAsync(50);
  expect(count).toBe(1);
  finish();
  await jest.advanceTimersByTimeAsync(10);
  expect(count).toBe(2);
  warmUp.close();
});

test('each one is news to a listener of its own, which makes a notice of it', () => {
  const told: OutgoingNotice[] = [];
  const hear = madeUpListener({
    publishFills(fills) {
      told.push(...fills);
      return 'sent';
    },
  });
  for (let i = 0; i < 3; i++) hear(readMadeUpFill());
  expect(told.map(({ orderId, side, filledLots }) => ({ orderId, side, filledLots }))).toEqual(
    Array(3).fill({ orderId: ORDER_ID, side: 'buy', filledLots: 20n }),
  );
});

test('it is hedged on an account that sends nothing, with timers that Node can keep', async () => {
  const set = jest.spyOn(globalThis, 'setTimeout');
  const raise = jest.spyOn(Executor.prototype, 'raise');
  const fill = { orderId: ORDER_ID, marketId: 1, side: 'buy', filledLots: lots(20n), sizeDecimals: 5 } as const;
  await expect(hedgeMadeUp(fill)).resolves.toBeUndefined();
  expect(raise.mock.results.map(({ value }) => value)).toEqual(['raised']);
  expect(jest.getTimerCount()).toBe(0);
  const delays = set.mock.calls.map(([, ms]) => ms ?? 0);
  expect(delays.length).toBeGreaterThan(0);
  expect(delays.filter((ms) => ms > 2 ** 31 - 1)).toEqual([]); // beyond it Node warns, and fires at once
});
