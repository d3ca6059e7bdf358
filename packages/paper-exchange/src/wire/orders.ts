/** Orders, trades and transactions as the exchange writes them, byte shape by byte shape (LP §1.4, §5.6). */
import { formatMicro, formatScaled } from '../core/decimal';
import type { Order, Trade, TxRecord } from '../core/types';
import type { Market } from '../core/world';
import type { MarketSpec } from '../core/types';

/** The same order reads `""` in snapshots and REST and `"0"` in updates in its integrator fields (LP §1.4). */
export type OrderPlace = 'snapshot' | 'update';

export function orderJson(spec: MarketSpec, order: Order, place: OrderPlace): string {
  const size = (lots: number): string => formatScaled(lots, spec.sizeDecimals);
  const price = (ticks: number): string => formatScaled(ticks, spec.priceDecimals);
  const seconds = Math.floor(order.updatedAtMs / 1000);
  const none = place === 'snapshot' ? '' : '0';
  const { integrator, links } = order;
  const parent = links.parent?.indexText ?? '0';
  return (
    `{"order_index":${order.indexText},"client_order_index":${order.clientIndex},"order_id":"${order.indexText}",` +
    `"client_order_id":"${order.clientIndex}","market_index":${order.marketId},"market_symbol":"${spec.symbol}",` +
    `"market_kind":"perps","owner_account_index":${order.account.accountIndex},"initial_base_amount":"${size(order.initialLots)}",` +
    `"price":"${price(order.priceTicks)}","nonce":${order.bookNonce},"remaining_base_amount":"${size(order.remainingLots)}",` +
    `"is_ask":${order.side === 'ask'},"base_size":${order.remainingLots},"base_price":${order.priceTicks},` +
    `"filled_base_amount":"${size(order.filledLots)}","filled_quote_amount":"${formatMicro(order.filledQuoteMicro)}",` +
    `"side":"","type":"${order.type}","time_in_force":"${order.timeInForce}","reduce_only":${order.reduceOnly},` +
    `"trigger_price":"${price(order.triggerTicks)}","order_expiry":${order.expiryMs},` +
    `"status":"${order.status}","trigger_status":"${triggerStatus(order)}","trigger_time":${order.triggeredAtMs},` +
    `"parent_order_index":${parent},"parent_order_id":"${parent}",` +
    `"to_trigger_order_id_0":"${links.children[0]?.indexText ?? '0'}",` +
    `"to_trigger_order_id_1":"${links.children[1]?.indexText ?? '0'}",` +
    `"to_cancel_order_id_0":"${links.sibling?.indexText ?? '0'}",` +
    `"integrator_fee_collector_index":"${integrator?.account ?? none}",` +
    `"integrator_taker_fee":"${integrator?.takerFee ?? none}","integrator_maker_fee":"${integrator?.makerFee ?? none}",` +
    `"order_flags":0,"block_height":${order.blockHeight},"timestamp":${seconds},` +
    `"created_at":${Math.floor(order.createdAtMs / 1000)},"updated_at":${seconds},"transaction_time":${order.transactionUs},` +
    `"order_version":${order.version}}`
  );
}

function triggerStatus(order: Order): string {
  if (order.status !== 'pending') return 'na';
  const { parent } = order.links;
  return parent !== undefined && parent.account.liveOrders.has(parent.indexText) ? 'parent-order' : 'mark-price';
}

/**
 * Fees and sign changes are left out when zero or false; position and entry before the trade never are (LP §1.4, Trade). Profit is
 * in no public row: only who reads an account's own trades with a token sees it.
 */
export function tradeJson(spec: MarketSpec, trade: Trade, form: 'public' | 'own'): string {
  const size = (lots: number): string => formatScaled(lots, spec.sizeDecimals);
  const { ask, bid, maker, taker } = trade;
  const [askPnl, bidPnl] =
    trade.makerSide === 'ask' ? [maker.pnlMicro, taker.pnlMicro] : [taker.pnlMicro, maker.pnlMicro];
  return (
    `{"trade_id":${trade.tradeId},"trade_id_str":"${trade.tradeId}","tx_hash":"${tradeHash(trade)}","type":"${trade.kind}",` +
    `"market_id":${trade.marketId},"market_symbol":"${spec.symbol}","market_kind":"perps","size":"${size(trade.lots)}","price":"${formatScaled(trade.priceTicks, spec.priceDecimals)}",` +
    `"usd_amount":"${formatMicro(trade.quoteMicro)}","ask_id":${ask.indexText},"ask_id_str":"${ask.indexText}",` +
    `"bid_id":${bid.indexText},"bid_id_str":"${bid.indexText}","ask_client_id":${ask.clientIndex},` +
    `"ask_client_id_str":"${ask.clientIndex}","bid_client_id":${bid.clientIndex},"bid_client_id_str":"${bid.clientIndex}",` +
    `"ask_account_id":${ask.accountIndex},"bid_account_id":${bid.accountIndex},"is_maker_ask":${trade.makerSide === 'ask'},` +
    `"block_height":${trade.blockHeight},"timestamp":${trade.timestampMs}${sideJson('taker', spec, taker)}` +
    `${sideJson('maker', spec, maker)},"transaction_time":${trade.transactionUs}` +
    `${form === 'own' ? `,"ask_account_pnl":"${formatMicro(askPnl)}","bid_account_pnl":"${formatMicro(bidPnl)}"` : ''}` +
    `,"ask_order_version":${ask.version},"bid_order_version":${bid.version}}`
  );
}

