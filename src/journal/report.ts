/** The report: what a span of time earned and cost, by what, and whether it adds up to the exchange's own balances. */
import { addsUp, type Comparison } from './adds-up';
import { comparedOf, costOfBoth, edgesOf } from './cost';
import { figuresOf, perVolume, sumOf, usdc, type Both, type Figures } from './figures';
import { groupBy, orderFigures, orderOf, type Accounts } from './orders';
import { MONEY_SOURCES, type JournalFunding, type JournalTrade } from './rows';
import type { Span, Store } from './store';
import { roundTrips } from './round-trips';

/** So long a journal may have begun after the first trade of all: both were started together. */
const BEGINNING_US = 5n * 60_000_000n;

export const GROUPINGS = ['order', 'round-trip', 'day', 'market'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface ReportRequest extends Span {
  readonly accounts: Accounts;
  readonly by?: Grouping | undefined;
  /** How late the exchange's lists may show a row. */
  readonly lagUs: bigint;
}

type Money = { readonly maker: string; readonly hedge: string; readonly both: string };

export interface ReportFigures {
  readonly trades: number;
  readonly filled_orders: number;
  readonly volume_usdc: Money;
  readonly fees_usdc: Money;
  readonly funding_usdc: Money;
  readonly realised_pnl_usdc: Money;
  readonly spread_usdc: string;
  /** Lot by lot, from A's trade to what covered it. */
  readonly naked: {
    readonly p50_ms: number | null;
    readonly p90_ms: number | null;
    readonly max_ms: number | null;
    readonly usdc_seconds: number;
    readonly price_bps: number | null;
    readonly worst_price_bps: number | null;
    readonly uncovered_usdc: string;
  };
}

/** Of orders that ended, as far as their lists are read: null before. */
export interface ReportOrders {
  readonly until: string;
  readonly quoted: number;
  readonly filled: number;
  readonly fill_rate: number | null;
  readonly quota_used: number;
}

/** Of the time between the balances nearest to the ends of the span; null where these do not tell it. */
export interface ReportCost {
  readonly cost_from: string | null;
  readonly cost_until: string | null;
  /** At `cost_until`. */
  readonly open_pnl_usdc: Money | null;
  /** Null too where it traded before the first balance of all. */
  readonly cost_usdc: string | null;
  readonly cost_bps: string | null;
  readonly cost_per_million_usdc: string | null;
}

export interface BalanceLine {
  readonly account: number;
  readonly role: 'maker' | 'hedge';
  readonly from: string;
  readonly until: string;
  readonly opening_usdc: string;
  readonly realised_pnl_usdc: string;
  readonly fees_usdc: string;
  readonly funding_usdc: string;
  readonly transfers_usdc: string;
  /** As the exchange showed it. */
  readonly balance_usdc: string;
  readonly difference_usdc: string;
  readonly adds_up: boolean;
}

export interface Report {
  readonly from: string;
  /** Later rows may not be in the exchange's lists yet. */
  readonly until: string;
  readonly accounts: Accounts;
  /** The first reading that the journal holds; null before there is one. */
  readonly began: string | null;
  readonly orders: ReportOrders | null;
  readonly total: ReportFigures & ReportCost;
  readonly by: Grouping | null;
  readonly groups: readonly (ReportFigures & { readonly key: string })[];
  readonly balances: readonly BalanceLine[];
  readonly gaps: readonly {
    readonly account: number;
    readonly list: string;
    readonly from: string;
    readonly until: string;
    readonly why: string;
  }[];
}

export async function reportOf(store: Store, request: ReportRequest): Promise<Report> {
  const { accounts, by } = request;
  const both = [accounts.maker, accounts.hedge];
  const span = { fromUs: request.fromUs, untilUs: await settledUntil(store, request) };
  const edges = await Promise.all(both.map((account) => edgesOf(store, account, span)));
  const compared = await Promise.all(edges.map((edge) => comparedOf(store, edge)));
  const [trades, fundings, gaps] = await Promise.all([
    store.trades(both, span),
    store.fundings(both, span),
    store.gaps(both, span),
  ]);
  const began = await store.balance(accounts.maker, { after: 0n });
  return {
    from: iso(span.fromUs),
    until: iso(span.untilUs),
    accounts,
    began: began === undefined ? null : iso(began.answeredUs),
    orders: await ordersOf(store, request, span),
    total: {
      ...shown(figuresOf(trades, fundings, accounts)),
      ...(await costShown(store, compared, { accounts, rows: [...trades, ...fundings] })),
    },
    by: by ?? null,
    groups: by === undefined ? [] : groupsOf(by, trades, fundings, accounts),
    balances: compared.flatMap((one, i) => (one === undefined ? [] : balanceLine(i === 0 ? 'maker' : 'hedge', one))),
    gaps: gaps.map(({ account, source, fromUs, untilUs, why }) => ({
      ...{ account, list: source, from: iso(fromUs), until: iso(untilUs), why },
    })),
  };
}

/** As far as the lists of both accounts are complete. */
async function settledUntil(store: Store, { accounts, untilUs, lagUs, fromUs }: ReportRequest): Promise<bigint> {
  const ends = await Promise.all(
    [accounts.maker, accounts.hedge].map(async (account) => {
      const read = await store.readUntil(account, MONEY_SOURCES);
      const verified = (await store.verified(account)) ?? 0n;
      const settled = read === undefined ? 0n : read - lagUs;
      return settled > verified ? settled : verified;
    }),
  );
  const end = ends.reduce((least, one) => (one < least ? one : least), untilUs);
  return end > fromUs ? end : fromUs;
}

/** Their lists are read less often: as far as they are complete. */
async function ordersOf(store: Store, { accounts, lagUs }: ReportRequest, span: Span): Promise<ReportOrders | null> {
  const both = [accounts.maker, accounts.hedge];
  const read = await Promise.all(both.map((account) => store.cursor(account, 'orders')));
  let untilUs = span.untilUs;
  for (const cursor of read) {
    if (cursor === undefined) return null;
    if (cursor - lagUs < untilUs) untilUs = cursor - lagUs;
  }
  if (untilUs <= span.fromUs) return null;
  const figures = orderFigures(await store.orders(both, { fromUs: span.fromUs, untilUs }), accounts);
  return {
    ...{ until: iso(untilUs), quoted: figures.quoted, filled: figures.filled },
    ...{ fill_rate: rounded(figures.fillRate, 4), quota_used: figures.quotaUsed },
  };
}

async function costShown(
  store: Store,
  compared: readonly (Comparison | undefined)[],
  { accounts, rows }: { readonly accounts: Accounts; readonly rows: readonly { readonly timeUs: bigint }[] },
): Promise<ReportCost> {
  const cost = costOfBoth(compared);
  const unknown = { cost_usdc: null, cost_bps: null, cost_per_million_usdc: null };
  if (cost === undefined) return { cost_from: null, cost_until: null, open_pnl_usdc: null, ...unknown };
  const [maker = 0n, hedge = 0n] = compared.map((one) => one?.closing.openPnlMicro);
  const known = {
    ...{ cost_from: iso(cost.fromUs), cost_until: iso(cost.untilUs) },
    open_pnl_usdc: money({ maker, hedge }),
  };
  if (rows.some(({ timeUs }) => timeUs < cost.fromUs - BEGINNING_US)) return { ...known, ...unknown };
  const traded = await store.trades([accounts.maker, accounts.hedge], cost);
  const volume = traded.reduce((sum, { quoteMicro }) => sum + quoteMicro, 0n);
  const ofVolume = perVolume(cost.micro, volume);
  return {
    ...known,
    cost_usdc: usdc(cost.micro),
    ...{ cost_bps: ofVolume?.bps ?? null, cost_per_million_usdc: ofVolume?.perMillion ?? null },
  };
}

function balanceLine(role: 'maker' | 'hedge', compared: Comparison): BalanceLine {
  const { opening, closing, sums, differenceMicro } = compared;
  return {
    account: opening.account,
    role,
    from: iso(opening.answeredUs),
    until: iso(closing.askedUs),
    opening_usdc: usdc(opening.collateralMicro),
    realised_pnl_usdc: usdc(sums.realisedMicro),
    fees_usdc: usdc(sums.feesMicro),
    funding_usdc: usdc(sums.fundingMicro),
    transfers_usdc: usdc(sums.transfersMicro),
    balance_usdc: usdc(closing.collateralMicro),
    difference_usdc: usdc(differenceMicro),
    adds_up: addsUp(compared),
  };
}

function groupsOf(
  by: Grouping,
  trades: readonly JournalTrade[],
  fundings: readonly JournalFunding[],
  accounts: Accounts,
): (ReportFigures & { readonly key: string })[] {
  const trips = by === 'round-trip' ? roundTrips(trades, accounts) : undefined;
  const keyOf = (trade: JournalTrade): string => {
    switch (by) {
      case 'order':
        return orderOf(trade) ?? 'without an order';
      case 'round-trip':
        return trips?.get(trade) ?? 'without an order';
      case 'day':
        return iso(trade.timeUs).slice(0, 10);
      case 'market':
        return trade.market;
    }
  };
  const groups = groupBy(trades, keyOf);
  const symbols = new Map(trades.map(({ marketId, market }) => [marketId, market]));
  const fundingKey = (row: JournalFunding): string =>
    by === 'day'
      ? iso(row.timeUs).slice(0, 10)
      : by === 'market'
        ? (symbols.get(row.marketId) ?? `market ${row.marketId}`)
        : 'funding';
  const funded = groupBy(fundings, fundingKey);
  for (const key of funded.keys()) if (!groups.has(key)) groups.set(key, []);
  return [...groups].map(([key, own]) => ({ key, ...shown(figuresOf(own, funded.get(key) ?? [], accounts)) }));
}

function shown(figures: Figures): ReportFigures {
  const { naked } = figures;
  return {
    trades: figures.trades,
    filled_orders: figures.filledOrders,
    volume_usdc: money(figures.volume),
    fees_usdc: money(figures.fees),
    funding_usdc: money(figures.funding),
    realised_pnl_usdc: money(figures.realised),
    spread_usdc: usdc(figures.spread),
    naked: {
      ...{ p50_ms: rounded(naked.p50Ms, 1), p90_ms: rounded(naked.p90Ms, 1), max_ms: rounded(naked.maxMs, 1) },
      usdc_seconds: rounded(naked.usdcSeconds, 3) ?? 0,
      ...{ price_bps: rounded(naked.priceBps, 2), worst_price_bps: rounded(naked.worstBps, 2) },
      uncovered_usdc: usdc(naked.uncoveredMicro),
    },
  };
}

function rounded(value: number | undefined, decimals: number): number | null {
  return value === undefined ? null : Number(value.toFixed(decimals));
}

function money(both: Both): Money {
  return { maker: usdc(both.maker), hedge: usdc(both.hedge), both: usdc(sumOf(both)) };
}

export function iso(us: bigint): string {
  return new Date(Number(us / 1000n)).toISOString();
}
