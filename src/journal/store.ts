/** The journal's tables: rows in, sums and rows out. Writing a row twice changes nothing; no row is ever changed but for a transfer's status. */
import {
  balanceOf,
  columns,
  fundingOf,
  fundingRow,
  namesOf,
  orderOf,
  orderRow,
  text,
  tradeOf,
  tradeRow,
  transferOf,
  transferRow,
  type Table,
} from './columns';
import type { HistoryFunding, HistoryOrder, HistoryTrade, HistoryTransfer } from '../exchange/history';
import type { Database, Query, Row } from './database';
import type {
  BalanceRead,
  Gap,
  JournalFunding,
  JournalOrder,
  JournalTrade,
  JournalTransfer,
  Movement,
  Source,
  Sums,
} from './rows';

export interface Span {
  readonly fromUs: bigint;
  /** Not included. */
  readonly untilUs: bigint;
}

export interface Rows {
  readonly trades?: readonly HistoryTrade[];
  readonly fundings?: readonly HistoryFunding[];
  readonly transfers?: readonly HistoryTransfer[];
  readonly orders?: readonly HistoryOrder[];
}

/** How far the reading of a list has come that began at the newest page. */
export interface Paging {
  readonly next: string;
  readonly beganUs: bigint;
  readonly pages: number;
}

/** What a page of a list brought; written as one. */
export type Reading = Rows & { readonly account: number; readonly source: Source } & (
    | { readonly paging: Paging }
    | {
        /** Everything before is in the journal, but for what the list does not show yet. */
        readonly readUntilUs: bigint;
        readonly gap?: Gap;
      }
  );

export class Store {
  constructor(private readonly database: Database) {}

  async add(reading: Reading): Promise<void> {
    const { account, source, trades = [], fundings = [], transfers = [], orders = [] } = reading;
    await this.database.transaction(async (query) => {
      await insert(query, { table: 'trades', account, rows: trades.map(tradeRow) });
      await insert(query, { table: 'fundings', account, rows: fundings.map(fundingRow) });
      await insert(query, {
        ...{ table: 'transfers', account, rows: transfers.map(transferRow) },
        conflict: '(account, kind, id) do update set status = excluded.status, amount_micro = excluded.amount_micro',
      });
      await insert(query, { table: 'orders', account, rows: orders.map(orderRow) });
      if ('paging' in reading) await goOn(query, { account, source, paging: reading.paging });
      else await complete(query, reading);
    });
  }

  /** Undefined where the next reading begins at the newest page. */
  async paging(account: number, source: Source): Promise<Paging | undefined> {
    const sql = 'select next, began_us::text as began, pages from paging where account = $1 and source = $2';
    const [row] = await this.database.query<{ next: string; began: string; pages: number }>(sql, [account, source]);
    return row && { next: row.next, beganUs: BigInt(row.began), pages: row.pages };
  }

  /** A page that failed too often: its list is read anew. */
  async pageFailed(account: number, source: Source, failuresMax: number): Promise<void> {
    const of = 'where account = $1 and source = $2';
    await this.database.query(`update paging set failures = failures + 1 ${of}`, [account, source]);
    await this.database.query(`delete from paging ${of} and failures >= $3`, [account, source, failuresMax]);
  }

  async cursor(account: number, source: Source): Promise<bigint | undefined> {
    const sql = 'select read_until_us::text as at from cursors where account = $1 and source = $2';
    const [row] = await this.database.query<{ at: string }>(sql, [account, source]);
    return row === undefined ? undefined : BigInt(row.at);
  }

  /** Everything before is complete in all lists; undefined before each was read once. */
  async readUntil(account: number, sources: readonly Source[]): Promise<bigint | undefined> {
    const sql =
      'select count(*)::int as count, min(read_until_us)::text as at from cursors where account = $1 and source = any($2::text::text[])';
    const [row] = await this.database.query<{ count: number; at: string | null }>(sql, [
      account,
      `{${sources.join()}}`,
    ]);
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
      source === 'trades' || source === 'fundings' || source === 'orders'
        ? [source, undefined]
        : (['transfers', source] as const);
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
    return rows.map(tradeOf);
  }

  async fundings(accounts: readonly number[], span: Span): Promise<JournalFunding[]> {
    const rows = await this.#rows('fundings', accounts, span, 'time_us');
    return rows.map(fundingOf);
  }

  async transfers(accounts: readonly number[], span: Span): Promise<JournalTransfer[]> {
    const rows = await this.#rows('transfers', accounts, span, 'time_us');
    return rows.map(transferOf);
  }

  /** That had ended. */
  async orders(accounts: readonly number[], span: Span): Promise<JournalOrder[]> {
    const rows = await this.#rows('orders', accounts, span, 'time_us');
    return rows.map(orderOf);
  }

  async gaps(accounts: readonly number[], { fromUs, untilUs }: Span): Promise<Gap[]> {
    const rows = await this.database.query<Record<string, string>>(
      `select account::text, source, from_us::text, until_us::text, why from gaps
       where account = any($1::text::bigint[]) and until_us > $2 and from_us < $3 order by from_us`,
      [`{${accounts.join()}}`, fromUs.toString(), untilUs.toString()],
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
  async #rows(table: Table, accounts: readonly number[], span: Span, order: string): Promise<Row[]> {
    const names = ['account', ...namesOf(table)];
    return this.database.query(
      `select ${names.map((name) => `${name}::text`).join(', ')} from ${table}
       where account = any($1::text::bigint[]) and time_us >= $2 and time_us < $3 order by ${order.replace(/\w+/g, `${table}.$&`)}`,
      [`{${accounts.join()}}`, span.fromUs.toString(), span.untilUs.toString()],
    );
  }
}

async function goOn(query: Query, of: { account: number; source: Source; paging: Paging }): Promise<void> {
  const { account, source, paging } = of;
  await query(
    `insert into paging values ($1, $2, $3, $4, $5, 0) on conflict (account, source)
     do update set next = excluded.next, pages = excluded.pages, failures = 0`,
    [account, source, paging.next, paging.beganUs.toString(), paging.pages],
  );
}

async function complete(
  query: Query,
  of: { account: number; source: Source; readUntilUs: bigint; gap?: Gap },
): Promise<void> {
  const { account, source, readUntilUs, gap } = of;
  if (gap !== undefined) {
    await query('insert into gaps values ($1, $2, $3, $4, $5) on conflict do nothing', [
      ...[account, source, gap.fromUs.toString(), gap.untilUs.toString(), gap.why],
    ]);
  }
  await query('delete from paging where account = $1 and source = $2', [account, source]);
  await query(
    'insert into cursors values ($1, $2, $3) on conflict (account, source) do update set read_until_us = excluded.read_until_us',
    [account, source, readUntilUs.toString()],
  );
}

async function insert(
  query: Query,
  into: { table: Table; account: number; rows: readonly Row[]; conflict?: string },
): Promise<void> {
  if (into.rows.length === 0) return;
  const list = namesOf(into.table).join(', ');
  await query(
    `insert into ${into.table} (account, ${list}) select $1, ${list} from jsonb_to_recordset($2::text::jsonb) as given(${columns[into.table]})
     on conflict ${into.conflict ?? 'do nothing'}`,
    [into.account, JSON.stringify(into.rows)],
  );
}
