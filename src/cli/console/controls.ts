/** What a button does: the command's own functions, with the name of who pressed it in the history. */
import type { Client } from '@temporalio/client';
import type { Config } from '../../config';
import type { Action } from '../../console/actions';
import { CommandError, requireMarkets } from '../context';
import { acknowledge } from '../limits-command';
import { operatePair } from '../pair-client';
import { hedgeMove } from '../order-commands';
import { changePair } from '../pair-set-command';
import { startConfiguredPair } from '../pair-start';

const START_MS = 30_000;

export async function carryOut(
  config: Config,
  client: (identity: string) => Client,
  action: Action,
  who: string,
): Promise<string> {
  const identity = `console: ${who}`;
  const makerAccount = config.accounts.maker.index;
  switch (action.name) {
    case 'start': {
      requirePair(config, action.market);
      const [market] = await requireMarkets(config, [action.market]);
      if (market === undefined) throw new CommandError(`the exchange has no market ${action.market}`);
      const starting = client(identity);
      const start = (): Promise<string> => startConfiguredPair(starting, config, { market });
      return starting.connection.withDeadline(Date.now() + START_MS, start);
    }
    case 'pause':
    case 'resume':
    case 'stop':
    case 'flatten':
      return told(await operatePair(client(identity), { makerAccount, market: action.market }, action.name));
    case 'set':
      requirePair(config, action.market);
      return told(
        await changePair(client(identity), config, { symbol: action.market, settings: action.settings, by: identity }),
      );
    case 'acknowledge':
      return acknowledge(client(identity), config, { name: action.limit, by: identity });
    case 'retry':
    case 'close':
      return told(await hedgeMove(client(identity), makerAccount, action.name, action.orderId));
  }
}

function requirePair({ pairs }: Config, market: string): void {
  if (!pairs.some((pair) => pair.market === market)) throw new CommandError(`the configuration has no pair ${market}`);
}

function told(answer: unknown): string {
  return typeof answer === 'string' ? answer : 'done';
}
