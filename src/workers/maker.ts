/**
 * The maker process: A's keys, the maker activities, the listener on A's stream, the dead-man's switch. Wiring only.
 *
 * Order of the start: which lanes to hear → subscribe → snapshot (the listener hears it) → then quote (S-08). Cancels, closes and the
 * dead-man's switch wait for none of it.
 */
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { systemClock } from '../clock';
import { LedgerAuditor } from '../audit/ledger-auditor';
import { createMakerActivities } from '../activities/maker-activities';
import type { Config, PairConfig } from '../config';
import { Canceller } from '../quoting/canceller';
import { DeadMan } from '../quoting/dead-man';
import { Executor } from '../hedging/executor';
import { sealByCancelOrder } from '../hedging/seals';
import { quoteCost, RequestBudget } from '../domain/budget';
import type { Market } from '../domain/records';
import { TemporalSignalSink } from '../fills/temporal-sink';
import { NoticePublisher } from '../notices/publisher';
import type { Observability } from '../observability';
import { warmUpMaker } from '../warm-up/maker';
import { openAccount, openExchange, readMarkets, type ExchangeSide } from './account';
import { executorEvents } from './executor-events';
import { checkKeys } from './keys';
import { HedgerWatch } from './hedger-watch';
import { HeardLanes } from './lanes';
import { keyProofs } from './key-proofs';
import { openOrders } from './open-orders';
import { opening, type Opened } from './opened';
import { misaddressed } from './misaddressed';
import { lanesOfOpenOrders, otherLanes, pairInput, startPair, type PairOverrides } from './pairs';
import {
  LEDGERS_EVERY_MS,
  observe,
  redisOf,
  startWorker,
  type RunningProcess,
  type WorkerProcessOptions,
} from './process';
import { accountsOf, identityOf, queueOf, rejectStrangers } from './peers';
import { preferOnSingleMachine } from './single-machine';
import { startListener } from './start-listener';
import { heardInTime, tooLate } from './start-up';
import { connectTemporal } from './temporal';

export interface MakerOptions extends WorkerProcessOptions {
  /** Markets whose pairs are started or joined; default: every pair of the configuration. */
  readonly markets?: readonly string[];
  readonly pair?: PairOverrides;
}

/** While the exchange limits us; what waits costs no request. */
const LIMITED_RETRY_MS = 5_000;

export function runMaker(config: Config, options: MakerOptions): Promise<RunningProcess> {
  return opening((opened) => start(config, options, opened));
}

