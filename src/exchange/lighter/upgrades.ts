/**
 * When the exchange takes no orders, from what it announces (LP §1.4): time and length stand in the prose only. Pure.
 *
 * What is read is the widest that the words allow: to quote nothing for an hour too much costs little. Words in which no time is found make
 * no window; whoever asks is told, so that a person reads them.
 */
import type { Blackout, Upgrades } from '../../domain/records';
import type { Announcement } from './parse-market';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** Announced mostly a day or two ahead. What is older than this and names no date is history. */
const ANNOUNCED_MS_MAX = 7 * DAY_MS;
const LENGTH_MS = 30 * MINUTE_MS;
/** After the announced end: announced lengths are hopes. */
const SLACK_MS = 15 * MINUTE_MS;
/** An end that is given beside the prose belongs to it when it is this near. */
const END_MS_MAX = 6 * 60 * MINUTE_MS;

const ABOUT = /upgrade|maintenance|downtime/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?';
const TO = '\\s*(?:-|–|—|to|and|&)\\s*';
const TIME =
  /\b(\d{1,2})(?::(\d{2}))?\s*(am|pm)?(?=\s*(?:\(?\s*(?:utc|gmt)\b|(?:-|–|—|to|and|until)\s*\d{1,2}(?::\d{2})?\s*(?:am|pm)?\s*\(?\s*(?:utc|gmt)\b))/gi;

export function upgradesIn(announcements: readonly Announcement[], nowMs: number): Upgrades {
  const recent = announcements.filter(
    ({ title, createdAtMs }) => ABOUT.test(title) && nowMs - createdAtMs < ANNOUNCED_MS_MAX,
  );
  const read = recent.map((announcement) => ({ announcement, blackout: blackoutOf(announcement) }));
  return {
    blackouts: read.flatMap(({ blackout }) => (blackout && blackout.untilMs > nowMs ? [blackout] : [])),
    unread: read.flatMap(({ announcement, blackout }) =>
      blackout === undefined && (announcement.expiredAtMs ?? Infinity) > nowMs ? [announcement] : [],
    ),
  };
}

function blackoutOf({ title, content, createdAtMs, expiredAtMs }: Announcement): Blackout | undefined {
  const text = plain(`${title}\n${content}`);
  const times = [...text.matchAll(TIME)].flatMap((found) => minutesOf(found));
  const days = daysIn(text, createdAtMs);
  const starts = startsOf(times, days, createdAtMs);
  const end = expiredAtMs !== undefined && expiredAtMs > createdAtMs ? expiredAtMs : undefined;
  if (starts.length === 0) {
    // The end is known roughly, the beginning not at all.
    return end === undefined ? undefined : { fromMs: end - 2 * 60 * MINUTE_MS, untilMs: end + SLACK_MS, why: title };
  }
  const fromMs = Math.min(...starts);
  const lastMs = Math.max(...starts);
  const untilMs = Math.max(
    lastMs + lengthIn(text) + SLACK_MS,
    end !== undefined && end - lastMs < END_MS_MAX ? end + SLACK_MS : 0,
  );
  return { fromMs, untilMs, why: title };
}

/** Minutes of the day. */
function minutesOf([, hours = '', minutes = '0', half]: RegExpMatchArray): number[] {
  const [h, m] = [Number(hours), Number(minutes)];
  if (m > 59 || h > (half === undefined ? 23 : 12)) return [];
  if (half === undefined) return [h * 60 + m];
  return [((h % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)) * 60 + m];
}

/** `2026-11-29T22:00:00Z` as it is written elsewhere. */
function plain(text: string): string {
  return text
    .replace(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d)?(?:\.\d+)?Z/g, '$1 $2 UTC')
    .replace(/\b(\d{1,2}:\d\d):\d\d\b/g, '$1');
}

/** Every moment that may be meant: of two times and two dates the first with the first; an end before its beginning is the next day's. */
function startsOf(times: readonly number[], days: readonly number[], createdAtMs: number): number[] {
  if (days.length === 0) return times.map((minutes) => nextAt(minutes, createdAtMs));
  if (days.length === 2 && times.length === 2) return days.map((dayMs, i) => dayMs + (times[i] ?? 0) * MINUTE_MS);
  return times.flatMap((minutes, i) => {
    const isBefore = minutes < (times[i - 1] ?? 0);
    return days.flatMap((dayMs) =>
      (isBefore ? [dayMs, dayMs + DAY_MS] : [dayMs]).map((ms) => ms + minutes * MINUTE_MS),
    );
  });
}

/** Midnights, UTC, of the dates that are named, in the order of the text. */
function daysIn(text: string, createdAtMs: number): number[] {
  const year = new Date(createdAtMs).getUTCFullYear();
  const on = (month: number, day: number, y = year): number[] => {
    const atMs = Date.UTC(y, month, day);
    // A date of January that is announced in December.
    return day < 1 || day > 31 ? [] : [atMs < createdAtMs - 30 * DAY_MS ? Date.UTC(y + 1, month, day) : atMs];
  };
  const monthOf = (name = ''): number => MONTHS.indexOf(name.slice(0, 3).toLowerCase());
  const both = (month: string | undefined, from: string | undefined, to: string | undefined): number[] =>
    [from, to].flatMap((day) => on(monthOf(month), Number(day ?? 0)));
  const all = (pattern: string, read: (found: RegExpMatchArray) => number[]) =>
    [...text.matchAll(new RegExp(pattern, 'gi'))].map((found) => ({ at: found.index, days: read(found) }));
  const inOrder = (...found: ReturnType<typeof all>[]): number[] => [
    ...new Set(found.flat().sort((a, b) => a.at - b.at).flatMap(({ days }) => days)), // prettier-ignore
  ];
  const named = inOrder(
    all(`\\b${MONTH}\\s+${DAY}(?:${TO}${DAY}(?!\\s*(?:[\\d:]|am\\b|pm\\b|utc\\b|gmt\\b)))?\\b`, ([, m, from, to]) =>
      both(m, from, to),
    ),
    all(`\\b${DAY}(?:${TO}${DAY})?\\s+(?:of\\s+)?${MONTH}(?=\\W|$)`, ([, from, to, m]) => both(m, from, to)),
    all('\\b(20\\d\\d)-(\\d\\d)-(\\d\\d)\\b', ([, y, m, d]) => on(Number(m) - 1, Number(d), Number(y))),
  );
  if (named.length > 0) return named;
  const today = Math.floor(createdAtMs / DAY_MS) * DAY_MS;
  return inOrder(
    all('\\btoday\\b', () => [today]),
    all('\\btomorrow\\b', () => [today + DAY_MS]),
  );
}

/** The first such time after the announcement. */
function nextAt(minutes: number, createdAtMs: number): number {
  const atMs = Math.floor(createdAtMs / DAY_MS) * DAY_MS + minutes * MINUTE_MS;
  return atMs >= createdAtMs ? atMs : atMs + DAY_MS;
}

/** The longest length that is named. */
function lengthIn(text: string): number {
  const lengths = [...text.matchAll(/\b(\d{1,3})\s*(?:-\s*)?(minutes?|mins?|hours?|hrs?)\b/gi)].map(
    ([, n, unit = '']) => Number(n) * (unit.toLowerCase().startsWith('h') ? 60 : 1) * MINUTE_MS,
  );
  return Math.min(lengths.length > 0 ? Math.max(...lengths) : LENGTH_MS, END_MS_MAX);
}
