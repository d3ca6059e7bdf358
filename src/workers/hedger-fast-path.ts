/**
 * The hedger's fast path: from a notice to the hedge and its acknowledgement, over Redis and without Temporal. It also answers makers
 * that ask whether a hedger lives.
 */
import { systemClock } from '../clock';
import type { OrderId } from '../domain/ids-and-nonces';
import type { Lots } from '../domain/lots';
import type { Executor } from '../hedging/executor';
import { onFill } from '../hedging/on-fill';
import { sealByCancelAll } from '../hedging/seals';
import { HEDGES_CHANNEL } from '../notices/notice';
import { NoticePublisher } from '../notices/publisher';
import { NoticeSubscriber } from '../notices/subscriber';
import { WatchWire } from '../notices/watch';
import { warmUpHedger } from '../warm-up/hedger';
import type { Side } from './account';
import { openExecutor } from './executor';
import { SELF_TRADE } from './owners';
import { ProcessorLoad } from './processor-load';
import { redisOf } from './process';
import { redisRefused } from './redis-refused';

export function openFastPath(
  side: Side,
  on: {
    readonly keyRejected: (lane: number, reason: string) => void;
    /** A maker told of a fill, and the executor acts on it. */
    readonly raised: (orderId: OrderId, filledLots: Lots) => void;
  },
): { readonly executor: Executor; readonly publisher: NoticePublisher } {
  const { config, observability, opened } = side;
  const { metrics } = observability;
  const makerAccount = config.accounts.maker.index;
  /** Not in the way of the hedge itself. */
  const acknowledge = (orderId: OrderId): void => {
    setImmediate(() => {
      const known = executor.known(orderId);
      if (known) wire.send({ kind: 'heard', orderId, ...known });
    });
  };
  const executor = openExecutor(side, {
    sealBy: sealByCancelAll,
    selfTrade: SELF_TRADE,
    signAhead: new ProcessorLoad(systemClock),
    onKeyRejected: on.keyRejected,
    onResolved: acknowledge,
  });
  const redis = redisOf(config, side.env);
  const onRefused = redisRefused(side.observability.raiseAlert);
  const subscriber = new NoticeSubscriber({
    redis,
    onRefused,
    onState: (state) => metrics.redisLive.set(state === 'live' ? 1 : 0),
    onRejected: (reason) => metrics.noticesRejected.inc({ reason }),
    fills: {
      account: makerAccount,
      handle: (notice) => {
        const receivedAtMs = systemClock.epochMs();
        const raised = onFill(executor, notice);
        acknowledge(notice.orderId);
        // A notice that this executor cannot act on leaves the fill open: the order's workflow is asked about it.
        if (raised === 'raised') on.raised(notice.orderId, notice.filledLots);
        metrics.noticesReceived.inc();
        metrics.noticeTransit.observe(Math.max(0, receivedAtMs - notice.sentAtUs / 1_000) / 1_000);
      },
    },
  });
  opened.add(subscriber, (it) => it.close());
  opened.add(warmUpHedger({ redis, makerAccount }), (it) => it.close());
  const wire = new WatchWire({
    redis,
    onRefused,
    makerAccount,
    as: 'hedger',
    onMessage: (message) => {
      if (message.kind === 'ask') wire.send({ ...message, kind: 'alive' });
    },
  });
  opened.add(wire, (it) => it.close());
  const publisher = opened.add(new NoticePublisher({ redis, publishes: HEDGES_CHANNEL, onRefused }), (it) =>
    it.close(),
  );
  return { executor, publisher };
}
