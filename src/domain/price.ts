/** Price bounds in integers: how far from the maker order's price a hedge may trade, and where a seal cannot. */
import { assertNever } from './assert';
import { ticks, type Ticks } from './lots';
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

/** Quote over lots, as decimal text with `decimals` of the market's price; "0" when nothing executed. */
export function averagePriceTicks(input: {
  readonly quote: bigint;
  readonly lots: bigint;
  readonly market: { readonly size_decimals: number; readonly price_decimals: number };
}): bigint {
  if (input.lots === 0n) return 0n;
  // quote(1e-6) = lots × ticks × 10^(6 − size − price); on every perpetual size + price = 6, so the exponent is zero (LP §2.1).
  const exponent = input.market.size_decimals + input.market.price_decimals - 6;
  const scaled = exponent >= 0 ? input.quote * pow10(exponent) : input.quote / pow10(-exponent);
  return scaled / input.lots;
}

function pow10(exponent: number): bigint {
  return BigInt('1' + '0'.repeat(exponent));
}

function offsetTicks({ anchorTicks, bps }: { readonly anchorTicks: Ticks; readonly bps: number }): bigint {
  const offset = (anchorTicks * BigInt(bps)) / BPS;
  return offset === 0n && bps > 0 ? 1n : offset;
}

function clamp(value: bigint): Ticks {
  if (value < 1n) return ticks(1n);
  return value > PRICE_TICKS_MAX ? PRICE_TICKS_MAX : ticks(value);
}
