/**
 * How much collateral goes from which account to the other. Pure; micro-USDC.
 *
 * Both accounts hold the same position the other way round, so what one loses the other wins, and both are equally far from liquidation
 * when both are worth as much. What could not be read is not given: nothing is decided without it (invariant 8).
 */
import { formatDecimal, notional, parseNotional, QUOTE_DECIMALS, type Notional } from './lots';

export type Role = 'maker' | 'hedge';

export interface Holding {
  /** Collateral and unrealised profit. */
  readonly equity: Notional;
  /** Bound by no position, no resting order, and promised to no order. */
  readonly free: Notional;
}

export interface RebalanceLimits {
  readonly maxTransfer: Notional;
  /** In a UTC day, both ways together. */
  readonly maxPerDay: Notional;
}

export interface RebalanceQuestion {
  readonly holdings: Readonly<Record<Role, Holding>>;
  /** Since midnight UTC, as the exchange's own list says. */
  readonly movedToday: Notional;
  readonly limits: RebalanceLimits;
  /** What is asked for instead of half the difference. */
  readonly amount?: Notional | undefined;
  /** Who agreed, agreed to this one. */
  readonly from?: Role | undefined;
}

export type RebalanceAnswer =
  | { readonly move: true; readonly from: Role; readonly amount: Notional }
  | { readonly move: false; readonly code: RebalanceRejection; readonly message: string };

export type RebalanceRejection =
  'even' | 'too-little' | 'above-max-transfer' | 'above-max-per-day' | 'above-free' | 'changed';

/** The exchange moves no less (LP §1.4, assetDetails). */
export const TRANSFER_MIN = notional(1_000_000n);
/** A fifth of what is free stays where it is: the price moves between the reading and the transfer. */
const FREE_PERCENT = 80n;
const CENT = 10_000n;

export function rebalanceOf(question: RebalanceQuestion): RebalanceAnswer {
  const { holdings, movedToday, limits, amount } = question;
  const difference = holdings.maker.equity - holdings.hedge.equity;
  const from: Role = difference >= 0n ? 'maker' : 'hedge';
  const { free } = holdings[from];
  const leftToday = limits.maxPerDay - movedToday;
  const no = (code: RebalanceRejection, message: string): RebalanceAnswer => ({ move: false, code, message });
  if (question.from !== undefined && question.from !== from)
    return no('changed', `account ${nameOf(from)} is worth more by now: look at the plan again`);
  const today = `${usdc(movedToday)} of rebalance.max_per_day (${usdc(limits.maxPerDay)}) were moved since midnight UTC`;
  if (amount !== undefined) {
    if (amount < TRANSFER_MIN) return no('too-little', `the exchange moves ${usdc(TRANSFER_MIN)} USDC at least`);
    if (amount > limits.maxTransfer)
      return no('above-max-transfer', `${usdc(amount)} is above rebalance.max_transfer (${usdc(limits.maxTransfer)})`);
    if (amount > leftToday) return no('above-max-per-day', `${usdc(amount)} is too much for today: ${today}`);
    const apart = difference < 0n ? -difference : difference;
    if (amount > apart)
      return no(
        'changed',
        `${usdc(amount)} is more than what account ${nameOf(from)} is worth beyond the other (${usdc(apart)}): then the other would have to move it back`,
      );
    if (amount > free)
      return no('above-free', `${usdc(amount)} is more than account ${nameOf(from)} has free (${usdc(free)})`);
    return { move: true, from, amount };
  }
  const half = (difference < 0n ? -difference : difference) / 2n;
  if (half < TRANSFER_MIN) return no('even', 'both accounts are worth as much: there is nothing to move');
  const suggested = [half, limits.maxTransfer, leftToday, (free * FREE_PERCENT) / 100n].reduce((a, b) =>
    a < b ? a : b,
  );
  const whole = suggested - (suggested % CENT);
  if (whole >= TRANSFER_MIN) return { move: true, from, amount: notional(whole) };
  return leftToday < TRANSFER_MIN
    ? no('above-max-per-day', `nothing is left of today: ${today}`)
    : no('above-free', `account ${nameOf(from)} has only ${usdc(free)} free`);
}

/** The poorer account holds less than this part of what both are worth. */
export function isUneven(holdings: RebalanceQuestion['holdings'], below: number): boolean {
  const { maker, hedge } = holdings;
  const sum = maker.equity + hedge.equity;
  const poorer = maker.equity < hedge.equity ? maker.equity : hedge.equity;
  return sum > 0n && Number(poorer) < below * Number(sum);
}

/** Midnight UTC before that moment, in its unit. */
export function dayStartUs(nowUs: bigint): bigint {
  return nowUs - (nowUs % DAY_US);
}
const DAY_US = 86_400_000_000n;

export function nameOf(role: Role): 'A' | 'B' {
  return role === 'maker' ? 'A' : 'B';
}

/** Of a transfer as results and memos name it, USDC as text. */
export function movedText({
  from = 'maker',
  amount_usdc: amount = '0',
}: {
  from?: Role;
  amount_usdc?: string;
}): string {
  const to = from === 'maker' ? 'hedge' : 'maker';
  return `${usdc(parseNotional(amount))} USDC were moved from account ${nameOf(from)} to account ${nameOf(to)}`;
}

/** Two decimals, rounded down. */
export function usdc(micro: bigint): string {
  const text = formatDecimal(micro < 0n ? -micro : micro, QUOTE_DECIMALS).slice(0, -4);
  return micro < 0n ? `-${text}` : text;
}
