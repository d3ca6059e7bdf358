/** `place`: the quote of one order goes out, or is proven never to. */
import { invariant } from '../domain/assert';
import { lotsIn, otherDecimals } from '../domain/decimals';
import { laneOf, orderWorkflowId, parseOrderId, type OrderId } from '../domain/ids-and-nonces';
import { lots, ticks, type Ticks } from '../domain/lots';
import {
  DECIMALS_CHANGED,
  MARKET_CLOSED,
  type MarketTerms,
  type OrderInput,
  type PlaceResult,
} from '../domain/messages';
import { boundTicks } from '../domain/price';
import { KEY_REJECTED, STALE } from '../domain/single';
import type { OrderRecord } from '../domain/records';
import { isAboutMarket } from '../domain/rejections';
import { sealByCancelOrder } from '../hedging/seals';
import type { AccountPort } from '../exchange/port';
import { freshness } from './freshness';
import { placeOrder, type PlacerDeps } from '../quoting/placer';
import type { MakerDeps } from './maker-activities';

export const NO_HEDGER = 'no hedger has answered for 5 s, over Redis or Temporal: what fills would stay naked';

export async function place(
  deps: MakerDeps,
  input: { order: OrderInput; stale_at_ms: number },
  attempt: { readonly signal: AbortSignal; readonly scheduledAtMs: number },
): Promise<PlaceResult> {
  const { order } = input;
  const { market } = order;
  const id = idOf(order.order_id);
  const freshMs = freshness(deps.clock, input.stale_at_ms, attempt.scheduledAtMs);
  const isHedged = await deps.hedger.hedges(orderWorkflowId(order.maker_account, id));
  if (isHedged && !deps.deadMan.isSet()) await deps.deadMan.renew().catch(() => undefined);
  const decimals = deps.account.decimals(market.market_id);
  const named = {
    ...{ marketId: market.market_id, symbol: market.symbol },
    ...{ sizeDecimals: market.size_decimals, priceDecimals: market.price_decimals },
    ...decimals?.ours,
  };
  const changed = otherDecimals(market, decimals?.now) ?? otherDecimals(market, decimals?.ours);
  const unheard = deps.hear(named, laneOf(id));
  const closed = deps.gate.closedBecause(named, order.unwind === true ? 'unwind' : 'quote');
  // Why it would be wrong to place it: then it goes stale and is sealed.
  const obstacle: (PlaceResult & { placed: false }) | undefined =
    changed !== undefined
      ? { placed: false, code: DECIMALS_CHANGED, message: changed }
      : closed !== undefined
        ? { placed: false, code: MARKET_CLOSED, message: `${market.symbol}: ${closed}` }
        : unheard !== undefined
          ? { placed: false, code: STALE, message: unheard }
          : isHedged
            ? undefined
            : { placed: false, code: 'no-hedger', message: NO_HEDGER };
  const isSafe = obstacle === undefined && deps.deadMan.isSet() && deps.account.stream.state === 'live';
  const end = await placeOrder(
    placerOf(deps),
    {
      id,
      marketId: market.market_id,
      side: order.side,
      lots: lots(BigInt(order.lots)),
      priceTicks: ticks(BigInt(order.price_ticks)),
      ...(order.unwind === true ? { takesTo: marketBound(order) } : {}),
      expiryMs: Math.floor(deps.exchange.exchangeNowMs() + order.expiry_ms),
      freshMs: isSafe ? freshMs : () => 0,
    },
    attempt.signal,
  );
  if (end.placed) return { placed: true, ...amountsOf(deps.account, end.record, market), at_ms: deps.clock.epochMs() };
  if (end.code === KEY_REJECTED) deps.onDeadLane({ orderId: id, lane: laneOf(id), what: end.message });
  if (isAboutMarket(end.code)) {
    deps.gate.rejected(named, Number(end.code));
    return { ...end, code: MARKET_CLOSED };
  }
  // What the exchange shows of its nonce or its key is told as it is, whatever else speaks against the order.
  return end.code === STALE ? (obstacle ?? end) : end;
}

/** As far from the price as a hedge may go, at once: what is late here is dearer than the spread. */
function marketBound({ side, price_ticks, policy }: OrderInput): Ticks {
  return boundTicks({ side, anchorTicks: ticks(BigInt(price_ticks)), bps: policy.max_slippage_bps });
}

export function placerOf(deps: MakerDeps): PlacerDeps {
  return {
    account: deps.account,
    renewSwitch: () => deps.deadMan.renew(),
    sealBy: sealByCancelOrder(() => deps.deadMan.nextAtMs()),
    clock: deps.clock,
    ...(deps.onParked && { onParked: deps.onParked }),
  };
}

/** With the decimals that the order was made with, whichever this process reads the market with. */
export function amountsOf(
  account: Pick<AccountPort, 'decimals'>,
  record: OrderRecord,
  { market_id: marketId, size_decimals: own }: MarketTerms,
): { status: OrderRecord['status']; filled_lots: string; filled_quote: string } {
  const filledLots = lotsIn(record.filledLots, account.decimals(marketId)?.ours.sizeDecimals ?? own, own);
  invariant(filledLots !== undefined, 'what filled is a whole number of lots');
  return { status: record.status, filled_lots: filledLots.toString(), filled_quote: record.filledQuote.toString() };
}

export function idOf(text: string): OrderId {
  const id = parseOrderId(text);
  invariant(id !== undefined, 'an order id has 48 bits, the last seven zero');
  return id;
}
