/**
 * One market's resting orders: price levels with first-in-first-out queues.
 *
 * Keeps only order and sums; who may trade with whom is matching.ts. Every change of a level is noted in `dirty`, from which the
 * order-book stream makes its deltas. Levels sit best-last in a sorted array, so that the busy end moves nothing.
 */
import type { Level, Order } from './types';

export class BookSide {
  readonly #levels: Level[] = [];
  readonly #byPrice = new Map<number, Level>();
  readonly #sign: number;
  readonly dirty = new Set<number>();
  orderCount = 0;

  constructor(readonly side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1 : -1;
  }

  best(): Level | undefined {
    return this.#levels[this.#levels.length - 1];
  }

  get depth(): number {
    return this.#levels.length;
  }

  levelAt(priceTicks: number): Level | undefined {
    return this.#byPrice.get(priceTicks);
  }

  /** Best first. */
  *levels(): Generator<Level> {
    for (let index = this.#levels.length - 1; index >= 0; index -= 1) yield this.#levels[index]!;
  }

  /** Is `priceTicks` of an incoming order of the other side good enough to trade with this level? */
  crosses(level: Level, priceTicks: number): boolean {
    return this.side === 'ask' ? priceTicks >= level.priceTicks : priceTicks <= level.priceTicks;
  }

  add(order: Order): void {
    let level = this.#byPrice.get(order.priceTicks);
    if (level === undefined) {
      level = { priceTicks: order.priceTicks, lots: 0, count: 0, head: undefined, tail: undefined };
      this.#byPrice.set(order.priceTicks, level);
      this.#levels.splice(this.#position(order.priceTicks), 0, level);
    }
    order.level = level;
    order.previous = level.tail;
    order.next = undefined;
    if (level.tail === undefined) level.head = order;
    else level.tail.next = order;
    level.tail = order;
    level.lots += order.remainingLots;
    level.count += 1;
    this.orderCount += 1;
    this.dirty.add(level.priceTicks);
  }

  /** Takes executed or cancelled lots off the order's level; the order stays queued. */
  shrink(order: Order, lots: number): void {
    const level = order.level;
    if (level === undefined) return;
    level.lots -= lots;
    this.dirty.add(level.priceTicks);
  }

  /** Unlinks an order with whatever it still shows. */
  remove(order: Order): void {
    const level = order.level;
    if (level === undefined) return;
    if (order.previous === undefined) level.head = order.next;
    else order.previous.next = order.next;
    if (order.next === undefined) level.tail = order.previous;
    else order.next.previous = order.previous;
    level.lots -= order.remainingLots;
    level.count -= 1;
    this.orderCount -= 1;
    order.level = undefined;
    order.previous = undefined;
    order.next = undefined;
    this.dirty.add(level.priceTicks);
    if (level.count === 0) {
      this.#byPrice.delete(level.priceTicks);
      this.#levels.splice(this.#position(level.priceTicks), 1);
    }
  }

  /** Index of the first level that is not worse than the price (ascending towards the best). */
  #position(priceTicks: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sign * this.#levels[middle]!.priceTicks < this.#sign * priceTicks) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
