/** Pages of an account's history → rows (LP §1.4). A row that cannot be read exactly throws: books without it would be wrong. */
import { z } from 'zod';
import type { Side } from '../../domain/records';
import type {
  AccountMoney,
  HistoryFunding,
  HistoryOrder,
  HistoryPage,
  HistoryTrade,
  HistoryTransfer,
  TransferKind,
} from '../history';
import {
  check,
  decimalText,
  epochMs,
  exactId,
  idText,
  integer,
  integerField,
  list,
  MalformedError,
  scaled,
  signedDecimalText,
  UnknownMarketError,
  type MarketLookup,
} from './parse';

/** Fee rates are in 1e-6 of the trade's quote (LP §1.4, Trade). */
const RATE_SCALE = 1_000_000n;
/** Sizes have fewer (LP §2.1). */
const SIZE_DECIMALS = 12;
const USDC = 3;

const id = z.number().optional(); // may be beyond 2^53; the text has it exact
const feeRate = integer.min(0).default(0);
// Keys whose value is zero are left out.
const tradeShape = z.object({
  ...{ trade_id: id, trade_id_str: idText.optional(), type: z.string(), market_id: integer.min(0).default(0) },
  ...{ market_symbol: z.string().optional(), size: decimalText, price: decimalText, usd_amount: decimalText },
  ...{ ask_client_id: id.default(0), ask_client_id_str: idText.optional() },
  ...{ bid_client_id: id.default(0), bid_client_id_str: idText.optional() },
  ...{ ask_account_id: z.number().default(0), bid_account_id: z.number().default(0) },
  ...{ is_maker_ask: z.boolean().default(false), taker_fee: feeRate, maker_fee: feeRate },
  ...{
    taker_position_size_before: signedDecimalText.default('0'),
    taker_entry_quote_before: signedDecimalText.default('0'),
  },
  ...{
    maker_position_size_before: signedDecimalText.default('0'),
    maker_entry_quote_before: signedDecimalText.default('0'),
  },
  ...{ ask_account_pnl: signedDecimalText.optional(), bid_account_pnl: signedDecimalText.optional() },
  ...{ timestamp: z.number(), transaction_time: z.number().optional() },
});
type RawTrade = z.output<typeof tradeShape>;
const nextCursor = z.string().nullish();

/** `listed`: the rows of the answer, whether or not they count here. */
function page<T>(rows: readonly T[], listed: readonly unknown[], next: string | null | undefined): HistoryPage<T> {
  return { rows, next: next === null || next === '' || listed.length === 0 ? undefined : next };
}

export function parseTradeHistory(body: unknown, account: number, markets: MarketLookup): HistoryPage<HistoryTrade> {
  const { trades, next_cursor } = check(z.object({ trades: list, next_cursor: nextCursor }), body, 'trade list');
  const rows = trades.map((raw) => parseTrade(raw, account, markets));
  if (rows.some((own) => own.length === 0)) throw new MalformedError('trade list holds a trade of another account');
  return page(rows.flat(), trades, next_cursor);
}

/** One side as a rule, both when the account traded with itself. */
function parseTrade(raw: unknown, account: number, markets: MarketLookup): HistoryTrade[] {
  const trade = check(tradeShape, raw, 'trade');
  const tradeId = exactId(trade.trade_id_str, trade.trade_id, 'trade_id');
  const market = trade.market_symbol ?? symbolOf(trade.market_id, markets);
  const quoteMicro = scaled(trade.usd_amount, 6, 'usd_amount');
  const timeUs = BigInt(trade.transaction_time ?? epochMs(trade.timestamp) * 1000);
  return (['ask', 'bid'] as const)
    .filter((leg) => trade[`${leg}_account_id`] === account)
    .map((leg) => {
      const isMaker = trade.is_maker_ask === (leg === 'ask');
      const role = isMaker ? 'maker' : 'taker';
      const side: Side = leg === 'ask' ? 'sell' : 'buy';
      const pnl = trade[`${leg}_account_pnl`];
      return {
        ...{ tradeId, side, market, isMaker, quoteMicro, timeUs },
        marketId: trade.market_id,
        kind: trade.type,
        size: trade.size,
        price: trade.price,
        feeMicro: divided(quoteMicro * BigInt(trade[`${role}_fee`]), RATE_SCALE),
        pnlMicro: pnl === undefined ? pnlOf(trade, role, side, quoteMicro) : micro(pnl, `${leg}_account_pnl`),
        positionBefore: trade[`${role}_position_size_before`],
        clientOrderIndex: exactId(trade[`${leg}_client_id_str`], trade[`${leg}_client_id`], `${leg}_client_id`),
      };
    });
}

