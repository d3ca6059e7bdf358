import type { Clock } from '../../clock';

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
