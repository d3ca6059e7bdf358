/** The floor of the fast path, measured while the product runs beside it: `floor-hop.ts` twice, and this process as its exchange. */
import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { preferMainThread } from '../../src/workers/priority';

const HOOK = join(__dirname, '..', '..', 'scripts', 'ts-hook.cjs');
const HOP = join(__dirname, 'floor-hop.ts');
const ANSWER_MS = 10_000;

export interface Floor {
  /** One frame through; milliseconds from its arrival in the first process to the bytes written by the second. */
  sample(): Promise<number>;
  close(): void;
}

export interface FloorRoute {
  readonly redisUrl: string;
  /** The first process's way to Redis, when it is another. */
  readonly makerRedisUrl?: string;
}

export async function startFloor(route: FloorRoute): Promise<Floor> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connect = async (role: 'maker' | 'hedger', redisUrl: string): Promise<WebSocket> => {
    const joined = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const { pid } = spawn(process.execPath, ['-r', HOOK, HOP, role, url, redisUrl], { stdio: 'inherit' });
    const socket = await joined;
    const ready = new Promise((resolve) => socket.once('message', resolve));
    if (pid !== undefined) await preferMainThread(pid); // as the product's processes have it
    await ready;
    return socket;
  };
  const hedger = await connect('hedger', route.redisUrl);
  const maker = await connect('maker', route.makerRedisUrl ?? route.redisUrl);
  return {
    sample() {
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('the floor did not answer')), ANSWER_MS);
        const hear = (data: Buffer): void => {
          if (data[0] !== OPENING_BRACE) return;
          clearTimeout(late);
          hedger.off('message', hear);
          resolve((JSON.parse(data.toString()) as { readonly tookMs: number }).tookMs);
        };
        hedger.on('message', hear);
        maker.send(FRAME);
      });
    },
    close() {
      for (const client of server.clients) client.close();
      server.close();
    },
  };
}

const OPENING_BRACE = 0x7b;

/** One filled order as the exchange shows it, LP §5.6. */
const FRAME = JSON.stringify({
  channel: 'account_all_orders:1001',
  orders: {
    '1': [
      {
        order_index: 281474976710657,
        client_order_index: 36510212345856,
        order_id: '281474976710657',
        client_order_id: '36510212345856',
        market_index: 1,
        owner_account_index: 1001,
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
      },
    ],
  },
  type: 'update/account_all_orders',
});
