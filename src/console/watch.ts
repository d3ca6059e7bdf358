/**
 * Keeps the snapshot true: asks each source in its own rhythm, one question of a kind at a time, ten times slower while nobody looks.
 *
 * Orders and alerts of a source that does not answer stay as it said them last, and the top line says that it is unread; its figures go.
 * Nothing here writes anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../domain/reason';
import type { Hub } from './hub';
import { Processes } from './processes';
import { riskOf } from './risk';
import { Samples } from './series';
import type { ProcessPlace, Sources } from './sources';
import type { About, Budget, Fill, OpenOrder, PairView, Snapshot } from './snapshot';

export interface WatchOptions {
  readonly hub: Hub;
  readonly sources: Sources;
  readonly markets: readonly string[];
  readonly processes: readonly ProcessPlace[];
  readonly counts: 'requests' | 'weights';
  readonly nowMs: () => number;
}

const EVERY_MS = { orders: 1_000, health: 2_000, pairs: 3_000, metrics: 5_000, left: 10_000, series: 15_000 } as const;
const UNWATCHED_FACTOR = 10;
const FILLS_SHOWN = 20;

/** Before anything was read: nothing is known. */
export function emptySnapshot(about: About, budget: Pick<Budget, 'perMinute' | 'counts'>): Snapshot {
  return {
    about,
    risk: { level: 'unknown', naked: [], unread: ['nothing was read yet'], unwell: [] },
    ...{ pairs: {}, orders: {}, fills: {}, left: {}, counts: { ended: 0, filled: 0 }, histograms: {} },
    ...{
      money: { today: {}, read: false },
      margin: {},
      series: {},
      budget: { perMinute: budget.perMinute, counts: budget.counts, quota: {} },
    },
    ...{ processes: {}, servers: {}, alerts: {}, actions: {} },
  };
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #processes: Processes;
  readonly #series = new Samples();
  readonly #end = new AbortController();
  readonly #sinceMs = new Map<string, number>();
  readonly #loops: Promise<void>[] = [];
  #orders: { readonly atMs: number; readonly open: Readonly<Record<string, OpenOrder>> } | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#processes = new Processes(options);
  }

  start(): void {
    this.#loop(EVERY_MS.orders, () => this.#readOrders());
    this.#loop(EVERY_MS.left, async () => this.#options.hub.set('left', await this.#options.sources.leftNaked()));
    this.#loop(EVERY_MS.pairs, () => this.#readPairs());
    this.#loop(EVERY_MS.health, () => this.#processes.readHealth());
    this.#loop(EVERY_MS.metrics, () => this.#processes.readMetrics());
    this.#loop(EVERY_MS.series, () => this.#sample());
    const risk = setInterval(() => this.#judge(), 500);
    this.#end.signal.addEventListener('abort', () => clearInterval(risk));
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#loops);
  }

  #loop(everyMs: number, read: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      const { signal } = this.#end;
      while (!signal.aborted) {
        await read().catch(() => undefined); // what it said last stays, and grows old
        await this.#pause(everyMs);
      }
    };
    this.#loops.push(run());
  }

  /** Somebody who begins to look waits no longer than one round. */
  async #pause(everyMs: number): Promise<void> {
    const { signal } = this.#end;
    for (let passed = 0; passed < UNWATCHED_FACTOR && !signal.aborted; passed++) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      if (this.#options.hub.watchers > 0) return;
    }
  }

  async #readOrders(): Promise<void> {
    const { hub, sources, nowMs } = this.#options;
    const atMs = nowMs();
    try {
      const open = await sources.openOrders();
      this.#orders = { atMs, open };
      hub.set('orders', open);
      this.#noteEnded(await sources.endedOrders());
      hub.set('servers', { ...hub.snapshot.servers, temporal: { state: 'well', why: '' } });
    } catch (error) {
      hub.set('servers', { ...hub.snapshot.servers, temporal: { state: 'silent', why: reasonOf(error) } });
    }
  }

  #noteEnded(ended: Awaited<ReturnType<Sources['endedOrders']>>): void {
    if (ended.length === 0) return;
    const { hub } = this.#options;
    const fresh = ended.flatMap(({ orderId, fill }) => (fill === undefined ? [] : [[orderId, fill] as const]));
    const newest = [...Object.entries(hub.snapshot.fills), ...fresh]
      .sort(([, a]: readonly [string, Fill], [, b]: readonly [string, Fill]) => b.endedMs - a.endedMs)
      .slice(0, FILLS_SHOWN);
    hub.set('fills', Object.fromEntries(newest));
    const { ended: before, filled } = hub.snapshot.counts;
    hub.set('counts', { ended: before + ended.length, filled: filled + fresh.length });
  }

  #sample(): Promise<void> {
    this.#options.hub.set('series', this.#series.take(this.#options));
    return Promise.resolve();
  }

  async #readPairs(): Promise<void> {
    const { hub, sources, markets } = this.#options;
    const views = await Promise.all(
      markets.map(async (market) => [market, await this.#readPair(sources, market)] as const),
    );
    hub.set('pairs', Object.fromEntries(views));
  }

  async #readPair(sources: Sources, market: string): Promise<PairView> {
    try {
      const status = await sources.pair(market);
      if (status === undefined) return { state: 'not-running', why: 'no pair of this market runs: nothing is quoted' };
      const decimals = sources.sizeDecimals(market);
      return { state: 'read', status, ...(decimals === undefined ? {} : { sizeDecimals: decimals }) };
    } catch (error) {
      return { state: 'unread', why: reasonOf(error) };
    }
  }

  #judge(): void {
    const { hub, markets, nowMs } = this.#options;
    const risk = riskOf({
      ...{ nowMs: nowMs(), markets, orders: this.#orders, sinceMs: this.#sinceMs },
      ...{ hedger: this.#processes.books, auditor: this.#processes.auditor, unwell: this.#processes.unwell },
    });
    hub.set('risk', risk);
  }
}
