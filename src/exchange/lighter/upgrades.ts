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
  const text = `${title}\n${content}`;
  const times = [...text.matchAll(TIME)].flatMap((found) => minutesOf(found));
  const days = daysIn(text, createdAtMs);
  const starts = times.flatMap((minutes) =>
    days.length > 0 ? days.map((dayMs) => dayMs + minutes * MINUTE_MS) : [nextAt(minutes, createdAtMs)],
  );
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

/** Midnights, UTC, of the dates that are named. */
function daysIn(text: string, createdAtMs: number): number[] {
  const year = new Date(createdAtMs).getUTCFullYear();
  const on = (month: number, day: number, y = year): number[] => {
    const atMs = Date.UTC(y, month, day);
    // A date of January that is announced in December.
    return day < 1 || day > 31 ? [] : [atMs < createdAtMs - 30 * DAY_MS ? Date.UTC(y + 1, month, day) : atMs];
  };
  const monthOf = (name = ''): number => MONTHS.indexOf(name.slice(0, 3).toLowerCase());
  const named = [
    ...[...text.matchAll(new RegExp(`\\b${MONTH}\\s+${DAY}\\b`, 'gi'))].flatMap(([, m, d]) =>
      on(monthOf(m), Number(d)),
    ),
    ...[...text.matchAll(new RegExp(`\\b${DAY}\\s+(?:of\\s+)?${MONTH}(?=\\W|$)`, 'gi'))].flatMap(([, d, m]) =>
      on(monthOf(m), Number(d)),
    ),
    ...[...text.matchAll(/\b(20\d\d)-(\d\d)-(\d\d)\b/g)].flatMap(([, y, m, d]) =>
      on(Number(m) - 1, Number(d), Number(y)),
    ),
  ];
  if (named.length > 0) return named;
  const today = Math.floor(createdAtMs / DAY_MS) * DAY_MS;
  if (/\btomorrow\b/i.test(text)) return [today + DAY_MS];
  return /\btoday\b/i.test(text) ? [today] : [];
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
