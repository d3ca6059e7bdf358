/**
 * The original's targets, each measured, with the delays of a Standard account: 300 ms until a hedge executes, 40 ms until a frame
 * leaves the exchange. And beside them how long a fill stays open altogether: frame → hedge resolved.
 */
import { loadKeys, toolPath } from '../src/config';
import { loadSigner, openLighter } from '../src/exchange/lighter';
import { between, fillAndCollect, FRAME } from './parts/fills';
import { post, startSystem, type RunningSystem } from './parts/running-system';
import { report } from './parts/stats';
import { exchangeTimes } from './parts/truth';
import { PAIRS } from './hedge-path';

const WARM_UP = 15;
const FILLS = Number(process.env['BENCH_FILLS'] ?? 120);
const CONNECTS = 20;
const INTERVAL_MS = 600;

async function main(): Promise<void> {
  const system = await startSystem({ redis: 'with', pairs: PAIRS, latency: 'tier', quote: 'later' });
  try {
    for (const account_index of [system.makerAccount, system.hedgeAccount])
      await post(`${system.paperUrl}/_paper/accounts`, { account_index, tier: 'standard' });
    line('stream connect → live, target 500 ms', await connectTimes(system));
    await system.startPairs();
    const run = await fillAndCollect({ system, fills: FILLS + WARM_UP, intervalMs: INTERVAL_MS, how: 'whole' });
    const orders = run.orders.slice(WARM_UP);
    const seen = await exchangeTimes(system, orders);
    line('fill notice: filled on the exchange → notice published, target 100 ms', noticeTimes(seen, orders));
    line('Redis delivery: notice published → received, target 10 ms', between(orders, PUBLISHED, RECEIVED));
    line("B's response: notice received → hedge accepted, target 200 ms", between(orders, RECEIVED, ACCEPTED));
    line(
      'end to end: filled → hedge executed, both on the exchange, target 500 ms',
      seen.map(({ filledMs, hedgeExecutedMs }) => hedgeExecutedMs - filledMs),
    );
    line('Standard tier: fill frame → hedge executed and resolved, target 350 ms', between(orders, FRAME, RESOLVED));
  } finally {
    await system.stop();
  }
}

const PUBLISHED = 'notice_published_ms';
const RECEIVED = 'notice_received_ms';
const ACCEPTED = 'hedge_accepted_ms';
const RESOLVED = 'hedge_resolved_ms';

/** The exchange's view says when it filled, the order's own record when the notice left; both lists are in the same order. */
function noticeTimes(
  seen: Awaited<ReturnType<typeof exchangeTimes>>,
  orders: Parameters<typeof exchangeTimes>[1],
): number[] {
  return seen.flatMap(({ filledMs }, i) => {
    const publishedMs = orders[i]?.timings[PUBLISHED];
    return publishedMs === undefined || seen.length !== orders.length ? [] : [publishedMs - filledMs];
  });
}

/** Socket, greeting, token, subscription, snapshot, and what was missed. */
async function connectTimes(system: RunningSystem): Promise<number[]> {
  const { lighter } = system.config;
  const samplesMs: number[] = [];
  for (let i = 0; i < CONNECTS; i++) {
    const exchange = openLighter({
      baseUrl: lighter.baseUrl,
      wsUrl: lighter.wsUrl,
      ...(lighter.chainId === undefined ? {} : { chainId: lighter.chainId }),
      signer: loadSigner(toolPath('signer')),
    });
    await exchange.markets();
    const fromMs = performance.now();
    const account = exchange.openAccount({
      accountIndex: system.hedgeAccount,
      keys: loadKeys(system.config, 'hedge', process.env),
    });
    await account.stream.whenLive();
    samplesMs.push(performance.now() - fromMs);
    await exchange.close();
  }
  return samplesMs;
}

function line(bench: string, samplesMs: readonly number[]): void {
  report({
    bench,
    samplesMs,
    floorMs: [],
    conditions: `a fill every ${INTERVAL_MS} ms on average over ${PAIRS.length} markets, Standard tier's delays; first ${WARM_UP} left out`,
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
