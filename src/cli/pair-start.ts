/** Starts a market's pair from the configuration, or joins the running one; says what does not fit before anything starts. */
import type { Client } from '@temporalio/client';
import { reasonOf } from '../domain/reason';
import type { Config, PairConfig } from '../config';
import { parseLots } from '../domain/lots';
import type { Market } from '../domain/records';
import { otherLanes, pairInput, type PairOverrides, startPair } from '../workers/pairs';
import { CommandError } from './context';

export interface PairRequest {
  readonly market: Market;
  readonly changes?: PairOverrides;
}

/** Throws a CommandError when the amounts do not fit the market. */
export async function startConfiguredPair(client: Client, config: Config, request: PairRequest): Promise<string> {
  const { market, changes = {} } = request;
  const pair = pairOf(config, market.symbol);
  checkAmounts(pair, market, changes);
  const input = pairInput(config, pair, market, changes);
  if ((await startPair(client, input)) === 'started') return 'started';
  const others = await otherLanes(client, input);
  return (
    'is running already, with the settings it was started with' +
    (others.length === 0 ? '' : `: on API key ${others.join(', ')} too, which the configuration does not give it`)
  );
}

/** Amounts must be exact in the market's decimals, and an order at least its minimum. */
export function checkAmounts(pair: PairConfig, market: Market, changes: PairOverrides): void {
  const quantity = changes.quantity ?? pair.quantity;
  try {
    const smallest = market.minBaseLots;
    if (parseLots(quantity, market.sizeDecimals) < smallest) {
      throw new RangeError(`${quantity} is below the market's minimum, ${smallest} × 10^-${market.sizeDecimals}`);
    }
    parseLots(pair.maxPosition, market.sizeDecimals);
  } catch (error) {
    throw new CommandError(`amounts of ${market.symbol}: ${reasonOf(error)}`);
  }
}

/** A market that exists but has no lanes of its own cannot be quoted. */
export function pairOf(config: Config, symbol: string): PairConfig {
  const pair = config.pairs.find(({ market }) => market === symbol);
  if (pair !== undefined) return pair;
  const configured = config.pairs.map(({ market }) => market).join(', ');
  throw new CommandError(
    `${symbol} has no entry under \`pairs\` (there: ${configured}): every pair needs lanes of its own`,
  );
}
