/**
 * How it scales: latency of the fast path and use of the processors against open orders (1 … 1 000), fills a second (1 … 200) and
 * markets (1 … 8). Prints a JSON line for every point and draws docs/plots/*.svg from all points known.
 *
 * Points are kept in docs/plots/points.json, so that a sweep can be taken, and taken again, in parts: BENCH_SWEEPS (open-orders, fills,
 * markets) and BENCH_POINTS (their x values) choose what is measured, BENCH_PLOTS another folder.
 *
 * Fills come by the clock, however late the system is with those before (open loop), so no slow answer keeps another sample from
 * being taken. Each is measured from its frame's arrival in the maker, and from the moment when it was due.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderResult } from '../src/domain/messages';
import { PROJECT_ROOT } from '../src/config';
import { Fleet, type FleetOptions, type Usage } from './parts/fleet';
import { startFloor, type Floor } from './parts/floor';
import { startLiveBooks } from './parts/live-books';
import { fastPathMs, fillByClock, ordersFilledIn, type Load, type LoadRun } from './parts/load';
import { keepAndDraw, type Point } from './parts/points';
import { histogramOf, quantileMs, report } from './parts/stats';

const FOLDER = process.env['BENCH_PLOTS'] ?? join(PROJECT_ROOT, 'docs', 'plots');
const SWEEPS: Readonly<Record<string, () => Promise<void>>> = {
  'open-orders': againstOpenOrders,
  fills: againstFills,
  markets: againstMarkets,
};
const CHOSEN = process.env['BENCH_POINTS']?.split(',').map(Number);
const RESTING_MS = 180_000;
/** Before each point: what posting the orders left behind. */
const RESOLVE_MS = 3_000;
/** Left out at first: they pay for compilation and connections. */
const WARM_UP = { perSecond: 5, seconds: 6 };
const STOCK = { slots: [50, 50, 50, 50, 50], count: 250, markets: [1, 2, 3, 4, 5] } as const;
/** Of the simulated books, on each side. */
const LEVELS = 3;

async function main(): Promise<void> {
  for (const name of (process.env['BENCH_SWEEPS'] ?? Object.keys(SWEEPS).join()).split(',')) {
    const sweep = SWEEPS[name];
    if (!sweep) throw new Error(`no sweep ${name}; there are ${Object.keys(SWEEPS).join(', ')}`);
    await sweep();
  }
}

/** Up to 250 on one pair of accounts, in as many markets as that takes; above, on as many pairs of accounts as are needed. */
async function againstOpenOrders(): Promise<void> {
  const load = { perSecond: 4, seconds: 15 };
  const slots = [1, 9, 40, 50, 50, 50, 50];
  const few = chosen([1, 10, 50, 100, 250]);
  if (few.length > 0)
    await withFleet({ slots, redis: 'with' }, async (fleet, floor) => {
      let open = 0;
      for (const [i, symbol] of fleet.symbols.entries()) {
        if (open >= Math.max(...few)) break;
        await fleet.quote({ symbols: [symbol] });
        open += slots[i] ?? 0;
        await fleet.untilResting(open, RESTING_MS);
        const markets = Array.from({ length: i + 1 }, (_, k) => k + 1);
        if (i === 0) await fillByClock({ fleet, floor, ...WARM_UP, markets });
        if (few.includes(open))
          await take('open-orders', { fleet, floor, x: open, goes: 1, stock: open, load: { ...load, markets } });
      }
    });
  const many = chosen([500, 750, 1_000]);
  if (many.length > 0)
    await withFleet(
      { slots: STOCK.slots, accountPairs: Math.max(...many) / 250, redis: 'with' },
      async (fleet, floor) => {
        let open = 0;
        for (const pair of fleet.pairs) {
          const { markets } = STOCK;
          // Fifty at a time: of more at once some cannot be placed in time, and their pair pauses.
          for (const symbol of fleet.symbols) {
            await fleet.quote({ symbols: [symbol], pairs: [pair] });
            open += 50;
            await fleet.untilResting(open, RESTING_MS);
          }
          if (open === 250) await fillByClock({ fleet, floor, ...WARM_UP, markets });
          if (many.includes(open))
            await take('open-orders', { fleet, floor, x: open, goes: 1, stock: open, load: { ...load, markets } });
        }
      },
    );
}

/** Fewer whole orders are renewed in a second than can be filled, so the faster rates last as long as 200 of 250 resting orders. */
async function againstFills(): Promise<void> {
  const rates = chosen([1, 2, 5, 10, 20, 50, 100, 200]);
  if (rates.length === 0) return;
  await withFleet({ slots: STOCK.slots, redis: 'with' }, async (fleet, floor) => {
    const { count: stock, markets } = STOCK;
    await fleet.quote();
    await fleet.untilResting(stock, RESTING_MS);
    await fillByClock({ fleet, floor, ...WARM_UP, markets });
    for (const perSecond of rates) {
      const seconds = Math.min(20, 200 / perSecond);
      const goes = perSecond < 20 ? 1 : 2;
      await take('fills', {
        fleet,
        floor,
        x: perSecond,
        goes,
        stock,
        load: { perSecond, seconds, markets: [...markets] },
      });
    }
  });
}

