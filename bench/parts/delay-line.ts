/**
 * What is on its way over a distance: every piece leaves one delay after it entered, whatever is before or behind it.
 *
 * Pure: times are arguments, in any unit that rises. One delay for all, so what entered first leaves first.
 */
export class DelayLine<T> {
  readonly #delay: number;
  readonly #underWay: { readonly due: number; readonly piece: T }[] = [];

  constructor(delay: number) {
    this.#delay = delay;
  }

  /** When the next piece leaves; undefined when none is under way. */
  get nextDue(): number | undefined {
    return this.#underWay[0]?.due;
  }

  enter(piece: T, now: number): void {
    this.#underWay.push({ due: now + this.#delay, piece });
  }

  /** Those that are due, in the order in which they entered, each with how late it is. */
  leave(now: number): { readonly piece: T; readonly late: number }[] {
    const waiting = this.#underWay.findIndex(({ due }) => due > now);
    const left = this.#underWay.splice(0, waiting < 0 ? this.#underWay.length : waiting);
    return left.map(({ due, piece }) => ({ piece, late: now - due }));
  }
}
