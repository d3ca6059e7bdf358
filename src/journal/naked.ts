/**
 * Which part of A's fills was covered by what, and when: B's hedges, or closes on A itself. First in, first out within an order; what went on
 * under a later id (a spare lane, after slice 120) follows by the market. Times are the exchange's, so is every price.
 */
import { parseDecimal } from '../domain/lots';
import { weightedQuantile, type Weighted } from '../domain/quantile';
import { groupBy, isQuote, orderOf, SIZE_DECIMALS, type Accounts } from './orders';
import type { JournalTrade } from './rows';

/** A part of one fill and what covered it. */
export interface CoveredLot {
  readonly size: bigint;
  /** What A traded it for. */
  readonly madeMicro: bigint;
  /** Of a hedge, at its price against A's; of a close on A zero, since that is realised there. */
  readonly gainMicro: bigint;
  readonly isHedge: boolean;
  readonly nakedUs: bigint;
  /** When it was covered, by the exchange's clock. */
  readonly coveredUs: bigint;
}

export interface Covered {
  readonly lots: readonly CoveredLot[];
  /** What nothing in these trades covers. */
  readonly nakedMicro: bigint;
}

interface Part {
  readonly trade: JournalTrade;
  left: bigint;
}

export function coveredLots(trades: readonly JournalTrade[], accounts: Accounts): Covered {
  const lots: CoveredLot[] = [];
  const [fills, covers]: [Part[], Part[]] = [[], []];
  for (const trade of trades) {
    const part = { trade, left: parseDecimal(trade.size, SIZE_DECIMALS) };
    if (isQuote(trade, accounts)) fills.push(part);
    else if (orderOf(trade) !== undefined) covers.push(part);
  }
  for (const keyOf of [
    ({ trade }: Part) => `${trade.marketId} ${orderOf(trade)}`,
    ({ trade }: Part) => trade.marketId.toString(),
  ]) {
    const open = groupBy(covers.filter(isOpen), keyOf);
    for (const [key, own] of groupBy(fills.filter(isOpen), keyOf))
      lots.push(...match(own, open.get(key) ?? [], accounts));
  }
  return { lots, nakedMicro: fills.reduce((sum, { trade, left }) => sum + share(trade, left), 0n) };
}

/** Oldest first, both. */
function* match(fills: readonly Part[], covers: readonly Part[], accounts: Accounts): Generator<CoveredLot> {
  for (const fill of fills) {
    for (const cover of covers) {
      const isLater = cover.trade.timeUs >= fill.trade.timeUs;
      if (fill.left === 0n) break;
      if (cover.left === 0n || !isLater || cover.trade.side === fill.trade.side) continue;
      const size = fill.left < cover.left ? fill.left : cover.left;
      fill.left -= size;
      cover.left -= size;
      const isHedge = cover.trade.account === accounts.hedge;
      const madeMicro = share(fill.trade, size);
      const gain = share(cover.trade, size) - madeMicro;
      yield {
        ...{ size, madeMicro, isHedge, nakedUs: cover.trade.timeUs - fill.trade.timeUs, coveredUs: cover.trade.timeUs },
        gainMicro: !isHedge ? 0n : fill.trade.side === 'buy' ? gain : -gain,
      };
    }
  }
}

function isOpen({ left }: Part): boolean {
  return left > 0n;
}

/** What `size` of the trade was worth. */
function share({ quoteMicro, size: whole }: JournalTrade, size: bigint): bigint {
  return (quoteMicro * size) / parseDecimal(whole, SIZE_DECIMALS);
}

/** How long A's fills lacked their mirror, lot by lot, and what the price did meanwhile. Numbers are for display. */
export interface NakedFigures {
  readonly p50Ms: number | undefined;
  readonly p90Ms: number | undefined;
  readonly maxMs: number | undefined;
  /** Value times time. */
  readonly usdcSeconds: number;
  /** From A's price to the hedge's, by value; negative: against us. */
  readonly priceBps: number | undefined;
  readonly worstBps: number | undefined;
  /** Not covered by anything that is in the journal. */
  readonly uncoveredMicro: bigint;
}

export function nakedFigures({ lots, nakedMicro }: Covered): NakedFigures {
  const times = lots.map(({ size, nakedUs }) => ({ value: Number(nakedUs) / 1000, weight: Number(size) }));
  const moves: Weighted[] = lots
    .filter(({ isHedge, madeMicro }) => isHedge && madeMicro > 0n)
    .map((lot) => ({ value: (Number(lot.gainMicro) / Number(lot.madeMicro)) * 10_000, weight: Number(lot.madeMicro) }));
  const weight = moves.reduce((sum, one) => sum + one.weight, 0);
  return {
    p50Ms: weightedQuantile(times, 0.5),
    p90Ms: weightedQuantile(times, 0.9),
    maxMs: weightedQuantile(times, 1),
    usdcSeconds: lots.reduce((sum, lot) => sum + (Number(lot.madeMicro) / 1e6) * (Number(lot.nakedUs) / 1e6), 0),
    priceBps: weight === 0 ? undefined : moves.reduce((sum, one) => sum + one.value * one.weight, 0) / weight,
    worstBps: weightedQuantile(moves, 0),
    uncoveredMicro: nakedMicro,
  };
}
