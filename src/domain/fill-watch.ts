/**
 * Fills that somebody else must have heard of: which are not acknowledged, whom to ask, when to tell a person. Pure.
 *
 * Both sides keep one. The maker's holds what its stream showed and waits for the hedger's word; the hedger's holds what the public
 * trades showed and waits for the maker's. Amounts are cumulative lots of a maker order. What is known may come from Redis or from the
 * order's own workflow, which is asked when nothing came by itself.
 */
import type { OrderId } from './ids-and-nonces';
import { keepNewest } from './keep-newest';
import { maxLots, ZERO_LOTS, type Lots } from './lots';
import { sleptMs } from './hedger-life';

export interface Fill {
  readonly orderId: OrderId;
  readonly marketId: number;
  filledLots: Lots;
  /** How much of it the other side says to know. */
  knownLots: Lots;
  /** Hedged, closed, or told by an order that has ended. */
  doneLots: Lots;
  /** When the first lot came that nobody acknowledged; moved on by what this process slept. */
  unknownSinceMs: number;
  askAtMs: number;
  askPauseMs: number;
  /** Questions that ended without a word about the fill, since it last grew. */
  inVain: number;
  isAsking: boolean;
  toldMs: number | undefined;
  /** When the first lot came since it was told. */
  grownSinceMs: number | undefined;
}

export interface FillWatch {
  readonly fills: Map<OrderId, Fill>;
  tickedMs: number;
  readonly times: FillTimes;
}

export interface FillTimes {
  /** Unacknowledged for so long, the order's workflow is asked. */
  readonly askMs: number;
  /** Unacknowledged for so long, and asked in vain, a person is told. */
  readonly tellMs: number;
}

export type FillCommand =
  { readonly do: 'ask'; readonly fill: Fill } | { readonly do: 'tell'; readonly fill: Fill; readonly forMs: number };

/** What the other side says about an order. */
export interface Word {
  readonly orderId: OrderId;
  readonly filledLots: Lots;
  readonly doneLots: Lots;
}

const ASK_MS_MAX = 60_000;
/** Questions at once. Each ends within some seconds; more fills than this at once are a sweep through every slot. */
const ASKING_MAX = 64;
const REMIND_MS = 5 * 60_000;
/** Beyond this the oldest are forgotten: the auditor compares the positions themselves. */
const FILLS_MAX = 4_096;

export function newFillWatch(times: FillTimes, nowMs: number): FillWatch {
  return { fills: new Map(), tickedMs: nowMs, times };
}

export function fillHeard(
  watch: FillWatch,
  heard: { readonly orderId: OrderId; readonly marketId: number; readonly filledLots: Lots },
  nowMs: number,
): void {
  const known = watch.fills.get(heard.orderId);
  const fill = known ?? {
    ...heard,
    filledLots: ZERO_LOTS,
    knownLots: ZERO_LOTS,
    doneLots: ZERO_LOTS,
    unknownSinceMs: nowMs,
    askAtMs: 0,
    askPauseMs: 0,
    inVain: 0,
    isAsking: false,
    toldMs: undefined,
    grownSinceMs: undefined,
  };
  if (heard.filledLots <= fill.filledLots) return;
  if (fill.knownLots >= fill.filledLots) fill.unknownSinceMs = nowMs;
  if (fill.toldMs !== undefined) fill.grownSinceMs ??= nowMs;
  fill.filledLots = heard.filledLots;
  fill.askPauseMs = watch.times.askMs;
  fill.askAtMs = nowMs + fill.askPauseMs;
  fill.inVain = 0;
  if (known) return;
  watch.fills.set(heard.orderId, fill);
  keepNewest(watch.fills, FILLS_MAX);
}

export function fillKnown(watch: FillWatch, word: Word): void {
  const fill = watch.fills.get(word.orderId);
  if (!fill) return;
  fill.knownLots = maxLots(fill.knownLots, word.filledLots);
  fill.doneLots = maxLots(fill.doneLots, word.doneLots);
  if (fill.knownLots >= fill.filledLots && fill.doneLots >= fill.filledLots) watch.fills.delete(word.orderId);
}

/** A question has ended; whatever it brought came as `fillKnown` before. */
export function fillAsked(watch: FillWatch, orderId: OrderId): void {
  const fill = watch.fills.get(orderId);
  if (!fill) return;
  fill.isAsking = false;
  if (!isKnown(fill)) fill.inVain += 1;
}

export function tickFills(watch: FillWatch, nowMs: number): FillCommand[] {
  const slept = sleptMs(watch.tickedMs, nowMs);
  watch.tickedMs = nowMs;
  const commands: FillCommand[] = [];
  let asking = [...watch.fills.values()].filter((fill) => fill.isAsking).length;
  for (const fill of watch.fills.values()) {
    if (slept > 0) {
      fill.unknownSinceMs += slept;
      if (fill.grownSinceMs !== undefined) fill.grownSinceMs += slept;
      fill.askAtMs = nowMs;
    }
    if (!fill.isAsking && nowMs >= fill.askAtMs && asking < ASKING_MAX) {
      asking += 1;
      fill.isAsking = true;
      fill.askPauseMs = Math.min(2 * fill.askPauseMs, ASK_MS_MAX);
      fill.askAtMs = nowMs + fill.askPauseMs;
      commands.push({ do: 'ask', fill });
    }
    const forMs = nowMs - fill.unknownSinceMs;
    // One whose question hangs is told all the same, a little later: what is asked may be what is away.
    const tellMs = fill.inVain === 0 ? 2 * watch.times.tellMs - watch.times.askMs : watch.times.tellMs;
    if (isKnown(fill) || forMs < tellMs) continue;
    const hasGrown = fill.grownSinceMs !== undefined && nowMs - fill.grownSinceMs >= tellMs;
    if (fill.toldMs !== undefined && nowMs - fill.toldMs < REMIND_MS && !hasGrown) continue;
    fill.toldMs = nowMs;
    fill.grownSinceMs = undefined;
    commands.push({ do: 'tell', fill, forMs });
  }
  return commands;
}

/** Lots by market that are not known to be hedged. */
export function openLots(watch: FillWatch): ReadonlyMap<number, Lots> {
  const sums = new Map<number, Lots>();
  for (const { marketId, filledLots, doneLots } of watch.fills.values()) {
    const left = (filledLots - doneLots) as Lots;
    if (left > 0n) sums.set(marketId, ((sums.get(marketId) ?? 0n) + left) as Lots);
  }
  return sums;
}

function isKnown(fill: Fill): boolean {
  return fill.knownLots >= fill.filledLots;
}
