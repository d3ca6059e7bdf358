/** Publisher and subscriber over a real server: what survives its absence, its crash, its slowness, and strangers. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { clockOf } from '../clock';
import { lots } from '../../src/domain/lots';
import {
  decodeNotice,
  encodeNotice,
  FILLS_CHANNEL,
  HEDGES_CHANNEL,
  NoticeKey,
  type ReceivedNotice,
} from '../../src/notices/notice';
import { NoticePublisher, type NoticePublisherOptions } from '../../src/notices/publisher';
import type { LinkState, Refusal } from '../../src/notices/redis-link';
import { NoticeSubscriber, type NoticeSubscriberOptions, type RejectionReason } from '../../src/notices/subscriber';
import { startRedis, type OwnRedis } from '../helpers/valkey';
import { Collector, freezingProxy, notice, orderIdAt, SECRET } from './support';

const MAKER = notice().accountIndex;
/** Unless a test is about a server that does not answer: one that stands still for a while, or this process, is not given up. */
const patient = { heartbeatMs: 60_000 };
const key = new NoticeKey(SECRET);

let server: OwnRedis;
/** Ended after each test, last opened first. */
let opened: (() => void | Promise<void>)[] = [];

beforeEach(async () => {
  server = await startRedis();
  opened = [() => server.stop()];
});
afterEach(async () => {
  for (const end of opened.reverse()) await end();
  jest.useRealTimers();
});

describe('between two live processes', () => {
  test('fills and acknowledgements arrive, in order', async () => {
    const fills = new Collector<ReceivedNotice>();
    const hedges = new Collector<string>();
    const { publisher } = await livePublisher();
    await liveSubscriber({ fills: { account: MAKER, handle: fills.add } });
    const outside = openStranger();
    outside.on('message', (_channel, text) => hedges.add(text));
    await outside.subscribe(HEDGES_CHANNEL);
    publisher.publishFills([fill(0, 5), fill(1, 7)]);
    publisher.publishFills([fill(0, 20)]);
    publisher.publishHedge(notice({ accountIndex: 99, side: 'sell', status: 'filled' }));
    expect((await fills.count(3)).map((seen) => [seen.orderId, seen.filledLots])).toEqual([
      [orderIdAt(0), 5n],
      [orderIdAt(1), 7n],
      [orderIdAt(0), 20n],
    ]);
    const [hedge = ''] = await hedges.count(1);
    expect(decodeNotice(HEDGES_CHANNEL, hedge, key)).toMatchObject({
      ok: true,
      notice: { accountIndex: 99, orderId: orderIdAt(0), side: 'sell', filledLots: 20n },
    });
  });

  test('all fills of one frame leave in one pipeline', async () => {
    const proxy = await openProxy();
    const { publisher } = await livePublisher({ redis: { url: urlOf(proxy.port), noticeSecret: SECRET } });
    const fills = new Collector<ReceivedNotice>();
    await liveSubscriber({ fills: { account: MAKER, handle: fills.add } });
    proxy.chunks();
    publisher.publishFills([fill(0, 1), fill(1, 2), fill(2, 3)]);
    await fills.count(3);
    const publishing = proxy.chunks().filter((chunk) => /publish/i.test(chunk));
    expect(publishing.map((chunk) => chunk.match(/filled_lots/g)?.length)).toEqual([3]);
  });

  test('sequences rise, also when the clock stands still', async () => {
    const fills = new Collector<ReceivedNotice>();
    const { publisher } = await livePublisher({ clock: clockOf(() => 1) });
    await liveSubscriber({ fills: { account: MAKER, handle: fills.add } });
    publisher.publishFills([fill(0, 1), fill(0, 2)]);
    publisher.publishFills([fill(0, 3)]);
    expect((await fills.count(3)).map((seen) => seen.sequence)).toEqual([1_000, 1_001, 1_002]);
  });
});

