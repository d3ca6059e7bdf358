/** The floor of A's volume quota, and what is told about it. */
import { systemClock } from '../clock';
import { QuotaFloor } from '../quoting/quota-floor';
import type { Side } from './account';

const TELL_EVERY_MS = 5_000;

export function openQuotaFloor({ config, account, observability, opened }: Side): QuotaFloor {
  const floor = config.requestBudget.quotaFloor;
  const quota = new QuotaFloor({
    account,
    floor,
    monotonicMs: () => systemClock.monotonicMs(),
    onLow: (left) =>
      observability.raiseAlert({
        kind: 'quota-low',
        what:
          `${left} are left of the volume quota of the accounts' owner, and ${floor} are kept for hedges and cancels: nothing is quoted. What ` +
          'rests stays, hedges and cancels go on',
        next: 'Nothing: it quotes again when trading has earned enough. Quote wider apart or larger, so that more of the quotes fill; look what else of this owner sends.',
      }),
    onBack: (left) => observability.logger.info({ left }, 'the volume quota allows quotes again'),
  });
  // Told as it is seen, also while nobody asks for a quote.
  const timer = setInterval(() => quota.reason(), TELL_EVERY_MS);
  timer.unref();
  opened.add(timer, clearInterval);
  return quota;
}
