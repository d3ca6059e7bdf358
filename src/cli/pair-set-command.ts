/** `pair set`: other terms for a running pair. Amounts are given as in the configuration; the workflow has them in lots. */
import type { Client } from '@temporalio/client';
import { hostname, userInfo } from 'node:os';
import type { Config, PairConfig } from '../config';
import { parseLots } from '../domain/lots';
import type { PairSetting } from '../domain/pair-terms';
import type { Market } from '../domain/records';
import { commandConfig, CommandError, type GlobalOptions, requireMarkets, withTemporal } from './context';
import { setPair } from './pair-client';
import { checkAmounts, pairOf } from './pair-start';

interface Terms {
  readonly market: Market;
  readonly pair: PairConfig;
}

type Setter = (value: string, terms: Terms) => PairSetting;

const SETTERS: Readonly<Record<string, Setter>> = {
  side: (value) => ({ strategy: value as NonNullable<PairSetting['strategy']> }), // the workflow knows which there are
  quantity(value, { market, pair }) {
    checkAmounts(pair, market, { quantity: value });
    return { lots: lotsOf('quantity', value, market) };
  },
  depth: (value) => ({ depth: Number(value) }),
  max_position: (value, { market }) => ({ max_position_lots: lotsOf('max_position', value, market) }),
  time_out: (value) => ({ time_out_ms: Number(value) * 1_000 }),
};

export async function runPairSet(symbol: string, settings: readonly string[], options: GlobalOptions): Promise<void> {
  const config = commandConfig(options);
  const change = { symbol, settings, by: `${userInfo().username}@${hostname()}` };
  const answer = await withTemporal(config, (client) => changePair(client, config, change));
  if (options.json === true) console.log(JSON.stringify({ market: symbol, command: 'set', answer: answer ?? null }));
  else console.log(`${symbol}: ${String(answer)}`);
}

/** Resolves with what changed. Rejects with a CommandError, and nothing is changed then. */
export async function changePair(
  client: Client,
  config: Config,
  { symbol, settings, by }: { readonly symbol: string; readonly settings: readonly string[]; readonly by: string },
): Promise<unknown> {
  const pair = pairOf(config, symbol);
  const [market] = await requireMarkets(config, [symbol]);
  if (market === undefined) throw new CommandError(`the exchange has no market ${symbol}`);
  const setting = { ...settingOf(settings, { market, pair }), by: by.slice(0, 100) };
  return setPair(client, { makerAccount: config.accounts.maker.index, market: symbol }, setting);
}

/** Throws a CommandError for what is no setting. */
function settingOf(settings: readonly string[], terms: Terms): PairSetting {
  let all: PairSetting = {};
  for (const text of settings) {
    const [name = '', value = ''] = text.split(/=(.*)/s);
    const setter = SETTERS[name];
    if (setter === undefined || value === '')
      throw new CommandError(`${text} sets nothing: give name=value with one of ${Object.keys(SETTERS).join(', ')}`);
    all = { ...all, ...setter(value, terms) };
  }
  return all;
}

function lotsOf(name: string, value: string, market: Market): string {
  try {
    return parseLots(value, market.sizeDecimals).toString();
  } catch {
    throw new CommandError(
      `${name}=${value} is no amount of ${market.symbol} (${market.sizeDecimals} decimals at most)`,
    );
  }
}
