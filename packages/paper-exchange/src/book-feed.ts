/**
 * Public order books: snapshot once per subscription, then deltas in batches, each naming the nonce it continues (LP §5.5).
 * Remembers what was published per price, so that a level that came and went between two batches is never deleted unseen.
 */
import type { BookSide } from './core/book';
import type { Market } from './core/world';
import type { ExchangeClock } from './clock';
import type { Hub } from './hub';
import { levelJson, levelsJson } from './wire/markets';

interface Published {
  readonly bids: Map<number, number>;
  readonly asks: Map<number, number>;
  nonce: number;
  offset: number;
  updatedAtUs: number;
}

const bookNames = ['order_book', 'order_book@tier2'] as const;
export type BookName = (typeof bookNames)[number];

export class BookFeed {
  readonly #published = new Map<Market, Published>();
  readonly #touched = new Set<Market>();

  constructor(
    private readonly hub: Hub,
    private readonly clock: ExchangeClock,
  ) {}

  touch(market: Market): void {
    this.#touched.add(market);
  }

  flushAll(): void {
    for (const market of this.#touched) this.#flush(market);
    this.#touched.clear();
  }

  /** `order_book@tier2` is the app's name for the same levels (LP §5.4). Brings everybody up to date first, so that the snapshot and the next delta meet at one nonce. */
  snapshotFrame(market: Market, name: BookName): string {
    this.#flush(market);
    const { spec } = market;
    const { nonce, offset, updatedAtUs } = this.#stateOf(market);
    const channel = `${name}:${spec.marketId}`;
    const top = updatedAtUs === 0 ? '' : `"last_updated_at":${updatedAtUs},`;
    return (
      `{"channel":"${channel}",${top}"offset":${offset},"order_book":{"code":0,"asks":${levelsJson(spec, market.asks)},` +
      `"bids":${levelsJson(spec, market.bids)},"offset":${offset},"nonce":${nonce},"last_updated_at":${updatedAtUs},` +
      `"begin_nonce":0},"timestamp":${this.clock.nowMs()},"type":"subscribed/order_book"}`
    );
  }

  #flush(market: Market): void {
    const published = this.#stateOf(market);
    const asks = delta(market, market.asks, published.asks);
    const bids = delta(market, market.bids, published.bids);
    if (asks.length === 0 && bids.length === 0) return;
    const beginNonce = published.nonce;
    published.nonce = market.bookNonce;
    published.offset += 3;
    published.updatedAtUs = market.changedAtUs;
    const { nonce, offset, updatedAtUs } = published;
    for (const name of bookNames) {
      const channel = `${name}:${market.spec.marketId}`;
      if (!this.hub.has(channel)) continue;
      this.hub.publish(
        channel,
        `{"channel":"${channel}","last_updated_at":${updatedAtUs},"offset":${offset},"order_book":{"code":0,` +
          `"asks":[${asks.join(',')}],"bids":[${bids.join(',')}],"offset":${offset},"nonce":${nonce},` +
          `"last_updated_at":${updatedAtUs},"begin_nonce":${beginNonce}},"timestamp":${this.clock.nowMs()},` +
          `"type":"update/order_book"}`,
      );
    }
  }

  #stateOf(market: Market): Published {
    let state = this.#published.get(market);
    if (state === undefined) {
      state = { bids: new Map(), asks: new Map(), nonce: 0, offset: 1, updatedAtUs: 0 };
      this.#published.set(market, state);
    }
    return state;
  }
}

/** Levels whose total changed since they were last published; clears the side's marks. */
function delta(market: Market, side: BookSide, published: Map<number, number>): string[] {
  const changed: string[] = [];
  for (const price of side.dirty) {
    const lots = side.levelAt(price)?.lots ?? 0;
    if ((published.get(price) ?? 0) === lots) continue;
    if (lots === 0) published.delete(price);
    else published.set(price, lots);
    changed.push(levelJson(market.spec, price, lots));
  }
  side.dirty.clear();
  return changed;
}
