/** What a run says at its end: for people, and as one JSON object for programs. */
import { durationText, table } from '../../../src/cli/table';
import type { Account } from './account';
import type { Reach } from './fault';
import type { NakedTimes, Spread } from './spread';
import { transfersText, type Transfers } from './transfers';

/** Per fault kind; what is beyond a single fault has no target. */
export const NAKED_P99_TARGET_MS = 5_000;
/** What one order's trouble may add to another's hedge. */
export const BYSTANDER_TARGET_MS = 50;
/** Below this a p99 is one or two fills: the exchange's own spread, nothing to compare. */
const P99_FILLS_MIN = 200;

export interface Ran {
  readonly kind: string;
  readonly reach: Reach;
  /** Nobody lived who could tell. */
  readonly blind: boolean;
  readonly startUs: number;
  readonly endUs: number;
  readonly lane?: number;
}

export interface RunReport {
  readonly seed: number;
  readonly minutes: number;
  readonly slots: number;
  readonly account: Account;
  readonly naked: NakedTimes;
  readonly faults: readonly Ran[];
  /** Orders whose workflow or whose resting order had not ended in time. */
  readonly unended: readonly string[];
  readonly transfers: Transfers;
  /** Workflows whose result differs from the exchange's truth. */
  readonly differences: readonly string[];
  /** Exposures older than ten seconds of which nobody was told. */
  readonly silent: readonly string[];
  /** How often each kind of alert reached the webhook. */
  readonly alerts: ReadonlyMap<string, number>;
  /** What befell the installation beside. */
  readonly second?: {
    readonly account: Account;
    readonly differences: readonly string[];
    readonly naked: Spread | undefined;
  };
  readonly upExitCode: number | null;
}

export type Verdict = 0 | 1 | 2 | 4;

/** 0 all is well; 1 an account is wrong; 2 an order did not end; 4 something was naked in silence. */
export function verdictOf(report: Omit<RunReport, 'upExitCode'>): Verdict {
  const { account, transfers, second, silent } = report;
  const differences = [...report.differences, ...transfers.differences, ...(second?.differences ?? [])];
  if (report.unended.length > 0) return 2;
  const isWrong = isAccountWrong(account) || (second !== undefined && isAccountWrong(second.account));
  if (isWrong || differences.length > 0) return 1;
  return silent.length > 0 ? 4 : 0;
}

function isAccountWrong({ lostLots, twiceLots, excesses, strangers }: Account): boolean {
  return lostLots > 0n || twiceLots > 0n || excesses.length > 0 || strangers.length > 0;
}

export function jsonOf(report: RunReport): Record<string, unknown> {
  const { account, naked, faults } = report;
  return {
    seed: report.seed,
    minutes: report.minutes,
    slots: report.slots,
    verdict: verdictOf(report),
    ...countsOf(account),
    lots_lost: account.lostLots.toString(),
    lots_twice: account.twiceLots.toString(),
    excesses: account.excesses.map(({ orderId, atUs, lots }) => ({
      order: `${orderId}`,
      at_us: atUs,
      lots: `${lots}`,
    })),
    strangers: account.strangers,
    unended: report.unended,
    transfers: {
      made: report.transfers.made,
      made_micro_usdc: report.transfers.madeMicro.toString(),
      said_micro_usdc: report.transfers.saidMicro.toString(),
      ends: Object.fromEntries(report.transfers.ends),
      differences: report.transfers.differences,
    },
    differences: report.differences,
    silent: report.silent,
    alerts: Object.fromEntries(report.alerts),
    second: report.second === undefined ? undefined : secondJson(report.second),
    up_exit_code: report.upExitCode,
    naked_ms: {
      all: naked.all,
      quiet: naked.quiet,
      bystanders: naked.bystanders,
      by_kind: Object.fromEntries(naked.byKind),
    },
    faults: faults.map(({ kind, reach, startUs, endUs, lane }) => ({
      ...{ kind, reach, start_us: startUs, end_us: endUs, ...(lane === undefined ? {} : { lane }) },
    })),
  };
}

