/**
 * Whether what the journal holds explains the balances that the exchange shows: between two readings of a balance it changed by exactly
 * the trades, fees, funding and transfers in between.
 *
 * Nobody tells the instant at which a balance was read, and other lists tell whole seconds. So what happened within `EDGE_US` of a
 * reading may be in it or not; every way that keeps the order of the trades is tried, and the one that fits best counts.
 */
import type { BalanceRead, Movement, Sums } from './rows';
import type { Store } from './store';

export const EDGE_US = 2_000_000n;
/** Below a cent: roundings of the exchange that no list shows. */
export const CENT_MICRO = 10_000n;
const COARSE_MAX = 4;

export interface Comparison {
  readonly opening: BalanceRead;
  readonly closing: BalanceRead;
  readonly sums: Sums;
  /** What the exchange shows beyond what the journal explains. */
  readonly differenceMicro: bigint;
}

/** Undefined when the two are too close to each other to be compared. */
export async function compare(
  store: Store,
  { opening, closing }: { readonly opening: BalanceRead; readonly closing: BalanceRead },
): Promise<Comparison | undefined> {
  const { account } = opening;
  const fromUs = opening.answeredUs + EDGE_US;
  const untilUs = closing.askedUs - EDGE_US;
  if (untilUs <= fromUs) return undefined;
  const [middle, first, last] = await Promise.all([
    store.sums(account, { fromUs, untilUs }),
    store.movements(account, { fromUs: opening.askedUs - EDGE_US, untilUs: fromUs }),
    store.movements(account, { fromUs: untilUs, untilUs: closing.answeredUs + EDGE_US }),
  ]);
  const change = closing.collateralMicro - opening.collateralMicro;
  const after = possibleSums([...first].reverse());
  const [best] = after
    .flatMap((one) => possibleSums(last).map((other) => plus(plus(middle, one), other)))
    .map((sums) => ({ opening, closing, sums, differenceMicro: change - total(sums) }))
    .sort((a, b) => (size(a.differenceMicro) < size(b.differenceMicro) ? -1 : 1));
  return best;
}

export function total({ realisedMicro, feesMicro, fundingMicro, transfersMicro }: Sums): bigint {
  return realisedMicro - feesMicro + fundingMicro + transfersMicro;
}

export function addsUp({ differenceMicro }: Pick<Comparison, 'differenceMicro'>): boolean {
  return -CENT_MICRO < differenceMicro && differenceMicro < CENT_MICRO;
}

/** What may be on one side of an instant: trades in their order, the others in any. */
export function possibleSums(movements: readonly Movement[]): Sums[] {
  const trades = [nothing];
  const others = new Map<bigint, Sums>();
  for (const { timeUs, sums, exact } of movements) {
    if (exact) trades.push(plus(trades[trades.length - 1] ?? nothing, sums));
    else others.set(timeUs, plus(others.get(timeUs) ?? nothing, sums));
  }
  let subsets = [nothing];
  for (const sums of [...others.values()].slice(0, COARSE_MAX))
    subsets = [...subsets, ...subsets.map((subset) => plus(subset, sums))];
  return trades.flatMap((one) => subsets.map((subset) => plus(one, subset)));
}

const nothing: Sums = { realisedMicro: 0n, feesMicro: 0n, fundingMicro: 0n, transfersMicro: 0n };

function plus(a: Sums, b: Sums): Sums {
  return {
    realisedMicro: a.realisedMicro + b.realisedMicro,
    feesMicro: a.feesMicro + b.feesMicro,
    fundingMicro: a.fundingMicro + b.fundingMicro,
    transfersMicro: a.transfersMicro + b.transfersMicro,
  };
}

function size(value: bigint): bigint {
  return value < 0n ? -value : value;
}
