/** How an order ended, as the account's stream tells it: known, waited for, or unknown (invariants 6, 8). */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { indexOf, orderRecordOf } from '../order-record';
import { orderEnd } from '../../src/hedging/order-end';
import { FakeAccount } from './port';

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

test('the end: known already, heard while waiting, or unknown after the wait', async () => {
  const { stream } = new FakeAccount();
  stream.orders(orderRecordOf(128, 3, 'canceled'));
  expect(await orderEnd(stream.own, indexOf(128), 0)).toMatchObject({ filledLots: 3n });
  const waiting = orderEnd(stream.own, indexOf(256), 1_000);
  stream.orders(orderRecordOf(256, 4));
  stream.orders(orderRecordOf(256, 7, 'canceled'));
  expect(await waiting).toMatchObject({ status: 'canceled', filledLots: 7n });
  const never = orderEnd(stream.own, indexOf(384), 1_000);
  stream.orders(orderRecordOf(384, 1));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await never).toBeUndefined();
  expect(jest.getTimerCount()).toBe(0);
});
