/** A pair of the configuration, in the program's names. */
import type { QuoteTerms } from '../domain/pair-terms';
import type { RawConfig } from './schema';

type RawPair = RawConfig['pairs'][number];

export interface PairConfig {
  /** Symbol as the exchange spells it. */
  readonly market: string;
  /** Decimal text in base units: lots need the market's decimals. */
  readonly quantity: string;
  readonly depth: number;
  readonly side: 'buy' | 'sell' | 'round-trip';
  /** One per slot: slot i owns lane i of A and lane i of B. */
  readonly lanes: readonly number[];
  readonly spareLanes: readonly number[];
  /** Decimal text in base units. */
  readonly maxPosition: string;
  readonly maxLong?: string;
  readonly maxShort?: string;
  readonly terms: QuoteTerms;
}

export function pairIn(entry: RawPair): PairConfig {
  const { market, quantity, depth, side, lanes, spare_lanes, max_position, max_long, max_short } = entry;
  return {
    ...{ market, quantity, depth, side, lanes },
    ...{ spareLanes: spare_lanes, maxPosition: max_position, terms: quoteTermsIn(entry) },
    ...(max_long === undefined ? {} : { maxLong: max_long }),
    ...(max_short === undefined ? {} : { maxShort: max_short }),
  };
}

/** A pair's optional terms, but for amounts, which need the market's decimals. */
export function quoteTermsIn(entry: RawPair): QuoteTerms {
  const { price, requote, target, min_edge_bps, skew, schedule, blackout, time_zone } = entry;
  const { buy, sell } = typeof price === 'string' ? { buy: price, sell: price } : (price ?? {});
  const terms = {
    ...{ price_buy: buy, price_sell: sell, min_edge_bps, skew },
    ...{ requote_drift: requote?.drift, requote_min_rest_ms: requote?.min_rest_ms, schedule, blackout, time_zone },
    ...{
      target_volume: target?.volume,
      target_until: target?.until === undefined ? undefined : new Date(target.until).toISOString(),
      target_then: target?.then,
    },
  };
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined));
}
