/**
 * Whole life cycles by the second: quote, arm, place, fill, hedge, confirm, on one machine, fills by the clock (open loop).
 *
 * BENCH_SECONDS (60) and BENCH_RATE (20 fills a second) set the load; the first WARM_UP_SECONDS are left out. Prints the fast path
 * during the load with its floor, then what was sustained and what the processes used.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet, type Usage } from './parts/fleet';
import { startFloor } from './parts/floor';
import { fastPathMs, fillByClock, ordersFilledIn } from './parts/load';
import { histogramOf, quantileMs, report } from './parts/stats';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 60);
const RATE = Number(process.env['BENCH_RATE'] ?? 20);
const MARKETS = 4;
const SLOTS = Number(process.env['BENCH_SLOTS'] ?? 50);
const WARM_UP_SECONDS = 5;
const USAGE_EVERY_MS = 5_000;
const READINGS = 7;

async function main(): Promise<void> {
  const fleet = await Fleet.start({ markets: MARKETS, slots: SLOTS, redis: 'with' });
  const floor = await startFloor({ redisUrl: fleet.redisUrl, realTime: true });
  try {
    await fleet.quote();
    await fleet.untilResting(MARKETS * SLOTS, 60_000);
    const load = { fleet, floor, perSecond: RATE, markets: [1, 2, 3, 4] };
    await fillByClock({ ...load, seconds: WARM_UP_SECONDS });
    const seen: { atMs: number; usage: Usage }[] = [];
    const look = (): void => void seen.push({ atMs: performance.now(), usage: fleet.usage() });
    look();
    const watching = setInterval(look, USAGE_EVERY_MS);
    const run = await fillByClock({ ...load, seconds: SECONDS });
    clearInterval(watching);
    look();
    await sleep(1_000);
    const orders = await ordersFilledIn(fleet, run);
    const confirmed = orders.filter(({ timings }) => (timings['confirmed_ms'] ?? Infinity) <= run.toMs).length;
    const seconds = (run.toMs - run.fromMs) / 1_000;
    const conditions =
      `${RATE} fills a second by the clock for ${SECONDS} s, ${MARKETS} markets of ${SLOTS} slots, ` +
      `paper exchange without latency, limits or signatures, first ${WARM_UP_SECONDS} s left out`;
    report({
      bench: 'throughput: fast path under load',
      samplesMs: fastPathMs(orders),
      floorMs: run.floorMs,
      conditions,
    });
    const spread = (from: string, to: string) => {
      const histogram = histogramOf(
        orders.flatMap(({ timings: { [from]: a, [to]: b } }) => (a === undefined || b === undefined ? [] : [b - a])),
      );
      return { p50_ms: quantileMs(histogram, 0.5), p99_ms: quantileMs(histogram, 0.99) };
    };
    console.log(
      JSON.stringify({
        bench: 'throughput: life cycles',
        n: orders.length,
        orders_per_s: Number((confirmed / seconds).toFixed(2)),
        fills_sent: run.sent,
        fills_that_met_no_order: run.missed,
        unhedged: orders.filter(({ hedge_state }) => hedge_state !== 'flat').length,
        start_to_resting: spread('created_ms', 'placed_ms'),
        fill_to_confirmed: spread('fill_frame_ms', 'confirmed_ms'),
        usage: used(seen),
        conditions,
      }),
    );
  } finally {
    floor.close();
    await fleet.stop();
  }
}

/** Memory over the run (`READINGS`, evenly spread, the first and the last among them) and average share of a core, by process. */
function used(seen: readonly { readonly atMs: number; readonly usage: Usage }[]): Record<string, object> {
  const [first, last] = [seen[0], seen.at(-1)];
  if (!first || !last) return {};
  const readings = Array.from(
    { length: READINGS },
    (_, i) => seen[Math.round((i * (seen.length - 1)) / (READINGS - 1))],
  );
  return Object.fromEntries(
    Object.keys(first.usage).map((name) => {
      const cpuMs = (last.usage[name]?.cpuMs ?? NaN) - (first.usage[name]?.cpuMs ?? NaN);
      const rss_mib = readings.map((reading) => reading?.usage[name]?.rssMiB);
      return [name, { rss_mib, cores: Number((cpuMs / (last.atMs - first.atMs)).toFixed(2)) }];
    }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
