/** The listener on A's stream: notices and signals for its fills, and what is measured and told about them. */
import { systemClock } from '../clock';
import { Listener } from '../fills/listener';
import type { SignalSink } from '../fills/signal-sender';
import type { NoticePublisher } from '../notices/publisher';
import type { Side } from './account';
import type { HedgerWatch } from './hedger-watch';
import type { HeardLanes } from './lanes';
import { signalHoldMs } from './single-machine';

export function startListener(
  { config, account, observability, opened }: Side,
  input: {
    readonly heard: HeardLanes;
    readonly publisher: NoticePublisher;
    readonly signals: SignalSink;
    readonly hedger: HedgerWatch;
  },
): void {
  const { metrics, logger, raiseAlert } = observability;
  const listener = new Listener({
    stream: account.stream,
    registry: { makerAccount: config.accounts.maker.index, lanes: input.heard.terms },
    notices: input.publisher,
    signals: input.signals,
    clock: systemClock,
    signalHoldMs: signalHoldMs(config),
    onNotice: ({ fills, publication, parsedMs, tookMs }) => {
      metrics.frameToParsed.observe(parsedMs / 1_000);
      if (publication === 'dropped') metrics.noticesDropped.inc(fills);
      if (publication !== 'sent') return;
      metrics.frameToNotice.observe(tookMs / 1_000);
      metrics.noticesSent.inc(fills);
    },
    onFill: ({ orderId, record: { marketId, filledLots } }) => input.hedger.filled({ orderId, marketId, filledLots }),
    onSignal: (latencyMs) => {
      metrics.signals.inc({ outcome: 'delivered' });
      metrics.signalDelivery.observe(latencyMs / 1_000);
    },
    onSignalFailed: () => metrics.signals.inc({ outcome: 'failed' }),
    onOrphan: ({ orderId, record }) => {
      metrics.signals.inc({ outcome: 'orphan' });
      logger.info(
        { order: orderId.toString(), status: record.status, filled: record.filledLots.toString() },
        'no running order takes this update',
      );
    },
    onUndelivered: (left) =>
      logger.warn(
        { orders: left.map(({ orderId }) => orderId.toString()) },
        'stopped before Temporal took the newest state of these orders; the next maker tells it again from its first snapshot',
      ),
    onPoison: (error) => {
      logger.error({ error: String(error) }, 'part of a frame could not be handled');
      raiseAlert({
        kind: 'invariant-broken',
        what: `a frame of account A could not be handled: ${String(error)}`,
        next: 'Report this; the other orders go on.',
      });
    },
  });
  opened.add(listener, (it) => it.close());
}
