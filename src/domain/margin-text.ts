/** How far an account is from its liquidation, in words. No workflow needs it. */
import { formatDecimal, type Notional, type Ticks } from './lots';
import type { AccountMargin } from './margin';
import type { Market } from './records';

/** Beyond it the figure tells nobody anything. */
export const FAR_BPS = 50_000;

/** `A is 9.1 % from its liquidation (100.00 USDC free, 45 % used; BTC at 100000.0, liquidated at 91000.0)` */
export function marginText(
  name: string,
  { free, useBps, distanceBps, positions }: AccountMargin,
  markets: readonly Pick<Market, 'marketId' | 'symbol' | 'priceDecimals'>[],
): string {
  const near =
    distanceBps === undefined
      ? 'holds nothing'
      : `is ${distanceBps > FAR_BPS ? `far (over ${FAR_BPS / 100} %)` : percent(distanceBps)} from its liquidation`;
  const at = positions.map(({ marketId, markTicks, liquidationTicks }) => {
    const { symbol, priceDecimals } = markets.find((market) => market.marketId === marketId) ?? OTHER;
    const price = (value: Ticks): string => formatDecimal(value, priceDecimals);
    const end = liquidationTicks === undefined ? '' : `, liquidated at ${price(liquidationTicks)}`;
    return `${symbol ?? `market ${marketId}`} at ${price(markTicks)}${end}`;
  });
  return `${name} ${near} (${usdcText(free)} USDC free, ${percent(useBps)} used${at.length === 0 ? '' : `; ${at.join(', ')}`})`;
}

/** A market that is not in the list: its prices are shown in ticks. */
const OTHER = { symbol: undefined, priceDecimals: 0 };

function percent(bps: number): string {
  return `${(bps / 100).toFixed(1)} %`;
}

function usdcText(micros: Notional): string {
  return formatDecimal(micros / 10_000n, 2);
}
