/** A cache of facts about A's orders: what is here happened, what is not here says nothing (invariants 6, 7, 8). */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OrderWatch } from '../../src/desk/order-watch';
import type { ClientOrderIndex } from '../../src/domain/ids';
import { lots, quote, ticks } from '../../src/domain/lots';
import type { OrderRecord, OrderStatus } from '../../src/domain/records';
import { FakeAccount } from './port';

let account: FakeAccount;
let watch: OrderWatch;
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
  filledQuote: quote(0n),
  priceTicks: ticks(1n),
  transactionTimeUs: 0,
});

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  watch = new OrderWatch(account.stream);
});
afterEach(() => {
  watch.close();
  jest.useRealTimers();
});

test('late and repeated frames take nothing back: neither a fill nor an end', () => {
  account.stream.orders(record(128, 9), record(128, 5));
  expect(watch.find(index(128))?.filledLots).toBe(9n);
  account.stream.orders(record(128, 12, 'canceled'), record(128, 12), record(128, 11, 'filled'));
  expect(watch.find(index(128))).toMatchObject({ status: 'canceled', filledLots: 12n });
});

test('an end that is followed by a larger one contradicts it: the larger fill counts', () => {
  account.stream.orders(record(128, 12, 'canceled'), record(128, 20, 'filled'));
  expect(watch.find(index(128))).toMatchObject({ status: 'filled', filledLots: 20n });
});

test('what rests is what was last heard to rest, in that market', () => {
  account.stream.orders(record(128, 0), record(256, 0, 'canceled'), { ...record(384, 0), marketId: 2 });
  expect(watch.open(1).map((order) => order.clientOrderIndex)).toEqual([128n]);
});

test('an order without an index of ours is no order of ours (S-04)', () => {
  account.stream.orders(record(0, 5));
  expect(watch.find(index(0))).toBeUndefined();
});

test('the end: known already, heard while waiting, or unknown after the wait', async () => {
  account.stream.orders(record(128, 3, 'canceled'));
  expect(await watch.terminal(index(128), 0)).toMatchObject({ filledLots: 3n });
  const waiting = watch.terminal(index(256), 1_000);
  account.stream.orders(record(256, 4));
  account.stream.orders(record(256, 7, 'canceled'));
  expect(await waiting).toMatchObject({ status: 'canceled', filledLots: 7n });
  const never = watch.terminal(index(384), 1_000);
  account.stream.orders(record(384, 1));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await never).toBeUndefined();
  expect(jest.getTimerCount()).toBe(0);
});

test('memory is bounded: the order unheard of for longest goes first', () => {
  for (let n = 1; n <= 4_096; n++) account.stream.orders(record(n * 128, 0));
  account.stream.orders(record(128, 1));
  account.stream.orders(record(4_097 * 128, 0));
  expect([watch.find(index(128))?.filledLots, watch.find(index(256))]).toEqual([1n, undefined]);
});
