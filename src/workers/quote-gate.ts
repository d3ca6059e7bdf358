/** The gate of the maker's quotes: what closes it is withdrawn and told. */
import { systemClock, type Clock } from '../clock';
import type { Config } from '../config';
import { splitClientOrderIndex, type ClientOrderIndex } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import type { Market } from '../domain/records';
import type { Canceller } from '../quoting/canceller';
import { QuoteGate } from '../quoting/quote-gate';
import type { Side } from './account';

const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 30_000;
const TRIED_KEPT = 1_000;

export function openGate(
  side: Pick<Side, 'exchange' | 'account' | 'observability'> & {
    readonly config: Pick<Config, 'pairs' | 'blackouts'>;
    readonly opened: Pick<Side['opened'], 'add'>;
  },
  markets: readonly Market[],
  canceller: Canceller,
  clock: Clock = systemClock,
): QuoteGate {
  const { config, exchange, account, observability, opened } = side;
  const { logger, raiseAlert } = observability;
  /** A market that is closed may not take cancels either. */
  const tried = new Map<ClientOrderIndex, { readonly againMs: number; readonly pauseMs: number }>();
  const isDue = (index: ClientOrderIndex): boolean => {
    const nowMs = clock.monotonicMs();
    const last = tried.get(index);
    if (last && nowMs < last.againMs) return false;
    const pauseMs = Math.min(2 * (last?.pauseMs ?? AGAIN_MS_MIN / 2), AGAIN_MS_MAX);
    tried.set(index, { againMs: nowMs + pauseMs, pauseMs });
    keepNewest(tried, TRIED_KEPT);
    return true;
  };
  const gate = new QuoteGate({
    exchange,
    markets: config.pairs.flatMap(({ market }) => markets.find(({ symbol }) => symbol === market) ?? []),
    blackouts: config.blackouts,
    withdraw: (marketId) => {
      for (const { clientOrderIndex } of account.stream.own.open(marketId)) {
        if (splitClientOrderIndex(clientOrderIndex).slice !== 0 || !isDue(clientOrderIndex)) continue; // no quote of ours, or just tried
        canceller
          .cancel(marketId, clientOrderIndex)
          .catch((error: unknown) => logger.error({ error: String(error) }, 'a quote could not be withdrawn; again'));
      }
    },
    tell: (told) => raiseAlert({ kind: 'market-closed', ...told }),
    onOpen: (market) => logger.info({ market }, 'the market may be quoted'),
    clock,
  });
  return opened.add(gate, (it) => it.close());
}
