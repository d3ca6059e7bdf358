/** What the hedger tells the world when an order is confirmed: B's notice about the hedge, and the order's stages as metrics. */
import { parseOrderId } from '../domain/ids-and-nonces';
import { parseLots, parseNotional } from '../domain/lots';
import type { OrderResult } from '../domain/messages';
import { lotsOf, nakedMs, overlappingLots } from '../domain/naked';
import { opposite, type Market } from '../domain/records';
import type { OutgoingNotice } from '../notices/notice';
import type { Metrics } from '../observability';

/** B's notice; undefined when B has hedged nothing: the order did not fill, or all of it was closed on A. */
export function hedgeNotice(
  result: OrderResult,
  at: { readonly hedgeAccount: number; readonly markets: readonly Market[] },
): OutgoingNotice | undefined {
  const market = at.markets.find((m) => m.symbol === result.market);
  const orderId = parseOrderId(result.order_id);
  if (!market || orderId === undefined) return undefined;
  const filledLots = parseLots(result.hedge.executed_base_amount, market.sizeDecimals);
  if (filledLots === 0n) return undefined;
  return {
    accountIndex: at.hedgeAccount,
    marketId: market.marketId,
    orderIndex: 0n,
    orderId,
    side: opposite(result.side),
    status: 'filled',
    filledLots,
    filledQuote: parseNotional(result.hedge.executed_quote_amount),
    sizeDecimals: market.sizeDecimals,
    priceDecimals: market.priceDecimals,
  };
}

/** Stages that begin in one process and end in another, by the clocks of both hosts; a pair of which one is missing says nothing. */
export function observeStages(
  metrics: Pick<Metrics, 'fillToSubmit' | 'fillToHedged' | 'hedgedToConfirmed'>,
  result: OrderResult,
): void {
  const path = result.hedge.slices[0]?.path;
  if (path === undefined) return;
  const { fill_frame_ms, hedge_submitted_ms, hedge_resolved_ms, confirmed_ms } = result.timings;
  const between = (from: number | undefined, to: number | undefined, observe: (seconds: number) => void): void => {
    // The workflow may have heard of a later frame only than the one that was hedged first: that says nothing about time.
    if (from !== undefined && to !== undefined && to >= from) observe((to - from) / 1_000);
  };
  between(fill_frame_ms, hedge_submitted_ms, (seconds) => metrics.fillToSubmit.observe({ path }, seconds));
  between(fill_frame_ms, hedge_resolved_ms, (seconds) => metrics.fillToHedged.observe({ path }, seconds));
  between(hedge_resolved_ms, confirmed_ms, (seconds) => metrics.hedgedToConfirmed.observe(seconds));
}

/** Naked time, lot by lot; lots of which a time is unknown are counted, not measured. */
export function observeNaked(metrics: Pick<Metrics, 'naked' | 'lotsHedged'>, result: OrderResult): void {
  const { market, naked_times: matched } = result;
  for (const lots of matched) {
    const ms = nakedMs(lots);
    if (ms !== undefined) metrics.naked.observe(market, ms / 1_000, lotsOf(lots));
  }
  for (const [overlap, lots] of Object.entries(overlappingLots(matched)))
    metrics.lotsHedged.inc({ market, overlap }, lots);
}
