/** The dead-man's switch of account A: renewed while somebody hedges; what is told when it is not. */
import type { Canceller } from '../quoting/canceller';
import { DeadMan } from '../quoting/dead-man';
import type { QuotaFloor } from '../quoting/quota-floor';
import type { Side } from './account';
import type { HedgerWatch } from './hedger-watch';

const LOOK_AFTER_MS = 1_000;

export function openSwitch(
  { config, exchange, account, observability, opened }: Side,
  parts: { readonly canceller: Canceller; readonly hedger: HedgerWatch; readonly quota: QuotaFloor },
): DeadMan {
  const { canceller, hedger, quota } = parts;
  const part = observability.health.part("dead-man's switch", { staleAfterMs: config.safety.deadManMs / 2 });
  const deadMan = new DeadMan({
    account,
    canceller,
    lane: config.cancelLane,
    aheadMs: config.safety.deadManMs,
    exchangeNow: () => exchange.exchangeNowMs(),
    mayRenew: () => hedger.mayRenewSwitch,
    onRenewal: (result, reason) => {
      if (result === 'confirmed') {
        part.ok();
        // Sent right after a renewal, a second one is not free, and its answer shows what is left.
        if (quota.wantsLook()) deadMan.renewOnceMore(LOOK_AFTER_MS);
        return;
      }
      if (quota.reason() !== undefined && deadMan.isSet()) return; // the next one passes in a free slot, in time
      observability.logger.warn({ reason }, "the dead-man's switch was not renewed");
      observability.raiseAlert({
        kind: 'switch-not-renewed',
        what: `the dead-man's switch of account A was not renewed: ${reason ?? 'no answer'}`,
        next: 'New quotes wait for it. If it lasts, check the cancel lane key and the exchange.',
      });
    },
  });
  return opened.add(deadMan, (it) => it.stop());
}
