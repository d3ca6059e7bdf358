/**
 * One market's book from a snapshot and its changes (LP §5.5). Pure.
 *
 * Levels carry absolute sizes; zero deletes. `begin_nonce` of a change must be the `nonce` of what came before it: anything else is
 * a gap, and a book with a gap is no book.
 */
import { z } from 'zod';
import type { Lots, Ticks } from '../../domain/lots';
import type { BookLevel, OrderBook } from '../port';
import { check, levelShape, list, scaled, scaleOf, type MarketLookup } from './parse';

const integer = z.number().int().min(0);
const bookShape = z.object({
  order_book: z.object({
    asks: list,
    bids: list,
    nonce: integer,
    begin_nonce: integer,
    last_updated_at: integer.nullish(),
  }),
});

export interface BookChange {
  readonly asks: readonly BookLevel[];
  readonly bids: readonly BookLevel[];
  readonly nonce: number;
  readonly beginNonce: number;
  readonly updatedAtUs: number;
}

export function parseBookFrame(body: unknown, marketId: number, markets: MarketLookup): BookChange {
  const { order_book: book } = check(bookShape, body, 'order book');
  const scale = scaleOf(marketId, markets);
  const level = (raw: unknown): BookLevel => {
    const { price, size } = check(levelShape, raw, 'level');
    return {
      priceTicks: scaled(price, scale.priceDecimals, 'price') as Ticks,
      lots: scaled(size, scale.sizeDecimals, 'size') as Lots,
    };
  };
  return {
    asks: book.asks.map(level),
    bids: book.bids.map(level),
    nonce: book.nonce,
    beginNonce: book.begin_nonce,
    updatedAtUs: book.last_updated_at ?? 0,
  };
}

export class Book {
  readonly #bids: Levels;
  readonly #asks: Levels;
  #nonce: number;
  #updatedAtUs: number;
  #view: OrderBook | undefined;

  constructor(
    private readonly marketId: number,
    snapshot: BookChange,
  ) {
    this.#bids = new Levels('descending');
    this.#asks = new Levels('ascending');
    for (const level of snapshot.bids) this.#bids.set(level);
    for (const level of snapshot.asks) this.#asks.set(level);
    this.#nonce = snapshot.nonce;
    this.#updatedAtUs = snapshot.updatedAtUs;
  }

  /** `gap`: this change does not follow what we have, and the book must not be used any more. */
  apply(change: BookChange): 'applied' | 'gap' {
    if (change.beginNonce !== this.#nonce) return 'gap';
    for (const level of change.bids) this.#bids.set(level);
    for (const level of change.asks) this.#asks.set(level);
    this.#nonce = change.nonce;
    this.#updatedAtUs = Math.max(this.#updatedAtUs, change.updatedAtUs);
    this.#view = undefined;
    return 'applied';
  }

  /** A view that later changes leave alone; made once per change. */
  view(): OrderBook {
    this.#view ??= {
      marketId: this.marketId,
      bids: this.#bids.copy(),
      asks: this.#asks.copy(),
      updatedAtUs: this.#updatedAtUs,
    };
    return this.#view;
  }
}

/** Distinct prices, best first. */
class Levels {
  readonly #levels: BookLevel[] = [];

  constructor(private readonly order: 'ascending' | 'descending') {}

  set(level: BookLevel): void {
    const at = this.#indexOf(level.priceTicks);
    const present = this.#levels[at]?.priceTicks === level.priceTicks ? 1 : 0;
    if (level.lots === 0n) this.#levels.splice(at, present);
    else this.#levels.splice(at, present, level);
  }

  copy(): readonly BookLevel[] {
    return this.#levels.slice();
  }

  /** First index whose price is not better than `price`. */
  #indexOf(price: Ticks): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const here = this.#levels[middle]?.priceTicks ?? 0n;
      const isBetter = this.order === 'ascending' ? here < price : here > price;
      if (isBetter) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
