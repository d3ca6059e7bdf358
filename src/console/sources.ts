/** Where the page's facts come from; the command line has them already and hands them over. Each call has a deadline, and rejects. */
import type { PairStatus } from '../domain/pair-status';
import type { HealthReport, RecentAlert } from '../observability';
import type { Fill, LimitsView, OpenOrder } from './snapshot';

export interface ProcessPlace {
  /** `hedger`; of a stand-by `hedger 2`. */
  readonly name: string;
  readonly role: 'hedger' | 'maker' | 'journal';
  /** `http://127.0.0.1:9465` */
  readonly url: string;
}

export interface Touch {
  readonly bid: string;
  readonly ask: string;
}

/** `lastMs`: absent from a process of an older version. */
export type ToldAlert = Omit<RecentAlert, 'kind' | 'lastMs'> & { readonly kind: string; readonly lastMs?: number };

/** An order that ended; without a fill only its end counts. */
export interface Ended {
  readonly orderId: string;
  readonly fill: Fill | undefined;
}

export interface Sources {
  openOrders(): Promise<Readonly<Record<string, OpenOrder>>>;
  /** What ended since the call before. */
  endedOrders(): Promise<readonly Ended[]>;
  /** Ended with exposure that nothing of ours trades any more. */
  leftNaked(): Promise<Readonly<Record<string, OpenOrder>>>;
  /** Markets whose pair runs, whatever the configuration names. */
  runningPairs(): Promise<readonly string[]>;
  /** Undefined: no such pair runs. */
  pair(market: string): Promise<PairStatus | undefined>;
  /** Undefined: the configuration has none. */
  limits(): Promise<LimitsView | undefined>;
  /** Best prices; undefined while the book is not live. */
  touch(market: string): Touch | undefined;
  sizeDecimals(market: string): number | undefined;
  /** Who has asked Temporal for work lately. */
  workers(): Promise<Readonly<Record<'hedger' | 'maker', readonly string[]>>>;
  health(place: ProcessPlace): Promise<HealthReport>;
  alerts(place: ProcessPlace): Promise<readonly ToldAlert[]>;
  metrics(place: ProcessPlace): Promise<string>;
}
