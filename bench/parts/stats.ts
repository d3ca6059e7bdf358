/** One line of a benchmark's output, as docs/benchmarks.md explains it. */
import { cpus } from 'node:os';

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

export function report(input: {
  readonly bench: string;
  readonly samplesMs: readonly number[];
  readonly floorMs: readonly number[];
  readonly conditions: string;
}): void {
  const samples = [...input.samplesMs].sort((a, b) => a - b);
  const floor = [...input.floorMs].sort((a, b) => a - b);
  const round = (ms: number): number => Math.round(ms * 1_000) / 1_000;
  const machine = `${cpus().length} cores ${cpus()[0]?.model ?? ''}, Node ${process.versions.node}`;
  console.log(
    JSON.stringify({
      bench: input.bench,
      n: samples.length,
      p50_ms: round(quantile(samples, 0.5)),
      p90_ms: round(quantile(samples, 0.9)),
      p99_ms: round(quantile(samples, 0.99)),
      max_ms: round(samples.at(-1) ?? NaN),
      floor_p50_ms: round(quantile(floor, 0.5)),
      floor_p99_ms: round(quantile(floor, 0.99)),
      conditions: `${input.conditions}; ${machine}`,
    }),
  );
}
