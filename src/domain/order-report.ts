/** What an order says of itself: to its pair, to operators, in its result. */
import { formatDecimal, notional, QUOTE_DECIMALS, subLots, type Lots, type Notional } from './lots';
import type { HedgeState, OrderResult } from './messages';
import { executionOf, hedgedLots } from './naked';
import { executedLots, exposureLots, isOverHedged, type Order } from './order';
import { averagePriceTicks } from './price';

export function hedgeStateOf(order: Order, phase: 'running' | 'ended'): HedgeState {
  const exposed = exposureLots(order) > 0n;
  if (phase === 'ended') return exposed || isOverHedged(order) ? 'abandoned' : 'flat';
  if (order.stuck) return 'stuck';
  if (exposed) return 'hedging';
  return order.arm === 'wanted' ? 'arming' : 'quoting';
}

export function reportOf(order: Order, phase: 'running' | 'ended'): OrderResult {
  const hedges = order.tickets.filter((entry) => entry.direction === 'hedge');
  const hedgeLots = executedLots(order, 'hedge');
  const hedgeQuote = notional(hedges.reduce((sum, entry) => sum + entry.executedQuote, 0n));
  const { size_decimals: sizeDecimals, price_decimals: priceDecimals } = order.market;
  const base = (amount: bigint): string => formatDecimal(amount, sizeDecimals);
  const price = (total: Notional, amount: Lots): string =>
    formatDecimal(averagePriceTicks(total, amount, { sizeDecimals, priceDecimals }), priceDecimals);
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
      executed_base_amount: base(hedgeLots),
      executed_quote_amount: formatDecimal(hedgeQuote, QUOTE_DECIMALS),
      avg_price: price(hedgeQuote, hedgeLots),
      slices: hedges.flatMap((entry) => entry.slices),
    },
    closed_base_amount: base(executedLots(order, 'close')),
    exposure: base(isOverHedged(order) ? subLots(order.filledLots, executedLots(order)) : exposureLots(order)),
    naked_times: hedgedLots(
      order.trades,
      order.tickets.flatMap(({ slices }) => slices.map((slice) => executionOf(slice, sizeDecimals))),
      sizeDecimals,
    ),
    hedge_state: hedgeStateOf(order, phase),
    reason: order.reason === '' && isOverHedged(order) ? (order.contradiction ?? '') : order.reason,
    ...(order.reasonCode === undefined ? {} : { reason_code: order.reasonCode }),
    timings: order.timings,
    last_id: order.lastId.toString(),
  };
}

function makerStatus(order: Order): OrderResult['maker']['status'] {
  if (order.arm === 'rejected' || order.placement === 'not-placed') return 'not-placed';
  return order.status ?? (order.placement === 'asked' || order.placement === 'in-doubt' ? 'unknown' : 'not-placed');
}
