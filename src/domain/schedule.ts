/**
 * Times of the week, as people write them: `mon-fri 09:00-17:30, sat 22:00-02:00`. Pure, and without a time zone: minutes of a local week.
 */

/** Minutes since Monday 00:00, the end not part of it. */
export interface Window {
  readonly from: number;
  readonly until: number;
}

export const WEEK_MINUTES = 7 * 1_440;
export const WINDOWS_FORM = 'mon-fri 09:00-17:30, sun 20:00-24:00 (or daily); a window may pass midnight';
const WINDOWS_CHARS_MAX = 300;

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const WINDOW = /^(?:(daily)|([a-z]{3})(?:-([a-z]{3}))?) (\d\d):(\d\d)-(\d\d):(\d\d)$/;

/** Sorted and apart; undefined for what is no list of windows. */
export function windowsOf(text: string): readonly Window[] | undefined {
  if (text.length > WINDOWS_CHARS_MAX) return undefined;
  const found: Window[] = [];
  for (const part of text.split(',')) {
    const windows = windowOf(part.trim());
    if (windows === undefined) return undefined;
    found.push(...windows);
  }
  return merged(found);
}

/** Times at which quotes are wanted: in the schedule (always, without one) and in no blackout. Empty: never. */
export function quotingTimes(schedule: string | undefined, blackout: string | undefined): readonly Window[] {
  const wanted = schedule === undefined ? [{ from: 0, until: WEEK_MINUTES }] : (windowsOf(schedule) ?? []);
  const dark = blackout === undefined ? [] : (windowsOf(blackout) ?? []);
  return dark.reduce<readonly Window[]>(
    (left, { from, until }) =>
      left.flatMap((window) =>
        [
          { from: window.from, until: Math.min(window.until, from) },
          { from: Math.max(window.from, until), until: window.until },
        ].filter((part) => part.from < part.until),
      ),
    wanted,
  );
}

export function isIn(windows: readonly Window[], minute: number): boolean {
  return windows.some(({ from, until }) => minute >= from && minute < until);
}

/** What this host knows of; hosts differ, so a workflow never asks. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function windowOf(text: string): Window[] | undefined {
  const [, daily, first = '', last = first, ...clock] = WINDOW.exec(text) ?? [];
  const [fromHour = 99, fromMinute = 99, untilHour = 99, untilMinute = 99] = clock.map(Number);
  const from = fromHour * 60 + fromMinute;
  const until = untilHour * 60 + untilMinute;
  const [begin, end] = daily === undefined ? [DAYS.indexOf(first), DAYS.indexOf(last)] : [0, 6];
  if (begin < 0 || end < 0 || fromMinute > 59 || untilMinute > 59 || from >= 1_440 || until > 1_440 || from === until)
    return undefined;
  const days = Array.from({ length: ((end - begin + 7) % 7) + 1 }, (_, i) => (begin + i) % 7);
  return days.flatMap((day) => {
    const start = day * 1_440 + from;
    const stop = day * 1_440 + (until > from ? until : 1_440 + until);
    if (stop <= WEEK_MINUTES) return [{ from: start, until: stop }];
    return [
      { from: start, until: WEEK_MINUTES },
      { from: 0, until: stop - WEEK_MINUTES },
    ];
  });
}

function merged(windows: readonly Window[]): readonly Window[] {
  const apart: Window[] = [];
  for (const window of [...windows].sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last === undefined || window.from > last.until) apart.push(window);
    else apart[apart.length - 1] = { from: last.from, until: Math.max(last.until, window.until) };
  }
  return apart;
}
