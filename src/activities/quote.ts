/**
 * Where to quote: the price of the N-th distinct level of the live book without our own orders, and the side that the strategy and
 * the position ask for. Pure; what it is given was read by the caller, and what could not be read is not given.
 */
import { lots, type Lots, type Ticks } from '../domain/lots';
import type { Strategy } from '../domain/messages';
import { unwindLots } from '../domain/margin';
import { quoteOf } from '../domain/price';
import type { Market, OrderRecord, Side } from '../domain/records';
import type { OrderBook } from '../exchange/port';

export interface QuoteQuestion {
  readonly market: Market;
  readonly book: OrderBook;
  readonly ownOrders: readonly OrderRecord[];
  /** Signed: long is positive. */
  readonly positionLots: Lots;
  readonly strategy: Strategy;
  /** 1 is the best level. */
  readonly depth: number;
  readonly lots: Lots;
  readonly maxPositionLots: Lots;
  readonly openLots: Lots;
  /** A + B, signed, when the accounts do not mirror each other. */
  readonly offLots?: Lots;
  /** Why else nothing is quoted that enlarges a position. */
  readonly noEnlarging?: string;
}

export type QuoteAnswer =
  | { readonly quote: true; readonly side: Side; readonly priceTicks: Ticks }
  | { readonly quote: false; readonly code: string; readonly message: string };

export function quoteFor(question: QuoteQuestion): QuoteAnswer {
  const { market, book, depth } = question;
  const side = sideFor(question.strategy, question.positionLots);
  const levels = withoutOwn(side === 'buy' ? book.bids : book.asks, side, question.ownOrders);
  const level = levels[depth - 1];
  if (!level)
    return no('thin-book', `the book of ${market.symbol} has only ${levels.length} levels, depth ${depth} was asked`);
  const most = question.lots + question.openLots;
  const change = side === 'buy' ? most : 0n - most;
  const after = question.positionLots + change;
  const grows = abs(after) > abs(question.positionLots);
  const { offLots } = question;
  if (offLots !== undefined) {
    const hedgeLots = offLots - question.positionLots;
    // The hedge goes the other way: where one account is ahead of the other, what shrinks the one may enlarge the other.
    if (!shrinks(question.positionLots, after) || !shrinks(hedgeLots, hedgeLots - change))
      return no('books-differ', `the accounts differ in ${market.symbol}: nothing that enlarges either position`);
  }
  if (question.noEnlarging !== undefined && !shrinks(question.positionLots, after))
    return no('margin-low', `nothing that enlarges a position: ${question.noEnlarging}`);
  if (grows && abs(after) > question.maxPositionLots) {
    return no('position-limit', `the position in ${market.symbol} would exceed max_position`);
  }
  if (question.lots < market.minBaseLots)
    return no('below-minimum', `quantity is below the market's minimum of ${market.minBaseLots} lots`);
  if (quoteOf(question.lots, level.priceTicks, market) < market.minQuote) {
    return no(
      'below-minimum',
      `quantity is worth less than the market's minimum of ${market.minQuote / 1_000_000n} USDC`,
    );
  }
  return { quote: true, side, priceTicks: level.priceTicks };
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
}: QuoteQuestion): UnwindAnswer {
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

function withoutOwn(levels: OrderBook['bids'], side: Side, ownOrders: readonly OrderRecord[]): OrderBook['bids'] {
  const own = new Map<Ticks, bigint>();
  for (const order of ownOrders) {
    if (order.side !== side) continue;
    own.set(order.priceTicks, (own.get(order.priceTicks) ?? 0n) + order.initialLots - order.filledLots);
  }
  return levels.filter((level) => level.lots > (own.get(level.priceTicks) ?? 0n));
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
