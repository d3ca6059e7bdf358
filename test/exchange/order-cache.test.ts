/** The memory of an account's orders: what is here happened, what is not here says nothing (invariants 6, 7, 8). */
import { beforeEach, expect, test } from '@jest/globals';
import { indexOf, orderRecordOf } from '../order-record';
import type { OrderRecord } from '../../src/domain/records';
import { OrderCache } from '../../src/exchange/lighter/order-cache';

let orders: OrderCache;
let thrown: unknown[];
const note = (...records: OrderRecord[]): void => records.forEach((some) => orders.note(some));

beforeEach(() => {
  thrown = [];
  orders = new OrderCache((error) => thrown.push(error));
});

test('late and repeated frames take nothing back: neither a fill nor an end', () => {
  note(orderRecordOf(128, 9), orderRecordOf(128, 5));
  expect(orders.find(indexOf(128))?.filledLots).toBe(9n);
  note(orderRecordOf(128, 12, 'canceled'), orderRecordOf(128, 12), orderRecordOf(128, 11, 'filled'));
  expect(orders.find(indexOf(128))).toMatchObject({ status: 'canceled', filledLots: 12n });
});

test('an end that is followed by a larger one contradicts it: the larger fill counts', () => {
  note(orderRecordOf(128, 12, 'canceled'), orderRecordOf(128, 20, 'filled'));
  expect(orders.find(indexOf(128))).toMatchObject({ status: 'filled', filledLots: 20n });
});

test('what rests is what was last heard to rest, in that market', () => {
  note(orderRecordOf(128, 0), orderRecordOf(256, 0, 'canceled'), { ...orderRecordOf(384, 0), marketId: 2 });
  expect(orders.open(1).map((order) => order.clientOrderIndex)).toEqual([128n]);
});

test('an order without an index of ours is no order of ours (S-04)', () => {
  note(orderRecordOf(0, 5));
  expect(orders.find(indexOf(0))).toBeUndefined();
});

test('who waits for an order hears each newer record once, when it can be found; one that throws stops nobody (S-33)', () => {
  const heard: unknown[] = [];
  const off = orders.on(indexOf(128), ({ filledLots }) => {
    heard.push([filledLots, orders.find(indexOf(128))?.filledLots]);
  });
  orders.on(indexOf(128), () => {
    throw new Error('a bug');
  });
  orders.on(indexOf(128), () => heard.push('second'));
  note(orderRecordOf(128, 3), orderRecordOf(128, 3), orderRecordOf(128, 2), orderRecordOf(256, 9));
  off();
  note(orderRecordOf(128, 4, 'canceled'));
  expect(heard).toEqual([[3n, 3n], 'second', 'second']);
  expect(thrown).toHaveLength(2);
});

test('an order that is given up is forgotten: it rests no longer as far as anybody knows', () => {
  note(orderRecordOf(128, 1));
  orders.forget(128n);
  expect([orders.find(indexOf(128)), orders.open(1), orders.live]).toEqual([undefined, [], []]);
});

test('of ended orders the oldest are forgotten; what lives is not', () => {
  note(orderRecordOf(128, 1));
  for (let n = 2; n <= 4_098; n++) note(orderRecordOf(n * 128, 0, 'canceled'));
  const known = [1, 2, 3].map((n) => orders.find(indexOf(n * 128))?.status);
  expect(known).toEqual(['open', undefined, 'canceled']);
});
