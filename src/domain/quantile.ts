/** Quantiles of samples that count more than once. */

/** A value that counts `weight` times. */
export interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/** Nearest-rank quantile of unsorted values. */
export function weightedQuantile(samples: readonly Weighted[], q: number): number | undefined {
  const sorted = [...samples].sort((a, b) => a.value - b.value);
  let left = q * sorted.reduce((sum, { weight }) => sum + weight, 0);
  return (sorted.find(({ weight }) => (left -= weight) <= 0) ?? sorted.at(-1))?.value;
}
