/**
 * Who consumed (lane, nonce)? Reads `accountTxs` back until it is known (LP §3.6, §3.7).
 *
 * A read is complete when it goes back, without a hole, to a lower nonce of the lane or to a time before the nonce can have been used.
 * `passed` needs a complete read and an executed transaction of the lane with a higher nonce. Everything else is `unseen`. A row that
 * cannot be read and may be the one we look for leaves a hole; a row that is read proves what it proves. A row of the nonce that did
 * not execute, pending or failed, makes the finding contested.
 */
import type { Nonce } from '../../domain/ids-and-nonces';
import { usesLaneNonce, type NonceStatus, type Read, type TxRecord } from '../../domain/records';
import type { TxRow, UnreadTxRow } from './parse-tx';

export const PAGE_ROWS = 100;
/** Ten thousand transactions back: a guard. On a busy account what one order waits for is soon thousands of rows down. */
const PAGES_MAX = 100;

export interface NonceQuery {
  readonly accountIndex: number;
  readonly lane: number;
  readonly nonce: Nonce;
  readonly sinceMs: number;
}

/** Reads one page, newest first; `index` as the exchange's parameter of that name. */
export type ReadPage = (index: number | undefined) => Promise<Read<TxPage>>;
type TxPage = readonly (TxRow | UnreadTxRow)[];

export async function findNonceFate(query: NonceQuery, readPage: ReadPage): Promise<Read<NonceStatus>> {
  const walk = new Walk(query);
  const first = await readPage(undefined);
  if (!first.ok) return first;
  let page = first.value;
  for (let pages = 1; ; pages += 1) {
    const nonceStatus = walk.take(page);
    if (nonceStatus !== undefined) return { ok: true, value: nonceStatus };
    if (page.length < PAGE_ROWS || pages === PAGES_MAX) return { ok: true, value: walk.unseen(false) };
    const next = await readOlder(page, readPage);
    if (!next.ok) return next;
    if (next.value === undefined) return { ok: true, value: walk.unseen(false) };
    page = next.value;
  }
}

/** What has been read so far, newest to oldest. */
class Walk {
  #later: TxRecord | undefined;
  #isHoled = false;
  #isContested = false;

  constructor(private readonly query: NonceQuery) {}

  take(page: TxPage): NonceStatus | undefined {
    const { nonce, sinceMs } = this.query;
    const read = readRows(page);
    this.#isHoled ||= page.some((row) => 'unread' in row && this.#mayBeIt(row));
    const ofLane = read.filter(({ tx }) => this.#isOfLane(tx));
    this.#isContested ||= ofLane.some(({ tx }) => tx.nonce === nonce && tx.status !== 'executed');
    const rows = ofLane.filter(({ tx }) => tx.status === 'executed'); // only what executed consumes a nonce
    const consumed = rows.find(({ tx }) => tx.nonce === nonce);
    if (consumed !== undefined) return { kind: 'consumed', tx: consumed.tx };
    this.#later ??= rows.find(({ tx }) => tx.nonce > nonce)?.tx;
    if (this.#isHoled) return undefined;
    const reachedLower = rows.some(({ tx }) => tx.nonce < nonce);
    const reachedPast = read.some(({ timeMs }) => timeMs > 0 && timeMs < sinceMs);
    if (!reachedLower && !reachedPast) return undefined;
    const isContested = this.#isContested;
    return this.#later === undefined ? this.unseen(true) : { kind: 'passed', by: this.#later, isContested };
  }

  unseen(isComplete: boolean): NonceStatus {
    return { kind: 'unseen', isComplete, isContested: this.#isContested };
  }

  #mayBeIt({ accountIndex, apiKeyIndex, nonce }: UnreadTxRow): boolean {
    const { query } = this;
    return (
      (accountIndex ?? query.accountIndex) === query.accountIndex &&
      (apiKeyIndex ?? query.lane) === query.lane &&
      (nonce ?? query.nonce) === query.nonce
    );
  }

  #isOfLane(tx: TxRecord): boolean {
    const { accountIndex, lane } = this.query;
    return tx.accountIndex === accountIndex && tx.apiKeyIndex === lane && usesLaneNonce(tx.type);
  }
}

/**
 * The page before this one; undefined when it cannot be had without a hole.
 *
 * What `index` counts is not documented. So we ask from the last row but one, by either number a row carries, and believe only a
 * page that overlaps the present one: whichever reading of `index` is right, an overlap proves that nothing lies between.
 */
async function readOlder(page: TxPage, readPage: ReadPage): Promise<Read<TxPage | undefined>> {
  const read = readRows(page);
  for (const key of ['sequenceIndex', 'transactionIndex'] as const) {
    const numbers = read.flatMap((row) => row[key] ?? []).sort((a, b) => a - b);
    const from = numbers.length === read.length ? numbers[1] : undefined;
    if (from === undefined) continue;
    const next = await readPage(from);
    if (!next.ok) return next;
    const known = new Set(read.map(({ tx }) => tx.hash));
    const older = readRows(next.value);
    const overlaps = older.some(({ tx }) => known.has(tx.hash));
    if (overlaps && older.some(({ tx }) => !known.has(tx.hash))) return next;
  }
  return { ok: true, value: undefined };
}

function readRows(page: TxPage): TxRow[] {
  return page.filter((row): row is TxRow => !('unread' in row));
}
