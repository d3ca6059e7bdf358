/** How far an account is from its liquidation, which level that is, and what an unwind takes away. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lots, notional, ticks } from '../../src/domain/lots';
import {
  heldLevel,
  levelOf,
  marginOf,
  MARGIN_LEVELS,
  unwindLots,
  worst,
  type AccountMargin,
  type MarginLimits,
} from '../../src/domain/margin';
import type { AccountState, Position } from '../../src/domain/records';

const LIMITS: MarginLimits = { warnBps: 1_000, stopQuotingBps: 700, unwindBps: 400 };

type Account = Omit<AccountState, 'begunMs'>;

/** 0.1 BTC at a mark of 100 000.0, worth 10 000 USDC, with 1.2 % maintenance. */
function account(change: Partial<Account> = {}, position: Partial<Position> = {}): Account {
  return {
    accountIndex: 1002,
    availableBalance: notional(500_000_000n),
    collateral: notional(1_200_000_000n),
    margin: { equity: notional(1_120_000_000n), initial: notional(500_000_000n), maintenance: notional(120_000_000n) },
    positions: [
      { marketId: 1, lots: lots(10_000n), avgEntryTicks: '100800.0', value: notional(10_000_000_000n), ...position },
    ],
    unreadMarkets: [],
    ...change,
  };
}

function known(of: Account): AccountMargin {
  const read = marginOf(of);
  if (!read.ok) throw new Error(read.reason);
  return read.value;
}

describe('the distance to liquidation', () => {
  test('is what all positions together may lose, or nearer where the exchange says so of one market', () => {
    expect(known(account())).toMatchObject({ distanceBps: 1_000, useBps: 4_464, free: 500_000_000n });
    const told = known(account({}, { liquidationTicks: ticks(910_000n) }));
    expect(told.positions).toEqual([
      { marketId: 1, lots: 10_000n, markTicks: 1_000_000n, liquidationTicks: 910_000n, distanceBps: 900 },
    ]);
    expect(told.distanceBps).toBe(900);
    const short = known(account({}, { lots: lots(-10_000n), liquidationTicks: ticks(1_050_000n) }));
    expect(short.distanceBps).toBe(500);
  });

  test('beyond the liquidation price, or below maintenance, it is nothing', () => {
    expect(known(account({}, { liquidationTicks: ticks(1_000_001n) })).distanceBps).toBe(0);
    const margin = { equity: notional(-1n), initial: notional(1n), maintenance: notional(1n) };
    expect(known(account({ margin }))).toMatchObject({ distanceBps: 0, useBps: 1_000_000 });
  });

  test('a market with margin of its own counts by its own price only', () => {
    const own = known(account({}, { isIsolated: true, liquidationTicks: ticks(990_000n) }));
    expect(own.distanceBps).toBe(100);
    expect(known(account({}, { isIsolated: true })).distanceBps).toBeUndefined();
  });

  test('who holds nothing cannot be liquidated', () => {
    expect(known(account({ positions: [] })).distanceBps).toBeUndefined();
    expect(levelOf({}, LIMITS)).toBe('ok');
  });

  test.each<[string, Account]>([
    ['the margin', { ...account(), margin: undefined } as unknown as Account],
    ['a position', account({ unreadMarkets: [undefined] })],
    ["a position's value", account({}, { value: undefined } as unknown as Position)],
  ])('what was not shown is unknown, neither near nor far: %s', (what, of) => {
    expect(marginOf(of)).toEqual({ ok: false, reason: `${what} of account 1002 could not be read` });
  });

  test('it shrinks as the price moves against the account, and grows as the position does not', () => {
    const amounts = {
      equity: fc.bigInt(0n, 10n ** 12n),
      lots: fc.bigInt(1n, 10n ** 6n),
      mark: fc.bigInt(10n, 10n ** 6n),
    };
    fc.assert(
      fc.property(fc.record(amounts), ({ equity, lots: held, mark }) => {
        const of = (equityNow: bigint, heldNow: bigint): number => {
          const value = heldNow * mark;
          const margin = { equity: notional(equityNow), initial: notional(0n), maintenance: notional(value / 50n) };
          return known(account({ margin }, { lots: lots(heldNow), value: notional(value) })).distanceBps ?? Infinity;
        };
        expect(of(equity / 2n, held)).toBeLessThanOrEqual(of(equity, held));
        expect(of(equity, held + 1n)).toBeLessThanOrEqual(of(equity, held) + 1); // maintenance is rounded down
      }),
    );
  });
});

describe('levels', () => {
  test('each limit is crossed below it; 0 is never', () => {
    const of = (distanceBps: number, limits = LIMITS): string => levelOf({ distanceBps }, limits);
    expect([1_000, 999, 700, 699, 400, 399, 0].map((bps) => of(bps))).toEqual([
      ...['ok', 'warn', 'warn', 'stop-quoting', 'stop-quoting', 'unwind', 'unwind'],
    ]);
    expect(of(0, { ...LIMITS, unwindBps: 0 })).toBe('stop-quoting');
    expect(worst(['warn', 'unwind', 'ok'])).toBe('unwind');
  });

  test('one that was reached ends beyond the next milder limit: no price can switch it to and fro', () => {
    expect(heldLevel('unwind', 'stop-quoting')).toBe('unwind');
    expect(heldLevel('unwind', 'warn')).toBe('stop-quoting');
    expect(heldLevel('stop-quoting', 'warn')).toBe('stop-quoting');
    expect(heldLevel('stop-quoting', 'ok')).toBe('ok');
    const level = fc.constantFrom(...MARGIN_LEVELS);
    fc.assert(
      fc.property(level, level, (held, read) => {
        const next = heldLevel(held, read);
        expect(MARGIN_LEVELS.indexOf(next)).toBeGreaterThanOrEqual(MARGIN_LEVELS.indexOf(read));
        expect(heldLevel(next, read)).toBe(next);
      }),
    );
  });
});

test('a step of an unwind enlarges neither side, is one order at least, and some thirty of them end any position', () => {
  const amount = fc.bigInt(-(10n ** 9n), 10n ** 9n);
  fc.assert(
    fc.property(amount, amount, fc.bigInt(1n, 10n ** 9n), (makerLots, hedgeLots, quantityLots) => {
      const step = unwindLots({ makerLots, hedgeLots, quantityLots });
      const size = (value: bigint): bigint => (value < 0n ? -value : value);
      expect(step <= size(makerLots) && step <= size(hedgeLots)).toBe(true);
      expect(step > 0n).toBe(makerLots * hedgeLots < 0n);
    }),
  );
  let held = 1_000_000n;
  let steps = 0;
  for (; held > 0n; steps++) held -= unwindLots({ makerLots: held, hedgeLots: -held, quantityLots: 100_000n });
  expect(steps).toBe(10);
});
