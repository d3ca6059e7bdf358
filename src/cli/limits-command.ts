/** `counterleg limits`: how near the day is to each limit, which one stands, and its acknowledgement. */
import type { Client } from '@temporalio/client';
import { hostname, userInfo } from 'node:os';
import type { Config } from '../config';
import {
  holdOf,
  LIMIT_NAMES,
  limitsNow,
  limitsWorkflowId,
  shown,
  standingOf,
  type DayBounds,
  type LimitsStatus,
} from '../domain/day-limits';
import { commandConfig, CommandError, type GlobalOptions, withTemporal } from './context';
import { NotRunningError, queryState, update } from './pair-client';
import { table } from './table';

export async function runLimits(options: GlobalOptions): Promise<void> {
  const config = commandConfig(options);
  const bounds = demandLimits(config);
  const status = await withTemporal(config, (client) => limitsStatus(client, config));
  const nowMs = Date.now();
  if (options.json === true) console.log(JSON.stringify(jsonOf(status, bounds, nowMs), undefined, 2));
  else console.log(limitsText(status, bounds, nowMs));
}

/** `name`: of one limit, or `all` that stand. */
export async function runAcknowledge(name: string, options: GlobalOptions): Promise<void> {
  const config = commandConfig(options);
  demandLimits(config);
  const by = `${userInfo().username}@${hostname()}`.slice(0, 100);
  const answer = await withTemporal(config, (client) => acknowledge(client, config, { name, by }));
  console.log(options.json === true ? JSON.stringify({ command: 'acknowledge', answer }) : answer);
}

export async function acknowledge(
  client: Client,
  config: Config,
  { name, by }: { readonly name: string; readonly by: string },
): Promise<string> {
  const known = LIMIT_NAMES.find((one) => one === name);
  if (known === undefined && name !== 'all')
    throw new CommandError(
      `there is no limit ${name}: say one of ${LIMIT_NAMES.join(', ')}, or all. Nothing was changed`,
    );
  const names =
    known === undefined ? standingOf((await limitsStatus(client, config)) ?? { limits: [] }) : [{ name: known }];
  if (names.length === 0) throw new CommandError('no limit stands: there is nothing to acknowledge');
  const said = { names: names.map((one) => one.name), by };
  return String(await update(client, limitsWorkflowId(config.accounts.maker.index), 'acknowledge', undefined, said));
}

/** Undefined: the journal has told nothing yet. */
export async function limitsStatus(
  client: Client,
  { accounts }: Config,
  deadlineMs?: number,
): Promise<LimitsStatus | undefined> {
  try {
    return (await queryState(client, limitsWorkflowId(accounts.maker.index), deadlineMs)) as LimitsStatus;
  } catch (error) {
    if (error instanceof NotRunningError) return undefined;
    throw error;
  }
}

function demandLimits({ limits }: Config): DayBounds {
  if (limits !== undefined) return limits;
  throw new CommandError(
    'the configuration has no section `limits`: nothing stops quoting for what a day costs (docs/configuration.md, "Limits of a day")',
  );
}

function jsonOf(status: LimitsStatus | undefined, bounds: DayBounds, nowMs: number) {
  return {
    ...(status?.figures && { figures: status.figures }),
    limits: limitsNow(status, bounds, nowMs),
    not_quoting: holdOf(status, bounds, nowMs)?.text ?? '',
  };
}

export function limitsText(status: LimitsStatus | undefined, bounds: DayBounds, nowMs: number): string {
  const rows = limitsNow(status, bounds, nowMs).map(
    ({ name, bound, figure, state, known_until_ms, standing, acknowledged }) => [
      name,
      figure === undefined ? (state === 'ok' ? 'too little traded' : '–') : shown(figure),
      shown(bound),
      standing === undefined ? state : `STANDING since ${timeOf(standing.since_ms)}, at ${shown(standing.figure)}`,
      known_until_ms === undefined ? 'never' : timeOf(known_until_ms),
      acknowledged === undefined ? '' : `${timeOf(acknowledged.at_ms)} by ${acknowledged.by}`,
    ],
  );
  const titles = ['limit', 'now', 'bound', 'state', 'known until', 'acknowledged'];
  const hold = holdOf(status, bounds, nowMs);
  const said =
    hold === undefined
      ? 'No limit stands: what enlarges a position is quoted.'
      : `NOTHING THAT ENLARGES A POSITION IS QUOTED. ${hold.text}`;
  return [
    said,
    '',
    table(
      titles.map((title) => ({ title })),
      rows,
    ),
  ].join('\n');
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
