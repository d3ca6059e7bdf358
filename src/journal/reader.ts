/**
 * Reads the exchange's lists into the journal, newest page first, back to what the last reading had seen and a while before.
 *
 * Lists show their rows late, each on its own, by up to 20 s (LP §1.4): a row that is missing now may be older than rows that are
 * there. So each reading goes back by `OVERLAP_US` beyond the one before, and counts as complete only `LAG_US` later. A list that ends
 * before it gets there has been cut: that is a gap, which is recorded and never filled by guessing.
 *
 * Each page is kept as it comes, with the way to the next one: a reading that fails half-way goes on from there, in another process too.
 * It counts as complete once it has come to its end, from the moment at which it began.
 */
import type { Read } from '../domain/records';
import type { HistoryPage, HistoryPort } from '../exchange/history';
import type { BalanceRead, Gap, Source } from './rows';
import type { Rows, Store } from './store';

/** Three times the worst that was seen. */
export const OVERLAP_US = 60_000_000n;
/** A busy week away; what is beyond is a gap. */
const PAGES_MAX = 400;
/** So often a page may fail; then its list is begun anew: its place may be one that the exchange no longer knows. */
const FAILURES_MAX = 5;

/** Resolves when the next request is within the budget; false when there shall be none. */
export type Turn = () => Promise<boolean>;

export interface ReadResult {
  readonly gap: Gap | undefined;
}

/** One reading of one list. Rejects when the database fails; a reason when the exchange does. */
export async function readSource(
  history: HistoryPort,
  store: Store,
  { source, nowUs, turn }: { readonly source: Source; readonly nowUs: () => bigint; readonly turn: Turn },
): Promise<Read<ReadResult>> {
  const of = { account: history.accountIndex, source };
  const cursor = await store.cursor(of.account, source);
  const backTo = cursor === undefined ? undefined : cursor - OVERLAP_US;
  const begun = await store.paging(of.account, source);
  const beganUs = begun?.beganUs ?? nowUs();
  let next = begun?.next;
  for (let pages = begun?.pages ?? 0; ;) {
    if (!(await turn())) return { ok: false, reason: 'the journal ends' };
    const read = await readPage(history, source, next);
    if (!read.ok) {
      await store.pageFailed(of.account, source, FAILURES_MAX);
      return read;
    }
    const { rows, oldestUs } = read.value;
    ({ next } = read.value);
    pages += 1;
    const isReached = backTo !== undefined && oldestUs !== undefined && oldestUs < backTo;
    if (!isReached && next !== undefined && pages < PAGES_MAX) {
      await store.add({ ...of, ...rows, paging: { next, beganUs, pages } });
      continue;
    }
    const why = isReached ? undefined : await whyCut(store, of, { backTo, isLong: next !== undefined });
    const gap = why === undefined ? undefined : { ...of, fromUs: backTo ?? 0n, untilUs: oldestUs ?? beganUs, why };
    await store.add({ ...of, ...rows, readUntilUs: beganUs, ...(gap === undefined ? {} : { gap }) });
    return { ok: true, value: { gap } };
  }
}

/** Of a list that did not reach back to where the reading before had been: undefined where nothing is missing. */
async function whyCut(
  store: Store,
  { account, source }: { readonly account: number; readonly source: Source },
  { backTo, isLong }: { readonly backTo: bigint | undefined; readonly isLong: boolean },
): Promise<string | undefined> {
  if (isLong) return `the list goes on beyond ${PAGES_MAX} pages, and no further was read`;
  if (backTo === undefined || !(await store.hasBefore(account, source, backTo))) return undefined;
  return 'the list no longer reaches back to the last reading';
}

interface PageRead {
  readonly rows: Rows;
  readonly oldestUs: bigint | undefined;
  readonly next: string | undefined;
}

async function readPage(history: HistoryPort, source: Source, next: string | undefined): Promise<Read<PageRead>> {
  switch (source) {
    case 'trades':
      return pageOf(await history.trades(next), (trades) => ({ trades }));
    case 'fundings':
      return pageOf(await history.fundings(next), (fundings) => ({ fundings }));
    case 'orders':
      return pageOf(await history.orders(next), (orders) => ({ orders }));
    case 'transfer':
    case 'deposit':
    case 'withdrawal':
      return pageOf(await history.transfers(source, next), (transfers) => ({ transfers }));
  }
}

function pageOf<T extends { readonly timeUs: bigint }>(
  read: Read<HistoryPage<T>>,
  rowsOf: (rows: readonly T[]) => Rows,
): Read<PageRead> {
  if (!read.ok) return read;
  const { rows, next } = read.value;
  return { ok: true, value: { rows: rowsOf(rows), oldestUs: rows[rows.length - 1]?.timeUs, next } };
}

/** A bracket longer than this holds more movements than can be told apart. */
const BRACKET_US = 1_000_000n;
const TRIES = 3;

/** What all accounts have, read at one moment, so that what one holds and the other lacks is not the market's way in between. */
export async function readBalances(
  histories: readonly HistoryPort[],
  { nowUs, turn }: { readonly nowUs: () => bigint; readonly turn: Turn },
): Promise<Read<readonly BalanceRead[]>> {
  for (let tries = 1; ; tries++) {
    for (let i = 0; i < histories.length; i++) if (!(await turn())) return { ok: false, reason: 'the journal ends' };
    const askedUs = nowUs();
    const answers = await Promise.all(histories.map((history) => history.money()));
    const answeredUs = nowUs();
    if (answeredUs - askedUs > BRACKET_US && tries < TRIES) continue;
    const balances: BalanceRead[] = [];
    for (const [i, answer] of answers.entries()) {
      const account = histories[i]?.accountIndex ?? 0;
      if (!answer.ok) return { ok: false, reason: `account ${account}: ${answer.reason}` };
      balances.push({ account, askedUs, answeredUs, ...answer.value });
    }
    return { ok: true, value: balances };
  }
}
