/** How much is moved, and when nothing is: the caps count what the exchange says, by UTC days. */
import { describe, expect, test } from '@jest/globals';
import { notional, type Notional } from '../../src/domain/lots';
import {
  dayStartUs,
  isUneven,
  rebalanceOf,
  type RebalanceAnswer,
  type RebalanceQuestion,
} from '../../src/domain/rebalance';

const usdc = (whole: number): Notional => notional(BigInt(Math.round(whole * 100)) * 10_000n);
const question: RebalanceQuestion = {
  holdings: {
    maker: { equity: usdc(1_500), free: usdc(1_000) },
    hedge: { equity: usdc(500), free: usdc(200) },
  },
  movedToday: usdc(0),
  limits: { maxTransfer: usdc(400), maxPerDay: usdc(1_000) },
};
const ask = (change: Partial<RebalanceQuestion>): RebalanceAnswer => rebalanceOf({ ...question, ...change });
const moves = (from: 'maker' | 'hedge', amount: number): RebalanceAnswer => ({
  move: true,
  from,
  amount: usdc(amount),
});

describe('half the difference, from the account that is worth more', () => {
  test.each([
    ['no more than one transfer may', {}, moves('maker', 400)],
    [
      'all of it where the limits allow',
      { limits: { maxTransfer: usdc(900), maxPerDay: usdc(900) } },
      moves('maker', 500),
    ],
    ['no more than is left of the day', { movedToday: usdc(899.99) }, moves('maker', 100.01)],
    [
      'no more than four fifths of what is free',
      { holdings: { ...question.holdings, maker: { equity: usdc(1_500), free: usdc(100) } } },
      moves('maker', 80),
    ],
    [
      'the other way round',
      { holdings: { maker: question.holdings.hedge, hedge: question.holdings.maker } },
      moves('hedge', 400),
    ],
  ])('%s', (_how, change, answer) => expect(ask(change)).toEqual(answer));
});

describe('nothing is moved, and why', () => {
  const even = { equity: usdc(1_000), free: usdc(900) };
  test.each([
    ['even', { holdings: { maker: even, hedge: { ...even, equity: usdc(998.02) } } }],
    ['above-max-per-day', { movedToday: usdc(999.5) }],
    ['above-free', { holdings: { ...question.holdings, maker: { equity: usdc(1_500), free: usdc(1) } } }],
    ['above-max-transfer', { amount: usdc(400.01) }],
    ['above-max-per-day', { amount: usdc(300), movedToday: usdc(700.01) }],
    [
      'above-free',
      { amount: usdc(250), holdings: { ...question.holdings, maker: { equity: usdc(1_500), free: usdc(249) } } },
    ],
    ['too-little', { amount: usdc(0.99) }],
    ['changed', { amount: usdc(10), holdings: { maker: even, hedge: { ...even, equity: usdc(991) } } }],
    ['changed', { amount: usdc(10), from: 'hedge' as const }],
  ])('%s', (code, change) => expect(ask(change)).toMatchObject({ move: false, code }));
});

test('an amount that is asked for, to the last cent of each limit', () => {
  expect(ask({ amount: usdc(300), movedToday: usdc(700) })).toEqual(moves('maker', 300));
  expect(ask({ amount: usdc(400) })).toEqual(moves('maker', 400));
});

test('a day begins at midnight UTC, whatever the microsecond', () => {
  const midnight = BigInt(Date.UTC(2026, 10, 27)) * 1_000n;
  expect(dayStartUs(midnight)).toBe(midnight);
  expect(dayStartUs(midnight - 1n)).toBe(midnight - 86_400_000_000n);
});

test('uneven: the poorer one holds less than that part of both; two that are worth nothing are not', () => {
  expect(isUneven(question.holdings, 0.3)).toBe(true);
  expect(isUneven(question.holdings, 0.25)).toBe(false);
  const nothing = { equity: usdc(0), free: usdc(0) };
  expect(isUneven({ maker: nothing, hedge: nothing }, 0.3)).toBe(false);
});
