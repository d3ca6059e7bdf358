/**
 * Limits of a UTC day: what trading may cost, and how long fills may lack their mirror. Pure; plain JSON, as messages.ts says.
 *
 * One that is reached stands until somebody acknowledges it, over midnight too; what was acknowledged counts no more that day. While one stands,
 * nothing is quoted that enlarges a position. A figure that was not read is unknown, never zero: it reaches no limit, and lets nothing be quoted.
 */
import { formatDecimal, parseNotional as micro, QUOTE_DECIMALS } from './lots';
import { usdc } from './rebalance';

export const LIMIT_NAMES = ['daily_loss', 'cost_per_million', 'naked_usdc_seconds'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** The alert about each. */
export const LIMIT_ALERTS = {
  daily_loss: 'limit-daily-loss',
  cost_per_million: 'limit-cost',
  naked_usdc_seconds: 'limit-naked',
} as const satisfies Record<LimitName, string>;

/** Decimal text with six decimals at most: USDC, USDC-seconds. */
export type DayBounds = { readonly [Name in LimitName | 'min_volume']?: string };

/** What a day has brought so far. What is absent was not read. */
export interface DayFigures {
  /** `2026-11-26` */
  day: string;
  /** As far as it is known, by the exchange's clock. */
  until_ms: number;
  /** Of both accounts; negative: earned. */
  cost_usdc?: string;
  volume_usdc?: string;
  naked_usdc_seconds?: string;
}

/** Signal `dayFigures`, journal → limits. */
export interface DayReading extends DayFigures {
  bounds: DayBounds;
}

export interface Limit {
  name: LimitName;
  bound: string;
  /** What counts against the bound; absent: unknown, or, of a cost per volume, too little was traded to judge it. */
  figure?: string;
  /** Until when it is known; absent: it never was. */
  known_until_ms?: number;
  standing?: { since_ms: number; figure: string };
  /** The last one. `from`: what counts no more that day. */
  acknowledged?: { at_ms: number; by: string; from: DayFigures };
}

export interface LimitsStatus {
  figures?: DayFigures;
  limits: readonly Limit[];
}

export interface LimitsInput {
  maker_account: number;
  /** Continue as new from this length on, if before the engine suggests it. */
  history_events_max?: number;
  /** From the run before, when its history had grown long. */
  carry?: LimitsStatus;
}

export interface Acknowledgement {
  names: LimitName[];
  /** Who says so. */
  by: string;
}

/** Known longer ago than this is unknown. Where requests are counted a round of the journal takes minutes. */
const UNKNOWN_AFTER_MS = 15 * 60_000;
/** Known until later than this from now is a wrong clock, and no newer reading would count. */
const AHEAD_MS_MAX = 60_000;
const MILLION = 1_000_000n;

export function limitsWorkflowId(makerAccount: number): string {
  return `limits/${makerAccount}`;
}

/** What stands after a reading. One that is older than what is known changes nothing. */
export function judged(before: LimitsStatus, { bounds, ...said }: DayReading): LimitsStatus {
  const { figures: known } = before;
  if (known !== undefined && said.until_ms < known.until_ms) return before;
  const figures = known?.day === said.day ? { ...known, ...said } : said;
  const limits = LIMIT_NAMES.flatMap((name) => {
    const bound = bounds[name];
    const limit = before.limits.find((one) => one.name === name);
    return bound === undefined ? [] : [judgedOne({ ...limit, name, bound }, said, bounds)];
  });
  return { figures, limits };
}

function judgedOne({ figure: _before, ...limit }: Limit, said: DayFigures, { min_volume = '0' }: DayBounds): Limit {
  const from = limit.acknowledged?.from.day === said.day ? limit.acknowledged.from : undefined;
  const since = (key: 'cost_usdc' | 'volume_usdc' | 'naked_usdc_seconds'): bigint | undefined => {
    const now = said[key];
    return now === undefined ? undefined : micro(now) - micro(from?.[key] ?? '0');
  };
  const known = { ...limit, known_until_ms: said.until_ms };
  const judge = (figure: bigint): Limit => {
    const text = formatDecimal(figure, QUOTE_DECIMALS);
    const isReached = figure >= micro(limit.bound);
    const standing = limit.standing ?? (isReached ? { since_ms: said.until_ms, figure: text } : undefined);
    return { ...known, figure: text, ...(standing && { standing }) };
  };
  if (limit.name !== 'cost_per_million') {
    const figure = since(limit.name === 'daily_loss' ? 'cost_usdc' : 'naked_usdc_seconds');
    return figure === undefined ? limit : judge(figure);
  }
  const [cost, volume] = [since('cost_usdc'), since('volume_usdc')];
  if (cost === undefined || volume === undefined) return limit;
  return volume === 0n || volume < micro(min_volume) ? known : judge((cost * MILLION * MILLION) / volume);
}

/** Why it cannot be done; undefined: it can. */
export function whyNotAcknowledged({ limits }: LimitsStatus, names: readonly LimitName[]): string | undefined {
  const standing = standingOf({ limits }).map(({ name }) => name);
  const others = names.filter((name) => !standing.includes(name));
  if (names.length > 0 && others.length === 0) return undefined;
  const which = standing.length === 0 ? 'none stands' : `only ${standing.join(', ')} stands`;
  return `${others.join(', ') || 'no limit'} is not to be acknowledged: ${which}. Nothing was changed`;
}

export function acknowledged(before: LimitsStatus, { names, by }: Acknowledgement, atMs: number): LimitsStatus {
  const { figures } = before;
  if (figures === undefined) return before;
  const limits = before.limits.map((one): Limit => {
    if (one.standing === undefined || !names.includes(one.name)) return one;
    const { standing: _over, figure: _counted, ...limit } = one;
    return { ...limit, acknowledged: { at_ms: atMs, by, from: figures } };
  });
  return { figures, limits };
}

export function standingOf({ limits }: LimitsStatus): readonly Limit[] {
  return limits.filter(({ standing }) => standing !== undefined);
}

/** A configured limit as it is now, for people and programs. */
export interface LimitNow extends Partial<Limit> {
  readonly name: LimitName;
  readonly bound: string;
  readonly state: 'ok' | 'standing' | 'unknown';
}

export function limitsNow(status: LimitsStatus | undefined, bounds: DayBounds, nowMs: number): readonly LimitNow[] {
  return LIMIT_NAMES.flatMap((name) => {
    const bound = bounds[name];
    const limit = status?.limits.find((one) => one.name === name);
    const state = limit?.standing !== undefined ? 'standing' : isUnknown(limit ?? {}, nowMs) ? 'unknown' : 'ok';
    return bound === undefined ? [] : [{ ...limit, name, bound, state }];
  });
}

function isUnknown({ known_until_ms: untilMs }: Partial<Limit>, nowMs: number): boolean {
  return untilMs === undefined || nowMs - untilMs > UNKNOWN_AFTER_MS || untilMs - nowMs > AHEAD_MS_MAX;
}

/** Why nothing is quoted that enlarges a position; undefined: each limit is known, and none stands. */
export function holdOf(
  status: LimitsStatus | undefined,
  bounds: DayBounds,
  nowMs: number,
): { readonly code: 'limit' | 'limits-unread'; readonly text: string } | undefined {
  const limits = limitsNow(status, bounds, nowMs);
  const standing = limits.filter(({ state }) => state === 'standing');
  if (standing.length > 0) {
    const text = `${standing.map(limitText).join('; ')}: until somebody acknowledges it (\`counterleg limits\`)`;
    return { code: 'limit', text };
  }
  const unknown = limits.filter(({ state }) => state === 'unknown').map(({ name }) => name);
  if (unknown.length === 0) return undefined;
  const text = `nobody knows how near the day is to ${unknown.join(', ')}: the journal has not told`;
  return { code: 'limits-unread', text };
}

const UNITS: Readonly<Record<LimitName, string>> = {
  daily_loss: 'USDC lost',
  cost_per_million: 'USDC per million of volume',
  naked_usdc_seconds: 'USDC-seconds naked',
};

/** `daily_loss: 52.10 of 50.00 USDC lost`: as it was when it was reached. */
export function limitText({ name, bound, figure, standing }: Limit | LimitNow): string {
  return `${name}: ${shown(standing?.figure ?? figure)} of ${shown(bound)} ${UNITS[name]}`;
}

/** Two decimals. */
export function shown(figure: string | undefined): string {
  return figure === undefined ? 'unknown' : usdc(micro(figure));
}
