/**
 * The decimals of a market: what an integer amount means. The exchange may change them while orders, pairs and processes go on with the
 * ones that they began with; then an amount is refused rather than read as ten times itself.
 */
import { lots, type Lots } from './lots';
import type { MarketTerms } from './messages';

export interface Decimals {
  readonly sizeDecimals: number;
  readonly priceDecimals: number;
}

export interface KnownDecimals {
  /** In which this process reads and writes amounts. */
  readonly ours: Decimals;
  /** The exchange's, when it last told them. */
  readonly now: Decimals;
}

export const DECIMALS_REMEDY = 'end its orders, stop the pair, restart both processes, start the pair anew';

/** Why amounts of `terms` mean something else by `known`; undefined when they mean the same, or nothing is known. */
export function otherDecimals(terms: MarketTerms, known: Decimals | undefined): string | undefined {
  if (known === undefined) return undefined;
  const { symbol, size_decimals: size, price_decimals: price } = terms;
  if (size === known.sizeDecimals && price === known.priceDecimals) return undefined;
  return (
    `the decimals of ${symbol}'s sizes and prices are ${known.sizeDecimals} and ${known.priceDecimals}, and this was made with ` +
    `${size} and ${price}: ${DECIMALS_REMEDY}`
  );
}

/** The same amount with other decimals; undefined when it has none that is exact. */
export function lotsIn(amount: Lots, from: number, to: number): Lots | undefined {
  if (to >= from) return lots(amount * 10n ** BigInt(to - from));
  const step = 10n ** BigInt(from - to);
  return amount % step === 0n ? lots(amount / step) : undefined;
}
