/**
 * The fast path over a distance: maker, hedger and exchange 1, 5 and 20 ms from each other (each way), Redis beside the hedger. The
 * frame's way to the maker and the hedge's way to the exchange lie outside the stamps; the notice's way to Redis lies inside. The
 * floor goes the same way, so the difference is our own share, whatever the distance.
 */
import { between, fillAndCollect, FRAME, SUBMITTED } from './parts/fills';
import { startDelayProxy, type DelayProxy } from './parts/delay-proxy';
import { startFloor } from './parts/floor';
import { startSystem } from './parts/running-system';
import { histogramOf, quantileMs, report } from './parts/stats';
import { exchangeTimes } from './parts/truth';
import { PAIRS } from './hedge-path';

const DELAYS_MS = [1, 5, 20];
const WARM_UP = 20;
const FILLS = Number(process.env['BENCH_FILLS'] ?? 100);
const INTERVAL_MS = 300;

async function main(): Promise<void> {
  for (const delayMs of DELAYS_MS) await measure(delayMs);
}

async function measure(delayMs: number): Promise<void> {
  const [makerWay, hedgerWay, redisWay] = (await Promise.all([0, 1, 2].map(() => startDelayProxy(delayMs)))) as [
    DelayProxy,
    DelayProxy,
    DelayProxy,
  ];
  const exchangeAt = ({ port }: DelayProxy): NodeJS.ProcessEnv => ({
    COUNTERLEG_LIGHTER_BASE_URL: `http://127.0.0.1:${port}`,
    COUNTERLEG_LIGHTER_WS_URL: `ws://127.0.0.1:${port}/stream`,
  });
  const makerRedisUrl = `redis://127.0.0.1:${redisWay.port}`;
  const system = await startSystem({
    redis: 'with',
    pairs: PAIRS,
    env: ({ config, redisPort }) => {
      makerWay.leadTo(config.paper.port);
      hedgerWay.leadTo(config.paper.port);
      redisWay.leadTo(redisPort);
      return {
        maker: { ...exchangeAt(makerWay), COUNTERLEG_REDIS_URL: makerRedisUrl },
        hedger: exchangeAt(hedgerWay),
      };
    },
  });
  try {
    const floor = await startFloor({ redisUrl: system.redisUrl, makerRedisUrl });
    const run = await fillAndCollect({
      system,
      floor,
      fills: FILLS + WARM_UP,
      intervalMs: INTERVAL_MS + 4 * delayMs,
      how: 'whole',
    });
    const filled = run.orders.slice(WARM_UP);
    // Temporal is not moved away: over a long distance its signal may overtake the notice, and such a hedge says nothing of the fast path.
    const orders = filled.filter(({ hedge }) => hedge.slices[0]?.path === 'fast');
    const outside = (await exchangeTimes(system, orders)).map(
      ({ filledMs, hedgeArrivedMs }) => hedgeArrivedMs - filledMs,
    );
    report({
      bench: `distance ${delayMs} ms each way: fill frame → hedge on the socket, full fill`,
      samplesMs: between(orders, FRAME, SUBMITTED),
      floorMs: run.floorMs.slice(WARM_UP),
      conditions:
        `exchange, maker and hedger ${delayMs} ms apart, Redis beside the hedger; ` +
        `on the exchange, fill → hedge arrived: p50 ${quantileMs(histogramOf(outside), 0.5)} ms; first ${WARM_UP} left out; ` +
        `${filled.length - orders.length} of ${filled.length} came by the durable path and are not in the line`,
    });
    floor.close();
  } finally {
    await system.stop();
    for (const way of [makerWay, hedgerWay, redisWay]) way.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
