/** What trades and funding of both accounts come to. Whole micro-USDC; decimals only as text, at the end. */
import { formatDecimal, parseDecimal } from '../domain/lots';
import { splitClientOrderIndex } from '../domain/ids-and-nonces';
import type { JournalFunding, JournalTrade } from './rows';

/** More than any market's sizes have (LP §2.1). */
const SIZE_DECIMALS = 12;
const MILLION = 1_000_000n;

export interface Accounts {
  readonly maker: number;
  readonly hedge: number;
}

/** Of A, of B. */
export interface Both {
  readonly maker: bigint;
  readonly hedge: bigint;
}

export interface Figures {
  readonly trades: number;
  /** Orders of which something filled. */
  readonly filledOrders: number;
  readonly volume: Both;
  readonly fees: Both;
  readonly funding: Both;
  readonly realised: Both;
  /** What was hedged, at the hedge's price against the maker's: negative is what crossing the spread cost. */
  readonly spread: bigint;
}

/** Which order a trade belongs to; undefined: none of ours. */
export function orderOf(trade: JournalTrade): string | undefined {
  return trade.clientOrderIndex === 0n ? undefined : splitClientOrderIndex(trade.clientOrderIndex).id.toString();
}

export function isQuote(trade: JournalTrade, { maker }: Accounts): boolean {
  return (
    trade.account === maker && splitClientOrderIndex(trade.clientOrderIndex).slice === 0 && trade.clientOrderIndex > 0n
  );
}

export function figuresOf(
  trades: readonly JournalTrade[],
  fundings: readonly JournalFunding[],
  accounts: Accounts,
): Figures {
  const both = <T extends { readonly account: number }>(rows: readonly T[], amount: (row: T) => bigint): Both => {
    const of = (account: number): bigint =>
      rows.reduce((sum, row) => (row.account === account ? sum + amount(row) : sum), 0n);
    return { maker: of(accounts.maker), hedge: of(accounts.hedge) };
  };
  const byOrder = groupBy(trades, (trade) => orderOf(trade));
  let spread = 0n;
  let filledOrders = 0;
  for (const [order, own] of byOrder) {
    if (order === undefined) continue;
    spread += spreadOf(own, accounts);
    if (own.some((trade) => isQuote(trade, accounts))) filledOrders += 1;
  }
  return {
    trades: trades.length,
    filledOrders,
    volume: both(trades, ({ quoteMicro }) => quoteMicro),
    fees: both(trades, ({ feeMicro }) => feeMicro),
    funding: both(fundings, ({ changeMicro }) => changeMicro),
    realised: both(trades, ({ pnlMicro }) => pnlMicro),
    spread,
  };
}

/** Of one order: as much as both sides traded. */
function spreadOf(trades: readonly JournalTrade[], accounts: Accounts): bigint {
  const quotes = trades.filter((trade) => isQuote(trade, accounts));
  const [first] = quotes;
  if (first === undefined) return 0n;
  const hedges = trades.filter(({ account, side }) => account === accounts.hedge && side !== first.side);
  const size = (rows: readonly JournalTrade[]): bigint =>
    rows.reduce((sum, row) => sum + parseDecimal(row.size, SIZE_DECIMALS), 0n);
  const quote = (rows: readonly JournalTrade[]): bigint => rows.reduce((sum, row) => sum + row.quoteMicro, 0n);
  const [made, hedged] = [size(quotes), size(hedges)];
  const matched = made < hedged ? made : hedged;
  if (matched === 0n) return 0n;
  const gain = (quote(hedges) * matched) / hedged - (quote(quotes) * matched) / made;
  return first.side === 'buy' ? gain : -gain;
}

export function groupBy<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

export function sumOf({ maker, hedge }: Both): bigint {
  return maker + hedge;
}

/** Six decimals. */
export function usdc(micro: bigint): string {
  return micro < 0n ? `-${formatDecimal(-micro, 6)}` : formatDecimal(micro, 6);
}

/** What trading took away: fees and losses less gains and funding received; negative where it earned. */
export function costOf(figures: Figures, openChange: bigint): bigint {
  return sumOf(figures.fees) - sumOf(figures.funding) - sumOf(figures.realised) - openChange;
}

/** Hundredths of a basis point of the volume; undefined without one. */
export function perVolume(
  cost: bigint,
  volume: bigint,
): { readonly bps: string; readonly perMillion: string } | undefined {
  if (volume === 0n) return undefined;
  const signed = (value: bigint, decimals: number): string =>
    value < 0n ? `-${formatDecimal(-value, decimals)}` : formatDecimal(value, decimals);
  return { bps: signed((cost * MILLION) / volume, 2), perMillion: signed((cost * MILLION * 100n) / volume, 2) };
}
