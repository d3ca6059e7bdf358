/** What trades on account A: the proofs of its lanes, the executor of closes, the maker activities. */
import { createMakerActivities, type MakerActivities, type MakerDeps } from '../activities/maker-activities';
import { systemClock } from '../clock';
import { quoteCost } from '../domain/budget';
import type { Market } from '../domain/records';
import type { KeyProofs } from '../hedging/key-proofs';
import { sealByCancelOrder } from '../hedging/seals';
import type { Canceller } from '../quoting/canceller';
import type { DeadMan } from '../quoting/dead-man';
import type { QuotaFloor } from '../quoting/quota-floor';
import type { Side } from './account';
import { openExecutor } from './executor';
import type { HedgerWatch } from './hedger-watch';
import { openKeyProofs } from './key-proofs';
import type { HeardLanes } from './lanes';
import { sayingWhere, type MakerOnly } from './maker-only';
import { openLimitWatch } from './limit-watch';
import { misaddressed } from './misaddressed';
import { openMakerMoney } from './money';
import { openOrders } from './open-orders';
import { openGate, openWithdrawal } from './quote-gate';
import { openQuoteWatch } from './quote-watch';
import type { Joined } from './temporal';

/** While the exchange limits us; what waits costs no request. */
const LIMITED_RETRY_MS = 5_000;

export interface MakerParts {
  readonly markets: readonly Market[];
  readonly temporal: Joined;
  readonly canceller: Canceller;
  readonly deadMan: DeadMan;
  readonly hedger: HedgerWatch;
  readonly heard: HeardLanes;
  readonly quota: QuotaFloor;
  readonly makerOnly: MakerOnly;
}

export function openMakerActivities(
  side: Side,
  { markets, temporal, canceller, deadMan, hedger, heard, quota, makerOnly }: MakerParts,
): { readonly activities: MakerActivities; readonly proofs: KeyProofs } {
  const { config, exchange, account, observability } = side;
  const proofs = openKeyProofs(side, {
    marketId: () => markets[0]?.marketId,
    otherForm: () => ({ kind: 'cancel-all-at', atMs: deadMan.nextAtMs() }),
    running: openOrders(temporal.reader, temporal.accounts).running,
  });
  const executor = openExecutor(side, {
    sealBy: sealByCancelOrder(() => deadMan.nextAtMs()),
    onKeyRejected: (lane, reason) => proofs.doubt(lane, reason),
  });
  const withdrawal = openWithdrawal(side, canceller);
  const gate = openGate(side, markets, withdrawal);
  const mayQuote = withinBudget(side, quota);
  const activities = createMakerActivities({
    accounts: temporal.accounts,
    onRejected: misaddressed(observability.raiseAlert),
    executor,
    account,
    exchange,
    canceller,
    deadMan,
    hedger,
    gate,
    ...openLimitWatch(side, { markets, temporal, withdrawal }),
    ...(config.fees === undefined ? {} : { fees: config.fees }),
    clockSkewMsMax: config.safety.clockSkewMsMax,
    keyRejection: (lane) => proofs.rejection(lane),
    onParked: (orderId, what) =>
      observability.raiseAlert({
        kind: 'invariant-broken',
        what: `the placement of order ${orderId} is stopped: ${what}`,
        next: 'Its quote may rest: look at the exchange, cancel it there, then cancel the order. Keep the log and tell the developers.',
        orderId: orderId.toString(),
      }),
    onDeadLane: ({ orderId, lane, what }) => {
      proofs.doubt(lane, what);
      observability.raiseAlert({
        kind: 'key-rejected',
        what,
        next: `Nothing of this order rests, and its lane quotes no more. Register a new key for API key ${lane} of account A, or take the lane out of the pair.`,
        orderId: orderId.toString(),
      });
    },
    mayQuote,
    watch: openQuoteWatch(side, { markets, temporal, withdrawal }, mayQuote),
    hear: (market, lane) => heard.takeUp(market, lane),
    clock: systemClock,
  });
  const sealBy = sealByCancelOrder(() => deadMan.nextAtMs());
  return { activities: { ...sayingWhere(activities, makerOnly), ...openMakerMoney(side, temporal, sealBy) }, proofs };
}

function withinBudget({ config, exchange, budget }: Side, quota: QuotaFloor): MakerDeps['mayQuote'] {
  const { counts } = config.requestBudget;
  return () => {
    const reason = exchange.backingOff();
    if (reason !== undefined) return { ok: false, reason, retryAfterMs: LIMITED_RETRY_MS };
    const low = quota.reason();
    if (low !== undefined) return { ok: false, reason: low, retryAfterMs: LIMITED_RETRY_MS };
    return budget.hasRoom(quoteCost(counts), systemClock.monotonicMs());
  };
}
