/**
 * The top line: is everything hedged? Pure.
 *
 * Two witnesses that know nothing of each other: what the orders say (Temporal's list) and what both accounts hold (the hedger's auditor).
 * "All hedged" needs both, fresh; what cannot be read is unknown and never hedged.
 */
import type { Level, Naked, OpenOrder, Risk } from './snapshot';

/** A hedge ends within a fraction of a second; what takes longer is told as naked. */
const HEDGE_MS = 2_000;
/** Orders are read every second or so, positions every 5 s, every 10 s where requests are counted. */
const ORDERS_FRESH_MS = 10_000;
const HEDGER_FRESH_MS = 20_000;
/** Three rounds of the auditor where requests are counted. */
const COMPARED_FRESH_MS = 30_000;

export interface Books {
  readonly atMs: number;
  /** Market → |A + B| in base units where nothing explains it; absent where it was not compared yet. */
  readonly booksOff: Readonly<Record<string, number>>;
  /** Market → when both accounts were last compared there. */
  readonly comparedMs: Readonly<Record<string, number>>;
}

export interface RiskInput {
  readonly nowMs: number;
  readonly markets: readonly string[];
  readonly orders: { readonly atMs: number; readonly open: Readonly<Record<string, OpenOrder>> } | undefined;
  readonly hedger: Books | undefined;
  /** Why the auditor's word does not count now; undefined: it does. */
  readonly auditor: string | undefined;
  /** Since when each is naked, by order or market: kept between calls. */
  readonly sinceMs: Map<string, number>;
  readonly unwell: readonly string[];
}

export function riskOf(input: RiskInput): Risk {
  const unread = unreadOf(input);
  const naked = [...nakedOrders(input), ...nakedBooks(input)];
  for (const key of input.sinceMs.keys())
    if (!naked.some(({ orderId, market }) => key === (orderId ?? market))) input.sinceMs.delete(key);
  return { level: levelOf(input, naked, unread), naked, unread, unwell: input.unwell };
}

function levelOf({ nowMs, orders }: RiskInput, naked: readonly Naked[], unread: readonly string[]): Level {
  const isLong = naked.some(
    ({ orderId, sinceMs }) =>
      orderId === undefined || orders?.open[orderId]?.hedgeState === 'stuck' || nowMs - sinceMs >= HEDGE_MS,
  );
  if (isLong) return 'naked';
  if (unread.length > 0) return 'unknown';
  return naked.length > 0 ? 'hedging' : 'hedged';
}

function unreadOf({ nowMs, orders, hedger, auditor, markets }: RiskInput): string[] {
  const unread: string[] = [];
  if (orders === undefined || nowMs - orders.atMs > ORDERS_FRESH_MS)
    unread.push('Temporal cannot be read, so nobody knows what the orders say');
  if (hedger === undefined || nowMs - hedger.atMs > HEDGER_FRESH_MS) {
    unread.push('the hedger cannot be read, so nobody knows whether fills are hedged');
    return unread;
  }
  if (auditor !== undefined) unread.push(`both accounts are not being compared: ${auditor}`);
  const isOld = (market: string): boolean => nowMs - (hedger.comparedMs[market] ?? -Infinity) > COMPARED_FRESH_MS;
  const missing = markets.filter((market) => hedger.booksOff[market] === undefined || isOld(market));
  if (missing.length > 0)
    unread.push(
      `the positions of both accounts were not compared in the last ${COMPARED_FRESH_MS / 1_000} s in ${missing.join(', ')}`,
    );
  return unread;
}

function nakedOrders({ nowMs, orders, sinceMs }: RiskInput): Naked[] {
  return Object.entries(orders?.open ?? {})
    .filter(([, { exposure }]) => /[1-9]/.test(exposure))
    .map(([orderId, { market, exposure, hedgeState, why }]) => ({
      ...{ market, amount: exposure, orderId, sinceMs: since(sinceMs, orderId, nowMs) },
      why: why ?? (hedgeState === 'stuck' ? 'its hedge is stuck' : 'its hedge is under way'),
    }));
}

function nakedBooks({ nowMs, hedger, sinceMs }: RiskInput): Naked[] {
  return Object.entries(hedger?.booksOff ?? {})
    .filter(([, amount]) => amount !== 0)
    .map(([market, amount]) => ({
      ...{ market, amount: String(amount), sinceMs: since(sinceMs, market, nowMs) },
      why: 'the positions of both accounts do not mirror each other, and no order explains it',
    }));
}

function since(known: Map<string, number>, key: string, nowMs: number): number {
  const at = known.get(key) ?? nowMs;
  known.set(key, at);
  return at;
}