async function start(config: Config, options: MakerOptions, opened: Opened): Promise<RunningProcess> {
  const observability = await observe('maker', config, options, opened);
  const { logger } = observability;
  const temporal = opened.add(await connectTemporal(config), (it) => it.close());
  const accounts = accountsOf(config);
  await rejectStrangers({ client: temporal.reader, role: 'maker', accounts, logger });
  const others = await Promise.all(
    config.pairs.map((pair) => readOtherLanes({ config, pair, client: temporal.client, logger })),
  );
  const open = await lanesOfOpenOrders(temporal.client, accounts.maker).catch((error: unknown) => {
    logger.error(
      { error: String(error) },
      'the open orders could not be listed: fills of one on a lane that the configuration does not name are found by its time-out only',
    );
    return [];
  });
  const opening = { opened, config, role: 'maker', env: options.env, observability } as const;
  const exchange = openExchange(opening);
  const markets = await readMarkets(exchange, config, observability); // without them the listener understands no fill
  const account = openAccount(exchange, opening);
  const side = { exchange, account, markets };
  const redis = redisOf(config, options.env);
  const publisher = new NoticePublisher({
    redis,
    onState: (state) => observability.metrics.redisLive.set(state === 'live' ? 1 : 0),
  });
  opened.add(publisher, (it) => it.close());
  const sink = new TemporalSignalSink({
    connection: config.temporal.connection,
    namespace: config.temporal.namespace,
    identity: `maker ${process.pid}`,
  });
  opened.add(sink, (it) => it.close());
  const heard = new HeardLanes(logger);
  for (const pair of config.pairs) heard.addConfigured(marketOf(side.markets, pair.market), pair);
  for (const { market, lanes } of others) heard.addOthers(marketOf(side.markets, market), lanes);
  for (const { symbol, lane } of open) {
    const market = side.markets.find((m) => m.symbol === symbol);
    if (market) heard.addOthers(market, [lane]);
  }
  const canceller = new Canceller({ account, lane: config.cancelLane, clock: systemClock });
  const hedger = opened.add(
    new HedgerWatch({
      makerAccount: account.accountIndex,
      markets: side.markets,
      pairs: config.pairs.map(({ market }) => market),
      started: pairsOf(config, options).map(({ market }) => market),
      redis,
      client: temporal.reader,
      stream: account.stream,
      canceller,
      observability,
      clock: systemClock,
    }),
    (it) => it.close(),
  );
  opened.add(startListener({ config, side, heard, publisher, sink, observability, hedger }), (it) => it.close());
  const deadMan = opened.add(startSwitch({ config, side, canceller, observability, hedger }), (it) => it.stop());
  const proofs = opened.add(
    keyProofs({
      config,
      role: 'maker',
      account,
      observability,
      marketId: () => side.markets[0]?.marketId,
      otherForm: () => ({ kind: 'cancel-all-at', atMs: deadMan.nextAtMs() }),
      running: openOrders(temporal.reader, accounts).running,
      clock: systemClock,
    }),
    (it) => it.close(),
  );
  const executor = new Executor({
    account,
    sealBy: sealByCancelOrder(() => deadMan.nextAtMs()),
    clock: systemClock,
    exchangeNow: () => exchange.exchangeNowMs(),
    events: executorEvents({
      account: 'maker',
      observability,
      onKeyRejected: (lane, reason) => proofs.doubt(lane, reason),
    }),
  });
  opened.add(executor, (it) => it.close());
  const { perMinute, counts, makerShare, reserve } = config.requestBudget;
  const budget = new RequestBudget({ perMinute: perMinute * makerShare, reserve }, systemClock.monotonicMs());
  const activities = createMakerActivities({
    accounts,
    onRejected: misaddressed(observability.raiseAlert),
    executor,
    account,
    exchange,
    canceller,
    deadMan,
    hedger,
    clockSkewMsMax: config.safety.clockSkewMsMax,
    keyRejection: (lane) => proofs.rejection(lane),
    onDeadLane: ({ orderId, lane, what }) => {
      proofs.doubt(lane, what);
      observability.raiseAlert({
        kind: 'key-rejected',
        what,
        next: `Nothing of this order rests, and its lane quotes no more. Register a new key for API key ${lane} of account A, or take the lane out of the pair.`,
        orderId: orderId.toString(),
      });
    },
    mayQuote: () => {
      const reason = exchange.backingOff();
      if (reason !== undefined) return { ok: false, reason, retryAfterMs: LIMITED_RETRY_MS };
      return budget.tryTake(quoteCost(counts), systemClock.monotonicMs());
    },
    hear: (market, lane) => heard.takeUp(market, lane),
    clock: systemClock,
  });
  const { raiseAlert } = observability;
  const live = account.stream.whenLive();
  const keys = checkKeys({ config, role: 'maker', account, logger, raiseAlert });
  const worker = await Worker.create({
    connection: temporal.native,
    namespace: config.temporal.namespace,
    taskQueue: queueOf('maker', accounts),
    identity: identityOf('maker', accounts),
    activities,
    // Beats are sent every 200 ms; the engine would else hold them back to 800 of a time-out of 1 000.
    maxHeartbeatThrottleInterval: '200ms',
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 },
    maxConcurrentActivityTaskExecutions: 2_000,
    shutdownGraceTime: '5s',
  });
  const ledgers = new LedgerAuditor({
    account,
    role: 'maker',
    client: temporal.reader,
    makerAccount: config.accounts.maker.index,
    markets: side.markets,
    raiseAlert,
    clock: systemClock,
    everyMs: LEDGERS_EVERY_MS,
  });
  opened.add(ledgers, (it) => it.close()).start();
  // Cancels and closes need neither keys that are checked nor a stream that is live; quotes need both, and ask.
  const running = startWorker({ worker, observability, opened });
  try {
    await heardInTime([keys, live], tooLate(raiseAlert));
    deadMan.start();
    void proofs.start();
    await startPairs({ config, options, side, heard, client: temporal.client, logger });
  } catch (error) {
    await running.stop();
    throw error;
  }
  const warmth = { redis, makerAccount: accounts.maker, everyMs: config.fastPath.warmUpEveryMs };
  opened.add(warmUpMaker(warmth), (it) => it.close());
  await preferOnSingleMachine(config, logger);
  logger.info({ account: account.accountIndex }, 'the maker is ready');
  return running;
}

