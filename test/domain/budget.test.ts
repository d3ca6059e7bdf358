/** P-04: quotes stop while there is a reserve, in the units in which the exchange counts; settings that let none out are known as such. */
import { expect, test } from '@jest/globals';
import {
  backgroundPerMinute,
  costOf,
  quoteCost,
  RequestBudget,
  roomForQuotes,
  type Counting,
} from '../../src/domain/budget';

/** Quotes of an hour in which one is asked for every half second. */
function quotesInAnHour(terms: { perMinute: number; reserve: number }, cost: number): number {
  const budget = new RequestBudget(terms, 0);
  let quotes = 0;
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 500) {
    if (!budget.hasRoom(cost, nowMs).ok) continue;
    budget.spend(cost, nowMs);
    quotes += 1;
  }
  return quotes;
}

test('a quote costs four requests, or what they weigh', () => {
  expect(quoteCost('requests')).toBe(4);
  expect(quoteCost('weights')).toBe(300 + 6 + 6 + 100);
});

test.each([
  [60, 0.5, 0.2, true],
  [60, 0.5, 0.25, false],
  [60, 0.4, 0.2, false],
  [60, 1, 0.6, true],
  [120, 0.2, 0.2, false],
  [24_000, 0.5, 1, false],
])(
  '%i a minute, share %d, reserve %d: a quote fits: %s; and that is what happens',
  (perMinute, share, reserve, fits) => {
    const terms = { perMinute: perMinute * share, reserve };
    const { burst, reserved, left } = roomForQuotes(terms);
    expect(burst - reserved).toBeCloseTo(left, 9);
    expect(left >= 4).toBe(fits);
    expect(quotesInAnHour(terms, 4) > 0).toBe(fits);
  },
);

test('in weights a Premium account quotes as often as its reads may be made', () => {
  const quotes = quotesInAnHour({ perMinute: 12_000, reserve: 0.2 }, quoteCost('weights'));
  expect(quotes / 60).toBeGreaterThan(25);
  expect(quotes * 412).toBeLessThanOrEqual(12_000 * 60 + 2_000);
});

test('what is asked for too early is told when to come again, and then passes', () => {
  const budget = new RequestBudget({ perMinute: 60, reserve: 0 }, 0);
  budget.spend(10, 0);
  expect(budget.hasRoom(4, 0)).toEqual({ ok: false, retryAfterMs: 4_000 });
  expect(budget.hasRoom(4, 4_000)).toEqual({ ok: true });
});

test('hedges and readings are never asked, and quoting waits until what they took has come back; never longer than a minute and its own cost', () => {
  const budget = new RequestBudget({ perMinute: 60, reserve: 0.2 }, 0);
  for (let reading = 0; reading < 20; reading += 1) budget.spend(1, 0);
  expect(budget.hasRoom(4, 0)).toEqual({ ok: false, retryAfterMs: 16_000 });
  for (let reading = 0; reading < 1_000; reading += 1) budget.spend(1, 0);
  expect(budget.hasRoom(4, 0)).toEqual({ ok: false, retryAfterMs: 66_000 });
});

test('each request has its weight, and each process its readings', () => {
  expect(['sendTx', 'nextNonce', 'account', 'accountOrders'].map((of) => costOf(of, 'weights'))).toEqual([
    6, 6, 300, 100,
  ]);
  expect(costOf('account', 'requests')).toBe(1);
  const asked = (counting: Counting, markets: number): number[] =>
    (['maker', 'hedge'] as const).map((role) => Math.round(10 * backgroundPerMinute(role, counting, markets)) / 10);
  expect([asked('requests', 1), asked('requests', 3)]).toEqual([
    [6.9, 18.1],
    [7.9, 18.3],
  ]);
  expect([asked('weights', 1), asked('weights', 3)]).toEqual([
    [870, 7_830],
    [1_170, 7_890],
  ]);
});
