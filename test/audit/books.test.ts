import { describe, expect, test } from '@jest/globals';
import { reconcile, newBooks, type Reading } from '../../src/audit/books';

const at = (atMs: number, change: Partial<Reading> = {}): Reading => ({
  atMs,
  makerLots: 0n,
  hedgeLots: 0n,
  words: [],
  ...change,
});

const says = (lots: bigint, sinceMs: number) => [{ lots, sinceMs }];

describe('the auditor tells late from wrong', () => {
  test('mirrored positions are even, whatever their size', () => {
    const books = newBooks();
    expect(reconcile(books, at(0)).kind).toBe('even');
    expect(reconcile(books, at(1, { makerLots: 700n, hedgeLots: -700n })).kind).toBe('even');
  });

  test('S-24 the two positions were read at different moments: late, then even again', () => {
    const books = newBooks();
    reconcile(books, at(0));
    expect(reconcile(books, at(1_000, { makerLots: 20n }))).toEqual({
      ...{ kind: 'late', lots: 20n },
      explained: false,
    });
    expect(reconcile(books, at(2_000, { makerLots: 20n, hedgeLots: -20n })).kind).toBe('even');
    expect(reconcile(books, at(6_000, { makerLots: 40n, hedgeLots: -20n })).kind).toBe('late');
  });

  test('a difference that nothing explains and that stays is wrong, and goes on being wrong until it is gone', () => {
    const books = newBooks();
    reconcile(books, at(0));
    expect(reconcile(books, at(1_000, { makerLots: 20n })).kind).toBe('late');
    expect(reconcile(books, at(5_000, { makerLots: 20n }))).toEqual({ kind: 'wrong', lots: 20n, forMs: 4_000 });
    expect(reconcile(books, at(3_605_000, { makerLots: 20n }))).toEqual({ kind: 'wrong', lots: 20n, forMs: 3_604_000 });
    expect(reconcile(books, at(3_606_000)).kind).toBe('even');
  });

  test('a busy market is not wrong: each difference is another one', () => {
    const books = newBooks();
    reconcile(books, at(0));
    for (let i = 1; i < 20; i++) {
      expect(
        reconcile(books, at(i * 1_000, { makerLots: BigInt(20 * i), hedgeLots: BigInt(-20 * (i - 1) - (i % 2)) })).kind,
      ).toBe('late');
    }
  });

  test('S-55 fills under way on top of a difference do not hide it for long: never even is wrong too', () => {
    const books = newBooks();
    let first: number | undefined;
    for (let ms = 0; ms <= 30_000; ms += 2_000) {
      const underWay = BigInt(20 * (ms % 3));
      if (reconcile(books, at(ms, { makerLots: underWay, hedgeLots: -50n })).kind === 'wrong') first ??= ms;
    }
    expect(first).toBe(20_000);
  });

  test('what running orders explain is late as long as they explain it, and no more than they explain', () => {
    const books = newBooks();
    reconcile(books, at(0));
    for (const ms of [1_000, 30_000])
      expect(reconcile(books, at(ms, { makerLots: 20n, words: says(20n, 0) })).kind).toBe('late');
    reconcile(books, at(31_000, { makerLots: 25n, words: says(20n, 0) }));
    expect(reconcile(books, at(36_000, { makerLots: 25n, words: says(20n, 0) })).kind).toBe('wrong');
  });

  test('S-46 what the orders explain is not known: a difference that lasts longer than a hedge may take is wrong', () => {
    const books = newBooks();
    reconcile(books, at(0));
    expect(reconcile(books, at(1_000, { makerLots: 20n, words: undefined })).kind).toBe('late');
    expect(reconcile(books, at(5_000, { makerLots: 20n, words: undefined })).kind).toBe('wrong');
  });

  test('S-56 a difference from before our time is told like any other, and a mirrored reading ends it', () => {
    const books = newBooks();
    expect(reconcile(books, at(0, { makerLots: 5n })).kind).toBe('late');
    for (const ms of [4_000, 64_000, 124_000]) expect(reconcile(books, at(ms, { makerLots: 5n })).kind).toBe('wrong');
    for (const ms of [130_000, 200_000]) expect(reconcile(books, at(ms)).kind).toBe('even');
  });

  test('started while others trade, it does not take a hedge under way for a difference', () => {
    const books = newBooks();
    expect(reconcile(books, at(0, { makerLots: 300n })).kind).toBe('late');
    expect(reconcile(books, at(1_000, { makerLots: 300n, hedgeLots: -200n })).kind).toBe('late');
    expect(reconcile(books, at(2_000, { makerLots: 300n, hedgeLots: -300n })).kind).toBe('even');
    expect(reconcile(books, at(9_000, { makerLots: 100n, hedgeLots: -100n })).kind).toBe('even');
  });

  test('a word of the other direction explains nothing', () => {
    const books = newBooks();
    for (const [ms, kind] of [
      [0, 'late'],
      [4_000, 'wrong'],
    ] as const)
      expect(reconcile(books, at(ms, { hedgeLots: -20n, words: says(20n, 0) })).kind).toBe(kind);
  });

  test('H-13 an order that said so while the books were even does not explain what comes later', () => {
    const books = newBooks();
    reconcile(books, at(20_000, { words: says(100n, 0) }));
    expect(reconcile(books, at(25_000, { makerLots: 100n, words: says(100n, 0) })).kind).toBe('late');
    expect(reconcile(books, at(29_000, { makerLots: 100n, words: says(100n, 0) })).kind).toBe('wrong');
  });

  test('H-13 fills that follow each other do not explain a difference that was there before them', () => {
    const books = newBooks();
    let first: number | undefined;
    for (let ms = 0; ms <= 30_000; ms += 2_000) {
      // Now and then one of them is just being hedged.
      const makerLots = ms === 4_000 ? 200n : 100n;
      if (reconcile(books, at(ms, { makerLots, words: says(makerLots, ms) })).kind === 'wrong') first ??= ms;
    }
    expect(first).toBe(10_000);
  });
});
