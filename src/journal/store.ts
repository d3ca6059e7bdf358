/** The journal's tables: rows in, sums and rows out. Writing a row twice changes nothing; no row is ever changed but for a transfer's status. */
import { splitClientOrderIndex } from '../domain/ids-and-nonces';
import type { HistoryFunding, HistoryTrade, HistoryTransfer } from '../exchange/history';
import type { Database, Query, Row } from './database';
import type { BalanceRead, Gap, JournalFunding, JournalTrade, JournalTransfer, Movement, Source, Sums } from './rows';

export interface Span {
  readonly fromUs: bigint;
  /** Not included. */
  readonly untilUs: bigint;
}

/** What one reading of a list brought; written as one. */
export interface Reading {
  readonly account: number;
  readonly source: Source;
  readonly trades?: readonly HistoryTrade[];
  readonly fundings?: readonly HistoryFunding[];
  readonly transfers?: readonly HistoryTransfer[];
  /** Everything before is in the journal, but for what the list does not show yet. */
  readonly readUntilUs: bigint;
  readonly gap?: Gap;
}

const tradeColumns =
  'trade_id bigint, side text, market_id integer, market text, kind text, is_maker boolean, size numeric, price numeric, ' +
  'quote_micro bigint, fee_micro bigint, pnl_micro bigint, position_before numeric, client_order_index bigint, order_id bigint, slice integer, time_us bigint';
const fundingColumns =
  'market_id integer, funding_id bigint, change_micro bigint, rate text, position_size numeric, time_us bigint';
const transferColumns = 'kind text, id text, amount_micro bigint, status text, time_us bigint';

export class Store {
  constructor(private readonly database: Database) {}

  async add(reading: Reading): Promise<void> {
    const { account, source, trades = [], fundings = [], transfers = [], readUntilUs, gap } = reading;
    await this.database.transaction(async (query) => {
      await insert(query, { table: 'trades', columns: tradeColumns, account, rows: trades.map(tradeRow) });
      await insert(query, { table: 'fundings', columns: fundingColumns, account, rows: fundings.map(fundingRow) });
      await insert(query, {
        ...{ table: 'transfers', columns: transferColumns, account, rows: transfers.map(transferRow) },
        conflict: '(account, kind, id) do update set status = excluded.status, amount_micro = excluded.amount_micro',
      });
      if (gap !== undefined) {
        await query('insert into gaps values ($1, $2, $3, $4, $5) on conflict do nothing', [
          ...[account, source, gap.fromUs.toString(), gap.untilUs.toString(), gap.why],
        ]);
      }
      await query(
        'insert into cursors values ($1, $2, $3) on conflict (account, source) do update set read_until_us = excluded.read_until_us',
        [account, source, readUntilUs.toString()],
      );
    });
  }

  async cursor(account: number, source: Source): Promise<bigint | undefined> {
    const sql = 'select read_until_us::text as at from cursors where account = $1 and source = $2';
    const [row] = await this.database.query<{ at: string }>(sql, [account, source]);
    return row === undefined ? undefined : BigInt(row.at);
  }

  /** Everything before is complete in all lists; undefined before each was read once. */
  async readUntil(account: number, sources: readonly Source[]): Promise<bigint | undefined> {
    const sql = 'select count(*)::int as count, min(read_until_us)::text as at from cursors where account = $1';
    const [row] = await this.database.query<{ count: number; at: string | null }>(sql, [account]);
    return row === undefined || row.at === null || row.count < sources.length ? undefined : BigInt(row.at);
  }

  /** The lists are read again from there on. */
  async readAgainFrom(account: number, fromUs: bigint): Promise<void> {
    await this.database.query(
      'update cursors set read_until_us = least(read_until_us, $2::bigint) where account = $1',
      [...[account, fromUs.toString()]],
    );
  }

  async hasBefore(account: number, source: Source, beforeUs: bigint): Promise<boolean> {
    const [table, kind] =
      source === 'trades' || source === 'fundings' ? [source, undefined] : (['transfers', source] as const);
    const rows = await this.database.query(
      `select 1 as one from ${table} where account = $1 and time_us <= $2 ${kind === undefined ? '' : 'and kind = $3'} limit 1`,
      [account, beforeUs.toString(), ...(kind === undefined ? [] : [kind])],
    );
    return rows.length > 0;
  }

