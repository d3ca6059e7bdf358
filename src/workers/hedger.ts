/**
 * The hedger process: B's keys, the workflows, the hedge activities, the executor, the subscriber of notices. Wiring only.
 */
import { Worker } from '@temporalio/worker';
import { systemClock } from '../clock';
import { BooksTeller } from '../audit/books-teller';
import { FailingRuns } from '../audit/failing-runs';
import { LedgerAuditor } from '../audit/ledger-auditor';
import { PositionAuditor } from '../audit/position-auditor';
import { Arming } from '../activities/arming';
import { createHedgeActivities } from '../activities/hedge-activities';
import { ConfigError, type Config } from '../config';
import { Executor } from '../hedging/executor';
import { onFill } from '../hedging/on-fill';
import { sealByCancelAll } from '../hedging/seals';
import type { OrderId } from '../domain/ids-and-nonces';
import type { Market } from '../domain/records';
import type { ExchangePort, SelfTradeRule } from '../exchange/port';
import { TemporalSignalSink } from '../fills/temporal-sink';
import { NoticePublisher } from '../notices/publisher';
import { NoticeSubscriber } from '../notices/subscriber';
import { WatchWire } from '../notices/watch';
import type { Observability } from '../observability';
import { warmUpHedger } from '../warm-up/hedger';
import { checkMarkets, openAccount, openExchange } from './account';
import { alertOf } from './alert-of';
import { hedgeNotice, observeStages } from './confirmation';
import { executorEvents } from './executor-events';
import { checkKeys } from './keys';
import { MakerWatch } from './maker-watch';
import { keyProofs } from './key-proofs';
import { openOrders } from './open-orders';
import { opening, type Opened } from './opened';
import {
  AUDIT_EVERY_MS,
  LEDGERS_EVERY_MS,
  observe,
  redisOf,
  startWorker,
  type RunningProcess,
  type WorkerProcessOptions,
} from './process';
import { accountsOf, identityOf, queueOf, rejectStrangers } from './peers';
import { preferOnSingleMachine } from './single-machine';
import { heardInTime, readInTheEnd, tooLate } from './start-up';
import { misaddressed } from './misaddressed';
import { connectTemporal, workflowSource } from './temporal';

/** After `force_close_timeout` a hedge is stuck and alerted; an order that says for this much longer that it hedges explains nothing. */
const HEDGE_GRACE_MS = 10_000;
/** The server says so some 20 s after the first failure; within a minute a person must know. */
const FAILING_RUNS_EVERY_MS = 15_000;

export function runHedger(config: Config, options: WorkerProcessOptions): Promise<RunningProcess> {
  return opening((opened) => start(config, options, opened));
}

