/** The pairs of a maker: the lanes that they use, so that every fill is heard (S-08, S-53), and their start. */
import type { Client } from '@temporalio/client';
import type { Config, PairConfig } from '../config';
import type { Market } from '../domain/records';
import type { Logger } from '../observability';
import type { ProcessBase, Side } from './account';
import { HeardLanes } from './lanes';
import { lanesOfOpenOrders, otherLanes, pairInput, startPair, type PairOverrides } from './pairs';

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

/** The pairs that this process starts or joins. */
export function pairsOf(config: Config, { markets }: PairChoice): readonly PairConfig[] {
  return config.pairs.filter(({ market }) => markets?.includes(market) !== false);
}

/** Of pairs and orders that run already. Read before the stream is opened: its first snapshot may hold a fill on one of them. */
export async function lanesInUse(
  { config, observability }: ProcessBase,
  client: Client,
): Promise<readonly LanesInUse[]> {
  const { logger } = observability;
  const ofPairs = await Promise.all(config.pairs.map((pair) => lanesOfPair({ config, pair, client, logger })));
  try {
    const open = await lanesOfOpenOrders(client, config.accounts.maker.index);
    return [...ofPairs, ...open.map(({ symbol, lane }) => ({ market: symbol, lanes: [lane] }))];
  } catch (error) {
    logger.error(
      { error: String(error) },
      'the open orders could not be listed: fills of one on a lane that the configuration does not name are found by its time-out only',
    );
    return ofPairs;
  }
}

export function heardLanes(
  { config, observability }: ProcessBase,
  markets: readonly Market[],
  inUse: readonly LanesInUse[],
): HeardLanes {
  const heard = new HeardLanes(observability.logger);
  for (const pair of config.pairs) heard.addConfigured(marketOf(markets, pair.market), pair);
  for (const { market: symbol, lanes } of inUse) {
    const market = markets.find((m) => m.symbol === symbol);
    if (market) heard.addOthers(market, lanes);
  }
  return heard;
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
