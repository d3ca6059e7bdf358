/**
 * The two kinds of process, put together from the real parts as src/workers does: executor, listener, canceller,
 * dead-man's switch and activities. Only their surroundings are simulated: exchange port, Temporal, Redis, clock.
 */
import type { Rejected } from '../../src/activities/accounts';
import { Arming } from '../../src/activities/arming';
import { createHedgeActivities } from '../../src/activities/hedge-activities';
import { createMakerActivities } from '../../src/activities/maker-activities';
import { createRebalanceActivities } from '../../src/activities/rebalance';
import { createTransferActivities } from '../../src/activities/transfer';
import { LedgerAuditor } from '../../src/audit/ledger-auditor';
import { MarginWatch } from '../../src/audit/margin-watch';
import { PairTeller } from '../../src/audit/pair-teller';
import { PositionAuditor } from '../../src/audit/position-auditor';
import { Canceller } from '../../src/quoting/canceller';
import { DeadMan } from '../../src/quoting/dead-man';
import { Executor } from '../../src/hedging/executor';
import { sealByCancelAll, sealByCancelOrder } from '../../src/hedging/seals';
import {
  makerQueue,
  ordersQueue,
  type ArmResult,
  type ExecuteInput,
  type TicketMessage,
} from '../../src/domain/messages';
import type { Promised } from '../../src/activities/margin';
import type { OrderId } from '../../src/domain/ids-and-nonces';
import { lots, notional } from '../../src/domain/lots';
import { opposite, type Market } from '../../src/domain/records';
import type { ExchangePort, TradedSum } from '../../src/exchange/port';
import { Listener } from '../../src/fills/listener';
import type { SignalSink } from '../../src/fills/signal-sender';
import type { OutgoingNotice } from '../../src/notices/notice';
import type { Publication } from '../../src/notices/publisher';
import { alertOf } from '../../src/workers/alert-of';
import { executorEvents } from '../../src/workers/executor-events';
import { HedgerWatch } from '../../src/workers/hedger-watch';
import { sayingWhere } from '../../src/workers/maker-only';
import { MakerWatch } from '../../src/workers/maker-watch';
import { openGate, openWithdrawal } from '../../src/workers/quote-gate';
import type { AlertKind, Observability } from '../../src/observability';
import { readFrom, readState, SimAccount, type Surroundings } from './account';
import { within } from './activity-context';
import type { Halts } from './halts';
import { LIMITS } from './money';
import { recordOf } from './wire';
import type { TemporalServer, Worker } from './temporal';
import { clockOf, type Host } from './time';
import { WatchWire } from './watch-wire';
import { DEAD_MAN_MS } from './truth';
import { MARGIN_LIMITS } from './unwind-rules';
import { ACCOUNT_A, ACCOUNT_B, CANCEL_LANE, LANES, MARKET, MONEY_LANE, SPARE_LANES } from './venue';

export interface World extends Surroundings {
  /** What the market takes. */
  readonly halts: Halts;
  readonly temporal: TemporalServer;
  readonly hedgers: Set<Hedger>;
  readonly onDefect: (what: string) => void;
  readonly onAlert: (alert: Told) => void;
  readonly onArmed: (armed: Armed) => void;
  /** What an order may make B trade, as the start of its history says. */
  readonly promiseOf: (id: OrderId) => Promised | undefined;
  /** An order's own word that it is stuck has reached a person. */
  readonly onStuckSaid: (orderId: string) => void;
  /** What each process that lives shows as naked, in base units. */
  readonly gauges: Map<Host, number>;
  /** Whether makers and hedgers watch over each other in this run: their questions are many events. */
  readonly isWatched: boolean;
}

/** Somebody was told something; repeats are not folded. */
export interface Told {
  readonly host: Host;
  readonly kind: AlertKind;
  readonly what: string;
  readonly orderId: string | undefined;
}

/** A process answered that a ticket is armed. */
export interface Armed {
  readonly host: Host;
  readonly ticket: TicketMessage;
  readonly askedMs: number;
  /** Its clock's error when it was asked. */
  readonly skewMs: number;
  /** Whether its stream was live when it was asked, or is by now. */
  readonly isLive: boolean;
  /** What its stream had shown of each lane when it was asked. */
  readonly seen: ReadonlyMap<number, bigint>;
}

/** Readings of the auditors; as src/workers. */
const AUDIT_EVERY_MS = 5_000;
const LEDGERS_EVERY_MS = 15_000;
/** Its processors are busy, and free, for this long in turn. */
const BUSY_MS = 10_000;
/** The longest `force_close_timeout` of a run, and the grace of src/workers. */
const HEDGE_MS_MAX = 30_000;

