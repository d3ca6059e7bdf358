/** What of a pair may change while it runs, its bounds, what contradicts what, and how a change reads. */
import { parseDecimal, QUOTE_DECIMALS } from './lots';
import type { PairInput } from './messages';
import { centiBpsOf, DISTANCE_FORMS, distanceOf, PRICE_RULE_FORMS, priceRuleOf } from './price-rule';
import { ReceivedError } from './received';
import { quotingTimes, WINDOWS_FORM, windowsOf } from './schedule';

/** Where, when and until when to quote, beside the depth. What is absent is off. Texts as price-rule.ts and schedule.ts read them. */
export interface QuoteTerms {
  price_buy?: string;
  price_sell?: string;
  /** Nothing is quoted that is expected to leave less, in basis points after fees. */
  min_edge_bps?: string;
  /** How far both sides' prices move against a full position. */
  skew?: string;
  max_long_lots?: string;
  max_short_lots?: string;
  /** A quote that is so far from where it would be placed now is placed anew. */
  requote_drift?: string;
  /** It rests so long at least; after one was withdrawn for its edge, the next one waits so long. */
  requote_min_rest_ms?: number;
  schedule?: string;
  blackout?: string;
  /** Of both; UTC where there is none. */
  time_zone?: string;
  /** A's volume since the pair was started, in USDC, at which it ends. */
  target_volume?: string;
  /** In UTC, as `toISOString` has it. */
  target_until?: string;
  /** How it ends; a pause where nothing is said. */
  target_then?: 'pause' | 'stop';
}

type BaseTerms = Pick<PairInput, 'strategy' | 'depth' | 'lots' | 'max_position_lots' | 'time_out_ms'>;
export type PairTerms = BaseTerms & QuoteTerms;

/** The last change of a running pair. */
export interface PairChange {
  at_ms: number;
  by: string;
  /** `depth 20 → 5`. */
  what: string;
}

/** Update `set`; what is absent stays, null takes an optional term away. */
export type PairSetting = Partial<BaseTerms> & { [K in keyof QuoteTerms]?: QuoteTerms[K] | null } & {
  /** Who changes it, for the history. */
  by?: string;
};

export const DEPTH_MAX = 100;
export const TIME_OUT_MS_MAX = 86_400_000;
export const MIN_REST_MS_DEFAULT = 1_000;
const UNTIL = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const THENS = ['pause', 'stop'];
const BY_MAX = 100;
const AMOUNT = /^[1-9]\d{0,18}$/;
/** Which zones there are is the hosts' business: a workflow must not depend on it. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/;

interface Term {
  /** In `pair set`, and in what a change says. */
  readonly name: string;
  readonly isGood: (value: unknown) => boolean;
  readonly form: string;
}

const amount = (name: string): Term => ({
  name: `${name} in lots`,
  isGood: (value) => typeof value === 'string' && AMOUNT.test(value),
  form: 'a whole number of lots, more than zero',
});
const whole = (name: string, max: number): Term => ({
  name,
  isGood: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max,
  form: `a whole number from 1 to ${max}`,
});
const text = (name: string, read: (value: string) => unknown, form: string): Term => ({
  name,
  isGood: (value) => typeof value === 'string' && read(value) !== undefined,
  form,
});

const OPTIONAL: { readonly [K in keyof Required<QuoteTerms>]: Term } = {
  price_buy: text('price.buy', priceRuleOf, PRICE_RULE_FORMS),
  price_sell: text('price.sell', priceRuleOf, PRICE_RULE_FORMS),
  min_edge_bps: text('min_edge_bps', edgeOf, 'basis points from -999.99 to 999.99, two decimals at most'),
  skew: text('skew', distanceOf, DISTANCE_FORMS),
  max_long_lots: amount('max_long'),
  max_short_lots: amount('max_short'),
  requote_drift: text('requote.drift', distanceOf, DISTANCE_FORMS),
  requote_min_rest_ms: whole('requote.min_rest_ms', TIME_OUT_MS_MAX),
  schedule: text('schedule', windowsOf, WINDOWS_FORM),
  blackout: text('blackout', windowsOf, WINDOWS_FORM),
  time_zone: text(
    'time_zone',
    (value) => ZONE.exec(value) ?? undefined,
    'the name of a time zone, Europe/Berlin for one',
  ),
  target_volume: text('target.volume', volumeOf, 'USDC, more than zero, six decimals at most'),
  target_until: text(
    'target.until',
    (value) => UNTIL.exec(value) ?? undefined,
    'a time with its offset, 2026-11-29T11:00Z',
  ),
  target_then: text('target.then', (value) => THENS.find((then) => then === value), 'pause or stop'),
};

const TERMS: { readonly [K in keyof Required<PairTerms>]: Term } = {
  strategy: text(
    'side',
    (value) => ['buy', 'sell', 'round-trip'].find((side) => side === value),
    'buy, sell or round-trip',
  ),
  depth: whole('depth', DEPTH_MAX),
  lots: amount('quantity'),
  max_position_lots: amount('max_position'),
  time_out_ms: whole('time_out in ms', TIME_OUT_MS_MAX),
  ...OPTIONAL,
};

const names = Object.keys(TERMS) as (keyof PairTerms)[];
const optionalNames = Object.keys(OPTIONAL) as (keyof QuoteTerms)[];

export function termsOf(input: PairInput): PairTerms {
  const { strategy, depth, lots, max_position_lots, time_out_ms } = input;
  return { strategy, depth, lots, max_position_lots, time_out_ms, ...quoteTermsOf(input) };
}

export function quoteTermsOf(input: QuoteTerms): QuoteTerms {
  return Object.fromEntries(
    optionalNames.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  );
}

