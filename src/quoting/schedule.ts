/** Whether the clock of a time zone is inside times of the week, and when that changes next; right on the days when clocks are set. */
import type { QuoteTerms } from '../domain/pair-terms';
import { isIn, isTimeZone, quotingTimes, WEEK_MINUTES, windowsOf, type Window } from '../domain/schedule';

const MINUTE_MS = 60_000;
/** 1970 began on a Thursday. */
const EPOCH_WEEKDAY = 3;

export interface OpenState {
  readonly isOpen: boolean;
  /** Undefined: it never changes. */
  readonly changesAtMs?: number;
}

export function openState(times: readonly Window[], timeZone: string, nowMs: number): OpenState {
  const stateAt = (ms: number): boolean => isIn(times, minuteOfWeek(timeZone, ms));
  const isOpen = stateAt(nowMs);
  let atMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  for (const endMs = atMs + 8 * 1_440 * MINUTE_MS; atMs < endMs;) {
    const nextMs = atMs + minutesToEdge(times, minuteOfWeek(timeZone, atMs)) * MINUTE_MS;
    // Clocks are set in between: what counts up to there is the time before, from there on the time after.
    const setMs = offsetMs(timeZone, nextMs) === offsetMs(timeZone, atMs) ? nextMs : clockSet(timeZone, atMs, nextMs);
    if (stateAt(setMs) !== isOpen) return { isOpen, changesAtMs: setMs };
    atMs = setMs;
  }
  return { isOpen };
}

/** To the next begin or end of a window, at least one. */
function minutesToEdge(times: readonly Window[], minute: number): number {
  const edges = times.flatMap(({ from, until }) => [from, until]).map((edge) => edge - minute);
  return Math.min(...edges.map((ahead) => (ahead <= 0 ? ahead + WEEK_MINUTES : ahead)), WEEK_MINUTES);
}

/** The first minute after `fromMs`, up to `untilMs`, with another offset than it has. */
function clockSet(timeZone: string, fromMs: number, untilMs: number): number {
  const before = offsetMs(timeZone, fromMs);
  let [low, high] = [fromMs / MINUTE_MS, untilMs / MINUTE_MS];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(timeZone, middle * MINUTE_MS) === before) low = middle;
    else high = middle;
  }
  return high * MINUTE_MS;
}

function minuteOfWeek(timeZone: string, ms: number): number {
  const minutes = Math.floor((ms + offsetMs(timeZone, ms)) / MINUTE_MS);
  return (minutes + EPOCH_WEEKDAY * 1_440) % WEEK_MINUTES;
}

/** What the zone's clocks show at a whole minute, less what UTC's show. */
function offsetMs(timeZone: string, ms: number): number {
  const minuteMs = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(minuteMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute) - minuteMs;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const two = '2-digit';
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric' },
    ...{ month: two, day: two, hour: two, minute: two },
  });
  formats.set(timeZone, format);
  return format;
}

export type QuotingTime =
  | { readonly isOpen: true; readonly restMsMax?: number }
  | {
      readonly isOpen: false;
      readonly code: 'schedule' | 'blackout';
      readonly message: string;
      readonly againMs: number;
    };

/** A quote that would have to go so soon is not placed. */
const REST_MS_MIN = 10_000;
/** A cancel is asked for so long before the end. */
const AHEAD_MS = 2_000;
/** Clocks and terms may change meanwhile. */
const AGAIN_MS_MAX = 600_000;

/** Whether the pair's terms want quotes now, and for how long one may rest. */
export function quotingTime({ schedule, blackout, time_zone: zone = 'UTC' }: QuoteTerms, nowMs: number): QuotingTime {
  if (schedule === undefined && blackout === undefined) return { isOpen: true };
  if (!isTimeZone(zone)) {
    const message = `this host knows no time zone ${zone}: nothing is quoted until \`pair set time_zone=…\` names one`;
    return { isOpen: false, code: 'schedule', message, againMs: AGAIN_MS_MAX };
  }
  const times = quotingTimes(schedule, blackout);
  const { isOpen, changesAtMs } = openState(times, zone, nowMs);
  const aheadMs = (changesAtMs ?? Infinity) - nowMs;
  if (isOpen && aheadMs > REST_MS_MIN)
    return { isOpen, ...(changesAtMs === undefined ? {} : { restMsMax: Math.floor(aheadMs - AHEAD_MS) }) };
  const opensAtMs = isOpen ? openState(times, zone, changesAtMs ?? nowMs).changesAtMs : changesAtMs;
  const isDark =
    blackout !== undefined &&
    openState(windowsOf(blackout) ?? [], zone, isOpen ? (changesAtMs ?? nowMs) : nowMs).isOpen;
  return {
    isOpen: false,
    code: isDark ? 'blackout' : 'schedule',
    message:
      `${isDark ? `a blackout (${blackout}` : `outside its schedule (${schedule}`}, ${zone}): ` +
      `quotes again ${opensAtMs === undefined ? 'never' : `at ${new Date(opensAtMs).toISOString().slice(0, 16)}Z`}`,
    againMs: Math.min(Math.max(Math.ceil((opensAtMs ?? Infinity) - nowMs), 1), AGAIN_MS_MAX),
  };
}
