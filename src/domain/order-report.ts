/** What an order says of itself: to its pair, to operators, in its result. */
import { formatDecimal, subLots, type Lots } from './lots';
import type { HedgeState, OrderResult } from './messages';
import { executedLots, exposureLots, isOverHedged, type Direction, type Order } from './order';
import { averagePriceTicks } from './price';

export function hedgeStateOf(order: Order, phase: 'running' | 'ended'): HedgeState {
  const exposed = exposureLots(order) > 0n;
  if (phase === 'ended') return exposed || isOverHedged(order) ? 'abandoned' : 'flat';
  if (order.stuck) return 'stuck';
  if (exposed) return 'hedging';
  return order.arm === 'wanted' ? 'arming' : 'quoting';
}

export function reportOf(order: Order, phase: 'running' | 'ended'): OrderResult {
  const sum = (direction: Direction): { lots: Lots; quote: bigint } => ({
    lots: executedLots(order, direction),
    quote: order.tickets.filter((e) => e.direction === direction).reduce((total, e) => total + e.executedQuote, 0n),
  });
  const hedge = sum('hedge');
  const base = (amount: bigint): string => formatDecimal(amount, order.market.size_decimals);
  const price = (quoteMicros: bigint, amount: Lots): string =>
    formatDecimal(
      averagePriceTicks({ quote: quoteMicros, lots: amount, market: order.market }),
      order.market.price_decimals,
    );
  return {
    order_id: order.id.toString(),
    market: order.market.symbol,
    side: order.side,
    maker: {
      status: makerStatus(order),
      filled_base_amount: base(order.filledLots),
      avg_price: price(order.filledQuote, order.filledLots),
    },
    hedge: {
      executed_base_amount: base(hedge.lots),
      avg_price: price(hedge.quote, hedge.lots),
      slices: order.tickets.filter((entry) => entry.direction === 'hedge').flatMap((entry) => entry.slices),
    },
    closed_base_amount: base(executedLots(order, 'close')),
    exposure: base(isOverHedged(order) ? subLots(order.filledLots, executedLots(order)) : exposureLots(order)),
    hedge_state: hedgeStateOf(order, phase),
    reason: order.reason === '' && isOverHedged(order) ? (order.contradiction ?? '') : order.reason,
    timings: order.timings,
  };
}

function makerStatus(order: Order): OrderResult['maker']['status'] {
  if (order.arm === 'refused' || order.placement === 'not-placed') return 'not-placed';
  return order.status ?? (order.placement === 'asked' || order.placement === 'in-doubt' ? 'unknown' : 'not-placed');
}
