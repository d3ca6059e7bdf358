/** P-25, P-26 Whether a market may be quoted: its rules, what it rejects, announced upgrades, blackouts, the book after them. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { MarketRules, Upgrades } from '../../src/domain/records';
import type { OrderBook } from '../../src/exchange/port';
import { QuoteGate } from '../../src/quoting/quote-gate';

const BTC = {
  marketId: 1,
  symbol: 'BTC',
  sizeDecimals: 5,
  priceDecimals: 1,
  minBaseLots: lots(7),
  minQuote: notional(1n),
};
const OPEN: MarketRules = { minBaseLots: lots(7), minQuote: notional(10_000_000n), initialMarginBps: 500 };
const level = [{ priceTicks: ticks(1n), lots: lots(1) }];

let rules: MarketRules | undefined;
let upgrades: Upgrades;
let reads: number;
let bookAtMs: number;
let withdrawn: number;
let told: { what: string; market?: string }[];
let opened: number;
let gate: QuoteGate;

beforeEach(() => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 27, 9) });
  [rules, upgrades, reads, withdrawn, told, opened, bookAtMs] = [
    OPEN,
    { blackouts: [], unread: [] },
    0,
    0,
    [],
    0,
    Date.now(),
  ];
});
afterEach(() => {
  gate.close();
  jest.useRealTimers();
});

async function start(blackouts: { fromMs: number; untilMs: number }[] = []): Promise<void> {
  gate = new QuoteGate({
    exchange: {
      marketRules: () => {
        reads += 1;
        return Promise.resolve(rules ? { ok: true, value: rules } : { ok: false, reason: '503' });
      },
      upgrades: () => Promise.resolve({ ok: true, value: upgrades }),
      exchangeNowMs: () => Date.now(),
      book: (): OrderBook => ({ marketId: 1, bids: level, asks: level, updatedAtUs: bookAtMs * 1_000 }),
    },
    markets: [BTC],
    blackouts,
    withdraw: () => void (withdrawn += 1),
    tell: (one) => void told.push(one),
    onOpen: () => void (opened += 1),
    clock: {
      monotonicMs: () => Date.now(),
      after: (ms, action) => {
        const timer = setTimeout(action, ms);
        return () => clearTimeout(timer);
      },
    },
  });
  await pass(0);
}
const pass = (seconds: number): Promise<void> => jest.advanceTimersByTimeAsync(seconds * 1_000);
const closed = (): string | undefined => gate.closedBecause(BTC);

test('closed until the rules are read, without an alarm; then open, and read every two minutes', async () => {
  rules = undefined;
  await start();
  expect(closed()).toMatch(/not been read yet/);
  rules = OPEN;
  await pass(20);
  expect([closed(), told, opened]).toEqual([undefined, [], 1]);
  const before = reads;
  await pass(600);
  expect(reads - before).toBeGreaterThanOrEqual(4);
  expect(reads - before).toBeLessThanOrEqual(6);
});

test('a market that closes is told once, what rests is withdrawn until it opens again by itself', async () => {
  await start();
  rules = { ...OPEN, obstacle: 'it is frozen' };
  await pass(125);
  expect(closed()).toBe('it is frozen');
  expect(told).toMatchObject([{ market: 'BTC', what: expect.stringContaining('it is frozen') }]);
  expect(withdrawn).toBeGreaterThan(1);
  rules = OPEN;
  await pass(125);
  expect([closed(), told.length]).toEqual([undefined, 1]);
});

test('a minimum that moves is used; rules that cannot be read for ten minutes are none', async () => {
  await start();
  expect(gate.rules(BTC).minBaseLots).toBe(7n);
  rules = { ...OPEN, minBaseLots: lots(30) };
  await pass(125);
  expect(gate.rules(BTC).minBaseLots).toBe(30n);
  rules = undefined;
  await pass(300);
  expect(closed()).toBeUndefined();
  await pass(500);
  expect(closed()).toMatch(/could not be read for ten minutes/);
});

test('a rejection for what the market is closes it at once, longer each time, and makes the rules be read', async () => {
  await start();
  const before = reads;
  for (let n = 0; n < 8; n += 1) gate.rejected(BTC, 21605);
  expect(closed()).toMatch(/market is not trading \(21605\)/);
  expect(told).toHaveLength(1);
  await pass(2);
  expect(reads).toBe(before + 1);
  await pass(14);
  expect(closed()).toBeUndefined();
  gate.rejected(BTC, 21605);
  await pass(20);
  expect(closed()).toBeDefined();
  await pass(15);
  expect(closed()).toBeUndefined();
});

test('an amount below the minimum closes nothing: the rules are read again', async () => {
  await start();
  const before = reads;
  gate.rejected(BTC, 21706);
  await pass(2);
  expect([closed(), reads]).toEqual([undefined, before + 1]);
});

test('one that is rejected again although the rules allow it closes the market for a while, and is told', async () => {
  await start();
  gate.rejected(BTC, 21706);
  await pass(5);
  gate.rejected(BTC, 21706);
  expect(closed()).toMatch(/21706/);
  expect(told).toHaveLength(1);
  await pass(16);
  expect(closed()).toBeUndefined();
});

test('an upgrade that is called off keeps nothing closed', async () => {
  const window = { fromMs: Date.now() + 1_000, untilMs: Date.now() + 8 * 3_600_000, why: 'Network Upgrade' };
  upgrades = { blackouts: [window], unread: [] };
  await start();
  await pass(310);
  expect(closed()).toMatch(/announced/);
  upgrades = { blackouts: [], unread: [] };
  await pass(310);
  bookAtMs = Date.now();
  await pass(2);
  expect(closed()).toBeUndefined();
});

test('an announced upgrade: nothing rests two minutes before, and quoting goes on once the book moves after it', async () => {
  const [fromMs, untilMs] = [10, 10.25].map((hour) => Date.UTC(2026, 10, 27) + hour * 3_600_000) as [number, number];
  upgrades = { blackouts: [{ fromMs, untilMs, why: 'Network Upgrade' }], unread: [] };
  await start();
  await pass(57 * 60);
  expect([closed(), withdrawn]).toEqual([undefined, 0]);
  bookAtMs = Date.now();
  await pass(61);
  expect(closed()).toBe('announced: Network Upgrade, 11-27 10:00 to 11-27 10:15 UTC');
  expect(withdrawn).toBeGreaterThan(0);
  await pass(17 * 60);
  expect(closed()).toBe('its book has not changed since the blackout');
  bookAtMs = Date.now();
  await pass(1);
  expect([closed(), told.length]).toEqual([undefined, 2]);
});

test('an upgrade announced while we run is heard within minutes; one without a time is told', async () => {
  await start();
  upgrades = { blackouts: [], unread: [{ title: 'Network Upgrade', content: 'Soon.', createdAtMs: Date.now() }] };
  await pass(301);
  expect(told).toMatchObject([{ what: expect.stringContaining('without a time that can be read: Soon.') }]);
  await pass(600);
  expect(told).toHaveLength(1);
});

test('a blackout of the configuration', async () => {
  await start([{ fromMs: Date.now() + 300_000, untilMs: Date.now() + 600_000 }]);
  expect(closed()).toBeUndefined();
  await pass(181);
  expect(closed()).toMatch(/^a blackout of the configuration, 11-27 09:05 to 11-27 09:10 UTC/);
  await pass(420);
  bookAtMs = Date.now();
  expect(closed()).toBeUndefined();
});

test('H-47 an unwind passes blackouts, announced upgrades and reduce-only; what the exchange takes from nobody holds it', async () => {
  const toUnwind = (): string | undefined => gate.closedBecause(BTC, 'unwind');
  const window = { fromMs: Date.now(), untilMs: Date.now() + 600_000 };
  upgrades = { blackouts: [{ ...window, why: 'Network Upgrade' }], unread: [] };
  rules = undefined;
  await start([window]);
  expect([closed(), toUnwind()]).toEqual([expect.stringMatching(/blackout/), undefined]);
  rules = { ...OPEN, obstacle: 'it takes only orders that reduce a position', takesReducing: true };
  await pass(20);
  expect(toUnwind()).toBeUndefined();
  rules = { ...OPEN, obstacle: 'it is frozen' };
  await pass(20);
  expect(toUnwind()).toBe('it is frozen');
  rules = OPEN;
  await pass(20);
  expect(toUnwind()).toBeUndefined();
  gate.rejected(BTC, 21605);
  expect(toUnwind()).toMatch(/21605/);
  await pass(16);
  expect([closed(), toUnwind()]).toEqual([expect.stringMatching(/blackout/), undefined]);
});
