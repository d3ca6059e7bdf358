/** What a pair says of itself. Plain JSON, as messages.ts says. */
import type { MarginLevel } from './margin';
import type { HedgeState, MarginState } from './messages';
import type { PairChange, PairTerms } from './pair-terms';

export type PairCounts = Record<'started' | 'filled' | 'unfilled' | 'failed' | 'abandoned', number>;

export interface PairSlot {
  lane: number;
  state: 'unproven' | 'free' | 'quoting' | 'busy';
  order_id?: string;
  hedge_state?: HedgeState;
  /** What the slot waits for, in words. */
  note?: string;
  /** Why it does not quote, all that applies; empty while it does. */
  reasons: readonly Reason[];
}

/** The code stays, the text is for people. */
export interface Reason {
  code: string;
  text: string;
}

export interface PairStatus {
  market: string;
  mode: 'running' | 'paused' | 'stopping' | 'stopped';
  reason: string;
  slots: PairSlot[];
  counts: PairCounts;
  /** A's volume since the pair was started. */
  traded_usdc: string;
  /** What is in force. */
  terms: PairTerms;
  /** The level in force, and both accounts in words; absent before the first reading. */
  margin?: MarginState;
  /** The last change while it ran. */
  changed?: PairChange;
}

/** The margin as one run of a pair hands it to the next. */
export interface CarriedMargin {
  /** What stays in force until it is left for good. Absent while nothing was read. */
  held?: MarginLevel;
  read: MarginState;
  unwound?: Unwound;
  halted?: string;
}

/** What an unwind has done since it began. */
export interface Unwound {
  steps: number;
  lots: string;
}
