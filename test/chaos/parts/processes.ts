/** Doing harm to one process: kill -9, freeze, SIGTERM. Only ever by pid, and only what a chaos run started. */

/** As a crash: no handler runs. */
export function killNow(pid: number): void {
  process.kill(pid, 'SIGKILL');
}

export function terminate(pid: number): void {
  process.kill(pid, 'SIGTERM');
}

/** Stops the process where it is; the answer lets it go on. */
export function freeze(pid: number): () => void {
  process.kill(pid, 'SIGSTOP');
  return () => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It ended meanwhile: nothing to thaw.
    }
  };
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