describe('Redis away', () => {
  test('S-05 notices are dropped and counted while it is down, and nothing old comes later', async () => {
    const { publisher, states } = await livePublisher();
    const fills = new Collector<ReceivedNotice>();
    const { states: subscribed } = await liveSubscriber({ fills: { account: MAKER, handle: fills.add } });
    await server.crash();
    await states.until((seen) => seen.at(-1) === 'connecting');
    for (let i = 0; i < 1_000; i++) publisher.publishFills([fill(i, 1)]);
    expect(publisher.counts).toEqual({ published: 0, dropped: 1_000, inFlight: 0 });
    await server.restart();
    await Promise.all([states, subscribed].map((each) => each.until((seen) => seen.at(-1) === 'live')));
    publisher.publishFills([fill(5_000, 2)]);
    expect((await fills.count(1)).map((seen) => seen.orderId)).toEqual([orderIdAt(5_000)]);
  });

  test('a process starts without it and finds it when it comes', async () => {
    await server.crash();
    const errors = new Collector<string>();
    const states = new Collector<LinkState>();
    const publisher = openPublisher({ onError: errors.add, onState: states.add });
    expect(publisher.state).toBe('connecting');
    // The second one proves that it tries again.
    await errors.until((seen) => seen.filter((code) => code === 'ECONNREFUSED').length > 1);
    await server.restart();
    await states.until((seen) => seen.at(-1) === 'live');
  });

  test('absent from the configuration: both say so and do nothing', () => {
    const publisher = openPublisher({ redis: undefined });
    const subscriber = new NoticeSubscriber({ redis: undefined, fills: { account: MAKER, handle: () => undefined } });
    opened.push(() => subscriber.close());
    publisher.publishFills([fill(0, 1)]);
    expect([publisher.state, subscriber.state]).toEqual(['absent', 'absent']);
    expect(publisher.counts).toEqual({ published: 0, dropped: 0, inFlight: 0 });
  });

  test('a wrong password is reported by its code, never quoted', async () => {
    const admin = openStranger();
    await admin.config('SET', 'requirepass', 'right-password');
    const errors = new Collector<string>();
    const url = `redis://:wrong-password@127.0.0.1:${server.port}`;
    const publisher = openPublisher({ redis: { url, noticeSecret: SECRET }, onError: errors.add });
    const [code] = await errors.until((seen) => seen.some((each) => each === 'WRONGPASS'));
    expect(publisher.state).toBe('connecting');
    expect(errors.seen.join()).not.toContain('wrong-password');
    expect(code).toBeDefined();
  });
});

describe('S-39 a frozen Redis', () => {
  test('delays no publisher call, holds a bounded number of notices, and is left for a new connection', async () => {
    const proxy = await openProxy();
    const errors = new Collector<string>();
    const { publisher, states } = await livePublisher({
      redis: { url: urlOf(proxy.port), noticeSecret: SECRET },
      inFlightMax: 100,
      heartbeatMs: 300,
      onError: errors.add,
    });
    proxy.freeze();
    const startedMs = performance.now();
    for (let i = 0; i < 5_000; i++) publisher.publishFills([fill(i, 1)]);
    expect(performance.now() - startedMs).toBeLessThan(10_000); // one call that waits does so for as long as it is frozen
    expect(publisher.counts).toEqual({ published: 0, dropped: 4_900, inFlight: 100 });
    await states.until((seen) => seen.at(-1) === 'connecting');
    expect(errors.seen).toContain('HEARTBEAT');
    proxy.thaw();
    await states.until((seen) => seen.at(-1) === 'live');
    expect(publisher.counts).toEqual({ published: 0, dropped: 5_000, inFlight: 0 });
  });

  test('does not leave the subscriber deaf', async () => {
    const proxy = await openProxy();
    const fills = new Collector<ReceivedNotice>();
    const { states } = await liveSubscriber({
      redis: { url: urlOf(proxy.port), noticeSecret: SECRET },
      heartbeatMs: 300,
      fills: { account: MAKER, handle: fills.add },
    });
    const { publisher } = await livePublisher();
    proxy.freeze();
    await states.until((seen) => seen.at(-1) === 'connecting');
    proxy.thaw();
    await states.until((seen) => seen.at(-1) === 'live');
    // A stall of this process looks like a frozen server too, and what is said meanwhile is lost.
    const saying = setInterval(() => publisher.publishFills([fill(0, 1)]), 20);
    await fills.count(1).finally(() => clearInterval(saying));
  });

  test('a quiet connection is not taken for a frozen one', async () => {
    onlyIntervalsFake(); // a beat comes when this test says so, however slow the machine is
    const errors = new Collector<string>();
    const { subscriber } = await liveSubscriber({
      heartbeatMs: 20,
      onError: errors.add,
      fills: { account: MAKER, handle: () => undefined },
    });
    const admin = openStranger();
    const heartbeats = async (): Promise<number> =>
      Number((await admin.info('commandstats')).match(/cmdstat_ping:calls=(\d+)/)?.[1] ?? 0);
    for (let beat = 1; beat <= 10; beat++) {
      jest.advanceTimersByTime(20);
      while (errors.seen.length === 0 && (await heartbeats()) < beat);
      await admin.echo('asked after the heartbeat was answered, so that answer has arrived before this one');
    }
    expect(subscriber.state).toBe('live');
    expect(errors.seen).toEqual([]);
  });
});

