/** P-26 What is read from the prose of announcements: the widest that the words allow, and never nothing in silence. */
import { expect, test } from '@jest/globals';
import type { Announcement } from '../../src/exchange/lighter/parse-market';
import { upgradesIn } from '../../src/exchange/lighter/upgrades';

const CREATED_MS = Date.UTC(2026, 10, 27, 9);
const announced = (content: string, change: Partial<Announcement> = {}): Announcement => ({
  ...{ title: 'Network Upgrade', content, createdAtMs: CREATED_MS },
  ...change,
});
const windowsOf = (...announcements: Announcement[]): string[] =>
  upgradesIn(announcements, CREATED_MS).blackouts.map(({ fromMs, untilMs }) =>
    [fromMs, untilMs].map((ms) => new Date(ms).toISOString().slice(5, 16)).join(' … '),
  );

test.each([
  ['There will be a network upgrade on Sunday, November 29 at 11:00 UTC. Expected downtime is under 20 minutes.', '11-29T11:00 … 11-29T11:35'],
  ['We will upgrade on Nov 29th, 11:00 AM UTC; less than 10 minutes.', '11-29T11:00 … 11-29T11:25'],
  ['The upgrade takes place on 29 November between 11:00 and 13:00 UTC.', '11-29T11:00 … 11-29T13:45'],
  ['2026-11-29, 1pm - 2pm UTC, about 1 hour', '11-29T13:00 … 11-29T15:15'],
  ['Tomorrow at 12 UTC, no order placement for under 15 minutes.', '11-28T12:00 … 11-28T12:30'],
  ['Today at 23:30 (UTC).', '11-27T23:30 … 11-28T00:15'],
  ['At 08:00 UTC.', '11-28T08:00 … 11-28T08:45'],
  ['From 22:00 to 02:00 UTC on November 29.', '11-29T02:00 … 11-30T02:45'],
  ['Today from 22:00 UTC until tomorrow, 02:00 UTC.', '11-27T22:00 … 11-28T02:45'],
  ['From November 29, 22:00 UTC to November 30, 02:00 UTC.', '11-29T22:00 … 11-30T02:45'],
  ['November 29-30, 11:00 UTC.', '11-29T11:00 … 11-30T11:45'],
  ['28 and 29 November at 11:00 UTC.', '11-28T11:00 … 11-29T11:45'],
  ['2026-11-29T22:00:00Z to 2026-11-30T02:00:00Z', '11-29T22:00 … 11-30T02:45'],
  ['On January 3 at 11:00 UTC.', '01-03T11:00 … 01-03T11:45'],
])('%s', (content, window) => {
  expect(windowsOf(announced(content))).toEqual([window]);
}); // prettier-ignore

test('the end that is given beside the prose counts when it is later, and alone when there is no time', () => {
  const expiredAtMs = Date.UTC(2026, 10, 29, 12);
  expect(windowsOf(announced('November 29, 11:00 UTC, under 10 minutes', { expiredAtMs }))).toEqual([
    '11-29T11:00 … 11-29T12:15',
  ]);
  expect(windowsOf(announced('Soon.', { expiredAtMs }))).toEqual(['11-29T10:00 … 11-29T12:15']);
});

test('two announcements at once: a window each, whichever comes first', () => {
  expect(windowsOf(announced('November 30, 11:00 UTC'), announced('November 28, 11:00 UTC'))).toEqual([
    '11-30T11:00 … 11-30T11:45',
    '11-28T11:00 … 11-28T11:45',
  ]);
});

test('what names no time is no window, and is told as unread; what is over or about something else is neither', () => {
  const vague = announced('An upgrade comes soon.');
  const other = announced('BTC is delisted at 11:00 UTC', { title: 'Market Delistings' });
  const old = announced('An upgrade comes soon.', { createdAtMs: CREATED_MS - 8 * 86_400_000 });
  const over = announced('November 26 at 11:00 UTC', { createdAtMs: CREATED_MS - 2 * 86_400_000 });
  expect(upgradesIn([vague, other, old, over], CREATED_MS)).toEqual({ blackouts: [], unread: [vague] });
});
