/**
 * The floor of the durable path in a process of its own, as the hedger is: a worker whose workflow answers a signal with one eager
 * activity, and nothing else.
 *
 *   node -r scripts/ts-hook.cjs bench/parts/floor-worker.ts TEMPORAL_ADDRESS NAMESPACE     (with an IPC channel)
 *
 * Sends one message `{ranMs}` for every run of the activity, epoch milliseconds.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { join } from 'node:path';

export const FLOOR_QUEUE = 'bench-floor';

async function main([address, namespace]: readonly string[]): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: address ?? '' });
  const worker = await Worker.create({
    connection,
    namespace: namespace ?? '',
    taskQueue: FLOOR_QUEUE,
    workflowsPath: join(__dirname, 'floor-workflow.ts'),
    activities: {
      touch: () => {
        process.send?.({ ranMs: performance.timeOrigin + performance.now() });
        return Promise.resolve();
      },
    },
    stickyQueueScheduleToStartTimeout: '1s',
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
  });
  process.on('disconnect', () => process.exit(0));
  const run = worker.run();
  process.send?.({ ready: true });
  await run;
}

if (require.main === module) void main(process.argv.slice(2));
