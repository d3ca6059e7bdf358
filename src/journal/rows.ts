/** What the journal holds, row by row: as the exchange said it, money in whole micro-USDC. */
import type { HistoryFunding, HistoryOrder, HistoryTrade, HistoryTransfer } from '../exchange/history';

export type JournalTrade = HistoryTrade & { readonly account: number };
export type JournalFunding = HistoryFunding & { readonly account: number };
export type JournalOrder = HistoryOrder & { readonly account: number };
export type JournalTransfer = HistoryTransfer & { readonly account: number };

export interface BalanceRead {
  readonly account: number;
  /** The exchange's clock, before it was asked and after it had answered: it was so at some moment in between. */
  readonly askedUs: bigint;
  readonly answeredUs: bigint;
  readonly collateralMicro: bigint;
  /** Of open positions, at the mark price. */
  readonly openPnlMicro: bigint;
}

/** Lists that are read page by page. */
export const SOURCES = ['trades', 'orders', 'fundings', 'transfer', 'deposit', 'withdrawal'] as const;
export type Source = (typeof SOURCES)[number];
/** Those that hold money. */
export const MONEY_SOURCES = SOURCES.filter((source) => source !== 'orders');

export interface Gap {
  readonly account: number;
  readonly source: Source;
  readonly fromUs: bigint;
  readonly untilUs: bigint;
  readonly why: string;
}

/** Everything of one account in a span of time. */
export interface Sums {
  readonly realisedMicro: bigint;
  readonly feesMicro: bigint;
  readonly fundingMicro: bigint;
  readonly transfersMicro: bigint;
}

/** Money that came or went at one instant: what a balance is made of. */
export interface Movement {
  readonly timeUs: bigint;
  readonly sums: Sums;
  /** Lists of trades tell microseconds, the others whole seconds. */
  readonly exact: boolean;
}
