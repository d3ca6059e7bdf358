/** A histogram in which a time counts once for each lot: the library's counts calls, and an order may have a hundred thousand lots. */
import type { MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client';

interface Sums {
  /** Of each bucket alone. */
  readonly lots: number[];
  seconds: number;
}

interface LotsHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

export class LotsHistogram {
  /** The registry's key. */
  readonly name: string;
  readonly labelNames = ['market'] as const;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #markets = new Map<string, Sums>();

  constructor({ name, help, buckets, registry }: LotsHistogramOptions) {
    this.name = name;
    this.#help = help;
    this.#bounds = [...buckets, Infinity];
    registry.registerMetric(this as never); // its type lists the library's own classes; name and `get` are what it uses
  }

  observe(market: string, seconds: number, lots: number): void {
    const sums = this.#markets.get(market) ?? { lots: this.#bounds.map(() => 0), seconds: 0 };
    const bucket = this.#bounds.findIndex((bound) => seconds <= bound);
    sums.lots[bucket] = (sums.lots[bucket] ?? 0) + lots;
    sums.seconds += seconds * lots;
    this.#markets.set(market, sums);
  }

  get(): Pick<MetricObjectWithValues<MetricValueWithName<'market' | 'le'>>, 'name' | 'help' | 'values'> & {
    type: string;
  } {
    const values = [...this.#markets].flatMap(([market, sums]) => this.#values(market, sums));
    return { name: this.name, help: this.#help, type: 'histogram', values };
  }

  #values(market: string, { lots, seconds }: Sums): MetricValueWithName<'market' | 'le'>[] {
    let count = 0;
    const buckets = this.#bounds.map((bound, i) => ({
      labels: { market, le: bound === Infinity ? '+Inf' : bound },
      value: (count += lots[i] ?? 0),
      metricName: `${this.name}_bucket`,
    }));
    return [
      ...buckets,
      { labels: { market }, value: seconds, metricName: `${this.name}_sum` },
      { labels: { market }, value: count, metricName: `${this.name}_count` },
    ];
  }
}
