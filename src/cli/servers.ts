/**
 * Starts a Temporal development server and a Redis-compatible server with the settings that this system needs.
 *
 * Owns their flags, each measured (TF §11). Both listen on loopback only. Never touches a server it did not start.
 */
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath } from '../config/tools';
import { preferMainThread } from '../workers/single-machine';
import { type Child, hostOf, isListening, portOf, startProgram, StartError, untilReady } from './child';

const HOST = '127.0.0.1';

/** Name → type; every worker checks them before it polls. */
export const SEARCH_ATTRIBUTES = {
  Market: 'Keyword',
  Side: 'Keyword',
  HedgeState: 'Keyword',
  Exposure: 'Double',
} as const;

/**
 * The server's defaults poll its queues 20 times a second and let timers be a second late; the development server reads the search
 * attributes from its database at each use of one, and keeps the last 8 096 runs and 128 MiB of events in memory (TF §11).
 */
const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxTimeShift': '"50ms"',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
  'frontend.keepAliveMaxConnectionAge': '"24h"',
  'system.forceSearchAttributesCacheRefreshOnRead': 'false',
  'history.hostLevelCacheMaxSize': '2048',
  'history.eventsHostLevelCacheMaxSizeBytes': String(32 * 1024 * 1024),
};

export interface TemporalServerOptions {
  /** Receives the database and the log. */
  readonly folder: string;
  readonly port: number;
  /** Absent: no Web UI. */
  readonly uiPort?: number;
  readonly namespaces?: readonly string[];
  /** `NORMAL` survives a crash of the server, `OFF` is for tests (TF §1.3). */
  readonly synchronous?: 'NORMAL' | 'OFF';
  /** Retention of namespace `default`; the server's own is one day. */
  readonly keepOrdersDays?: number;
}

export interface RedisServerOptions {
  readonly folder: string;
  readonly port: number;
  /** Ask for real-time priority: it stands between a fill and its hedge. */
  readonly realTime?: boolean;
}

/** The server takes ports of its own choice beside ours and panics when another process is faster (seen once in hundreds of starts). */
const STARTS_MAX = 3;

/** Resolves when the server answers. One that ends before that is started again. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<Child> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startTemporalOnce(options);
    } catch (error) {
      if (!(error instanceof StartError && error.ended) || attempt === STARTS_MAX) throw error;
    }
  }
}

async function startTemporalOnce(options: TemporalServerOptions): Promise<Child> {
  mkdirSync(options.folder, { recursive: true });
  const child = startProgram({
    name: 'temporal',
    command: toolPath('temporal'),
    args: temporalArgs(options),
    logFile: join(options.folder, 'temporal.log'),
  });
  const connection = { address: `${HOST}:${options.port}` };
  const namespaces = ['default', ...(options.namespaces ?? [])];
  try {
    await untilReady(child, () => temporalAnswers(connection, namespaces.at(-1) ?? 'default'), 60_000);
    if (options.keepOrdersDays !== undefined) await setRetention(connection, options.keepOrdersDays);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

function temporalArgs(options: TemporalServerOptions): string[] {
  return [
    ...['server', 'start-dev', '--ip', HOST, '--port', String(options.port)],
    ...(options.uiPort === undefined ? ['--headless'] : ['--ui-ip', HOST, '--ui-port', String(options.uiPort)]),
    ...['--ui-disable-news-fetch', '--log-level', 'warn'],
    ...['--db-filename', join(options.folder, 'temporal.db')],
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', `synchronous=${options.synchronous ?? 'NORMAL'}`],
    ...(options.namespaces ?? []).flatMap((name) => ['--namespace', name]),
    ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
  ];
}

async function setRetention(options: ConnectionOptions, days: number): Promise<void> {
  const connection = await Connection.connect(options);
  try {
    await connection.workflowService.updateNamespace({
      namespace: 'default',
      config: { workflowExecutionRetentionTtl: { seconds: (days * 86_400) as never } },
    });
  } finally {
    await connection.close();
  }
}

/** Whether a Temporal server with that namespace answers there. */
export async function temporalAnswers(options: ConnectionOptions, namespace: string): Promise<boolean> {
  const { address = `${HOST}:7233` } = options;
  if (!(await isListening(hostOf(address), portOf(address)))) return false;
  const connection = Connection.lazy({ ...options, connectTimeout: 5000 });
  try {
    await connection.ensureConnected();
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + 2000, () => workflowService.describeNamespace({ namespace }));
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

/** Resolves when the server accepts connections. Nothing is stored: it carries messages only. */
export async function startRedisServer(options: RedisServerOptions): Promise<Child> {
  mkdirSync(options.folder, { recursive: true });
  const child = startProgram({
    name: 'redis',
    command: toolPath('redis-server'),
    args: ['--port', String(options.port), '--bind', HOST, '--save', '', '--appendonly', 'no', '--dir', options.folder],
    logFile: join(options.folder, 'redis.log'),
  });
  try {
    await untilReady(child, () => isListening(HOST, options.port), 15_000);
    if (options.realTime === true) await preferMainThread(child.pid);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}
