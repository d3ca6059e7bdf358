/**
 * One run: start the system, trade, harm it one fault at a time, heal, stop the pair, wait until every order has ended, and ask the
 * exchange what happened.
 *
 * Everything that is chosen comes from the seed. Timing is the machine's: the same seed gives the same faults, not the same trades.
 */
import type { Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { listOrders, type ListedOrder } from '../../../src/cli/order-list';
import { pairState, stopPair } from '../../../src/cli/pair-client';
import { durationText } from '../../../src/cli/table';
import { laneOf, type OrderId, parseOrderId, splitClientOrderIndex } from '../../../src/domain/ids-and-nonces';
import { parseDecimal } from '../../../src/domain/lots';
import { AlertBox, type ReceivedAlert } from '../../system/alert-box';
import { accountOf, type Account } from './account';
import { Exchange, mergeTrades } from './exchange';
import type { FaultKind } from './fault';
import { allFaults } from './faults';
import { Bursts } from './market';
import { schedule, seeded } from './random';
import { Rebalances } from './rebalances';
import { type Ran, type RunReport, verdictOf } from './report';
import { SecondInstallation } from './second';
import { nakedTimes, spreadOf } from './spread';
import { ChaosSystem } from './system';
import { type Silence, silences } from './told';
import { type EndedRebalance, type Transfer, transfersOf } from './transfers';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly slots: number;
  /** Only kinds whose name contains this. */
  readonly only?: string;
  /** No kind whose name contains one of these; `second installation` leaves that out. */
  readonly off?: readonly string[];
  /** How long a role stays away; by the seed, one to three minutes, when absent. */
  readonly awayMs?: number;
  readonly pauseMs: number;
  readonly say: (line: string) => void;
  /** Whether to leave logs and databases behind. */
  readonly files: 'keep' | 'remove' | 'keep-when-wrong';
  readonly signal?: AbortSignal;
}

const WARM_UP_MS = 5_000;
/** A fault's consequences outlast it: lots naked within this time after it count for it. */
const TAIL_MS = 2_000;
const RESOLVE_MS = 180_000;
const RESTS_MS = 20_000;
const TRADES_AGAIN_MS = 60_000;
const SIZE_DECIMALS = 5;
const ORDERS_MAX = 100_000;

const SECOND = 'second installation';
const AWAY_MS = { min: 60_000, max: 180_000 } as const;

export async function runChaos(options: ChaosOptions): Promise<RunReport> {
  const kinds = allFaults().filter(({ name }) => name.includes(options.only ?? '') && !isOff(options, name));
  if (kinds.length === 0) throw new Error(`no fault kind contains "${options.only ?? ''}"`);
  const alerts = await AlertBox.open();
  const system = new ChaosSystem({ ...options, webhookUrl: alerts.url });
  let second: SecondInstallation | undefined;
  let wrong = true;
  try {
    await system.start();
    if (!isOff(options, SECOND)) second = await SecondInstallation.start(system, options.seed, options.say);
    options.say(`the page: ${system.pageAddress}`);
    options.say(`the system runs in ${system.folder}; ${kinds.length} kinds of faults, seed ${options.seed}`);
    const exchange = new Exchange(system.paperUrl);
    // Requests are limited by faults only: three hedgers on one address ask more than the tier allows.
    await exchange.limits({ quota: 'tier' });
    const accounts = { maker: system.makerAccount, hedge: system.hedgeAccount };
    const rebalances = new Rebalances({ exchange, client: system.client, accounts, random: seeded(options.seed + 4) });
    const run = { system, exchange, alerts, rebalances, ...(second === undefined ? {} : { second }) };
    const harm = await harmed(options, run, kinds);
    const rebalanced = await rebalances.ended(RESOLVE_MS);
    const unended = [
      ...(typeof rebalanced === 'string' ? [rebalanced] : []),
      ...(await tradesAgain(options, run)),
      ...(await resolve(options, system.client, system.makerAccount)),
      ...(second === undefined ? [] : await resolve(options, system.client, second.makerAccount)),
    ];
    const report = await judge(options, {
      ...{ ...run, ...harm, unended, rebalanced: typeof rebalanced === 'string' ? [] : rebalanced },
    });
    wrong = verdictOf(report) !== 0;
    const upExitCode = await stop();
    return { ...report, upExitCode };
  } finally {
    await stop();
    await alerts.close();
  }

  async function stop(): Promise<number | null> {
    await second?.stop();
    return system.stop(keeping(options, wrong));
  }
}

function isOff({ off = [] }: ChaosOptions, name: string): boolean {
  return off.some((text) => name.includes(text));
}

function keeping({ files, say }: ChaosOptions, wrong: boolean): 'keep' | 'remove' {
  const keep = files === 'keep' || (files === 'keep-when-wrong' && wrong);
  if (keep) say('logs and databases are kept');
  return keep ? 'keep' : 'remove';
}

interface Running {
  readonly system: ChaosSystem;
  readonly exchange: Exchange;
  readonly alerts: AlertBox;
  readonly rebalances: Rebalances;
  readonly second?: SecondInstallation;
}

interface Harmed {
  readonly faults: readonly Ran[];
  readonly silent: readonly string[];
}

/** The faults, one at a time with a pause between; the second installation trades all the while. */
async function harmed(options: ChaosOptions, run: Running, kinds: readonly FaultKind[]): Promise<Harmed> {
  const acting = harm(options, run, kinds);
  if (run.second !== undefined) {
    const beside = new Bursts(run.exchange, run.second.makerAccount, seeded(options.seed + 3));
    await Promise.all([acting, beside.during(acting)]);
  }
  return acting;
}

