/** `pair set`: other terms for a running pair. Amounts are given as in the configuration; the workflow has them in lots. */
import type { Client } from '@temporalio/client';
import { hostname, userInfo } from 'node:os';
import type { Config, PairConfig } from '../config';
import { parseLots } from '../domain/lots';
import type { PairSetting, QuoteTerms } from '../domain/pair-terms';
import type { Market } from '../domain/records';
import { isTimeZone } from '../domain/schedule';
import { commandConfig, CommandError, type GlobalOptions, requireMarkets, withTemporal } from './context';
import { setPair } from './pair-client';
import { checkAmounts, pairOf } from './pair-start';

interface Terms {
  readonly market: Market;
  readonly pair: PairConfig;
  readonly hasFees: boolean;
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
  max_long: optional((value, { market }) => ({ max_long_lots: lotsOf('max_long', value, market) }), 'max_long_lots'),
  max_short: optional(
    (value, { market }) => ({ max_short_lots: lotsOf('max_short', value, market) }),
    'max_short_lots',
  ),
  time_out: (value) => ({ time_out_ms: Number(value) * 1_000 }),
  price: optional((value) => ({ price_buy: value, price_sell: value }), 'price_buy', 'price_sell'),
  'price.buy': asGiven('price_buy'),
  'price.sell': asGiven('price_sell'),
  min_edge_bps: optional((value, { hasFees }) => {
    if (!hasFees) throw new CommandError(NO_FEES);
    return { min_edge_bps: value };
  }, 'min_edge_bps'),
  skew: asGiven('skew'),
  'requote.drift': asGiven('requote_drift'),
  'requote.min_rest_ms': optional((value) => ({ requote_min_rest_ms: Number(value) }), 'requote_min_rest_ms'),
  schedule: asGiven('schedule'),
  blackout: asGiven('blackout'),
  'target.volume': asGiven('target_volume'),
  'target.until': optional((value) => {
    if (!MOMENT.test(value) || Number.isNaN(Date.parse(value)))
      throw new CommandError(`target.until=${value}: give a time with its offset, 2026-11-29T11:00Z for one`);
    return { target_until: new Date(value).toISOString() };
  }, 'target_until'),
  'target.then': asGiven('target_then'),
  time_zone: optional((value) => {
    if (!isTimeZone(value))
      throw new CommandError(`time_zone=${value}: this host knows none of that name. Nothing was changed`);
    return { time_zone: value };
  }, 'time_zone'),
};

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/;

const NO_FEES =
  'min_edge_bps needs `fees` in the configuration (what A pays as maker, B as taker): an edge is counted after them. Nothing was ' +
  'changed; add them, and restart the maker';

/** The workflow knows what is good. */
function asGiven(name: keyof QuoteTerms): Setter {
  return optional((value) => ({ [name]: value }), name);
}

/** `off` takes it away. */
function optional(set: Setter, ...names: readonly (keyof QuoteTerms)[]): Setter {
  return (value, terms) =>
    value === 'off' ? Object.fromEntries(names.map((name) => [name, null])) : set(value, terms);
}

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
  const setting = {
    ...settingOf(settings, { market, pair, hasFees: config.fees !== undefined }),
    by: by.slice(0, 100),
  };
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
