/** The forms of single values of `config.yaml`: text in, typed out. */
import { z } from 'zod';
import { parseNotional } from '../domain/lots';
import { centiBpsOf } from '../domain/price-rule';
import { TRANSFER_MIN } from '../domain/rebalance';

export const text = z.string().trim().min(1, 'must not be empty');

export function whole(min: number, max: number): z.ZodType<number, string> {
  const message = `must be a whole number from ${min} to ${max}`;
  return text
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

export function fraction(): z.ZodType<number, string> {
  const message = 'must be a number from 0 to 1, e.g. 0.5';
  return text
    .regex(/^\d+(\.\d+)?$/, message)
    .transform(Number)
    .refine((value) => value <= 1, message);
}

/** Stays text: amounts never become floating-point numbers (invariant 9). */
export const amount = text
  .regex(/^\d+(\.\d+)?$/, "must be a decimal amount in base units, e.g. '0.0002'")
  .refine((value) => /[1-9]/.test(value), 'must be more than zero');

/** Micro-USDC. */
export const usdc = text
  .regex(/^\d{1,9}(\.\d{1,6})?$/, "must be an amount of USDC, e.g. '1000'")
  .transform(parseNotional)
  .refine((value) => value >= TRANSFER_MIN, 'must be 1 USDC at least: the exchange moves no less');

/** Of a limit of a day, in USDC or USDC-seconds; stays text. */
export const bound = text
  .regex(/^\d{1,9}(\.\d{1,6})?$/, "must be a number of up to six decimals, e.g. '50'")
  .refine((value) => /[1-9]/.test(value), 'must be more than zero: leave it out where there shall be no such limit');

export const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true');

export function oneOf<const T extends readonly [string, ...string[]]>(values: T): z.ZodType<T[number], string> {
  return z.enum(values, `must be one of: ${values.join(', ')}`);
}

export function url(...schemes: readonly string[]): z.ZodType<string, string> {
  return text.refine(
    (value) => URL.canParse(value) && schemes.includes(new URL(value).protocol.replace(':', '')),
    `must be an address that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  );
}

/** API keys 0…3 belong to Lighter's own front ends (LP §3.6), 255 to none. */
export const lane = whole(4, 254);
export const port = whole(1, 65_535);
/** Account indexes of sub-accounts exceed 2^47 but stay below 2^53 (LP §2.2). */
export const accountIndex = whole(1, Number.MAX_SAFE_INTEGER);

/** With its offset: a time of day alone says nothing on another host. */
export const moment = text
  .regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/,
    'must be a time with its offset, e.g. 2026-11-29T11:00Z',
  )
  .transform((value) => Date.parse(value))
  .refine((value) => Number.isFinite(value), 'is no time that exists');

export const feeBps = text
  .refine((value) => centiBpsOf(value) !== undefined, 'must be basis points, two decimals at most, e.g. 2.8')
  .transform((value) => centiBpsOf(value) ?? 0n);
