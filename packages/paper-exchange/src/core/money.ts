/** Collateral that comes and goes without a trade: deposits, withdrawals, transfers; each leaves a row in the account's history. */
import { remember } from './world';
import type { World } from './world';
import type { Account } from './types';

export interface MoneyMove {
  readonly id: number;
  readonly kind: 'transfer' | 'deposit' | 'withdrawal';
  /** The account itself where nobody else is known. */
  readonly from: Account;
  readonly to: Account;
  readonly amountMicro: number;
  readonly feeMicro: number;
  /** Of the transaction that moved it; empty where there is none. */
  readonly txHash: string;
  readonly atUs: number;
}

/** Inside an event: `byMicro` comes from elsewhere, or leaves when negative. */
export function bringMoney(world: World, account: Account, byMicro: number): void {
  if (byMicro === 0) return;
  change(world, account, byMicro);
  const kind = byMicro > 0 ? 'deposit' : 'withdrawal';
  note(world, account, { kind, from: account, to: account, amountMicro: Math.abs(byMicro), feeMicro: 0, txHash: '' });
}

/** Inside an event: the fee is paid by who sends it. */
export function transferMoney(world: World, from: Account, to: Account, amountMicro: number, feeMicro: number): void {
  change(world, from, -amountMicro - feeMicro);
  change(world, to, amountMicro);
  const move = { kind: 'transfer', from, to, amountMicro, feeMicro, txHash: world.fillHash?.() ?? '' } as const;
  for (const account of new Set([from, to])) note(world, account, move);
}

function change(world: World, account: Account, byMicro: number): void {
  account.collateralMicro += byMicro;
  account.depositedMicro += byMicro;
  account.updatedAtUs = world.nowUs;
  world.changes.of(account).moneyMoved = true;
}

function note(world: World, account: Account, move: Omit<MoneyMove, 'id' | 'atUs'>): void {
  const id = world.nextMoneyId++;
  if (!account.synthetic) remember(account.moneyMoves, { ...move, id, atUs: world.nowUs }, world.historyMax);
}
