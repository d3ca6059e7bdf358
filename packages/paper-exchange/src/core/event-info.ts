/** The `event_info` text of an executed transaction (LP §3.7). Order indexes are written as raw digits: they may exceed 2^53. */
import type { Refusal } from './codes';
import { orderTypes, statusNumbers, timesInForce } from './types';
import type { Order, Trade, Tx } from './types';

export function executionInfo(order: Order, trades: readonly Trade[], makers: readonly Order[]): string {
  const trade = trades[0];
  const maker = makers[0];
  const tradePart =
    trade === undefined
      ? ''
      : `"t":{"p":${trade.priceTicks},"s":${trade.lots},"tf":${trade.taker.feeTicks},"mf":${trade.maker.feeTicks}},`;
  const makerPart = maker === undefined ? '' : `"mo":${orderInfo(maker)},`;
  return `{"m":${order.marketId},${tradePart}${makerPart}"to":${orderInfo(order)},"ae":""}`;
}

export function cancelInfo(order: Order): string {
  return `{"a":${order.account.accountIndex},"i":${order.indexText},"u":${order.clientIndex},"ae":""}`;
}

export function modifyInfo(oldInfo: string, order: Order): string {
  return `{"m":${order.marketId},"oo":${oldInfo},"no":${orderInfo(order)},"ae":""}`;
}

/** A refusal found by the sequencer: the only trace there is (LP §0.1 (6)). */
export function refusalInfo(refusal: Refusal, tx: Tx): string {
  const ae = JSON.stringify(JSON.stringify({ code: refusal.code, message: refusal.message }));
  if (tx.body.kind !== 'create') return `{"ae":${ae}}`;
  const { order } = tx.body;
  return (
    `{"m":${order.marketId},"to":{"i":0,"u":${order.clientIndex},"a":${tx.head.accountIndex},"is":${order.baseLots},` +
    `"p":${order.priceTicks},"rs":0,"ia":${order.isAsk},"ot":${order.type},"f":${order.timeInForce},` +
    `"ro":${order.reduceOnly},"tp":${order.triggerTicks},"e":${order.expiryMs},"st":0,"ts":0,"t0":0,"t1":0,"c0":0},"ae":${ae}}`
  );
}

export const plainInfo = '{"ae":""}';

export function orderInfo(order: Order): string {
  const { links } = order;
  const linked = (other: Order | undefined): string => other?.indexText ?? '0';
  return (
    `{"i":${order.indexText},"u":${order.clientIndex},"a":${order.account.accountIndex},"is":${order.initialLots},` +
    `"p":${order.priceTicks},"rs":${order.remainingLots},"ia":${order.side === 'ask' ? 1 : 0},` +
    `"ot":${orderTypes.indexOf(order.type)},"f":${timesInForce.indexOf(order.timeInForce)},"ro":${order.reduceOnly ? 1 : 0},` +
    `"tp":${order.triggerTicks},"e":${order.expiryMs},"st":${statusNumbers[order.status]},"ts":0,` +
    `"t0":${linked(links.children[0])},"t1":${linked(links.children[1])},"c0":${linked(links.sibling)}}`
  );
}
