/** Questions, answers and acknowledgements between makers and hedgers: genuine or nothing; an old answer is an old answer. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { lots } from '../../src/domain/lots';
import { NoticeKey } from '../../src/notices/notice';
import {
  aliveChannel,
  askChannel,
  decodeWatch,
  encodeWatch,
  WatchWire,
  type WatchMessage,
} from '../../src/notices/watch';
import { sharedRedis } from '../helpers/valkey';
import { Collector, orderIdAt, SECRET } from './support';

const key = new NoticeKey(SECRET);
const MESSAGES: readonly WatchMessage[] = [
  { kind: 'ask', maker: 'a1', number: 7 },
  { kind: 'alive', maker: 'a1', number: 7 },
  { kind: 'heard', orderId: orderIdAt(1), filledLots: lots(20), doneLots: lots(5) },
];

describe('on the wire', () => {
  test.each(MESSAGES)('a message of kind $kind comes back as it was', (message) => {
    expect(decodeWatch('c', encodeWatch('c', message, key), key)).toEqual(message);
  });

  test.each(MESSAGES)('of kind $kind: another key, another channel and another value are not believed', (message) => {
    const text = encodeWatch('c', message, key);
    expect(decodeWatch('c', text, new NoticeKey('another-secret-0123456789'))).toBeUndefined();
    expect(decodeWatch('d', text, key)).toBeUndefined();
    expect(
      decodeWatch(
        'c',
        text.replace(/"(number|done_lots)":"?\d+/, (all) => `${all}1`),
        key,
      ),
    ).toBeUndefined();
  });

  test.each(['', 'null', '[]', '{"kind":"alive"}', `{"kind":"x","hmac":"${'0'.repeat(64)}"}`, 'x'.repeat(5_000)])(
    'S-33 %.40s is nothing',
    (text) => expect(decodeWatch('c', text, key)).toBeUndefined(),
  );
});

describe('over Redis', () => {
  const wires: WatchWire[] = [];
  afterEach(() => wires.splice(0).forEach((wire) => wire.close()));

  test('a maker asks, each hedger of its account answers, and no other', async () => {
    const redis = { url: await sharedRedis(), noticeSecret: SECRET };
    const makerAccount = 9_000_000 + (process.pid % 1_000_000);
    const heard = new Collector<WatchMessage>();
    const answering = (account: number): void => {
      const wire: WatchWire = new WatchWire({
        redis,
        makerAccount: account,
        as: 'hedger',
        onMessage: (message) => message.kind === 'ask' && wire.send({ ...message, kind: 'alive' }),
      });
      wires.push(wire);
    };
    for (const account of [makerAccount, makerAccount, makerAccount + 1]) answering(account);
    const maker = new WatchWire({ redis, makerAccount, as: 'maker', onMessage: heard.add });
    wires.push(maker);
    // Nothing is kept for who is not there yet: it is asked until both have answered.
    const asking = setInterval(() => maker.send({ kind: 'ask', maker: 'a1', number: 1 }), 20);
    await heard.count(2);
    clearInterval(asking);
    expect(heard.seen[0]).toEqual({ kind: 'alive', maker: 'a1', number: 1 });
    expect(askChannel(1)).not.toBe(aliveChannel(1));
  });
});
