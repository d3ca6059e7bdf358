/**
 * An order's ledger as text and back: what a run hands to the next one of the same order when its history has grown long.
 *
 * Everything that the ledger holds, by construction: a field that is added later is carried too.
 */
import { invariant } from './assert';
import type { Order } from './order';

const BIG = '$bigint';

export function packOrder(order: Order): string {
  return JSON.stringify(order, (_, value: unknown) => {
    return typeof value === 'bigint' ? { [BIG]: value.toString() } : value;
  });
}

/** Throws for text that is no packed order. */
export function unpackOrder(text: string): Order {
  const order = JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    const { [BIG]: big } = value as Record<string, unknown>;
    return typeof big === 'string' ? BigInt(big) : value;
  }) as Order;
  invariant(typeof order.id === 'bigint' && order.tickets.length > 0, 'a carried order has an id and a ticket');
  return order;
}
