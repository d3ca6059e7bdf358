/**
 * Do the two accounts mirror each other? Pure: readings in, findings out.
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
  /** What running orders say is naked. Undefined: they could not be read, so nothing is known to explain anything. */
  readonly words: readonly Word[] | undefined;
}

/** A running order says that something of it is naked. */
export interface Word {
  /** Signed: what its fill makes A + B differ by. */
  readonly lots: bigint;
  /** Since when it has said so. */
  readonly sinceMs: number;
}

export interface Books {
  /** What was read last, oldest first. */
  recent: { readonly atMs: number; readonly lots: bigint }[];
  /** The difference that nothing explains: how much, since when by this amount, since when at all. */
  off: { readonly lots: bigint; readonly sameSinceMs: number; readonly sinceMs: number } | undefined;
}

export type Reconciliation =
  | { readonly kind: 'even' }
  /** `explained`: an order says that it is hedging it. */
  | { readonly kind: 'late'; readonly lots: bigint; readonly explained: boolean }
  | { readonly kind: 'wrong'; readonly lots: bigint; readonly forMs: number };

/** A hedge takes milliseconds, reads of the exchange lag by seconds; what stays longer than this is not late. */
export const LATE_MS_MAX = 4_000;
/** Trading on top of a difference makes every reading another one; that many readings in a row without an even one are no coincidence. */
const NEVER_EVEN_MS_MAX = 20_000;
/** A word is heard within a reading or two of the difference that it explains. One that is older was there when the books were even. */
const WORD_FIRST_MS_MAX = 10_000;
/** Readings in which the same difference is met more often than not, although it is explained each time: no coincidence either. */
const OFTEN = { ofMs: 20_000, readingsMin: 6, share: 0.7 };

export function newBooks(): Books {
  return { recent: [], off: undefined };
}

export function reconcile(books: Books, { atMs, makerLots, hedgeLots, words = [] }: Reading): Reconciliation {
  const lots = makerLots + hedgeLots;
  const lastEvenMs = books.recent.findLast((one) => one.lots === 0n)?.atMs ?? -Infinity;
  books.recent = [...books.recent.filter((one) => atMs - one.atMs <= OFTEN.ofMs), { atMs, lots }];
  if (lots === 0n) {
    books.off = undefined;
    return { kind: 'even' };
  }
  const heard = words.filter((word) => word.lots > 0n === lots > 0n && word.sinceMs >= lastEvenMs - WORD_FIRST_MS_MAX);
  const oftenSinceMs = oftenSince(books, lots);
  if (oftenSinceMs !== undefined && abs(lots) > sum(heard.filter((word) => word.sinceMs <= oftenSinceMs + LATE_MS_MAX)))
    return { kind: 'wrong', lots, forMs: atMs - oftenSinceMs };
  if (abs(lots) <= sum(heard)) {
    books.off = undefined;
    return { kind: 'late', lots, explained: true };
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
  return stays ? { kind: 'wrong', lots, forMs } : { kind: 'late', lots, explained: false };
}

/**
 * Since when most readings have met just this difference. In a busy market fills follow each other without a pause, and some order or
 * other explains any difference of its size; but a hedge takes a fraction of a second, so most readings would be even.
 */
function oftenSince({ recent }: Books, lots: bigint): number | undefined {
  const same = recent.filter((one) => one.lots === lots);
  const [first] = same;
  const last = same.at(-1);
  if (!first || !last || last.atMs - first.atMs < OFTEN.ofMs / 2) return undefined;
  return recent.length >= OFTEN.readingsMin && same.length >= OFTEN.share * recent.length ? first.atMs : undefined;
}

function sum(words: readonly Word[]): bigint {
  return words.reduce((total, word) => total + abs(word.lots), 0n);
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
