/**
 * The two kinds of process, put together from the real parts as src/workers does: desk, listener, order watch, canceller,
 * dead-man's switch and activities. Only their surroundings are simulated: exchange port, Temporal, Redis, clock.
 */
import type { Client } from '@temporalio/client';
import { createHedgeActivities, type AlertInput } from '../../src/activities/hedge-activities';
import { createMakerActivities } from '../../src/activities/maker-activities';
import { Canceller } from '../../src/desk/canceller';
import { DeadMan } from '../../src/desk/dead-man';
import { Desk, type DeskEvents } from '../../src/desk/desk';
import { OrderWatch } from '../../src/desk/order-watch';
import { makerQueue, ordersQueue } from '../../src/domain/messages';
import { opposite } from '../../src/domain/records';
import type { ExchangePort } from '../../src/exchange/port';
import { Listener } from '../../src/listener/listener';
import type { SignalSink } from '../../src/listener/signal-courier';
import type { OutgoingNotice } from '../../src/notifications/notice';
import type { Publication } from '../../src/notifications/publisher';
import { SimAccount, type Surroundings } from './account';
import { within } from './activity-context';
import type { TemporalServer, Worker } from './temporal';
import { wallClock, type Host } from './time';
import { ACCOUNT_A, ACCOUNT_B, CANCEL_LANE, LANES, MARKET, SPARE_LANES } from './venue';

export interface World extends Surroundings {
  readonly temporal: TemporalServer;
  readonly hedgers: Set<Hedger>;
  readonly onDefect: (what: string) => void;
  readonly onAlert: (alert: AlertInput) => void;
}

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
  const now = wallClock(world.time, host);
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
            sides: ['buy', 'sell'] as const,
          },
        ]),
      ),
    },
    notices: { publishFills: (fills) => publish(world, fills) },
    signals: signalSink(world, host),
    clock: {
      monotonicMs: () => world.time.nowMs,
      epochMs: now,
      after: (delayMs, callback) => {
        const event = world.time.after(delayMs, host, callback);
        return () => {
          event.run = undefined;
        };
      },
    },
    onPoison: (error) => world.onDefect(`the listener could not handle a frame: ${String(error)}`),
  });
  const watch = new OrderWatch(account.stream);
  const canceller = new Canceller({ account, lane: CANCEL_LANE, now });
  const exchangeNow = (): number => world.time.nowMs;
  const deadMan = new DeadMan({ account, canceller, lane: CANCEL_LANE, aheadMs: 600_000, exchangeNow });
  const desk = new Desk({
    account,
    sealBy: 'cancel-order',
    switchAtMs: () => deadMan.nextAtMs(),
    now,
    monotonicNow: () => world.time.nowMs,
    events: deskEvents(world, host),
  });
  const activities = createMakerActivities({
    accounts: { maker: ACCOUNT_A, hedge: ACCOUNT_B },
    onRefused: ({ step, given }) => world.onDefect(`${step} went to accounts ${given}`),
    desk,
    account,
    exchange: exchangePort(host, world.time),
    watch,
    canceller,
    hedger: { isHedged: true, hedges: () => Promise.resolve(true) },
    deadMan,
    clockSkewMsMax: 1_000,
    onDeadLane: () => undefined,
    mayQuote: () => ({ ok: true }),
    hear: () => undefined,
    now,
  });
  deadMan.start();
  const bury = (): void => {
    deadMan.stop();
    listener.close();
    desk.close();
  };
  return { kind: 'maker', host, account, worker: workerOf(host, [makerQueue(ACCOUNT_A)], activities), bury };
}

export function startHedger(world: World, host: Host): Hedger {
  const now = wallClock(world.time, host);
  const account = new SimAccount(ACCOUNT_B, [...LANES, ...SPARE_LANES], host, world);
  const desk = new Desk({
    account,
    sealBy: 'cancel-all',
    selfTrade: { behaviour: 'expire-maker', compare: 'master' },
    now,
    monotonicNow: () => world.time.nowMs,
    events: deskEvents(world, host),
  });
  const activities = createHedgeActivities({
    desk,
    account,
    exchange: exchangePort(host, world.time),
    client: undefined as unknown as Client, // only laneHistory, which a pair asks, would use it
    accounts: { maker: ACCOUNT_A, hedge: ACCOUNT_B },
    onRefused: ({ step, given }) => world.onDefect(`${step} went to accounts ${given}`),
    marginBps: 500,
    clockSkewMsMax: 1_000,
    acknowledge: () => undefined,
    alert: (alert) => world.onAlert(alert),
    now,
  });
  const onNotice = (notice: OutgoingNotice): void => {
    if (notice.orderId === undefined) return;
    desk.raise({
      orderId: notice.orderId,
      marketId: notice.marketId,
      side: opposite(notice.side),
      fillLots: notice.filledLots,
    });
  };
  return {
    kind: 'hedger',
    host,
    account,
    worker: workerOf(host, [ordersQueue(ACCOUNT_B)], activities),
    onNotice,
    bury: () => desk.close(),
  };
}

function deskEvents(world: World, host: Host): DeskEvents {
  return {
    settled: ({ ticket, k, lots }) =>
      world.trace(() => `${host.name} settles slice ${k} of ticket ${ticket.id}: ${lots} lots`),
    alert: ({ kind, ticket, what }) => {
      world.trace(() => `${host.name} alerts ${kind} of ${ticket.id}: ${what}`);
      if (kind === 'ticket-parked') world.onDefect(`a ticket was parked: ${what}`);
    },
  };
}

function workerOf(host: Host, queues: readonly string[], activities: object): Worker {
  const table = activities as Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
  const perform: Worker['perform'] = (name, input, { signal, heartbeat }) => {
    const cancelled = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('cancelled'))),
    );
    cancelled.catch(() => undefined);
    const activity = table[name];
    if (activity === undefined) throw new Error(`${host.name} has no activity ${name}`);
    return within({ heartbeat, cancellationSignal: signal, cancelled }, () => activity(input));
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

/** What activities read of the exchange besides the account: only its clock is asked for here. */
function exchangePort(host: Host, time: World['time']): ExchangePort {
  const absent = (): never => {
    throw new Error('the simulation has no market data face');
  };
  return {
    markets: absent,
    accountState: absent,
    book: absent,
    whenBook: absent,
    backingOff: () => undefined,
    clockSkewMs: () => -host.skewMs,
    exchangeNowMs: () => time.nowMs,
    ownerOf: absent,
    openAccount: absent,
    close: () => Promise.resolve(),
  };
}
