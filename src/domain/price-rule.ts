/**
 * Where one side is quoted, and how far prices are apart, as people write them. Text on the wire and in histories; read here. Basis points
 * have two decimals at most, so that all arithmetic stays in integers.
 */

/** Hundredths of a basis point: 1 000 000 of them are the whole price. */
export type CentiBps = bigint;
export const CENTI_BPS_WHOLE: CentiBps = 1_000_000n;
export const LEVEL_MAX = 100;
const BPS = String.raw`\d{1,4}(?:\.\d{1,2})?`;
const TICKS = String.raw`\d{1,6}`;

export type PriceRule =
  /** The N-th distinct level of the side; without a number the pair's depth. */
  | { readonly at: 'level'; readonly level?: number }
  /** The side's best level. */
  | { readonly at: 'join' }
  /** So many ticks better than that. */
  | { readonly at: 'improve'; readonly ticks: bigint }
  /** So far behind the middle of the book, or behind what a hedge of this size is expected to trade at. */
  | { readonly at: 'mid' | 'hedge'; readonly behind: CentiBps };

export const PRICE_RULE_FORMS = 'level, level 3, join, improve 2, mid 1.5 (bps) or hedge 3 (bps)';

/** Undefined for what is none. */
export function priceRuleOf(text: string): PriceRule | undefined {
  const [, at = '', of] = /^(level|join|improve|mid|hedge)(?: ([\d.]+))?$/.exec(text) ?? [];
  switch (at) {
    case 'level':
      if (of === undefined) return { at };
      return isWhole(of, LEVEL_MAX) ? { at, level: Number(of) } : undefined;
    case 'join':
      return of === undefined ? { at } : undefined;
    case 'improve':
      return of !== undefined && isWhole(of, 999_999) ? { at, ticks: BigInt(of) } : undefined;
    case 'mid':
    case 'hedge': {
      const behind = of === undefined ? undefined : centiBpsOf(of);
      return behind === undefined ? undefined : { at, behind };
    }
    default:
      return undefined;
  }
}

export type Distance = { readonly ticks: bigint } | { readonly bps: CentiBps };

export const DISTANCE_FORMS = '12 ticks or 2.5 bps';

/** More than nothing; undefined for what is no distance. */
export function distanceOf(text: string): Distance | undefined {
  const [, ticks, bps] = new RegExp(`^(?:(${TICKS}) ticks?|(${BPS}) bps)$`).exec(text) ?? [];
  if (ticks !== undefined) return BigInt(ticks) > 0n ? { ticks: BigInt(ticks) } : undefined;
  const centi = bps === undefined ? undefined : centiBpsOf(bps);
  return centi === undefined || centi === 0n ? undefined : { bps: centi };
}

/** In ticks of a price, cut down to whole ones. */
export function ticksOf(distance: Distance, price: bigint): bigint {
  return 'ticks' in distance ? distance.ticks : (price * distance.bps) / CENTI_BPS_WHOLE;
}

/** `-1.25` → -125; undefined for what has more decimals, or is beyond 9999 bps. */
export function centiBpsOf(text: string): CentiBps | undefined {
  if (!new RegExp(`^-?${BPS}$`).test(text)) return undefined;
  const [whole = '', part = ''] = text.replace('-', '').split('.');
  const centi = BigInt(whole) * 100n + BigInt(part.padEnd(2, '0'));
  return text.startsWith('-') ? -centi : centi;
}

export function bpsText(centi: CentiBps): string {
  const size = centi < 0n ? -centi : centi;
  const part = (size % 100n).toString().padStart(2, '0').replace(/0+$/, '');
  return `${centi < 0n ? '-' : ''}${size / 100n}${part === '' ? '' : `.${part}`}`;
}

function isWhole(text: string, max: number): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= max;
}
