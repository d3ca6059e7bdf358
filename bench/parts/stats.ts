/** One line of a benchmark's output, as docs/benchmarks.md explains it. */
import { build, type Histogram } from 'hdr-histogram-js';
import { cpus } from 'node:os';

/** Microseconds to three digits, up to ten minutes. */
export function histogramOf(samplesMs: readonly number[]): Histogram {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });
  for (const ms of samplesMs) histogram.recordValue(Math.max(1, Math.round(ms * 1_000)));
  return histogram;
}

export function quantileMs(histogram: Histogram, q: number): number {
  return histogram.totalCount === 0 ? NaN : histogram.getValueAtPercentile(q * 100) / 1_000;
}

export interface Line {
  readonly bench: string;
  readonly n: number;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  readonly floor_p50_ms: number | null;
  readonly floor_p99_ms: number | null;
  readonly conditions: string;
}

/** Prints and returns the line. */
export function report(input: {
  readonly bench: string;
  readonly samplesMs: readonly number[];
  /** Empty when there is nothing to compare with. */
  readonly floorMs: readonly number[];
  readonly conditions: string;
  /** Further figures of the line, by name with unit. */
  readonly more?: Readonly<Record<string, number>>;
}): Line {
  const samples = histogramOf(input.samplesMs);
  const floor = histogramOf(input.floorMs);
  const machine = `${cpus().length} cores ${cpus()[0]?.model ?? ''}, Node ${process.versions.node}`;
  const ofFloor = (q: number): number | null => (input.floorMs.length === 0 ? null : quantileMs(floor, q));
  const line: Line = {
    bench: input.bench,
    n: input.samplesMs.length,
    p50_ms: quantileMs(samples, 0.5),
    p90_ms: quantileMs(samples, 0.9),
    p99_ms: quantileMs(samples, 0.99),
    max_ms: quantileMs(samples, 1),
    floor_p50_ms: ofFloor(0.5),
    floor_p99_ms: ofFloor(0.99),
    conditions: `${input.conditions}; ${machine}`,
  };
  const more = Object.entries(input.more ?? {}).map(([name, value]) => [name, Number(value.toFixed(3))] as const);
  console.log(JSON.stringify({ ...line, ...Object.fromEntries(more) }));
  return line;
}
