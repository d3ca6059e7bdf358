/** The limits of the day after each round of the journal. Without limits in the configuration there is nothing to tell. */
import { Client, Connection } from '@temporalio/client';
import { systemClock } from '../clock';
import type { Config } from '../config';
import { reasonOf } from '../domain/reason';
import { dayFigures } from '../journal/day-figures';
import type { Store } from '../journal/store';
import type { Observability } from '../observability';
import { LimitsJudge } from './limits-judge';
import type { Opened } from './opened';
import { accountsOf } from './peers';

/** Never rejects. */
export function openLimitsJudge(
  config: Config,
  { opened, observability }: { readonly opened: Opened; readonly observability: Observability },
): (store: Store) => Promise<void> {
  const { limits: bounds, temporal } = config;
  if (bounds === undefined) return () => Promise.resolve();
  const { metrics, raiseAlert, logger } = observability;
  const connection = opened.add(Connection.lazy(temporal.connection), (it) => it.close());
  const client = new Client({
    ...{ connection, namespace: temporal.namespace },
    workflow: { queryRejectCondition: 'NOT_OPEN' },
  });
  const accounts = accountsOf(config);
  const judge = new LimitsJudge({ accounts, bounds, client, raiseAlert, metrics, clock: systemClock });
  return async (store) => {
    try {
      await judge.take(await dayFigures(store, accounts));
    } catch (error) {
      logger.warn({ reason: reasonOf(error) }, 'the limits of the day could not be told; again after the next round');
    }
  };
}
