/** A worker that runs until it is told to stop, and the order in which a process goes down: no new work, grace, then the wires. */
import { Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { systemClock } from '../clock';
import { RequestBudget } from '../domain/budget';
import { loadNoticeSecret, type AccountRole, type Config } from '../config';
import { startObservability, type Observability } from '../observability';
import type { RedisAccess } from '../notices/redis-link';
import type { ProcessBase } from './account';
import type { Opened } from './opened';
import { identityOf, processOf, queueOf } from './peers';
import type { Joined } from './temporal';

export interface WorkerProcessOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  /** From one reading of the positions to the next; default 5 s. */
  readonly auditEveryMs?: number;
  /** From one look at whether a rebalance is wanted to the next; default a minute. */
  readonly rebalanceEveryMs?: number;
  /** Default: that of the installation, else the sources are bundled at each start. */
  readonly workflowBundle?: WorkerOptions['workflowBundle'];
  /** Default: info. */
  readonly logLevel?: string;
}

export interface RunningProcess {
  /** Resolves when the process has ended by itself or by `stop`; rejects when its worker failed. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface StartedWorker extends RunningProcess {
  /** Ends with the worker, before anything of the process is closed. */
  readonly run: Promise<void>;
}

/** Log, metrics, health and alerts of a process; its engine writes into the same log. */
export async function observe(
  role: AccountRole,
  config: Config,
  { env, version, logLevel }: WorkerProcessOptions,
  opened: Opened,
): Promise<ProcessBase> {
  const { metrics, alerts } = config;
  const { makerUrl, hedgerUrl, everyMs = 0 } = alerts.heartbeat ?? {};
  const url = role === 'maker' ? makerUrl : hedgerUrl;
  const observability = await startObservability({
    ...(config.console.url === undefined ? {} : { pageUrl: config.console.url }),
    process: processOf(role),
    version,
    host: metrics.host,
    port: role === 'maker' ? metrics.makerPort : metrics.hedgerPort,
    ...(logLevel === undefined ? {} : { level: logLevel }),
    channels: alerts,
    ...(url === undefined ? {} : { heartbeat: { url, everyMs } }),
  });
  opened.add(observability, (it) => it.close());
  installRuntime(observability.logger);
  const { perMinute, makerShare, reserve } = config.requestBudget;
  const share = role === 'maker' ? makerShare : 1 - makerShare;
  const budget = new RequestBudget({ perMinute: perMinute * share, reserve }, systemClock.monotonicMs());
  return { opened, config, role, env, observability, budget };
}

/** Undefined when the configuration does without it. */
export function redisOf(config: Config, env: NodeJS.ProcessEnv): RedisAccess | undefined {
  const { enabled, url, options = {} } = config.redis;
  return enabled ? { url, options, noticeSecret: loadNoticeSecret(config, env) } : undefined;
}

/** How often a live worker says so to the health page. */
const PAT_EVERY_MS = 1_000;

/** A worker on the queue of our account; `own` is what the two processes do not have in common. */
export async function startWorker(
  { config, observability, opened }: ProcessBase,
  { role, accounts, native }: Joined,
  own: Partial<WorkerOptions>,
): Promise<StartedWorker> {
  const worker = await Worker.create({
    connection: native,
    namespace: config.temporal.namespace,
    taskQueue: queueOf(role, accounts),
    identity: identityOf(role, accounts),
    // Beats are sent every 200 ms; the engine would else hold them back to 800 of a time-out of 1 000.
    maxHeartbeatThrottleInterval: '200ms',
    maxConcurrentActivityTaskExecutions: 2_000,
    shutdownGraceTime: '5s',
    ...own,
  });
  const part = observability.health.part('temporal worker', { staleAfterMs: 5 * PAT_EVERY_MS });
  const pat = setInterval(() => {
    if (worker.getState() === 'RUNNING') part.ok();
  }, PAT_EVERY_MS);
  const run = worker.run();
  part.ok();
  const ended = run.finally(async () => {
    clearInterval(pat);
    await opened.close();
  });
  ended.catch(() => undefined); // told to whoever awaits `ended`
  return {
    run,
    ended,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** A step of a start. Rejects as soon as the worker ends: nothing that comes after it may begin then. */
export function whileRunning<T>({ run }: StartedWorker, step: Promise<T>): Promise<T> {
  const over = run.then(() => {
    throw new Error('the worker ended during the start');
  });
  return Promise.race([step, over]);
}

/** The engine's own messages go into our log; once per process, before the first connection. */
function installRuntime(logger: Observability['logger']): void {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) =>
    logger[level]({ engine: meta }, message);
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: {
        log: (level, message, meta) => write(levelOf(level))(message, meta),
        trace: write('debug'),
        debug: write('debug'),
        info: write('info'),
        warn: write('warn'),
        error: write('error'),
      },
    });
  } catch {
    // Installed already: tests run both processes in one.
  }
}

function levelOf(level: string): 'debug' | 'info' | 'warn' | 'error' {
  switch (level) {
    case 'ERROR':
      return 'error';
    case 'WARN':
      return 'warn';
    case 'INFO':
      return 'info';
    default:
      return 'debug';
  }
}