async function start(config: Config, options: WorkerProcessOptions, opened: Opened): Promise<RunningProcess> {
  const observability = await observe('hedger', config, options, opened);
  const { logger, metrics } = observability;
  const { raiseAlert } = observability;
  const unneeded = opened.add(new AbortController(), (it) => it.abort());
  const reading = { signal: unneeded.signal, logger };
  const opening = { opened, config, role: 'hedge', env: options.env, observability } as const;
  const exchange = openExchange(opening);
  let markets: readonly Market[] = [];
  const listed = readInTheEnd('the markets', () => exchange.markets(), reading).then((read = []) => (markets = read));
  const account = openAccount(exchange, opening);
  const proving = { doubt: (_lane: number, _reason: string): void => undefined };
  const events = executorEvents({
    account: 'hedge',
    observability,
    onKeyRejected: (lane, reason) => proving.doubt(lane, reason),
  });
  const executor = new Executor({
    account,
    sealBy: sealByCancelAll,
    selfTrade: SELF_TRADE,
    clock: systemClock,
    exchangeNow: () => exchange.exchangeNowMs(),
    events: {
      ...events,
      resolved: (at) => {
        events.resolved?.(at);
        acknowledge(at.ticket.orderId);
      },
    },
  });
  opened.add(executor, (it) => it.close());
  const redis = redisOf(config, options.env);
  const watching: { maker?: MakerWatch } = {};
  const subscriber = new NoticeSubscriber({
    redis,
    onState: (state) => metrics.redisLive.set(state === 'live' ? 1 : 0),
    onRejected: (reason) => metrics.noticesRejected.inc({ reason }),
    fills: {
      account: config.accounts.maker.index,
      handle: (notice) => {
        const receivedAtMs = systemClock.epochMs();
        const raised = onFill(executor, notice);
        acknowledge(notice.orderId);
        // A notice that this executor cannot act on leaves the fill open: the order's workflow is asked about it.
        if (raised === 'raised') watching.maker?.told(notice.orderId, notice.filledLots);
        metrics.noticesReceived.inc();
        metrics.noticeTransit.observe(Math.max(0, receivedAtMs - notice.sentAtUs / 1_000) / 1_000);
      },
    },
  });
  opened.add(subscriber, (it) => it.close());
  opened.add(warmUpHedger({ redis, makerAccount: config.accounts.maker.index }), (it) => it.close());
  const wire = new WatchWire({
    redis,
    makerAccount: config.accounts.maker.index,
    as: 'hedger',
    onMessage: (message) => {
      if (message.kind === 'ask') wire.send({ ...message, kind: 'alive' });
    },
  });
  opened.add(wire, (it) => it.close());
  /** Not in the way of the hedge itself. */
  const acknowledge = (orderId: OrderId): void => {
    setImmediate(() => {
      const known = executor.known(orderId);
      if (known) wire.send({ kind: 'heard', orderId, ...known });
    });
  };
  const publisher = opened.add(new NoticePublisher({ redis }), (it) => it.close());
  const temporal = opened.add(await connectTemporal(config), (it) => it.close());
  const unknown = new Set(['whether the exchange takes the keys of account B', 'who owns the two accounts']);
  const accounts = accountsOf(config);
  await rejectStrangers({ client: temporal.reader, role: 'hedger', accounts, logger });
  const signals = new TemporalSignalSink({
    connection: config.temporal.connection,
    namespace: config.temporal.namespace,
    identity: `hedger ${process.pid}`,
  });
  opened.add(signals, (it) => it.close());
  const makerWatch = new MakerWatch({
    makerAccount: config.accounts.maker.index,
    markets: () => markets,
    exchange,
    executor,
    client: temporal.reader,
    signals,
    observability,
    clock: systemClock,
  });
  watching.maker = opened.add(makerWatch, (it) => it.close());
  let positions: PositionAuditor | undefined;
  const open = openOrders(temporal.reader, accounts);
  const proofs = opened.add(
    keyProofs({
      config,
      role: 'hedge',
      account,
      observability,
      marketId: () => markets[0]?.marketId,
      otherForm: () => ({ kind: 'cancel-all-now' }),
      running: open.running,
      clock: systemClock,
    }),
    (it) => it.close(),
  );
  proving.doubt = (lane, reason) => proofs.doubt(lane, reason);
  const arming = new Arming({
    executor,
    account,
    exchange,
    proofs,
    notReady: () => {
      const [first] = unknown;
      return first === undefined ? exchange.backingOff() : `it is not known yet ${first}`;
    },
    openOrders: open,
    clockSkewMsMax: config.safety.clockSkewMsMax,
    clock: systemClock,
  });
  opened.add(arming, (it) => it.close());
  const activities = createHedgeActivities({
    executor,
    arming,
    account,
    exchange,
    client: temporal.client,
    accounts,
    onRejected: misaddressed(observability.raiseAlert),
    acknowledge: (result) => {
      metrics.orders.inc({ market: result.market, hedge_state: result.hedge_state });
      observeStages(metrics, result);
      const notice = hedgeNotice(result, { hedgeAccount: account.accountIndex, markets });
      if (notice) publisher.publishHedge(notice);
    },
    alert: (alert) => raiseAlert(alertOf(alert)),
    books: (market) => positions?.state(market) ?? { state: 'unknown' },
    clock: systemClock,
  });
  const keys = checkKeys({ config, role: 'hedge', account, logger, raiseAlert }).then(() => {
    unknown.delete('whether the exchange takes the keys of account B');
  });
  const owners = checkOwners(exchange, config, reading).then(() => unknown.delete('who owns the two accounts'));
  const worker = await Worker.create({
    connection: temporal.native,
    namespace: config.temporal.namespace,
    taskQueue: queueOf('hedger', accounts),
    identity: identityOf('hedger', accounts),
    ...workflowSource(),
    activities,
    stickyQueueScheduleToStartTimeout: '1s',
    // Beats are sent every 200 ms; the engine would else hold them back to 800 of a time-out of 1 000.
    maxHeartbeatThrottleInterval: '200ms',
    // Every waiting poll of a frozen worker swallows one task for its whole time-out. Two of these twenty are not sticky, so an order
    // loses three workflow tasks of 2 s at most: its last one here, and two more. With five, tasks waited for a poll, and were written
    // to the queue's table first, from 15 orders a second on.
    workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 20 },
    nonStickyToStickyPollRatio: 0.1,
    // An order holds one of each for up to 1.5 s when arming hangs: that must not hold up the others.
    maxConcurrentWorkflowTaskExecutions: 500,
    maxConcurrentLocalActivityExecutions: 500,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
    maxConcurrentActivityTaskExecutions: 2_000,
    shutdownGraceTime: '5s',
  });
  // Hedges need none of the rest: neither lists nor a stream that is live, nor keys that are checked. `arm` asks for all of it.
  const running = startWorker({ worker, observability, opened });
  const auditing = {
    client: temporal.reader,
    makerAccount: config.accounts.maker.index,
    raiseAlert,
    clock: systemClock,
  };
  const audited = listed.then(() => {
    if (unneeded.signal.aborted) return;
    checkMarkets(markets, config);
    const quoted = markets.filter((market) => config.pairs.some((pair) => pair.market === market.symbol));
    for (const { marketId } of quoted) void exchange.whenBook(marketId).catch(() => undefined); // for flatten's price
    const everyMs = options.auditEveryMs ?? (config.requestBudget.counts === 'requests' ? 2 : 1) * AUDIT_EVERY_MS;
    const teller = new BooksTeller(auditing);
    positions = new PositionAuditor({
      ...auditing,
      markets: quoted,
      allMarkets: markets,
      onBooks: (market, books) => void teller.tell(market, books),
      exchange,
      hedgeAccount: config.accounts.hedge.index,
      health: observability.health.part('auditor', { staleAfterMs: 12 * everyMs }),
      onExposure: (market, amount) =>
        amount === undefined ? metrics.exposure.remove({ market }) : metrics.exposure.set({ market }, amount),
      everyMs,
      hedgeMsMax: config.hedge.forceCloseTimeoutMs + HEDGE_GRACE_MS,
    });
    const ledgers = new LedgerAuditor({
      ...auditing,
      markets: quoted,
      account,
      role: 'hedge',
      everyMs: LEDGERS_EVERY_MS,
    });
    for (const auditor of [positions, ledgers]) opened.add(auditor, (it) => it.close()).start();
  });
  opened.add(new FailingRuns({ ...auditing, logger, everyMs: FAILING_RUNS_EVERY_MS }), (it) => it.close()).start();
  try {
    await heardInTime([keys, owners, audited, account.stream.whenLive()], tooLate(raiseAlert));
  } catch (error) {
    await running.stop();
    throw error;
  }
  void proofs.start();
  await preferOnSingleMachine(config, logger);
  logger.info({ account: account.accountIndex, lanes: account.lanes.length }, 'the hedger is ready');
  return running;
}

/** Goes with every hedge: where the owners differ it meets nothing, so no hedge waits until they are known. */
const SELF_TRADE: SelfTradeRule = { behaviour: 'expire-maker', compare: 'master' };

/** Our two accounts must not trade with each other: the exchange keeps accounts of one owner apart, others only if that is accepted. */
async function checkOwners(
  exchange: ExchangePort,
  config: Config,
  how: { readonly signal: AbortSignal; readonly logger: Observability['logger'] },
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
