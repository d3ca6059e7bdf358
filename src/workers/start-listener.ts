/** The listener on A's stream: notices and signals for its fills, and what is measured and told about them. */
import type { Config } from '../config';
import { systemClock } from '../clock';
import { Listener } from '../fills/listener';
import type { TemporalSignalSink } from '../fills/temporal-sink';
import type { NoticePublisher } from '../notices/publisher';
import type { Observability } from '../observability';
import type { ExchangeSide } from './account';
import type { HedgerWatch } from './hedger-watch';
import type { HeardLanes } from './lanes';
import { signalHoldMs } from './single-machine';

export function startListener(input: {
  readonly config: Config;
  readonly side: ExchangeSide;
  readonly heard: HeardLanes;
  readonly publisher: NoticePublisher;
  readonly sink: TemporalSignalSink;
  readonly observability: Observability;
  readonly hedger: HedgerWatch;
}): Listener {
  const { metrics, logger, raiseAlert } = input.observability;
  return new Listener({
    stream: input.side.account.stream,
    registry: { makerAccount: input.config.accounts.maker.index, lanes: input.heard.terms },
    notices: input.publisher,
    signals: input.sink,
    clock: systemClock,
    signalHoldMs: signalHoldMs(input.config),
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
}