describe('strangers on the channel', () => {
  test('S-33, S-37 are rejected and told; the consumer lives', async () => {
    const fills = new Collector<ReceivedNotice>();
    const rejected = new Collector<RejectionReason>();
    await liveSubscriber({ onRejected: rejected.add, fills: { account: MAKER, handle: fills.add } });
    const stranger = openStranger();
    const genuine = signed(0, 5, 1);
    const messages = [
      'not json',
      '{"account_index":1}',
      'x'.repeat(100_000),
      genuine.replace('"filled_lots":"5"', '"filled_lots":"50"'),
      signed(0, 5, 1, { accountIndex: MAKER + 1 }),
      genuine,
      genuine,
    ];
    for (const message of messages) await stranger.publish(FILLS_CHANNEL, message);
    await rejected.count(6);
    expect(rejected.seen).toEqual(['malformed', 'malformed', 'malformed', 'forged', 'foreign', 'replayed']);
    expect(fills.seen.map((seen) => seen.filledLots)).toEqual([5n]);
  });

  test('S-14 repeats and late copies are dropped, more is news whatever its sequence, later news of the same is passed', async () => {
    const fills = new Collector<ReceivedNotice>();
    const rejected = new Collector<RejectionReason>();
    await liveSubscriber({ onRejected: rejected.add, fills: { account: MAKER, handle: fills.add } });
    const stranger = openStranger();
    for (const message of [
      signed(0, 10, 100),
      signed(0, 10, 100), // the same again: replayed
      signed(0, 5, 99), // late and less: replayed
      signed(0, 15, 98), // late but more: news
      signed(0, 15, 101), // the same amount, said later: passed, the ticket may have been armed in between
      signed(0, 15, 100), // replayed
      signed(1, 10, 1), // another order: its own sequence
    ]) {
      await stranger.publish(FILLS_CHANNEL, message);
    }
    await Promise.all([fills.count(4), rejected.count(3)]);
    expect(fills.seen.map((seen) => seen.filledLots)).toEqual([10n, 15n, 15n, 10n]);
    expect(rejected.seen).toEqual(['replayed', 'replayed', 'replayed']);
  });

  test('a consumer that throws loses that notice only', async () => {
    const fills = new Collector<ReceivedNotice>();
    const rejected = new Collector<RejectionReason>();
    await liveSubscriber({
      onRejected: rejected.add,
      fills: {
        account: MAKER,
        handle: (seen) => {
          if (seen.filledLots === 1n) throw new Error('a bug');
          fills.add(seen);
        },
      },
    });
    const { publisher } = await livePublisher();
    publisher.publishFills([fill(0, 1), fill(0, 2)]);
    await fills.count(1);
    expect(rejected.seen).toEqual(['handler-failed']);
  });
});

function fill(order: number, filledLots: number): ReturnType<typeof notice> {
  return notice({ orderId: orderIdAt(order), filledLots: lots(filledLots) });
}

function signed(order: number, filledLots: number, sequence: number, change: { accountIndex?: number } = {}): string {
  const outgoing = { ...fill(order, filledLots), ...change };
  return encodeNotice({ channel: FILLS_CHANNEL, notice: outgoing, key, sequence, sentAtUs: 1_000_000 });
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}

function openPublisher(options: Partial<NoticePublisherOptions>): NoticePublisher {
  const redis = { url: server.url, noticeSecret: SECRET };
  const publisher = new NoticePublisher({ redis, random: () => 0, ...patient, ...options });
  opened.push(() => publisher.close());
  return publisher;
}

