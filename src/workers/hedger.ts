/**
 * The hedger process: B's keys, the workflows, the hedge activities, the desk, the subscriber of notices. Wiring only.
 */
import { Worker } from '@temporalio/worker';
import { FailingRuns } from '../auditor/failing-runs';
import { LedgerAuditor } from '../auditor/ledger-auditor';
import { PositionAuditor } from '../auditor/position-auditor';
import { createHedgeActivities, type AlertInput } from '../activities/hedge-activities';
import { loadNoticeSecret, type Config } from '../config';
import { Desk } from '../desk/desk';
import { rehearseHedge } from '../desk/rehearsal';
import { ORDERS_QUEUE } from '../domain/messages';
import { opposite } from '../domain/records';
import type { ExchangePort, SelfTradeRule } from '../exchange/port';
import { NoticePublisher } from '../notifications/publisher';
import { NoticeSubscriber } from '../notifications/subscriber';
import { startObservability, type AlertKind, type Observability } from '../observability';
import { openSide } from './account';
import { wallClock } from './clock';
import { hedgeNotice, observeStages } from './confirmation';
import { deskEvents } from './desk-events';
import { checkKeys } from './keys';
import { opening, type Opened } from './opened';
import {
  AUDIT_EVERY_MS,
  installRuntime,
  LEDGERS_EVERY_MS,
  startWorker,
  type RunningProcess,
  type WorkerProcessOptions,
} from './process';
import { preferFastPath } from './priority';
import { connectTemporal, workflowSource } from './temporal';

/** Free margin asked for before quoting, in basis points of the order's value: 20x leverage and as much again. */
const MARGIN_BPS = 1_000;
/** After `force_close_timeout` a hedge is stuck and alerted; an order that says for this much longer that it hedges explains nothing. */
const HEDGE_GRACE_MS = 10_000;
/** The server says so some 20 s after the first failure; within a minute a person must know. */
const FAILING_RUNS_EVERY_MS = 15_000;
const OWNER_RETRY_MS = 1_000;
const OWNER_TRIES = 60;

export function runHedger(config: Config, options: WorkerProcessOptions): Promise<RunningProcess> {
  return opening((opened) => start(config, options, opened));
}

