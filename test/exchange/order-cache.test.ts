/** The memory of an account's orders: what is here happened, what is not here says nothing (invariants 6, 7, 8). */
import { beforeEach, expect, test } from '@jest/globals';
import type { ClientOrderIndex } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { OrderRecord, OrderStatus } from '../../src/domain/records';
import { OrderCache } from '../../src/exchange/lighter/order-cache';

let orders: OrderCache;
let thrown: unknown[];
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

const note = (...records: OrderRecord[]): void => records.forEach((some) => orders.note(some));

beforeEach(() => {
  thrown = [];
  orders = new OrderCache((error) => thrown.push(error));
});

test('late and repeated frames take nothing back: neither a fill nor an end', () => {
  note(record(128, 9), record(128, 5));
  expect(orders.find(index(128))?.filledLots).toBe(9n);
  note(record(128, 12, 'canceled'), record(128, 12), record(128, 11, 'filled'));
  expect(orders.find(index(128))).toMatchObject({ status: 'canceled', filledLots: 12n });
});

test('an end that is followed by a larger one contradicts it: the larger fill counts', () => {
  note(record(128, 12, 'canceled'), record(128, 20, 'filled'));
  expect(orders.find(index(128))).toMatchObject({ status: 'filled', filledLots: 20n });
});

test('what rests is what was last heard to rest, in that market', () => {
  note(record(128, 0), record(256, 0, 'canceled'), { ...record(384, 0), marketId: 2 });
  expect(orders.open(1).map((order) => order.clientOrderIndex)).toEqual([128n]);
});

test('an order without an index of ours is no order of ours (S-04)', () => {
  note(record(0, 5));
  expect(orders.find(index(0))).toBeUndefined();
});

test('who waits for an order hears each newer record once, when it can be found; one that throws stops nobody (S-33)', () => {
  const heard: unknown[] = [];
  const off = orders.on(index(128), ({ filledLots }) => {
    heard.push([filledLots, orders.find(index(128))?.filledLots]);
  });
  orders.on(index(128), () => {
    throw new Error('a bug');
  });
  orders.on(index(128), () => heard.push('second'));
  note(record(128, 3), record(128, 3), record(128, 2), record(256, 9));
  off();
  note(record(128, 4, 'canceled'));
  expect(heard).toEqual([[3n, 3n], 'second', 'second']);
  expect(thrown).toHaveLength(2);
});

test('an order that is given up is forgotten: it rests no longer as far as anybody knows', () => {
  note(record(128, 1));
  orders.forget(128n);
  expect([orders.find(index(128)), orders.open(1), orders.live]).toEqual([undefined, [], []]);
});

test('of ended orders the oldest are forgotten; what lives is not', () => {
  note(record(128, 1));
  for (let n = 2; n <= 4_098; n++) note(record(n * 128, 0, 'canceled'));
  const known = [1, 2, 3].map((n) => orders.find(index(n * 128))?.status);
  expect(known).toEqual(['open', undefined, 'canceled']);
});
