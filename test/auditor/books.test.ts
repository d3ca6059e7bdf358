import { describe, expect, test } from '@jest/globals';
import { judge, newBooks, type Reading } from '../../src/auditor/books';

const at = (atMs: number, change: Partial<Reading> = {}): Reading => ({
  atMs,
  makerLots: 0n,
  hedgeLots: 0n,
  nakedLots: 0n,
  abandonedLots: 0n,
  ...change,
});

describe('the auditor tells late from wrong', () => {
  test('mirrored positions are even, whatever their size', () => {
    const books = newBooks();
    expect(judge(books, at(0)).kind).toBe('even');
    expect(judge(books, at(1, { makerLots: 700n, hedgeLots: -700n })).kind).toBe('even');
  });

  test('S-24 the two positions were read at different moments: late, then even again', () => {
    const books = newBooks();
    judge(books, at(0));
    expect(judge(books, at(1_000, { makerLots: 20n }))).toEqual({ kind: 'late', lots: 20n });
    expect(judge(books, at(2_000, { makerLots: 20n, hedgeLots: -20n })).kind).toBe('even');
    expect(judge(books, at(6_000, { makerLots: 40n, hedgeLots: -20n })).kind).toBe('late');
  });

  test('a difference that nothing explains and that stays is wrong', () => {
    const books = newBooks();
    judge(books, at(0));
    expect(judge(books, at(1_000, { makerLots: 20n })).kind).toBe('late');
    expect(judge(books, at(5_000, { makerLots: 20n }))).toEqual({ kind: 'wrong', lots: 20n, forMs: 4_000 });
  });

  test('a busy market is not wrong: each difference is another one', () => {
    const books = newBooks();
    judge(books, at(0));
    for (let i = 1; i < 20; i++) {
      expect(
        judge(books, at(i * 1_000, { makerLots: BigInt(20 * i), hedgeLots: BigInt(-20 * (i - 1) - (i % 2)) })).kind,
      ).toBe('late');
    }
  });

  test('what running orders say is naked explains as much, and not more', () => {
    const books = newBooks();
    judge(books, at(0));
    for (const ms of [1_000, 30_000])
      expect(judge(books, at(ms, { makerLots: 20n, nakedLots: 20n })).kind).toBe('late');
    judge(books, at(31_000, { makerLots: 25n, nakedLots: 20n }));
    expect(judge(books, at(36_000, { makerLots: 25n, nakedLots: 20n })).kind).toBe('wrong');
  });

  test('an abandoned exposure was reported once; the rest must still be even', () => {
    const books = newBooks();
    judge(books, at(0));
    expect(judge(books, at(1_000, { makerLots: 14n, abandonedLots: 14n })).kind).toBe('even');
  });

  test('a difference from before our time is said once and then taken as given', () => {
    const books = newBooks();
    expect(judge(books, at(0, { makerLots: 5n })).kind).toBe('late');
    expect(judge(books, at(4_000, { makerLots: 5n }))).toEqual({ kind: 'started-off', lots: 5n });
    expect(judge(books, at(5_000, { makerLots: 5n })).kind).toBe('even');
  });

  test('started while others trade, it does not take a hedge under way for a difference from before its time', () => {
    const books = newBooks();
    expect(judge(books, at(0, { makerLots: 300n })).kind).toBe('late');
    expect(judge(books, at(1_000, { makerLots: 300n, hedgeLots: -200n })).kind).toBe('late');
    expect(judge(books, at(2_000, { makerLots: 300n, hedgeLots: -300n })).kind).toBe('even');
    expect(judge(books, at(9_000, { makerLots: 100n, hedgeLots: -100n })).kind).toBe('even');
  });

  test('it does not start its books in the middle of a hedge', () => {
    const books = newBooks();
    expect(judge(books, at(0, { makerLots: 20n, nakedLots: 20n })).kind).toBe('late');
    expect(judge(books, at(1_000, { makerLots: 20n, hedgeLots: -20n })).kind).toBe('even');
    expect(books.startLots).toBe(0n);
  });
});
