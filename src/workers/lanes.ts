/**
 * The lanes of A whose fills the listener hears: the configuration's, those of pairs that were started with other ones, and every lane
 * that is about to be quoted on (S-53). Taking a lane up at once is safer than rejecting it: the listener hears it from the next frame on,
 * before anything of the lane can rest, and an operator's new pair needs no restart.
 */
import type { PairConfig } from '../config';
import type { Market } from '../domain/records';
import type { LaneTerms } from '../fills/translate';
import type { Logger } from '../observability';

export class HeardLanes {
  /** Grows while the listener runs. */
  readonly terms = new Map<number, LaneTerms>();
  readonly #names = new Map<number, string>();

  constructor(private readonly logger: Pick<Logger, 'warn' | 'error'>) {}

  addConfigured(market: Market, pair: Pick<PairConfig, 'lanes'>): void {
    for (const lane of pair.lanes) this.#add(market, lane);
  }

  /** Lanes of a pair that keeps what it was started with. A fill needs no key to be heard, only to be known as ours. */
  addOthers(market: Market, lanes: readonly number[]): void {
    const added = lanes.filter((lane) => !this.terms.has(lane));
    for (const lane of added) this.#add(market, lane);
    if (added.length > 0) {
      this.logger.warn(
        { market: market.symbol, lanes: added },
        'the pair was started with lanes that the configuration does not give it; their fills are heard too. ' +
          'Restore its lanes, or stop the pair and start it anew',
      );
    }
    const unheard = lanes.filter((lane) => this.terms.get(lane)?.marketId !== market.marketId);
    if (unheard.length > 0) {
      this.logger.error(
        { market: market.symbol, lanes: unheard },
        'the pair was started with lanes that the configuration gives to another market: fills there are NOT heard and are hedged only ' +
          "after the order's time-out. Stop the pair, or give it its lanes back and restart the maker",
      );
    }
  }

  /** Hears the lane from now on. A lane has one market: answers why it is not heard when another one has it. */
  takeUp(market: HeardMarket, lane: number): string | undefined {
    const terms = this.terms.get(lane);
    if (terms === undefined) {
      this.#add(market, lane);
      this.logger.warn(
        { market: market.symbol, lane },
        'a lane that the configuration does not name is taken up; its fills are heard',
      );
      return undefined;
    }
    if (terms.marketId === market.marketId) return undefined;
    const owner = this.#names.get(lane) ?? String(terms.marketId);
    return (
      `fills on API key ${lane} are heard for ${owner}, so one in ${market.symbol} would be hedged late: ` +
      `give ${market.symbol} lanes of its own, or restart the maker once ${owner} no longer has this one`
    );
  }

  #add(market: HeardMarket, lane: number): void {
    this.terms.set(lane, termsOf(market));
    this.#names.set(lane, market.symbol);
  }
}

type HeardMarket = Pick<Market, 'marketId' | 'symbol' | 'sizeDecimals' | 'priceDecimals'>;

function termsOf({ marketId, sizeDecimals, priceDecimals }: HeardMarket): LaneTerms {
  return { marketId, sizeDecimals, priceDecimals };
}
