/**
 * How it scales: latency of the fast path and use of the processors against open orders (1 … 1 000), fills a second (1 … 200) and
 * markets (1 … 8). Prints a JSON line for every point, and draws docs/plots/*.svg from them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../src/config';
import { Fleet, type Usage } from './parts/fleet';
import { startFloor, type Floor } from './parts/floor';
import { fastPathMs, fillByClock, ordersFilledIn } from './parts/load';
import { svgOf } from './parts/plot';
import { histogramOf, quantileMs, report } from './parts/stats';

const PLOTS = join(PROJECT_ROOT, 'docs', 'plots');
const WHICH = (process.env['BENCH_SWEEPS'] ?? 'open-orders,fills,markets').split(',');
/** Cumulated: 1, 10, 50, 100, 150, 200, 250. */
const STEPS = [1, 9, 40, 50, 50, 50, 50];
const SETTLE_MS = 2_000;

interface Point {
  readonly x: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly floorP50Ms: number;
  /** Share of one core: the busiest hedger and maker, and the server. */
  readonly hedger: number;
  readonly maker: number;
  readonly temporal: number;
}

async function main(): Promise<void> {
  mkdirSync(PLOTS, { recursive: true });
  if (WHICH.includes('open-orders')) draw('open-orders', 'open orders', await againstOpenOrders());
  if (WHICH.includes('fills')) draw('fills', 'fills a second', await againstFills());
  if (WHICH.includes('markets')) draw('markets', 'markets', await againstMarkets());
}

async function againstOpenOrders(): Promise<Point[]> {
  return withFleet({ accountPairs: 4, slots: STEPS, redis: 'with' }, async (fleet, floor) => {
    const points: Point[] = [];
    const take = async (open: number, markets: readonly number[]): Promise<void> => {
      await fleet.untilResting(open, 120_000);
      points.push(await measure({ fleet, floor, x: open, what: 'open orders', perSecond: 3, seconds: 10, markets }));
    };
    const [first, ...others] = fleet.pairs;
    let open = 0;
    for (const [i, symbol] of fleet.symbols.entries()) {
      if (!first) break;
      await fleet.quote({ symbols: [symbol], pairs: [first] });
      open += STEPS[i] ?? 0;
      if (open !== 150 && open !== 200)
        await take(
          open,
          Array.from({ length: i + 1 }, (_, k) => k + 1),
        );
    }
    for (const pair of others) {
      await fleet.quote({ pairs: [pair] });
      open += 250;
      await take(open, [3, 4, 5, 6, 7]);
    }
    return points;
  });
}

/** Above what the server sustains it is a burst: as long as the resting orders last. */
async function againstFills(): Promise<Point[]> {
  return withFleet({ slots: [50, 50, 50, 50], redis: 'with' }, async (fleet, floor) => {
    const points: Point[] = [];
    await fleet.quote();
    for (const perSecond of [1, 2, 5, 10, 20, 50, 100, 200]) {
      await fleet.untilResting(200, 60_000);
      const seconds = Math.min(12, 180 / perSecond);
      points.push(
        await measure({
          fleet,
          floor,
          x: perSecond,
          what: 'fills a second',
          perSecond,
          seconds,
          markets: [1, 2, 3, 4],
        }),
      );
    }
    return points;
  });
}

async function againstMarkets(): Promise<Point[]> {
  return withFleet({ markets: 8, slots: 25, redis: 'with' }, async (fleet, floor) => {
    const points: Point[] = [];
    for (const markets of [1, 2, 4, 8]) {
      await fleet.quote({ symbols: fleet.symbols.slice(0, markets) });
      await fleet.untilResting(25 * markets, 60_000);
      const ids = Array.from({ length: markets }, (_, i) => i + 1);
      points.push(
        await measure({ fleet, floor, x: markets, what: 'markets', perSecond: 5, seconds: 10, markets: ids }),
      );
    }
    return points;
  });
}

async function withFleet<T>(
  options: Parameters<typeof Fleet.start>[0],
  use: (fleet: Fleet, floor: Floor) => Promise<T>,
): Promise<T> {
  const fleet = await Fleet.start(options);
  const floor = await startFloor({ redisUrl: fleet.redisUrl });
  try {
    return await use(fleet, floor);
  } finally {
    floor.close();
    await fleet.stop();
  }
}

async function measure(input: {
  readonly fleet: Fleet;
  readonly floor: Floor;
  readonly x: number;
  readonly what: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly markets: readonly number[];
}): Promise<Point> {
  const { fleet, floor, x, what, perSecond, seconds, markets } = input;
  await sleep(SETTLE_MS);
  const [before, startMs] = [fleet.usage(), performance.now()];
  const run = await fillByClock({ fleet, floor, perSecond, seconds, markets });
  const [after, wallMs] = [fleet.usage(), performance.now() - startMs];
  const samplesMs = fastPathMs(await ordersFilledIn(fleet, run));
  report({
    bench: `scale: ${x} ${what}`,
    samplesMs,
    floorMs: run.floorMs,
    conditions: `${perSecond} fills a second by the clock for ${seconds} s (${run.missed} met no order), paper exchange without latency, limits or signatures`,
  });
  const [histogram, floors] = [histogramOf(samplesMs), histogramOf(run.floorMs)];
  const share = (name: string): number => busiest(name, before, after) / wallMs;
  return {
    x,
    ...{ p50Ms: quantileMs(histogram, 0.5), p99Ms: quantileMs(histogram, 0.99), floorP50Ms: quantileMs(floors, 0.5) },
    ...{ hedger: share('hedger'), maker: share('maker'), temporal: share('temporal') },
  };
}

function busiest(name: string, before: Usage, after: Usage): number {
  const spent = Object.entries(after)
    .filter(([process]) => process.startsWith(name))
    .map(([process, { cpuMs }]) => cpuMs - (before[process]?.cpuMs ?? 0));
  return Math.max(...spent);
}

function draw(name: string, xLabel: string, points: readonly Point[]): void {
  const series = (label: string, of: (point: Point) => number) => ({
    name: label,
    points: points.map((point) => [point.x, of(point)] as const).filter(([, y]) => Number.isFinite(y)),
  });
  const latency = svgOf({
    title: `Fill frame to hedge bytes written, against ${xLabel}`,
    xLabel,
    yLabel: 'milliseconds',
    yScale: 'log',
    series: [
      series('p99', (point) => point.p99Ms),
      series('p50', (point) => point.p50Ms),
      series('floor, p50', (point) => point.floorP50Ms),
    ],
  });
  writeFileSync(join(PLOTS, `${name}-latency.svg`), latency);
  const cpu = svgOf({
    title: `Processor time, against ${xLabel}`,
    xLabel,
    yLabel: 'cores',
    yScale: 'linear',
    series: [
      series('Temporal', (point) => point.temporal),
      series('busiest hedger', (point) => point.hedger),
      series('busiest maker', (point) => point.maker),
    ],
  });
  writeFileSync(join(PLOTS, `${name}-cpu.svg`), cpu);
  console.log(JSON.stringify({ bench: `scale: ${xLabel}`, points }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