/** Every market's book moves every 50 ms; the fills are spread over all of them. */
async function againstMarkets(): Promise<void> {
  const counts = chosen([1, 2, 4, 8]);
  if (counts.length === 0) return;
  const slots = 25;
  await withFleet({ markets: Math.max(...counts), slots, redis: 'with' }, async (fleet, floor) => {
    let quoting = 0;
    for (const count of counts) {
      await fleet.quote({ symbols: fleet.symbols.slice(quoting, count) });
      const markets = Array.from({ length: count }, (_, i) => i + 1);
      const books = startLiveBooks({ paperPort: Number(new URL(fleet.paperUrl).port), markets, levels: LEVELS });
      const stock = slots * count;
      await fleet.untilResting(stock, RESTING_MS);
      if (quoting === 0) await fillByClock({ fleet, floor, ...WARM_UP, markets });
      quoting = count;
      await take('markets', { fleet, floor, x: count, goes: 1, stock, load: { perSecond: 5, seconds: 16, markets } });
      await books.stop();
    }
  });
}

function chosen(all: readonly number[]): number[] {
  return all.filter((x) => CHOSEN === undefined || CHOSEN.includes(x));
}

async function withFleet(options: FleetOptions, use: (fleet: Fleet, floor: Floor) => Promise<void>): Promise<void> {
  const fleet = await Fleet.start(options);
  const floor = await startFloor({ redisUrl: fleet.redisUrl, realTime: true });
  try {
    await use(fleet, floor);
  } finally {
    floor.close();
    await fleet.stop();
  }
}

interface Plan {
  readonly fleet: Fleet;
  readonly floor: Floor;
  readonly x: number;
  /** How often the load is repeated, each time once the stock rests again. */
  readonly goes: number;
  readonly stock: number;
  readonly load: Pick<Load, 'perSecond' | 'seconds' | 'markets'>;
}

async function take(sweep: string, plan: Plan): Promise<void> {
  const { fleet, floor, load, goes } = plan;
  const orders: OrderResult[] = [];
  const [sinceDueMs, floorMs]: [number[], number[]] = [[], []];
  const cpuMs: Record<string, number> = {};
  let [wallMs, missed] = [0, 0];
  for (let go = 0; go < goes; go++) {
    await fleet.untilResting(plan.stock, RESTING_MS);
    await sleep(RESOLVE_MS);
    const before = fleet.usage();
    const run = await fillByClock({ fleet, floor, ...load });
    addUsed(cpuMs, before, fleet.usage());
    const filled = await ordersFilledIn(fleet, run);
    orders.push(...filled);
    sinceDueMs.push(...sinceDue(run, filled));
    floorMs.push(...run.floorMs);
    wallMs += run.toMs - run.fromMs;
    missed += run.missed;
  }
  const cores = (name: string): number =>
    Math.max(...Object.entries(cpuMs).flatMap(([process, ms]) => (process.startsWith(name) ? [ms / wallMs] : [])));
  const figures = {
    due_p50_ms: quantile(sinceDueMs, 0.5),
    due_p99_ms: quantile(sinceDueMs, 0.99),
    temporal_cores: cores('temporal'),
    hedger_cores: cores('hedger'),
    maker_cores: cores('maker'),
    all_cores: Object.values(cpuMs).reduce((sum, ms) => sum + ms / wallMs, 0),
    per_s: (goes * Math.round(load.seconds * load.perSecond)) / (wallMs / 1_000),
    met_no_order: missed,
    durable: orders.filter(({ hedge }) => hedge.slices[0]?.path !== 'fast').length,
  };
  const line = report({
    bench: `scale: ${plan.x} ${sweep}`,
    samplesMs: fastPathMs(orders),
    floorMs,
    more: figures,
    conditions:
      `${load.perSecond} fills a second by the clock for ${load.seconds} s, ${goes} times; ${load.markets.length} markets, ` +
      `${fleet.pairs.length} pairs of accounts, ${plan.stock} resting at first; paper exchange without latency, limits or signatures`,
  });
  const { n, p50_ms, p90_ms, p99_ms, floor_p50_ms } = line;
  const point: Point = { x: plan.x, n, p50_ms, p90_ms, p99_ms, floor_p50_ms: floor_p50_ms ?? NaN, ...figures };
  keepAndDraw({ folder: FOLDER, sweep, point });
}

/** Of each process, over what was used before. */
function addUsed(cpuMs: Record<string, number>, before: Usage, after: Usage): void {
  for (const [name, usage] of Object.entries(after))
    cpuMs[name] = (cpuMs[name] ?? 0) + usage.cpuMs - (before[name]?.cpuMs ?? 0);
}

/**
 * From the moment when each fill was due → hedge written to B's socket. A market's oldest order is filled first, so its fills and its
 * orders are in the same order; a market whose numbers differ is left out.
 */
function sinceDue(run: LoadRun, orders: readonly OrderResult[]): number[] {
  return [...new Set(run.due.map(({ marketId }) => marketId))].flatMap((id) => {
    const due = run.due.filter(({ marketId }) => marketId === id);
    const times = orders
      .filter(({ market }) => market === `M${id}`)
      .map(({ timings: { fill_frame_ms = NaN, hedge_submitted_ms = NaN } }) => ({ fill_frame_ms, hedge_submitted_ms }))
      .sort((a, b) => a.fill_frame_ms - b.fill_frame_ms);
    if (times.length !== due.length) return [];
    return times.map(({ hedge_submitted_ms }, i) => hedge_submitted_ms - (due[i]?.atMs ?? NaN));
  });
}

function quantile(samplesMs: readonly number[], q: number): number {
  return quantileMs(histogramOf(samplesMs.filter(Number.isFinite)), q);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
