/**
 * The network between a process and the exchange: each leg may be lost, late or carried twice; bytes once sent may arrive at any
 * later time (LP §10.7). One request, as the caller sees it: an answer, or silence until the deadline.
 */
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { Faults } from './faults';
import type { Host, Time } from './time';

export class Network {
  /** The exchange cannot be reached by anybody. */
  isAway = false;
  /** Until then every request is rejected with 429, and nothing of it reaches the exchange's books. */
  limitedUntilMs = 0;

  constructor(
    private readonly time: Time,
    private readonly faults: Faults,
    private readonly random: Random,
  ) {}

  /** Carries `serve` to the far side and its answer back. `silence` is the answer after `deadlineMs` without one. */
  call<T>(
    host: Host,
    call: {
      readonly serve: () => T;
      readonly silence: () => T;
      /** The answer to a request too many: no rejection of what it carried. */
      readonly limited: () => T;
      readonly deadlineMs: number;
      readonly kind: 'send' | 'read';
    },
  ): Promise<T> {
    const { time, faults } = this;
    return new Promise((resolve) => {
      let isAnswered = false;
      const answer = (value: T): void => {
        if (isAnswered) return;
        isAnswered = true;
        timeOut.run = undefined;
        resolve(value);
      };
      const timeOut = time.after(call.deadlineMs, host, () => answer(call.silence()));
      const arrive = (): void => {
        const value = time.nowMs < this.limitedUntilMs ? call.limited() : call.serve();
        if (this.isAway || faults.strike('reply-lost')) return;
        time.after(this.#legMs('reply-late', 10_000), host, () => answer(value));
      };
      if (!this.isAway && !faults.strike('request-lost'))
        time.after(this.#legMs('request-late', call.kind === 'send' ? 300_000 : 10_000), undefined, arrive);
      if (call.kind === 'send' && faults.strike('request-twice')) {
        time.after(this.random.logUniform(1, 60_000), undefined, () => void call.serve());
      }
    });
  }

  /** One leg's time: usually a few milliseconds. */
  #legMs(late: 'request-late' | 'reply-late', mostMs: number): number {
    const usualMs = 0.5 + 5 * this.random.next() ** 3;
    return this.faults.strike(late) ? this.faults.random(late).logUniform(50, mostMs) : usualMs;
  }
}
