/** The maker's watch over the limits of the day: what holds quotes, what is withdrawn, and who hears when nobody knows. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { judged, type DayReading, type LimitsStatus } from '../../src/domain/day-limits';
import { LimitWatch, type Hold } from '../../src/quoting/limit-watch';
import { clockOf } from '../clock';

const bounds = { daily_loss: '50.000000' };
const MINUTE = 60_000;
let status: LimitsStatus | undefined;
let isAway: boolean;
let withdrawn: number[];
let alerts: { readonly what: string }[];
let holds: (Hold | undefined)[];
let watch: LimitWatch;

function open(): void {
  watch = new LimitWatch({
    bounds,
    read: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(status)),
    withdraw: (beforeMs) => withdrawn.push(beforeMs),
    tell: (unread) => alerts.push(unread),
    onHold: (hold) => holds.push(hold),
    clock: clockOf(),
  });
}

/** The journal tells the day's cost. */
function told(cost: string): void {
  const now = new Date();
  const reading: DayReading = { day: now.toISOString().slice(0, 10), until_ms: now.getTime(), cost_usdc: cost, bounds };
  status = judged(status ?? { limits: [] }, reading);
}
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  jest.useFakeTimers({ now: Date.parse('2026-11-26T12:00Z') });
  [status, isAway, withdrawn, alerts, holds] = [undefined, false, [], [], []];
});
afterEach(() => {
  watch.close();
  jest.useRealTimers();
});

test('before anybody has told anything what enlarges is held; then not', async () => {
  open();
  expect(watch.hold()).toMatchObject({ code: 'limits-unread' });
  told('1.000000');
  await pass(5_000);
  expect(watch.hold()).toBeUndefined();
});

test('reached: what rests is withdrawn, and what was on its way, but not what is quoted later', async () => {
  told('1.000000');
  open();
  await pass(0);
  expect([watch.hold(), withdrawn]).toEqual([undefined, []]);
  told('50.000000');
  await pass(5_000);
  expect(watch.hold()).toMatchObject({ code: 'limit', text: expect.stringContaining('daily_loss: 50.00 of 50.00') });
  const [before = 0] = withdrawn;
  expect(before).toBe(Date.now() + 10_000);
  await pass(60_000);
  expect(new Set(withdrawn)).toEqual(new Set([before]));
  expect(holds.map((hold) => hold?.code)).toEqual([undefined, 'limit']);
});

test('the run cannot be asked: what it said last holds until it is too old; then nobody knows, and somebody is told', async () => {
  told('1.000000');
  open();
  await pass(0);
  isAway = true;
  await pass(15 * MINUTE);
  expect(watch.hold()).toBeUndefined();
  await pass(5_000);
  expect([watch.hold()?.code, withdrawn.length]).toEqual(['limits-unread', 1]);
  await pass(4 * MINUTE);
  expect(alerts).toEqual([]);
  await pass(2 * MINUTE);
  expect(alerts).toMatchObject([{ what: expect.stringContaining('daily_loss') }]);
  await pass(20 * MINUTE);
  expect(alerts).toHaveLength(1);
  isAway = false;
  told('2.000000');
  await pass(5_000);
  expect(watch.hold()).toBeUndefined();
});
