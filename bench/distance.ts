/**
 * The fast path over a distance: maker, exchange and the hedger's place 1, 5 and 20 ms from each other (each way). Beside the hedger stand
 * Redis and Temporal, as where this is really run: the maker is the one elsewhere, and reaches both over the distance, as it does the
 * exchange.
 *
 * The frame's way to the maker and the hedge's way to the exchange lie outside the stamps, the notice's way to Redis inside. The floor
 * goes the same way, so the difference is our own share, and should be the same whatever the distance.
 *
 * BENCH_DELAYS_MS (1,5,20) chooses the distances, BENCH_FILLS (100) the samples of each.
 */
import { between, fillAndCollect, FRAME, SUBMITTED } from './parts/fills';
import { startDistance } from './parts/delay-proxy';
import { startFloor } from './parts/floor';
import { startSystem, type RunningSystem } from './parts/running-system';
import { histogramOf, quantileMs, report } from './parts/stats';
import { exchangeTimes } from './parts/truth';
import { PAIRS } from './hedge-path';

const DELAYS_MS = (process.env['BENCH_DELAYS_MS'] ?? '1,5,20').split(',').map(Number);
const WARM_UP = 20;
const FILLS = Number(process.env['BENCH_FILLS'] ?? 100);
const INTERVAL_MS = 300;

async function main(): Promise<void> {
  for (const delayMs of DELAYS_MS) await measure(delayMs);
}

async function measure(delayMs: number): Promise<void> {
  const distance = await startDistance({ delayMs, ways: 4 });
  const [makerToExchange, hedgerToExchange, makerToRedis, makerToTemporal] = distance.ports;
  const exchangeAt = (port = 0): NodeJS.ProcessEnv => ({
    COUNTERLEG_LIGHTER_BASE_URL: `http://127.0.0.1:${port}`,
    COUNTERLEG_LIGHTER_WS_URL: `ws://127.0.0.1:${port}/stream`,
  });
  const makerRedisUrl = `redis://127.0.0.1:${makerToRedis}`;
  let system: RunningSystem | undefined;
  try {
    system = await startSystem({
      redis: 'with',
      pairs: PAIRS,
      env: ({ config, redisPort }) => {
        const temporalPort = Number(config.temporal.address.split(':').at(-1));
        distance.leadTo([config.paper.port, config.paper.port, redisPort, temporalPort]);
        return {
          maker: {
            ...exchangeAt(makerToExchange),
            COUNTERLEG_REDIS_URL: makerRedisUrl,
            TEMPORAL_ADDRESS: `127.0.0.1:${makerToTemporal}`,
          },
          hedger: exchangeAt(hedgerToExchange),
        };
      },
    });
    await sample({ system, delayMs, makerRedisUrl, lateMs: () => distance.lateMs() });
  } finally {
    await system?.stop();
    distance.close();
  }
}

async function sample(input: {
  readonly system: RunningSystem;
  readonly delayMs: number;
  readonly makerRedisUrl: string;
  readonly lateMs: () => Promise<readonly number[]>;
}): Promise<void> {
  const { system, delayMs, makerRedisUrl } = input;
  const floor = await startFloor({
    redisUrl: system.redisUrl,
    makerRedisUrl,
    realTime: system.config.fastPath.singleMachine === true,
  });
  try {
    const [fills, intervalMs] = [FILLS + WARM_UP, INTERVAL_MS + 4 * delayMs];
    const run = await fillAndCollect({ system, floor, fills, intervalMs, how: 'whole' });
    const filled = run.orders.slice(WARM_UP);
    // A signal that overtakes the notice says nothing of the fast path; none is expected where Temporal is as far away.
    const orders = filled.filter(({ hedge }) => hedge.slices[0]?.path === 'fast');
    const samplesMs = between(orders, FRAME, SUBMITTED);
    const floorMs = run.floorMs.slice(WARM_UP);
    const outside = (await exchangeTimes(system, orders)).map(
      ({ filledMs, hedgeArrivedMs }) => hedgeArrivedMs - filledMs,
    );
    report({
      bench: `distance ${delayMs} ms each way: fill frame → hedge on the socket, full fill`,
      samplesMs,
      floorMs,
      more: {
        own_share_p50_ms: quantile(samplesMs, 0.5) - quantile(floorMs, 0.5),
        own_share_p99_ms: quantile(samplesMs, 0.99) - quantile(floorMs, 0.99),
        by_the_durable_path: filled.length - orders.length,
        filled_to_hedge_arrived_p50_ms: quantile(outside, 0.5),
        filled_to_hedge_arrived_p99_ms: quantile(outside, 0.99),
        ...lateness(await input.lateMs()),
      },
      conditions:
        `exchange, maker and hedger ${delayMs} ms apart, Redis and Temporal beside the hedger; ` +
        `a fill every ${intervalMs} ms on average over ${PAIRS.length} markets; first ${WARM_UP} left out, those by the durable path too`,
    });
  } finally {
    floor.close();
  }
}

/** What the proxies add to the delay they promise. */
function lateness(lateMs: readonly number[]): Record<string, number> {
  return { chunk_late_p50_ms: quantile(lateMs, 0.5), chunk_late_p99_ms: quantile(lateMs, 0.99) };
}

function quantile(samplesMs: readonly number[], q: number): number {
  return quantileMs(histogramOf(samplesMs), q);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
