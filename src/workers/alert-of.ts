/** What a workflow asks to be told, as the alert of its kind. */
import type { AlertInput } from '../activities/hedge-activities';
import type { Alert, AlertKind } from '../observability';

const KINDS: Readonly<Record<AlertInput['kind'], AlertKind>> = {
  stuck: 'hedge-stuck',
  abandoned: 'exposure-left',
  pair: 'exposure-left',
  quoting: 'quoting-stopped',
  contradiction: 'books-differ',
  unwinding: 'unwinding',
  unwound: 'unwound',
  'cannot-unwind': 'cannot-unwind',
  rebalanced: 'rebalanced',
  'rebalance-failed': 'rebalance-failed',
  'rebalance-in-doubt': 'rebalance-in-doubt',
};

export function alertOf({ kind, what, next, exposed, order_id: orderId, market }: AlertInput): Alert {
  return {
    kind: KINDS[kind],
    what,
    next,
    ...(exposed === undefined ? {} : { exposed }),
    ...(orderId === undefined ? {} : { orderId }),
    ...(market === undefined ? {} : { market }),
  };
}