  async addBalance(read: BalanceRead): Promise<void> {
    const { account, askedUs, answeredUs, collateralMicro, openPnlMicro } = read;
    await this.database.query('insert into balances values ($1, $2, $3, $4, $5) on conflict do nothing', [
      ...[account, askedUs.toString(), answeredUs.toString(), collateralMicro.toString(), openPnlMicro.toString()],
    ]);
  }

  /** The newest that was answered at or before, or the oldest that was asked at or after. */
  async balance(
    account: number,
    at: { readonly before: bigint } | { readonly after: bigint },
  ): Promise<BalanceRead | undefined> {
    const [where, order, us] =
      'before' in at ? ['answered_us <= $2', 'desc', at.before] : (['asked_us >= $2', 'asc', at.after] as const);
    const rows = await this.database.query<Record<string, string>>(
      `select asked_us::text, answered_us::text, collateral_micro::text, open_pnl_micro::text
       from balances where account = $1 and ${where} order by answered_us ${order} limit 1`,
      [account, us.toString()],
    );
    return rows[0] === undefined ? undefined : balanceOf(account, rows[0]);
  }

  async sums(account: number, { fromUs, untilUs }: Span): Promise<Sums> {
    const within = 'where account = $1 and time_us >= $2 and time_us < $3';
    const [row] = await this.database.query<Record<string, string>>(
      `select (select coalesce(sum(pnl_micro), 0) from trades ${within})::text as realised,
              (select coalesce(sum(fee_micro), 0) from trades ${within})::text as fees,
              (select coalesce(sum(change_micro), 0) from fundings ${within})::text as funding,
              (select coalesce(sum(amount_micro), 0) from transfers ${within})::text as transfers`,
      [account, fromUs.toString(), untilUs.toString()],
    );
    return {
      realisedMicro: BigInt(row?.['realised'] ?? 0),
      feesMicro: BigInt(row?.['fees'] ?? 0),
      fundingMicro: BigInt(row?.['funding'] ?? 0),
      transfersMicro: BigInt(row?.['transfers'] ?? 0),
    };
  }

  /** Each sum that came or went, oldest first; for short spans. */
  async movements(account: number, span: Span): Promise<Movement[]> {
    const within = 'where account = $1 and time_us >= $2 and time_us < $3';
    const rows = await this.database.query<Record<string, string>>(
      `select time_us::text as at, what, micro::text, fee::text from (
         select time_us, 'trade' as what, pnl_micro as micro, fee_micro as fee, trade_id from trades ${within}
         union all select time_us, 'funding', change_micro, 0, 0 from fundings ${within}
         union all select time_us, 'transfer', amount_micro, 0, 0 from transfers ${within}) as moved
       order by time_us, trade_id`,
      [account, span.fromUs.toString(), span.untilUs.toString()],
    );
    return rows.map((row) => {
      const [what, micro] = [text(row, 'what'), BigInt(text(row, 'micro'))];
      const sums = {
        realisedMicro: what === 'trade' ? micro : 0n,
        feesMicro: BigInt(text(row, 'fee')),
        fundingMicro: what === 'funding' ? micro : 0n,
        transfersMicro: what === 'transfer' ? micro : 0n,
      };
      return { timeUs: BigInt(text(row, 'at')), sums, exact: what === 'trade' };
    });
  }

  async trades(accounts: readonly number[], span: Span): Promise<JournalTrade[]> {
    const rows = await this.#rows('trades', accounts, span, 'time_us, trade_id');
    return rows.map((row) => ({
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
    }));
  }

  async fundings(accounts: readonly number[], span: Span): Promise<JournalFunding[]> {
    const rows = await this.#rows('fundings', accounts, span, 'time_us');
    return rows.map((row) => ({
      account: Number(row['account']),
      marketId: Number(row['market_id']),
      fundingId: BigInt(text(row, 'funding_id')),
      changeMicro: BigInt(text(row, 'change_micro')),
      rate: text(row, 'rate'),
      positionSize: text(row, 'position_size'),
      timeUs: BigInt(text(row, 'time_us')),
    }));
  }

