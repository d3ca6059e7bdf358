/** The processes by their own pages: health, alerts, metrics, and what follows from those. */
import { costOf } from '../domain/budget';
import { reasonOf } from '../domain/reason';
import type { Hub } from './hub';
import type { Books } from './risk';
import { barsOf, byLabel, figuresOf, samplesOf, type Sample, type Samples } from './prometheus';
import type { ProcessPlace, Sources, ToldAlert } from './sources';
import type { Budget, ProcessView } from './snapshot';

export interface ProcessesOptions {
  readonly hub: Hub;
  readonly sources: Pick<Sources, 'health' | 'alerts' | 'metrics'>;
  readonly processes: readonly ProcessPlace[];
  readonly counts: 'requests' | 'weights';
  readonly nowMs: () => number;
}

export type HeardAlert = ToldAlert & { readonly process: string; readonly lastMs: number };

/** Its part that compares both accounts. */
const AUDITOR = 'auditor';
const MINUTE_MS = 60_000;

export class Processes {
  readonly #options: ProcessesOptions;
  readonly #spent = new Map<string, { readonly atMs: number; readonly cost: number }[]>();
  /** By process: each knows that of its own account. */
  readonly #quotas = new Map<string, Budget['quota']>();
  /** By hedger. */
  readonly #books = new Map<string, Books>();
  readonly #samples = new Map<string, Samples>();
  /** What all processes have told people lately. */
  alerts: readonly HeardAlert[] = [];

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** What the auditors of all hedgers found: of each market what was found last. One that does not do its work does not count. */
  get books(): Books | undefined {
    const heard = this.#hedgers.flatMap(({ name }) => this.#books.get(name) ?? []);
    const counted = this.#hedgers.flatMap(({ name }) =>
      this.#auditorOf(name) === undefined ? (this.#books.get(name) ?? []) : [],
    );
    return (counted.length === 0 ? heard : counted).reduce<Books | undefined>(
      (all, books) => (all === undefined ? books : newest(all, books)),
      undefined,
    );
  }

  /** Why no auditor's word counts now. */
  get auditor(): string | undefined {
    const whys = this.#hedgers.map(({ name }) => this.#auditorOf(name));
    return whys.includes(undefined) ? undefined : whys.join('; ');
  }

  get #hedgers(): readonly ProcessPlace[] {
    return this.#options.processes.filter(({ role }) => role === 'hedger');
  }

  #auditorOf(process: string): string | undefined {
    const part = this.#options.hub.snapshot.processes[process]?.parts.find(({ name }) => name === AUDITOR);
    if (part === undefined) return `the ${process} has not said so`;
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
    const { sources, processes } = this.#options;
    const lists = await Promise.all(processes.map((place) => sources.alerts(place).catch(() => undefined)));
    const before = new Set(this.alerts.map(({ process, kind, atMs }) => `${process} ${kind} ${atMs}`));
    this.alerts = processes.flatMap(({ name }, i) => {
      const told = lists[i]?.map((alert): HeardAlert => ({
        ...alert,
        lastMs: alert.lastMs ?? alert.atMs,
        process: name,
      }));
      return told ?? this.alerts.filter(({ process }) => process === name); // of one that is silent now the last ones stay
    });
    // What a person was just told shall not wait for its turn in the top line.
    if (this.alerts.some(({ process, kind, atMs }) => !before.has(`${process} ${kind} ${atMs}`)))
      await this.readMetrics().catch(() => undefined);
  }

  async readMetrics(): Promise<void> {
    const { processes, sources, nowMs } = this.#options;
    await Promise.all(
      processes.map(async (place) => {
        const atMs = nowMs();
        // What is not read now is unknown: a figure of before does not stand for it.
        const page = await sources.metrics(place).catch(() => undefined);
        this.#note(place, samplesOf(page ?? ''), page === undefined ? undefined : atMs);
      }),
    );
  }

  /** `atMs`: undefined when it was not read. */
  #note({ name, role }: ProcessPlace, samples: Samples, atMs: number | undefined): void {
    const { hub } = this.#options;
    const streams = { ...live(samples, 'stream_live', 'stream'), ...(role === 'journal' ? {} : redisIn(samples)) };
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
    this.#samples.set(name, samples);
    if (role === 'hedger') this.#noteHedger(name, samples, atMs);
    if (role === 'journal') {
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

  #noteHedger(name: string, samples: Samples, atMs: number | undefined): void {
    const { hub } = this.#options;
    const read = this.#hedgers.map((hedger) => this.#samples.get(hedger.name) ?? new Map());
    hub.set('margin', read.map(marginIn).find((margin) => Object.keys(margin).length > 0) ?? {});
    if (atMs === undefined) return;
    const comparedS = byLabel(samples, 'books_compared_timestamp_seconds', 'market');
    this.#books.set(name, {
      atMs,
      booksOff: byLabel(samples, 'books_off_base_units', 'market'),
      booksNet: byLabel(samples, 'books_net_base_units', 'market'),
      comparedMs: Object.fromEntries(Object.entries(comparedS).map(([market, at]) => [market, at * 1_000])),
    });
    const fillToSent = barsOf(read, 'fill_to_submit_seconds');
    const naked = barsOf(read, 'naked_seconds');
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

/** Of each market the later finding. */
function newest(a: Books, b: Books): Books {
  const [older, newer] = a.atMs <= b.atMs ? [a, b] : [b, a];
  const isLater = (market: string): boolean =>
    (newer.comparedMs[market] ?? -Infinity) >= (older.comparedMs[market] ?? -Infinity);
  const pick = (of: (books: Books) => Readonly<Record<string, number>>): Record<string, number> => ({
    ...of(older),
    ...Object.fromEntries(Object.entries(of(newer)).filter(([market]) => isLater(market))),
  });
  return {
    atMs: newer.atMs,
    booksOff: pick((books) => books.booksOff),
    booksNet: pick((books) => books.booksNet),
    comparedMs: pick((books) => books.comparedMs),
  };
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