/** The pairs that this process starts or joins. */
function pairsOf(config: Config, { markets }: MakerOptions): readonly PairConfig[] {
  return config.pairs.filter(({ market }) => markets?.includes(market) !== false);
}

async function startPairs(input: {
  readonly config: Config;
  readonly options: MakerOptions;
  readonly side: ExchangeSide;
  readonly heard: HeardLanes;
  readonly client: Client;
  readonly logger: Observability['logger'];
}): Promise<void> {
  const { config, options, side, heard, client, logger } = input;
  for (const pair of pairsOf(config, options)) {
    const market = marketOf(side.markets, pair.market);
    void side.exchange.whenBook(market.marketId).catch(() => undefined);
    const how = await startPair(client, pairInput(config, pair, market, options.pair));
    // It may have been started since its lanes were read.
    if (how === 'joined') heard.addOthers(market, (await readOtherLanes({ config, pair, client, logger })).lanes);
    logger.info(
      { market: pair.market },
      how === 'started' ? 'the pair is started' : 'the pair runs already; joined it with its own settings',
    );
  }
}

/** Lanes of a pair that runs already, read before the stream is opened: its first snapshot may hold a fill on one of them (S-08). */
async function readOtherLanes(input: {
  readonly config: Config;
  readonly pair: PairConfig;
  readonly client: Client;
  readonly logger: Observability['logger'];
}): Promise<{ readonly market: string; readonly lanes: readonly number[] }> {
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

function startSwitch(input: {
  readonly config: Config;
  readonly side: ExchangeSide;
  readonly canceller: Canceller;
  readonly observability: Observability;
  readonly hedger: HedgerWatch;
}): DeadMan {
  const { config, side, observability } = input;
  const part = observability.health.part("dead-man's switch", { staleAfterMs: config.safety.deadManMs / 2 });
  return new DeadMan({
    account: side.account,
    canceller: input.canceller,
    lane: config.cancelLane,
    aheadMs: config.safety.deadManMs,
    exchangeNow: () => side.exchange.exchangeNowMs(),
    mayRenew: () => input.hedger.mayRenewSwitch,
    onRenewal: (result, reason) => {
      if (result === 'confirmed') {
        part.ok();
        return;
      }
      observability.logger.warn({ reason }, "the dead-man's switch was not renewed");
      observability.raiseAlert({
        kind: 'switch-not-renewed',
        what: `the dead-man's switch of account A was not renewed: ${reason ?? 'no answer'}`,
        next: 'New quotes wait for it. If it lasts, check the cancel lane key and the exchange.',
      });
    },
  });
}

function marketOf(markets: readonly Market[], symbol: string): Market {
  const market = markets.find((m) => m.symbol === symbol);
  if (!market) throw new Error(`unknown market ${symbol}`);
  return market;
}
