/** A's maker-only lanes: what could not be read is read again soon; a step of an unwind goes where it can trade. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { MakerActivities } from '../../src/activities/maker-activities';
import type { QuoteInput } from '../../src/domain/quote-messages';
import type { Read } from '../../src/domain/records';
import { openMakerOnly, sayingWhere } from '../../src/workers/maker-only';
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
  await jest.advanceTimersByTimeAsync(46_000);
  expect(makerOnly.has(5)).toBe(true);
  expect(asked).toBe(3);
  await jest.advanceTimersByTimeAsync(300_000);
  expect(asked).toBe(4);
  await opened.close();
  await jest.advanceTimersByTimeAsync(900_000);
  expect(asked).toBe(4);
});

test('a tier that refuses to tell is asked every five minutes in the end', async () => {
  let asked = 0;
  const opened = new Opened();
  const makerOnly = openMakerOnly({
    opened,
    config: { pairs: [] },
    account: { makerOnlyKeys: () => Promise.resolve({ ok: false, reason: `62002 invalid account tier ${++asked}` }) },
    observability: { raiseAlert: () => undefined },
  });
  await makerOnly.read();
  await jest.advanceTimersByTimeAsync(3_600_000);
  expect(asked).toBeLessThan(20);
  expect(asked).toBeGreaterThan(10);
  await opened.close();
});

test('a step of an unwind is made on the first lane that may take; a quote stays where it is; without a lane it says why', async () => {
  const asked: number[] = [];
  const quote: MakerActivities['quote'] = ({ lane }) => {
    asked.push(lane);
    return Promise.resolve({ quote: true, side: 'sell', price_ticks: '1', market: {} as never });
  };
  const makerOnly = new Set([5, 6]);
  const activities = sayingWhere({ quote } as MakerActivities, makerOnly);
  const input = { lane: 5, market: 'BTC' } as QuoteInput;
  expect(await activities.quote(input)).not.toHaveProperty('lane');
  expect(await activities.quote({ ...input, unwind: { spare_lanes: [6, 7] } })).toMatchObject({ lane: 7 });
  expect(await activities.quote({ ...input, lane: 8, unwind: { spare_lanes: [7] } })).toMatchObject({ lane: 8 });
  expect(await activities.quote({ ...input, unwind: { spare_lanes: [6] } })).toMatchObject({
    ...{ quote: false, code: 'cannot-unwind', message: expect.stringContaining('list it in spare_lanes') },
  });
  expect(asked).toEqual([5, 7, 8]);
});
