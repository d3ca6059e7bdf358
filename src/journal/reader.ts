/**
 * Reads the exchange's lists into the journal, newest page first, back to what the last reading had seen and a while before.
 *
 * Lists show their rows late, each on its own, by up to 20 s (LP §1.4): a row that is missing now may be older than rows that are
 * there. So each reading goes back by `OVERLAP_US` beyond the one before, and counts as complete only `LAG_US` later. A list that ends
 * before it gets there has been cut: that is a gap, which is recorded and never filled by guessing.
 */
import type { Read } from '../domain/records';
import type { HistoryPage, HistoryPort, TransferKind } from '../exchange/history';
import type { BalanceRead, Gap, Source } from './rows';
import type { Reading, Store } from './store';

/** Three times the worst that was seen. */
export const OVERLAP_US = 60_000_000n;
/** A busy week away; what is beyond is a gap. */
const PAGES_MAX = 400;

/** Resolves when the next request is within the budget; false when there shall be none. */
export type Turn = () => Promise<boolean>;

export interface ReadResult {
  readonly rows: number;
  readonly gap: Gap | undefined;
}

interface Timed {
  readonly timeUs: bigint;
}

/** One reading of one list. Rejects when the database fails; a reason when the exchange does. */
export async function readSource(
  history: HistoryPort,
  store: Store,
  { source, nowUs, turn }: { readonly source: Source; readonly nowUs: () => bigint; readonly turn: Turn },
): Promise<Read<ReadResult>> {
  const account = history.accountIndex;
  const cursor = await store.cursor(account, source);
  const backTo = cursor === undefined ? undefined : cursor - OVERLAP_US;
  const readUntilUs = nowUs();
  const reading = (rows: Partial<Reading>, gap?: Gap): Reading => ({
    ...{ account, source, readUntilUs, ...rows },
    ...(gap === undefined ? {} : { gap }),
  });
  const conclude = async <T extends Timed>(
    read: Read<Pages<T>>,
    rowsOf: (rows: readonly T[]) => Partial<Reading>,
  ): Promise<Read<ReadResult>> => {
    if (!read.ok) return read;
    const { rows, isCut, isLong } = read.value;
    const oldest = rows[rows.length - 1];
    const before = isCut && cursor !== undefined && (await store.hasBefore(account, source, cursor - OVERLAP_US));
    const gap =
      isLong || (before && backTo !== undefined)
        ? {
            account,
            source,
            fromUs: backTo ?? 0n,
            untilUs: oldest?.timeUs ?? readUntilUs,
            why: isLong
              ? `the list goes on beyond ${PAGES_MAX} pages, and no further was read`
              : 'the list no longer reaches back to the last reading',
          }
        : undefined;
    await store.add(reading(rowsOf(rows), gap));
    return { ok: true, value: { rows: rows.length, gap } };
  };
  const pages = <T extends Timed>(readPage: ReadPage<T>): Promise<Read<Pages<T>>> =>
    readBack(readPage, { backTo, turn });
  switch (source) {
    case 'trades':
      return conclude(await pages((next) => history.trades(next)), (trades) => ({ trades }));
    case 'fundings':
      return conclude(await pages((next) => history.fundings(next)), (fundings) => ({ fundings }));
    case 'transfer':
    case 'deposit':
    case 'withdrawal':
      return conclude(await pages((next) => history.transfers(source satisfies TransferKind, next)), (transfers) => ({
        transfers,
      }));
  }
}

type ReadPage<T> = (next: string | undefined) => Promise<Read<HistoryPage<T>>>;

interface Pages<T> {
  readonly rows: readonly T[];
  /** The list ended before it reached what was wanted. */
  readonly isCut: boolean;
  /** It goes on, and was left. */
  readonly isLong?: true;
}

/** All pages back to `backTo`; without one to the end of the list. */
async function readBack<T extends Timed>(
  readPage: ReadPage<T>,
  { backTo, turn }: { readonly backTo: bigint | undefined; readonly turn: Turn },
): Promise<Read<Pages<T>>> {
  const rows: T[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    if (!(await turn())) return { ok: false, reason: 'the journal ends' };
    const read = await readPage(next);
    if (!read.ok) return read;
    rows.push(...read.value.rows);
    const oldest = read.value.rows[read.value.rows.length - 1];
    if (backTo !== undefined && oldest !== undefined && oldest.timeUs < backTo)
      return { ok: true, value: { rows, isCut: false } };
    next = read.value.next;
    if (next === undefined) return { ok: true, value: { rows, isCut: backTo !== undefined } };
  }
  return { ok: true, value: { rows, isCut: true, isLong: true } };
}

export async function readBalance(history: HistoryPort, nowUs: () => bigint): Promise<Read<BalanceRead>> {
  const askedUs = nowUs();
  const read = await history.money();
  if (!read.ok) return read;
  return { ok: true, value: { account: history.accountIndex, askedUs, answeredUs: nowUs(), ...read.value } };
}
