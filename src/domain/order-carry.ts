/**
 * An order's ledger as text and back: what a run hands to the next one of the same order when its history has grown long.
 *
 * Everything that the ledger holds, by construction: a field that is added later is carried too.
 */
import { invariant } from './assert';
import type { Order } from './order';

const BIG = '$bigint';
const SET = '$set';

export function packOrder(order: Order): string {
  return JSON.stringify(order, (_, value: unknown) => {
    if (typeof value === 'bigint') return { [BIG]: value.toString() };
    return value instanceof Set ? { [SET]: [...(value as Set<unknown>)] } : value;
  });
}

/** Throws for text that is no packed order. */
export function unpackOrder(text: string): Order {
  const order = JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    const { [BIG]: big, [SET]: set } = value as Record<string, unknown>;
    if (typeof big === 'string') return BigInt(big);
    return Array.isArray(set) ? new Set(set) : value;
  }) as Order;
  invariant(typeof order.id === 'bigint' && order.tickets.length > 0, 'a carried order has an id and a ticket');
  return order;
}