  async transfers(accounts: readonly number[], span: Span): Promise<JournalTransfer[]> {
    const rows = await this.#rows('transfers', accounts, span, 'time_us');
    return rows.map((row) => ({
      account: Number(row['account']),
      kind: text(row, 'kind') as JournalTransfer['kind'],
      id: text(row, 'id'),
      amountMicro: BigInt(text(row, 'amount_micro')),
      status: text(row, 'status'),
      timeUs: BigInt(text(row, 'time_us')),
    }));
  }

  async gaps(accounts: readonly number[], { fromUs, untilUs }: Span): Promise<Gap[]> {
    const rows = await this.database.query<Record<string, string>>(
      `select account::text, source, from_us::text, until_us::text, why from gaps
       where account::text = any($1) and until_us > $2 and from_us < $3 order by from_us`,
      [accounts.map(String), fromUs.toString(), untilUs.toString()],
    );
    return rows.map((row) => ({
      account: Number(row['account']),
      source: text(row, 'source') as Source,
      fromUs: BigInt(text(row, 'from_us')),
      untilUs: BigInt(text(row, 'until_us')),
      why: text(row, 'why'),
    }));
  }

  /** The newest balance that what is in the journal was compared with. */
  async verified(account: number): Promise<bigint | undefined> {
    const sql = 'select answered_us::text as at from verified where account = $1';
    const [row] = await this.database.query<{ at: string }>(sql, [account]);
    return row === undefined ? undefined : BigInt(row.at);
  }

  async setVerified(account: number, answeredUs: bigint): Promise<void> {
    await this.database.query(
      'insert into verified values ($1, $2) on conflict (account) do update set answered_us = excluded.answered_us',
      [account, answeredUs.toString()],
    );
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Every column as text: no number loses a digit on its way. */
  async #rows(table: string, accounts: readonly number[], span: Span, order: string): Promise<Row[]> {
    const columns = { trades: tradeColumns, fundings: fundingColumns, transfers: transferColumns }[table] ?? '';
    const names = ['account', ...columns.split(', ').map((column) => column.split(' ')[0] ?? '')];
    return this.database.query(
      `select ${names.map((name) => `${name}::text`).join(', ')} from ${table}
       where account::text = any($1) and time_us >= $2 and time_us < $3 order by ${order.replace(/\w+/g, `${table}.$&`)}`,
      [accounts.map(String), span.fromUs.toString(), span.untilUs.toString()],
    );
  }
}

async function insert(
  query: Query,
  into: { table: string; columns: string; account: number; rows: readonly Row[]; conflict?: string },
): Promise<void> {
  if (into.rows.length === 0) return;
  const names = into.columns.split(', ').map((column) => column.split(' ')[0] ?? '');
  const list = names.join(', ');
  await query(
    `insert into ${into.table} (account, ${list}) select $1, ${list} from jsonb_to_recordset($2::text::jsonb) as given(${into.columns})
     on conflict ${into.conflict ?? 'do nothing'}`,
    [into.account, JSON.stringify(into.rows)],
  );
}

/** On A slice 0 is the quote and the others close; on B they hedge (docs/contracts.md, "client order index"). */
function tradeRow(trade: HistoryTrade): Row {
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

function fundingRow(funding: HistoryFunding): Row {
  return {
    ...{ market_id: funding.marketId, funding_id: funding.fundingId.toString(), rate: funding.rate },
    ...{ change_micro: funding.changeMicro.toString(), position_size: funding.positionSize },
    time_us: funding.timeUs.toString(),
  };
}

function transferRow({ kind, id, amountMicro, status, timeUs }: HistoryTransfer): Row {
  return { kind, id, amount_micro: amountMicro.toString(), status, time_us: timeUs.toString() };
}

function balanceOf(account: number, row: Readonly<Record<string, string>>): BalanceRead {
  return {
    account,
    askedUs: BigInt(text(row, 'asked_us')),
    answeredUs: BigInt(text(row, 'answered_us')),
    collateralMicro: BigInt(text(row, 'collateral_micro')),
    openPnlMicro: BigInt(text(row, 'open_pnl_micro')),
  };
}

function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw new Error(`the journal's column ${name} is no text`);
  return value;
}