async function harm(
  options: ChaosOptions,
  { system, exchange, alerts, rebalances }: Running,
  kinds: readonly FaultKind[],
): Promise<Harmed> {
  const random = seeded(options.seed);
  const bursts = new Bursts(exchange, system.makerAccount, seeded(options.seed + 1));
  const faults: Ran[] = [];
  const silent: string[] = [];
  while ((await exchange.resting(system.makerAccount)).length === 0) await sleep(50);
  const busy = async (over: Promise<unknown>): Promise<void> =>
    void (await Promise.all([bursts.during(over), rebalances.during(over)]));
  await busy(sleep(WARM_UP_MS));
  const endMs = performance.now() + options.minutes * 60_000;
  for (const kind of schedule(kinds, random)) {
    if (performance.now() > endMs || options.signal?.aborted === true) break;
    const lane = random.pick(system.lanes);
    const awayMs = options.awayMs ?? random.between(AWAY_MS.min, AWAY_MS.max);
    await somethingRests(system, exchange);
    const startUs = exchange.nowUs();
    const acting = kind.run({
      ...{ system, exchange, random, lane, alerts, awayMs },
      silent: (what) => void silent.push(what),
    });
    // Collateral that comes while it is gone would be what is traded with.
    await Promise.all([acting, kind.isAboutMargin === true ? bursts.during(acting) : busy(acting)]);
    const endUs = exchange.nowUs();
    const { name, reach, blind = false } = kind;
    faults.push({ kind: name, reach, blind, startUs, endUs, ...(reach === 'one-order' ? { lane } : {}) });
    options.say(`fault ${faults.length}: ${name} (${((endUs - startUs) / 1e6).toFixed(1)} s)`);
    await busy(sleep(TAIL_MS + random.between(options.pauseMs, 2 * options.pauseMs)));
  }
  await exchange.heal();
  return { faults, silent };
}

/** A fault that finds no order on the exchange meets no fill. Gives up after a while: then the fault comes all the same. */
async function somethingRests(system: ChaosSystem, exchange: Exchange): Promise<void> {
  const deadlineMs = performance.now() + RESTS_MS;
  while ((await exchange.resting(system.makerAccount)).length === 0 && performance.now() < deadlineMs) await sleep(20);
}

/** Once nothing is wrong any more every lane must fill again. Answers those that do not. */
async function tradesAgain({ seed, say }: ChaosOptions, { system, exchange }: Running): Promise<string[]> {
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
async function resolve(options: ChaosOptions, client: Client, makerAccount: number): Promise<string[]> {
  options.say(`no more faults; stopping the pair of account ${makerAccount}`);
  const deadlineMs = performance.now() + RESOLVE_MS;
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
  run: Running & Harmed & { readonly unended: readonly string[]; readonly rebalanced: readonly EndedRebalance[] },
): Promise<Omit<RunReport, 'upExitCode'>> {
  const { system, exchange, faults, alerts, second } = run;
  const first = await judgeOne(system.client, exchange, system);
  const windows = faults.map((fault) => ({ ...fault, endUs: fault.endUs + TAIL_MS * 1_000 }));
  const endUs = exchange.nowUs();
  const ofFirst = silences({ chunks: first.account.chunks, alerts: alerts.received, faults: windows, endUs });
  const beside = second === undefined ? undefined : await judgeOne(system.client, exchange, second);
  const ofSecond =
    beside === undefined || second === undefined
      ? []
      : silences({ chunks: beside.account.chunks, alerts: second.alerts.received, faults: windows, endUs });
  return {
    seed: options.seed,
    minutes: options.minutes,
    slots: options.slots,
    account: first.account,
    naked: nakedTimes(first.account.chunks, windows),
    faults,
    unended: [...run.unended, ...first.resting, ...(beside?.resting ?? []).map(ofTheSecond)],
    transfers: transfersOf(first.transfers, run.rebalanced, system),
    differences: first.differences,
    ...(beside === undefined ? {} : { second: { ...beside, naked: spreadOf(beside.account.chunks) } }),
    silent: [...run.silent, ...ofFirst.map(silenceText), ...ofSecond.map(silenceText).map(ofTheSecond)],
    alerts: countByKind(alerts.received),
  };
}

interface Judged {
  readonly account: Account;
  readonly resting: readonly string[];
  readonly differences: readonly string[];
  readonly transfers: readonly Transfer[];
}

/** One installation against the exchange's truth. What another one traded in its name shows as a trade that covers no order. */
async function judgeOne(
  client: Client,
  exchange: Exchange,
  roles: { readonly makerAccount: number; readonly hedgeAccount: number },
): Promise<Judged> {
  const { makerAccount, hedgeAccount } = roles;
  const [ofA, ofB] = [await exchange.truth(makerAccount), await exchange.truth(hedgeAccount)];
  const listed = await listOrders(client, { makerAccount, state: 'closed', limit: ORDERS_MAX });
  const account = accountOf(mergeTrades(ofA, ofB), { makerAccount, hedgeAccount }, ownersOf(listed));
  const resting = [...ofA.resting, ...ofB.resting].map((index) => `order ${index} rests on the exchange`);
  const transfers = [...ofA.transfers, ...ofB.transfers];
  return { account, resting, differences: differencesOf(listed, account), transfers };
}

function ofTheSecond(line: string): string {
  return `second installation: ${line}`;
}

function silenceText({ chunk, nakedMs, kind }: Silence): string {
  const { orderId, lots, filledUs } = chunk;
  const at = new Date(filledUs / 1_000).toISOString();
  return `${lots} lots of order ${orderId}, filled ${at}, naked for ${durationText(nakedMs)} (${kind ?? 'no fault'})`;
}

function countByKind(received: readonly ReceivedAlert[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of received) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
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
