/**
 * Fill → hedge, on both paths, over the real parts: A's fill frame arrives at the maker's socket → the hedge's bytes are handed to B's
 * socket. Full fills, one after the other (closed loop), while the other slots rest. `up` runs everything; this is the market.
 *
 * Floors of the same run: a frame, a Redis hop and a frame between three processes; a bare signal → eager activity.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import { listOrders } from '../src/cli/order-list';
import { floor, poke } from './parts/floor-workflow';
import { post, startSystem, type RunningSystem } from './parts/running-system';
import { report } from './parts/stats';

const FILLS = Number(process.env['BENCH_FILLS'] ?? 200);
/** The first fills pay for compilation and connections. */
const WARM_UP = 20;
const SLOTS = 4;
const HOOK = join(__dirname, '..', 'scripts', 'ts-hook.cjs');

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  for (const redis of ['with', 'without'] as const) {
    const system = await startSystem({ slots: SLOTS, redis });
    try {
      const samplesMs = await fillSome(system);
      const floorMs = redis === 'with' ? await floorOfHops(system.redisUrl) : await floorOfEngine(system);
      report({
        bench: `fill frame → hedge submitted, ${redis === 'with' ? 'fast path' : 'durable path (Redis absent)'}`,
        samplesMs: samplesMs.slice(WARM_UP),
        floorMs,
        conditions: `full fills one at a time, ${SLOTS} slots, paper exchange without latency, first ${WARM_UP} left out`,
      });
    } finally {
      await system.stop();
    }
  }
}

/** Takes out A's best bid again and again; the orders' own results hold the times. */
async function fillSome(system: RunningSystem): Promise<number[]> {
  let done = 0;
  const filled = new Set<number>();
  const until = Date.now() + FILLS * 1_000;
  while (done < FILLS + WARM_UP && Date.now() < until) {
    const truth = (await (
      await fetch(`${system.paperUrl}/_paper/truth?account_index=${system.makerAccount}`)
    ).json()) as {
      orders: { status: string; client_order_index: number; price: string; initial_base_amount: string }[];
    };
    const next = truth.orders.find((order) => order.status === 'open' && !filled.has(order.client_order_index));
    if (!next) {
      await sleep(2);
      continue;
    }
    await sleep(Math.random() * 20);
    filled.add(next.client_order_index);
    await post(`${system.paperUrl}/_paper/orders`, {
      market_id: 1,
      is_ask: true,
      base_amount: '50',
      price: next.price,
      type: 'ioc',
    });
    await post(`${system.paperUrl}/_paper/market`, { market_id: 1, mid_price: '109450.0' }); // the book is made whole again
    done++;
  }
  await sleep(2_000);
  const orders = await listOrders(system.client, { makerAccount: system.makerAccount, state: 'closed', limit: 5_000 });
  return orders
    .sort((a, b) => a.startedMs - b.startedMs)
    .flatMap(({ result }) => {
      const { fill_frame_ms: from, hedge_submitted_ms: to } = result?.timings ?? {};
      return from === undefined || to === undefined ? [] : [to - from];
    });
}

async function floorOfHops(redisUrl: string): Promise<number[]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connect = async (role: string): Promise<WebSocket> => {
    const joined = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    spawn(process.execPath, ['-r', HOOK, join(__dirname, 'parts', 'floor-hop.ts'), role, url, redisUrl], {
      stdio: 'inherit',
    });
    const socket = await joined;
    await new Promise((resolve) => socket.once('message', resolve));
    return socket;
  };
  const hedger = await connect('hedger');
  const maker = await connect('maker');
  const samples: number[] = [];
  for (let i = 0; i < FILLS + WARM_UP; i++) {
    const answer = new Promise<Buffer>((resolve) => hedger.once('message', resolve));
    maker.send('{"type":"update/account_all_orders"}');
    const { arrivedMs, writtenMs } = JSON.parse((await answer).toString()) as { arrivedMs: number; writtenMs: number };
    samples.push(writtenMs - arrivedMs);
    await sleep(Math.random() * 20);
  }
  server.clients.forEach((client) => client.close());
  server.close();
  return samples.slice(WARM_UP);
}

async function floorOfEngine(system: RunningSystem): Promise<number[]> {
  const samples: number[] = [];
  const native = await NativeConnection.connect({ address: system.temporalAddress });
  const worker = await Worker.create({
    connection: native,
    taskQueue: 'bench-floor',
    workflowsPath: join(__dirname, 'parts', 'floor-workflow.ts'),
    activities: {
      touch: (sentMs: number) =>
        Promise.resolve(void samples.push(performance.timeOrigin + performance.now() - sentMs)),
    },
  });
  await worker.runUntil(async () => {
    const handle = await system.client.workflow.start(floor, {
      taskQueue: 'bench-floor',
      workflowId: `bench-floor-${Date.now()}`,
    });
    for (let i = 0; i < FILLS + WARM_UP; i++) {
      await handle.signal(poke, performance.timeOrigin + performance.now());
      while (samples.length <= i) await sleep(1);
      await sleep(Math.random() * 20);
    }
    await handle.signal(poke, -1);
    await handle.result();
  });
  await native.close();
  return samples.slice(WARM_UP);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
