/** Something that others rely on is not there: told once it has been away for too long, and again only after it was back. */
import type { Clock } from '../../clock';

export class Absence {
  #cancel: (() => void) | undefined;

  constructor(
    private readonly options: {
      readonly clock: Pick<Clock, 'after'>;
      readonly afterMs: number;
      readonly tell: () => void;
    },
  ) {}

  away(): void {
    const { clock, afterMs, tell } = this.options;
    this.#cancel ??= clock.after(afterMs, tell);
  }

  back(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
