/** The executor of the process's account. */
import { systemClock } from '../clock';
import { Executor, type ExecutorOptions } from '../hedging/executor';
import type { Side } from './account';
import { executorEvents } from './executor-events';

export function openExecutor(
  { role, exchange, account, observability, opened }: Side,
  how: Pick<ExecutorOptions, 'sealBy' | 'selfTrade' | 'signAhead'> &
    Pick<Parameters<typeof executorEvents>[0], 'onKeyRejected' | 'onResolved'>,
): Executor {
  const executor = new Executor({
    ...how,
    account,
    clock: systemClock,
    exchangeNow: () => exchange.exchangeNowMs(),
    events: executorEvents({ ...how, account: role, observability }),
  });
  return opened.add(executor, (it) => it.close());
}
