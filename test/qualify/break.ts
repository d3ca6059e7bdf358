/** An exchange on which a row does not hold, and what such exchanges share. */
import type { Bench } from './harness';
import { bodyOf, eachRow, frameOf, type Fields } from './lies';

export interface Break {
  readonly how: string;
  readonly lie: (bench: Bench) => void | Promise<void>;
  /** Other rows of its group that see the same. */
  readonly also?: readonly string[];
  /** Only the row itself is run: the lie would slow all the others down. */
  readonly alone?: true;
}

export const ordersFrame = (bench: Bench, change: (row: Fields) => Fields): void =>
  frameOf(bench, 'update/account_all_orders', (body) => eachRow(body, 'orders', change));
export const ordersList = (bench: Bench, path: string, change: (row: Fields) => Fields): void =>
  bodyOf(bench, path, (body) => eachRow(body, 'orders', change));
/** As if it had filled whole. */
export const filled = (row: Fields): Fields => ({
  ...row,
  status: 'filled',
  filled_base_amount: row['initial_base_amount'],
});
