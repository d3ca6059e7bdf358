/** The dead-man's switch of account A: renewed while somebody hedges; what is told when it is not. */
import type { Canceller } from '../quoting/canceller';
import { DeadMan } from '../quoting/dead-man';
import type { Side } from './account';
import type { HedgerWatch } from './hedger-watch';

export function openSwitch(
  { config, exchange, account, observability, opened }: Side,
  { canceller, hedger }: { readonly canceller: Canceller; readonly hedger: HedgerWatch },
): DeadMan {
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
        return;
      }
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