interface Process {
  readonly host: Host;
  readonly account: SimAccount;
  readonly worker: Worker;
  /** Frees what the process held, once it is dead. */
  bury(): void;
}

export interface Maker extends Process {
  readonly kind: 'maker';
}

export interface Hedger extends Process {
  readonly kind: 'hedger';
  onNotice(notice: OutgoingNotice): void;
}

export function newHost(name: string, skewMs: number): Host {
  return { name, skewMs, state: 'up', isCutOff: false, held: [] };
}

export function startMaker(world: World, host: Host): Maker {
  const clock = clockOf(world.time, host);
  const observability = observe(world, host);
  const account = new SimAccount(ACCOUNT_A, [...LANES, ...SPARE_LANES, CANCEL_LANE], host, world);
  const listener = new Listener({
    stream: account.stream,
    registry: {
      makerAccount: ACCOUNT_A,
      lanes: new Map(
        LANES.map((lane) => [
          lane,
          {
            marketId: MARKET.marketId,
            sizeDecimals: MARKET.sizeDecimals,
            priceDecimals: MARKET.priceDecimals,
          },
        ]),
      ),
    },
    notices: { publishFills: (fills) => publish(world, fills) },
    signals: signalSink(world, host),
    clock,
    onFill: ({ orderId, record: { marketId, filledLots } }) => hedger?.filled({ orderId, marketId, filledLots }),
    onPoison: (error) => world.onDefect(`the listener could not handle a frame: ${String(error)}`),
  });
  const canceller = new Canceller({ account, lane: CANCEL_LANE, clock });
  const hedger = world.isWatched
    ? new HedgerWatch({
        makerAccount: ACCOUNT_A,
        markets: [OUR_MARKET],
        pairs: [MARKET.symbol],
        started: [MARKET.symbol],
        redis: undefined,
        client: world.temporal.clientOf(host),
        stream: account.stream,
        canceller,
        observability,
        clock,
      })
    : undefined;
  const exchangeNow = (): number => world.time.nowMs;
  const exchange = exchangePort(world, host);
  const deadMan = new DeadMan({
    account,
    canceller,
    lane: CANCEL_LANE,
    aheadMs: DEAD_MAN_MS,
    exchangeNow,
    mayRenew: () => hedger?.mayRenewSwitch ?? true,
  });
  const executor = new Executor({
    account,
    sealBy: sealByCancelOrder(() => deadMan.nextAtMs()),
    clock,
    exchangeNow,
    events: executorEvents({ account: 'maker', observability }),
  });
  const gate = openGate(
    {
      exchange,
      account,
      observability,
      config: { pairs: [{ market: MARKET.symbol }] as never, blackouts: [] },
      opened: { add: (it) => it },
    },
    [OUR_MARKET],
    openWithdrawal({ observability }, canceller, clock),
    clock,
  );
  const steps = createMakerActivities({
    accounts: { maker: ACCOUNT_A, hedge: ACCOUNT_B },
    onRejected: ({ step, given }) => world.onDefect(`${step} went to accounts ${given}`),
    executor,
    account,
    exchange,
    canceller,
    hedger: hedger ?? { hedges: () => Promise.resolve(true) },
    deadMan,
    gate,
    clockSkewMsMax: 1_000,
    onDeadLane: () => undefined,
    mayQuote: () => ({ ok: true }),
    watch: { asked: () => undefined, waitMs: () => 0 },
    hear: () => undefined,
    keyRejection: () => undefined,
    clock,
  });
  const isQuoteLane = (lane: number): boolean => world.venue.isMakerOnly && LANES.some((it) => it === lane);
  const money = world.faults.isMoney
    ? createTransferActivities({
        ...moneyOf(world, host),
        ...{ account, exchange, sealBy: sealByCancelOrder(() => deadMan.nextAtMs()) },
      })
    : {};
  const activities = { ...sayingWhere(steps, { has: isQuoteLane }), ...money };
  deadMan.start();
  const ledgers = new LedgerAuditor({
    ...auditing(world, host, observability),
    account,
    role: 'maker',
    everyMs: LEDGERS_EVERY_MS,
  });
  ledgers.start();
  const bury = (): void => {
    ledgers.close();
    gate.close();
    hedger?.close();
    deadMan.stop();
    void listener.close();
    executor.close();
  };
  return {
    kind: 'maker',
    host,
    account,
    worker: workerOf(world, account, host, [makerQueue(ACCOUNT_A)], activities),
    bury,
  };
}

