/** Figures and times in the reader's own locale. Amounts come as decimal text and stay exact. */

const decimals = new Map<number, Intl.NumberFormat>();

function fixed(places: number): Intl.NumberFormat {
  const known = decimals.get(places);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat(undefined, { minimumFractionDigits: places, maximumFractionDigits: places });
  decimals.set(places, format);
  return format;
}

/** With the decimals that it was given with. */
export function amount(text: string | undefined): string {
  if (text === undefined || !/^-?\d+(\.\d+)?(e-?\d+)?$/.test(text))
    return text === undefined || text === '' ? '–' : text;
  if (text.includes('e')) return new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 }).format(Number(text));
  return fixed(text.split('.')[1]?.length ?? 0).format(text as Intl.StringNumericLiteral);
}

export function figure(value: number | undefined, places: number): string {
  return value === undefined ? '–' : fixed(places).format(value);
}

const unit = (name: string, places: number): Intl.NumberFormat =>
  new Intl.NumberFormat(undefined, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: places });
const UNITS = {
  ms2: unit('millisecond', 2),
  ms: unit('millisecond', 0),
  s1: unit('second', 1),
  s: unit('second', 0),
  min: unit('minute', 0),
  h: unit('hour', 1),
} as const;

export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 10) return UNITS.ms2.format(ms);
  if (ms < 1_000) return UNITS.ms.format(ms);
  if (ms < 10_000) return UNITS.s1.format(ms / 1_000);
  if (ms < 120_000) return UNITS.s.format(ms / 1_000);
  return ms < 7_200_000 ? UNITS.min.format(ms / 60_000) : UNITS.h.format(ms / 3_600_000);
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const MINUTE = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });

export const clock = (ms: number): string => CLOCK.format(ms);
export const minute = (ms: number): string => MINUTE.format(ms);

export function bytes(value: number | undefined): string {
  return value === undefined ? '–' : `${fixed(0).format(value / 1_048_576)} MiB`;
}