function symbolOf(marketId: number, markets: MarketLookup): string {
  const found = markets(marketId);
  if (found === undefined) throw new UnknownMarketError(marketId);
  return 'symbol' in found && typeof found.symbol === 'string' ? found.symbol : String(marketId);
}

/** What a trade realises, where the row does not say it: of what it closes, its quote less the part of the entry. */
function pnlOf(trade: RawTrade, role: 'maker' | 'taker', side: Side, quoteMicro: bigint): bigint {
  const before = scaled(trade[`${role}_position_size_before`], SIZE_DECIMALS, 'position_size_before');
  const entry = magnitude(micro(trade[`${role}_entry_quote_before`], 'entry_quote_before'));
  const size = scaled(trade.size, SIZE_DECIMALS, 'size');
  if (before === 0n || size === 0n || before > 0n === (side === 'buy')) return 0n;
  const open = magnitude(before);
  const closed = size < open ? size : open;
  const gain = divided(quoteMicro * closed, size) - divided(entry * closed, open);
  return before > 0n ? gain : -gain;
}

const orderShape = z.object({
  ...{
    order_index: id,
    order_id: idText.optional(),
    client_order_index: id.default(0),
    client_order_id: idText.optional(),
  },
  ...{ market_index: integer.min(0), market_symbol: z.string().optional(), is_ask: z.boolean(), status: z.string() },
  ...{ initial_base_amount: decimalText, filled_base_amount: decimalText, price: decimalText },
  ...{ updated_at: z.number().optional(), transaction_time: z.number().nullish() },
});

export function parseOrderHistory(body: unknown, markets: MarketLookup): HistoryPage<HistoryOrder> {
  const { orders, next_cursor } = check(z.object({ orders: list, next_cursor: nextCursor }), body, 'order list');
  const rows = orders.map((raw) => {
    const row = check(orderShape, raw, 'order');
    return {
      orderIndex: exactId(row.order_id, row.order_index, 'order_id'),
      clientOrderIndex: exactId(row.client_order_id, row.client_order_index, 'client_order_id'),
      marketId: row.market_index,
      market: row.market_symbol ?? symbolOf(row.market_index, markets),
      side: row.is_ask ? ('sell' as const) : ('buy' as const),
      size: row.initial_base_amount,
      filled: row.filled_base_amount,
      price: row.price,
      status: row.status,
      timeUs: BigInt(row.transaction_time ?? epochMs(row.updated_at ?? 0) * 1000),
    };
  });
  return page(rows, orders, next_cursor);
}

const fundingShape = z.object({
  timestamp: z.number(),
  market_id: integer.min(0).default(0),
  funding_id: integer.min(0),
  change: signedDecimalText,
  rate: z.string(),
  position_size: decimalText,
  position_side: z.string(),
});

export function parseFundingPage(body: unknown): HistoryPage<HistoryFunding> {
  const shape = z.object({ position_fundings: list, next_cursor: nextCursor });
  const { position_fundings, next_cursor } = check(shape, body, 'funding list');
  const rows = position_fundings.map((raw) => {
    const row = check(fundingShape, raw, 'funding');
    return {
      marketId: row.market_id,
      fundingId: BigInt(row.funding_id),
      changeMicro: micro(row.change, 'change'),
      rate: row.rate,
      positionSize: row.position_side === 'short' ? `-${row.position_size}` : row.position_size,
      timeUs: BigInt(epochMs(row.timestamp)) * 1000n,
    };
  });
  return page(rows, position_fundings, next_cursor);
}

