/**
 * What our orders may have left naked at most, from what was read last. Pure.
 *
 * A slot starts no order before its last one is known to be over and hedged (P-19), so a market never has more of them than slots. Amounts are
 * for display.
 */
import type { PairStatus } from '../domain/pair-status';
import type { AtMost, OpenOrder } from './snapshot';

/** A pair as it was read last. */
export interface PairRead {
  readonly atMs: number;
  /** Undefined: none ran. */
  readonly status: PairStatus | undefined;
  readonly sizeDecimals: number | undefined;
}

export interface AtMostInput {
  readonly orders: { readonly atMs: number; readonly open: Readonly<Record<string, OpenOrder>> } | undefined;
  readonly pair: PairRead | undefined;
  /** USDC for one base unit, if it is known. */
  readonly price: number | undefined;
}

export function atMostOf(market: string, { orders, pair, price }: AtMostInput): AtMost {
  const unbounded = (why: string): AtMost => ({ market, why });
  if (pair === undefined) return unbounded('its pair was never read here');
  const slots = slotsOf(pair);
  if (slots === undefined) return unbounded('the decimals of its amounts were never read here');
  if (pair.status?.slots.some(({ reasons }) => reasons.some(({ code }) => code === 'unwinding')) === true)
    return unbounded('it was reducing both accounts, in steps of a tenth');
  if (pair.status === undefined && orders === undefined) return unbounded('its open orders were never read here');
  const open = Object.values(orders?.open ?? {}).filter((order) => order.market === market);
  if (open.some(({ size }) => size === undefined)) return unbounded('the size of an open order was never read here');
  const free = Math.max(0, slots.count - open.length);
  const amount = open.reduce((sum, { size }) => sum + Math.max(Number(size), slots.size), free * slots.size);
  return {
    market,
    amount: rounded(amount),
    atMs: Math.min(pair.atMs, orders?.atMs ?? pair.atMs),
    ...(price === undefined ? {} : { usdc: amount * price }),
    why:
      amount > slots.count * slots.size
        ? `${open.length} open orders, as read last${free > 0 ? `, and ${free} more of ${rounded(slots.size)}` : ''}`
        : `${slots.count} orders at a time, ${rounded(slots.size)} each`,
  };
}

function slotsOf({ status, sizeDecimals }: PairRead): { readonly count: number; readonly size: number } | undefined {
  if (status === undefined) return { count: 0, size: 0 };
  if (sizeDecimals === undefined) return undefined;
  return { count: status.slots.length, size: Number(status.terms.lots) / 10 ** sizeDecimals };
}

/** Sums of decimals in floating point end in noise. */
export function rounded(value: number): string {
  return String(Number(value.toPrecision(12)));
}