function sideJson(role: 'maker' | 'taker', spec: MarketSpec, side: Trade['maker']): string {
  const { positionBeforeLots, entryQuoteBeforeMicro } = side;
  return (
    (side.feeTicks === 0 ? '' : `,"${role}_fee":${side.feeTicks}`) +
    `,"${role}_position_size_before":"${formatScaled(positionBeforeLots, spec.sizeDecimals)}"` +
    `,"${role}_entry_quote_before":"${formatMicro(entryQuoteBeforeMicro)}"` +
    `,"${role}_initial_margin_fraction_before":${side.marginFraction}` +
    (side.signChanged ? `,"${role}_position_sign_changed":true` : '')
  );
}

/** The taker's transaction on its first fill; after that sequence number and milliseconds, then zeros (LP §1.4, Trade). */
function tradeHash(trade: Trade): string {
  if (trade.txHash !== undefined) return trade.txHash;
  const hex = (value: number): string => value.toString(16).padStart(16, '0');
  return `${hex(trade.sequence)}${hex(trade.timestampMs)}`.padEnd(80, '0');
}

/** Transaction status numbers: 0 failed, 1 queued, 2 executed (LP §3.7). */
const transactionsPerBlock = 500;
const txStatus = { queued: 1, executed: 2, dropped: 0 } as const;

/** `executed_at` is the block's time and lies before `queued_at`, which is `transaction_time` in milliseconds (LP §3.7). */
export function txJson(record: TxRecord, form: 'listed' | 'enriched'): string {
  const queuedMs = Math.floor((record.state === 'executed' ? record.executedAtUs : record.queuedAtUs) / 1000);
  const fields =
    `"hash":"${record.hash}","type":${record.txType},"info":${JSON.stringify(record.info)},` +
    `"event_info":${JSON.stringify(record.eventInfo)},"status":${txStatus[record.state]},"transaction_index":${1 + (record.sequence % transactionsPerBlock)},` +
    `"l1_address":"${record.account.l1Address}","account_index":${record.account.accountIndex},"nonce":${record.nonce},` +
    `"expire_at":${record.tx.head.expiredAtMs},"block_height":${record.blockHeight},` +
    `"queued_at":${queuedMs},"executed_at":${record.blockTimeMs},` +
    `"sequence_index":${record.sequence},"parent_hash":"","api_key_index":${record.apiKeyIndex},` +
    `"transaction_time":${record.executedAtUs}`;
  return form === 'listed' ? `{${fields}}` : `{"code":200,${fields},"committed_at":0,"verified_at":0}`;
}

export function simpleOrderJson(spec: MarketSpec, order: Order): string {
  return (
    `{"order_index":${order.indexText},"order_id":"${order.indexText}","owner_account_index":${order.account.accountIndex},` +
    `"initial_base_amount":"${formatScaled(order.initialLots, spec.sizeDecimals)}",` +
    `"remaining_base_amount":"${formatScaled(order.remainingLots, spec.sizeDecimals)}",` +
    `"price":"${formatScaled(order.priceTicks, spec.priceDecimals)}","order_expiry":${order.expiryMs},` +
    `"transaction_time":${order.transactionUs}}`
  );
}

/** Orders by market id text, ascending order index within a market (LP §5.6). */
export function ordersByMarket(
  markets: ReadonlyMap<number, Market>,
  orders: Iterable<Order>,
  place: OrderPlace,
): string {
  const groups = new Map<number, Order[]>();
  for (const order of orders) {
    const group = groups.get(order.marketId);
    if (group === undefined) groups.set(order.marketId, [order]);
    else group.push(order);
  }
  const parts: string[] = [];
  for (const [marketId, group] of groups) {
    const spec = markets.get(marketId)?.spec;
    if (spec === undefined) continue;
    group.sort((left, right) => left.indexNonce - right.indexNonce);
    parts.push(`"${marketId}":[${group.map((order) => orderJson(spec, order, place)).join(',')}]`);
  }
  return `{${parts.join(',')}}`;
}
