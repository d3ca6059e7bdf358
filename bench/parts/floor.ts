/** The floor of the fast path, measured while the product runs beside it: `floor-hop.ts` twice, and this process as its exchange. */
import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { MADE_UP_FRAME } from '../../src/warm-up/made-up-fill';
import { preferMainThread } from '../../src/workers/single-machine';

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
  /** As the product's processes have it. */
  readonly realTime: boolean;
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
    if (pid !== undefined && route.realTime) await preferMainThread(pid);
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
        maker.send(MADE_UP_FRAME);
      });
    },
    close() {
      for (const client of server.clients) client.close();
      server.close();
    },
  };
}

const OPENING_BRACE = 0x7b;
