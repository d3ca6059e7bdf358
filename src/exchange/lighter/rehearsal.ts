/**
 * The adapter's part of a rehearsal: a made-up fill is read, and a made-up hedge is signed, by the code that does it in earnest.
 *
 * Code that runs for a tenth of a millisecond now and then is out of the processor's caches when its moment comes and takes ten times
 * as long (docs/benchmarks.md). Nothing made here can trade: the hedge is signed under a key that was generated for it and belongs
 * to no account, and the bytes are dropped.
 */
import type { ClientOrderIndex, Nonce } from '../../domain/ids';
import { lots, ticks } from '../../domain/lots';
import type { OrdersFrame } from '../port';
import { parseOrder, rawOrdersOf } from './parse';
import type { Signer } from './signer';

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
  filled_base_amount: '0.00020',
  filled_quote_amount: '21.889700',
  type: 'limit',
  time_in_force: 'post-only',
  reduce_only: false,
  trigger_price: '0.0',
  order_expiry: 1795000000000,
  status: 'filled',
  trigger_status: 'na',
  block_height: 1000,
  timestamp: 1795000000,
  created_at: 1795000000,
  updated_at: 1795000000,
  transaction_time: 1795000000000000,
};
const BYTES = Buffer.from(
  JSON.stringify({ channel: 'account_all_orders:1', orders: { '1': [ORDER] }, type: 'update/account_all_orders' }),
);
const SCALE = { sizeDecimals: 5, priceDecimals: 1 };

/** Reads the made-up frame; its account is 1, its market 1. */
export function readMadeUpFill(): OrdersFrame {
  const frame: unknown = JSON.parse(BYTES.toString());
  const orders = rawOrdersOf(frame).map((raw) => parseOrder(raw, () => SCALE));
  return { kind: 'change', orders, receivedAtMs: performance.now() };
}

/** The largest account index there is (LP §2.2): nobody's. */
const NOBODY = 281_474_976_710_654;
const LANE = 254;

/** Rejects when the library refuses; the caller may go on without. */
export async function madeUpSigning(signer: Signer): Promise<() => Promise<void>> {
  const { privateKey } = await signer.generateKey();
  signer.register({ accountIndex: NOBODY, lane: LANE, chainId: 1, privateKey });
  const hedge = {
    kind: 'market-order',
    lane: LANE,
    nonce: 1n as Nonce,
    skipNonce: true,
    marketId: 1,
    clientOrderIndex: 1n as ClientOrderIndex,
    side: 'buy',
    lots: lots(20n),
    boundTicks: ticks(1_094_485n),
    reduceOnly: false,
  } as const;
  return async () => void (await signer.sign(NOBODY, hedge));
}
