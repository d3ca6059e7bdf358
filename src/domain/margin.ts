/**
 * How far an account is from being liquidated, and what follows from it.
 *
 * The exchange shows each market's own liquidation price, as if no other market moved. Markets move together, so what counts is the nearer of
 * that and of what the account's positions may lose all at once (LP §2.4). A distance is in basis points of the mark price; what was not
 * shown is unknown, never near and never far (invariant 8).
 */
import type { Lots, Notional, Ticks } from './lots';
import type { AccountState, Position, Read } from './records';

/** Nearer than this, in basis points; 0: never. Each is below the one before. */
export interface MarginLimits {
  readonly warnBps: number;
  readonly stopQuotingBps: number;
  readonly unwindBps: number;
}

export const MARGIN_LEVELS = ['ok', 'warn', 'stop-quoting', 'unwind'] as const;
export type MarginLevel = (typeof MARGIN_LEVELS)[number];

export interface PositionMargin {
  readonly marketId: number;
  readonly lots: Lots;
  readonly markTicks: Ticks;
  /** Absent: the exchange shows none. */
  readonly liquidationTicks?: Ticks;
  readonly distanceBps?: number;
}

export interface AccountMargin {
  /** Not bound by positions nor by resting orders. */
  readonly free: Notional;
  readonly equity: Notional;
  readonly maintenance: Notional;
  /** What positions bind of the equity, in basis points of it; with no equity left the most there is. */
  readonly useBps: number;
  /** Absent: nothing is held that could be liquidated. */
  readonly distanceBps?: number;
  readonly positions: readonly PositionMargin[];
}

const BPS = 10_000n;
const USE_BPS_MAX = 1_000_000;

export function marginOf(account: Omit<AccountState, 'begunMs'>): Read<AccountMargin> {
  const unread = (what: string): Read<AccountMargin> => ({
    ok: false,
    reason: `${what} of account ${account.accountIndex} could not be read`,
  });
  const { margin, unreadMarkets, availableBalance: free } = account;
  if (margin === undefined) return unread('the margin');
  if (unreadMarkets.length > 0) return unread('a position');
  const held = account.positions.filter(({ lots }) => lots !== 0n);
  const positions = held.flatMap((position) => positionMargin(position) ?? []);
  if (positions.length < held.length) return unread("a position's value");
  const { equity, initial, maintenance } = margin;
  const carried = held.reduce((sum, { value = 0n, isIsolated }) => sum + (isIsolated === true ? 0n : value), 0n);
  const distances = positions.flatMap(({ distanceBps }) => distanceBps ?? []);
  if (carried > 0n) distances.push(bpsOf(equity - maintenance, carried));
  const useBps = equity > 0n ? Math.min(bpsOf(initial, equity), USE_BPS_MAX) : initial > 0n ? USE_BPS_MAX : 0;
  return {
    ok: true,
    value: {
      ...{ free, equity, maintenance, useBps, positions },
      ...(distances.length === 0 ? {} : { distanceBps: Math.min(...distances) }),
    },
  };
}

/** Undefined when its value was not shown. Lots × ticks are micro-USDC (LP §2.1). */
function positionMargin({ marketId, lots, value, liquidationTicks }: Position): PositionMargin | undefined {
  if (value === undefined || value === 0n) return undefined;
  const markTicks = (value / abs(lots)) as Ticks;
  if (liquidationTicks === undefined || markTicks === 0n) return { marketId, lots, markTicks };
  const away = lots > 0n ? markTicks - liquidationTicks : liquidationTicks - markTicks;
  return { marketId, lots, markTicks, liquidationTicks, distanceBps: bpsOf(away, markTicks) };
}

/** Rounded down, and nothing below zero. */
function bpsOf(part: bigint, whole: bigint): number {
  return part <= 0n ? 0 : Number((part * BPS) / whole);
}

export function levelOf({ distanceBps }: Pick<AccountMargin, 'distanceBps'>, limits: MarginLimits): MarginLevel {
  if (distanceBps === undefined) return 'ok';
  if (distanceBps < limits.unwindBps) return 'unwind';
  if (distanceBps < limits.stopQuotingBps) return 'stop-quoting';
  return distanceBps < limits.warnBps ? 'warn' : 'ok';
}

/**
 * The level that stays in force: one that was reached ends only when the next milder one is left too, so that a price which hovers at a limit
 * switches nothing on and off. An unwind goes on until what enlarges might be quoted, were it not for that; what enlarges is not quoted
 * until nobody would be warned.
 */
export function heldLevel(held: MarginLevel, read: MarginLevel): MarginLevel {
  if (rankOf(read) >= rankOf(held)) return read;
  if (held === 'unwind') return read === 'warn' ? 'stop-quoting' : read === 'ok' ? 'ok' : 'unwind';
  return held === 'stop-quoting' && read === 'warn' ? 'stop-quoting' : read;
}

export function worst(levels: readonly MarginLevel[]): MarginLevel {
  return levels.reduce<MarginLevel>((a, b) => (rankOf(a) >= rankOf(b) ? a : b), 'ok');
}

function rankOf(level: MarginLevel): number {
  return MARGIN_LEVELS.indexOf(level);
}

/**
 * Lots of the next step of an unwind: a tenth of what both accounts hold against each other, and at least one order of the pair. No step
 * leaves more naked than it. None when they do not hold the same the other way round.
 */
export function unwindLots(input: {
  readonly makerLots: bigint;
  readonly hedgeLots: bigint;
  readonly quantityLots: bigint;
}): bigint {
  const { makerLots, hedgeLots, quantityLots } = input;
  if (makerLots === 0n || hedgeLots === 0n || makerLots > 0n === hedgeLots > 0n) return 0n;
  const both = min(abs(makerLots), abs(hedgeLots));
  const tenth = (both + STEPS - 1n) / STEPS;
  return min(both, tenth > quantityLots ? tenth : quantityLots);
}

const STEPS = 10n;

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
