/** The columns of the journal's tables: a row of a list as the tables take it, and back. Everything goes as text, so that no number loses a digit. */
import { splitClientOrderIndex } from '../domain/ids-and-nonces';
import type { HistoryFunding, HistoryOrder, HistoryTrade, HistoryTransfer } from '../exchange/history';
import type { Row } from './database';
import type { BalanceRead, JournalFunding, JournalOrder, JournalTrade, JournalTransfer } from './rows';

export const columns = {
  trades:
    'trade_id bigint, side text, market_id integer, market text, kind text, is_maker boolean, size numeric, price numeric, ' +
    'quote_micro bigint, fee_micro bigint, pnl_micro bigint, position_before numeric, client_order_index bigint, order_id bigint, slice integer, time_us bigint',
  fundings:
    'market_id integer, funding_id bigint, change_micro bigint, rate text, position_size numeric, time_us bigint',
  orders:
    'order_index bigint, client_order_index bigint, market_id integer, market text, side text, size numeric, filled numeric, price numeric, status text, time_us bigint',
  transfers: 'kind text, id text, amount_micro bigint, status text, time_us bigint',
} as const;
export type Table = keyof typeof columns;

export function namesOf(table: Table): readonly string[] {
  return columns[table].split(', ').map((column) => column.split(' ')[0] ?? '');
}

/** On A slice 0 is the quote and the others close; on B they hedge (docs/contracts.md, "client order index"). */
export function tradeRow(trade: HistoryTrade): Row {
  const { id, slice } = splitClientOrderIndex(trade.clientOrderIndex);
  const order = trade.clientOrderIndex === 0n ? { order_id: null, slice: null } : { order_id: id.toString(), slice };
  return {
    ...{ trade_id: trade.tradeId.toString(), side: trade.side, market_id: trade.marketId, market: trade.market },
    ...{ kind: trade.kind, is_maker: trade.isMaker, size: trade.size, price: trade.price },
    ...{ quote_micro: trade.quoteMicro.toString(), fee_micro: trade.feeMicro.toString() },
    ...{ pnl_micro: trade.pnlMicro.toString(), position_before: trade.positionBefore, ...order },
    ...{ client_order_index: trade.clientOrderIndex.toString(), time_us: trade.timeUs.toString() },
  };
}

export function fundingRow(funding: HistoryFunding): Row {
  return {
    ...{ market_id: funding.marketId, funding_id: funding.fundingId.toString(), rate: funding.rate },
    ...{ change_micro: funding.changeMicro.toString(), position_size: funding.positionSize },
    time_us: funding.timeUs.toString(),
  };
}

export function orderRow(order: HistoryOrder): Row {
  const { marketId, market, side, size, filled, price, status } = order;
  return {
    ...{ order_index: order.orderIndex.toString(), client_order_index: order.clientOrderIndex.toString() },
    ...{ market_id: marketId, market, side, size, filled, price, status, time_us: order.timeUs.toString() },
  };
}

export function transferRow({ kind, id, amountMicro, status, timeUs }: HistoryTransfer): Row {
  return { kind, id, amount_micro: amountMicro.toString(), status, time_us: timeUs.toString() };
}

export function tradeOf(row: Row): JournalTrade {
  return {
    account: Number(row['account']),
    tradeId: BigInt(text(row, 'trade_id')),
    side: text(row, 'side') === 'sell' ? 'sell' : 'buy',
    marketId: Number(row['market_id']),
    market: text(row, 'market'),
    kind: text(row, 'kind'),
    isMaker: row['is_maker'] === 'true',
    size: text(row, 'size'),
    price: text(row, 'price'),
    quoteMicro: BigInt(text(row, 'quote_micro')),
    feeMicro: BigInt(text(row, 'fee_micro')),
    pnlMicro: BigInt(text(row, 'pnl_micro')),
    positionBefore: text(row, 'position_before'),
    clientOrderIndex: BigInt(text(row, 'client_order_index')),
    timeUs: BigInt(text(row, 'time_us')),
  };
}

export function fundingOf(row: Row): JournalFunding {
  return {
    account: Number(row['account']),
    marketId: Number(row['market_id']),
    fundingId: BigInt(text(row, 'funding_id')),
    changeMicro: BigInt(text(row, 'change_micro')),
    rate: text(row, 'rate'),
    positionSize: text(row, 'position_size'),
    timeUs: BigInt(text(row, 'time_us')),
  };
}

export function transferOf(row: Row): JournalTransfer {
  return {
    account: Number(row['account']),
    kind: text(row, 'kind') as JournalTransfer['kind'],
    id: text(row, 'id'),
    amountMicro: BigInt(text(row, 'amount_micro')),
    status: text(row, 'status'),
    timeUs: BigInt(text(row, 'time_us')),
  };
}

export function orderOf(row: Row): JournalOrder {
  return {
    account: Number(row['account']),
    orderIndex: BigInt(text(row, 'order_index')),
    clientOrderIndex: BigInt(text(row, 'client_order_index')),
    marketId: Number(row['market_id']),
    market: text(row, 'market'),
    side: text(row, 'side') === 'sell' ? 'sell' : 'buy',
    size: text(row, 'size'),
    filled: text(row, 'filled'),
    price: text(row, 'price'),
    status: text(row, 'status'),
    timeUs: BigInt(text(row, 'time_us')),
  };
}

export function balanceOf(account: number, row: Readonly<Record<string, string>>): BalanceRead {
  return {
    account,
    askedUs: BigInt(text(row, 'asked_us')),
    answeredUs: BigInt(text(row, 'answered_us')),
    collateralMicro: BigInt(text(row, 'collateral_micro')),
    openPnlMicro: BigInt(text(row, 'open_pnl_micro')),
  };
}

export function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw new Error(`the journal's column ${name} is no text`);
  return value;
}
