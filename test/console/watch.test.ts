/** Sources that answer, and that do not: what is shown of them. */
import { afterEach, expect, test } from '@jest/globals';
import { Hub } from '../../src/console/hub';
import type { Sources } from '../../src/console/sources';
import { Watch } from '../../src/console/watch';
import { eventually } from '../system/eventually';
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

let watch: Watch;
afterEach(() => watch.stop());

test('fresh and read: all hedged, with streams, margin and money; then nothing answers: unknown, and each says so', async () => {
  const clock = { nowMs: 1_000_000 };
  let isAway = false;
  const answer = async <T>(value: T): Promise<T> => {
    if (isAway) throw new Error('it is away');
    return value;
  };
  const sources: Sources = {
    openOrders: () => answer({}),
    endedOrders: () => answer([{ orderId: '1', fill: undefined }]),
    leftNaked: () => answer({}),
    pair: () => answer(undefined),
    touch: () => undefined,
    sizeDecimals: () => 5,
    health: () => answer({ healthy: true, parts: [{ name: 'auditor', healthy: true, state: 'ok' }] }),
    alerts: () => answer([{ kind: 'no-hedger', what: 'nobody hedges', next: 'start one', atMs: 1 }]),
    metrics: () => answer(METRICS),
  };
  const hub = new Hub(aSnapshot(), { nowMs: () => clock.nowMs });
  hub.watch(undefined, () => undefined);
  const processes = ['hedger', 'journal'].map((name) => ({ name, url: '' }));
  watch = new Watch({ hub, sources, markets: ['BTC'], processes, counts: 'weights', nowMs: () => clock.nowMs });
  watch.start();
  await eventually('all is hedged', () => (hub.snapshot.risk.level === 'hedged' ? true : undefined));
  expect(hub.snapshot).toMatchObject({
    pairs: { BTC: { state: 'not-running' } },
    processes: {
      hedger: { state: 'well', streams: { hedge: true, redis: true } },
      journal: { streams: { hedge: true } },
    },
    margin: { margin_free_usdc: { hedge: 99.5 }, liquidation_distance_bps: { 'hedge BTC': 1200 } },
    money: { read: true, today: { fees: { both: 2 } } },
  });
  expect(Object.values(hub.snapshot.alerts).map(({ process, kind }) => `${process} ${kind}`)).toEqual([
    'hedger no-hedger',
    'journal no-hedger',
  ]);
  isAway = true;
  clock.nowMs += 21_000;
  await eventually('it is unknown, and everything says so', () => {
    const { risk, processes: views, servers, pairs } = hub.snapshot;
    const isSilent = views['hedger']?.state === 'silent' && servers['temporal']?.state === 'silent';
    return risk.level === 'unknown' && isSilent && pairs['BTC']?.state === 'unread' ? true : undefined;
  });
  expect(Object.keys(hub.snapshot.alerts)).toHaveLength(2); // the last that was heard stays
});
