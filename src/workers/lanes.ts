/** The lanes of A whose fills the listener hears: the configuration's, and those of pairs that were started with other ones. */
import type { PairConfig } from '../config';
import type { Market } from '../domain/records';
import type { LaneTerms } from '../listener/translate';
import type { Logger } from '../observability';

export class HeardLanes {
  /** Grows while the listener runs. */
  readonly terms = new Map<number, LaneTerms>();

  constructor(private readonly logger: Pick<Logger, 'warn' | 'error'>) {}

  addConfigured(market: Market, pair: Pick<PairConfig, 'lanes'>): void {
    for (const lane of pair.lanes) this.terms.set(lane, termsOf(market));
  }

  /** Lanes of a pair that keeps what it was started with. A fill needs no key to be heard, only to be known as ours. */
  addOthers(market: Market, lanes: readonly number[]): void {
    const added = lanes.filter((lane) => !this.terms.has(lane));
    for (const lane of added) this.terms.set(lane, termsOf(market));
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
}

function termsOf({ marketId, sizeDecimals, priceDecimals }: Market): LaneTerms {
  // Both sides: a running pair that this process joins keeps the side it was started with, whatever the file says now.
  return { marketId, sizeDecimals, priceDecimals, sides: ['buy', 'sell'] };
}
