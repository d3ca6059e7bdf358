/** Times of the week: as written, without their blackouts, and by the clock of a time zone on the days when clocks are set. */
import { describe, expect, test } from '@jest/globals';
import { isTimeZone, quotingTimes, windowsOf } from '../../src/domain/schedule';
import { openState, quotingTime } from '../../src/quoting/schedule';

const DAY = 1_440;

describe('windows', () => {
  test('of days, of the whole week, past midnight and past the week’s end; what touches is one', () => {
    expect(windowsOf('tue 09:00-17:30')).toEqual([{ from: DAY + 540, until: DAY + 1_050 }]);
    expect(windowsOf('daily 00:00-24:00')).toEqual([{ from: 0, until: 7 * DAY }]);
    expect(windowsOf('sun-mon 22:00-02:00')).toEqual([
      { from: 0, until: 120 },
      { from: 1_320, until: DAY + 120 },
      { from: 6 * DAY + 1_320, until: 7 * DAY },
    ]);
    expect(windowsOf('mon 10:00-11:00, mon 10:30-12:00,mon 12:00-12:01')).toEqual([{ from: 600, until: 721 }]);
  });

  test.each([
    '',
    'mon',
    'mon 9:00-10:00',
    'mon 09:60-10:00',
    'mon 24:00-01:00',
    'mon 09:00-24:01',
    'mon 09:00-09:00',
    'fry 09:00-10:00',
    'mon 09:00-10:00,',
  ])('%j is none', (text) => expect(windowsOf(text)).toBeUndefined());

  test('less the blackouts; nothing is left of a schedule that lies in one', () => {
    expect(quotingTimes('mon 09:00-17:00', 'daily 12:00-13:00')).toEqual([
      { from: 540, until: 720 },
      { from: 780, until: 1_020 },
    ]);
    expect(quotingTimes('mon 09:00-17:00', 'mon-wed 08:00-18:00')).toEqual([]);
    expect(quotingTimes(undefined, 'daily 00:00-24:00')).toEqual([]);
    expect(quotingTimes(undefined, undefined)).toEqual([{ from: 0, until: 7 * DAY }]);
  });
});

describe('by the clock', () => {
  const next = (windows: string, zone: string, now: string) => {
    const { isOpen, changesAtMs } = openState(windowsOf(windows) ?? [], zone, Date.parse(now));
    return [isOpen, changesAtMs === undefined ? undefined : new Date(changesAtMs).toISOString().slice(0, 16)];
  };

  test.each([
    ['daily 09:00-17:30', 'UTC', '2026-11-26T08:59:59.999Z', false, '2026-11-26T09:00'],
    ['daily 09:00-17:30', 'UTC', '2026-11-26T09:00:00Z', true, '2026-11-26T17:30'],
    ['mon 09:00-17:30', 'Asia/Tokyo', '2026-11-26T00:00:00Z', false, '2026-11-30T00:00'],
    // Berlin: 02:00 → 03:00 on 2026-03-29, 03:00 → 02:00 on 2026-10-25.
    ['daily 09:00-17:30', 'Europe/Berlin', '2026-03-28T17:00:00Z', false, '2026-03-29T07:00'],
    ['daily 09:00-17:30', 'Europe/Berlin', '2026-10-24T16:00:00Z', false, '2026-10-25T08:00'],
    ['sun 02:30-05:00', 'Europe/Berlin', '2026-03-29T00:30:00Z', false, '2026-03-29T01:00'], // 02:30 does not exist: 03:00
    ['sun 00:00-02:30', 'Europe/Berlin', '2026-03-29T00:30:00Z', true, '2026-03-29T01:00'],
    ['sun 00:00-02:30', 'Europe/Berlin', '2026-10-24T23:30:00Z', true, '2026-10-25T00:30'], // the first 02:30
    ['sun 00:00-02:30', 'Europe/Berlin', '2026-10-25T00:40:00Z', false, '2026-10-25T01:00'], // 02:00 comes again
    ['sun 00:00-02:30', 'Europe/Berlin', '2026-10-25T01:10:00Z', true, '2026-10-25T01:30'],
    ['daily 09:00-10:00', 'Australia/Lord_Howe', '2026-04-04T12:00:00Z', false, '2026-04-04T22:30'], // half an hour
  ] as const)('%s in %s at %s', (windows, zone, now, isOpen, at) =>
    expect(next(windows, zone, now)).toEqual([isOpen, at]),
  );

  test('what is always or never open does not change', () => {
    expect(next('daily 00:00-24:00', 'Europe/Berlin', '2026-10-24T00:00:00Z')).toEqual([true, undefined]);
    expect(openState([], 'UTC', 0)).toEqual({ isOpen: false });
  });

  test('minute by minute, a year of a zone that sets its clocks', () => {
    const times = windowsOf('daily 00:15-02:30, mon-fri 09:00-17:30, sun 23:00-01:45') ?? [];
    const zone = 'America/New_York';
    let ms = Date.UTC(2026, 2, 1);
    for (let changes = 0; changes < 600; changes++) {
      const { isOpen, changesAtMs } = openState(times, zone, ms);
      if (changesAtMs === undefined) throw new Error('it never changes');
      expect(openState(times, zone, changesAtMs - 1)).toEqual({ isOpen, changesAtMs });
      expect(openState(times, zone, changesAtMs).isOpen).toBe(!isOpen);
      ms = changesAtMs;
    }
  });
});