/** The pair with the change. Throws ReceivedError, and nothing is changed then. */
export function withSetting(input: PairInput, value: unknown): PairInput {
  if (typeof value !== 'object' || value === null) throw new ReceivedError('a change of a pair is an object');
  const { by, ...setting } = value as PairSetting;
  if (by !== undefined && (typeof by !== 'string' || by.length > BY_MAX))
    throw new ReceivedError(`by cannot be ${JSON.stringify(by)}`);
  const taken = Object.keys(setting).filter((name) => name in OPTIONAL && setting[name as keyof QuoteTerms] === null);
  const given = Object.fromEntries(Object.entries(setting).filter(([name]) => !taken.includes(name)));
  const kept = Object.fromEntries(Object.entries(input).filter(([name]) => !taken.includes(name)));
  const next = { ...kept, ...given } as unknown as PairInput;
  for (const [name, value] of Object.entries(given)) {
    const term = name in TERMS ? TERMS[name as keyof PairTerms] : undefined;
    if (term?.isGood(value) === true) continue;
    const form = term === undefined ? '' : `: give ${term.form}`;
    throw new ReceivedError(`${term?.name ?? name} cannot be ${JSON.stringify(value)}${form}`);
  }
  const contradiction = amountsContradiction(next);
  if (contradiction !== undefined) throw new ReceivedError(contradiction);
  demandQuoteTerms(next);
  if ('depth' in given && !usesDepth(next))
    throw new ReceivedError('depth counts only where a price is `level`: set price=level with it, or price=level N');
  if (changesOf(input, next) === '') throw new ReceivedError('that is how the pair quotes already');
  return next;
}

/** What a pair is started with. Throws ReceivedError. */
export function demandQuoteTerms(input: PairInput): PairInput {
  const problem = quoteTermsProblem({ ...quoteTermsOf(input), time_out_ms: input.time_out_ms });
  if (problem !== undefined) throw new ReceivedError(`${problem.name} ${problem.what}`);
  return input;
}

interface Problem {
  /** Of the term; what comes before a point is a key of the configuration. */
  readonly name: string;
  readonly what: string;
}

/** What is wrong with the optional terms, of a pair that is only configured too. */
export function quoteTermsProblem(terms: TimedTerms): Problem | undefined {
  for (const term of optionalNames) {
    const { name, isGood, form } = OPTIONAL[term];
    const value = terms[term];
    if (value !== undefined && !isGood(value))
      return { name, what: `cannot be ${JSON.stringify(value)}: give ${form}` };
  }
  return timesContradiction(terms);
}

function amountsContradiction({
  strategy,
  lots,
  max_position_lots,
  max_long_lots,
  max_short_lots,
}: PairTerms): string | undefined {
  const size = BigInt(lots);
  const most = BigInt(max_position_lots);
  if (size > most)
    return `an order of ${lots} lots is more than the position may ever be (${max_position_lots}): nothing would be quoted`;
  for (const [name, max, sides] of [
    ['max_long', max_long_lots, ['buy', 'round-trip']],
    ['max_short', max_short_lots, ['sell']],
  ] as const) {
    if (max === undefined) continue;
    if (BigInt(max) > most)
      return `${name} of ${max} lots is above max_position (${max_position_lots}), which holds: raise that, or lower this`;
    if (size > BigInt(max) && sides.some((side) => side === strategy))
      return `an order of ${lots} lots is more than ${name} allows (${max}): nothing would be quoted`;
  }
  return undefined;
}

type TimedTerms = QuoteTerms & { readonly time_out_ms: number };

function timesContradiction(terms: TimedTerms): Problem | undefined {
  const { requote_drift, requote_min_rest_ms: restMs, time_out_ms, target_then } = terms;
  if (quotingTimes(terms.schedule, terms.blackout).length === 0)
    return { name: 'blackout', what: 'covers the whole schedule, which then never trades: nothing would be quoted' };
  if (restMs !== undefined && requote_drift === undefined && terms.min_edge_bps === undefined)
    return { name: 'requote.min_rest_ms', what: 'counts only with requote.drift or min_edge_bps: set one of them too' };
  if (target_then !== undefined && terms.target_volume === undefined && terms.target_until === undefined)
    return { name: 'target.then', what: 'counts only with target.volume or target.until: set one of them too' };
  const leastMs = restMs ?? MIN_REST_MS_DEFAULT;
  if (requote_drift === undefined || leastMs < time_out_ms) return undefined;
  const what = `of ${leastMs} lets nothing be placed anew: an order is cancelled after ${time_out_ms} ms`;
  return { name: 'requote.min_rest_ms', what };
}

/** `depth 20 → 5, side buy → sell`; empty when nothing differs. */
export function changesOf(before: PairTerms, after: PairTerms): string {
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => `${TERMS[name].name} ${before[name] ?? 'off'} → ${after[name] ?? 'off'}`)
    .join(', ');
}

/** `price.buy join, min_edge_bps 0.5`; empty when all is off. */
export function quoteTermsText(terms: QuoteTerms): string {
  return optionalNames
    .filter((name) => terms[name] !== undefined)
    .map((name) => `${OPTIONAL[name].name} ${terms[name]}`)
    .join(', ');
}

/** In micro-USDC; undefined for what is none. */
export function volumeOf(text: string): bigint | undefined {
  const volume = /^\d{1,12}(\.\d{1,6})?$/.test(text) ? parseDecimal(text, QUOTE_DECIMALS) : 0n;
  return volume > 0n ? volume : undefined;
}

function usesDepth({ price_buy = 'level', price_sell = 'level' }: QuoteTerms): boolean {
  return price_buy === 'level' || price_sell === 'level';
}

function edgeOf(value: string): bigint | undefined {
  const centi = centiBpsOf(value);
  return centi !== undefined && centi > -100_000n && centi < 100_000n ? centi : undefined;
}
