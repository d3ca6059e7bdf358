/**
 * What two readings of a lane, far enough apart, agree on about one nonce.
 *
 * Rows of `accountTxs` lag by seconds (LP §9), and nothing says that they become visible in their order: a reading may show a later
 * transaction of the lane and not yet ours, or none of ours at all. So nothing is concluded from a single one (invariant 8).
 */
import type { NonceStatus, Read } from './records';

/**
 * `passed`: a later nonce of the lane was executed, so ours never will be. `empty`: nothing of the lane was executed at our nonce or
 * after it. Both say that nothing of ours has executed.
 */
export type Finding = 'passed' | 'empty';

export interface Readings {
  /** When the reading that is under way was asked for; of the driver's clock. */
  askedAtMs: number;
  /** What every reading since has said. One that failed says nothing. */
  agreed: { readonly finding: Finding; readonly sinceMs: number } | undefined;
}

/** Longer than the worst lag that was recorded, 16 s (LP §9). */
export const AGREED_MS = 20_000;
/** With a row of our nonce that is pending or failed: what such a row may still turn into is not documented. */
export const CONTESTED_MS = 60_000;

export function newReadings(): Readings {
  return { askedAtMs: 0, agreed: undefined };
}

/** Takes a reading; answers what may be concluded by now. The time counts from the first one's answer to the asking of this one. */
export function conclude(readings: Readings, nonceStatus: Read<NonceStatus>, nowMs: number): Finding | undefined {
  if (!nonceStatus.ok) return undefined;
  const finding = findingOf(nonceStatus.value);
  if (finding === undefined) {
    readings.agreed = undefined;
    return undefined;
  }
  if (readings.agreed?.finding !== finding) readings.agreed = { finding, sinceMs: nowMs };
  const isContested = nonceStatus.value.kind !== 'consumed' && nonceStatus.value.isContested;
  const agreedMs = readings.askedAtMs - readings.agreed.sinceMs;
  return agreedMs >= (isContested ? CONTESTED_MS : AGREED_MS) ? finding : undefined;
}

function findingOf(nonceStatus: NonceStatus): Finding | undefined {
  switch (nonceStatus.kind) {
    case 'consumed':
      return undefined;
    case 'passed':
      return 'passed';
    case 'unseen':
      return nonceStatus.isComplete ? 'empty' : undefined;
  }
}
