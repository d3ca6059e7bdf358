/**
 * Where a side is quoted by its rule, and what a fill there is expected to leave. Pure, in integers: on the tick grid, never across the book.
 * Of the book what is not our own counts; a part of it that a rule needs and that is not there is no price.
 */
import { assertNever } from '../domain/assert';
import { lots, ticks, type Lots, type Ticks } from '../domain/lots';
import { PRICE_TICKS_MAX } from '../domain/price';
import { bpsText, CENTI_BPS_WHOLE, ticksOf, type CentiBps, type Distance, type PriceRule } from '../domain/price-rule';
import { opposite, type OrderRecord, type Side } from '../domain/records';
import type { BookLevel, OrderBook } from '../exchange/port';

export interface PriceQuestion {
  readonly symbol: string;
  readonly side: Side;
  readonly rule: PriceRule;
  /** For a rule `level` without a number. */
  readonly depth: number;
  readonly lots: Lots;
  readonly book: OrderBook;
  readonly ownOrders: readonly OrderRecord[];
  /** How far both sides' prices move against a full position, and how full it is: -1 … 1 as a fraction. */
  readonly skew?: { readonly full: Distance; readonly held: bigint; readonly max: bigint };
}

export type PriceAnswer =
  | { readonly ok: true; readonly priceTicks: Ticks }
  | { readonly ok: false; readonly code: 'thin-book'; readonly message: string };

export function priceFor(question: PriceQuestion): PriceAnswer {
  const { side, book, skew } = question;
  const wanted = byRule(question);
  if (typeof wanted === 'string') return { ok: false, code: 'thin-book', message: wanted };
  const shifted = skew === undefined ? wanted : wanted - skewTicks(skew, wanted);
  const best = (side === 'buy' ? book.asks : book.bids)[0]?.priceTicks;
  const priceTicks = inBounds(side, shifted, best);
  if (priceTicks !== undefined) return { ok: true, priceTicks };
  return { ok: false, code: 'thin-book', message: `no price of ${question.symbol} is left that would not cross` };
}

/** Post-only: a tick away from the other side's best, our own orders there included. */
function inBounds(side: Side, price: bigint, best: Ticks | undefined): Ticks | undefined {
  const most = side === 'buy' && best !== undefined ? best - 1n : PRICE_TICKS_MAX;
  const least = side === 'sell' && best !== undefined ? best + 1n : 1n;
  if (least > most) return undefined;
  if (price < least) return ticks(least);
  return ticks(price > most ? most : price);
}

/** The price, or why there is none. */
function byRule({ symbol, side, rule, depth, lots: size, book, ownOrders }: PriceQuestion): bigint | string {
  const own = (of: Side) => othersLevels(of === 'buy' ? book.bids : book.asks, of, ownOrders);
  switch (rule.at) {
    case 'level': {
      const { level = depth } = rule;
      let seen = 0;
      for (const { priceTicks } of own(side)) if (++seen === level) return priceTicks;
      return `the book of ${symbol} has only ${seen} levels, depth ${level} was asked`;
    }
    case 'join':
    case 'improve': {
      const [top] = own(side);
      if (top === undefined) return `nobody else quotes the ${side} side of ${symbol}`;
      const ticksBetter = rule.at === 'join' ? 0n : rule.ticks;
      return side === 'buy' ? top.priceTicks + ticksBetter : top.priceTicks - ticksBetter;
    }
    case 'mid': {
      const [[top], [other]] = [own(side), own(opposite(side))];
      if (top === undefined || other === undefined) return `the book of ${symbol} has no middle: a side is empty`;
      return behind(side, { sum: top.priceTicks + other.priceTicks, of: 2n }, rule.behind);
    }
    case 'hedge': {
      const expected = expectedHedge({ side, lots: size, book, ownOrders });
      return 'missing' in expected ? thinFor(symbol, expected.missing) : behind(side, expected, rule.behind);
    }
    default:
      return assertNever(rule);
  }
}

