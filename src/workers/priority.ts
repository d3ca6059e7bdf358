/**
 * Puts one thread ahead of whatever else wants the processor: the main thread of a process that stands between a fill and its hedge.
 *
 * On a busy machine a thread that wakes up waits for milliseconds behind others; with real-time priority it waits for none of them
 * (docs/benchmarks.md). Only the main thread: the engine's own threads, and threads and processes started later, stay ordinary. The
 * kernel keeps a twentieth of each second for all others, so that a loop of ours cannot take the machine. Linux, and only where the
 * system allows it (root, CAP_SYS_NICE, or an rtprio limit); everywhere else nothing changes.
 */
import { execFile } from 'node:child_process';
import type { Config } from '../config';
import type { Observability } from '../observability';

const LOWEST_REAL_TIME = '1';

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
export async function preferFastPath(config: Config, logger: Observability['logger']): Promise<void> {
  if (!config.fastPath.realTime) return;
  const priority = await preferMainThread(process.pid);
  if (priority.kind === 'real-time') logger.info('the main thread has real-time priority');
  else
    logger.info({ reason: priority.reason }, 'ordinary priority: on a busy machine a hedge may wait milliseconds more');
}
