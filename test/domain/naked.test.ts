/** Naked time, lot by lot. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lots, ZERO_LOTS } from '../../src/domain/lots';
import {
  executionOf,
  hedgedLots,
  lotsOf,
  nakedBeyondDelayMs,
  nakedMs,
  noteTrades,
  overlappingLots,
  TRADES_KEPT,
  type Execution,
  type Traded,
} from '../../src/domain/naked';
import { sliceOf } from '../order-result';

const trade = (upTo: number, atUs?: number): Traded => ({ lots: lots(upTo), atUs });
const execution = (amount: number, atUs?: number, delayMs?: number): Execution => ({
  lots: lots(amount),
  atUs,
  delayMs,
});

describe('lots are hedged first in, first out', () => {
  test('fills of 5 and 15 against hedges of 12 and 8', () => {
    const matched = hedgedLots([trade(5, 1_000), trade(20, 2_000)], [execution(12, 5_000), execution(8, 9_000)], 5);
    expect(matched).toEqual([
      { base_amount: '0.00005', traded_at_us: 1_000, hedged_at_us: 5_000 },
      { base_amount: '0.00007', traded_at_us: 2_000, hedged_at_us: 5_000 },
      { base_amount: '0.00008', traded_at_us: 2_000, hedged_at_us: 9_000 },
    ]);
    expect(matched.map(nakedMs)).toEqual([4, 3, 7]);
  });

  test('what was hedged before its trade was heard of, or at a time that nobody saw, has no naked time', () => {
    const matched = hedgedLots([trade(5), trade(9, 2_000)], [execution(7, 5_000), execution(6)], 0);
    expect(matched).toEqual([
      { base_amount: '5', hedged_at_us: 5_000 },
      { base_amount: '2', traded_at_us: 2_000, hedged_at_us: 5_000 },
      { base_amount: '2', traded_at_us: 2_000 },
      { base_amount: '4' },
    ]);
    expect(matched.map(nakedMs)).toEqual([undefined, 3, undefined, undefined]);
  });

  test('a trade that is dated after its hedge is dated by nobody: a frame before it was lost', () => {
    expect(hedgedLots([trade(5, 6_000)], [execution(5, 5_000)], 0)).toEqual([
      { base_amount: '5', hedged_at_us: 5_000 },
    ]);
  });

  test('property: each executed lot is in it once, in order, naked from its own trade to its own execution', () => {
    const amounts = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.option(fc.nat(999))), { maxLength: 8 });
    fc.assert(
      fc.property(amounts, amounts, (fills, executions) => {
        let sum = 0;
        const trades = fills.map(([amount, at]) => trade((sum += amount), at ?? undefined));
        const done = executions.map(([amount, at]) => execution(amount, at === null ? undefined : at + 1_000));
        const each = (of: readonly (readonly [number, number | null])[], plus: number) =>
          of.flatMap(([amount, at]) => Array.from({ length: amount }, () => (at === null ? undefined : at + plus)));
        const [tradedAt, hedgedAt] = [each(fills, 0), each(executions, 1_000)];
        const got = hedgedLots(trades, done, 0).flatMap((part) =>
          Array.from({ length: lotsOf(part) }, () => [part.traded_at_us, part.hedged_at_us]),
        );
        expect(got).toEqual(hedgedAt.map((at, lot) => [tradedAt[lot], at]));
      }),
    );
  });
});

describe('the trades of an order', () => {
  test('property: heard in whatever order, twice or without their times first, they are the same', () => {
    const heard = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }).chain((reached) =>
      fc.tuple(
        fc.constant(reached),
        fc.shuffledSubarray(
          [...reached, ...reached].map((upTo, i) => trade(upTo, i % 2 ? undefined : upTo * 10)),
          {
            minLength: reached.length * 2,
          },
        ),
      ),
    );
    fc.assert(
      fc.property(heard, ([reached, shuffled]) => {
        const known: Traded[] = [];
        for (const each of shuffled) noteTrades(known, [each]);
        const dated = new Set(shuffled.flatMap(({ lots: upTo, atUs }) => (atUs === undefined ? [] : [Number(upTo)])));
        expect(known).toEqual(
          [...reached].sort((a, b) => a - b).map((upTo) => trade(upTo, dated.has(upTo) ? upTo * 10 : undefined)),
        );
      }),
    );
  });

  test('of too many the oldest lose their time, and no lot is dated by another trade', () => {
    const known: Traded[] = [];
    for (let upTo = 1; upTo <= TRADES_KEPT + 2; upTo += 1) noteTrades(known, [trade(upTo, upTo)]);
    expect(known).toHaveLength(TRADES_KEPT);
    expect(known.slice(0, 2)).toEqual([{ lots: 3n }, trade(4, 4)]);
    const [oldest] = hedgedLots(known, [execution(TRADES_KEPT, 10_000)], 0);
    expect(oldest).toEqual({ base_amount: '3', hedged_at_us: 10_000 });
  });
});

describe("the exchange's own delay", () => {
  test('runs from its answer to the execution shown; what is beyond it is ours', () => {
    const slice = sliceOf({ executed_at_us: 245_000, times: { accepted_ms: 1_002, executed_ms: 1_182 } });
    const [matched] = hedgedLots([trade(20, 0)], [executionOf(slice, 5)], 5);
    expect(matched).toMatchObject({ base_amount: '0.00020', delay_ms: 180 });
    expect(matched && nakedBeyondDelayMs(matched)).toBe(65);
  });

  test('is unknown where the execution was shown long after it: its frame was lost', () => {
    const [matched] = hedgedLots([trade(20, 0)], [execution(20, 245_000, 1_700)], 5);
    expect(matched).not.toHaveProperty('delay_ms');
    expect(matched && nakedBeyondDelayMs(matched)).toBeUndefined();
  });

  test('is unknown where the slice was sent by a process that is gone', () => {
    expect(executionOf(sliceOf(), 5)).toEqual({ lots: 20n, atUs: undefined, delayMs: undefined });
    expect(executionOf(sliceOf({ executed: '0.00000' }), 5).lots).toBe(ZERO_LOTS);
  });
});

describe('lots that trade while the hedge of an earlier trade is under way', () => {
  test('are those within the delay and two frames of the trade before', () => {
    const trades = [trade(5, 0), trade(8, 100_000), trade(10, 320_000), trade(20, 541_000)];
    const matched = hedgedLots(trades, [execution(6, 200_000, 180), execution(14, 800_000, 180)], 0);
    // 100 ms and exactly 220 ms after the one before, then 221 ms.
    expect(overlappingLots(matched)).toEqual({ yes: 5, no: 15, unknown: 0 });
  });

  test('are not known where a time or the delay is not; the first trade never waits', () => {
    expect(overlappingLots(hedgedLots([trade(5), trade(9, 10)], [execution(9, 20, 5)], 0))).toEqual({
      yes: 0,
      no: 5,
      unknown: 4,
    });
    expect(overlappingLots(hedgedLots([trade(5, 5), trade(9, 10)], [execution(9, 20)], 0)).unknown).toBe(4);
    expect(overlappingLots([])).toEqual({ yes: 0, no: 0, unknown: 0 });
  });
});
