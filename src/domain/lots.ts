/**
 * Amounts and prices as exact integers, and their text.
 *
 * Owns the brands `Lots` (base units of a market: size × 10^size_decimals), `Ticks` (price × 10^price_decimals) and `Quote`
 * (micro-USDC: quote × 10^6). No floating point touches any of them: text goes in and out digit by digit.
 */
declare const unit: unique symbol;

/** Base amount, integer: size × 10^size_decimals of its market. */
export type Lots = bigint & { readonly [unit]: 'lots' };
/** Price, integer: price × 10^price_decimals of its market. */
export type Ticks = bigint & { readonly [unit]: 'ticks' };
/** Quote amount, integer millionths of a USDC. */
export type Notional = bigint & { readonly [unit]: 'quote' };

export const QUOTE_DECIMALS = 6;

export const ZERO_LOTS = 0n as Lots;

export function lots(value: bigint | number): Lots {
  return integer(value, 'lots') as Lots;
}

export function ticks(value: bigint | number): Ticks {
  return integer(value, 'ticks') as Ticks;
}

export function notional(value: bigint | number): Notional {
  return integer(value, 'quote') as Notional;
}

function integer(value: bigint | number, what: string): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${what} must be a safe integer`);
  return BigInt(value);
}

export function pow10(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

export function addLots(a: Lots, b: Lots): Lots {
  return (a + b) as Lots;
}

export function subLots(a: Lots, b: Lots): Lots {
  return (a - b) as Lots;
}

export function minLots(a: Lots, b: Lots): Lots {
  return a < b ? a : b;
}

export function maxLots(a: Lots, b: Lots): Lots {
  return a > b ? a : b;
}

/** Exact text → scaled integer. Digits beyond `decimals` must be zeros: an amount is rejected, never rounded. */
export function parseDecimal(text: string, decimals: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (!match) throw new RangeError(`not a decimal number: ${JSON.stringify(text.slice(0, 40))}`);
  const [, sign = '', whole = '0', fraction = ''] = match;
  const kept = fraction.slice(0, decimals).padEnd(decimals, '0');
  if (/[1-9]/.test(fraction.slice(decimals))) throw new RangeError(`${text} has more than ${decimals} decimals`);
  const value = BigInt(whole + kept);
  return sign === '-' ? -value : value;
}

/** Scaled integer → text padded to `decimals`, as the exchange prints it (LP §2.1). */
export function formatDecimal(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

export function parseLots(text: string, sizeDecimals: number): Lots {
  return parseDecimal(text, sizeDecimals) as Lots;
}

export function parseNotional(text: string): Notional {
  return parseDecimal(text, QUOTE_DECIMALS) as Notional;
}
