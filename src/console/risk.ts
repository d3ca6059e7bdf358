/**
 * The top line: is everything hedged? Pure.
 *
 * Two witnesses that know nothing of each other: what the orders say (Temporal's list) and what both accounts hold (the hedger's auditor).
 * "All hedged" needs both, fresh; what cannot be read is unknown and never hedged.
 */
import { atMostOf, rounded, type PairRead } from './at-most';
import type { Check, Direction, Level, Naked, OpenOrder, Risk } from './snapshot';

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
  /** Market → the same with its sign; of a hedger that tells it. */
  readonly booksNet: Readonly<Record<string, number>>;
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
  readonly pairs: ReadonlyMap<string, PairRead>;
  /** USDC for one base unit. */
  readonly price: (market: string) => number | undefined;
  /** What was said before. */
  readonly before: Pick<Risk, 'level' | 'sinceMs'> | undefined;
}

export function riskOf(input: RiskInput): Risk {
  const { markets, orders, pairs, price, unwell } = input;
  const unread = unreadOf(input);
  const byOrder = nakedOrders(input);
  const naked = [...byOrder, ...nakedBooks(input, new Set(byOrder.map(({ market }) => market)))];
  for (const key of input.sinceMs.keys())
    if (!naked.some(({ orderId, market }) => key === (orderId ?? market))) input.sinceMs.delete(key);
  const level = levelOf(input, naked, unread);
  const checks = checksOf(input);
  const atMost =
    unread.length === 0
      ? []
      : [...new Set([...markets, ...pairs.keys()])].map((market) =>
          atMostOf(market, { orders, pair: pairs.get(market), price: price(market) }),
        );
  return { level, sinceMs: sinceOf(input, level, checks), checks, naked, unread, unwell, atMost };
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

/** What is unknown now is so since it was known last. */
function sinceOf({ nowMs, before }: RiskInput, level: Level, checks: readonly Check[]): number {
  if (before?.level === level) return before.sinceMs;
  const old = checks.flatMap(({ atMs, freshMs }) => (atMs !== undefined && nowMs - atMs > freshMs ? [atMs] : []));
  return level === 'unknown' ? Math.min(nowMs, ...old) : nowMs;
}

/** Those of the configuration, and every other that the auditor compares: what is held there must mirror too. */
function comparedIn({ markets, hedger }: RiskInput): string[] {
  return [...new Set([...markets, ...Object.keys(hedger?.booksOff ?? {})])];
}

function checksOf(input: RiskInput): Check[] {
  const { orders, hedger } = input;
  const compared = comparedIn(input).map((market) => hedger?.comparedMs[market]);
  const known = compared.filter((atMs) => atMs !== undefined);
  return [
    { of: 'orders', freshMs: ORDERS_FRESH_MS, ...(orders === undefined ? {} : { atMs: orders.atMs }) },
    {
      ...{ of: 'positions', freshMs: COMPARED_FRESH_MS },
      ...(known.length === 0 || known.length < compared.length ? {} : { atMs: Math.min(...known) }),
    },
  ];
}

function unreadOf(input: RiskInput): string[] {
  const { nowMs, orders, hedger, auditor } = input;
  const unread: string[] = [];
  if (orders === undefined || nowMs - orders.atMs > ORDERS_FRESH_MS)
    unread.push('Temporal cannot be read, so nobody knows what the orders say');
  if (hedger === undefined || nowMs - hedger.atMs > HEDGER_FRESH_MS) {
    unread.push('the hedger cannot be read, so nobody knows whether fills are hedged');
    return unread;
  }
  if (auditor !== undefined) unread.push(`both accounts are not being compared: ${auditor}`);
  const isOld = (market: string): boolean => nowMs - (hedger.comparedMs[market] ?? -Infinity) > COMPARED_FRESH_MS;
  const missing = comparedIn(input).filter((market) => hedger.booksOff[market] === undefined || isOld(market));
  if (missing.length > 0)
    unread.push(
      `the positions of both accounts were not compared in the last ${COMPARED_FRESH_MS / 1_000} s in ${missing.join(', ')}`,
    );
  return unread;
}

function nakedOrders({ nowMs, orders, sinceMs, price }: RiskInput): Naked[] {
  return Object.entries(orders?.open ?? {})
    .filter(([, { exposure }]) => /[1-9]/.test(exposure))
    .map(([orderId, { workflowId, market, side, exposure, hedgeState, why, price: own }]) => ({
      ...{ market, amount: exposure, orderId, workflowId, sinceMs: since(sinceMs, orderId, nowMs) },
      ...valueOf(exposure, price(market) ?? (own === undefined ? undefined : Number(own))),
      ...directionOf(side === 'buy' ? 1 : side === 'sell' ? -1 : 0),
      why: why ?? (hedgeState === 'stuck' ? 'its hedge is stuck' : 'its hedge is under way'),
      next:
        `The order keeps trying. \`counterleg hedge retry ${orderId}\` tries at once, \`counterleg hedge close ${orderId}\` ` +
        `trades it away on account A, \`counterleg order ${orderId}\` tells what happened.`,
    }));
}

/** `told`: markets in which an order says so too. */
function nakedBooks({ nowMs, hedger, sinceMs, price }: RiskInput, told: ReadonlySet<string>): Naked[] {
  return Object.entries(hedger?.booksOff ?? {})
    .filter(([, amount]) => amount !== 0)
    .map(([market, amount]) => ({
      ...{ market, amount: rounded(amount), sinceMs: since(sinceMs, market, nowMs) },
      ...valueOf(amount, price(market)),
      ...directionOf(hedger?.booksNet[market] ?? 0),
      why: `the positions of both accounts do not mirror each other, and ${told.has(market) ? 'an order says for longer than a hedge may take that it hedges' : 'no order explains it'}`,
      next:
        '`counterleg close-all --preview` shows both positions, `counterleg orders --state open` whether an order still hedges them. ' +
        'If none does, trade the difference away by hand.',
    }));
}

function valueOf(amount: string | number, price: number | undefined): { readonly usdc?: number } {
  return price === undefined ? {} : { usdc: Number(amount) * price };
}

function directionOf(sign: number): { readonly direction?: Direction } {
  return sign === 0 ? {} : { direction: sign > 0 ? 'long' : 'short' };
}

function since(known: Map<string, number>, key: string, nowMs: number): number {
  const at = known.get(key) ?? nowMs;
  known.set(key, at);
  return at;
}
