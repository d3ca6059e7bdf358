/** The gate of the maker's quotes: what closes it is withdrawn and told. */
import { systemClock, type Clock } from '../clock';
import type { Config } from '../config';
import { splitClientOrderIndex } from '../domain/ids-and-nonces';
import { reasonOf } from '../domain/reason';
import type { Market } from '../domain/records';
import type { Canceller } from '../quoting/canceller';
import { QuoteGate } from '../quoting/quote-gate';
import { Withdrawal } from '../quoting/withdrawal';
import type { Side } from './account';

export function openWithdrawal(
  { observability }: Pick<Side, 'observability'>,
  canceller: Canceller,
  clock: Clock = systemClock,
): Withdrawal {
  const onFailed = (error: unknown): void =>
    observability.logger.error({ error: reasonOf(error) }, 'a quote could not be withdrawn; again');
  return new Withdrawal({ canceller, onFailed, clock });
}

export function openGate(
  side: Pick<Side, 'exchange' | 'account' | 'observability'> & {
    readonly config: Pick<Config, 'pairs' | 'blackouts'>;
    readonly opened: Pick<Side['opened'], 'add'>;
  },
  markets: readonly Market[],
  withdrawal: Withdrawal,
  clock: Clock = systemClock,
): QuoteGate {
  const { config, exchange, account, observability, opened } = side;
  const { logger, raiseAlert } = observability;
  const gate = new QuoteGate({
    exchange,
    markets: config.pairs.flatMap(({ market }) => markets.find(({ symbol }) => symbol === market) ?? []),
    blackouts: config.blackouts,
    withdraw: (marketId) => {
      for (const { clientOrderIndex } of account.stream.own.open(marketId))
        if (splitClientOrderIndex(clientOrderIndex).slice === 0) withdrawal.withdraw(marketId, clientOrderIndex); // a quote of ours
    },
    tell: (told) => raiseAlert({ kind: 'market-closed', ...told }),
    onOpen: (market) => logger.info({ market }, 'the market may be quoted'),
    clock,
  });
  return opened.add(gate, (it) => it.close());
}
