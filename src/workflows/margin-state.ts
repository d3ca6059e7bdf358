/** What a pair holds of the accounts' margin: the level in force, and what an unwind has done. Without any wiring. */
import { heldLevel, worst, type MarginLevel } from '../domain/margin';
import type { MarginState } from '../domain/messages';
import type { CarriedMargin, Unwound } from '../domain/pair-status';

/** A book that is not there yet, for one, is there a moment later. */
const BLOCKED_TOLD = 3;
/** Code of a slot whose step of an unwind traded nothing. */
export const STEP_FAILED = 'step-failed';

export class PairMarginState {
  #held: MarginLevel | undefined;
  /** What the hedger last said. */
  read: MarginState | undefined;
  /** Of the unwind that is under way, once it has begun. */
  unwound: Unwound | undefined;
  /** Why no further step is made until a person resumes the pair. */
  halted: string | undefined;
  /** Why the last step could not be made, and how often in a row. */
  #blocked = { by: '', times: 0 };

  constructor(carry: CarriedMargin | undefined) {
    this.#held = carry?.held;
    this.read = carry?.read;
    this.unwound = carry?.unwound;
    this.halted = carry?.halted;
  }

  /** Takes in what the hedger says; answers whether what rests may have to go. */
  takes(read: MarginState): boolean {
    const before = this.holdsEnlarging !== undefined;
    const wasUnwinding = this.mustUnwind;
    this.read = read;
    // The hedger's word too: one reading that this pair missed began an unwind of all.
    if (read.level !== 'unknown') this.#held = worst([heldLevel(this.#held ?? 'ok', read.level), read.held ?? 'ok']);
    if (!this.isUnwinding) this.#blocked = { by: '', times: 0 }; // the next one tells anew
    return (this.holdsEnlarging !== undefined && !before) || (this.mustUnwind && !wasUnwinding);
  }

  /** Why nothing is quoted that enlarges a position. */
  get holdsEnlarging(): string | undefined {
    const { read } = this;
    if (read === undefined) return undefined; // nothing is quoted at all
    if (read.level === 'unknown') return `the margin is unknown: ${read.what}`;
    return this.#held === 'stop-quoting' || this.isUnwinding ? read.what : undefined;
  }

  /** In force, also while nobody knows. */
  get isUnwinding(): boolean {
    return this.#held === 'unwind';
  }

  /** Both accounts are to reduce now. Not while nobody knows: it goes on once it is known again. */
  get mustUnwind(): boolean {
    return this.isUnwinding && this.halted === undefined && this.read !== undefined && this.read.level !== 'unknown';
  }

  /** Whether it had not begun yet. */
  begin(): boolean {
    if (this.unwound !== undefined) return false;
    this.unwound = { steps: 0, lots: '0' };
    return true;
  }

  /** No step can be made; whether that is to be told: once for each reason, and not one that is over at once. */
  blocks(code: string): boolean {
    this.#blocked = { by: code, times: this.#blocked.by === code ? this.#blocked.times + 1 : 1 };
    return this.#blocked.times === BLOCKED_TOLD;
  }

  /** What an unwind that is over has done. */
  end(): Unwound | undefined {
    const done = this.isUnwinding ? undefined : this.unwound;
    if (done !== undefined) this.unwound = undefined;
    return done;
  }

  /** A step has ended with so much of A traded; one that traded nothing is none. */
  stepped(lots: bigint): void {
    if (lots === 0n) return;
    this.#blocked = { by: '', times: 0 };
    const { steps, lots: before } = this.unwound ?? { steps: 0, lots: '0' };
    this.unwound = { steps: steps + 1, lots: (BigInt(before) + lots).toString() };
  }

  /** What is in force, for people; an unwind is in force while it waits, too. */
  get status(): MarginState | undefined {
    if (this.read === undefined) return undefined;
    const isKnown = this.read.level !== 'unknown';
    return { level: (isKnown ? this.#held : undefined) ?? 'unknown', what: this.read.what };
  }

  get carry(): CarriedMargin | undefined {
    if (this.read === undefined) return undefined;
    const { read, unwound, halted } = this;
    const held = this.#held;
    return { ...(held && { held }), read, ...(unwound && { unwound }), ...(halted !== undefined && { halted }) };
  }
}
