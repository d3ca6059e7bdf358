/** The processes by their own pages: health, alerts, metrics, and what follows from those. */
import { costOf } from '../domain/budget';
import { reasonOf } from '../domain/reason';
import type { Hub } from './hub';
import type { Books } from './risk';
import { barsOf, byLabel, figuresOf, samplesOf, type Sample, type Samples } from './prometheus';
import type { ProcessPlace, Sources } from './sources';
import type { AlertView, Budget, ProcessView } from './snapshot';

export interface ProcessesOptions {
  readonly hub: Hub;
  readonly sources: Pick<Sources, 'health' | 'alerts' | 'metrics'>;
  readonly processes: readonly ProcessPlace[];
  readonly counts: 'requests' | 'weights';
  readonly nowMs: () => number;
}

/** Its part that compares both accounts. */
const AUDITOR = 'auditor';
const MINUTE_MS = 60_000;
const ALERTS_SHOWN = 30;

export class Processes {
  readonly #options: ProcessesOptions;
  readonly #spent = new Map<string, { readonly atMs: number; readonly cost: number }[]>();
  /** By process: each knows that of its own account. */
  readonly #quotas = new Map<string, Budget['quota']>();
  /** What the hedger's auditor found, by market. */
  books: Books | undefined;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Why the auditor's word does not count now. */
  get auditor(): string | undefined {
    const part = this.#options.hub.snapshot.processes['hedger']?.parts.find(({ name }) => name === AUDITOR);
    if (part === undefined) return 'the hedger has not said so';
    return part.healthy ? undefined : part.state;
  }

  get unwell(): string[] {
    return Object.entries(this.#options.hub.snapshot.processes).flatMap(([name, view]) =>
      view.state === 'well' ? [] : [`${name}: ${view.why}`],
    );
  }

