/** Readings that several ask for: one answers all that it may answer, and nobody who needs a later one. */
import { beforeEach, expect, test } from '@jest/globals';
import type { Read } from '../../src/domain/records';
import { SharedReadings } from '../../src/domain/shared-readings';

let nowMs: number;
let begun: number;
let underWay: ((read: Read<string>) => void)[];
let readings: SharedReadings<string>;

beforeEach(() => {
  [nowMs, begun, underWay] = [1_000, 0, []];
  readings = new SharedReadings(
    (account) => {
      begun += 1;
      return new Promise((answer) =>
        underWay.push((read) => answer(read.ok ? { ...read, value: `${account} ${read.value}` } : read)),
      );
    },
    () => nowMs,
  );
});

const answer = (value: string, which = 0): void => underWay.splice(which, 1)[0]?.({ ok: true, value });
const valueOf = async (read: Promise<Read<{ value: string }>>): Promise<string> => {
  const known = await read;
  return known.ok ? known.value.value : known.reason;
};

test('one reading answers all whom an older one would serve, under way or done', async () => {
  const first = readings.read(7);
  nowMs += 300;
  const meanwhile = readings.read(7, nowMs - 1_000);
  answer('flat');
  nowMs += 500;
  const later = readings.read(7, nowMs - 1_000);
  expect(await Promise.all([first, meanwhile, later].map(valueOf))).toEqual(['7 flat', '7 flat', '7 flat']);
  expect(begun).toBe(1);
});

test('one that began before a fill was heard, or in that moment, does not answer who needs to know of it', async () => {
  const before = readings.read(7);
  const heardMs = nowMs;
  const inThatMoment = readings.read(7, heardMs);
  nowMs += 100;
  const filledMs = nowMs;
  const after = readings.read(7, filledMs);
  expect(begun).toBe(3);
  answer('long', 2);
  answer('flat');
  answer('flat too');
  expect(await Promise.all([before, inThatMoment, after].map(valueOf))).toEqual(['7 flat', '7 flat too', '7 long']);
  expect(await valueOf(readings.read(7, filledMs - 1))).toBe('7 long'); // the newest one stays, whichever ends last
  expect(begun).toBe(3);
});

test('who names no moment gets a reading of its own', async () => {
  void readings.read(7);
  answer('flat');
  await Promise.resolve();
  nowMs += 1;
  const own = readings.read(7);
  answer('long');
  expect(await valueOf(own)).toBe('7 long');
});

test('a failure answers those who wait for it and nobody after it; accounts are kept apart', async () => {
  const failing = [readings.read(7), readings.read(7, 0)];
  const other = readings.read(8, 0);
  underWay.shift()?.({ ok: false, reason: '503' });
  answer('flat');
  expect(await Promise.all([...failing, other].map(valueOf))).toEqual(['503', '503', '8 flat']);
  const again = readings.read(7, 0);
  answer('long');
  expect(await valueOf(again)).toBe('7 long');
});

test('a failure forgets no newer reading', async () => {
  void readings.read(7);
  nowMs += 1;
  void readings.read(7);
  answer('long', 1);
  underWay.shift()?.({ ok: false, reason: '503' });
  expect(await valueOf(readings.read(7, 1_000))).toBe('7 long');
  expect(begun).toBe(2);
});

test('each tells when it began', async () => {
  const read = readings.read(7);
  nowMs += 400;
  answer('flat');
  expect(await read).toEqual({ ok: true, value: { value: '7 flat', begunMs: 1_000 } });
});