async function start(config: Config, options: WorkerProcessOptions, opened: Opened): Promise<RunningProcess> {
  const observability = await startObservability({
    process: 'hedger',
    version: options.version,
    host: config.metrics.host,
    port: config.metrics.hedgerPort,
    ...(options.logLevel === undefined ? {} : { level: options.logLevel }),
    ...(config.alerts.webhookUrl === undefined ? {} : { webhookUrl: config.alerts.webhookUrl }),
  });
  opened.add(observability, (it) => it.close());
  const { logger, metrics } = observability;
  installRuntime(logger);
  const side = await openSide({ opened, config, role: 'hedge', env: options.env, observability });
  const { exchange, account } = side;
  const selfTrade = await selfTradeRule(exchange, config);
  const desk = new Desk({
    account,
    sealBy: 'cancel-all',
    ...(selfTrade ? { selfTrade } : {}),
    now: wallClock,
    events: deskEvents({ account: 'hedge', observability }),
  });
  opened.add(desk, (it) => it.close());
  const redis = config.redis.enabled
    ? { url: config.redis.url, noticeSecret: loadNoticeSecret(config, options.env) }
    : undefined;
  const subscriber = new NoticeSubscriber({
    redis,
    onState: (state) => metrics.redisLive.set(state === 'live' ? 1 : 0),
    onRefused: (reason) => metrics.noticesRefused.inc({ reason }),
    onRehearsal: () => void rehearseHedge().catch(() => undefined),
    fills: {
      account: config.accounts.maker.index,
      handle: (notice) => {
        const receivedAtMs = wallClock();
        desk.raise({
          orderId: notice.orderId,
          marketId: notice.marketId,
          side: opposite(notice.side),
          fillLots: notice.filledLots,
        });
        metrics.noticesReceived.inc();
        metrics.noticeTransit.observe(Math.max(0, receivedAtMs - notice.sentAtUs / 1_000) / 1_000);
      },
    },
  });
  opened.add(subscriber, (it) => it.close());
  const publisher = opened.add(new NoticePublisher({ redis }), (it) => it.close());
  const temporal = opened.add(await connectTemporal(config), (it) => it.close());
  const refusedLanes = new Set<number>(); // filled once the keys are checked, before the worker takes any task
  const activities = createHedgeActivities({
    desk,
    account,
    exchange,
    client: temporal.client,
    makerAccount: config.accounts.maker.index,
    refusedLanes,
    marginBps: MARGIN_BPS,
    clockSkewMsMax: config.safety.clockSkewMsMax,
    acknowledge: (result) => {
      metrics.orders.inc({ market: result.market, hedge_state: result.hedge_state });
      observeStages(metrics, result);
      const notice = hedgeNotice(result, { hedgeAccount: account.accountIndex, markets: side.markets });
      if (notice) publisher.publishHedge(notice);
    },
    alert: (alert) => raise(observability, alert),
    now: wallClock,
  });
  for (const { market } of config.pairs) {
    const id = side.markets.find((m) => m.symbol === market)?.marketId;
    if (id !== undefined) void exchange.whenBook(id).catch(() => undefined); // for flatten's price
  }
  const { raiseAlert } = observability;
  const [refused] = await Promise.all([
    checkKeys({ config, role: 'hedge', account, logger, raiseAlert }),
    account.stream.whenLive(),
  ]);
  for (const lane of refused) refusedLanes.add(lane);
  const worker = await Worker.create({
    connection: temporal.native,
    namespace: config.temporal.namespace,
    taskQueue: ORDERS_QUEUE,
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
  const auditing = {
    client: temporal.reader,
    makerAccount: config.accounts.maker.index,
    markets: side.markets.filter((market) => config.pairs.some((pair) => pair.market === market.symbol)),
    raiseAlert,
    now: wallClock,
  };
  const everyMs = options.auditEveryMs ?? AUDIT_EVERY_MS;
  const positions = new PositionAuditor({
    ...auditing,
    exchange,
    hedgeAccount: config.accounts.hedge.index,
    health: observability.health.part('auditor', { staleAfterMs: 12 * everyMs }),
    onExposure: (market, amount) =>
      amount === undefined ? metrics.exposure.remove({ market }) : metrics.exposure.set({ market }, amount),
    everyMs,
    hedgeMsMax: config.hedge.forceCloseTimeoutMs + HEDGE_GRACE_MS,
  });
  const ledgers = new LedgerAuditor({ ...auditing, account, role: 'hedge', everyMs: LEDGERS_EVERY_MS });
  const failing = new FailingRuns({ ...auditing, logger, everyMs: FAILING_RUNS_EVERY_MS });
  for (const auditor of [positions, ledgers, failing]) opened.add(auditor, (it) => it.close()).start();
  await preferFastPath(config, logger);
  logger.info({ account: account.accountIndex, lanes: account.lanes.length }, 'the hedger is ready');
  return startWorker({ worker, observability, opened });
}

/** Our two accounts must not trade with each other: by the exchange's rule if they share an owner, else only if that is accepted. */
async function selfTradeRule(exchange: ExchangePort, config: Config): Promise<SelfTradeRule | undefined> {
  const { maker, hedge, selfTrade } = config.accounts;
  const [a, b] = [await readOwner(exchange, maker.index), await readOwner(exchange, hedge.index)];
  if (a === b) return { behaviour: 'expire-maker', compare: 'master' };
  if (selfTrade === 'accept') return undefined;
  throw new Error(
    `accounts ${maker.index} and ${hedge.index} have different owners, so the exchange cannot keep them from trading with each other: ` +
      'use two accounts of one owner, or set accounts.self_trade: accept',
  );
}

/** A hedger that restarts has fills to hedge: one read that fails must not keep it from starting. */
async function readOwner(exchange: ExchangePort, accountIndex: number): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const owner = await exchange.ownerOf(accountIndex);
    if (owner.ok) return owner.value;
    if (attempt >= OWNER_TRIES)
      throw new Error(`the owner of account ${accountIndex} could not be read: ${owner.reason}`);
    await new Promise((resolve) => setTimeout(resolve, OWNER_RETRY_MS));
  }
}

const ALERTS: Readonly<Record<AlertInput['kind'], AlertKind>> = {
  stuck: 'hedge-stuck',
  abandoned: 'exposure-left',
  pair: 'exposure-left',
  contradiction: 'books-differ',
};

function raise({ raiseAlert }: Observability, alert: AlertInput): void {
  const kind = ALERTS[alert.kind];
  raiseAlert({ kind, what: alert.what, next: alert.next, orderId: alert.order_id });
}
