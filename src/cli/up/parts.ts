/** The parts of the system and how each starts: servers, the paper exchange, the two workers. Order and care are the supervisor's. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../config';
import { type Child, hostOf, isListening, portOf, startScript, untilReady } from '../child';
import { CommandError } from '../context';
import { startRedisServer, startTemporalServer, temporalAnswers } from '../servers';
import type { Plan } from './plan';
import type { Part } from './supervisor';

const READY_MS = 60_000;
const PROGRAM = join(PROJECT_ROOT, 'dist', 'cli', 'main.js');

/** Undefined: a server already answers there, and is used. */
export async function temporalPart(plan: Plan): Promise<Part | undefined> {
  const { address, namespace, uiPort } = plan.config.temporal;
  const host = hostOf(address);
  const port = portOf(address);
  if (await temporalAnswers(plan.config.temporal.connection, namespace)) return undefined;
  if (await isListening(host, port)) {
    throw new CommandError(
      `${address} is taken by something that is no Temporal server with namespace ${namespace}: set TEMPORAL_ADDRESS, or pass --free-ports`,
    );
  }
  if (!isThisMachine(host)) throw new CommandError(`Temporal does not answer at ${address}`);
  if (await isListening(host, uiPort)) {
    throw new CommandError(`port ${uiPort} for Temporal's Web UI is taken: set COUNTERLEG_TEMPORAL_UI_PORT`);
  }
  const folder = join(plan.folder, 'temporal');
  // The paper exchange starts empty, so an earlier run's orders would wait for an exchange that has forgotten them.
  rmSync(folder, { recursive: true, force: true });
  return {
    name: 'temporal',
    onEnd: 'restart',
    start: () => startTemporalServer({ folder, port, uiPort, keepOrdersDays: 30 }),
  };
}

/** Undefined: a server already listens there, and is used. */
export async function redisPart(plan: Plan): Promise<Part | undefined> {
  const { hostname } = new URL(plan.config.redis.url);
  if (await isListening(hostname, plan.redisPort)) return undefined;
  if (!isThisMachine(hostname)) throw new CommandError(`Redis does not answer at ${hostname}:${plan.redisPort}`);
  const folder = join(plan.folder, 'redis');
  const realTime = plan.config.fastPath.singleMachine === true;
  return { name: 'redis', onEnd: 'restart', start: () => startRedisServer({ folder, port: plan.redisPort, realTime }) };
}

export function paperPart(plan: Plan): Part {
  const { port } = plan.config.paper;
  return {
    name: 'paper exchange',
    onEnd: 'give-up',
    start: () => startOwn(plan, { name: 'paper', args: ['paper'], ready: () => isListening('127.0.0.1', port) }),
  };
}

export function hedgerPart(plan: Plan): Part {
  return worker(plan, 'hedger', ['hedger', ...only(plan)], plan.config.metrics.hedgerPort);
}

/** Without its pairs: `up` starts those once, whereas a maker that crashed is started again. */
export function makerPart(plan: Plan): Part {
  return worker(plan, 'maker', ['maker', '--no-pair', ...only(plan)], plan.config.metrics.makerPort);
}

/** The paper exchange starts empty, and gives its ids anew. */
export function journalPart(plan: Plan): Part {
  rmSync(plan.config.journal.folder, { recursive: true, force: true });
  return worker(plan, 'journal', ['journal'], plan.config.metrics.journalPort);
}

function worker(plan: Plan, role: 'maker' | 'hedger' | 'journal', args: readonly string[], port: number): Part {
  const name = partName(plan, role);
  const ready = (): Promise<boolean> => isHealthy(`http://${plan.config.metrics.host}:${port}/health`);
  return { name, onEnd: 'restart', start: () => startOwn(plan, { name, args, ready }) };
}

/** Of a process, and of its log. */
export function partName({ accountPair }: Plan, role: string): string {
  return accountPair === '' ? role : `${role}-${accountPair}`;
}

/** Nothing depends on it. */
export function consolePart(plan: Plan): Part {
  const { host, port } = plan.config.console;
  const name = partName(plan, 'console');
  const args = ['console', ...(plan.control ? ['--control'] : [])];
  const ready = (): Promise<boolean> => isListening(host, port);
  return { name, onEnd: 'restart-or-leave', start: () => startOwn(plan, { name, args, ready }) };
}

interface OwnProgram {
  readonly name: string;
  readonly args: readonly string[];
  readonly ready: () => Promise<boolean>;
}

async function startOwn(plan: Plan, program: OwnProgram): Promise<Child> {
  const { name, args, ready } = program;
  const child = startScript({
    name,
    script: PROGRAM,
    args,
    // One arena for each of the many native threads costs a worker some forty MiB (docs/benchmarks.md, Throughput).
    env: { MALLOC_ARENA_MAX: '2', ...plan.env },
    logFile: join(plan.logFolder, `${name}.log`),
  });
  try {
    await untilReady(child, ready, READY_MS);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

function only(plan: Plan): string[] {
  const all = plan.config.pairs.map(({ market }) => market).join();
  return plan.markets.join() === all ? [] : plan.markets.flatMap((market) => ['--market', market]);
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