function secondJson({ account, differences, naked }: NonNullable<RunReport['second']>): Record<string, unknown> {
  return {
    ...countsOf(account),
    lots_lost: account.lostLots.toString(),
    lots_twice: account.twiceLots.toString(),
    excesses: account.excesses.length,
    strangers: account.strangers,
    differences,
    naked_ms: naked,
  };
}

export function textOf(report: RunReport): string {
  const { account, naked } = report;
  const counts = countsOf(account);
  const lines = [
    `${counts.orders} orders filled, ${counts.fills} fills, ${counts.hedges} hedges, ${counts.closes} closed; ${report.faults.length} faults`,
    `lots filled ${counts.lots_filled}, lost ${account.lostLots}, twice ${account.twiceLots}`,
    `executed hedge + closed above executed fill: ${account.excesses.length} times`,
    ...account.excesses.slice(0, 10).map(({ orderId, atUs, lots }) => `  order ${orderId}: ${lots} lots at ${atUs}`),
    ...account.strangers.map((line) => `  ${line}`),
    ...report.differences.map((line) => `  ${line}`),
    ...report.unended.map((line) => `  did not end: ${line}`),
    transfersText(report.transfers),
    ...report.transfers.differences.map((line) => `  ${line}`),
    ...secondLines(report),
    `naked for more than 10 s and nobody told: ${report.silent.length} times`,
    ...report.silent.slice(0, 20).map((line) => `  ${line}`),
    `alerts: ${alertText(report)}`,
    '',
    nakedTable(report),
    '',
    ...missedTargets(report).map((line) => `MISSED: ${line}`),
    bystanderLine(naked),
    `\`up\` ended with ${report.upExitCode}`,
    `verdict: ${verdictOf(report)}   (repeat: npm run chaos -- --minutes ${report.minutes} --seed ${report.seed} --slots ${report.slots})`,
  ];
  return lines.join('\n');
}

