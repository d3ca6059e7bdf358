/**
 * Time and chance, as one argument: whoever needs them is handed a clock, and a test hands in its own.
 *
 * There are two times, because a host's clock is stepped and a virtual machine sleeps. Deadlines and ages of our own run on monotonic
 * time. A moment that another clock has set is compared with epoch time, or with an estimate of that clock.
 */
export interface Clock {
  /** The host's clock: epoch milliseconds with fraction. Steps whenever somebody sets it. */
  epochMs(): number;
  /**
   * Never steps, and stands still while the machine sleeps. It begins at the process's epoch, so the age of a record can be told
   * roughly; it is not the time of day.
   */
  monotonicMs(): number;
  /** Runs `action` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, action: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

const ORIGIN_MS = performance.timeOrigin;
/** `Date` tells whole milliseconds, and the two clocks of the system are not read at once. */
const READING_MS = 5;
/** The host's clock minus the monotonic one, from the last step on. */
let steppedMs = 0;

function monotonicMs(): number {
  return ORIGIN_MS + performance.now();
}

function epochMs(): number {
  const beforeMs = Date.now();
  const steadyMs = monotonicMs();
  const exactMs = steadyMs + steppedMs;
  if (exactMs > beforeMs - READING_MS && exactMs < Date.now() + READING_MS) return exactMs;
  steppedMs = beforeMs - steadyMs;
  return beforeMs;
}

export const systemClock: Clock = {
  epochMs,
  monotonicMs,
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** A moment of the monotonic clock as the host's clock tells it now: for stamps that people read. */
export function stampOf(clock: Pick<Clock, 'epochMs' | 'monotonicMs'>, monotonicMs: number): number {
  return monotonicMs + (clock.epochMs() - clock.monotonicMs());
}

export function pause(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** Undefined when it has not come by then. */
export function within<T>(clock: Pick<Clock, 'after'>, ms: number, coming: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = clock.after(ms, () => resolve(undefined));
    void coming.then(resolve, reject).finally(giveUp);
  });
}
