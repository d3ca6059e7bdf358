/** What a desk reports, as metrics, log lines and alerts. */
import type { DeskEvents } from '../desk/desk';
import type { OrderId } from '../domain/ids';
import type { Observability } from '../observability';
import { wallClock } from './clock';

export function deskEvents(input: {
  readonly account: 'maker' | 'hedge';
  readonly observability: Observability;
  /** Arrival of the first notice of an order, epoch ms. */
  readonly arrivals: ReadonlyMap<OrderId, number>;
}): DeskEvents {
  const { account, arrivals } = input;
  const { metrics, logger, raiseAlert } = input.observability;
  return {
    submitted: ({ ticket, k, path, atMs }) => {
      const arrivedMs = arrivals.get(ticket.orderId);
      if (k === 1 && path === 'fast' && arrivedMs !== undefined)
        metrics.noticeToSubmit.observe(Math.max(0, wallClock() - arrivedMs) / 1_000);
      logger.debug({ order: ticket.orderId.toString(), slice: k, path, atMs }, 'slice submitted');
    },
    answered: ({ ticket, k, outcome, code, tookMs }) => {
      metrics.sends.inc({ account, answer: outcome });
      if (outcome !== 'accepted')
        logger.warn({ order: ticket.orderId.toString(), slice: k, outcome, code, tookMs }, 'slice not accepted');
    },
    settled: ({ ticket, k, path, sinceSentMs, lots }) => {
      metrics.slices.inc({ account, outcome: lots > 0n ? 'executed' : 'empty' });
      if (sinceSentMs !== undefined) metrics.submitToSettled.observe({ account }, sinceSentMs / 1_000);
      logger.info(
        { order: ticket.orderId.toString(), slice: k, path, lots: lots.toString(), sinceSentMs },
        'slice settled',
      );
    },
    alert: ({ kind, ticket, what }) => {
      const orderId = ticket.orderId.toString();
      switch (kind) {
        case 'foreign-nonce':
          metrics.foreignNonces.inc({ account });
          raiseAlert({ kind, what, next: 'Find out what else uses this API key; a lane is for us alone.', orderId });
          return;
        case 'lane-jumped':
          raiseAlert({
            kind,
            what,
            next: 'The order goes on under a spare lane. Stop what else uses this API key.',
            orderId,
          });
          return;
        case 'ticket-parked':
          raiseAlert({
            kind: 'invariant-broken',
            what,
            next: 'This ticket trades no more. Check both positions by hand and report this.',
            orderId,
          });
          return;
      }
    },
  };
}
