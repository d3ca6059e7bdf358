/** Makes a failing history smaller: fewer kinds of fault, then fewer faults, as long as it still fails in the same way. */
import { FAULT_KINDS, type FaultKind, type FaultLimits } from './faults';
import { runSeed, type Outcome } from './seed';

export async function shrink(seed: number, outcome: Outcome, limits: FaultLimits): Promise<FaultLimits> {
  const stillFails = async (smaller: FaultLimits): Promise<boolean> =>
    (await runSeed(seed, smaller)).kind === outcome.kind;
  let best = limits;
  const struck = FAULT_KINDS.filter((kind) => outcome.strikesByKind.has(kind));
  const idle = FAULT_KINDS.filter((kind) => !outcome.strikesByKind.has(kind) && !limits.off.has(kind));
  void idle;
  for (const kind of struck) {
    const smaller = { ...best, off: new Set<FaultKind>([...best.off, kind]) };
    if (await stillFails(smaller)) best = smaller;
  }
  let low = 0;
  let high = (await runSeed(seed, best)).strikes;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await stillFails({ ...best, strikesMax: middle })) high = middle;
    else low = middle + 1;
  }
  const bounded = { ...best, strikesMax: high };
  return (await stillFails(bounded)) ? bounded : best;
}
