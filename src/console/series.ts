/** Figures over time, as long as the console runs: one sample every while; when there are many, every second one is dropped. */
import type { Hub } from './hub';
import type { Figures, Series } from './snapshot';

const SAMPLES_MAX = 720;

export class Samples {
  readonly #kept = new Map<string, { readonly atMs: number; readonly values: Readonly<Record<string, number>> }[]>();

  take({ hub, nowMs }: { readonly hub: Hub; readonly nowMs: () => number }): Readonly<Record<string, Series>> {
    const { money, margin } = hub.snapshot;
    const groups: Figures = { money: moneyOf(money.today), volume: volumeOf(money.today), ...margin };
    // What is unknown now is a gap in its line.
    for (const name of new Set([...this.#kept.keys(), ...Object.keys(groups)]))
      this.#note(name, nowMs(), groups[name] ?? {});
    return Object.fromEntries([...this.#kept].map(([name, samples]) => [name, seriesOf(samples)]));
  }

  #note(name: string, atMs: number, values: Readonly<Record<string, number>>): void {
    const known = this.#kept.get(name) ?? [];
    if (known.length === 0 && Object.keys(values).length === 0) return;
    const samples = [...known, { atMs, values }];
    this.#kept.set(name, samples.length > SAMPLES_MAX ? samples.filter((_, i) => i % 2 === 0) : samples);
  }
}

function seriesOf(
  samples: readonly { readonly atMs: number; readonly values: Readonly<Record<string, number>> }[],
): Series {
  const names = [...new Set(samples.flatMap(({ values }) => Object.keys(values)))];
  return {
    atMs: samples.map(({ atMs }) => atMs),
    lines: Object.fromEntries(names.map((name) => [name, samples.map(({ values }) => values[name] ?? null)])),
  };
}

/** What the day has brought: its cost, as a gain. Open profit has come with positions of days before, too. */
function moneyOf(today: Figures): Record<string, number> {
  const both = today['cost']?.['both'];
  return both === undefined ? {} : { both: 0 - both };
}

function volumeOf(today: Figures): Record<string, number> {
  const both = today['volume']?.['both'];
  return both === undefined ? {} : { both };
}
