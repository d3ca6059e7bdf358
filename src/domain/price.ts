/** Prices in integers: how far from the maker order's price a hedge may trade, where a seal cannot, and what an amount is worth. */
import { assertNever } from './assert';
import { pow10, notional, QUOTE_DECIMALS, ticks, type Lots, type Notional, type Ticks } from './lots';
import type { Side } from './records';

const BPS = 10_000n;
/** Prices are uint32 on the wire, at least 1 (LP §2.1). */
export const PRICE_TICKS_MAX = ticks(4_294_967_295n);

/**
 * Worst price at which `side` may trade: rounded towards the anchor, so never beyond `bps`, but at least one tick away from it: below
 * some 500 ticks 20 bps are no tick at all.
 */
export function boundTicks(input: { readonly side: Side; readonly anchorTicks: Ticks; readonly bps: number }): Ticks {
  const offset = offsetTicks(input);
  switch (input.side) {
    case 'buy':
      return clamp(input.anchorTicks + offset);
    case 'sell':
      return clamp(input.anchorTicks - offset);
    default:
      return assertNever(input.side);
  }
}

/** A limit price of `side` that does not cross, at least a tick away from the anchor: a seal must not trade. */
export function sealTicks(input: { readonly side: Side; readonly anchorTicks: Ticks; readonly bps: number }): Ticks {
  const offset = offsetTicks(input);
  return clamp(input.side === 'buy' ? input.anchorTicks - offset : input.anchorTicks + offset);
}

/** Size × price of a market have this many decimals together; six on every perpetual (LP §2.1), other markets are scaled. */
interface Scale {
  readonly sizeDecimals: number;
  readonly priceDecimals: number;
}

/** What lots are worth at a price; a fraction of a micro-USDC is cut off. */
export function quoteOf(amount: Lots, price: Ticks, { sizeDecimals, priceDecimals }: Scale): Notional {
  return notional((amount * price * pow10(QUOTE_DECIMALS)) / pow10(sizeDecimals + priceDecimals));
}

/** Quote ÷ base, rounded half up to a tick, for display: every `avg_price` is this. 0 when nothing executed. */
export function averagePriceTicks(total: Notional, amount: Lots, { sizeDecimals, priceDecimals }: Scale): Ticks {
  if (amount === 0n) return ticks(0n);
  const numerator = total * pow10(sizeDecimals + priceDecimals);
  const denominator = amount * pow10(QUOTE_DECIMALS);
  return ticks((2n * numerator + denominator) / (2n * denominator));
}

function offsetTicks({ anchorTicks, bps }: { readonly anchorTicks: Ticks; readonly bps: number }): bigint {
  const offset = (anchorTicks * BigInt(bps)) / BPS;
  return offset === 0n && bps > 0 ? 1n : offset;
}

function clamp(value: bigint): Ticks {
  if (value < 1n) return ticks(1n);
  return value > PRICE_TICKS_MAX ? PRICE_TICKS_MAX : ticks(value);
}
