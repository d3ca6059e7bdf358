/**
 * Scaled integers to fixed decimals and back. Sizes, prices and USDC are integers inside; text only at the edge (LP §2.1).
 * Every scaled integer here stays below 2^53, because one order's quote is capped at 2^48 − 1 (LP §2.1, `order_quote_limit`).
 */
/** 12345, 2 → "123.45". Pads fully: SDKs delete the dot and read the digits (LP §2.1). */
export function formatScaled(value: number, decimals: number): string {
  if (decimals === 0) return String(value);
  const negative = value < 0;
  const digits = String(negative ? -value : value).padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  return `${negative ? '-' : ''}${digits.slice(0, cut)}.${digits.slice(cut)}`;
}

/** "123.45", 2 → 12345. Undefined when it is no decimal number or has more digits than the scale. */
export function parseScaled(text: string, decimals: number): number | undefined {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text.trim());
  if (match === null) return undefined;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  const value = Number(`${match[2] ?? '0'}${fraction.padEnd(decimals, '0')}`);
  if (!Number.isSafeInteger(value)) return undefined;
  return match[1] === '-' ? -value : value;
}

/** Micro-USDC as "12.345678". */
export function formatMicro(micro: number): string {
  return formatScaled(micro, 6);
}
