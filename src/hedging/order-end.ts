import type { ClientOrderIndex } from '../domain/ids-and-nonces';
import { isTerminal, type OrderRecord } from '../domain/records';
import type { OwnOrders } from '../exchange/port';

/** Resolves with the order's terminal record, or undefined after `forMs`: then nothing is known. */
export function orderEnd(orders: OwnOrders, index: ClientOrderIndex, forMs: number): Promise<OrderRecord | undefined> {
  const known = orders.find(index);
  if (known && isTerminal(known.status)) return Promise.resolve(known);
  return new Promise((resolve) => {
    const end = (record?: OrderRecord): void => {
      clearTimeout(timer);
      off();
      resolve(record);
    };
    const off = orders.on(index, (record) => {
      if (isTerminal(record.status)) end(record);
    });
    const timer = setTimeout(() => end(), forMs);
  });
}
