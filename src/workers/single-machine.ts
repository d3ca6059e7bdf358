/**
 * What a machine of two to four cores needs that carries both workers, Redis and Temporal together: a fill wakes all of them at once,
 * and its hedge would wait for the others (docs/benchmarks.md). `up` turns it on by itself where there are so few; workers on machines of their own
 * need none of it.
 *
 * Real-time priority of one thread: the main thread of a process that stands between a fill and its hedge. The engine's own threads, and
 * threads and processes started later, stay ordinary. Linux, and only where the system allows it (root, CAP_SYS_NICE, or an rtprio
 * limit); everywhere else nothing changes.
 */
import { execFile } from 'node:child_process';
import type { Config } from '../config';
import type { Observability } from '../observability';

/** A signal to Temporal wakes the engine and the hedger; so long after its notice the hedge is on its way. */
const SIGNAL_HOLD_MS = 8;
const LOWEST_REAL_TIME = '1';

export function signalHoldMs({ fastPath }: Config): number {
  return fastPath.singleMachine === true ? SIGNAL_HOLD_MS : 0;
}

export type Priority = { readonly kind: 'real-time' } | { readonly kind: 'ordinary'; readonly reason: string };

export function preferMainThread(pid: number): Promise<Priority> {
  if (process.platform !== 'linux') {
    return Promise.resolve({ kind: 'ordinary', reason: `${process.platform} has no way to ask` });
  }
  return new Promise((resolve) => {
    execFile('chrt', ['--reset-on-fork', '--rr', '--pid', LOWEST_REAL_TIME, String(pid)], (error, _out, stderr) =>
      resolve(error ? { kind: 'ordinary', reason: stderr.trim() || error.message } : { kind: 'real-time' }),
    );
  });
}

/** For this process, if the configuration wants it; once it runs, so that its start takes nothing from others. */
export async function preferOnSingleMachine(config: Config, logger: Observability['logger']): Promise<void> {
  if (config.fastPath.singleMachine !== true) return;
  const priority = await preferMainThread(process.pid);
  if (priority.kind === 'real-time') logger.info('the main thread has real-time priority');
  else
    logger.info({ reason: priority.reason }, 'ordinary priority: on a busy machine a hedge may wait milliseconds more');
}
