/**
 * Naked time, lot by lot: from a lot's trade on A to the execution of its hedge on B, or of its close on A, both by the exchange's clock.
 *
 * First in, first out: the oldest naked lot is what the next execution hedges. A time that nobody saw stays unknown: it is never zero, and
 * never made from another clock.
 */
import { formatDecimal, lots, minLots, parseLots, subLots, ZERO_LOTS, type Lots } from './lots';
import type { SliceReport } from './messages';
import type { HedgedLots, TradeReport } from './times';

/** The maker order had traded so many lots, cumulative, once this trade was executed. */
export interface Traded {
  readonly lots: Lots;
  /** Microseconds, the exchange's. */
  readonly atUs?: number | undefined;
}

/** Of one slice. */
export interface Execution {
  readonly lots: Lots;
  readonly atUs?: number | undefined;
  /** From the exchange's answer to the slice until it showed the execution. */
  readonly delayMs?: number | undefined;
}

/** More trades of one order than this, and the times of the oldest are forgotten. */
export const TRADES_KEPT = 250;
/** A frame comes 30 to 70 ms after what it shows (LP §5.6). */
const FRAME_MS_MIN = 30;
const FRAME_MS_MAX = 70;

/** Adds what is heard of the order's trades, in whatever order it is heard. `known` is kept by lots. */
export function noteTrades(known: Traded[], heard: readonly Traded[]): void {
  for (const trade of heard) {
    const found = known.findIndex((each) => each.lots >= trade.lots);
    const at = found === -1 ? known.length : found;
    if (known[at]?.lots !== trade.lots) known.splice(at, 0, trade);
    else if (known[at].atUs === undefined) known[at] = trade;
  }
  if (known.length <= TRADES_KEPT) return;
  known.splice(0, known.length - TRADES_KEPT);
  if (known[0]) known[0] = { lots: known[0].lots }; // it stands for all that were before it
}

export function tradeReports(trades: readonly Traded[]): TradeReport[] {
  return trades.map(({ lots: reached, atUs }) => ({
    lots: reached.toString(),
    ...(atUs === undefined ? {} : { at_us: atUs }),
  }));
}

export function tradesFrom(reports: readonly TradeReport[], upTo: Lots): Traded[] {
  return reports
    .map(({ lots: reached, at_us: atUs }) => ({ lots: lots(BigInt(reached)), atUs }))
    .filter((trade) => trade.lots <= upTo);
}

/** What executed, oldest first, matched with what had traded; each part of it once. */
export function hedgedLots(
  trades: readonly Traded[],
  executions: readonly Execution[],
  sizeDecimals: number,
): HedgedLots[] {
  const matched: HedgedLots[] = [];
  let at = 0;
  let done = ZERO_LOTS;
  for (const { lots: executed, atUs, delayMs } of executions) {
    for (let left = executed; left > 0n;) {
      while (at < trades.length && (trades[at]?.lots ?? ZERO_LOTS) <= done) at += 1;
      const trade = trades[at];
      const taken = trade ? minLots(left, subLots(trade.lots, done)) : left;
      // A frame that was lost makes lots look younger than their hedge: then nobody knows when they traded.
      const tradedUs = trade?.atUs !== undefined && trade.atUs <= (atUs ?? Infinity) ? trade.atUs : undefined;
      matched.push({
        base_amount: formatDecimal(taken, sizeDecimals),
        ...(tradedUs === undefined ? {} : { traded_at_us: tradedUs }),
        ...(atUs === undefined ? {} : { hedged_at_us: atUs }),
        ...(delayMs === undefined || isLate(delayMs, tradedUs, atUs) ? {} : { delay_ms: delayMs }),
      });
      done = (done + taken) as Lots;
      left = subLots(left, taken);
    }
  }
  return matched;
}

/** Shown long after the lots were hedged: a frame was late or lost, and what was measured is not the exchange's delay. */
function isLate(delayMs: number, tradedUs: number | undefined, hedgedUs: number | undefined): boolean {
  if (tradedUs === undefined || hedgedUs === undefined) return false;
  return delayMs > (hedgedUs - tradedUs) / 1_000 + FRAME_MS_MAX;
}

export function executionOf(slice: SliceReport, sizeDecimals: number): Execution {
  const { accepted_ms: fromMs, executed_ms: toMs } = slice.times ?? {};
  const delayMs = fromMs === undefined || toMs === undefined ? undefined : Math.max(0, toMs - fromMs);
  return { lots: parseLots(slice.executed, sizeDecimals), atUs: slice.executed_at_us, delayMs };
}

export function nakedMs({ traded_at_us: from, hedged_at_us: to }: HedgedLots): number | undefined {
  return from === undefined || to === undefined ? undefined : (to - from) / 1_000;
}

/** Naked for longer than the exchange's own delay: our share of it, with the ways of the frames. */
export function nakedBeyondDelayMs(matched: HedgedLots): number | undefined {
  const ms = nakedMs(matched);
  return ms === undefined || matched.delay_ms === undefined ? undefined : Math.max(0, ms - matched.delay_ms);
}

/** Amounts of one market have the same number of decimals. */
export function lotsOf({ base_amount: amount }: HedgedLots): number {
  return Number(amount.replace('.', ''));
}

/**
 * Lots that traded while the hedge of an earlier trade of the order may still have been under way, so that they had to wait for it: within
 * 70 ms more than the exchange's delay. As it is measured that holds the way of one frame already.
 */
export function overlappingLots(matched: readonly HedgedLots[]): { yes: number; no: number; unknown: number } {
  const found = { yes: 0, no: 0, unknown: 0 };
  let trade: HedgedLots | undefined;
  let overlaps: keyof typeof found = 'no';
  for (const each of matched) {
    if (trade !== undefined && (each.traded_at_us === undefined || each.traded_at_us !== trade.traded_at_us))
      overlaps = overlap(trade, each);
    found[overlaps] += lotsOf(each);
    trade = each;
  }
  return found;
}

function overlap(before: HedgedLots, after: HedgedLots): 'yes' | 'no' | 'unknown' {
  const { traded_at_us: from, delay_ms: delayMs } = before;
  if (from === undefined || after.traded_at_us === undefined || delayMs === undefined) return 'unknown';
  return (after.traded_at_us - from) / 1_000 <= delayMs + FRAME_MS_MAX - FRAME_MS_MIN ? 'yes' : 'no';
}
