/** What trades and funding of both accounts come to. Whole micro-USDC; decimals only as text, at the end. */
import { formatDecimal } from '../domain/lots';
import { coveredLots, nakedFigures, type NakedFigures } from './naked';
import { groupBy, isQuote, orderOf, type Accounts } from './orders';
import type { JournalFunding, JournalTrade } from './rows';

const MILLION = 1_000_000n;

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
  readonly naked: NakedFigures;
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
  const covered = coveredLots(trades, accounts);
  return {
    trades: trades.length,
    filledOrders: groupBy(
      trades.filter((trade) => isQuote(trade, accounts)),
      orderOf,
    ).size,
    volume: both(trades, ({ quoteMicro }) => quoteMicro),
    fees: both(trades, ({ feeMicro }) => feeMicro),
    funding: both(fundings, ({ changeMicro }) => changeMicro),
    realised: both(trades, ({ pnlMicro }) => pnlMicro),
    spread: covered.lots.reduce((sum, { gainMicro }) => sum + gainMicro, 0n),
    naked: nakedFigures(covered),
  };
}

export function sumOf({ maker, hedge }: Both): bigint {
  return maker + hedge;
}

/** Six decimals. */
export function usdc(micro: bigint): string {
  return micro < 0n ? `-${formatDecimal(-micro, 6)}` : formatDecimal(micro, 6);
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
