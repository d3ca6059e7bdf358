/** Sources that answer, and that do not: what is shown of them. */
import { afterEach, expect, test } from '@jest/globals';
import { Hub } from '../../src/console/hub';
import { Processes } from '../../src/console/processes';
import { Samples } from '../../src/console/series';
import type { ProcessPlace, Sources } from '../../src/console/sources';
import { Watch } from '../../src/console/watch';
import { eventually, standstill } from '../system/eventually';
import { aSnapshot } from './a-snapshot';

const METRICS = [
  'counterleg_books_off_base_units{market="BTC"} 0',
  'counterleg_books_compared_timestamp_seconds{market="BTC"} 1000',
  'counterleg_stream_live{stream="hedge"} 1',
  'counterleg_redis_live 1',
  'counterleg_margin_free_usdc{account="hedge"} 99.5',
  'counterleg_liquidation_distance_bps{account="hedge",market="BTC"} 1200',
  'counterleg_money_today_usdc{account="both",figure="fees"} 2',
].join('\n');

let watch: Watch | undefined;
afterEach(() => watch?.stop());

test('fresh and read: all hedged, with streams, margin and money; then nothing answers: unknown, and each says so', async () => {
  const clock = { nowMs: 1_000_000 };
  let isAway = false;
  let comparedS = 1_000;
  const answer = async <T>(value: T): Promise<T> => {
    if (isAway) throw new Error('it is away');
    return value;
  };
  const sources: Sources = {
    openOrders: () => answer({}),
    endedOrders: () => answer([{ orderId: '1', fill: undefined }]),
    leftNaked: () => answer({}),
    runningPairs: () => answer(['ETH']),
    pair: () => answer(undefined),
    limits: () => answer({ state: 'read', notQuoting: '', limits: {} }),
    touch: () => undefined,
    sizeDecimals: () => 5,
    workers: () => answer({ hedger: ['1@here', '2@here'], maker: [] }),
    health: () => answer({ healthy: true, parts: [{ name: 'auditor', healthy: true, state: 'ok' }] }),
    alerts: () => answer([{ kind: 'no-hedger', what: 'nobody hedges', next: 'start one', atMs: 1 }]),
    metrics: () => answer(METRICS.replace('1000', String(comparedS))),
  };
  const hub = new Hub(aSnapshot(), { nowMs: () => clock.nowMs });
  const unwatch = hub.watch(undefined, () => undefined);
  const processes = (['hedger', 'journal'] as const).map((name) => ({ name, role: name, url: '' }));
  watch = new Watch({ hub, sources, markets: ['BTC'], processes, counts: 'weights', nowMs: () => clock.nowMs });
  watch.start();
  await eventually('all is hedged', () => (hub.snapshot.risk.level === 'hedged' ? true : undefined));
  expect(hub.snapshot).toMatchObject({
    processes: {
      hedger: { state: 'well', streams: { hedge: true, redis: true } },
      journal: { streams: { hedge: true } },
    },
    limits: { state: 'read' },
    margin: { margin_free_usdc: { hedge: 99.5 }, liquidation_distance_bps: { 'hedge BTC': 1200 } },
    money: { read: true, today: { fees: { both: 2 } } },
  });
  const shown = () => (Object.keys(hub.snapshot.pairs).join() === 'BTC,ETH' ? true : undefined);
  await eventually('H-34 a pair that runs is shown, although the configuration does not name it', shown);
  expect(Object.values(hub.snapshot.alerts).map(({ process, kind }) => `${process} ${kind}`)).toEqual([
    'hedger no-hedger',
    'journal no-hedger',
  ]);
  // Nobody looks, for longer than anything is fresh; then somebody does.
  unwatch();
  clock.nowMs += 60_000;
  await eventually('what is old is unknown', () => (hub.snapshot.risk.level === 'unknown' ? true : undefined));
  comparedS = 1_060;
  const openedMs = performance.now();
  const stoodMs = standstill();
  hub.watch(undefined, () => undefined);
  await eventually('all is read at once', () => (hub.snapshot.risk.level === 'hedged' ? true : undefined));
  expect(performance.now() - openedMs).toBeLessThan(4_000 + stoodMs()); // metrics are read every 5 s
  isAway = true;
  clock.nowMs += 21_000;
  await eventually('it is unknown, and everything says so', () => {
    const { risk, processes: views, servers, pairs, limits } = hub.snapshot;
    const isSilent = views['hedger']?.state === 'silent' && servers['temporal']?.state === 'silent';
    return risk.level === 'unknown' && isSilent && pairs['BTC']?.state === 'unread' && limits?.state === 'unread'
      ? true
      : undefined;
  });
  expect(Object.keys(hub.snapshot.alerts)).toHaveLength(2); // the last that was heard stays
});

