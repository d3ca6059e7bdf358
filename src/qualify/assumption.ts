/** One thing that the engine takes for granted about the exchange, and how it is tried. */
import type { Lab } from './lab';

export type Verdict = 'holds' | 'does not hold' | 'not tried';

export interface Finding {
  readonly verdict: Verdict;
  /** What was seen, in one line. */
  readonly seen: string;
}

export interface Assumption {
  readonly id: string;
  readonly assumption: string;
  /** What breaks, for the money, where it does not hold. */
  readonly why: string;
  /** The engine relies on it; otherwise it is good to know. */
  readonly needed: boolean;
  /** How many of the smallest orders it holds at once, over both accounts. */
  readonly orders: number;
  /** Why it is not tried where money is real. */
  readonly testMoneyOnly?: string;
  try(lab: Lab): Promise<Finding>;
}

/** What cannot be tried here and now. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}

/** The person wants it to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}

export function judge(holds: boolean, seen: string): Finding {
  return { verdict: holds ? 'holds' : 'does not hold', seen };
}
