/**
 * Readings of accounts that several parts of a process ask for, each dear (LP §6.1): one that began after the moment that the asker names
 * answers it, under way or done. What has happened before a reading began is in it; of what happens meanwhile it proves nothing. So who needs to
 * know of an event names the moment at which it was heard, and who names none gets a reading of its own (invariant 8).
 */
import type { Read } from './records';

export interface Begun<T> {
  readonly value: T;
  /** What happened before this moment of the monotonic clock is in it. */
  readonly begunMs: number;
}

export class SharedReadings<T> {
  readonly #latest = new Map<number, { readonly begunMs: number; readonly read: Promise<Read<Begun<T>>> }>();

  constructor(
    private readonly begin: (account: number) => Promise<Read<T>>,
    private readonly nowMs: () => number,
  ) {}

  /** A reading that began after `sinceMs`. */
  read(account: number, sinceMs = Infinity): Promise<Read<Begun<T>>> {
    const latest = this.#latest.get(account);
    if (latest !== undefined && latest.begunMs > sinceMs) return latest.read;
    const begunMs = this.nowMs();
    const read = this.begin(account).then((known): Read<Begun<T>> => {
      if (known.ok) return { ok: true, value: { value: known.value, begunMs } };
      if (this.#latest.get(account)?.read === read) this.#latest.delete(account); // a failure is not remembered
      return known;
    });
    this.#latest.set(account, { begunMs, read });
    return read;
  }
}
