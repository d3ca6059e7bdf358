/** The maker's half: frame → listener → signed notice on a channel that nobody trades by. */
import { systemClock } from '../clock';
import { epochMsOf, laneOf, timeOf } from '../domain/ids-and-nonces';
import type { OrdersFrame } from '../exchange/port';
import { Listener, type FillSink } from '../fills/listener';
import type { SignalSink } from '../fills/signal-sender';
import { encodeNotice, FILLS_CHANNEL, NoticeKey } from '../notices/notice';
import { publish } from '../notices/publisher';
import { RedisLink, type RedisAccess } from '../notices/redis-link';
import { warmUpChannel } from './channel';
import { warmUpEvery, type WarmUp } from './every';
import { ACCOUNT, MARKET, ORDER_ID, readMadeUpFill } from './made-up-fill';

/** Without Redis there is no fast path to keep warm. */
export function warmUpMaker(input: {
  readonly redis: RedisAccess | undefined;
  readonly makerAccount: number;
  readonly everyMs: number;
}): WarmUp {
  const { redis, makerAccount, everyMs } = input;
  if (redis === undefined || everyMs === 0) return { close: () => undefined };
  const key = new NoticeKey(redis.noticeSecret);
  const channel = warmUpChannel(makerAccount);
  const link = new RedisLink({ redis, publishes: channel });
  let answered: Promise<unknown> = Promise.resolve();
  const hear = madeUpListener({
    publishFills(fills) {
      const { live } = link;
      if (live === undefined) return 'dropped';
      const texts = fills.map((notice) =>
        encodeNotice({
          channel: FILLS_CHANNEL,
          notice,
          key,
          sequence: 0,
          sentAtUs: Math.floor(systemClock.epochMs() * 1_000),
        }),
      );
      answered = publish(live, channel, texts);
      return 'sent';
    },
  });
  const timer = warmUpEvery(everyMs, () => {
    hear(readMadeUpFill());
    return answered; // a Redis that is slow is not given the next one yet
  });
  return {
    close() {
      timer.close();
      link.close();
    },
  };
}

/** A listener whose only order is the made-up one, and whose signals go nowhere. */
export function madeUpListener(notices: FillSink): (frame: OrdersFrame) => void {
  let hear: (frame: OrdersFrame) => void = () => undefined;
  const nowhere: SignalSink = { signal: () => Promise.resolve('delivered') };
  new Listener({
    stream: {
      on(_event, listener) {
        hear = listener as typeof hear;
        return () => undefined;
      },
    },
    registry: { makerAccount: ACCOUNT, lanes: new Map([[laneOf(ORDER_ID), MARKET]]) },
    notices,
    signals: nowhere,
    clock: { ...systemClock, epochMs: () => epochMsOf(timeOf(ORDER_ID)) },
  });
  return (frame) => hear(frame);
}
