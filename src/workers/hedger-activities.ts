/** What trades on account B: the proofs of its lanes, what arms an order, the hedge activities. */
import { Arming } from '../activities/arming';
import { createHedgeActivities, type HedgeActivities } from '../activities/hedge-activities';
import { systemClock } from '../clock';
import type { BooksRead, MarginState, OrderResult } from '../domain/messages';
import type { Market } from '../domain/records';
import type { Executor } from '../hedging/executor';
import type { KeyProofs } from '../hedging/key-proofs';
import type { NoticePublisher } from '../notices/publisher';
import type { Side } from './account';
import { alertOf } from './alert-of';
import { hedgeNotice, observeNaked, observeStages } from './confirmation';
import { openKeyProofs } from './key-proofs';
import { misaddressed } from './misaddressed';
import { openHedgerMoney } from './money';
import { openOrders } from './open-orders';
import type { Joined } from './temporal';

export interface HedgerParts {
  readonly executor: Executor;
  readonly temporal: Joined;
  readonly publisher: NoticePublisher;
  /** Known once the exchange has been read. */
  readonly markets: () => readonly Market[];
  /** What the start has not found out yet, in words: until then no order is armed. */
  readonly unknown: ReadonlySet<string>;
  /** Why nothing that this process signs is taken; a pair that is started later has not heard it. */
  readonly outdated: () => string | undefined;
  /** What the auditor last found in that market. */
  readonly books: (market: string) => BooksRead;
  /** What the margin watch last read; `fresh`: what it reads next. */
  readonly margin: (which: { readonly fresh: boolean }) => Promise<MarginState>;
}

export function openHedgeActivities(
  side: Side,
  parts: HedgerParts,
): { readonly activities: HedgeActivities; readonly proofs: KeyProofs } {
  const { config, exchange, account, observability, opened } = side;
  const { executor, temporal, unknown } = parts;
  const open = openOrders(temporal.reader, temporal.accounts);
  const proofs = openKeyProofs(side, {
    marketId: () => parts.markets()[0]?.marketId,
    otherForm: () => ({ kind: 'cancel-all-now' }),
    running: open.running,
  });
  const arming = new Arming({
    executor,
    account,
    exchange,
    proofs,
    notReady: () => {
      const outdated = parts.outdated();
      if (outdated !== undefined) return outdated;
      const [first] = unknown;
      return first === undefined ? exchange.backingOff() : `it is not known yet ${first}`;
    },
    openOrders: open,
    clockSkewMsMax: config.safety.clockSkewMsMax,
    clock: systemClock,
  });
  opened.add(arming, (it) => it.close());
  const activities = createHedgeActivities({
    executor,
    arming,
    account,
    exchange,
    client: temporal.client,
    accounts: temporal.accounts,
    onRejected: misaddressed(observability.raiseAlert),
    acknowledge: (result) => acknowledge(side, parts, result),
    alert: (alert) => observability.raiseAlert(alertOf(alert)),
    books: parts.books,
    margin: parts.margin,
    clock: systemClock,
  });
  const money = openHedgerMoney(side, { temporal, margin: arming.margin });
  return { activities: { ...activities, ...money }, proofs };
}

function acknowledge({ account, observability }: Side, parts: HedgerParts, result: OrderResult): void {
  const { metrics } = observability;
  metrics.orders.inc({ market: result.market, hedge_state: result.hedge_state });
  observeStages(metrics, result);
  observeNaked(metrics, result);
  const notice = hedgeNotice(result, { hedgeAccount: account.accountIndex, markets: parts.markets() });
  if (notice) parts.publisher.publishHedge(notice);
}