export function startHedger(world: World, host: Host): Hedger {
  const clock = clockOf(world.time, host);
  const exchangeNow = (): number => world.time.nowMs;
  const observability = observe(world, host);
  const account = new SimAccount(ACCOUNT_B, [...LANES, ...SPARE_LANES], host, world);
  const executor = new Executor({
    account,
    sealBy: sealByCancelAll,
    selfTrade: { behaviour: 'expire-maker', compare: 'master' },
    signAhead: { isBusy: () => Math.floor(world.time.nowMs / BUSY_MS) % 2 === 1 },
    clock,
    exchangeNow,
    events: executorEvents({ account: 'hedge', observability }),
  });
  const exchange = exchangePort(world, host);
  const arming = new Arming({
    executor,
    account,
    exchange,
    openOrders: {
      running: () => world.temporal.runningOrders(host),
      promiseOf: (id) => Promise.resolve(world.promiseOf(id)),
    },
    clockSkewMsMax: 1_000,
    clock,
  });
  const activities = createHedgeActivities({
    executor,
    arming,
    account,
    exchange,
    client: world.temporal.clientOf(host),
    accounts: { maker: ACCOUNT_A, hedge: ACCOUNT_B },
    onRejected: ({ step, given }) => world.onDefect(`${step} went to accounts ${given}`),
    acknowledge: () => undefined,
    alert: (alert) => {
      const { kind, what, order_id } = alert;
      // The simulated exchange never contradicts itself: one of our books is wrong.
      if (kind === 'contradiction') world.onDefect(what);
      if (kind === 'stuck' && order_id !== undefined) world.onStuckSaid(order_id);
      observability.raiseAlert(alertOf(alert));
    },
    margin: (which) => margin?.state(which) ?? Promise.resolve({ level: 'ok', what: '' }),
    books: (market) => (tellers ? positions.state(market) : { state: 'even', lots: '0', what: '' }),
    clock,
  });
  const money = world.faults.isMoney ? hedgerMoney(world, host, { account, exchange, margin: arming.margin }) : {};
  const maker = world.isWatched
    ? new MakerWatch({
        makerAccount: ACCOUNT_A,
        markets: () => [OUR_MARKET],
        exchange: exchangePort(world, host),
        executor,
        client: world.temporal.clientOf(host),
        signals: signalSink(world, host),
        observability,
        clock,
      })
    : undefined;
  const wire = world.isWatched
    ? new WatchWire({
        as: 'hedger',
        onMessage: (message) => {
          if (message.kind === 'ask') wire?.send({ ...message, kind: 'alive' });
        },
      })
    : undefined;
  const onNotice = (notice: OutgoingNotice): void => {
    const { orderId } = notice;
    if (orderId === undefined) return;
    executor.raise({ orderId, marketId: notice.marketId, side: opposite(notice.side), fillLots: notice.filledLots });
    const known = executor.known(orderId);
    if (known) wire?.send({ kind: 'heard', orderId, ...known });
    maker?.told(orderId, notice.filledLots);
  };
  const tellers = world.faults.isPaired ? tellersOf(world, host) : undefined;
  const margin = tellers && watchMargin(world, host, { observability, teller: tellers.margin });
  const positions = new PositionAuditor({
    ...auditing(world, host, observability),
    exchange: exchangePort(world, host),
    hedgeAccount: ACCOUNT_B,
    health: observability.health.part('auditor'),
    onExposure: (_, amount) => (amount === undefined ? world.gauges.delete(host) : world.gauges.set(host, amount)),
    everyMs: AUDIT_EVERY_MS,
    hedgeMsMax: HEDGE_MS_MAX,
    allMarkets: [],
    onBooks: ({ symbol }, books) =>
      void tellers?.books.tell(symbol, books, { news: `${books.state} ${books.lots}`, isWell: books.state === 'even' }),
    onAccounts: (read) => margin?.took(read),
  });
  const ledgers = new LedgerAuditor({
    ...auditing(world, host, observability),
    account,
    role: 'hedge',
    everyMs: LEDGERS_EVERY_MS,
  });
  positions.start();
  ledgers.start();
  const bury = (): void => {
    positions.close();
    maker?.close();
    wire?.close();
    ledgers.close();
    arming.close();
    executor.close();
    world.gauges.delete(host);
  };
  return {
    kind: 'hedger',
    host,
    account,
    worker: workerOf(world, account, host, [ordersQueue(ACCOUNT_B)], { ...activities, ...money }),
    onNotice,
    bury,
  };
}

