/**
 * The fast path over the real parts: A's fill frame arrives at the maker's socket → the hedge's bytes are on B's socket. Whole fills
 * (signed ahead) and partial ones (signed at fill time), each beside its floor.
 */
import { between, fillAndCollect, FRAME, SUBMITTED } from './parts/fills';
import { startFloor } from './parts/floor';
import { startSystem, type BenchPair } from './parts/running-system';
import { report, type Line } from './parts/stats';

/** The first fills pay for compilation and connections. */
const WARM_UP = 30;

/** Twice the exchange's minimum, so that half an order can be hedged. */
export const PAIRS: readonly BenchPair[] = [
  { market: 'BTC', quantity: '0.0004', firstLane: 10, slots: 1 },
  { market: 'ETH', quantity: '0.01', firstLane: 20, slots: 1 },
  { market: 'CRV', quantity: '100', firstLane: 30, slots: 1 },
];

export async function measureFastPath(input: {
  readonly fills: { readonly whole: number; readonly half: number };
  readonly intervalMs: number;
}): Promise<Line[]> {
  const system = await startSystem({ redis: 'with', pairs: PAIRS });
  const lines: Line[] = [];
  try {
    const floor = await startFloor({ redisUrl: system.redisUrl });
    let before = 0;
    for (const how of ['whole', 'half'] as const) {
      const fills = input.fills[how] + WARM_UP;
      const run = await fillAndCollect({ system, floor, fills, intervalMs: input.intervalMs, how });
      const orders = run.orders.slice(before + WARM_UP);
      before = run.orders.length;
      const durable = orders.filter(({ hedge }) => hedge.slices[0]?.path !== 'fast').length;
      lines.push(
        report({
          bench: `fast path: fill frame → hedge on the socket, ${how === 'whole' ? 'full' : 'partial'} fill`,
          samplesMs: between(orders, FRAME, SUBMITTED),
          floorMs: run.floorMs.slice(WARM_UP),
          conditions:
            `a fill every ${input.intervalMs} ms on average over ${PAIRS.length} markets, floor samples in between; ` +
            `paper exchange without latency; first ${WARM_UP} left out; ${durable} came by the durable path`,
        }),
      );
    }
    floor.close();
  } finally {
    await system.stop();
  }
  return lines;
}

if (require.main === module) {
  measureFastPath({
    fills: { whole: Number(process.env['BENCH_FILLS'] ?? 400), half: Number(process.env['BENCH_FILLS'] ?? 400) / 2 },
    intervalMs: 250,
  }).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