const movementShape = z.object({
  id: z.union([z.string(), integer.transform(String)]),
  asset_id: integer.default(USDC),
  amount: decimalText,
  timestamp: z.number(),
  status: z.string().optional(),
});
const transferShape = movementShape.extend({
  from_account_index: z.number(),
  to_account_index: z.number(),
  fee: decimalText.default('0'),
  from_route: z.string().default('perps'),
  to_route: z.string().default('perps'),
  tx_hash: z.string().default(''),
});
const listName = { transfer: 'transfers', deposit: 'deposits', withdrawal: 'withdraws' } as const;
/** In these the money has not come, or has come back. */
const withoutEffect: Readonly<Record<TransferKind, readonly string[]>> = {
  transfer: [],
  deposit: ['failed', 'pending'],
  withdrawal: ['failed', 'refunded'],
};

export function parseTransferPage(body: unknown, kind: TransferKind, account: number): HistoryPage<HistoryTransfer> {
  const shape = z.object({ [listName[kind]]: list, cursor: nextCursor });
  const parsed = check(shape, body, `${kind} list`) as Record<string, unknown>;
  const listed = parsed[listName[kind]] as unknown[];
  const rows = listed.flatMap((raw): HistoryTransfer[] => {
    const row = check(movementShape, raw, kind);
    if (row.asset_id !== USDC) return [];
    const status = row.status ?? 'completed';
    const amountMicro = withoutEffect[kind].includes(status) ? 0n : signedAmount(raw, kind, account);
    const timeUs = BigInt(epochMs(row.timestamp)) * 1000n;
    return [{ kind, id: row.id, amountMicro, status, timeUs, ...(kind === 'transfer' && { between: betweenOf(raw) }) }];
  });
  return page(rows, listed, parsed['cursor'] as string | null | undefined);
}

function betweenOf(raw: unknown): NonNullable<HistoryTransfer['between']> {
  const {
    from_account_index: from,
    to_account_index: to,
    amount,
    tx_hash: txHash,
  } = check(transferShape, raw, 'transfer');
  return { from, to, amountMicro: micro(amount, 'amount'), txHash };
}

/** A transfer's fee is paid by who sends it. Money on the way between this account's perps and spot counts on the side of the perps. */
function signedAmount(raw: unknown, kind: TransferKind, account: number): bigint {
  const amount = micro(check(movementShape, raw, kind).amount, 'amount');
  if (kind !== 'transfer') return kind === 'deposit' ? amount : -amount;
  const row = check(transferShape, raw, kind);
  const [isSender, isReceiver] = [row.from_account_index === account, row.to_account_index === account];
  if (!isSender && !isReceiver) throw new MalformedError('transfer of other accounts');
  const came = isReceiver && row.to_route === 'perps' ? amount : 0n;
  return came - (isSender && row.from_route === 'perps' ? amount + micro(row.fee, 'fee') : 0n);
}

const moneyShape = z.object({ l1_address: z.string(), collateral: signedDecimalText, positions: list });
const openShape = z.object({ unrealized_pnl: signedDecimalText });

export function parseMoney(body: unknown, account: number): AccountMoney & { readonly owner: string } {
  const { accounts } = check(z.object({ accounts: list }), body, 'account list');
  const raw = accounts.find((one) => integerField(one, 'index') === account);
  if (raw === undefined) throw new MalformedError(`answer does not hold account ${account}`);
  const row = check(moneyShape, raw, 'account');
  const open = row.positions.map((one) => micro(check(openShape, one, 'position').unrealized_pnl, 'unrealized_pnl'));
  return {
    owner: row.l1_address,
    collateralMicro: micro(row.collateral, 'collateral'),
    openPnlMicro: open.reduce((sum, one) => sum + one, 0n),
  };
}

/** Digits beyond a micro-USDC are rounded: balances may have up to twelve (LP §1.2). */
function micro(text: string, what: string): bigint {
  const exact = scaled(/\.\d{13,}$/.test(text) ? text.slice(0, text.indexOf('.') + 13) : text, 12, what);
  return divided(exact, 1_000_000n);
}

/** Half away from zero. */
function divided(value: bigint, by: bigint): bigint {
  const half = by / 2n;
  return value < 0n ? -((-value + half) / by) : (value + half) / by;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
