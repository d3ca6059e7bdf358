/** What an executor reports, as metrics, log lines and alerts. */
import type { ExecutorEvents, LateExecution } from '../hedging/executor-events';
import { elapsedMs, SLICE_STAGES } from '../hedging/stages';
import { laneOf, type OrderId } from '../domain/ids-and-nonces';
import { formatDecimal } from '../domain/lots';
import { findRejection } from '../domain/rejections';
import type { Alert, Observability } from '../observability';

export function executorEvents(input: {
  readonly account: 'maker' | 'hedge';
  readonly observability: Observability;
  /** A rejection that puts a lane's key in doubt. */
  readonly onKeyRejected?: (lane: number, reason: string) => void;
  readonly onResolved?: (orderId: OrderId) => void;
}): ExecutorEvents {
  const { account } = input;
  const { metrics, logger, raiseAlert } = input.observability;
  return {
    submitted: ({ ticket, k, path, signed, atMs, sinceNoticeMs }) => {
      metrics.slicesSigned.inc({ account, signed });
      if (sinceNoticeMs !== undefined) metrics.noticeToSubmit.observe(sinceNoticeMs / 1_000);
      logger.debug({ order: ticket.orderId.toString(), slice: k, path, signed, atMs }, 'slice submitted');
    },
    signedAhead: ({ tookMs }) => metrics.signAhead.observe(tookMs / 1_000),
    answered: ({ ticket, k, outcome, code, tookMs }) => {
      metrics.sends.inc({ account, answer: outcome });
      metrics.submitToAnswer.observe({ account, answer: outcome }, tookMs / 1_000);
      if (outcome !== 'accepted')
        logger.warn({ order: ticket.orderId.toString(), slice: k, outcome, code, tookMs }, 'slice not accepted');
      const rejection = code === undefined ? undefined : findRejection(code);
      if (rejection?.class === 'key') input.onKeyRejected?.(laneOf(ticket.id), `${rejection.reason} (${code})`);
    },
    resolved: ({ ticket, k, path, lots, times }) => {
      metrics.slices.inc({ account, outcome: lots > 0n ? 'executed' : 'empty' });
      for (const { metric, from, to } of SLICE_STAGES) {
        const tookMs = elapsedMs(times, from, to);
        if (tookMs !== undefined) metrics[metric].observe({ account }, tookMs / 1_000);
      }
      const sinceSentMs = elapsedMs(times, 'submitted_ms', 'resolved_ms');
      logger.info(
        { order: ticket.orderId.toString(), slice: k, path, lots: lots.toString(), sinceSentMs },
        'slice resolved',
      );
      input.onResolved?.(ticket.orderId);
    },
    late: (at) => {
      if (account === 'hedge') raiseAlert(lateAlert(at)); // a close is late too, but its order has been told as stuck before
    },
    alert: ({ kind, ticket, what }) => {
      if (kind === 'foreign-nonce') metrics.foreignNonces.inc({ account });
      raiseAlert({ ...ALERTS[kind], what, orderId: ticket.orderId.toString() });
    },
  };
}

const ALERTS: Readonly<Record<Parameters<ExecutorEvents['alert']>[0]['kind'], Pick<Alert, 'kind' | 'next'>>> = {
  'foreign-nonce': {
    kind: 'foreign-nonce',
    next: 'Find out what else uses this API key; a lane is for us alone.',
  },
  'lane-jumped': {
    kind: 'lane-jumped',
    next: 'The order goes on under a spare lane. Stop what else uses this API key.',
  },
  'lane-dead': {
    kind: 'key-rejected',
    next:
      'The order goes on under a spare lane, else it is closed on the other account. Register a new key for this lane; not the old ' +
      'one while a process that knew it may still be frozen.',
  },
  'ticket-parked': {
    kind: 'invariant-broken',
    next: 'This ticket trades no more. Check both positions by hand and report this.',
  },
};

/** The workflow's word about the same order has the same kind: whoever comes second within a minute is folded. */
export function lateAlert({ ticket, missingLots, sinceMs, forMs, why }: LateExecution): Alert {
  const naked = `${formatDecimal(missingLots, ticket.market.size_decimals)} ${ticket.market.symbol}`;
  const since = new Date(sinceMs).toISOString().slice(11, 19);
  return {
    kind: 'hedge-stuck',
    what: `${naked} of order ${ticket.orderId} naked for ${Math.round(forMs / 1_000)} s (since ${since} UTC): ${why}`,
    exposed: naked,
    next:
      `The hedger keeps trying by itself. Remove the reason; with Temporal there, \`counterleg hedge retry ${ticket.orderId}\` tries at once and ` +
      `\`counterleg hedge close ${ticket.orderId}\` closes on the maker account. Without Temporal close the amount by hand.`,
    orderId: ticket.orderId.toString(),
  };
}