function auditing(world: World, host: Host, { raiseAlert }: Observability) {
  return {
    client: world.temporal.clientOf(host),
    makerAccount: ACCOUNT_A,
    markets: [OUR_MARKET],
    raiseAlert,
    clock: clockOf(world.time, host),
  };
}

/** As src/workers/money.ts. */
function moneyOf(world: World, host: Host) {
  return {
    accounts: { maker: ACCOUNT_A, hedge: ACCOUNT_B },
    onRejected: ({ step, given }: Rejected) => world.onDefect(`${step} went to accounts ${given}`),
    clock: clockOf(world.time, host),
  };
}

function hedgerMoney(
  world: World,
  host: Host,
  of: { readonly account: SimAccount; readonly exchange: ExchangePort; readonly margin: Arming['margin'] },
): object {
  const { account, exchange, margin } = of;
  const common = { ...moneyOf(world, host), exchange };
  return {
    ...createTransferActivities({ ...common, account, sealBy: sealByCancelAll, setAside: (it) => margin.setAside(it) }),
    ...createRebalanceActivities({
      ...common,
      history: {
        transfers: () => readFrom(world, host, () => ({ rows: world.venue.listedTransfers(), next: undefined })),
      },
      terms: { ...LIMITS, lane: MONEY_LANE },
      unpromised: () => margin.unpromised(),
    }),
  };
}

/** As src/workers/auditors.ts. */
function tellersOf(world: World, host: Host): { readonly books: PairTeller; readonly margin: PairTeller } {
  const common = { client: world.temporal.clientOf(host), makerAccount: ACCOUNT_A, clock: clockOf(world.time, host) };
  return {
    books: new PairTeller({ ...common, signal: 'booksState' }),
    margin: new PairTeller({ ...common, signal: 'marginState' }),
  };
}

function watchMargin(
  world: World,
  host: Host,
  { observability, teller }: { readonly observability: Observability; readonly teller: PairTeller },
): MarginWatch {
  return new MarginWatch({
    limits: MARGIN_LIMITS,
    markets: [OUR_MARKET],
    raiseAlert: observability.raiseAlert,
    onMargin: () => undefined,
    tell: (state, news) =>
      void teller.tell(OUR_MARKET.symbol, state, { news, isWell: news === 'ok' || news === 'warn' }),
    clock: clockOf(world.time, host),
    staleMs: 3 * AUDIT_EVERY_MS,
  });
}

const OUR_MARKET: Market = {
  marketId: MARKET.marketId,
  symbol: MARKET.symbol,
  sizeDecimals: MARKET.sizeDecimals,
  priceDecimals: MARKET.priceDecimals,
  minBaseLots: lots(MARKET.minBaseLots),
  minQuote: notional(MARKET.minQuoteMicro),
};

/** Logs and metrics go nowhere; alerts are heard. */
function observe(world: World, host: Host): Observability {
  const raiseAlert: Observability['raiseAlert'] = ({ kind, what, orderId }) => {
    world.trace(() => `${host.name} alerts ${kind}${orderId === undefined ? '' : ` of ${orderId}`}: ${what}`);
    if (kind === 'invariant-broken') world.onDefect(what);
    world.onAlert({ host, kind, what, orderId });
  };
  const nothing = (): undefined => undefined;
  const meter = { inc: nothing, dec: nothing, set: nothing, observe: nothing, reset: nothing, remove: nothing };
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  return {
    metrics: new Proxy({}, { get: () => meter }),
    logger,
    health: { part: () => ({ ok: nothing, stopped: nothing }) },
    raiseAlert,
  } as unknown as Observability;
}

function workerOf(
  world: World,
  account: SimAccount,
  host: Host,
  queues: readonly string[],
  activities: object,
): Worker {
  const table = activities as Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
  const perform: Worker['perform'] = (name, input, { signal, heartbeat, attempt }) => {
    const cancelled = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('cancelled'))),
    );
    cancelled.catch(() => undefined);
    const activity = table[name];
    if (activity === undefined) throw new Error(`${host.name} has no activity ${name}`);
    const stream = account.stream.state;
    const { skewMs } = host;
    const askedMs = world.time.nowMs;
    const seen = name === 'arm' ? new Map(account.stream.seen) : undefined;
    const info = { attempt, currentAttemptScheduledTimestampMs: world.time.nowMs };
    const context = { heartbeat, cancellationSignal: signal, cancelled, info };
    const result = within(context, () => activity(input));
    if (seen !== undefined)
      void result.then(
        (answer) => {
          const isLive = stream === 'live' || account.stream.state === 'live';
          if ((answer as ArmResult).armed)
            world.onArmed({ host, ticket: (input as ExecuteInput).ticket, askedMs, isLive, skewMs, seen });
        },
        () => undefined,
      );
    return result;
  };
  return { host, queues, cached: new Map(), running: new Set(), perform };
}

