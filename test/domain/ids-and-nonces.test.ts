/** Every identity follows from the order id, and each has its inverse (design §2). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  clientOrderIndexOf,
  epochMsOf,
  laneOf,
  nextGuestId,
  nextOrderId,
  nonceOf,
  orderIdOf,
  orderIdOfNonce,
  orderWorkflowId,
  pairWorkflowId,
  parseOrderId,
  parseOrderWorkflowId,
  splitClientOrderIndex,
  tenthsAt,
  timeOf,
  type OrderId,
  type Tenths,
} from '../../src/domain/ids-and-nonces';

const time = fc.bigInt({ min: 0n, max: (1n << 33n) - 1n }).map((value) => value as Tenths);
const lane = fc.integer({ min: 0, max: 254 });
const slice = fc.integer({ min: 0, max: 127 });
const orderId = fc.record({ time, lane }).map(orderIdOf);
/** From 2026 to 2052, where T has 33 bits. */
const epochMs = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2052, 0, 1) });

describe('order ids', () => {
  test('time and lane come back out', () => {
    fc.assert(
      fc.property(time, lane, (t, n) => {
        const id = orderIdOf({ time: t, lane: n });
        expect([timeOf(id), laneOf(id)]).toEqual([t, n]);
        expect(id & 127n).toBe(0n);
        expect(id < 1n << 48n).toBe(true);
      }),
    );
  });

  test('an id comes back out of each of its nonces; of a nonce that is none of ours comes nothing', () => {
    fc.assert(fc.property(orderId, slice, (id, k) => expect(orderIdOfNonce(laneOf(id), nonceOf(id, k))).toBe(id)));
    const last = orderIdOf({ time: ((1n << 33n) - 1n) as Tenths, lane: 254 });
    const first = nonceOf(orderIdOf({ time: 0n as Tenths, lane: 254 }), 0);
    for (const nonce of [0n, 77n, first - 1n, nonceOf(last, 127) + 1n, 1n << 47n])
      expect(orderIdOfNonce(254, nonce)).toBeUndefined();
    expect(orderIdOfNonce(255, first)).toBeUndefined();
  });

  test('a later T is a larger id, whatever the lanes', () => {
    fc.assert(
      fc.property(time, time, lane, lane, (a, b, laneA, laneB) => {
        fc.pre(a !== b);
        expect(orderIdOf({ time: a, lane: laneA }) < orderIdOf({ time: b, lane: laneB })).toBe(a < b);
      }),
    );
  });

  test.each([
    ['T of 34 bits', 1n << 33n, 1],
    ['negative T', -1n, 1],
    ['lane 255', 1n, 255],
    ['lane below zero', 1n, -1],
    ['half a lane', 1n, 1.5],
  ])('%s is refused', (_name, t, n) => {
    expect(() => orderIdOf({ time: t as Tenths, lane: n })).toThrow(/Invariant/);
  });

  test('the next id of a lane is the clock, or one more than the last', () => {
    fc.assert(
      fc.property(epochMs, lane, fc.integer({ min: -10_000, max: 10_000 }), (now, n, ahead) => {
        const last = orderIdOf({
          time: (tenthsAt(now) + BigInt(Math.max(ahead, -Number(tenthsAt(now))))) as Tenths,
          lane: n,
        });
        const next = nextOrderId({ epochMs: now, lane: n, last });
        expect(next > last).toBe(true);
        expect(laneOf(next)).toBe(n);
        expect(timeOf(next) >= tenthsAt(now)).toBe(true);
        expect(timeOf(next) === tenthsAt(now) || timeOf(next) === timeOf(last) + 1n).toBe(true);
      }),
    );
  });

  test('an order that begins on a spare lane has no id of those that continue there, and does not run ahead of the clock', () => {
    const owners = [5, 6, 7];
    let last: OrderId | undefined;
    for (let now = 1_785_000_000_000; now < 1_785_000_200_000; now += 5_000) {
      last = nextGuestId({ epochMs: now, lane: 9, last, owners });
      expect(laneOf(last)).toBe(9);
      expect(owners).not.toContain(Number(timeOf(last) & 0xffn));
      expect(epochMsOf(timeOf(last)) - now).toBeLessThan(1_000);
    }
  });

  test('without a last id the clock decides', () => {
    fc.assert(
      fc.property(epochMs, lane, (now, n) => {
        const begun = epochMsOf(timeOf(nextOrderId({ epochMs: now, lane: n })));
        expect(now - begun).toBeGreaterThanOrEqual(0);
        expect(now - begun).toBeLessThan(100);
      }),
    );
  });
});

