/** A metrics page of Prometheus' text format, read: samples by name, with their labels; histograms as bars. */
import type { Bars, Figures } from './snapshot';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Samples = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g;
const PREFIX = 'counterleg_';

/** Ours only, without our prefix. What is no sample is left out. */
export function samplesOf(text: string): Samples {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    if (!line.startsWith(PREFIX)) continue;
    const [, name = '', inner = '', value = ''] = LINE.exec(line) ?? [];
    if (name === '' || Number.isNaN(Number(value.replace('Inf', 'Infinity')))) continue;
    const labels = Object.fromEntries(
      [...inner.matchAll(LABEL)].map(([, key = '', text = '']) => [key, unescaped(text)]),
    );
    const key = name.slice(PREFIX.length);
    const known = samples.get(key);
    const sample = { labels, value: Number(value.replace('Inf', 'Infinity')) };
    if (known === undefined) samples.set(key, [sample]);
    else known.push(sample);
  }
  return samples;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

/** The samples of a gauge by one of its labels. */
export function byLabel(samples: Samples, name: string, label: string): Record<string, number> {
  return Object.fromEntries((samples.get(name) ?? []).map(({ labels, value }) => [labels[label] ?? '', value]));
}

/** Of a metric with two labels: figure → account → value. */
export function figuresOf(samples: Samples, name: string, figure: string, of: string): Figures {
  const figures: Record<string, Record<string, number>> = {};
  for (const { labels, value } of samples.get(name) ?? [])
    (figures[labels[figure] ?? ''] ??= {})[labels[of] ?? ''] = value;
  return figures;
}

/** A histogram of seconds, all its labels and pages together. Undefined while it holds nothing. */
export function barsOf(pages: readonly Samples[], name: string): Bars | undefined {
  const upTo = new Map<number, number>();
  for (const { labels, value } of pages.flatMap((samples) => samples.get(`${name}_bucket`) ?? [])) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    upTo.set(bound, (upTo.get(bound) ?? 0) + value);
  }
  const bounds = [...upTo.keys()].sort((a, b) => a - b);
  const cumulative = bounds.map((bound) => upTo.get(bound) ?? 0);
  const total = cumulative.at(-1) ?? 0;
  if (total === 0) return undefined;
  const quantile = (q: number): { readonly ms: number } | undefined => {
    const bound = bounds[cumulative.findIndex((count) => count >= q * total)];
    return bound === undefined || bound === Infinity ? undefined : { ms: Math.round(bound * 1e6) / 1e3 };
  };
  const [p50, p99] = [quantile(0.5), quantile(0.99)];
  return {
    boundsMs: bounds.filter((bound) => bound !== Infinity).map((bound) => Math.round(bound * 1e6) / 1e3),
    counts: cumulative.map((count, i) => count - (cumulative[i - 1] ?? 0)),
    ...(p50 === undefined ? {} : { p50Ms: p50.ms }),
    ...(p99 === undefined ? {} : { p99Ms: p99.ms }),
  };
}
