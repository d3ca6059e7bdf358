import { expect, test } from '@jest/globals';
import { atMostOf, type PairRead } from '../../src/console/at-most';
import type { OpenOrder } from '../../src/console/snapshot';
import type { PairStatus } from '../../src/domain/pair-status';

const slot = (code?: string) => ({
  ...{ lane: 5, state: 'busy' as const },
  reasons: code === undefined ? [] : [{ code, text: code }],
});

function pair(change: Partial<PairRead> = {}, slots = [slot(), slot()]): PairRead {
  const terms = { lots: '20' } as PairStatus['terms'];
  return { atMs: 5, status: { slots, terms } as unknown as PairStatus, sizeDecimals: 5, ...change };
}

function orders(sizes: readonly (string | undefined)[], market = 'BTC') {
  const open = sizes.map((size, i) => [String(i), { market, ...(size === undefined ? {} : { size }) } as OpenOrder]);
  return { atMs: 3, open: Object.fromEntries(open) as Record<string, OpenOrder> };
}

test('a market has no more naked than its slots may hold, or than its open orders were read to hold', () => {
  const most = atMostOf('BTC', { orders: orders(['0.0002']), pair: pair(), price: 100_000 });
  expect(most).toMatchObject({ amount: '0.0004', usdc: 40, atMs: 3, why: '2 orders at a time, 0.0002 each' });
  const larger = atMostOf('BTC', { orders: orders(['0.001', '0.001']), pair: pair(), price: undefined });
  expect([larger.amount, larger.usdc]).toEqual(['0.002', undefined]);
  const mixed = atMostOf('BTC', { orders: orders(['0.001']), pair: pair(), price: undefined }); // quantity was set lower
  expect([mixed.amount, mixed.why]).toEqual(['0.0012', '1 open orders, as read last, and 1 more of 0.0002']);
  const others = { orders: orders(['5'], 'ETH'), pair: pair({ status: undefined }), price: 1 };
  expect(atMostOf('BTC', others).amount).toBe('0');
  expect(atMostOf('BTC', { orders: undefined, pair: pair(), price: 1 }).amount).toBe('0.0004');
});

test.each([
  ['its pair was never read', { orders: orders([]), pair: undefined }],
  ['its decimals were never read', { orders: orders([]), pair: pair({ sizeDecimals: undefined }) }],
  ['no pair ran, and orders were never read', { orders: undefined, pair: pair({ status: undefined }) }],
  ['an order of unknown size', { orders: orders([undefined]), pair: pair() }],
  ['it was unwinding, in larger steps', { orders: orders([]), pair: pair({}, [slot('unwinding')]) }],
])('%s: it cannot be bounded, and says so', (_, input) => {
  const { amount, why } = atMostOf('BTC', { ...input, price: 1 });
  expect([amount, why.length > 10]).toEqual([undefined, true]);
});
