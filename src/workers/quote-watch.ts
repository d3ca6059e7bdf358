/** The watch over what rests, told by which terms: by each quote that a pair asks for, and of what a maker before this one left, by the pair. */
import { systemClock } from '../clock';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import { lots } from '../domain/lots';
import type { PairStatus } from '../domain/pair-status';
import { MIN_REST_MS_DEFAULT } from '../domain/pair-terms';
import type { Market } from '../domain/records';
import { rulesOf } from '../quoting/quote';
import { QuoteWatch, type QuoteWatchOptions } from '../quoting/quote-watch';
import type { Withdrawal } from '../quoting/withdrawal';
import type { Side } from './account';
import { hasEnded, within } from './order-word';
import type { Joined } from './temporal';

/** Between two asks of a pair whose hedger does not answer. */
const AGAIN_MS = 5_000;

export function openQuoteWatch(
  side: Side,
  {
    markets,
    temporal,
    withdrawal,
  }: { readonly markets: readonly Market[]; readonly temporal: Joined; readonly withdrawal: Withdrawal },
  mayQuote: QuoteWatchOptions['mayQuote'],
): QuoteWatch {
  const { config, exchange, account, observability, opened } = side;
  const { logger, metrics } = observability;
  const watch = opened.add(
    new QuoteWatch({
      exchange,
      own: account.stream.own,
      mayQuote,
      withdraw: (marketId, index) => withdrawal.withdraw(marketId, index),
      onWithdrawn: ({ market, order, why, what }) => {
        metrics.quotesWithdrawn.inc({ market, why });
        logger.info({ market, order, why, what }, 'a quote is withdrawn');
      },
      clock: systemClock,
    }),
    (it) => it.close(),
  );
  for (const { market: symbol } of config.pairs) {
    const market = markets.find((one) => one.symbol === symbol);
    if (market) recall(side, { market, watch, temporal });
  }
  return watch;
}

/** Without A's position the pair's skew is unknown, and with it where the quote would be placed now: so its edge is watched, not its drift. */
function recall(
  { config, opened }: Side,
  { market, watch, temporal }: { readonly market: Market; readonly watch: QuoteWatch; readonly temporal: Joined },
): void {
  const { reader, accounts } = temporal;
  const handle = reader.workflow.getHandle(pairWorkflowId(accounts.maker, market.symbol));
  let isOver = false;
  let cancel = (): void => undefined;
  const ask = async (): Promise<void> => {
    if (isOver || watch.knows(market.marketId)) return;
    try {
      const { terms } = await within(reader, () => handle.query<PairStatus>('state'));
      const minRestMs = terms.requote_min_rest_ms ?? MIN_REST_MS_DEFAULT;
      if (!isOver) watch.recalled({ ...rulesOf(terms, config.fees), market, positionLots: lots(0), minRestMs });
    } catch (error) {
      if (!isOver && !hasEnded(error)) cancel = systemClock.after(AGAIN_MS, () => void ask());
    }
  };
  opened.add(handle, () => {
    isOver = true;
    cancel();
  });
  void ask();
}