async function livePublisher(
  options: Partial<NoticePublisherOptions> = {},
): Promise<{ publisher: NoticePublisher; states: Collector<LinkState> }> {
  const states = new Collector<LinkState>();
  const publisher = openPublisher({ ...options, onState: states.add });
  await states.until((seen) => seen.at(-1) === 'live');
  return { publisher, states };
}

async function liveSubscriber(
  options: Omit<NoticeSubscriberOptions, 'redis'> & Partial<NoticeSubscriberOptions>,
): Promise<{ subscriber: NoticeSubscriber; states: Collector<LinkState> }> {
  const states = new Collector<LinkState>();
  const redis = { url: server.url, noticeSecret: SECRET };
  const subscriber = new NoticeSubscriber({ redis, random: () => 0, ...patient, ...options, onState: states.add });
  opened.push(() => subscriber.close());
  await states.until((seen) => seen.at(-1) === 'live');
  return { subscriber, states };
}

/** Somebody else on the host: no key, but free to publish. */
function openStranger(): Redis {
  const redis = new Redis(server.url);
  opened.push(() => redis.disconnect());
  return redis;
}

function onlyIntervalsFake(): void {
  const real = ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const;
  const timeouts = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] as const;
  jest.useFakeTimers({ doNotFake: [...real, ...timeouts] });
}

async function openProxy(): ReturnType<typeof freezingProxy> {
  const proxy = await freezingProxy(server.port);
  opened.push(() => proxy.close());
  return proxy;
}

describe('P-30 a server that does not let us do what we are for', () => {
  /** A user who may do everything and use no channel, or one with another password. */
  async function userAt(url: string, channels = ''): Promise<string> {
    const admin = new Redis(url);
    await admin.call(
      'ACL',
      'SETUSER',
      'limited',
      'on',
      '>word',
      '+@all',
      '~*',
      'resetchannels',
      ...(channels ? [channels] : []),
    );
    admin.disconnect();
    return url.replace('redis://', 'redis://limited:word@');
  }
  const connections = async (): Promise<number> => {
    const admin = new Redis(server.url);
    const info = await admin.info('stats');
    admin.disconnect();
    return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
  };

  test('each way is told once, tried ever more slowly, and taken up when it is permitted', async () => {
    const url = await userAt(server.url);
    const refusals = new Collector<Refusal>();
    const errors = new Collector<string>();
    const states = new Collector<LinkState>();
    const redis = { url, noticeSecret: SECRET };
    const access = { redis, onRefused: refusals.add, onError: errors.add, onState: states.add };
    const publisher = new NoticePublisher({ ...access, publishes: FILLS_CHANNEL });
    const subscriber = new NoticeSubscriber({ ...access, fills: { account: MAKER, handle: () => undefined } });
    opened.push(
      () => publisher.close(),
      () => subscriber.close(),
    );
    await Promise.all([errors.count(4), refusals.count(2)]);
    expect(await connections()).toBeLessThan(10);
    expect(refusals.seen).toHaveLength(2);
    expect(new Set(refusals.seen.map(({ code, command }) => `${code} ${command}`))).toEqual(
      new Set([`NOPERM PUBLISH ${FILLS_CHANNEL}`, `NOPERM SUBSCRIBE ${FILLS_CHANNEL}`]),
    );
    expect([publisher.state, subscriber.state]).not.toContain('live');
    await userAt(server.url, '&hedge:*');
    await states.until(() => publisher.state === 'live' && subscriber.state === 'live');
  });

  test('a wrong password is told once, and is no storm of connections', async () => {
    const url = (await userAt(server.url)).replace('word', 'wrong');
    const refusals = new Collector<Refusal>();
    const errors = new Collector<string>();
    const access = { redis: { url, noticeSecret: SECRET }, onRefused: refusals.add, onError: errors.add };
    const publisher = new NoticePublisher({ ...access, publishes: FILLS_CHANNEL });
    opened.push(() => publisher.close());
    const before = await connections();
    await errors.until((seen) => seen.filter((code) => code === 'WRONGPASS').length > 1);
    expect(refusals.seen).toEqual([{ code: 'WRONGPASS', command: 'AUTH' }]);
    expect((await connections()) - before).toBeLessThan(6);
  });
});
