/**
 * Stands in for src/notices/watch (hook.cjs puts it there): what makers and hedgers say to each other over Redis about being
 * there. Lost and late as notices are; signatures are outside.
 */
import type { WatchMessage, WatchWireOptions } from '../../src/notices/watch';
import type { Surroundings } from './account';
import type { Host } from './time';

type Options = Pick<WatchWireOptions, 'as' | 'onMessage'>;

interface End {
  readonly host: Host | undefined;
  readonly as: Options['as'];
  readonly onMessage: (message: WatchMessage) => void;
}

let around: Surroundings | undefined;
const ends = new Set<End>();

/** One run at a time: what is built from here on speaks in it. */
export function useWires(surroundings: Surroundings): void {
  around = surroundings;
  ends.clear();
}

export class WatchWire {
  readonly #end: End;
  readonly #around: Surroundings;

  constructor({ as, onMessage }: Options) {
    if (around === undefined) throw new Error('a wire outside of a run');
    this.#around = around;
    this.#end = { host: around.time.current, as, onMessage };
    ends.add(this.#end);
  }

  send(message: WatchMessage): void {
    const { faults, time, random } = this.#around;
    for (const { host, as, onMessage } of ends) {
      if (as === this.#end.as || faults.strike('notice-lost')) continue;
      const lateMs = faults.strike('notice-late') ? faults.random('notice-late').logUniform(10, 30_000) : 0;
      time.after(0.3 + random.next() + lateMs, host, () => onMessage(message));
    }
  }

  close(): void {
    ends.delete(this.#end);
  }
}
