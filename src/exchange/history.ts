/** What an account's history holds, as an exchange must offer it: for the books, never for a hedge. */
import type { Read, Side } from '../domain/records';

/** The account's side of one trade. Decimals are the exchange's text. */
export interface HistoryTrade {
  readonly tradeId: bigint;
  readonly side: Side;
  readonly marketId: number;
  readonly market: string;
  /** `trade`, `liquidation`, `deleverage`, … */
  readonly kind: string;
  readonly isMaker: boolean;
  readonly size: string;
  readonly price: string;
  readonly quoteMicro: bigint;
  readonly feeMicro: bigint;
  /** Realised by this trade, before the fee. */
  readonly pnlMicro: bigint;
  /** Signed. */
  readonly positionBefore: string;
  /** 0: an order without one. */
  readonly clientOrderIndex: bigint;
  readonly timeUs: bigint;
}

/** An order that has ended. */
export interface HistoryOrder {
  readonly orderIndex: bigint;
  /** 0: an order without one. */
  readonly clientOrderIndex: bigint;
  readonly marketId: number;
  readonly market: string;
  readonly side: Side;
  readonly size: string;
  readonly filled: string;
  readonly price: string;
  readonly status: string;
  readonly timeUs: bigint;
}

export interface HistoryFunding {
  readonly marketId: number;
  readonly fundingId: bigint;
  /** Negative when paid. */
  readonly changeMicro: bigint;
  readonly rate: string;
  /** Signed. */
  readonly positionSize: string;
  readonly timeUs: bigint;
}

export type TransferKind = 'transfer' | 'deposit' | 'withdrawal';

export interface HistoryTransfer {
  readonly kind: TransferKind;
  readonly id: string;
  /** What it changed the collateral by; zero while, and if, it does not. */
  readonly amountMicro: bigint;
  readonly status: string;
  readonly timeUs: bigint;
  /** Of a transfer between accounts. */
  readonly between?: {
    readonly from: number;
    readonly to: number;
    /** Without the fee. */
    readonly amountMicro: bigint;
    /** Empty where the list does not say it. */
    readonly txHash: string;
  };
}

/** Newest first. */
export interface HistoryPage<T> {
  readonly rows: readonly T[];
  /** For the older ones; undefined at the end of the list. */
  readonly next: string | undefined;
}

export interface AccountMoney {
  readonly collateralMicro: bigint;
  readonly openPnlMicro: bigint;
}

/** A row that cannot be read fails its page: books without it would be wrong. */
export interface HistoryPort {
  readonly accountIndex: number;
  trades(cursor?: string): Promise<Read<HistoryPage<HistoryTrade>>>;
  fundings(cursor?: string): Promise<Read<HistoryPage<HistoryFunding>>>;
  orders(cursor?: string): Promise<Read<HistoryPage<HistoryOrder>>>;
  transfers(kind: TransferKind, cursor?: string): Promise<Read<HistoryPage<HistoryTransfer>>>;
  money(): Promise<Read<AccountMoney>>;
  close(): void;
}
