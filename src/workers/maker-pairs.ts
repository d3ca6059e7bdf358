/** The pairs of a maker: the lanes that they use, so that every fill is heard (S-08, S-53), and their start. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Config, PairConfig } from '../config';
import type { Market } from '../domain/records';
import type { Logger } from '../observability';
import type { ProcessBase, Side } from './account';
import { HeardLanes } from './lanes';
import { lanesOfOpenOrders, otherLanes, pairInput, startPair, type PairOverrides } from './pairs';

const LIST_AGAIN_MS = 10_000;

export interface PairChoice {
  /** Markets whose pairs are started or joined; default: every pair of the configuration. */
  readonly markets?: readonly string[];
  readonly pair?: PairOverrides;
}

/** Lanes in use that the configuration may not name. */
export interface LanesInUse {
  readonly market: string;
  readonly lanes: readonly number[];
}

export interface LanesReading {
  readonly inUse: readonly LanesInUse[];
  /** Open orders are in it. */
  readonly isComplete: boolean;
}

/** The pairs that this process starts or joins. */
export function pairsOf(config: Config, { markets }: PairChoice): readonly PairConfig[] {
  return config.pairs.filter(({ market }) => markets?.includes(market) !== false);
}

/** Of pairs and orders that run already. Read before the stream is opened: its first snapshot may hold a fill on one of them. */
export async function lanesInUse({ config, observability }: ProcessBase, client: Client): Promise<LanesReading> {
  const { logger } = observability;
  const ofPairs = await Promise.all(config.pairs.map((pair) => lanesOfPair({ config, pair, client, logger })));
  try {
    const open = await lanesOfOpenOrders(client, config.accounts.maker.index);
    const inUse = [...ofPairs, ...open.map(({ symbol, lane }) => ({ market: symbol, lanes: [lane] }))];
    return { inUse, isComplete: true };
  } catch (error) {
    logger.error(
      { error: String(error) },
      'the open orders could not be listed: until they are, fills of one on a lane that the configuration does not name are found by its time-out only',
    );
    return { inUse: ofPairs, isComplete: false };
  }
}

/** Open orders that could not be listed are asked for again until `signal`. */
export function heardLanes(
  { config, observability }: ProcessBase,
  from: {
    readonly markets: readonly Market[];
    readonly reading: LanesReading;
    readonly client: Client;
    readonly signal: AbortSignal;
  },
): HeardLanes {
  const { markets, reading } = from;
  const heard = new HeardLanes(observability.logger);
  for (const pair of config.pairs) heard.addConfigured(marketOf(markets, pair.market), pair);
  for (const { market: symbol, lanes } of reading.inUse) {
    const market = markets.find((m) => m.symbol === symbol);
    if (market) heard.addOthers(market, lanes);
  }
  if (!reading.isComplete) void hearOpenOrders(heard, { ...from, makerAccount: config.accounts.maker.index });
  return heard;
}

async function hearOpenOrders(
  heard: HeardLanes,
  from: {
    readonly client: Client;
    readonly makerAccount: number;
    readonly markets: readonly Market[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { client, makerAccount, markets, signal } = from;
  while (!signal.aborted) {
    await sleep(LIST_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    const open = await lanesOfOpenOrders(client, makerAccount).catch(() => undefined);
    for (const { symbol, lane } of open ?? []) {
      const market = markets.find((one) => one.symbol === symbol);
      if (market) heard.addOthers(market, [lane]);
    }
    if (open !== undefined) return;
  }
}

export async function startPairs(
  { config, exchange, observability }: Side,
  input: {
    readonly choice: PairChoice;
    readonly markets: readonly Market[];
    readonly heard: HeardLanes;
    readonly client: Client;
  },
): Promise<void> {
  const { choice, markets, heard, client } = input;
  const { logger } = observability;
  for (const pair of pairsOf(config, choice)) {
    const market = marketOf(markets, pair.market);
    void exchange.whenBook(market.marketId).catch(() => undefined);
    const how = await startPair(client, pairInput(config, pair, market, choice.pair));
    // It may have been started since its lanes were read.
    if (how === 'joined') heard.addOthers(market, (await lanesOfPair({ config, pair, client, logger })).lanes);
    logger.info(
      { market: pair.market },
      how === 'started' ? 'the pair is started' : 'the pair runs already; joined it with its own settings',
    );
  }
}

/** Lanes that a running pair was started with and the configuration lacks. */
async function lanesOfPair(input: {
  readonly config: Config;
  readonly pair: PairConfig;
  readonly client: Client;
  readonly logger: Pick<Logger, 'error'>;
}): Promise<LanesInUse> {
  const { config, pair, client, logger } = input;
  const { market, lanes } = pair;
  const wanted = { maker_account: config.accounts.maker.index, market, lanes: [...lanes] };
  try {
    return { market, lanes: await otherLanes(client, wanted) };
  } catch (error) {
    logger.error(
      { market, error: String(error) },
      'the lanes of the running pair could not be read: fills on lanes that the configuration does not give it are not heard. ' +
        'Compare them (`counterleg pair status`), and restart the maker',
    );
    return { market, lanes: [] };
  }
}

function marketOf(markets: readonly Market[], symbol: string): Market {
  const market = markets.find((m) => m.symbol === symbol);
  if (!market) throw new Error(`unknown market ${symbol}`);
  return market;
}
