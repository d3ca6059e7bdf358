/** The volume or the time at which a pair ends. */
import { formatDecimal, parseDecimal, QUOTE_DECIMALS } from '../domain/lots';
import type { OrderResult } from '../domain/messages';
import { volumeOf, type QuoteTerms } from '../domain/pair-terms';

/** Why it is reached; undefined: it is not, or there is none. */
export function targetReached(
  { target_volume: volume, target_until: until }: QuoteTerms,
  traded: bigint,
  nowMs: number,
): string | undefined {
  if (until !== undefined && nowMs >= Date.parse(until)) return `target.until is reached: ${until}`;
  if (volume === undefined || traded < (volumeOf(volume) ?? 0n)) return undefined;
  return `target.volume is reached: A has traded ${formatDecimal(traded, QUOTE_DECIMALS)} of ${volume} USDC`;
}

const DECIMAL = /^\d{1,18}(\.\d{1,10})?$/;

/** Of the fills of an order, as far as its average price says; nothing of what does not say it. */
export function valueOf({ filled_base_amount: base, avg_price: price }: OrderResult['maker']): bigint {
  if (!DECIMAL.test(base) || !DECIMAL.test(price)) return 0n;
  const [ofBase, ofPrice] = [base, price].map((text) => text.split('.')[1]?.length ?? 0) as [number, number];
  const product = parseDecimal(base, ofBase) * parseDecimal(price, ofPrice);
  return (product * 10n ** BigInt(QUOTE_DECIMALS)) / 10n ** BigInt(ofBase + ofPrice);
}
