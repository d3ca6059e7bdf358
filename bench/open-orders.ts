/**
 * Many open orders: what they weigh, what they ask of the exchange while nothing happens, and whether a fill among them is as fast as
 * among ten.
 *
 * 10 orders, then 250 on one pair of accounts (all its lanes), then 1 000 over four pairs of accounts, and 40 over four pairs: what
 * eight workers on one machine cost without the orders. BENCH_OPEN_ORDERS chooses among them. BENCH_QUIET_SECONDS (60) is the time
 * without any fill in which REST requests are counted at the exchange.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet, type FleetOptions } from './parts/fleet';
import { startFloor } from './parts/floor';
import { fastPathMs, fillByClock, ordersFilledIn } from './parts/load';
import { report } from './parts/stats';

const QUIET_SECONDS = Number(process.env['BENCH_QUIET_SECONDS'] ?? 60);
const FILLS_PER_SECOND = 4;
const FILL_SECONDS = 15;
const RESOLVE_MS = 3_000;
/** Until all orders of a pair of accounts rest. */
const RESTING_MS = 120_000;
const MOST = [50, 50, 50, 50, 50];

const CASES: Readonly<Record<string, FleetOptions & { readonly slots: readonly number[] }>> = {
  '10': { accountPairs: 1, slots: [2, 2, 2, 2, 2], redis: 'with' },
  '40': { accountPairs: 4, slots: [2, 2, 2, 2, 2], redis: 'with' },
  '250': { accountPairs: 1, slots: MOST, redis: 'with' },
  '1000': { accountPairs: 4, slots: MOST, redis: 'with' },
};

async function main(): Promise<void> {
  for (const name of (process.env['BENCH_OPEN_ORDERS'] ?? Object.keys(CASES).join()).split(',')) {
    const options = CASES[name];
    if (!options) throw new Error(`no such number of open orders: ${name}`);
    await measure(options);
  }
}

async function measure(options: (typeof CASES)[string]): Promise<void> {
  const pairs = options.accountPairs ?? 1;
  const open = pairs * options.slots.reduce((sum, count) => sum + count, 0);
  const fleet = await Fleet.start(options);
  const floor = await startFloor({ redisUrl: fleet.redisUrl, realTime: true });
  try {
    const quotedAtMs = performance.now();
    // One pair of accounts after the other: when a thousand start at once, quotes are too old before they are placed, and pairs pause.
    for (const [i, pair] of fleet.pairs.entries()) {
      await fleet.quote({ pairs: [pair] });
      await fleet.untilResting(((i + 1) * open) / pairs, RESTING_MS);
    }
    const restingAfterS = Number(((performance.now() - quotedAtMs) / 1_000).toFixed(1));
    await sleep(RESOLVE_MS);
    const quiet = await quietMinute(fleet);
    const markets = options.slots.map((_, i) => i + 1);
    const load = { fleet, floor, markets, perSecond: FILLS_PER_SECOND };
    await fillByClock({ ...load, seconds: 3 }); // warm-up
    const run = await fillByClock({ ...load, seconds: FILL_SECONDS });
    const orders = await ordersFilledIn(fleet, run);
    const conditions = `${open} open orders, ${pairs} pairs of accounts, ${markets.length} markets; paper exchange without latency, limits or signatures`;
    report({
      bench: `open orders: a fill among ${open}`,
      samplesMs: fastPathMs(orders),
      floorMs: run.floorMs,
      conditions: `${FILLS_PER_SECOND} fills a second, ${conditions}`,
    });
    const rss = Object.fromEntries(Object.entries(fleet.usage()).map(([name, { rssMiB }]) => [name, rssMiB]));
    console.log(
      JSON.stringify({
        bench: `open orders: a quiet minute of ${open}`,
        n: open,
        resting_after_s: restingAfterS,
        ...quiet,
        rss_mib_after_fills: rss,
        conditions,
      }),
    );
  } finally {
    floor.close();
    await fleet.stop();
  }
}

/** Requests are scaled to a minute; what a pair of accounts asks for whatever it has open (audits, the switch) is among them. */
async function quietMinute(fleet: Fleet): Promise<object> {
  const [before, from] = [await fleet.requests(), fleet.usage()];
  await sleep(QUIET_SECONDS * 1_000);
  const [after, to] = [await fleet.requests(), fleet.usage()];
  const perMinute = Object.entries(after)
    .map(([path, count]) => [path, ((count - (before[path] ?? 0)) * 60) / QUIET_SECONDS] as const)
    .filter(([, count]) => count > 0);
  return {
    rest_requests: Object.fromEntries(perMinute),
    rss_mib: Object.fromEntries(Object.entries(to).map(([name, { rssMiB }]) => [name, rssMiB])),
    cores: Object.fromEntries(
      Object.entries(to).map(([name, { cpuMs }]) => [
        name,
        Number(((cpuMs - (from[name]?.cpuMs ?? 0)) / (QUIET_SECONDS * 1_000)).toFixed(3)),
      ]),
    ),
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
