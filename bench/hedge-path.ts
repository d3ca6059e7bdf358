/**
 * The fast path over the real parts: A's fill frame arrives at the maker's socket → the hedge's bytes are on B's socket. Whole fills and
 * partial ones, each beside its floor; BENCH_LOTS=few (every amount is signed ahead) or many (of a partial fill none is).
 */
import { between, fillAndCollect, FRAME, SUBMITTED } from './parts/fills';
import { startFloor } from './parts/floor';
import { watchHedger } from './parts/hedger-work';
import { startSystem, type BenchPair } from './parts/running-system';
import { report, type Line } from './parts/stats';

/** 40, 100 and 1 000 lots. */
export const PAIRS: readonly BenchPair[] = [
  { market: 'BTC', quantity: '0.0004', firstLane: 10, slots: 1 },
  { market: 'ETH', quantity: '0.01', firstLane: 20, slots: 1 },
  { market: 'CRV', quantity: '100', firstLane: 30, slots: 1 },
];

/** The most lots of which every amount is signed ahead. */
const FEW_LOTS: readonly BenchPair[] = [
  { market: 'BTC', quantity: '0.00032', firstLane: 10, slots: 1 },
  { market: 'ETH', quantity: '0.0032', firstLane: 20, slots: 1 },
];

/** Where the time goes, from the orders' own records. */
const STAGES = [
  { stage: 'frame → read', from: FRAME, to: 'frame_parsed_ms' },
  { stage: 'read → notice signed and written', from: 'frame_parsed_ms', to: 'notice_published_ms' },
  { stage: 'notice written → received and checked', from: 'notice_published_ms', to: 'notice_received_ms' },
  { stage: 'notice received → hedge on the socket', from: 'notice_received_ms', to: SUBMITTED },
] as const;

export async function measureFastPath(input: {
  /** None of a kind: that kind is left out. */
  readonly fills: { readonly whole: number; readonly half: number };
  /** Fills left out at first: they pay for compilation and connections. */
  readonly warmUp: number;
  readonly intervalMs: number;
  readonly pairs?: readonly BenchPair[];
}): Promise<Line[]> {
  const { warmUp, pairs = PAIRS } = input;
  const system = await startSystem({ redis: 'with', pairs });
  const lines: Line[] = [];
  try {
    const floor = await startFloor({
      redisUrl: system.redisUrl,
      realTime: system.config.fastPath.singleMachine === true,
    });
    let before = 0;
    for (const how of ['whole', 'half'] as const) {
      if (input.fills[how] === 0) continue;
      const fills = input.fills[how] + warmUp;
      const worked = await watchHedger(system);
      const run = await fillAndCollect({ system, floor, fills, intervalMs: input.intervalMs, how });
      const orders = run.orders.slice(before + warmUp);
      before = run.orders.length;
      const kind = how === 'whole' ? 'full fill' : 'partial fill';
      const durable = orders.filter(({ hedge }) => hedge.slices[0]?.path !== 'fast').length;
      lines.push(
        report({
          bench: `fast path: fill frame → hedge on the socket, ${kind}`,
          samplesMs: between(orders, FRAME, SUBMITTED),
          floorMs: run.floorMs.slice(warmUp),
          conditions:
            `a fill every ${input.intervalMs} ms on average over ${pairs.map(({ market, quantity }) => `${quantity} ${market}`).join(', ')}, floor samples in between; ` +
            `paper exchange without latency; first ${warmUp} left out; ${durable} came by the durable path`,
          more: await worked(fills),
        }),
      );
      for (const { stage, from, to } of STAGES)
        report({
          bench: `fast path, ${kind}: ${stage}`,
          samplesMs: between(orders, from, to),
          floorMs: [],
          conditions: 'a part of the line above',
        });
    }
    floor.close();
  } finally {
    await system.stop();
  }
  return lines;
}

if (require.main === module) {
  const { BENCH_FILLS: fills = 400, BENCH_LOTS: lots = 'few', BENCH_INTERVAL_MS: intervalMs = 250 } = process.env;
  measureFastPath({
    fills: { whole: Number(fills), half: Number(fills) / 2 },
    warmUp: 30,
    intervalMs: Number(intervalMs),
    pairs: lots === 'few' ? FEW_LOTS : PAIRS,
  }).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
