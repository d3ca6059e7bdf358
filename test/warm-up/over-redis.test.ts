/** Both halves over a real server: what goes the whole way, and reaches nobody. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { NoticeSubscriber } from '../../src/notices/subscriber';
import { warmUpChannel } from '../../src/warm-up/channel';
import { warmUpHedger } from '../../src/warm-up/hedger';
import { warmUpMaker } from '../../src/warm-up/maker';
import { startRedis, type OwnRedis } from '../helpers/valkey';
import { Collector, SECRET } from '../notices/support';

const MAKER = 1001;

let server: OwnRedis;
let opened: (() => void | Promise<void>)[] = [];

beforeEach(async () => {
  server = await startRedis();
  opened = [() => server.stop()];
});
afterEach(async () => {
  for (const end of opened.reverse()) await end();
});

test('a made-up fill is hedged on nobody’s account, again and again, and is a fill to no subscriber', async () => {
  const redis = { url: server.url, noticeSecret: SECRET };
  const fills = new Collector<unknown>();
  const hedged = new Collector<number>();
  const subscriber = new NoticeSubscriber({
    redis,
    fills: { account: MAKER, handle: fills.add },
    onRejected: fills.add,
  });
  const hedger = warmUpHedger({ redis, makerAccount: MAKER, onHedged: () => hedged.add(1) });
  const maker = warmUpMaker({ redis, makerAccount: MAKER, everyMs: 1 });
  for (const it of [subscriber, hedger, maker]) opened.push(() => it.close());
  await hedged.count(3);
  expect(fills.seen).toEqual([]);
});

test('S-37 a stranger’s comes to nothing', async () => {
  const redis = { url: server.url, noticeSecret: SECRET };
  const hedged = new Collector<number>();
  const hedger = warmUpHedger({ redis, makerAccount: MAKER, onHedged: () => hedged.add(1) });
  const stranger = new Redis(server.url);
  opened.push(
    () => hedger.close(),
    () => stranger.disconnect(),
  );
  while ((await stranger.publish(warmUpChannel(MAKER), 'nonsense')) === 0);
  expect(hedged.seen).toEqual([]);
});

test('without Redis, or with an interval of 0, nothing is opened', () => {
  const redis = { url: 'redis://127.0.0.1:1', noticeSecret: SECRET };
  for (const it of [
    warmUpHedger({ redis: undefined, makerAccount: MAKER }),
    warmUpMaker({ redis: undefined, makerAccount: MAKER, everyMs: 10 }),
    warmUpMaker({ redis, makerAccount: MAKER, everyMs: 0 }),
  ])
    it.close();
});
