/** What was moved between two accounts, as the exchange's own list says: never from memory, and unknown when it cannot be read to the end. */
import { notional, type Notional } from '../domain/lots';
import type { Read } from '../domain/records';
import type { HistoryPort, HistoryTransfer } from '../exchange/history';

type Between = NonNullable<HistoryTransfer['between']>;
export type Shown = Between & { readonly timeUs: bigint };

/** Of one account, a hundred rows each. */
const PAGES_MAX = 20;

/** All transfers between both accounts from `sinceUs` on, newest first. */
export async function transfersSince(
  history: Pick<HistoryPort, 'transfers'>,
  { sinceUs, accounts }: { readonly sinceUs: bigint; readonly accounts: readonly [number, number] },
): Promise<Read<readonly Shown[]>> {
  const found: Shown[] = [];
  let next: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const read = await history.transfers('transfer', next);
    if (!read.ok) return read;
    for (const { between, timeUs } of read.value.rows)
      if (between && timeUs >= sinceUs && isBetween(between, accounts)) found.push({ ...between, timeUs });
    const oldest = read.value.rows[read.value.rows.length - 1];
    next = read.value.next;
    if (next === undefined || (oldest !== undefined && oldest.timeUs < sinceUs)) return { ok: true, value: found };
  }
  return { ok: false, reason: `the list of transfers goes on beyond ${PAGES_MAX} pages for that time` };
}

export function sumOf(transfers: readonly Shown[]): Notional {
  return notional(transfers.reduce((sum, { amountMicro }) => sum + amountMicro, 0n));
}

function isBetween({ from, to }: Between, [one, other]: readonly [number, number]): boolean {
  return (from === one && to === other) || (from === other && to === one);
}
