/**
 * A ticket: what may be traded for one order on one lane. A pure function of the order and its ledger, so that any process derives
 * the same one and arming it reserves nothing.
 */
import { parseOrderId, type OrderId } from './ids-and-nonces';
import { invariant } from './assert';
import { lots, maxLots, minLots, subLots, ticks, ZERO_LOTS, type Lots, type Ticks } from './lots';
import type { MarketTerms, TicketMessage } from './messages';
import type { Side } from './records';

export interface Ticket {
  readonly id: OrderId;
  readonly orderId: OrderId;
  readonly market: MarketTerms;
  /** The side this ticket trades: the opposite of the maker order's, for hedges and for closes alike. */
  readonly side: Side;
  /** Most this ticket may execute. */
  readonly maxLots: Lots;
  /** Lots of the same order resolved elsewhere when the ticket was opened. */
  readonly priorLots: Lots;
  /** Bounds are measured from here: the maker order's price. */
  readonly anchorTicks: Ticks;
  readonly slippageBps: number;
  readonly slippageBpsMax: number;
  readonly start: 'opens-lane' | 'follows-placement';
}

/** What the ticket has to execute when the order's cumulative fill is `fillLots`: never the raw fill (it may be a second ticket). */
export function targetLots(ticket: Ticket, fillLots: Lots): Lots {
  return maxLots(ZERO_LOTS, minLots(subLots(fillLots, ticket.priorLots), ticket.maxLots));
}

export function ticketFromMessage(message: TicketMessage): Ticket {
  const id = parseOrderId(message.ticket_id);
  const orderId = parseOrderId(message.order_id);
  invariant(id !== undefined && orderId !== undefined, 'a ticket names an order id of our form');
  return {
    id,
    orderId,
    market: message.market,
    side: message.side,
    maxLots: lots(BigInt(message.max_lots)),
    priorLots: lots(BigInt(message.prior_lots)),
    anchorTicks: ticks(BigInt(message.anchor_ticks)),
    slippageBps: message.slippage_bps,
    slippageBpsMax: message.max_slippage_bps,
    start: message.start,
  };
}

export function ticketToMessage(ticket: Ticket): TicketMessage {
  return {
    ticket_id: ticket.id.toString(),
    order_id: ticket.orderId.toString(),
    market: ticket.market,
    side: ticket.side,
    max_lots: ticket.maxLots.toString(),
    prior_lots: ticket.priorLots.toString(),
    anchor_ticks: ticket.anchorTicks.toString(),
    slippage_bps: ticket.slippageBps,
    max_slippage_bps: ticket.slippageBpsMax,
    start: ticket.start,
  };
}
