/**
 * What starts and signals bring, checked field by field before it touches a ledger (invariant 7). By hand: schema libraries stay out of the
 * workflow bundle. Throws `ReceivedError` naming the field; never repairs, never guesses.
 */
import { parseOrderId } from './ids-and-nonces';
import { LIMIT_NAMES, type Acknowledgement, type DayReading, type LimitsInput } from './day-limits';
import type { BooksState, HedgeState, OrderInput, OrderResult, OrderState, OrderUpdate, PairInput } from './messages';
import type { RebalanceInput } from './rebalance-messages';
import { ORDER_STATUSES } from './records';

export class ReceivedError extends Error {
  override readonly name = 'ReceivedError';
}

const HEDGE_STATES: readonly HedgeState[] = ['arming', 'quoting', 'hedging', 'stuck', 'flat', 'abandoned'];
/** 2^63 has 19 digits; no amount of ours comes near. */
const AMOUNT = /^\d{1,19}$/;
const SIGNED_AMOUNT = /^-?[1-9]\d{0,18}$/;
const MONEY = /^-?\d{1,15}(\.\d{1,6})?$/;
const WORDS_MAX = 300;

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
  demand(update['size_decimals'] === undefined || isCount(update['size_decimals']), 'size_decimals');
  for (const field of ['parsed_at_ms', 'noticed_at_ms'])
    demand(update[field] === undefined || isTime(update[field]), field);
  if (update['trades'] !== undefined) demandTrades(update['trades']);
  return value as OrderUpdate;
}

export function orderInputFrom(value: unknown): OrderInput {
  const input = recordFrom(value, 'an order');
  demand(isOrderId(input['order_id']), 'order_id');
  demand(isCount(input['maker_account']), 'maker_account');
  demand(isCount(input['hedge_account']), 'hedge_account');
  const market = recordFrom(input['market'], 'market');
  for (const field of ['market_id', 'size_decimals', 'price_decimals'])
    demand(isCount(market[field]), `market.${field}`);
  demand(isText(market['symbol']), 'market.symbol');
  demand(input['side'] === 'buy' || input['side'] === 'sell', 'side');
  demand(isAmount(input['lots']) && input['lots'] !== '0', 'lots');
  demand(isAmount(input['price_ticks']), 'price_ticks');
  demandTimes(input);
  demandPolicy(input['policy']);
  demand(isLanes(input['spare_lanes']), 'spare_lanes');
  demand(input['carry'] === undefined || isText(input['carry']), 'carry');
  return value as OrderInput;
}

export function pairInputFrom(value: unknown): PairInput {
  const input = recordFrom(value, 'a pair');
  demand(isText(input['market']), 'market');
  demand(isCount(input['maker_account']), 'maker_account');
  demand(isCount(input['hedge_account']), 'hedge_account');
  demand(
    ['buy', 'sell', 'round-trip'].some((name) => name === input['strategy']),
    'strategy',
  );
  demand(isCount(input['depth']), 'depth');
  demand(isAmount(input['lots']) && input['lots'] !== '0', 'lots');
  demand(isCount(input['size_decimals']), 'size_decimals');
  demand(isAmount(input['max_position_lots']), 'max_position_lots');
  demand(isLanes(input['lanes']), 'lanes');
  demand(isLanes(input['spare_lanes']), 'spare_lanes');
  demandTimes(input);
  demandPolicy(input['policy']);
  demand(isCount(input['max_consecutive_failures']), 'max_consecutive_failures');
  return value as PairInput;
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
  if (state['result'] !== undefined) demandResult(state['result']);
  return value as OrderState;
}

export function booksStateFrom(value: unknown): BooksState {
  const books = recordFrom(value, 'a state of the books');
  const { state, lots, what } = books;
  demand(state === 'even' || state === 'off', 'state');
  demand(state === 'even' ? lots === '0' : typeof lots === 'string' && SIGNED_AMOUNT.test(lots), 'lots');
  demand(typeof what === 'string' && what.length <= WORDS_MAX, 'what');
  return value as BooksState;
}

export function rebalanceInputFrom(value: unknown): RebalanceInput {
  const input = recordFrom(value, 'a rebalance');
  const { amount, from } = input;
  demand(isCount(input['maker_account']), 'maker_account');
  demand(isCount(input['hedge_account']), 'hedge_account');
  demand(isText(input['by']), 'by');
  demand(amount === undefined || isAmount(amount), 'amount');
  demand(from === undefined || from === 'maker' || from === 'hedge', 'from');
  return value as RebalanceInput;
}

export function limitsInputFrom(value: unknown): LimitsInput {
  const input = recordFrom(value, 'limits');
  demand(isCount(input['maker_account']), 'maker_account');
  return value as LimitsInput;
}

export function dayReadingFrom(value: unknown): DayReading {
  const reading = recordFrom(value, 'figures of a day');
  const bounds = recordFrom(reading['bounds'], 'bounds');
  demand(typeof reading['day'] === 'string' && /^\d{4}-\d\d-\d\d$/.test(reading['day']), 'day');
  demand(isTime(reading['until_ms']), 'until_ms');
  for (const field of ['cost_usdc', 'volume_usdc', 'naked_usdc_seconds'])
    demand(reading[field] === undefined || isMoney(reading[field]), field);
  for (const [field, bound] of Object.entries(bounds)) demand(isMoney(bound), `bounds.${field}`);
  return value as DayReading;
}

export function acknowledgementFrom(value: unknown): Acknowledgement {
  const { names, by } = recordFrom(value, 'an acknowledgement');
  demand(Array.isArray(names) && names.every((name) => LIMIT_NAMES.some((known) => known === name)), 'names');
  demand(typeof by === 'string' && by.length <= WORDS_MAX, 'by');
  return value as Acknowledgement;
}

function demandTrades(value: unknown): void {
  demand(Array.isArray(value), 'trades');
  for (const trade of value as unknown[]) {
    const { lots, at_us: at } = recordFrom(trade, 'a trade');
    demand(isAmount(lots) && (at === undefined || isTime(at)), 'trades');
  }
}

/** Only what a pair reads of a result. */
function demandResult(value: unknown): asserts value is OrderResult {
  const result = recordFrom(value, 'result');
  const maker = recordFrom(result['maker'], 'result.maker');
  demand(isText(maker['status']), 'result.maker.status');
  demand(isText(maker['filled_base_amount']), 'result.maker.filled_base_amount');
  demand(isText(result['exposure']), 'result.exposure');
  demand(isText(result['reason']), 'result.reason');
}

function demandTimes(input: Record<string, unknown>): void {
  demand(isTime(input['time_out_ms']), 'time_out_ms');
  demand(isTime(input['expiry_ms']), 'expiry_ms');
}

function demandPolicy(value: unknown): void {
  const policy = recordFrom(value, 'policy');
  for (const field of ['slippage_bps', 'max_slippage_bps', 'force_close_timeout_ms'])
    demand(isTime(policy[field]), `policy.${field}`);
  demand(policy['on_stuck'] === 'keep_trying' || policy['on_stuck'] === 'close', 'policy.on_stuck');
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

/** Decimal text, signed, six decimals at most. */
function isMoney(value: unknown): boolean {
  return typeof value === 'string' && MONEY.test(value);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isLanes(value: unknown): boolean {
  return Array.isArray(value) && value.every((lane) => isCount(lane));
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
