/** What the list of transfers says was moved between both accounts: all of it, or that nobody knows. */
import { expect, test } from '@jest/globals';
import type { HistoryPage, HistoryTransfer } from '../../src/exchange/history';
import { sumOf, transfersSince } from '../../src/transfers/moved';

const midnight = BigInt(Date.UTC(2026, 10, 27)) * 1_000n;
const row = (atS: number, change: Partial<NonNullable<HistoryTransfer['between']>> = {}): HistoryTransfer => ({
  ...{ kind: 'transfer', id: String(atS), amountMicro: 0n, status: 'completed' },
  timeUs: midnight + BigInt(atS) * 1_000_000n,
  between: { from: 1, to: 2, amountMicro: 5_000_000n, txHash: `h${atS}`, ...change },
});
type Page = HistoryPage<HistoryTransfer> | Error;

async function moved(...pages: Page[]): Promise<bigint | string> {
  const read = await transfersSince(
    {
      transfers: (_kind, cursor) => {
        const page = pages[Number(cursor ?? 0)];
        if (page === undefined || page instanceof Error) return Promise.resolve({ ok: false, reason: 'HTTP 503' });
        return Promise.resolve({ ok: true, value: page });
      },
    },
    { sinceUs: midnight, accounts: [1, 2] },
  );
  return read.ok ? sumOf(read.value) : read.reason;
}

test('both ways, of these two accounts only, from midnight on', async () => {
  const rows = [row(50), row(40, { from: 2, to: 1 }), row(30, { to: 9 }), row(20, { from: 9, to: 2 }), row(0), row(-1)];
  expect(await moved({ rows, next: undefined })).toBe(15_000_000n);
});

test('to the page on which the day began, and no further', async () => {
  const pages: Page[] = [
    { rows: [row(50)], next: '1' },
    { rows: [row(5), row(-5)], next: '2' },
    new Error('not needed'),
  ];
  expect(await moved(...pages)).toBe(10_000_000n);
});

test('a page that cannot be read, and a day that does not end: unknown, whatever was read of it', async () => {
  expect(await moved({ rows: [row(50)], next: '1' }, new Error('cut'))).toBe('HTTP 503');
  const endless = Array.from({ length: 30 }, (_, n): Page => ({ rows: [row(900 - n)], next: String(n + 1) }));
  expect(await moved(...endless)).toMatch(/goes on/);
});
