/**
 * Where to quote: the side that the strategy and the position ask for, its price by the pair's rule, and whether all limits allow it. Pure;
 * what it is given was read by the caller, and what could not be read is not given.
 */
import { lots, type Lots, type Ticks } from '../domain/lots';
import { unwindLots } from '../domain/margin';
import type { PairInput, Strategy } from '../domain/messages';
import type { QuoteTerms } from '../domain/pair-terms';
import { quoteOf } from '../domain/price';
import {
  centiBpsOf,
  distanceOf,
  priceRuleOf,
  type CentiBps,
  type Distance,
  type PriceRule,
} from '../domain/price-rule';
import type { Market, OrderRecord, Side } from '../domain/records';
import type { OrderBook } from '../exchange/port';
import { edgeObstacle, priceFor, type Fees } from './quote-price';

/** The pair's terms, read. */
export interface QuoteRules {
  /** 1 is the best level. */
  readonly depth: number;
  /** Of each side; the N-th level by `depth` where there is none. */
  readonly rules: { readonly [S in Side]?: PriceRule };
  readonly skew?: Distance;
  readonly edge?: { readonly min: CentiBps; readonly fees: Fees };
  readonly maxPositionLots: Lots;
  /** Narrower than that, of one direction. */
  readonly maxLong?: Lots;
  readonly maxShort?: Lots;
}

export interface QuoteQuestion extends QuoteRules {
  readonly market: Market;
  readonly book: OrderBook;
  readonly ownOrders: readonly OrderRecord[];
  /** Signed: long is positive. */
  readonly positionLots: Lots;
  readonly strategy: Strategy;
  readonly lots: Lots;
  readonly openLots: Lots;
  /** A + B, signed, when the accounts do not mirror each other. */
  readonly offLots?: Lots;
  /** Why else nothing is quoted that enlarges a position. */
  readonly noEnlarging?: { readonly code: 'margin-low' | 'limit' | 'limits-unread'; readonly text: string };
}

/** Without fees there is no edge to speak of. */
export function rulesOf(terms: QuoteTerms & Pick<PairInput, 'depth' | 'max_position_lots'>, fees?: Fees): QuoteRules {
  const { price_buy, price_sell, skew, min_edge_bps, max_long_lots, max_short_lots } = terms;
  const read = <N extends string, V>(name: N, text: string | undefined, by: (text: string) => V | undefined) => {
    const value = text === undefined ? undefined : by(text);
    return value === undefined ? {} : ({ [name]: value } as { [K in N]: V });
  };
  const min = fees === undefined || min_edge_bps === undefined ? undefined : centiBpsOf(min_edge_bps);
  return {
    depth: terms.depth,
    rules: { ...read('buy', price_buy, priceRuleOf), ...read('sell', price_sell, priceRuleOf) },
    ...read('skew', skew, distanceOf),
    ...(min === undefined || fees === undefined ? {} : { edge: { min, fees } }),
    maxPositionLots: lotsOf(terms.max_position_lots),
    ...read('maxLong', max_long_lots, lotsOf),
    ...read('maxShort', max_short_lots, lotsOf),
  };
}

function lotsOf(text: string): Lots {
  return lots(BigInt(text));
}

export type QuoteAnswer =
  | { readonly quote: true; readonly side: Side; readonly priceTicks: Ticks }
  | { readonly quote: false; readonly code: string; readonly message: string };

export function quoteFor(question: QuoteQuestion): QuoteAnswer {
  const { market } = question;
  const side = sideFor(question.strategy, question.positionLots);
  const price = priceOf(question, side);
  if (!price.ok) return no(price.code, price.message);
  const most = question.lots + question.openLots;
  const change = side === 'buy' ? most : 0n - most;
  const after = question.positionLots + change;
  const { offLots } = question;
  if (offLots !== undefined) {
    const hedgeLots = offLots - question.positionLots;
    // The hedge goes the other way: where one account is ahead of the other, what shrinks the one may enlarge the other.
    if (!shrinks(question.positionLots, after) || !shrinks(hedgeLots, hedgeLots - change))
      return no('books-differ', `the accounts differ in ${market.symbol}: nothing that enlarges either position`);
  }
  if (question.noEnlarging !== undefined && !shrinks(question.positionLots, after))
    return no(question.noEnlarging.code, `nothing that enlarges a position: ${question.noEnlarging.text}`);
  const { name, max } = limitOf(question, after);
  // One that goes through zero enlarges the other side.
  if (!shrinks(question.positionLots, after) && abs(after) > max)
    return no('position-limit', `the position in ${market.symbol} would exceed ${name}`);
  if (question.lots < market.minBaseLots)
    return no('below-minimum', `quantity is below the market's minimum of ${market.minBaseLots} lots`);
  if (quoteOf(question.lots, price.priceTicks, market) < market.minQuote) {
    return no(
      'below-minimum',
      `quantity is worth less than the market's minimum of ${market.minQuote / 1_000_000n} USDC`,
    );
  }
  return { quote: true, side, priceTicks: price.priceTicks };
}

