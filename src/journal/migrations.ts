/**
 * The journal's tables, as the ordered list of what made them. A step that is released is never changed: what comes later is a new one.
 *
 * Money is whole micro-USDC; sizes and prices are decimals as the exchange writes them. Times are microseconds of the exchange's clock.
 */
import type { Query } from './database';

const steps: readonly (readonly string[])[] = [
  [
    `create table trades (
      account bigint not null, trade_id bigint not null, side text not null,
      market_id integer not null, market text not null, kind text not null, is_maker boolean not null,
      size numeric not null, price numeric not null, quote_micro bigint not null,
      fee_micro bigint not null, pnl_micro bigint not null, position_before numeric not null,
      client_order_index bigint not null, order_id bigint, slice integer, time_us bigint not null,
      primary key (account, trade_id, side))`,
    'create index trades_by_time on trades (account, time_us)',
    'create index trades_by_order on trades (order_id)',
    `create table fundings (
      account bigint not null, market_id integer not null, funding_id bigint not null,
      change_micro bigint not null, rate text not null, position_size numeric not null, time_us bigint not null,
      primary key (account, market_id, funding_id))`,
    'create index fundings_by_time on fundings (account, time_us)',
    `create table transfers (
      account bigint not null, kind text not null, id text not null,
      amount_micro bigint not null, status text not null, time_us bigint not null,
      primary key (account, kind, id))`,
    'create index transfers_by_time on transfers (account, time_us)',
    `create table balances (
      account bigint not null, asked_us bigint not null, answered_us bigint not null,
      collateral_micro bigint not null, open_pnl_micro bigint not null,
      primary key (account, answered_us))`,
    `create table cursors (
      account bigint not null, source text not null, read_until_us bigint not null,
      primary key (account, source))`,
    `create table gaps (
      account bigint not null, source text not null, from_us bigint not null, until_us bigint not null, why text not null,
      primary key (account, source, from_us))`,
    `create table verified (
      account bigint primary key, answered_us bigint not null)`,
  ],
  [
    `create table orders (
      account bigint not null, order_index bigint not null, client_order_index bigint not null,
      market_id integer not null, market text not null, side text not null,
      size numeric not null, filled numeric not null, price numeric not null, status text not null, time_us bigint not null,
      primary key (account, order_index))`,
    'create index orders_by_time on orders (account, time_us)',
    `create table paging (
      account bigint not null, source text not null, next text not null, began_us bigint not null,
      pages integer not null, failures integer not null, primary key (account, source))`,
  ],
];

/** Inside a transaction that keeps others out. */
export async function migrate(query: Query): Promise<void> {
  await query('create table if not exists journal_migrations (step integer primary key)');
  const [done] = await query<{ count: string }>('select count(*)::text as count from journal_migrations');
  const count = Number(done?.count ?? 0);
  if (count > steps.length) {
    throw new Error(
      `the journal's database was made by a newer version of this program (step ${count}, this one knows ${steps.length}): update, or name another database`,
    );
  }
  for (let step = count; step < steps.length; step++) {
    for (const statement of steps[step] ?? []) await query(statement);
    await query('insert into journal_migrations values ($1)', [step + 1]);
  }
}