/** A price `sum` / `of`, exact. */
interface Ratio {
  readonly sum: bigint;
  readonly of: bigint;
}

/** Rounded away from the market. */
function behind(side: Side, { sum, of }: Ratio, by: CentiBps): bigint {
  const whole = of * CENTI_BPS_WHOLE;
  if (side === 'buy') return (sum * (CENTI_BPS_WHOLE - by)) / whole;
  return (sum * (CENTI_BPS_WHOLE + by) + whole - 1n) / whole;
}

/**
 * What the hedge of a quote on `side` would trade at if it left now: the other account's market order walks the levels that the quote's own side
 * shows. The fill itself, and the delay of a taker's order, move them: it is an expectation, no promise.
 */
function expectedHedge(quote: {
  readonly side: Side;
  readonly lots: Lots;
  readonly book: OrderBook;
  readonly ownOrders: readonly OrderRecord[];
}): Ratio | { readonly missing: bigint } {
  const { side, book, ownOrders } = quote;
  let left: bigint = quote.lots;
  let sum = 0n;
  for (const level of othersLevels(side === 'buy' ? book.bids : book.asks, side, ownOrders)) {
    const taken = level.lots < left ? level.lots : left;
    sum += taken * level.priceTicks;
    left -= taken;
    if (left === 0n) return { sum, of: quote.lots };
  }
  return { missing: left };
}

export interface Fees {
  readonly maker: CentiBps;
  readonly taker: CentiBps;
}

/** Why a quote at `priceTicks` is not worth resting; undefined: it leaves at least `min`. */
export function edgeObstacle(quote: {
  readonly symbol: string;
  readonly side: Side;
  readonly priceTicks: Ticks;
  readonly lots: Lots;
  readonly book: OrderBook;
  readonly ownOrders: readonly OrderRecord[];
  readonly fees: Fees;
  readonly min: CentiBps;
}): string | undefined {
  const { symbol, side, priceTicks, fees, min } = quote;
  const expected = expectedHedge(quote);
  if ('missing' in expected) return thinFor(symbol, expected.missing);
  const paid = expected.of * priceTicks;
  const [fromMaker, fromTaker] =
    side === 'buy'
      ? [-paid * (CENTI_BPS_WHOLE + fees.maker), expected.sum * (CENTI_BPS_WHOLE - fees.taker)]
      : [paid * (CENTI_BPS_WHOLE - fees.maker), -expected.sum * (CENTI_BPS_WHOLE + fees.taker)];
  const left = fromMaker + fromTaker;
  if (left >= min * paid) return undefined;
  return `a ${side} at this price would leave ${bpsText(floorDiv(left, paid))} bps after fees, min_edge_bps is ${bpsText(min)}`;
}

function thinFor(symbol: string, missing: bigint): string {
  return `the book of ${symbol} lacks ${missing} lots for the hedge`;
}

/** What others rest there: distinct prices, best first; no more of a deep book than is asked for. */
function* othersLevels(
  levels: readonly BookLevel[],
  side: Side,
  ownOrders: readonly OrderRecord[],
): Generator<BookLevel, void> {
  const own = new Map<Ticks, bigint>();
  for (const order of ownOrders) {
    if (order.side !== side) continue;
    own.set(order.priceTicks, (own.get(order.priceTicks) ?? 0n) + order.initialLots - order.filledLots);
  }
  for (const level of levels) {
    const left = level.lots - (own.get(level.priceTicks) ?? 0n);
    if (left > 0n) yield { ...level, lots: lots(left) };
  }
}

/** Long: everything lower, so that it sells sooner and buys later; short: the other way round. */
function skewTicks({ full, held, max }: NonNullable<PriceQuestion['skew']>, price: bigint): bigint {
  if (max === 0n) return 0n;
  const part = held > max ? max : held < -max ? -max : held;
  return (ticksOf(full, price) * part) / max;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}
