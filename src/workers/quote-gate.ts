/** The gate of the maker's quotes: what closes it is withdrawn and told. */
import { systemClock } from '../clock';
import { splitClientOrderIndex } from '../domain/ids-and-nonces';
import type { Market } from '../domain/records';
import type { Canceller } from '../quoting/canceller';
import { QuoteGate } from '../quoting/quote-gate';
import type { Side } from './account';

export function openGate(side: Side, markets: readonly Market[], canceller: Canceller): QuoteGate {
  const { config, exchange, account, observability, opened } = side;
  const { logger, raiseAlert } = observability;
  const gate = new QuoteGate({
    exchange,
    markets: config.pairs.flatMap(({ market }) => markets.find(({ symbol }) => symbol === market) ?? []),
    blackouts: config.blackouts,
    withdraw: (marketId) => {
      for (const { clientOrderIndex } of account.stream.own.open(marketId)) {
        if (splitClientOrderIndex(clientOrderIndex).slice !== 0) continue; // no quote of ours
        canceller
          .cancel(marketId, clientOrderIndex)
          .catch((error: unknown) => logger.error({ error: String(error) }, 'a quote could not be withdrawn; again'));
      }
    },
    tell: (told) => raiseAlert({ kind: 'market-closed', ...told }),
    onOpen: (market) => logger.info({ market }, 'the market may be quoted'),
    clock: systemClock,
  });
  return opened.add(gate, (it) => it.close());
}
