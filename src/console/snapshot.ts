/**
 * What the page shows, as one value. Plain JSON without nulls, so that a merge patch (RFC 7386) can say every change of it; rows are kept by
 * their id. Amounts are decimal text, times epoch milliseconds of this host. Types only: the page imports them too.
 */
import type { LimitNow } from '../domain/day-limits';
import type { PairStatus } from '../domain/pair-status';
import type { AlertEnd, AlertWeight, HealthReport } from '../observability';

export type Level = 'hedged' | 'hedging' | 'naked' | 'unknown';

/** What both accounts together hold too much of. */
export type Direction = 'long' | 'short';

/** One amount that B lacks. */
export interface Naked {
  readonly market: string;
  /** Base units. */
  readonly amount: string;
  readonly usdc?: number;
  readonly direction?: Direction;
  readonly sinceMs: number;
  readonly why: string;
  /** What to do, where no alert says it. */
  readonly next: string;
  readonly orderId?: string;
  readonly workflowId?: string;
}

/** One of both witnesses: when it was read last, and for how long that counts. */
export interface Check {
  readonly of: 'orders' | 'positions';
  /** Absent: never. */
  readonly atMs?: number;
  readonly freshMs: number;
}

/** What our orders in a market may have left naked at most, while something cannot be read. */
export interface AtMost {
  readonly market: string;
  /** Base units; absent: it cannot be bounded. */
  readonly amount?: string;
  readonly usdc?: number;
  readonly why: string;
  /** When what it follows from was read. */
  readonly atMs?: number;
}

/** The top line. */
export interface Risk {
  readonly level: Level;
  /** Since when it is this level. */
  readonly sinceMs: number;
  readonly checks: readonly Check[];
  readonly naked: readonly Naked[];
  /** What could not be read, and what of the system does not work: with the first nothing is called hedged. */
  readonly unread: readonly string[];
  readonly unwell: readonly string[];
  /** Empty while everything is read. */
  readonly atMost: readonly AtMost[];
}

export interface OpenOrder {
  readonly workflowId: string;
  readonly market: string;
  readonly side: string;
  readonly hedgeState: string;
  /** Base units; empty: not known. */
  readonly exposure: string;
  readonly startedMs: number;
  readonly size?: string;
  readonly price?: string;
  /** Best price of its own side of the book. */
  readonly touch?: string;
  /** Behind that, in basis points of it. */
  readonly fromTouchBps?: number;
  /** Why its hedge is stuck. */
  readonly why?: string;
}

export interface Fill {
  readonly workflowId: string;
  readonly market: string;
  readonly side: string;
  readonly status: string;
  readonly hedgeState: string;
  readonly endedMs: number;
  readonly filled: string;
  readonly price: string;
  readonly hedged: string;
  readonly hedgePrice: string;
  readonly closed: string;
  readonly exposure: string;
  readonly path: string;
  readonly reason: string;
  readonly timings: Readonly<Record<string, number>>;
  readonly fillToSentMs?: number;
  readonly nakedMs?: { readonly p50: number; readonly max: number };
}

export interface Bars {
  /** Upper bounds in milliseconds; the last is open. */
  readonly boundsMs: readonly number[];
  readonly counts: readonly number[];
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export interface AlertView {
  readonly process: string;
  readonly kind: string;
  readonly what: string;
  readonly next: string;
  readonly weight: AlertWeight;
  /** What would show that it is over. */
  readonly end: AlertEnd;
  /** Since when something shows that it is. */
  readonly overMs?: number;
  readonly atMs: number;
  /** When it was raised last. */
  readonly lastMs: number;
  /** So often it was told, as far as its process remembers. */
  readonly times: number;
  readonly exposed?: string;
  readonly orderId?: string;
  readonly market?: string;
}

export interface ProcessView {
  readonly state: 'well' | 'unwell' | 'silent';
  readonly why: string;
  readonly readMs: number;
  readonly parts: HealthReport['parts'];
  /** Live or not, by stream; `redis` is one of them. */
  readonly streams: Readonly<Record<string, boolean>>;
  readonly version?: string;
  readonly memoryBytes?: number;
  readonly requestsPerMinute?: number;
}

export interface Budget {
  readonly perMinute: number;
  readonly counts: string;
  /** What is left of the volume quota, by account. */
  readonly quota: Readonly<Record<string, number>>;
}

/** A metric's samples: figure → account or market → value. */
export type Figures = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A time line: moments, and a value of each line at them. */
export interface Series {
  readonly atMs: readonly number[];
  readonly lines: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface ActionView {
  readonly what: string;
  readonly by: string;
  readonly atMs: number;
  readonly state: 'running' | 'done' | 'failed';
  readonly answer: string;
}

/** Limits of the day. `notQuoting`: why nothing that enlarges a position is quoted; empty: it is. */
export type LimitsView =
  | { readonly state: 'read'; readonly notQuoting: string; readonly limits: Readonly<Record<string, LimitNow>> }
  | { readonly state: 'unread'; readonly why: string };

/** What does not change while the console runs. */
export interface About {
  readonly version: string;
  readonly control: boolean;
  readonly money: string;
  readonly accounts: { readonly maker: number; readonly hedge: number };
  readonly namespace: string;
  /** Of Temporal's Web UI; empty: unknown. */
  readonly webUi: string;
  /** What a pair is started with, in words, by market. */
  readonly configured: Readonly<Record<string, string>>;
  /** What to do, by kind of alert. */
  readonly runbook: Readonly<Record<string, string>>;
}

export interface Snapshot {
  readonly about: About;
  readonly risk: Risk;
  readonly pairs: Readonly<Record<string, PairView>>;
  readonly orders: Readonly<Record<string, OpenOrder>>;
  readonly fills: Readonly<Record<string, Fill>>;
  /** Ended with exposure: nothing of ours trades it any more. */
  readonly left: Readonly<Record<string, OpenOrder>>;
  readonly counts: { readonly ended: number; readonly filled: number };
  readonly histograms: { readonly fillToSent?: Bars; readonly naked?: Bars };
  readonly money: { readonly today: Figures; readonly costBps?: number; readonly read: boolean };
  /** Absent: there are none, or nothing was read yet. */
  readonly limits?: LimitsView;
  readonly margin: Figures;
  readonly series: Readonly<Record<string, Series>>;
  readonly budget: Budget;
  readonly processes: Readonly<Record<string, ProcessView>>;
  readonly servers: Readonly<Record<string, { readonly state: 'well' | 'silent'; readonly why: string }>>;
  /** Processes that ask Temporal for work, by what they are; absent while that is not read. */
  readonly workers: Readonly<Record<string, readonly string[]>>;
  readonly alerts: Readonly<Record<string, AlertView>>;
  readonly actions: Readonly<Record<string, ActionView>>;
}

export type PairView =
  | { readonly state: 'read'; readonly status: PairStatus; readonly sizeDecimals?: number }
  | { readonly state: 'not-running' | 'unread'; readonly why: string };

/** What the server sends: the whole at first and when the page was away for too long, changes after that. */
export interface Frame {
  readonly kind: 'snapshot' | 'patch' | 'still';
  readonly nowMs: number;
  readonly body?: unknown;
}
