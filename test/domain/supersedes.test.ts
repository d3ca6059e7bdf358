/** Which of two records of an order is newer: the one rule, whatever order they come in. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ClientOrderIndex } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import { isTerminal, ORDER_STATUSES, supersedes, type OrderRecord } from '../../src/domain/records';

function record(change: Partial<OrderRecord> = {}): OrderRecord {
  return {
    accountIndex: 1,
    marketId: 1,
    orderIndex: 7n,
    clientOrderIndex: 128n as ClientOrderIndex,
    side: 'buy',
    status: 'open',
    initialLots: lots(20),
    filledLots: lots(0),
    filledQuote: notional(0),
    priceTicks: ticks(1),
    transactionTimeUs: 5,
    ...change,
  };
}

const newestOf = (records: readonly OrderRecord[]): OrderRecord =>
  records.reduce((last, next) => (supersedes(next, last) ? next : last));

/** Any records, in contradiction or not. */
const anyRecord = fc
  .record({
    filledLots: fc.integer({ min: 0, max: 3 }).map(lots),
    status: fc.constantFrom(...ORDER_STATUSES),
    transactionTimeUs: fc.integer({ min: 0, max: 4 }),
  })
  .map(record);

/** What an exchange shows of one order in the course of its life: fills rise, times too where it gives them, the end comes last. */
const life = fc
  .record({
    steps: fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }),
    end: fc.option(fc.constantFrom(...ORDER_STATUSES.filter(isTerminal)), { nil: undefined }),
    isTimed: fc.boolean(),
  })
  .map(({ steps, end, isTimed }) => {
    let filled = 0;
    const shown = steps.map((more, at) =>
      record({ filledLots: lots((filled += more)), transactionTimeUs: isTimed ? at + 1 : 0 }),
    );
    const last = { filledLots: lots(filled), transactionTimeUs: isTimed ? steps.length + 1 : 0 };
    return end === undefined ? shown : [...shown, record({ ...last, status: end })];
  });

describe('a record supersedes another when it says more', () => {
  test.each<[string, Partial<OrderRecord>, Partial<OrderRecord>, boolean]>([
    ['more filled', { filledLots: lots(2) }, { filledLots: lots(1) }, true],
    ['less filled, although later', { filledLots: lots(1), transactionTimeUs: 9 }, { filledLots: lots(2) }, false],
    ['terminal', { status: 'canceled', transactionTimeUs: 1 }, { transactionTimeUs: 2 }, true],
    ['open after terminal', { transactionTimeUs: 2 }, { status: 'canceled', transactionTimeUs: 1 }, false],
    ['terminal a second time', { status: 'filled', transactionTimeUs: 9 }, { status: 'canceled' }, false],
    ['later', { status: 'open', transactionTimeUs: 6 }, { status: 'pending' }, true],
    ['the same', {}, {}, false],
    ['without a time, further on', { transactionTimeUs: 0 }, { status: 'pending', transactionTimeUs: 0 }, true],
    ['without a time, nothing more filled', { transactionTimeUs: 0 }, { status: 'pending' }, false],
    ['without a time, more filled', { transactionTimeUs: 0, filledLots: lots(1) }, {}, true],
    ['another quote amount alone', { filledQuote: notional(5) }, {}, false],
    ['more filled than at its end', { filledLots: lots(3) }, { filledLots: lots(2), status: 'canceled' }, true],
  ])('%s', (_name, next, last, expected) => {
    expect(supersedes(record(next), record(last))).toBe(expected);
  });
});

test('frames repeated, late and in any order: the newest is the last of the order’s life', () => {
  const delivered = life.chain((shown) =>
    fc.tuple(fc.constant(shown), fc.array(fc.constantFrom(...shown), { maxLength: 20 })),
  );
  fc.assert(
    fc.property(delivered, fc.infiniteStream(fc.nat()), ([shown, repeated], random) => {
      const frames = [...shown, ...repeated]
        .map((frame) => ({ frame, at: random.next().value as number }))
        .sort((a, b) => a.at - b.at)
        .map(({ frame }) => frame);
      const { filledLots, status, transactionTimeUs } = shown.at(-1)!;
      expect(newestOf(frames)).toMatchObject({ filledLots, status, transactionTimeUs });
    }),
  );
});

test('within a life nothing is taken back: no fill falls, no end reverts', () => {
  fc.assert(
    fc.property(life, fc.nat(), fc.nat(), (shown, i, j) => {
      const next = shown[i % shown.length]!;
      const last = shown[j % shown.length]!;
      if (!supersedes(next, last)) return;
      expect(next.filledLots >= last.filledLots).toBe(true);
      expect(isTerminal(last.status)).toBe(false);
    }),
  );
});

test('all records stand in one line, contradictions too: never both ways, and in no circle', () => {
  fc.assert(
    fc.property(anyRecord, anyRecord, anyRecord, (a, b, c) => {
      expect(supersedes(a, b) && supersedes(b, a)).toBe(false);
      if (supersedes(a, b) && supersedes(b, c)) expect(supersedes(a, c)).toBe(true);
      // Neither of two says more than the other: then both compare alike with any third.
      if (!supersedes(a, b) && !supersedes(b, a)) expect(supersedes(a, c)).toBe(supersedes(b, c));
    }),
    { numRuns: 2_000 },
  );
});
