/** Limits of a day: reached, standing until acknowledged, unknown and never zero. */
import { describe, expect, test } from '@jest/globals';
import {
  acknowledged,
  holdOf,
  judged,
  standingOf,
  whyNotAcknowledged,
  type DayBounds,
  type DayReading,
  type LimitsStatus,
} from '../../src/domain/day-limits';

const bounds: DayBounds = {
  ...{ daily_loss: '50.000000', naked_usdc_seconds: '1000.000000' },
  ...{ cost_per_million: '200.000000', min_volume: '10000.000000' },
};
const MINUTE = 60_000;
const NOON = Date.parse('2026-11-26T12:00Z');
const NOTHING: LimitsStatus = { limits: [] };

/** Of the day, so many minutes after noon. */
function reading(minute: number, figures: Partial<DayReading> = {}): DayReading {
  const all = { cost_usdc: '1.000000', volume_usdc: '20000.000000', naked_usdc_seconds: '3.000000' };
  return { day: '2026-11-26', until_ms: NOON + minute * MINUTE, ...all, ...figures, bounds };
}
const after = (...readings: readonly DayReading[]): LimitsStatus => readings.reduce(judged, NOTHING);
const names = (status: LimitsStatus): string[] => standingOf(status).map(({ name }) => name);
const acknowledge = (status: LimitsStatus, ...which: DayBoundName[]): LimitsStatus =>
  acknowledged(status, { names: which, by: 'ann@desk' }, NOON);
type DayBoundName = Parameters<typeof acknowledged>[1]['names'][number];

describe('reached', () => {
  test.each([
    [
      'daily_loss',
      { cost_usdc: '49.999999', volume_usdc: '0.000000' },
      { cost_usdc: '50.000000', volume_usdc: '0.000000' },
    ],
    ['naked_usdc_seconds', { naked_usdc_seconds: '999.999999' }, { naked_usdc_seconds: '1000.000000' }],
    ['cost_per_million', { cost_usdc: '3.999999' }, { cost_usdc: '4.000000' }],
  ])('%s: at its bound, and not before', (name, below, at) => {
    expect(names(after(reading(0, below)))).toEqual([]);
    expect(names(after(reading(0, at)))).toEqual([name]);
  });

  test('a cost per volume is not judged before there is enough volume; what was earned is no cost', () => {
    const little = { cost_usdc: '40.000000', volume_usdc: '9999.999999' };
    expect(names(after(reading(0, little)))).toEqual([]);
    expect(holdOf(after(reading(0, little)), bounds, NOON)).toBeUndefined();
    expect(names(after(reading(0, { cost_usdc: '-40.000000' })))).toEqual([]);
    const none = { ...bounds, min_volume: '0.000000' };
    expect(names(judged(NOTHING, { ...reading(0, { volume_usdc: '0.000000' }), bounds: none }))).toEqual([]);
  });

  test('what is known until later than now was read by a wrong clock: unknown', () => {
    expect(holdOf(after(reading(1)), bounds, NOON)).toBeUndefined();
    expect(holdOf(after(reading(60)), bounds, NOON)?.code).toBe('limits-unread');
  });

  test('only what is configured is judged, and what no longer is goes', () => {
    const bad = reading(0, { cost_usdc: '1000.000000' });
    expect(names(judged(NOTHING, { ...bad, bounds: { naked_usdc_seconds: '5.000000' } }))).toEqual([]);
    expect(names(judged(after(bad), { ...reading(1), bounds: {} }))).toEqual([]);
  });
});

