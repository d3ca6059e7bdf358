/**
 * The durable path alone (no Redis): A's fill frame arrives at the maker's socket → the hedge's bytes are handed to B's socket, one
 * fill at a time among resting orders.
 *
 * Its floor: a bare signal → an eager activity of a workflow that does nothing else, on the same server, its worker in a process of
 * its own. Samples of both alternate, at random moments, so that whatever else the machine does meets both. No order is posted
 * meanwhile.
 */
import { defaultPayloadConverter } from '@temporalio/common';
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listOrders } from '../src/cli/order-list';
import { PROJECT_ROOT } from '../src/config';
import { Fleet, type AccountPair } from './parts/fleet';
import { FLOOR_QUEUE } from './parts/floor-worker';
import { floor } from './parts/floor-workflow';
import { report } from './parts/stats';

const FILLS = Number(process.env['BENCH_FILLS'] ?? 200);
/** The first ones pay for compilation and connections. */
const WARM_UP = 20;
const SLOTS = 50;
/** Around each sample: long enough for an order's end to be over. */
const PAUSE_MS = 250;

async function main(): Promise<void> {
  const markets = Math.ceil((FILLS + WARM_UP) / SLOTS);
  const fleet = await Fleet.start({ slots: SLOTS, markets, redis: 'without' });
  const [pair] = fleet.pairs;
  if (!pair) throw new Error('there is no pair of accounts');
  const bare = await startFloor(fleet.temporalAddress, pair);
  try {
    await fleet.quote({ orderLimit: SLOTS });
    await fleet.untilResting(markets * SLOTS, 60_000);
    await sleep(2_000);
    const floorMs: number[] = [];
    for (let i = 0; i < FILLS + WARM_UP; i++) {
      await fleet.fill(1 + (i % markets));
      await sleep(PAUSE_MS * (1 + Math.random()));
      floorMs.push(await bare.sample());
      await sleep(PAUSE_MS * (1 + Math.random()));
    }
    await sleep(2_000);
    report({
      bench: 'durable path: fill frame → hedge submitted, Redis absent',
      samplesMs: (await pathMs(pair)).slice(WARM_UP),
      floorMs: floorMs.slice(WARM_UP),
      conditions: `full fills one at a time among up to ${markets * SLOTS} resting orders, samples of path and floor in turn, paper exchange without latency, first ${WARM_UP} left out`,
    });
  } finally {
    await bare.stop();
    await fleet.stop();
  }
}

/** In the order of the fills. */
async function pathMs({ client, config }: AccountPair): Promise<number[]> {
  const orders = await listOrders(client, {
    makerAccount: config.accounts.maker.index,
    state: 'closed',
    limit: 10_000,
  });
  return orders
    .flatMap(({ result }) => {
      const { fill_frame_ms: from, hedge_submitted_ms: to } = result?.timings ?? {};
      return from === undefined || to === undefined ? [] : [{ from, ms: to - from }];
    })
    .sort((a, b) => a.from - b.from)
    .map(({ ms }) => ms);
}

/** The signal is sent as the listener sends it: the raw call. */
async function startFloor(
  temporalAddress: string,
  { client }: AccountPair,
): Promise<{ sample(): Promise<number>; stop(): Promise<void> }> {
  const { namespace } = client.options;
  const worker = fork(join(__dirname, 'parts', 'floor-worker.ts'), [temporalAddress, namespace], {
    execArgv: ['-r', join(PROJECT_ROOT, 'scripts', 'ts-hook.cjs')],
  });
  const next = <T>(): Promise<T> =>
    new Promise((resolve) => worker.once('message', (message) => resolve(message as T)));
  await next();
  const handle = await client.workflow.start(floor, { taskQueue: FLOOR_QUEUE, workflowId: 'bench-floor' });
  return {
    async sample() {
      const ran = next<{ ranMs: number }>();
      const sentMs = performance.timeOrigin + performance.now();
      await client.workflowService.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: 'bench-floor' },
        signalName: 'poke',
        input: { payloads: [defaultPayloadConverter.toPayload(sentMs)] },
      });
      return (await ran).ranMs - sentMs;
    },
    async stop() {
      await handle.terminate();
      worker.disconnect();
    },
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
