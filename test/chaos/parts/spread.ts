/** Naked time, counted lot by lot: overall, outside faults, by the fault that was active, and of the orders beside a faulty one. Pure. */
import { laneOf } from '../../../src/domain/ids-and-nonces';
import type { Chunk } from './account';

/** When a fault acted, in exchange time. */
export interface FaultWindow {
  readonly kind: string;
  readonly startUs: number;
  readonly endUs: number;
  /** The one lane that it could touch, when it was aimed at one order. */
  readonly lane?: number;
}

export interface Spread {
  readonly lots: number;
  readonly fills: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface NakedTimes {
  readonly all: Spread | undefined;
  /** Lots that no fault met. */
  readonly quiet: Spread | undefined;
  readonly byKind: ReadonlyMap<string, Spread>;
  /** Orders on other lanes while one lane's hedge was in trouble (invariant 10). */
  readonly bystanders: Spread | undefined;
}

/** Quantiles weighted by lots; undefined for nothing. Lots that were never covered are not in it: they are lost, not late. */
export function spreadOf(chunks: readonly Chunk[]): Spread | undefined {
  const samples = chunks
    .flatMap(({ lots, filledUs, hedgedUs }) =>
      hedgedUs === undefined ? [] : [{ weight: Number(lots), ms: (hedgedUs - filledUs) / 1_000 }],
    )
    .sort((a, b) => a.ms - b.ms);
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const total = samples.reduce((sum, { weight }) => sum + weight, 0);
  const at = (q: number): number => {
    let seen = 0;
    for (const { weight, ms } of samples) if ((seen += weight) >= q * total) return ms;
    return last.ms;
  };
  return { lots: total, fills: samples.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: last.ms };
}

/**
 * A lot belongs to the fault that was active at its fill; filled in quiet times, to the first that came while it was naked. So a
 * fault answers for all it met, and never for what the one before it left behind.
 */
export function nakedTimes(chunks: readonly Chunk[], faults: readonly FaultWindow[]): NakedTimes {
  const met = (chunk: Chunk, fault: FaultWindow): boolean =>
    chunk.filledUs <= fault.endUs && (chunk.hedgedUs ?? Infinity) >= fault.startUs;
  const byKind = new Map<string, Chunk[]>();
  const quiet: Chunk[] = [];
  const bystanders: Chunk[] = [];
  for (const chunk of chunks) {
    const first = faults.find((fault) => met(chunk, fault));
    if (first === undefined) {
      quiet.push(chunk);
      continue;
    }
    const { kind, lane } = first;
    byKind.set(kind, [...(byKind.get(kind) ?? []), chunk]);
    if (lane !== undefined && laneOf(chunk.orderId) !== lane) bystanders.push(chunk);
  }
  const spreads = [...byKind].flatMap(([kind, members]) => {
    const spread = spreadOf(members);
    return spread === undefined ? [] : [[kind, spread] as const];
  });
  return {
    all: spreadOf(chunks),
    quiet: spreadOf(quiet),
    byKind: new Map(spreads),
    bystanders: spreadOf(bystanders),
  };
}