/** Redis Pub/Sub: to every hedger that listens at this moment, or not. */
function publish(world: World, fills: readonly OutgoingNotice[]): Publication {
  for (const hedger of world.hedgers) {
    for (const fill of fills) {
      if (world.faults.strike('notice-lost')) continue;
      const copies = world.faults.strike('notice-twice') ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const lateMs = world.faults.strike('notice-late')
          ? world.faults.random('notice-late').logUniform(10, 30_000)
          : 0;
        world.time.after(0.3 + world.random.next() + lateMs, hedger.host, () => hedger.onNotice(fill));
      }
    }
  }
  return 'sent';
}

function signalSink(world: World, host: Host): SignalSink {
  return {
    signal: (workflowId, update, deadlineMs) =>
      new Promise((resolve, reject) => {
        if (host.state === 'dead') return; // a stop delivers what is left, a death does not
        const { faults, time } = world;
        const requestId = [update.order_id, update.status, update.filled_lots, update.transaction_time_us].join('/');
        const deadline = time.after(deadlineMs, host, () => reject(new Error('deadline exceeded')));
        const arrive = (): void => {
          if (host.isCutOff) return;
          const answer = world.temporal.signal(workflowId, { name: 'orderUpdate', body: update, requestId });
          if (answer === undefined || faults.strike('signal-unanswered')) return;
          time.after(2, host, () => {
            deadline.run = undefined;
            resolve(answer);
          });
        };
        if (!faults.strike('signal-lost')) time.after(2 + 3 * world.random.next(), undefined, arrive);
        if (faults.strike('signal-twice')) time.after(world.random.logUniform(5, 20_000), undefined, arrive);
      }),
  };
}

/** The exchange's public face: its clock, and anybody's positions. */
function exchangePort(world: World, host: Host): ExchangePort {
  const absent = (): never => {
    throw new Error('the simulation has no market data face');
  };
  return {
    markets: () => Promise.resolve({ ok: true, value: [OUR_MARKET] }),
    accountState: (accountIndex, sinceMs) => readState(world, host, { accountIndex, sinceMs }),
    marketRules: () => readFrom(world, host, () => world.halts.rules()),
    upgrades: () =>
      readFrom(world, host, () => ({ blackouts: [world.halts.upgrade].filter((it) => it !== undefined), unread: [] })),
    initialMarginBps: () => Promise.resolve({ ok: true, value: 500 }),
    book: () => world.halts.book(),
    whenBook: absent,
    backingOff: () => undefined,
    watchTrades: (accountIndex, onTraded) => watchTrades(world, host, { accountIndex, onTraded }),
    clockSkewMs: () => -host.skewMs,
    exchangeNowMs: () => world.time.nowMs,
    ownerOf: () => Promise.resolve({ ok: true, value: '0x01' }),
    openAccount: absent,
    openHistory: absent,
    close: () => Promise.resolve(),
  };
}

/** A's public trades, as far as this process hears them: sums per order, from its start on. */
function watchTrades(
  world: World,
  host: Host,
  to: { readonly accountIndex: number; readonly onTraded: (sum: TradedSum) => void },
): void {
  const before = new Map<string, number>();
  const heard = new Map<string, number>();
  for (const order of world.venue.account(to.accountIndex).liveOrders.values())
    before.set(order.indexText, order.filledLots);
  world.venue.watchers.push((changes) => {
    const own = changes.accounts.get(world.venue.account(to.accountIndex));
    if (own === undefined || host.state === 'dead' || world.network.isAway) return;
    for (const order of own.orders) {
      const more = order.filledLots - (before.get(order.indexText) ?? 0);
      before.set(order.indexText, order.filledLots);
      if (more <= 0 || world.faults.strike('frame-lost')) continue;
      const sum = (heard.get(order.indexText) ?? 0) + more;
      heard.set(order.indexText, sum);
      const traded: TradedSum = {
        clientOrderIndex: recordOf(order).clientOrderIndex,
        marketId: order.marketId,
        side: order.side === 'bid' ? 'buy' : 'sell',
        tradedLots: lots(sum),
        tradedQuote: notional(order.filledQuoteMicro),
        transactionTimeUs: order.transactionUs,
      };
      world.time.after(1 + 40 * world.random.next(), host, () => to.onTraded(traded));
    }
  });
}
