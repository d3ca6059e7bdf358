/**
 * Do the two accounts mirror each other? Pure: readings in, verdict out.
 *
 * A holds positions, B their mirror, so A + B is what is naked. A difference may be *late* (a fill whose hedge is under way, two reads
 * some moments apart: S-24) or *wrong* (nothing explains it, and it stays). Only the second is an alarm, for as long as it lasts: whether
 * it is older than this process or somebody decided to leave it says nothing about whether it is naked.
 */
export interface Reading {
  readonly atMs: number;
  /** Signed positions in lots. */
  readonly makerLots: bigint;
  readonly hedgeLots: bigint;
  /**
   * Lots that running orders say are naked right now, whatever their side, each for no longer than a hedge may take. Undefined: the
   * orders could not be read, so nothing is known to explain anything.
   */
  readonly explainedLots: bigint | undefined;
}

export interface Books {
  /** The difference that nothing explains: how much, since when by this amount, since when at all. */
  off: { readonly lots: bigint; readonly sameSinceMs: number; readonly sinceMs: number } | undefined;
}

export type Verdict =
  | { readonly kind: 'even' }
  | { readonly kind: 'late'; readonly lots: bigint }
  | { readonly kind: 'wrong'; readonly lots: bigint; readonly forMs: number };

/** A hedge takes milliseconds, reads of the exchange lag by seconds; what stays longer than this is not late. */
export const LATE_MS_MAX = 4_000;
/** Trading on top of a difference makes every reading another one; that many readings in a row without an even one are no coincidence. */
const NEVER_EVEN_MS_MAX = 20_000;

export function newBooks(): Books {
  return { off: undefined };
}

export function judge(books: Books, { atMs, makerLots, hedgeLots, explainedLots }: Reading): Verdict {
  const lots = makerLots + hedgeLots;
  if (lots === 0n || abs(lots) <= (explainedLots ?? 0n)) {
    books.off = undefined;
    return lots === 0n ? { kind: 'even' } : { kind: 'late', lots };
  }
  const before = books.off;
  const off = {
    lots,
    sameSinceMs: before?.lots === lots ? before.sameSinceMs : atMs,
    sinceMs: before?.sinceMs ?? atMs,
  };
  books.off = off;
  const forMs = atMs - off.sinceMs;
  const stays = atMs - off.sameSinceMs >= LATE_MS_MAX || forMs >= NEVER_EVEN_MS_MAX;
  return stays ? { kind: 'wrong', lots, forMs } : { kind: 'late', lots };
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