export type UnwindAnswer =
  (QuoteAnswer & { readonly quote: true; readonly lots: Lots }) | (QuoteAnswer & { readonly quote: false });

/** The next step of an unwind: both positions reduced by as much, from the best price of the other side. */
export function unwindFor({
  market,
  book,
  positionLots,
  offLots = lots(0n),
  lots: quantity,
}: Pick<QuoteQuestion, 'market' | 'book' | 'positionLots' | 'offLots' | 'lots'>): UnwindAnswer {
  const hedgeLots = offLots - positionLots;
  const step = lots(unwindLots({ makerLots: positionLots, hedgeLots, quantityLots: quantity }));
  if (step === 0n) {
    const held = positionLots === 0n ? 'account A holds nothing' : 'account B holds nothing against A';
    return no('nothing-to-unwind', `${held} in ${market.symbol}`);
  }
  const side = positionLots > 0n ? 'sell' : 'buy';
  const [level] = side === 'sell' ? book.bids : book.asks;
  if (!level) return no('thin-book', `nobody in ${market.symbol} takes the other side`);
  return { quote: true, side, priceTicks: level.priceTicks, lots: step };
}

function sideFor(strategy: Strategy, positionLots: Lots): Side {
  switch (strategy) {
    case 'buy':
    case 'sell':
      return strategy;
    case 'round-trip':
      return positionLots > 0n ? 'sell' : 'buy';
  }
}

/** Which sides the strategy may ask for, whatever the position. */
export function sidesOf(strategy: Strategy): readonly Side[] {
  return strategy === 'round-trip' ? ['buy', 'sell'] : [strategy];
}

/** The price of a side, if a fill there leaves enough. */
export function priceOf(
  question: Omit<QuoteQuestion, 'strategy' | 'openLots'>,
  side: Side,
):
  | { readonly ok: true; readonly priceTicks: Ticks }
  | { readonly ok: false; readonly code: string; readonly message: string } {
  const { market, skew, edge, positionLots: held, depth, book, ownOrders } = question;
  const quote = { symbol: market.symbol, side, lots: question.lots, book, ownOrders };
  const rule = question.rules[side] ?? { at: 'level' };
  const price = priceFor({
    ...{ ...quote, rule, depth },
    ...(skew === undefined ? {} : { skew: { full: skew, held, max: limitOf(question, held).max } }),
  });
  if (!price.ok || edge === undefined) return price;
  const message = edgeObstacle({ ...quote, ...edge, priceTicks: price.priceTicks });
  return message === undefined ? price : { ok: false, code: 'edge', message };
}

/** How large the position may become in the direction that it would have. */
function limitOf(
  { maxPositionLots, maxLong, maxShort }: Pick<QuoteQuestion, 'maxPositionLots' | 'maxLong' | 'maxShort'>,
  after: bigint,
): { readonly name: string; readonly max: Lots } {
  const own = after > 0n ? maxLong : maxShort;
  if (own !== undefined && own < maxPositionLots) return { name: after > 0n ? 'max_long' : 'max_short', max: own };
  return { name: 'max_position', max: maxPositionLots };
}

function no(code: string, message: string): QuoteAnswer & { readonly quote: false } {
  return { quote: false, code, message };
}

/** Nearer to zero, and not through it. */
function shrinks(before: bigint, after: bigint): boolean {
  return before > 0n ? after >= 0n && after < before : after <= 0n && after > before;
}

function abs(value: bigint): Lots {
  return lots(value < 0n ? -value : value);
}
