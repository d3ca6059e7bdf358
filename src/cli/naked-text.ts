/** Naked time per lot in words, of one order or of many. Each lot counts once, however it was filled or hedged. */
import type { HedgedLots } from '../domain/times';
import { lotsOf, nakedBeyondDelayMs, nakedMs, overlappingLots } from '../domain/naked';
import { weightedQuantile, type Weighted } from '../domain/quantile';
import { durationText, spreadText } from './table';

/** Undefined where no time is known. */
export function nakedP50Ms(matched: readonly HedgedLots[]): number | undefined {
  return weightedQuantile(weighted(matched, nakedMs), 0.5);
}

/** For the line of an order. */
export function nakedText(matched: readonly HedgedLots[]): string {
  const delayMs = weightedQuantile(weighted(matched, delayOf), 0.5);
  const delay = delayMs === undefined ? '' : ` (${durationText(delayMs)} of it the exchange's)`;
  return `naked ${durationText(nakedP50Ms(matched))} per lot${delay}`;
}

/** `orders`: one by one, since a trade overlaps trades of its own order only. */
export function nakedLines(orders: readonly (readonly HedgedLots[])[]): string[] {
  const all = orders.flat();
  const naked = weighted(all, nakedMs);
  const unknown = lotsIn(weighted(all, () => 0)) - lotsIn(naked);
  const overlaps = orders.map(overlappingLots);
  const sum = (of: 'yes' | 'no'): number => overlaps.reduce((total, each) => total + each[of], 0);
  const known = sum('yes') + sum('no');
  return [
    `naked time per lot:  ${spreadText(naked)}${unknown === 0 ? '' : `; not known of ${unknown} ${unknown === 1 ? 'lot' : 'lots'}`}`,
    `  exchange's delay:  ${spreadText(weighted(all, delayOf))}`,
    `  without it:        ${spreadText(weighted(all, nakedBeyondDelayMs))}`,
    `  traded while the hedge of the order's trade before was under way: ${known === 0 ? '–' : `${((100 * sum('yes')) / known).toFixed(1)} % of the lots`}`,
  ];
}

function delayOf(lots: HedgedLots): number | undefined {
  return nakedMs(lots) === undefined ? undefined : lots.delay_ms;
}

function weighted(matched: readonly HedgedLots[], of: (lots: HedgedLots) => number | undefined): Weighted[] {
  return matched.flatMap((lots) => {
    const value = of(lots);
    return value === undefined ? [] : [{ value, weight: lotsOf(lots) }];
  });
}

function lotsIn(samples: readonly Weighted[]): number {
  return samples.reduce((sum, { weight }) => sum + weight, 0);
}