function alertText({ alerts }: RunReport): string {
  const counts = [...alerts].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count}`);
  return counts.length === 0 ? 'none' : counts.join(', ');
}

function secondLines({ second }: RunReport): string[] {
  if (second === undefined) return ['no second installation'];
  const { account, differences, naked } = second;
  const { orders, fills, hedges } = countsOf(account);
  const slowest = naked === undefined ? '–' : durationText(naked.maxMs);
  return [
    `second installation: ${orders} orders filled, ${fills} fills, ${hedges} hedges; lost ${account.lostLots}, twice ${account.twiceLots}, ` +
      `ahead ${account.excesses.length} times; naked p99 ${naked === undefined ? '–' : durationText(naked.p99Ms)}, max ${slowest}`,
    ...[...account.strangers, ...differences].slice(0, 20).map((line) => `  ${line}`),
  ];
}

function bystanderLine({ bystanders, quiet }: NakedTimes): string {
  if (bystanders === undefined || quiet === undefined) return 'one order in trouble, the others: nothing to compare';
  const [p50, p99] = [bystanders.p50Ms - quiet.p50Ms, bystanders.p99Ms - quiet.p99Ms].map((ms) => ms.toFixed(0));
  return `one order in trouble, the others against quiet times: p50 ${p50} ms, p99 ${p99} ms later`;
}

/** Targets of latency that this run did not meet. They are reported; the exit code is about the account alone. */
export function missedTargets({ naked, faults }: RunReport): string[] {
  const beyond = new Set(faults.filter(({ reach }) => reach === 'beyond').map(({ kind }) => kind));
  const missed = [...naked.byKind]
    .filter(([kind, spread]) => !beyond.has(kind) && spread.p99Ms >= NAKED_P99_TARGET_MS)
    .map(([kind, spread]) => `${kind}: naked p99 ${durationText(spread.p99Ms)}`);
  const { bystanders, quiet } = naked;
  if (bystanders === undefined || quiet === undefined) return missed;
  const keys = bystanders.fills < P99_FILLS_MIN ? (['p50Ms'] as const) : (['p50Ms', 'p99Ms'] as const);
  for (const key of keys) {
    const laterMs = bystanders[key] - quiet[key];
    if (laterMs > BYSTANDER_TARGET_MS) missed.push(`bystanders: ${key.slice(0, 3)} ${durationText(laterMs)} later`);
  }
  return missed;
}

function countsOf(account: Account): Record<'orders' | 'fills' | 'hedges' | 'closes' | 'lots_filled', number> {
  const { orders } = account;
  return {
    orders: orders.length,
    fills: orders.reduce((sum, { fills }) => sum + fills, 0),
    hedges: orders.reduce((sum, { hedges }) => sum + hedges, 0),
    closes: orders.filter(({ closedLots }) => closedLots > 0n).length,
    lots_filled: Number(orders.reduce((sum, { filledLots }) => sum + filledLots, 0n)),
  };
}

interface NakedRow {
  readonly name: string;
  /** How often the fault was done; none for rows that are no fault. */
  readonly times: number | undefined;
  readonly reach: Reach | undefined;
  readonly spread: Spread | undefined;
}

/** The worst first, what is beyond a single fault last. */
function nakedRows({ naked, faults }: RunReport): NakedRow[] {
  const kinds = new Map(faults.map(({ kind, reach }) => [kind, reach]));
  const rows = [...kinds].map(([name, reach]) => ({
    ...{ name, reach, spread: naked.byKind.get(name) },
    times: faults.filter(({ kind }) => kind === name).length,
  }));
  const slowness = ({ reach, spread }: NakedRow): number => (reach === 'beyond' ? -1e9 : 0) + (spread?.p99Ms ?? -1);
  return [
    { name: 'all', times: undefined, reach: undefined, spread: naked.all },
    { name: 'no fault', times: undefined, reach: undefined, spread: naked.quiet },
    { name: 'other orders than the one in trouble', times: undefined, reach: undefined, spread: naked.bystanders },
    ...rows.sort((a, b) => slowness(b) - slowness(a) || (a.name < b.name ? -1 : 1)),
  ];
}

function cellsOf({ name, times, reach, spread }: NakedRow): string[] {
  return [
    reach === 'beyond' ? `${name} *` : name,
    times === undefined ? '' : String(times),
    String(spread?.fills ?? 0),
    ...(['p50Ms', 'p99Ms', 'maxMs'] as const).map((key) => (spread === undefined ? '–' : durationText(spread[key]))),
  ];
}

const NAKED_TITLES = ['naked, by fault', 'times', 'fills', 'p50', 'p99', 'max'] as const;

function nakedTable(report: RunReport): string {
  const columns = NAKED_TITLES.map((title, i) => ({ title, ...(i === 0 ? {} : { align: 'right' as const }) }));
  return `${table(columns, nakedRows(report).map(cellsOf))}\n* more than one thing at once, or the exchange itself: no target`;
}

/** The counts and the table of naked times, for docs/chaos.md. */
export function markdownOf(report: RunReport): string {
  const { account, naked } = report;
  const counts = countsOf(account);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `\`npm run chaos -- --minutes ${report.minutes} --seed ${report.seed} --slots ${report.slots}\`: verdict ${verdictOf(report)}.`,
    '',
    `- ${report.faults.length} faults of ${new Set(report.faults.map(({ kind }) => kind)).size} kinds; ${counts.orders} orders filled in ${counts.fills} fills, ${counts.hedges} hedges, ${counts.closes} closed on A.`,
    `- Lots: ${counts.lots_filled} filled, ${account.lostLots} lost, ${account.twiceLots} twice. Instants at which more was covered than had filled: ${account.excesses.length}.`,
    `- Orders that did not end: ${report.unended.length}. Results that differ from the exchange's truth: ${report.differences.length}.`,
    `- Naked for more than 10 s and nobody told: ${report.silent.length} times. Alerts: ${alertText(report)}.`,
    ...[transfersText(report.transfers), ...secondLines(report)].map((line) => `- ${line.trim()}`),
    `- ${bystanderLine(naked)}.`,
    ...missedTargets(report).map((missed) => `- Missed: ${missed}.`),
    '',
    line(NAKED_TITLES),
    line(NAKED_TITLES.map((_, i) => (i === 0 ? '---' : '--:'))),
    ...nakedRows(report).map((row) => line(cellsOf(row))),
    '',
    '\\* more than one thing at once, or the exchange itself: no target.',
    '',
  ].join('\n');
}