  async readHealth(): Promise<void> {
    const { hub, processes } = this.#options;
    const heard = await Promise.all(processes.map((place) => this.#readOne(place)));
    const views = heard.map(([name, change]) => [name, { ...this.#known(name), ...change }] as const);
    hub.set('processes', Object.fromEntries(views));
    await this.#readAlerts();
  }

  async #readOne(place: ProcessPlace): Promise<readonly [string, Partial<ProcessView>]> {
    try {
      const { healthy, parts } = await this.#options.sources.health(place);
      const why = parts.filter((part) => !part.healthy).map(({ name, state }) => `${name}: ${state}`);
      const readMs = this.#options.nowMs();
      return [place.name, { state: healthy ? 'well' : 'unwell', why: why.join('; '), parts, readMs }];
    } catch (error) {
      return [place.name, { state: 'silent', why: `it does not answer (${reasonOf(error)})`, parts: [] }];
    }
  }

  async #readAlerts(): Promise<void> {
    const { hub, sources, processes } = this.#options;
    const lists = await Promise.all(
      processes.map(async (place) => {
        const alerts = await sources.alerts(place).catch(() => undefined);
        return alerts?.map((alert): AlertView => ({ ...alert, process: place.name }));
      }),
    );
    // Of a process that is silent now the last ones stay.
    const kept = Object.values(hub.snapshot.alerts).filter(
      ({ process }) => lists[processes.findIndex(({ name }) => name === process)] === undefined,
    );
    const newest = [...kept, ...lists.flatMap((list) => list ?? [])]
      .sort((a, b) => b.atMs - a.atMs)
      .slice(0, ALERTS_SHOWN);
    const known = hub.snapshot.alerts;
    const alerts = Object.fromEntries(newest.map((alert) => [`${alert.process}-${alert.kind}-${alert.atMs}`, alert]));
    hub.set('alerts', alerts);
    // What a person was just told shall not wait for its turn in the top line.
    if (Object.keys(alerts).some((id) => known[id] === undefined)) await this.readMetrics().catch(() => undefined);
  }

  async readMetrics(): Promise<void> {
    const { processes, sources, nowMs } = this.#options;
    await Promise.all(
      processes.map(async (place) => {
        const atMs = nowMs();
        // What is not read now is unknown: a figure of before does not stand for it.
        const page = await sources.metrics(place).catch(() => undefined);
        this.#note(place.name, samplesOf(page ?? ''), page === undefined ? undefined : atMs);
      }),
    );
  }

  /** `atMs`: undefined when it was not read. */
  #note(name: string, samples: Samples, atMs: number | undefined): void {
    const { hub } = this.#options;
    const streams = { ...live(samples, 'stream_live', 'stream'), ...(name === 'journal' ? {} : redisIn(samples)) };
    const [build] = samples.get('build_info') ?? [];
    const memory = samples.get('process_resident_memory_bytes')?.[0]?.value;
    const requests = atMs === undefined ? undefined : this.#perMinute(name, samples, atMs);
    const { state, why, readMs, parts } = this.#known(name);
    hub.set('processes', {
      ...hub.snapshot.processes,
      [name]: {
        ...{ state, why, readMs, parts, streams },
        ...(build?.labels['version'] === undefined ? {} : { version: build.labels['version'] }),
        ...(memory === undefined ? {} : { memoryBytes: memory }),
        ...(requests === undefined ? {} : { requestsPerMinute: requests }),
      },
    });
    if (name === 'hedger') {
      hub.set('margin', marginIn(samples));
      if (atMs !== undefined) this.#noteHedger(samples, atMs);
    }
    if (name === 'journal') {
      const [cost] = samples.get('cost_today_bps') ?? [];
      const today = figuresOf(samples, 'money_today_usdc', 'figure', 'account');
      hub.set('money', { today, read: atMs !== undefined, ...(cost === undefined ? {} : { costBps: cost.value }) });
    }
    this.#quotas.set(name, byLabel(samples, 'volume_quota_remaining', 'account'));
    hub.set('budget', {
      ...hub.snapshot.budget,
      quota: Object.assign({}, ...this.#quotas.values()) as Budget['quota'],
    });
  }

  #noteHedger(samples: Samples, atMs: number): void {
    const { hub } = this.#options;
    const comparedS = byLabel(samples, 'books_compared_timestamp_seconds', 'market');
    const comparedMs = Object.fromEntries(Object.entries(comparedS).map(([market, at]) => [market, at * 1_000]));
    this.books = { atMs, booksOff: byLabel(samples, 'books_off_base_units', 'market'), comparedMs };
    const fillToSent = barsOf(samples, 'fill_to_submit_seconds');
    const naked = barsOf(samples, 'naked_seconds');
    hub.set('histograms', { ...(fillToSent && { fillToSent }), ...(naked && { naked }) });
  }

  /** In what the tier counts; undefined before there is a second reading. */
  #perMinute(name: string, samples: Samples, atMs: number): number | undefined {
    const { counts } = this.#options;
    const cost = (samples.get('requests_total') ?? []).reduce(
      (sum, { labels, value }) => sum + value * costOf(labels['endpoint'] ?? '', counts),
      0,
    );
    const readings = (this.#spent.get(name) ?? []).filter(
      (reading) => atMs - reading.atMs <= MINUTE_MS && reading.cost <= cost,
    );
    readings.push({ atMs, cost });
    this.#spent.set(name, readings);
    const first = readings[0];
    if (first === undefined || first.atMs === atMs) return undefined;
    return Math.round(((cost - first.cost) * MINUTE_MS) / (atMs - first.atMs));
  }

  #known(name: string): ProcessView {
    return (
      this.#options.hub.snapshot.processes[name] ?? {
        state: 'silent',
        why: 'not heard yet',
        readMs: 0,
        parts: [],
        streams: {},
      }
    );
  }
}

function live(samples: Samples, metric: string, label: string): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(byLabel(samples, metric, label)).map(([name, value]) => [name, value === 1]),
  );
}

function redisIn(samples: Samples): Record<string, boolean> {
  const value = samples.get('redis_live')?.[0]?.value;
  return value === undefined ? {} : { redis: value === 1 };
}

/** What is watched of both accounts' margin, each figure by account, and by market where it is of one. */
function marginIn(samples: Samples): Record<string, Record<string, number>> {
  return Object.fromEntries(
    ['margin_free_usdc', 'margin_use_ratio', 'liquidation_distance_bps'].flatMap((name) => {
      const found = samples.get(name) ?? [];
      const keyOf = ({ account = '', market = '' }: Sample['labels']): string => `${account} ${market}`.trim();
      return found.length === 0
        ? []
        : [[name, Object.fromEntries(found.map(({ labels, value }) => [keyOf(labels), value]))]];
    }),
  );
}
