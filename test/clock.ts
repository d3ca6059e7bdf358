/** Clocks that a test holds in its hand. */
import { systemClock, type Clock } from '../src/clock';

/** Both times are what `nowMs` says; without it they are the `Date` of jest's timers. */
export function clockOf(nowMs: () => number = () => Date.now()): Clock {
  return { ...systemClock, epochMs: nowMs, monotonicMs: nowMs };
}
