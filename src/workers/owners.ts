/** Our two accounts must not trade with each other: the exchange keeps accounts of one owner apart, others only if that is accepted. */
import { ConfigError, type Config } from '../config';
import type { ExchangePort, SelfTradeRule } from '../exchange/port';
import { readInTheEnd } from './start-up';

/** Goes with every hedge: where the owners differ it meets nothing, so no hedge waits until they are known. */
export const SELF_TRADE: SelfTradeRule = { behaviour: 'expire-maker', compare: 'master' };

/** Throws a ConfigError when they differ and that is not accepted. */
export async function checkOwners(
  exchange: ExchangePort,
  config: Config,
  how: Parameters<typeof readInTheEnd>[2],
): Promise<void> {
  const { maker, hedge, selfTrade } = config.accounts;
  if (selfTrade === 'accept') return;
  const ownerOf = (index: number): Promise<string | undefined> =>
    readInTheEnd(`the owner of account ${index}`, () => exchange.ownerOf(index), how);
  const [a, b] = [await ownerOf(maker.index), await ownerOf(hedge.index)];
  if (a === b || a === undefined || b === undefined) return;
  throw new ConfigError([
    {
      key: 'accounts.self_trade',
      place: 'configuration',
      message:
        `refuses accounts ${maker.index} and ${hedge.index}: they have different owners, so the exchange cannot keep them from trading ` +
        'with each other. Use two accounts of one owner, or set it to accept',
    },
  ]);
}
