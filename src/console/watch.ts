/**
 * Keeps the snapshot true: asks each source in its own rhythm, one question of a kind at a time, ten times slower while nobody looks.
 *
 * Orders and alerts of a source that does not answer stay as it said them last, and the top line says that it is unread; its figures go.
 * Nothing here writes anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../domain/reason';
import type { Hub } from './hub';
import { Endings, type Facts } from './endings';
import { Processes } from './processes';
import type { PairRead } from './at-most';
import { riskOf } from './risk';
import { Samples } from './series';
import type { ProcessPlace, Sources } from './sources';
import type { About, Budget, Fill, OpenOrder, PairView, Risk, Snapshot } from './snapshot';

export interface WatchOptions {
  readonly hub: Hub;
  readonly sources: Sources;
  /** Of the configuration. */
  readonly markets: readonly string[];
  readonly processes: readonly ProcessPlace[];
  readonly counts: 'requests' | 'weights';
  readonly nowMs: () => number;
}

const EVERY_MS = { orders: 1_000, health: 2_000, pairs: 3_000, metrics: 5_000, left: 10_000, series: 15_000 } as const;
const UNWATCHED_FACTOR = 10;
/** So soon it is seen that somebody looks. */
const LOOK_MS = 250;
const FILLS_SHOWN = 20;

/** Before anything was read: nothing is known. */
export function emptySnapshot(about: About, budget: Pick<Budget, 'perMinute' | 'counts'>, nowMs: number): Snapshot {
  return {
    about,
    risk: {
      ...{ level: 'unknown', sinceMs: nowMs, checks: [], naked: [] },
      ...{ unread: ['nothing was read yet'], unwell: [], atMost: [] },
    },
    ...{ pairs: {}, orders: {}, fills: {}, left: {}, counts: { ended: 0, filled: 0 }, histograms: {} },
    ...{
      money: { today: {}, read: false },
      margin: {},
      series: {},
      budget: { perMinute: budget.perMinute, counts: budget.counts, quota: {} },
    },
    ...{ processes: {}, servers: {}, workers: {}, alerts: {}, actions: {} },
  };
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #processes: Processes;
  readonly #endings = new Endings();
  readonly #series = new Samples();
  readonly #end = new AbortController();
  readonly #sinceMs = new Map<string, number>();
  readonly #pairs = new Map<string, PairRead>();
  readonly #loops: Promise<void>[] = [];
  #risk: Risk | undefined;
  /** Markets whose pair runs, as they were listed last. */
  #running: readonly string[] = [];
  #limits: Facts['limits'];
  #orders: { readonly atMs: number; readonly open: Readonly<Record<string, OpenOrder>> } | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#processes = new Processes(options);
  }

  start(): void {
    this.#loop(EVERY_MS.orders, () => this.#readOrders());
    this.#loop(EVERY_MS.left, async () => this.#options.hub.set('left', await this.#options.sources.leftNaked()));
    this.#loop(EVERY_MS.left, async () =>
      this.#options.hub.set('workers', await this.#options.sources.workers().catch(() => ({}))),
    );
    this.#loop(EVERY_MS.left, async () => void (this.#running = await this.#options.sources.runningPairs()));
    this.#loop(EVERY_MS.pairs, () => this.#readPairs());
    this.#loop(EVERY_MS.pairs, () => this.#readLimits());
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

  /** For somebody who begins to look everything is read at once: what is old by then is unknown. */
  async #pause(everyMs: number): Promise<void> {
    const { signal } = this.#end;
    const { hub } = this.#options;
    let isWatched = hub.watchers > 0;
    for (let waitedMs = 0; waitedMs < everyMs * UNWATCHED_FACTOR && !signal.aborted; waitedMs += LOOK_MS) {
      if (hub.watchers > 0 && (!isWatched || waitedMs >= everyMs)) return;
      isWatched = hub.watchers > 0;
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
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
    const { hub, sources } = this.#options;
    const markets = [...new Set([...this.#options.markets, ...this.#running])];
    const views = await Promise.all(
      markets.map(async (market) => [market, await this.#readPair(sources, market)] as const),
    );
    for (const market of this.#pairs.keys()) if (!markets.includes(market)) this.#pairs.delete(market);
    hub.set('pairs', Object.fromEntries(views));
  }

  async #readLimits(): Promise<void> {
    const { hub, sources, nowMs } = this.#options;
    const atMs = nowMs();
    const view = await sources.limits().catch((error: unknown) => ({ state: 'unread' as const, why: reasonOf(error) }));
    if (view === undefined) return;
    this.#limits = { atMs, view };
    hub.set('limits', view);
  }

  async #readPair(sources: Sources, market: string): Promise<PairView> {
    try {
      const atMs = this.#options.nowMs();
      const status = await sources.pair(market);
      this.#pairs.set(market, { atMs, status, sizeDecimals: sources.sizeDecimals(market) });
      if (status === undefined) return { state: 'not-running', why: 'no pair of this market runs: nothing is quoted' };
      const decimals = sources.sizeDecimals(market);
      return { state: 'read', status, ...(decimals === undefined ? {} : { sizeDecimals: decimals }) };
    } catch (error) {
      return { state: 'unread', why: reasonOf(error) };
    }
  }

  #judge(): void {
    const { hub, markets, nowMs } = this.#options;
    this.#risk = riskOf({
      ...{ nowMs: nowMs(), markets, orders: this.#orders, sinceMs: this.#sinceMs, pairs: this.#pairs },
      ...{ hedger: this.#processes.books, auditor: this.#processes.auditor, unwell: this.#processes.unwell },
      ...{ price: (market) => this.#price(market), before: this.#risk },
    });
    hub.set('risk', this.#risk);
    const { orders, processes, margin } = hub.snapshot;
    const limits = this.#limits && { limits: this.#limits };
    const facts = { nowMs: nowMs(), risk: this.#risk, orders, processes, margin, pairs: this.#pairs, ...limits };
    hub.set('alerts', this.#endings.mark(this.#processes.alerts, facts));
  }

  /** The middle of the book. */
  #price(market: string): number | undefined {
    const touch = this.#options.sources.touch(market);
    return touch && (Number(touch.bid) + Number(touch.ask)) / 2;
  }
}
