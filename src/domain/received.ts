/**
 * What signals bring, checked field by field before it touches a ledger (invariant 7). By hand: schema libraries stay out of the
 * workflow bundle. Throws `ReceivedError` naming the field; never repairs, never guesses.
 */
import { parseOrderId } from './ids';
import type { HedgeState, OrderResult, OrderState, OrderUpdate } from './messages';
import { ORDER_STATUSES } from './records';

export class ReceivedError extends Error {
  override readonly name = 'ReceivedError';
}

const HEDGE_STATES: readonly HedgeState[] = ['arming', 'quoting', 'hedging', 'stuck', 'flat', 'abandoned'];
/** 2^63 has 19 digits; no amount of ours comes near. */
const AMOUNT = /^\d{1,19}$/;

export function orderUpdateFrom(value: unknown): OrderUpdate {
  const update = recordFrom(value, 'an order update');
  demand(isText(update['order_id']), 'order_id');
  demand(
    ORDER_STATUSES.some((status) => status === update['status']),
    'status',
  );
  demand(isAmount(update['filled_lots']), 'filled_lots');
  demand(isAmount(update['filled_quote']), 'filled_quote');
  demand(isTime(update['received_at_ms']), 'received_at_ms');
  return value as OrderUpdate;
}

export function orderStateFrom(value: unknown): OrderState {
  const state = recordFrom(value, 'an order state');
  demand(isOrderId(state['order_id']), 'order_id');
  demand(isOrderId(state['last_id']), 'last_id');
  demand(
    HEDGE_STATES.some((name) => name === state['hedge_state']),
    'hedge_state',
  );
  demand(isAmount(state['exposure_lots']), 'exposure_lots');
  demand(typeof state['done'] === 'boolean', 'done');
  if (state['result'] !== undefined) requireResult(state['result']);
  return value as OrderState;
}

/** Only what a pair reads of a result. */
function requireResult(value: unknown): asserts value is OrderResult {
  const result = recordFrom(value, 'result');
  const maker = recordFrom(result['maker'], 'result.maker');
  demand(isText(maker['status']), 'result.maker.status');
  demand(isText(maker['filled_base_amount']), 'result.maker.filled_base_amount');
  demand(isText(result['exposure']), 'result.exposure');
  demand(isText(result['reason']), 'result.reason');
}

function recordFrom(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ReceivedError(`${what} is not an object`);
  }
  return value as Record<string, unknown>;
}

function demand(holds: boolean, field: string): void {
  if (!holds) throw new ReceivedError(`malformed: ${field}`);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isOrderId(value: unknown): boolean {
  return typeof value === 'string' && parseOrderId(value) !== undefined;
}

function isAmount(value: unknown): boolean {
  return typeof value === 'string' && AMOUNT.test(value);
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}
