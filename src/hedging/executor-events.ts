/** What an executor tells whoever watches it. */
import type { LaneAlert, Path } from '../domain/execution';
import type { Lots } from '../domain/lots';
import type { SliceTimes } from '../domain/times';
import type { SendOutcome } from '../domain/records';
import type { Ticket } from '../domain/ticket';

export interface ExecutorEvents {
  /** The bytes of a slice were handed to the socket. */
  submitted?(at: {
    readonly ticket: Ticket;
    readonly k: number;
    readonly path: Path;
    readonly signed: 'ahead' | 'when-needed';
    readonly atMs: number;
    /** Since the notice that it answers, if it is the first submission to answer one. */
    readonly sinceNoticeMs?: number;
  }): void;
  /** A slice that may come was signed. */
  signedAhead?(at: { readonly tookMs: number }): void;
  answered?(at: {
    readonly ticket: Ticket;
    readonly k: number;
    readonly outcome: SendOutcome['kind'];
    readonly code?: number;
    readonly tookMs: number;
  }): void;
  resolved?(at: {
    readonly ticket: Ticket;
    readonly k: number;
    readonly path: Path;
    readonly lots: Lots;
    readonly times: SliceTimes;
  }): void;
  /** What was asked of a ticket is not known to have executed `LATE_MS` later; again and again until it is. */
  late?(at: LateExecution): void;
  alert(what: {
    readonly kind: LaneAlert['kind'] | 'ticket-parked';
    readonly ticket: Ticket;
    readonly what: string;
  }): void;
}

export interface LateExecution {
  readonly ticket: Ticket;
  /** Asked for, and not known to have executed. */
  readonly missingLots: Lots;
  /** Epoch ms since when something of it has been missing without a break. */
  readonly sinceMs: number;
  readonly forMs: number;
  /** The last rejection or doubt, for a person. */
  readonly why: string;
}

/** A listener's bug must cost neither a send nor the timer of the next one. */
export function guarded(events: ExecutorEvents): Required<ExecutorEvents> {
  const quietly = (tell: () => void): void => {
    try {
      tell();
    } catch {
      // Its owner's to find: there is nobody here to tell.
    }
  };
  return {
    submitted: (at) => quietly(() => events.submitted?.(at)),
    signedAhead: (at) => quietly(() => events.signedAhead?.(at)),
    answered: (at) => quietly(() => events.answered?.(at)),
    resolved: (at) => quietly(() => events.resolved?.(at)),
    late: (at) => quietly(() => events.late?.(at)),
    alert: (what) => quietly(() => events.alert(what)),
  };
}
