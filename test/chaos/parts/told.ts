/**
 * Whether somebody was told: every exposure older than ten seconds needs an alert that reached the webhook. Pure.
 *
 * An alert tells of an order when it names it, and of everything naked when it names no order and says that something is exposed or
 * that nobody hedges. Repeats are folded for a minute, so one that came earlier in the same trouble counts.
 */
import type { ReceivedAlert } from '../../system/alert-box';
import type { Chunk } from './account';
import type { FaultWindow } from './spread';

/** How old an exposure may get in silence, and what an alert may take on its way. */
export const SILENCE_MAX_MS = 10_000;
const ON_ITS_WAY_MS = 2_000;
const FOLDED_MS = 60_000;

/** Kinds that say nothing about what is exposed. */
const OF_OTHER_THINGS: ReadonlySet<string> = new Set([
  'clock-skew',
  'switch-not-renewed',
  'foreign-nonce',
  'lane-jumped',
]);

export interface Silence {
  readonly chunk: Chunk;
  readonly nakedMs: number;
  /** The trouble in which it fell; none: in quiet times. */
  readonly kind: string | undefined;
}

export interface Told {
  readonly chunks: readonly Chunk[];
  readonly alerts: readonly ReceivedAlert[];
  /** `blind`: meanwhile nobody lives who could tell. */
  readonly faults: readonly (FaultWindow & { readonly blind?: boolean })[];
  readonly endUs: number;
}

export function silences({ chunks, alerts, faults, endUs }: Told): Silence[] {
  return chunks.flatMap((chunk) => {
    const nakedMs = ((chunk.hedgedUs ?? endUs) - chunk.filledUs) / 1_000;
    const met = faults.filter((fault) => chunk.filledUs <= fault.endUs && (chunk.hedgedUs ?? endUs) >= fault.startUs);
    if (nakedMs <= SILENCE_MAX_MS + ON_ITS_WAY_MS || met.some(({ blind }) => blind === true)) return [];
    const filledMs = chunk.filledUs / 1_000;
    const sinceMs = Math.max(filledMs - FOLDED_MS, Math.min(filledMs, (met[0]?.startUs ?? chunk.filledUs) / 1_000));
    const isTold = alerts.some(
      (alert) =>
        isAbout(alert, chunk) && alert.at_ms >= sinceMs && alert.at_ms <= filledMs + SILENCE_MAX_MS + ON_ITS_WAY_MS,
    );
    return isTold ? [] : [{ chunk, nakedMs, kind: met[0]?.kind }];
  });
}

function isAbout(alert: ReceivedAlert, { orderId }: Chunk): boolean {
  if (OF_OTHER_THINGS.has(alert.kind)) return false;
  return alert.order_id === undefined || alert.order_id === orderId.toString();
}
