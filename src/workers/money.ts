/** The steps of a rebalance in each process: A's transfers in the maker, B's and everything that has to be known in the hedger. */
import type { Arming } from '../activities/arming';
import { createRebalanceActivities, type RebalanceActivities } from '../activities/rebalance';
import { createTransferActivities, type TransferActivities } from '../activities/transfer';
import { systemClock } from '../clock';
import { loadKeys } from '../config';
import type { RebalanceResult } from '../domain/rebalance-messages';
import { sealByCancelAll, type SealRequest } from '../hedging/seals';
import type { Side } from './account';
import { misaddressed } from './misaddressed';
import { Rebalancer } from './rebalancer';
import type { Joined } from './temporal';

export function openMakerMoney(
  { account, exchange, observability }: Side,
  { accounts }: Joined,
  sealBy: SealRequest,
): TransferActivities {
  const onRejected = misaddressed(observability.raiseAlert);
  return createTransferActivities({ accounts, onRejected, account, exchange, sealBy, clock: systemClock });
}

export function openHedgerMoney(
  { config, env, opened, account, exchange, observability }: Side,
  { temporal: { accounts }, margin }: { readonly temporal: Joined; readonly margin: Arming['margin'] },
): TransferActivities & RebalanceActivities {
  const common = { accounts, onRejected: misaddressed(observability.raiseAlert), exchange, clock: systemClock };
  const keys = loadKeys(config, 'hedge', env);
  const history = opened.add(exchange.openHistory({ accountIndex: accounts.hedge, keys }), (it) => it.close());
  return {
    ...createTransferActivities({ ...common, account, sealBy: sealByCancelAll, setAside: (of) => margin.setAside(of) }),
    ...createRebalanceActivities({
      ...common,
      history,
      terms: config.rebalance,
      unpromised: () => margin.unpromised(),
    }),
  };
}

/** Only where it is asked for. */
export function openRebalancer(
  { config, opened, exchange, observability }: Side,
  { accounts, client }: Joined,
  everyMs?: number,
): void {
  const { rebalance } = config;
  if (rebalance?.automatic !== true) return;
  const { logger, metrics } = observability;
  const count = (state: RebalanceResult['state']): void => metrics.rebalances.inc({ state });
  const { startBelow } = rebalance;
  const common = { accounts, client, exchange, logger, count, clock: systemClock };
  opened.add(new Rebalancer({ ...common, startBelow, everyMs }), (it) => it.close());
}
