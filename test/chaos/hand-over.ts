/**
 * `npm run hand-over`: how long until a stand-by hedger hedges what another one was hedging when it ended.
 *
 * Owns the measurement only. Orders fill while the exchange rejects every hedge, so that covers are under way; then the hedger ends
 * (SIGTERM or SIGKILL) and at that moment the exchange takes hedges again. Counted are the orders whose `execute` ran on that hedger
 * and that were naked: from the signal to the execution of their last lot, as the exchange tells. Exit code 0; 3 when it failed.
 */
import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { durationText, quantile, table } from '../../src/cli/table';
import { type OrderId, orderWorkflowId } from '../../src/domain/ids-and-nonces';
import { accountOf } from './parts/account';
import { Exchange, mergeTrades } from './parts/exchange';
import { hedgesRejected } from './parts/faults';
import { Bursts } from './parts/market';
import { killNow, terminate } from './parts/processes';
import { seeded } from './parts/random';
import { ChaosSystem } from './parts/system';

const SLOTS = 4;
/** Long enough for a cover's heartbeats to be on record, short against the back-off of its sends. */
const UNDER_WAY_MS = 250;
const HEDGED_MS = 60_000;
const SIGNALS = { SIGTERM: terminate, SIGKILL: killNow } as const;

async function main(): Promise<void> {
  const { rounds, seed } = new Command('hand-over')
    .option('--rounds <n>', 'ends of the hedger, of each kind', Number, 8)
    .option('--seed <n>', 'decides what fills', Number, 1)
    .parse()
    .opts<{ rounds: number; seed: number }>();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const system = new ChaosSystem({ slots: SLOTS, seed, say });
  try {
    await system.start();
    const times = { SIGTERM: [] as number[], SIGKILL: [] as number[] };
    for (let round = 1; round <= rounds; round++) {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const took = await oneEnd(system, signal, seed * 1_000 + round);
        times[signal].push(...took);
        say(`${signal} ${round}: ${took.map((ms) => durationText(ms)).join(', ') || 'no cover ran there'}`);
      }
    }
    const rows = Object.entries(times).map(([signal, took]) => [
      ...[signal, String(rounds), String(took.length)],
      ...[quantile(took, 0.5), quantile(took, 0.9), Math.max(...took)].map((ms) => durationText(ms)),
    ]);
    const columns = ['hedger ends by', 'times', 'orders', 'p50', 'p90', 'max'].map((title) => ({ title }));
    process.stdout.write(`${table(columns, rows)}\n`);
  } finally {
    await system.stop('remove');
  }
}

/** Milliseconds from the signal to the last hedge, for each order in the hands of the hedger that ended. */
async function oneEnd(system: ChaosSystem, signal: keyof typeof SIGNALS, seed: number): Promise<number[]> {
  const exchange = new Exchange(system.paperUrl);
  const bursts = new Bursts(exchange, system.makerAccount, seeded(seed));
  while ((await exchange.resting(system.makerAccount)).length < 2) await sleep(20);
  await exchange.fault(hedgesRejected(system.hedgeAccount));
  const { name, held } = await busiest(system, exchange, bursts);
  const pid = system.pidOf(name);
  const sinceUs = exchange.nowUs();
  SIGNALS[signal](pid);
  await exchange.heal();
  const deadlineMs = performance.now() + HEDGED_MS;
  for (;;) {
    const chunks = (await books(system, exchange)).chunks.filter(({ orderId }) => held.has(orderId));
    if (chunks.every(({ hedgedUs }) => hedgedUs !== undefined)) {
      await system.replaced(name, pid);
      return [...held].flatMap((id) => {
        const executed = chunks.filter(({ orderId, filledUs }) => orderId === id && filledUs < sinceUs);
        const last = Math.max(...executed.map(({ hedgedUs }) => hedgedUs ?? 0));
        return last > sinceUs ? [(last - sinceUs) / 1_000] : [];
      });
    }
    if (performance.now() > deadlineMs) throw new Error('lots are still naked');
    await sleep(50);
  }
}

type HedgerName = 'hedger' | 'stand-by hedger';

/** Fills orders until one of the hedgers covers some of them. */
async function busiest(
  system: ChaosSystem,
  exchange: Exchange,
  bursts: Bursts,
): Promise<{ readonly name: HedgerName; readonly held: ReadonlySet<OrderId> }> {
  for (;;) {
    await bursts.during(sleep(UNDER_WAY_MS));
    const [first, second] = [
      { name: 'hedger', held: await heldBy(system, exchange, system.pidOf('hedger')) },
      { name: 'stand-by hedger', held: await heldBy(system, exchange, system.pidOf('stand-by hedger')) },
    ] as const;
    const busier = first.held.size >= second.held.size ? first : second;
    if (busier.held.size > 0) return busier;
  }
}

/** Naked orders whose `execute` runs in the process `pid`. */
async function heldBy(system: ChaosSystem, exchange: Exchange, pid: number): Promise<Set<OrderId>> {
  const { orders } = await books(system, exchange);
  const naked = orders.filter(({ filledLots, hedgedLots, closedLots }) => filledLots > hedgedLots + closedLots);
  const held = new Set<OrderId>();
  for (const { orderId } of naked) {
    const { raw } = await system.client.workflow.getHandle(orderWorkflowId(system.makerAccount, orderId)).describe();
    const runs = (raw.pendingActivities ?? []).some(
      ({ activityType, lastWorkerIdentity }) =>
        activityType?.name === 'execute' && lastWorkerIdentity?.startsWith(`${pid}@`) === true,
    );
    if (runs) held.add(orderId);
  }
  return held;
}

async function books(system: ChaosSystem, exchange: Exchange): Promise<ReturnType<typeof accountOf>> {
  const { makerAccount, hedgeAccount } = system;
  const trades = mergeTrades(await exchange.truth(makerAccount), await exchange.truth(hedgeAccount));
  return accountOf(trades, { makerAccount, hedgeAccount });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`hand-over: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(3);
  },
);
