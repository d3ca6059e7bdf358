/**
 * One run: start the system, trade, harm it one fault at a time, heal, stop the pair, wait until every order has ended, and ask the
 * exchange what happened.
 *
 * Everything that is chosen comes from the seed. Timing is the machine's: the same seed gives the same faults, not the same trades.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { listOrders, type ListedOrder } from '../../../src/cli/order-list';
import { pairState, stopPair } from '../../../src/cli/pair-client';
import { laneOf, type OrderId, parseOrderId, splitClientOrderIndex } from '../../../src/domain/ids';
import { parseDecimal } from '../../../src/domain/lots';
import { accountOf, type Account } from './account';
import { Exchange, mergeTrades } from './exchange';
import { allFaults, type FaultKind } from './faults';
import { Bursts } from './market';
import { schedule, seeded } from './random';
import type { Ran, RunReport } from './report';
import { nakedTimes } from './spread';
import { ChaosSystem } from './system';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly slots: number;
  /** Only kinds whose name contains this. */
  readonly only?: string;
  readonly pauseMs: number;
  readonly say: (line: string) => void;
  /** Whether to leave logs and databases behind. */
  readonly files: 'keep' | 'remove' | 'keep-when-wrong';
  readonly signal?: AbortSignal;
}

const WARM_UP_MS = 5_000;
/** A fault's consequences outlast it: lots naked within this time after it count for it. */
const TAIL_MS = 2_000;
const SETTLE_MS = 180_000;
const RESTS_MS = 20_000;
const TRADES_AGAIN_MS = 60_000;
const SIZE_DECIMALS = 5;
const ORDERS_MAX = 100_000;

export async function runChaos(options: ChaosOptions): Promise<RunReport> {
  const kinds = allFaults().filter(({ name }) => name.includes(options.only ?? ''));
  if (kinds.length === 0) throw new Error(`no fault kind contains "${options.only ?? ''}"`);
  const system = new ChaosSystem(options);
  let wrong = true;
  try {
    await system.start();
    options.say(`the system runs in ${system.folder}; ${kinds.length} kinds of faults, seed ${options.seed}`);
    const exchange = new Exchange(system.paperUrl);
    const faults = await harm(options, { system, exchange, kinds });
    const unended = [...(await tradesAgain(options, { system, exchange })), ...(await settle(options, system))];
    const report = await judge(options, { system, exchange, faults, unended });
    wrong = report.account.lostLots + report.account.twiceLots > 0n || report.differences.length + unended.length > 0;
    const upExitCode = await system.stop(keeping(options, wrong));
    return { ...report, upExitCode };
  } finally {
    await system.stop(keeping(options, wrong));
  }
}

function keeping({ files, say }: ChaosOptions, wrong: boolean): 'keep' | 'remove' {
  const keep = files === 'keep' || (files === 'keep-when-wrong' && wrong);
  if (keep) say('logs and databases are kept');
  return keep ? 'keep' : 'remove';
}

interface Harm {
  readonly system: ChaosSystem;
  readonly exchange: Exchange;
  readonly kinds: readonly FaultKind[];
}

/** The faults, one at a time with a pause between. */
async function harm(options: ChaosOptions, { system, exchange, kinds }: Harm): Promise<Ran[]> {
  const random = seeded(options.seed);
  const bursts = new Bursts(exchange, system.makerAccount, seeded(options.seed + 1));
  const done: Ran[] = [];
  while ((await exchange.resting(system.makerAccount)).length === 0) await sleep(50);
  await bursts.during(sleep(WARM_UP_MS));
  const endMs = performance.now() + options.minutes * 60_000;
  for (const kind of schedule(kinds, random)) {
    if (performance.now() > endMs || options.signal?.aborted === true) break;
    const lane = random.pick(system.lanes);
    await somethingRests(system, exchange);
    const startUs = exchange.nowUs();
    const acting = kind.run({ system, exchange, random, lane });
    await Promise.all([acting, bursts.during(acting)]);
    const endUs = exchange.nowUs();
    const { name, reach } = kind;
    done.push({ kind: name, reach, startUs, endUs, ...(reach === 'one-order' ? { lane } : {}) });
    options.say(`fault ${done.length}: ${name} (${((endUs - startUs) / 1e6).toFixed(1)} s)`);
    await bursts.during(sleep(TAIL_MS + random.between(options.pauseMs, 2 * options.pauseMs)));
  }
  await exchange.heal();
  return done;
}

/** A fault that finds no order on the exchange meets no fill. Gives up after a while: then the fault comes all the same. */
async function somethingRests(system: ChaosSystem, exchange: Exchange): Promise<void> {
  const deadlineMs = performance.now() + RESTS_MS;
  while ((await exchange.resting(system.makerAccount)).length === 0 && performance.now() < deadlineMs) await sleep(20);
}

