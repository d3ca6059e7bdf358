/** P-21: below a floor of the volume quota nothing is quoted; it is told once, and quoting goes on by itself. */
import { expect, test } from '@jest/globals';
import { QuotaFloor } from '../../src/quoting/quota-floor';

function floor(): {
  readonly it: QuotaFloor;
  readonly told: string[];
  readonly read: (left: number | undefined, ageMs?: number) => string | undefined;
  readonly at: (ms: number) => void;
} {
  let quota: { left: number; ageMs: number } | undefined;
  let nowMs = 0;
  const told: string[] = [];
  const it = new QuotaFloor({
    account: { volumeQuota: () => quota },
    floor: 100,
    monotonicMs: () => nowMs,
    onLow: (left) => told.push(`low ${left}`),
    onBack: (left) => told.push(`back ${left}`),
  });
  return {
    it,
    told,
    read: (left, ageMs = 0) => {
      quota = left === undefined ? undefined : { left, ageMs };
      return it.reason();
    },
    at: (ms) => (nowMs = ms),
  };
}

test('nothing is known, as on Standard: quoting', () => {
  const { read, told } = floor();
  expect(read(undefined)).toBeUndefined();
  expect(told).toEqual([]);
});

test('below the floor: not, told once; at the floor again: quoting', () => {
  const { read, told } = floor();
  expect(read(100)).toBeUndefined();
  expect(read(99)).toBe('99 are left of the volume quota, and 100 are kept for hedges and cancels');
  expect(read(50)).toMatch(/^50 are left/);
  expect(read(100)).toBeUndefined();
  expect(told).toEqual(['low 99', 'back 100']);
});

test('a reading of an hour ago forbids nothing', () => {
  const { read } = floor();
  expect(read(5, 59 * 60_000)).toBeDefined();
  expect(read(5, 60 * 60_000)).toBeUndefined();
});

test('while nothing is quoted what is left is looked for now and then', () => {
  const { it, read, at } = floor();
  expect(it.wantsLook()).toBe(false);
  read(5);
  expect([it.wantsLook(), it.wantsLook()]).toEqual([true, false]);
  at(10 * 60_000);
  expect(it.wantsLook()).toBe(true);
});