describe('standing', () => {
  const reached = after(reading(0, { cost_usdc: '52.000000', volume_usdc: '0.000000' }));

  test('stays when the figure recovers, and over midnight, with what it was when it was reached', () => {
    const recovered = judged(reached, reading(1, { cost_usdc: '-10.000000' }));
    const nextDay = judged(recovered, reading(800, { day: '2026-11-27', cost_usdc: '0.000000' }));
    for (const status of [recovered, nextDay])
      expect(standingOf(status)).toMatchObject([{ standing: { since_ms: NOON, figure: '52.000000' } }]);
    expect(holdOf(nextDay, bounds, NOON + 800 * MINUTE)).toMatchObject({
      code: 'limit',
      text: expect.stringMatching(/daily_loss: 52\.00 of 50\.00 USDC lost: until .*counterleg limits/),
    });
  });

  test('acknowledged it is over; the same amount does not bring it back, as much again does', () => {
    const over = acknowledge(reached, 'daily_loss');
    expect(names(over)).toEqual([]);
    expect(over.limits[0]).toMatchObject({ acknowledged: { by: 'ann@desk', at_ms: NOON } });
    const quiet = { volume_usdc: '0.000000' };
    expect(names(judged(over, reading(1, { ...quiet, cost_usdc: '101.999999' })))).toEqual([]);
    expect(names(judged(over, reading(1, { ...quiet, cost_usdc: '102.000000' })))).toEqual(['daily_loss']);
  });

  test('the next day counts from zero', () => {
    const over = acknowledge(reached, 'daily_loss');
    const next = { day: '2026-11-27', volume_usdc: '0.000000' };
    expect(names(judged(over, reading(800, { ...next, cost_usdc: '49.000000' })))).toEqual([]);
    expect(names(judged(over, reading(800, { ...next, cost_usdc: '50.000000' })))).toEqual(['daily_loss']);
  });

  test('an acknowledged cost per volume is judged again after as much volume as at first', () => {
    const dear = after(reading(0, { cost_usdc: '5.000000', volume_usdc: '20000.000000' }));
    const over = acknowledge(dear, 'cost_per_million');
    expect(names(judged(over, reading(1, { cost_usdc: '9.000000', volume_usdc: '29999.000000' })))).toEqual([]);
    expect(names(judged(over, reading(1, { cost_usdc: '6.999999', volume_usdc: '30000.000000' })))).toEqual([]);
    expect(names(judged(over, reading(1, { cost_usdc: '7.000000', volume_usdc: '30000.000000' })))).toEqual([
      'cost_per_million',
    ]);
  });

  test('each by its name, and only what stands', () => {
    const two = judged(
      reached,
      reading(1, { cost_usdc: '52.000000', naked_usdc_seconds: '2000.000000', volume_usdc: '0.000000' }),
    );
    expect(names(acknowledge(two, 'naked_usdc_seconds'))).toEqual(['daily_loss']);
    expect(names(acknowledge(two, 'naked_usdc_seconds', 'daily_loss'))).toEqual([]);
    expect(whyNotAcknowledged(two, ['daily_loss'])).toBeUndefined();
    expect(whyNotAcknowledged(reached, ['naked_usdc_seconds'])).toMatch(
      /^naked_usdc_seconds is not .*only daily_loss stands\. Nothing/,
    );
    expect(whyNotAcknowledged(after(reading(0)), [])).toMatch(/none stands/);
  });
});

describe('unknown', () => {
  test('never told, not in the reading, or told too long ago: nothing that enlarges, until it is known again', () => {
    expect(holdOf(undefined, bounds, NOON)).toMatchObject({
      code: 'limits-unread',
      text: expect.stringContaining('daily_loss'),
    });
    const { cost_usdc: _unread, ...rest } = reading(0);
    const partly = after(rest);
    expect(holdOf(partly, bounds, NOON)).toMatchObject({
      text: expect.stringMatching(/to daily_loss, cost_per_million:/),
    });
    const known = after(reading(0));
    expect(holdOf(known, bounds, NOON + 15 * MINUTE)).toBeUndefined();
    expect(holdOf(known, bounds, NOON + 15 * MINUTE + 1)).toMatchObject({ code: 'limits-unread' });
    expect(holdOf(judged(known, reading(16)), bounds, NOON + 16 * MINUTE)).toBeUndefined();
  });

  test('reaches no limit, keeps one that stands, and an older reading changes nothing', () => {
    const reached = after(reading(5, { cost_usdc: '60.000000' }));
    const { cost_usdc: _unread, ...rest } = reading(6);
    expect(names(judged(reached, rest))).toEqual(['daily_loss', 'cost_per_million']);
    expect(judged(reached, reading(4, { naked_usdc_seconds: '5000.000000' }))).toBe(reached);
  });

  test('limits that the configuration does not have hold nothing', () => {
    expect(
      holdOf(after(reading(0, { cost_usdc: '60.000000' })), { naked_usdc_seconds: '5.000000' }, NOON),
    ).toBeUndefined();
    expect(holdOf(undefined, {}, NOON)).toBeUndefined();
  });
});