/** Once nothing is wrong any more every lane must fill again. Answers those that do not. */
async function tradesAgain(
  { seed, say }: ChaosOptions,
  { system, exchange }: Pick<Harm, 'system' | 'exchange'>,
): Promise<string[]> {
  const sinceUs = exchange.nowUs();
  const { makerAccount } = system;
  const bursts = new Bursts(exchange, makerAccount, seeded(seed + 2));
  const silent = new Set(system.lanes);
  for (const deadlineMs = performance.now() + TRADES_AGAIN_MS; silent.size > 0;) {
    await bursts.during(sleep(1_000));
    const { trades } = await exchange.truth(makerAccount);
    for (const { atUs, ask, bid } of trades) {
      for (const { accountIndex, clientIndex } of atUs > sinceUs ? [ask, bid] : []) {
        if (accountIndex === makerAccount) silent.delete(laneOf(splitClientOrderIndex(clientIndex).id));
      }
    }
    if (performance.now() > deadlineMs) break;
  }
  if (silent.size === 0) return [];
  const status = await pairState(system.client, makerAccount, 'BTC').catch(String);
  say(`the pair says: ${JSON.stringify(status)}`);
  return [...silent].map((lane) => `lane ${lane} does not trade any more`);
}

/** Answers what has not ended in time: workflows, by id. */
async function settle(options: ChaosOptions, system: ChaosSystem): Promise<string[]> {
  const { client, makerAccount } = system;
  options.say('no more faults; stopping the pair');
  const deadlineMs = performance.now() + SETTLE_MS;
  for (;;) {
    const left = deadlineMs - performance.now();
    const open = await stopPair(client, makerAccount, 'BTC')
      .then(() => listOrders(client, { makerAccount, state: 'open', limit: 100 }))
      .catch((error: unknown) => (left > 0 ? undefined : [String(error)]));
    if (open?.length === 0) return [];
    if (left <= 0) return (open ?? []).map((order) => (typeof order === 'string' ? order : describe(order)));
    await sleep(500);
  }
}

function describe({ workflowId, hedgeState, exposure }: ListedOrder): string {
  return `${workflowId} is ${hedgeState} with ${exposure} naked`;
}

async function judge(
  options: ChaosOptions,
  run: {
    readonly system: ChaosSystem;
    readonly exchange: Exchange;
    readonly faults: readonly Ran[];
    readonly unended: readonly string[];
  },
): Promise<Omit<RunReport, 'upExitCode'>> {
  const { system, exchange, faults } = run;
  const { makerAccount, hedgeAccount, client } = system;
  const ofA = await exchange.truth(makerAccount);
  const ofB = await exchange.truth(hedgeAccount);
  const listed = await listOrders(client, { makerAccount, state: 'closed', limit: ORDERS_MAX });
  const trades = mergeTrades(ofA, ofB);
  const account = accountOf(trades, { makerAccount, hedgeAccount }, ownersOf(listed));
  const windows = faults.map((fault) => ({ ...fault, endUs: fault.endUs + TAIL_MS * 1_000 }));
  return {
    seed: options.seed,
    minutes: options.minutes,
    slots: options.slots,
    account,
    naked: nakedTimes(account.chunks, windows),
    faults,
    unended: [
      ...run.unended,
      ...[...ofA.resting, ...ofB.resting].map((index) => `order ${index} rests on the exchange`),
    ],
    differences: differencesOf(listed, account),
  };
}

/** Tickets that went on under a fresh id, as the order's own result names them. The amounts still come from the exchange. */
function ownersOf(listed: readonly ListedOrder[]): Map<bigint, OrderId> {
  const owners = new Map<bigint, OrderId>();
  for (const { orderId, result } of listed) {
    const order = parseOrderId(orderId);
    if (order === undefined) continue;
    for (const slice of result?.hedge.slices ?? []) {
      owners.set(splitClientOrderIndex(BigInt(slice.client_order_index)).id, order);
    }
  }
  return owners;
}

function differencesOf(listed: readonly ListedOrder[], account: Account): string[] {
  const truth = new Map(account.orders.map((order) => [order.orderId.toString(), order]));
  const found: string[] = [];
  const seen = new Set(listed.map(({ orderId }) => orderId));
  for (const { orderId, status, result } of listed) {
    if (result === undefined) {
      found.push(`order ${orderId} ended ${status} without a result`);
      continue;
    }
    const amounts = [
      ['fill', result.maker.filled_base_amount, truth.get(orderId)?.filledLots ?? 0n],
      ['hedge', result.hedge.executed_base_amount, truth.get(orderId)?.hedgedLots ?? 0n],
      ['close', result.closed_base_amount, truth.get(orderId)?.closedLots ?? 0n],
    ] as const;
    for (const [what, said, lots] of amounts) {
      const saidLots = parseDecimal(said, SIZE_DECIMALS);
      if (saidLots !== lots) found.push(`order ${orderId}: ${what} is ${lots} lots, its result says ${saidLots}`);
    }
  }
  for (const orderId of truth.keys())
    if (!seen.has(orderId)) found.push(`order ${orderId} filled and has no ended run`);
  return found;
}
