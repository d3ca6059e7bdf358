/**
 * A timer to a tenth of a millisecond. Node's own count whole milliseconds: with several under way they ring up to a millisecond early
 * or late, as much as the shortest distance that is measured.
 *
 * A thread sleeps in `Atomics.wait`, which takes fractions, and posts a message when the time has come. Nothing spins.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Milliseconds of the clock that all threads share. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export interface FineTimer {
  /** Rings once at that time of `clockMs`; replaces a setting that has not rung. */
  set(atMs: number): void;
}

const NANOSECONDS = 1e6;
const NOTHING = 0n;

export function startFineTimer(ring: () => void): FineTimer {
  const due = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  const thread = new Worker(__filename, { workerData: due });
  thread.on('message', ring);
  return {
    set(atMs) {
      Atomics.store(due, 0, BigInt(Math.ceil(atMs * NANOSECONDS)));
      Atomics.notify(due, 0);
    },
  };
}

function sleepAndRing(due: BigInt64Array): void {
  for (;;) {
    const at = Atomics.load(due, 0);
    if (at === NOTHING) {
      Atomics.wait(due, 0, NOTHING);
      continue;
    }
    const restMs = Number(at - process.hrtime.bigint()) / NANOSECONDS;
    if (restMs > 0) Atomics.wait(due, 0, at, restMs);
    else if (Atomics.compareExchange(due, 0, at, NOTHING) === at) parentPort?.postMessage('due');
  }
}

if (!isMainThread && workerData instanceof BigInt64Array) sleepAndRing(workerData);
