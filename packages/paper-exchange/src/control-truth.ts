/** `GET /_paper/truth`: what really happened, whatever faults told the clients. */
import { formatMicro, formatScaled } from './core/decimal';
import { summarize } from './core/margin';
import type { Account, TxRecord } from './core/types';
import type { ControlContext } from './control-request';
import { positionJson } from './wire/accounts';
import { encode, RawJson } from './wire/json';
import type { Json } from './wire/json';
import { orderJson, tradeJson } from './wire/orders';

/** One account, or all real ones when none is named. */
export function truthJson(context: ControlContext, account: Account | undefined): string {
  const nowUs = context.clock.nowUs();
  if (account !== undefined) return encode({ now_us: nowUs, ...accountTruth(context, account) });
  const real = [...context.exchange.world.accounts.values()].filter((one) => !one.synthetic);
  return encode({ now_us: nowUs, accounts: real.map((one) => accountTruth(context, one)) });
}

function accountTruth(context: ControlContext, account: Account): Record<string, Json> {
  const { world } = context.exchange;
  const orders = [...account.inactiveOrders, ...account.liveOrders.values()];
  const specOf = (marketId: number) => context.exchange.market(marketId).spec;
  return {
    account_index: account.accountIndex,
    l1_address: account.l1Address,
    tier: account.tier,
    collateral: formatMicro(account.collateralMicro),
    deposited: formatMicro(account.depositedMicro),
    fees_paid: formatMicro(account.feesPaidMicro),
    available_balance: formatMicro(summarize(world, account).availableMicro),
    cancel_all_time: account.cancelAllAtMs,
    api_keys: [...account.keys.values()].map((key) => ({
      api_key_index: key.index,
      next_nonce: key.executedNext,
      next_nonce_accepted: key.bookedNext,
    })),
    transactions: account.txs.map((record) => txTruth(record)),
    refused: account.refusals.map((refusal) => ({
      at_us: refusal.atUs,
      api_key_index: refusal.apiKeyIndex,
      nonce: refusal.nonce,
      tx_type: refusal.txType,
      code: refusal.code,
    })),
    orders: orders.map((order) => new RawJson(orderJson(specOf(order.marketId), order, 'snapshot'))),
    trades: account.trades.map((trade) => new RawJson(tradeJson(specOf(trade.marketId), trade, 'own'))),
    positions: [...account.positions.values()].map((position) => ({
      ...(JSON.parse(positionJson(world, account, position)) as Record<string, Json>),
      signed_position: formatScaled(position.lots, specOf(position.marketId).sizeDecimals),
    })),
  };
}

function txTruth(record: TxRecord): Record<string, Json> {
  const { body } = record.tx;
  return {
    api_key_index: record.apiKeyIndex,
    nonce: record.nonce,
    type: record.txType,
    hash: record.hash,
    client_order_index: body.kind === 'create' ? body.order.clientIndex : undefined,
    state: record.state,
    refusal_code: record.refusal?.code,
    queued_at_us: record.queuedAtUs,
    executed_at_us: record.executedAtUs,
    info: new RawJson(record.info),
  };
}
