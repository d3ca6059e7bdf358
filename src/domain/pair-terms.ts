/** What of a pair may change while it runs, its bounds, and how a change reads. */
import type { PairInput } from './messages';
import { ReceivedError } from './received';

export type PairTerms = Pick<PairInput, 'strategy' | 'depth' | 'lots' | 'max_position_lots' | 'time_out_ms'>;

/** The last change of a running pair. */
export interface PairChange {
  at_ms: number;
  by: string;
  /** `depth 20 → 5`. */
  what: string;
}

/** Update `set`; what is absent stays. */
export type PairSetting = Partial<PairTerms> & {
  /** Who changes it, for the history. */
  by?: string;
};

export const DEPTH_MAX = 100;
export const TIME_OUT_MS_MAX = 86_400_000;
const BY_MAX = 100;
const AMOUNT = /^[1-9]\d{0,18}$/;

const CHECKS: { readonly [K in keyof Required<PairSetting>]: (value: unknown) => boolean } = {
  strategy: (value) => value === 'buy' || value === 'sell' || value === 'round-trip',
  depth: (value) => isWhole(value, DEPTH_MAX),
  lots: (value) => typeof value === 'string' && AMOUNT.test(value),
  max_position_lots: (value) => typeof value === 'string' && AMOUNT.test(value),
  time_out_ms: (value) => isWhole(value, TIME_OUT_MS_MAX),
  by: (value) => typeof value === 'string' && value.length <= BY_MAX,
};

const NAMES: { readonly [K in keyof PairTerms]: string } = {
  strategy: 'side',
  depth: 'depth',
  lots: 'quantity in lots',
  max_position_lots: 'max_position in lots',
  time_out_ms: 'time_out in ms',
};

export function termsOf({ strategy, depth, lots, max_position_lots, time_out_ms }: PairInput): PairTerms {
  return { strategy, depth, lots, max_position_lots, time_out_ms };
}

/** The pair with the change. Throws ReceivedError, and nothing is changed then. */
export function withSetting(input: PairInput, value: unknown): PairInput {
  if (typeof value !== 'object' || value === null) throw new ReceivedError('a change of a pair is an object');
  for (const [name, given] of Object.entries(value))
    if (!(name in CHECKS) || !CHECKS[name as keyof PairSetting](given))
      throw new ReceivedError(`${NAMES[name as keyof PairTerms] ?? name} cannot be ${JSON.stringify(given)}`);
  const { by: _, ...terms } = value as PairSetting;
  const next = { ...input, ...terms };
  if (BigInt(next.lots) > BigInt(next.max_position_lots))
    throw new ReceivedError(
      `an order of ${next.lots} lots is more than the position may ever be (${next.max_position_lots}): nothing would be quoted`,
    );
  if (changesOf(input, next) === '') throw new ReceivedError('that is how the pair quotes already');
  return next;
}

/** `depth 20 → 5, side buy → sell`; empty when nothing differs. */
export function changesOf(before: PairTerms, after: PairTerms): string {
  const names = Object.keys(NAMES) as (keyof PairTerms)[];
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => `${NAMES[name]} ${before[name]} → ${after[name]}`)
    .join(', ');
}

function isWhole(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max;
}