describe('client order indexes and nonces', () => {
  test('a client order index splits into its order and slice', () => {
    fc.assert(
      fc.property(orderId, slice, (id, k) => {
        expect(splitClientOrderIndex(clientOrderIndexOf(id, k))).toEqual({ id, slice: k });
      }),
    );
  });

  test('P-17 no two (order, slice) share an index', () => {
    fc.assert(
      fc.property(orderId, slice, orderId, slice, (a, i, b, k) => {
        fc.pre(a !== b || i !== k);
        expect(clientOrderIndexOf(a, i)).not.toBe(clientOrderIndexOf(b, k));
      }),
    );
  });

  test('nonces of a lane rise with T and slice', () => {
    fc.assert(
      fc.property(time, time, slice, slice, lane, (a, b, i, k, n) => {
        const first = nonceOf(orderIdOf({ time: a, lane: n }), i);
        const second = nonceOf(orderIdOf({ time: b, lane: n }), k);
        expect(first < second).toBe(a < b || (a === b && i < k));
      }),
    );
  });

  test('a nonce is above any millisecond clock and below 2^47 - 1', () => {
    fc.assert(
      fc.property(time, lane, slice, (t, n, k) => {
        const nonce = nonceOf(orderIdOf({ time: t, lane: n }), k);
        expect(nonce > BigInt(epochMsOf(t))).toBe(true);
        expect(nonce < (1n << 47n) - 1n).toBe(true);
      }),
    );
  });

  test.each([-1, 128, 0.5, NaN])('slice %d is refused', (k) => {
    const id = orderIdOf({ time: 1n as Tenths, lane: 1 });
    expect(() => clientOrderIndexOf(id, k)).toThrow(/Invariant/);
    expect(() => nonceOf(id, k)).toThrow(/Invariant/);
  });
});

describe('ids as text', () => {
  test('an order id comes back from its text', () => {
    fc.assert(
      fc.property(orderId, (id) => {
        fc.pre(id > 0n);
        expect(parseOrderId(id.toString())).toBe(id);
      }),
    );
  });

  test.each([
    ['zero: "has no client index" (S-04)', '0'],
    ['a slice', '129'],
    ['49 bits', (1n << 48n).toString()],
    ['negative', '-128'],
    ['hexadecimal', '0x80'],
    ['empty', ''],
    ['a line break', '128\n'],
    ['a fraction', '128.0'],
  ])('%s is no order id', (_name, text) => {
    expect(parseOrderId(text)).toBeUndefined();
  });

  test('a workflow id gives back account and order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), orderId, (makerAccount, id) => {
        fc.pre(id > 0n);
        expect(parseOrderWorkflowId(orderWorkflowId(makerAccount, id))).toEqual({ makerAccount, id });
      }),
    );
  });

  test.each(['order/1', 'order//128', 'order/1/0', 'order/1/129', 'order/x/128', 'order/1/128/x', 'pair/1/BTC'])(
    '%s is no order workflow',
    (text) => {
      expect(parseOrderWorkflowId(text)).toBeUndefined();
    },
  );

  test('a pair is named by account and market', () => {
    expect(pairWorkflowId(7, 'BTC')).toBe('pair/7/BTC');
    expect(orderWorkflowId(7, 128n as OrderId)).toBe('order/7/128');
  });
});
