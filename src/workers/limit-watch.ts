/** The watch over the limits of the day, for what the maker quotes. Without limits in the configuration there is none. */
import { systemClock } from '../clock';
import { epochMsOf, splitClientOrderIndex, timeOf } from '../domain/ids-and-nonces';
import type { Market } from '../domain/records';
import { LimitWatch } from '../quoting/limit-watch';
import type { Withdrawal } from '../quoting/withdrawal';
import type { Side } from './account';
import { limitsStatus } from './limits-status';
import type { Joined } from './temporal';

export function openLimitWatch(
  { config, account, observability, opened }: Side,
  {
    markets,
    temporal: { reader, accounts },
    withdrawal,
  }: { readonly markets: readonly Market[]; readonly temporal: Joined; readonly withdrawal: Withdrawal },
): { readonly limits?: LimitWatch } {
  const { limits: bounds } = config;
  if (bounds === undefined) return {};
  const watch = new LimitWatch({
    ...{ bounds, clock: systemClock },
    read: () => limitsStatus(reader, accounts.maker),
    withdraw(beforeMs) {
      const resting = markets.flatMap(({ marketId }) => account.stream.own.open(marketId));
      for (const { marketId, clientOrderIndex } of resting) {
        const { id, slice } = splitClientOrderIndex(clientOrderIndex);
        if (slice === 0 && epochMsOf(timeOf(id)) < beforeMs) withdrawal.withdraw(marketId, clientOrderIndex);
      }
    },
    tell: (told) => observability.raiseAlert({ kind: 'limits-unread', ...told }),
    onHold: (hold) =>
      observability.logger.info({ hold }, hold === undefined ? 'no limit holds quotes' : 'a limit holds quotes'),
  });
  return { limits: opened.add(watch, (it) => it.close()) };
}
