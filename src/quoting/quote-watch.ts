/**
 * Looks after what rests by the terms that its pair asked with: a quote that would no longer leave its edge is withdrawn, one that has drifted
 * from where it would be placed now is withdrawn to be placed anew. It only asks for a cancel, which is a claim (invariant 6): the order's own run
 * learns its end from the exchange's record, hedges whatever filled before, and the pair asks for the next quote. It reads the book in memory
 * and asks the exchange for nothing; without these terms it does nothing at all.
 */
import type { Clock } from '../clock';
import { epochMsOf, splitClientOrderIndex, timeOf, type ClientOrderIndex } from '../domain/ids-and-nonces';
import { lots, type Lots } from '../domain/lots';
import { ticksOf, type Distance } from '../domain/price-rule';
import type { Market, OrderRecord } from '../domain/records';
import type { ExchangePort, OrderBook, OwnOrders } from '../exchange/port';
import { priceOf, type QuoteRules } from './quote';
import { edgeObstacle } from './quote-price';

/** How a pair has asked last. */
export interface Asked extends QuoteRules {
  readonly market: Market;
  readonly positionLots: Lots;
  readonly drift?: Distance;
  readonly minRestMs: number;
}

export interface QuoteWatchOptions {
  readonly exchange: Pick<ExchangePort, 'book' | 'exchangeNowMs'>;
  readonly own: Pick<OwnOrders, 'open'>;
  /** Whether the budget has room to place it anew; a cancel for the edge does not ask. */
  readonly mayQuote: () => { readonly ok: boolean };
  /** Asks for a cancel; false: it was asked for just now. */
  readonly withdraw: (marketId: number, index: ClientOrderIndex) => boolean;
  readonly onWithdrawn: (withdrawn: {
    readonly market: string;
    readonly order: string;
    readonly why: 'edge' | 'drift';
    readonly what: string;
  }) => void;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

const TICK_MS = 100;
/** Without a book so long nobody knows the edge of what rests. */
const NO_BOOK_MS_MAX = 5_000;

export class QuoteWatch {
  readonly #asked = new Map<number, Asked>();
  readonly #known = new Set<number>();
  readonly #bookSeenMs = new Map<number, number>();
  readonly #restsUntilMs = new Map<number, number>();
  #cancel: () => void = () => undefined;
  #isTicking = false;

  constructor(private readonly options: QuoteWatchOptions) {}

  /** Whether its pair has asked, or its terms were recalled. */
  knows(marketId: number): boolean {
    return this.#known.has(marketId);
  }

  /** What the pair says of itself after a restart; a quote that it asked for meanwhile knows better. */
  recalled(asked: Asked): void {
    if (!this.knows(asked.market.marketId)) this.asked(asked);
  }

  asked(asked: Asked): void {
    const { marketId } = asked.market;
    this.#known.add(marketId);
    const isNeeded = asked.edge !== undefined || asked.drift !== undefined;
    if (isNeeded) this.#asked.set(marketId, asked);
    else this.#asked.delete(marketId);
    if (!isNeeded || this.#isTicking) return;
    this.#isTicking = true;
    this.#tick();
  }

  /** For how long nothing is quoted in the market, after a quote was withdrawn for its edge; 0: it may be. */
  waitMs(marketId: number): number {
    return Math.max(0, (this.#restsUntilMs.get(marketId) ?? 0) - this.options.clock.monotonicMs());
  }

  close(): void {
    this.#cancel();
    this.#isTicking = true;
  }

  #tick(): void {
    const { exchange, own } = this.options;
    for (const [marketId, asked] of this.#asked) {
      const orders = own.open(marketId);
      const quotes = orders.filter((order) => splitClientOrderIndex(order.clientOrderIndex).slice === 0);
      if (quotes.length === 0) {
        this.#bookSeenMs.delete(marketId);
        continue;
      }
      const book = exchange.book(marketId);
      const nowMs = this.options.clock.monotonicMs();
      if (book !== undefined) this.#bookSeenMs.set(marketId, nowMs);
      const seenMs = this.#bookSeenMs.get(marketId) ?? nowMs;
      this.#bookSeenMs.set(marketId, seenMs);
      for (const quote of quotes) {
        if (book !== undefined) this.#look(asked, quote, book, orders);
        else if (asked.edge !== undefined && nowMs - seenMs > NO_BOOK_MS_MAX)
          this.#withdraw(
            asked,
            quote,
            'edge',
            `there has been no book for ${NO_BOOK_MS_MAX / 1_000} s, and nobody knows its edge`,
          );
      }
    }
    if (this.#asked.size === 0) this.#isTicking = false;
    else this.#cancel = this.options.clock.after(TICK_MS, () => this.#tick());
  }

  #look(asked: Asked, quote: OrderRecord, book: OrderBook, ownOrders: readonly OrderRecord[]): void {
    const rest = lots(quote.initialLots - quote.filledLots);
    if (rest <= 0n) return;
    const question = { ...asked, book, ownOrders, lots: rest };
    const { edge } = asked;
    const { symbol } = asked.market;
    const { side, priceTicks } = quote;
    const lost = edge && edgeObstacle({ symbol, side, priceTicks, lots: rest, book, ownOrders, ...edge });
    if (lost !== undefined) return this.#withdraw(asked, quote, 'edge', lost);
    const { drift, minRestMs } = asked;
    if (drift === undefined || this.#ageMs(quote) < minRestMs) return;
    const now = priceOf(question, side);
    if (!now.ok) return;
    const away = now.priceTicks > priceTicks ? now.priceTicks - priceTicks : priceTicks - now.priceTicks;
    const limit = ticksOf(drift, priceTicks);
    if (away < (limit > 0n ? limit : 1n) || !this.options.mayQuote().ok) return;
    this.#withdraw(asked, quote, 'drift', `it rests ${away} ticks from where it would be placed now`);
  }

  #withdraw({ market, minRestMs }: Asked, quote: OrderRecord, why: 'edge' | 'drift', what: string): void {
    const { clock, withdraw, onWithdrawn } = this.options;
    if (why === 'edge') this.#restsUntilMs.set(market.marketId, clock.monotonicMs() + minRestMs);
    if (!withdraw(market.marketId, quote.clientOrderIndex)) return;
    onWithdrawn({ market: market.symbol, order: quote.clientOrderIndex.toString(), why, what });
  }

  #ageMs({ clientOrderIndex }: OrderRecord): number {
    return this.options.exchange.exchangeNowMs() - epochMsOf(timeOf(splitClientOrderIndex(clientOrderIndex).id));
  }
}
