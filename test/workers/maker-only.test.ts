/** A's maker-only lanes: what could not be read is read again soon. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Read } from '../../src/domain/records';
import { openMakerOnly } from '../../src/workers/maker-only';
import { Opened } from '../../src/workers/opened';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a reading that fails is tried again within seconds, one that succeeds after minutes; none after the end', async () => {
  const answers: Read<readonly number[]>[] = [
    { ok: false, reason: 'away' },
    { ok: false, reason: 'away' },
  ];
  let asked = 0;
  const opened = new Opened();
  const makerOnly = openMakerOnly({
    opened,
    config: { pairs: [] },
    account: { makerOnlyKeys: () => Promise.resolve(answers[asked++] ?? { ok: true, value: [5] }) },
    observability: { raiseAlert: () => undefined },
  });
  await makerOnly.read();
  expect(makerOnly.has(5)).toBe(false);
  await jest.advanceTimersByTimeAsync(31_000);
  expect(makerOnly.has(5)).toBe(true);
  expect(asked).toBe(3);
  await jest.advanceTimersByTimeAsync(300_000);
  expect(asked).toBe(4);
  await opened.close();
  await jest.advanceTimersByTimeAsync(900_000);
  expect(asked).toBe(4);
});
