/** How an order ended, as the account's stream tells it: known, waited for, or unknown (invariants 6, 8). */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { orderEnd } from '../../src/hedging/order-end';
import type { ClientOrderIndex } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { OrderRecord, OrderStatus } from '../../src/domain/records';
import { FakeAccount } from './port';

const index = (n: number): ClientOrderIndex => BigInt(n) as ClientOrderIndex;
const record = (n: number, filled: number, status: OrderStatus = 'open'): OrderRecord => ({
  accountIndex: 7,
  marketId: 1,
  orderIndex: BigInt(n),
  clientOrderIndex: index(n),
  side: 'buy',
  status,
  initialLots: lots(20),
  filledLots: lots(filled),
  filledQuote: notional(0n),
  priceTicks: ticks(1n),
  transactionTimeUs: 0,
});

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

test('the end: known already, heard while waiting, or unknown after the wait', async () => {
  const { stream } = new FakeAccount();
  stream.orders(record(128, 3, 'canceled'));
  expect(await orderEnd(stream.own, index(128), 0)).toMatchObject({ filledLots: 3n });
  const waiting = orderEnd(stream.own, index(256), 1_000);
  stream.orders(record(256, 4));
  stream.orders(record(256, 7, 'canceled'));
  expect(await waiting).toMatchObject({ status: 'canceled', filledLots: 7n });
  const never = orderEnd(stream.own, index(384), 1_000);
  stream.orders(record(384, 1));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await never).toBeUndefined();
  expect(jest.getTimerCount()).toBe(0);
});
