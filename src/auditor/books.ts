/**
 * Do the two accounts mirror each other? Pure: readings in, verdict out.
 *
 * A holds positions, B their mirror, so A + B is what is naked. A difference may be *late* (a fill whose hedge is under way, two reads
 * some moments apart: S-24) or *wrong* (nothing explains it, and it stays). Only the second is an alarm.
 */
export interface Reading {
  readonly atMs: number;
  /** Signed positions in lots. */
  readonly makerLots: bigint;
  readonly hedgeLots: bigint;
  /** Lots that running orders say are naked right now, whatever their side. */
  readonly nakedLots: bigint;
  /** Signed lots that orders which have ended reported as left naked: known, alerted, not ours to explain again. */
  readonly abandonedLots: bigint;
}

export interface Books {
  /** A + B before our first order: taken as given, and said so. */
  startLots: bigint | undefined;
  off: { readonly lots: bigint; readonly sinceMs: number } | undefined;
}

export type Verdict =
  | { readonly kind: 'even' }
  | { readonly kind: 'started-off'; readonly lots: bigint }
  | { readonly kind: 'late'; readonly lots: bigint }
  | { readonly kind: 'wrong'; readonly lots: bigint; readonly forMs: number };

/** A hedge takes milliseconds, reads of the exchange lag by seconds; what stays longer than this is not late. */
export const LATE_MS_MAX = 4_000;

export function newBooks(): Books {
  return { startLots: undefined, off: undefined };
}

export function judge(books: Books, reading: Reading): Verdict {
  const net = reading.makerLots + reading.hedgeLots;
  if (books.startLots === undefined) {
    if (reading.nakedLots > 0n) return { kind: 'late', lots: net };
    const given = net - reading.abandonedLots;
    // Started in the middle of trading, a fill whose hedge is under way is not "before our time": only what stays is.
    if (given !== 0n && books.off?.lots !== given) books.off = { lots: given, sinceMs: reading.atMs };
    if (given !== 0n && reading.atMs - (books.off?.sinceMs ?? 0) < LATE_MS_MAX) return { kind: 'late', lots: net };
    books.startLots = given;
    books.off = undefined;
    return net === 0n ? { kind: 'even' } : { kind: 'started-off', lots: net };
  }
  const lots = net - books.startLots - reading.abandonedLots;
  if (lots === 0n || abs(lots) <= reading.nakedLots) {
    books.off = undefined;
    return lots === 0n ? { kind: 'even' } : { kind: 'late', lots };
  }
  // Another amount is another story: its clock starts anew.
  if (books.off?.lots !== lots) books.off = { lots, sinceMs: reading.atMs };
  const forMs = reading.atMs - books.off.sinceMs;
  return forMs >= LATE_MS_MAX ? { kind: 'wrong', lots, forMs } : { kind: 'late', lots };
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
