/** Makes a failing history smaller: fewer kinds of fault, then fewer faults, as long as it still fails in the same way. */
import { FAULT_KINDS, type FaultKind, type FaultLimits } from './faults';
import { runSeed, type Outcome } from './seed';

export function shrink(seed: number, outcome: Outcome, limits: FaultLimits): FaultLimits {
  const stillFails = (smaller: FaultLimits): boolean => runSeed(seed, smaller).kind === outcome.kind;
  let best = limits;
  const struck = FAULT_KINDS.filter((kind) => outcome.strikesByKind.has(kind));
  for (const kind of struck) {
    const smaller = { ...best, off: new Set<FaultKind>([...best.off, kind]) };
    if (stillFails(smaller)) best = smaller;
  }
  let low = 0;
  let high = runSeed(seed, best).strikes;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (stillFails({ ...best, strikesMax: middle })) high = middle;
    else low = middle + 1;
  }
  const bounded = { ...best, strikesMax: high };
  return stillFails(bounded) ? bounded : best;
}
