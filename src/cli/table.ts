/** Text for people: aligned tables, durations, `--json` for programs. Owns no content. */
import { weightedQuantile, type Weighted } from '../domain/quantile';

export type Alignment = 'left' | 'right';

export interface Column {
  readonly title: string;
  readonly align?: Alignment;
}

/** Rows under aligned titles; no trailing blanks. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, i) =>
        align === 'right' ? (cells[i] ?? '').padStart(widths[i] ?? 0) : (cells[i] ?? '').padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n');
}

/** `60`, `60s`, `5m`, `1h`, `500ms` → milliseconds; undefined when it is none of them. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (match === null) return undefined;
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
  return Math.round(Number(match[1]) * units[(match[2] ?? 's') as keyof typeof units]);
}

/** `12.3 ms`, `4.56 s` */
export function durationText(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}

export function quantile(values: readonly number[], q: number): number | undefined {
  return weightedQuantile(evenly(values), q);
}

export function evenly(values: readonly number[]): Weighted[] {
  return values.map((value) => ({ value, weight: 1 }));
}

/** p50 / p99 / max of milliseconds, for a summary. */
export function spreadText(samples: readonly Weighted[]): string {
  if (samples.length === 0) return '–';
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => durationText(weightedQuantile(samples, q)));
  return `p50 ${p50}, p99 ${p99}, max ${max}`;
}
