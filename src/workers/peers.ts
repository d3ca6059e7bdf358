/**
 * A process that shares a queue with processes of other accounts does not start (S-43).
 *
 * A queue carries one account in its name, so such a peer shares that account and differs in the other one: two installations that
 * were given the same A or the same B, which nobody wants. Each would be handed half of the other's steps and reject them. Two things
 * are looked at, because each sees what the other misses: who polls the queue (a worker's identity names both accounts), and what runs
 * there or for our account (a run's id names A, its queue names B), which no process needs to be up for.
 */
import type { Client } from '@temporalio/client';
import { hostname } from 'node:os';
import { ConfigError, type AccountRole, type Config } from '../config';
import { limitsWorkflowId } from '../domain/day-limits';
import { makerQueue, ordersQueue, type Accounts } from '../domain/messages';
import { rebalanceWorkflowId } from '../domain/rebalance-messages';
import type { Logger } from '../observability';
import { eachRun } from '../temporal/runs';

export type Role = 'maker' | 'hedger';

/** `temporal.api.enums.v1.TaskQueueType`: every worker of ours polls for activities. */
const ACTIVITY_QUEUE = 2;
/** A poll lasts a minute: a peer that was seen within this time may be there. */
const FRESH_MS = 70_000;
/** A hedger that restarts has fills to hedge. */
const CHECK_MS = 3_000;

export function accountsOf(config: Config): Accounts {
  return { maker: config.accounts.maker.index, hedge: config.accounts.hedge.index };
}

/** The process that holds this account's keys. */
export function processOf(account: AccountRole): Role {
  return account === 'maker' ? 'maker' : 'hedger';
}

export function queueOf(role: Role, accounts: Accounts): string {
  return role === 'maker' ? makerQueue(accounts.maker) : ordersQueue(accounts.hedge);
}

/** What a worker is called on its queue. */
export function identityOf(role: Role, { maker, hedge }: Accounts): string {
  return `counterleg ${role} ${maker}/${hedge} ${process.pid}@${hostname()}`;
}

/** Throws a ConfigError that says who is in the way. A check that cannot be made stops nothing: fills may wait for this process. */
export async function rejectStrangers(input: {
  readonly client: Client;
  readonly role: Role;
  readonly accounts: Accounts;
  readonly logger: Pick<Logger, 'warn'>;
}): Promise<void> {
  let stranger: string | undefined;
  try {
    const look = async (): Promise<string | undefined> => (await strangePoller(input)) ?? (await strangeRun(input));
    stranger = await input.client.connection.withDeadline(Date.now() + CHECK_MS, look);
  } catch (error) {
    input.logger.warn(
      { error: String(error) },
      'who else serves this queue could not be read; a step of other accounts would be rejected when it comes',
    );
    return;
  }
  if (stranger === undefined) return;
  const { maker, hedge } = input.accounts;
  throw new ConfigError([
    {
      key: 'accounts',
      place: queueOf(input.role, input.accounts),
      message:
        `cannot be shared: ${stranger}, and this ${input.role} is for accounts ${maker} (A) and ${hedge} (B). Nothing was started: each of the two would be ` +
        "given the other's orders. Give every installation two accounts of its own, or a Temporal namespace of its own; " +
        'one that was stopped just now is forgotten after a minute, a run is ended by `temporal workflow terminate --workflow-id …`',
    },
  ]);
}

/** The names of the workers that have asked the queue for work lately. */
export async function freshPollers(client: Client, queue: string): Promise<readonly string[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
    taskQueueType: ACTIVITY_QUEUE,
  });
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000 <= FRESH_MS)
    .map(({ identity }) => identity || 'a worker without a name');
}

async function strangePoller(input: Parameters<typeof rejectStrangers>[0]): Promise<string | undefined> {
  const { client, role, accounts } = input;
  const name = queueOf(role, accounts);
  for (const identity of await freshPollers(client, name)) {
    const served = /^counterleg (?:maker|hedger) (\d+)\/(\d+) /.exec(identity);
    if (served && Number(served[1]) === accounts.maker && Number(served[2]) === accounts.hedge) continue;
    return served
      ? `${name} is served by a process of accounts ${served[1]} and ${served[2]} (${identity})`
      : `${name} is served by ${identity}, which does not say for which accounts`;
  }
  return undefined;
}

async function strangeRun(input: Parameters<typeof rejectStrangers>[0]): Promise<string | undefined> {
  const { client, role, accounts } = input;
  const ours = `(WorkflowId STARTS_WITH "order/${accounts.maker}/" OR WorkflowId STARTS_WITH "pair/${accounts.maker}/" OR WorkflowId = "${rebalanceWorkflowId(accounts.maker)}" OR WorkflowId = "${limitsWorkflowId(accounts.maker)}")`;
  const queue = ordersQueue(accounts.hedge);
  const where = role === 'maker' ? ours : `TaskQueue = "${queue}"`;
  for await (const { workflowId, taskQueue } of eachRun(client, `ExecutionStatus = "Running" AND ${where}`)) {
    const isOfA = /^(?:order|pair|rebalance|limits)\/(\d+)(?:\/|$)/.exec(workflowId)?.[1] === String(accounts.maker);
    if (isOfA && taskQueue === queue) continue;
    if (role === 'hedger' && workflowId.startsWith('limits/')) continue; // it never ends, and no step of it trades
    return `${workflowId} runs on ${taskQueue}`;
  }
  return undefined;
}
