/**
 * Time and chance for the adapter, as arguments: tests hand in their own.
 *
 * Wall time is only for deadlines that the exchange reads (token, order expiry); everything local runs on the monotonic clock, so a
 * host clock that jumps breaks no time-out (S-40).
 */
export interface Clock {
  /** Epoch milliseconds of this host. */
  wallMs(): number;
  /** Monotonic milliseconds, the same scale as `performance.now()`. */
  monotonicMs(): number;
  /** Runs `action` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, action: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** The part of a logger that the adapter uses; pino fits. Never given keys, signatures, tokens or transaction bytes. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Pauses that can be dropped all at once: those then never end. */
export class Pauses {
  readonly #cancels = new Set<() => void>();

  constructor(private readonly clock: Pick<Clock, 'after'>) {}

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(delayMs, () => {
        this.#cancels.delete(cancel);
        resolve();
      });
      this.#cancels.add(cancel);
    });
  }

  drop(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}

/** Full-jitter exponential back-off between `minMs` and `maxMs`; `reset` after a success. */
export class Backoff {
  #attempt = 0;

  constructor(
    private readonly clock: Pick<Clock, 'random'>,
    private readonly bounds: { readonly minMs: number; readonly maxMs: number },
  ) {}

  nextMs(): number {
    const { minMs, maxMs } = this.bounds;
    const ceilingMs = Math.min(maxMs, minMs * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 30);
    // Half fixed, half random: never a burst of reconnects at once, never zero delay (LP §6.2 limits new connections).
    return ceilingMs / 2 + (ceilingMs / 2) * this.clock.random();
  }

  reset(): void {
    this.#attempt = 0;
  }
}
