/** Limits of a day, and the ways in which they contradict each other. */
import { z } from 'zod';
import type { DayBounds } from '../domain/day-limits';
import { formatDecimal, parseNotional, QUOTE_DECIMALS } from '../domain/lots';
import { bound } from './values';

export const limitsSchema = z.strictObject({
  daily_loss: bound.optional(),
  cost_per_million: bound.optional(),
  min_volume: bound.optional(),
  naked_usdc_seconds: bound.optional(),
});

type RawLimits = z.output<typeof limitsSchema>;

const MILLION = 1_000_000n;

export function limitContradictions(limits: RawLimits): { readonly key?: keyof RawLimits; readonly message: string }[] {
  const { daily_loss: loss, cost_per_million: cost, min_volume: volume, naked_usdc_seconds: naked } = limits;
  if (loss === undefined && cost === undefined && naked === undefined)
    return [{ message: 'names no limit: give daily_loss, cost_per_million with min_volume, or naked_usdc_seconds' }];
  if (cost === undefined && volume !== undefined)
    return [{ key: 'min_volume', message: 'is for cost_per_million, which is not there: add it, or remove this' }];
  if (cost === undefined) return [];
  if (volume === undefined)
    return [
      { key: 'cost_per_million', message: 'needs min_volume: the first trade of a day alone says nothing of its cost' },
    ];
  if (parseNotional(cost) > MILLION * MILLION)
    return [
      { key: 'cost_per_million', message: 'is above a million per million of volume: it would never be reached' },
    ];
  const first = (parseNotional(cost) * parseNotional(volume)) / (MILLION * MILLION);
  if (loss === undefined || first < parseNotional(loss)) return [];
  const what = `at min_volume (${volume}) it is ${formatDecimal(first, QUOTE_DECIMALS)} USDC, and daily_loss (${loss}) is reached before`;
  return [
    { key: 'cost_per_million', message: `is never reached: ${what}. Lower it or min_volume, or raise daily_loss` },
  ];
}

export function limitsFrom({ limits }: { readonly limits?: RawLimits | undefined }): { readonly limits?: DayBounds } {
  if (limits === undefined) return {};
  return { limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)) };
}
