/**
 * Doing harm to one process: finding the real one behind a guard, kill -9, freeze, SIGTERM. Only ever by pid, and only what a
 * chaos run started.
 */
import { spawnSync } from 'node:child_process';

/** Servers run under `scripts/guard.mjs`: the pid that we know is the guard's, the server is its only child. */
export type Wrapping = 'plain' | 'guarded';

/** As a crash: no handler runs. */
export function killNow(pid: number, wrapping: Wrapping): void {
  process.kill(realPid(pid, wrapping), 'SIGKILL');
}

export function terminate(pid: number): void {
  process.kill(pid, 'SIGTERM');
}

/** Stops the process where it is; the answer lets it go on. */
export function freeze(pid: number, wrapping: Wrapping): () => void {
  const real = realPid(pid, wrapping);
  process.kill(real, 'SIGSTOP');
  return () => {
    try {
      process.kill(real, 'SIGCONT');
    } catch {
      // It ended meanwhile: nothing to thaw.
    }
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function realPid(pid: number, wrapping: Wrapping): number {
  if (wrapping === 'plain') return pid;
  const rows = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout.trim().split('\n');
  const children = rows.map((row) => row.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid);
  const child = children[0]?.[0];
  if (child === undefined || children.length !== 1) throw new Error(`guard ${pid} has ${children.length} children`);
  return child;
}