test('names of time zones', () => {
  expect(['UTC', 'Europe/Berlin', 'Mars/Olympus'].map(isTimeZone)).toEqual([true, true, false]);
});

describe('what a pair’s terms want', () => {
  const at = (terms: Parameters<typeof quotingTime>[0], now: string) => quotingTime(terms, Date.parse(now));
  const office = { schedule: 'mon-fri 09:00-17:00', blackout: 'daily 12:00-12:30', time_zone: 'Europe/Berlin' };

  test('no times: always, and for as long as the order may rest', () => {
    expect(at({}, '2026-11-26T08:00:00Z')).toEqual({ isOpen: true });
    expect(at({ schedule: 'daily 00:00-24:00' }, '2026-11-26T08:00:00Z')).toEqual({ isOpen: true });
  });

  test('inside: what rests has gone before the end', () => {
    expect(at(office, '2026-11-26T10:59:00Z')).toEqual({ isOpen: true, restMsMax: 58_000 });
    expect(quotingTime(office, Date.parse('2026-11-26T10:59:00Z') + 0.5)).toMatchObject({ restMsMax: 57_999 });
  });

  test('outside, in a blackout, and just before one: which, and until when', () => {
    expect(at(office, '2026-11-26T16:30:00Z')).toEqual({
      isOpen: false,
      code: 'schedule',
      message: 'outside its schedule (mon-fri 09:00-17:00, Europe/Berlin): quotes again at 2026-11-27T08:00Z',
      againMs: 600_000,
    });
    expect(at(office, '2026-11-26T11:29:00Z')).toEqual({
      isOpen: false,
      code: 'blackout',
      message: 'a blackout (daily 12:00-12:30, Europe/Berlin): quotes again at 2026-11-26T11:30Z',
      againMs: 60_000,
    });
    expect(at(office, '2026-11-26T10:59:55Z')).toMatchObject({ code: 'blackout', againMs: 600_000 });
    expect(at(office, '2026-11-26T15:59:55Z')).toMatchObject({ code: 'schedule' });
  });

  test('a zone that this host does not know is no quote', () => {
    const message = expect.stringContaining('no time zone Mars/Olympus') as unknown;
    expect(at({ ...office, time_zone: 'Mars/Olympus' }, '2026-11-26T10:00:00Z')).toMatchObject({
      isOpen: false,
      message,
    });
  });
});
