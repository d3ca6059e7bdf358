/** Where the console's facts come from: what the other commands read too. Each question has a deadline. */
import { Client, Connection } from '@temporalio/client';
import type { Config } from '../../config';
import type { ProcessPlace, Sources, ToldAlert, Touch } from '../../console/sources';
import { holdOf, limitsNow } from '../../domain/day-limits';
import { formatDecimal } from '../../domain/lots';
import type { PairStatus } from '../../domain/pair-status';
import type { Market } from '../../domain/records';
import type { ExchangePort } from '../../exchange/port';
import type { HealthReport, RootLogger } from '../../observability';
import { CommandError, openExchange } from '../context';
import { listOrders } from '../order-list';
import { runningPairs } from '../../temporal/pairs';
import { accountsOf, freshPollers, queueOf } from '../../workers/peers';
import { limitsStatus } from '../limits-command';
import { NotRunningError, pairState } from '../pair-client';
import { OrderFeed } from '../up/order-feed';
import { fillOf, OpenOrders } from './orders';

const DEADLINE_MS = 5_000;
/** So far back the list of fills begins. */
const BEGIN_MS = 10 * 60_000;
const MARKETS_AGAIN_MS = 60_000;

export interface OpenedSources {
  readonly sources: Sources;
  /** Somebody's name goes into the history with what he does. */
  readonly client: (identity?: string) => Client;
  close(): Promise<void>;
}

/** Opens nothing that it waits for: what is not there yet is unread, and asked again. */
export function openSources(config: Config, logger: Pick<RootLogger, 'warn'>): OpenedSources {
  const connection = Connection.lazy({ ...config.temporal.connection, connectTimeout: DEADLINE_MS });
  const { namespace } = config.temporal;
  const client = (identity?: string): Client =>
    new Client({ connection, namespace, ...(identity === undefined ? {} : { identity }) });
  const reader = client();
  const within = <T>(ask: () => Promise<T>): Promise<T> => connection.withDeadline(Date.now() + DEADLINE_MS, ask);
  const makerAccount = config.accounts.maker.index;
  const books = new Books(config, logger);
  const open = new OpenOrders(reader, makerAccount, (market) => books.touch(market));
  const ended: Awaited<ReturnType<Sources['endedOrders']>>[number][] = [];
  const feed = new OrderFeed({
    ...{ client: reader, makerAccount, sinceMs: Date.now() - BEGIN_MS },
    onOrder: (order) => ended.push({ orderId: order.orderId, fill: fillOf(order) }),
  });
  const sources: Sources = {
    openOrders: () => within(() => open.read()),
    async endedOrders() {
      await within(() => feed.read());
      return ended.splice(0);
    },
    leftNaked: () => within(async () => leftNaked(reader, makerAccount)),
    runningPairs: () => runningPairs(reader, makerAccount),
    async pair(market) {
      try {
        return (await pairState(reader, makerAccount, market, DEADLINE_MS)) as PairStatus;
      } catch (error) {
        if (error instanceof NotRunningError) return undefined;
        throw error;
      }
    },
    async limits() {
      const { limits: bounds } = config;
      if (bounds === undefined) return undefined;
      const status = await limitsStatus(reader, config, DEADLINE_MS);
      const nowMs = Date.now();
      const limits = limitsNow(status, bounds, nowMs).map((limit) => [limit.name, limit] as const);
      const notQuoting = holdOf(status, bounds, nowMs)?.text ?? '';
      return { state: 'read', notQuoting, limits: Object.fromEntries(limits) };
    },
    touch: (market) => books.touch(market),
    sizeDecimals: (market) => books.find(market)?.sizeDecimals,
    workers: () =>
      within(async () => ({
        hedger: await workersOf(reader, queueOf('hedger', accountsOf(config))),
        maker: await workersOf(reader, queueOf('maker', accountsOf(config))),
      })),
    health: async (place) => (await page(place, 'health')).json() as Promise<HealthReport>, // 503 says which part
    alerts: async (place) => (await page(place, 'alerts')).json() as Promise<ToldAlert[]>,
    metrics: async (place) => (await page(place, 'metrics')).text(),
  };
  return {
    sources,
    client,
    async close() {
      await books.close();
      await connection.close();
    },
  };
}

async function leftNaked(client: Client, makerAccount: number) {
  const orders = await listOrders(client, { makerAccount, state: 'closed', hedgeState: 'abandoned', limit: 20 });
  return Object.fromEntries(
    orders.map(({ orderId, result, closedMs: _, status: __, ...order }) => [
      orderId,
      { ...order, ...(result === undefined ? {} : { why: result.reason }) },
    ]),
  );
}

/** `4711@host`: their names say for which accounts too, and those are ours. */
async function workersOf(client: Client, queue: string): Promise<readonly string[]> {
  const names = await freshPollers(client, queue);
  return [...new Set(names.map((name) => name.split(' ').at(-1) ?? name))].sort();
}

function page({ url }: ProcessPlace, name: string): Promise<Response> {
  return fetch(`${url}/${name}`, { signal: AbortSignal.timeout(DEADLINE_MS) });
}

/** Live books of the pairs, and of markets that are asked for: one connection, and one request for the list of markets. */
class Books {
  readonly #config: Config;
  readonly #logger: Pick<RootLogger, 'warn'>;
  readonly #timer: NodeJS.Timeout;
  #exchange: ExchangePort | undefined;
  #markets: readonly Market[] = [];

  constructor(config: Config, logger: Pick<RootLogger, 'warn'>) {
    this.#config = config;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.#open(), MARKETS_AGAIN_MS);
    this.#timer.unref();
    void this.#open();
  }

  find(symbol: string): Market | undefined {
    return this.#markets.find((market) => market.symbol === symbol);
  }

  touch(symbol: string): Touch | undefined {
    const market = this.find(symbol);
    const book = market && this.#exchange?.book(market.marketId);
    const [bid, ask] = [book?.bids[0], book?.asks[0]];
    if (market === undefined || bid === undefined || ask === undefined) return undefined;
    return {
      bid: formatDecimal(bid.priceTicks, market.priceDecimals),
      ask: formatDecimal(ask.priceTicks, market.priceDecimals),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#exchange?.close();
  }

  async #open(): Promise<void> {
    if (this.#markets.length > 0) return;
    try {
      this.#exchange ??= openExchange(this.#config);
      const read = await this.#exchange.markets();
      if (!read.ok) throw new CommandError(read.reason);
      this.#markets = read.value;
      for (const { market } of this.#config.pairs) this.touch(market); // opens its book
    } catch (error) {
      this.#logger.warn(
        { reason: String(error) },
        'the markets could not be read: no distance from the touch is shown',
      );
    }
  }
}
