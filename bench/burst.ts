/**
 * A hundred orders filled in the same instant: the first fill frame → the last hedge on the socket. A pair has at most 50 slots, so two
 * markets' prices jump at once, and what lies between the two jumps counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderResult } from '../src/domain/messages';
import { filledOrders, FRAME, SUBMITTED } from './parts/fills';
import { fillWhole, restingOrders, type Resting } from './parts/market';
import { startSystem, type RunningSystem } from './parts/running-system';
import { report } from './parts/stats';

const ORDERS = 100;
/** The first round pays for compilation. */
const ROUNDS = 1 + Number(process.env['BENCH_ROUNDS'] ?? 6);
const RESTING_MS = 60_000;
const ENDED_MS = 60_000;

async function main(): Promise<void> {
  const system = await startSystem({
    redis: 'with',
    pairs: [
      { market: 'BTC', quantity: '0.0002', firstLane: 10, slots: ORDERS / 2, side: 'buy' },
      { market: 'ETH', quantity: '0.005', firstLane: 100, slots: ORDERS / 2, side: 'buy' },
    ],
  });
  try {
    const lastMs: number[] = [];
    const resolved = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const lowest = await lowestOfEach(system);
      await Promise.all(lowest.map((order) => fillWhole(system, order)));
      const orders = await ended(system, resolved);
      for (const { order_id } of orders) resolved.add(order_id);
      const frames = orders.flatMap(({ timings }) => timings[FRAME] ?? []);
      const hedges = orders.flatMap(({ timings }) => timings[SUBMITTED] ?? []);
      if (hedges.length < frames.length)
        throw new Error(`round ${round}: ${frames.length} fills and ${hedges.length} hedges are known`);
      lastMs.push(Math.max(...hedges) - Math.min(...frames));
    }
    report({
      bench: `burst: ${ORDERS} full fills in one instant, first frame → last hedge on the socket`,
      samplesMs: lastMs.slice(1),
      floorMs: [],
      conditions: `${ROUNDS - 1} rounds after one left out; two pairs, ${ORDERS} lanes; paper exchange without latency`,
    });
  } finally {
    await system.stop();
  }
}

/** The orders of this round, once all of them have ended. */
async function ended(system: RunningSystem, before: ReadonlySet<string>): Promise<OrderResult[]> {
  const deadlineMs = performance.now() + ENDED_MS;
  for (;;) {
    const orders = (await filledOrders(system)).filter(({ order_id }) => !before.has(order_id));
    if (orders.length >= ORDERS) return orders;
    if (performance.now() > deadlineMs) throw new Error(`only ${orders.length} of ${ORDERS} filled orders have ended`);
    await sleep(500);
  }
}

/** Of each market, once all its slots rest: the order at the lowest price. */
async function lowestOfEach(system: RunningSystem): Promise<Resting[]> {
  const deadlineMs = performance.now() + RESTING_MS;
  for (;;) {
    const resting = await Promise.all(system.markets.map(({ marketId }) => restingOrders(system, marketId)));
    if (resting.every((orders) => orders.length >= ORDERS / system.markets.length)) return resting.flatMap(lowestOf);
    if (performance.now() > deadlineMs) throw new Error(`only ${resting.flat().length} of ${ORDERS} orders rest`);
    await sleep(100);
  }
}

function lowestOf(orders: readonly Resting[]): Resting[] {
  const [first, ...others] = orders;
  if (first === undefined) return [];
  return [others.reduce((low, order) => (Number(order.price) < Number(low.price) ? order : low), first)];
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
