/** The `event_info` text of an executed transaction (LP §3.7). Order indexes are written as raw digits: they may exceed 2^53. */
import { slotOf } from './markets';
import type { Refusal } from './codes';
import { orderTypes, timesInForce } from './types';
import type { FirstTrade } from './matching';
import type { Order, OrderStatus, Tx } from './types';

/** Number of each status in event_info (LP §2.5). */
const statusNumbers: Readonly<Record<OrderStatus, number>> = {
  'in-progress': 0,
  pending: 1,
  open: 2,
  filled: 3,
  canceled: 4,
  'canceled-post-only': 5,
  'canceled-reduce-only': 6,
  'canceled-position-not-allowed': 7,
  'canceled-margin-not-allowed': 8,
  'canceled-too-much-slippage': 9,
  'canceled-not-enough-liquidity': 10,
  'canceled-self-trade': 11,
  'canceled-expired': 12,
  'canceled-oco': 13,
  'canceled-child': 14,
  'canceled-liquidation': 15,
};

/** Names the first trade only; its maker too when that was filled whole, which is inferred and not recorded. */
export function executionInfo(order: Order, first: FirstTrade | undefined): string {
  const { trade, maker } = first ?? {};
  const tradePart =
    trade === undefined
      ? ''
      : `"t":{"p":${trade.priceTicks},"s":${trade.lots},"tf":${trade.taker.feeTicks},"mf":${trade.maker.feeTicks},${noIntegrator}},`;
  const makerPart = maker === undefined ? '' : `"mo":${orderInfo(maker)},`;
  return `{${marketInfo(order.marketId)},${tradePart}${makerPart}"to":${orderInfo(order)},"ae":""}`;
}

/** Slot and public id (LP §2.2). */
function marketInfo(marketId: number): string {
  return `"ms":${slotOf(marketId)},"m":${marketId}`;
}

/** Fees and collectors of integrators, which are not charged here. */
const noIntegrator = '"itf":0,"itfci":0,"imf":0,"imfci":0';

export function cancelInfo(order: Order): string {
  return `{"a":${order.account.accountIndex},"i":${order.indexText},"u":${order.clientIndex},"ae":""}`;
}

export function modifyInfo(oldInfo: string, order: Order): string {
  return `{${marketInfo(order.marketId)},"oo":${oldInfo},"no":${orderInfo(order)},"ae":""}`;
}

/** A refusal found by the sequencer: the only trace there is (LP §0.1 (6)). */
export function refusalInfo(refusal: Refusal, tx: Tx): string {
  const ae = JSON.stringify(JSON.stringify({ code: refusal.code, message: refusal.message }));
  if (tx.body.kind !== 'create') return `{"ae":${ae}}`;
  const { order } = tx.body;
  return (
    `{${marketInfo(order.marketId)},"to":{"i":0,"u":${order.clientIndex},"a":${tx.head.accountIndex},"is":${order.baseLots},` +
    `"p":${order.priceTicks},"rs":0,"ia":${order.isAsk},"ot":${order.type},"f":${order.timeInForce},` +
    `"ro":${order.reduceOnly},"tp":${order.triggerTicks},"e":${order.expiryMs},"st":0,"ts":0,"t0":0,"t1":0,"c0":0,` +
    `"ifci":0,"itf":0,"imf":0,"of":0,"mn":0},"ae":${ae}}`
  );
}

export const plainInfo = '{"ae":""}';

export function orderInfo(order: Order): string {
  const { links, integrator } = order;
  const linked = (other: Order | undefined): string => other?.indexText ?? '0';
  return (
    `{"i":${order.indexText},"u":${order.clientIndex},"a":${order.account.accountIndex},"is":${order.initialLots},` +
    `"p":${order.priceTicks},"rs":${order.remainingLots},"ia":${order.side === 'ask' ? 1 : 0},` +
    `"ot":${orderTypes.indexOf(order.type)},"f":${timesInForce.indexOf(order.timeInForce)},"ro":${order.reduceOnly ? 1 : 0},` +
    `"tp":${order.triggerTicks},"e":${order.expiryMs},"st":${statusNumbers[order.status]},"ts":0,` +
    `"t0":${linked(links.children[0])},"t1":${linked(links.children[1])},"c0":${linked(links.sibling)},` +
    `"ifci":${integrator?.account ?? 0},"itf":${integrator?.takerFee ?? 0},"imf":${integrator?.makerFee ?? 0},"of":0,` +
    `"mn":${order.version}}`
  );
}