test('figures that are not told any more go, and all of a process whose page does not answer', async () => {
  const nowMs = () => 1_000_000;
  let told: string | undefined = METRICS;
  const metrics = async () => {
    if (told === undefined) throw new Error('it is away');
    return told;
  };
  const hub = new Hub(aSnapshot(), { nowMs });
  const sources = { metrics, health: () => Promise.reject(new Error()), alerts: () => Promise.reject(new Error()) };
  const places = (['hedger', 'journal'] as const).map((name) => ({ name, role: name, url: '' }));
  const processes = new Processes({ hub, sources, processes: places, counts: 'weights', nowMs });
  await processes.readMetrics();
  expect(Object.keys(hub.snapshot.margin)).toEqual(['margin_free_usdc', 'liquidation_distance_bps']);
  told = METRICS.replace('_margin_free', '_other');
  await processes.readMetrics();
  expect(hub.snapshot.margin).toEqual({ liquidation_distance_bps: { 'hedge BTC': 1200 } });
  told = undefined;
  await processes.readMetrics();
  const { margin, money, processes: views } = hub.snapshot;
  expect([margin, money, views['hedger']?.streams]).toEqual([{}, { today: {}, read: false }, {}]);
});

test('a stand-by counts: its finding where the first hedger is silent or older, its lots in the histograms', async () => {
  const nowMs = () => 1_030_000;
  const pages: Record<string, string | undefined> = {
    hedger: METRICS.replace(/off_base_units{market="BTC"} 0/, 'off_base_units{market="BTC"} 5'),
    'hedger 2': METRICS.replace('seconds{market="BTC"} 1000', 'seconds{market="BTC"} 1010'),
  };
  const of = ({ name }: { readonly name: string }): string => {
    const page = pages[name];
    if (page === undefined) throw new Error('it is away');
    return page;
  };
  const hub = new Hub(aSnapshot(), { nowMs });
  const sources = {
    metrics: async (place: ProcessPlace) => of(place),
    health: async (place: ProcessPlace) => {
      of(place);
      return { healthy: true, parts: [{ name: 'auditor', healthy: true, state: 'ok' }] };
    },
    alerts: async () => [],
  };
  const places = ['hedger', 'hedger 2'].map((name) => ({ name, role: 'hedger' as const, url: '' }));
  const processes = new Processes({ hub, sources, processes: places, counts: 'weights', nowMs });
  const read = async () => {
    await processes.readHealth();
    await processes.readMetrics();
    return [processes.books?.booksOff['BTC'], processes.books?.comparedMs['BTC'], processes.auditor];
  };
  expect(await read()).toEqual([0, 1_010_000, undefined]);
  pages['hedger 2'] = METRICS.replace('seconds{market="BTC"} 1000', 'seconds{market="BTC"} 990');
  expect(await read()).toEqual([5, 1_000_000, undefined]);
  delete pages['hedger'];
  expect(await read()).toEqual([0, 990_000, undefined]);
  expect(hub.snapshot.margin).toMatchObject({ margin_free_usdc: { hedge: 99.5 } });
  delete pages['hedger 2'];
  expect((await read())[2]).toBe('the hedger has not said so; the hedger 2 has not said so');
});

test('what the day has brought is its cost: open profit may be of days before', () => {
  const hub = new Hub(aSnapshot(), { nowMs: () => 0 });
  const today = { realised_pnl: { both: 0 }, open_pnl: { both: -500 }, cost: { both: 3 } };
  hub.set('money', { read: true, today });
  expect(new Samples().take({ hub, nowMs: () => 0 })['money']?.lines).toEqual({ both: [-3] });
});

test('a figure that is unknown for a while is a gap in its line', () => {
  const hub = new Hub(aSnapshot(), { nowMs: () => 0 });
  const samples = new Samples();
  const take = (free: number | undefined) => {
    hub.set('margin', free === undefined ? {} : { margin_free_usdc: { hedge: free } });
    return samples.take({ hub, nowMs: () => 0 });
  };
  expect(take(undefined)).toEqual({});
  take(99);
  take(undefined);
  expect(take(98)['margin_free_usdc']?.lines).toEqual({ hedge: [99, null, 98] });
});
