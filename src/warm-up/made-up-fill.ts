/** A fill of nobody, as the exchange would show it, read by the code that reads real ones. */
import { systemClock } from '../clock';
import { splitClientOrderIndex, type OrderId } from '../domain/ids-and-nonces';
import { parseOrder, rawOrdersOf } from '../exchange/lighter';
import type { OrdersFrame } from '../exchange/port';

/** An order as `account_all_orders` shows it when it has filled (LP §5.6). */
const ORDER = {
  order_index: 281474976710657,
  client_order_index: 36510212345856,
  order_id: '281474976710657',
  client_order_id: '36510212345856',
  market_index: 1,
  owner_account_index: 1,
  initial_base_amount: '0.00020',
  price: '109448.5',
  nonce: 4711,
  remaining_base_amount: '0.00000',
  is_ask: false,
  base_size: 0,
  base_price: 1094485,
  filled_base_amount: '0.00020',
  filled_quote_amount: '21.889700',
  side: '',
  type: 'limit',
  time_in_force: 'post-only',
  reduce_only: false,
  trigger_price: '0.0',
  order_expiry: 1795000000000,
  status: 'filled',
  trigger_status: 'na',
  trigger_time: 0,
  parent_order_index: 0,
  parent_order_id: '0',
  to_trigger_order_id_0: '0',
  to_trigger_order_id_1: '0',
  to_cancel_order_id_0: '0',
  integrator_fee_collector_index: '0',
  integrator_taker_fee: '0',
  integrator_maker_fee: '0',
  order_flags: 0,
  block_height: 1000,
  timestamp: 1795000000,
  created_at: 1795000000,
  updated_at: 1795000000,
  transaction_time: 1795000000000000,
};
/** Its frame. */
export const MADE_UP_FRAME = JSON.stringify({
  channel: 'account_all_orders:1',
  orders: { '1': [ORDER] },
  type: 'update/account_all_orders',
});
export const ACCOUNT = 1;
export const MARKET = { marketId: 1, sizeDecimals: 5, priceDecimals: 1 };
export const ORDER_ID: OrderId = splitClientOrderIndex(BigInt(ORDER.client_order_index)).id;
const BYTES = Buffer.from(MADE_UP_FRAME);

/** As a snapshot: to a listener each one is news. */
export function readMadeUpFill(): OrdersFrame {
  const frame: unknown = JSON.parse(BYTES.toString());
  const orders = rawOrdersOf(frame).map((raw) => parseOrder(raw, () => MARKET));
  return { kind: 'snapshot', orders, receivedAtMs: systemClock.monotonicMs() };
}
