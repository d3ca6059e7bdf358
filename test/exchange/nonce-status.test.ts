/** Who consumed (lane, nonce)? Only positive evidence counts (P-07, P-16, P-18). */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Nonce } from '../../src/domain/ids-and-nonces';
import { findNonceFate, PAGE_ROWS, type ReadPage } from '../../src/exchange/lighter/nonce-status';
import { MalformedError } from '../../src/exchange/lighter/parse';
import { parseTxRow, type TxRow, type UnreadTxRow } from '../../src/exchange/lighter/parse-tx';

interface RowParts {
  readonly seq: number;
  readonly nonce: number;
  readonly lane?: number;
  readonly status?: number;
  readonly type?: number;
  readonly account?: number;
}
const T0 = 1_790_000_000_000;
const row = ({ seq, nonce, lane = 5, status = 2, type = 14, account = 516 }: RowParts): TxRow =>
  parseTxRow({
    hash: `h${seq}`,
    type,
    status,
    info: '{"ClientOrderIndex":1,"Index":1}',
    event_info: '{"ae":""}',
    account_index: account,
    api_key_index: lane,
    nonce,
    executed_at: T0 + seq,
    sequence_index: seq,
    transaction_index: 0,
  });
const query = { accountIndex: 516, lane: 5, nonce: 50n as Nonce, sinceMs: T0 };
const pageOf =
  (...rows: (TxRow | UnreadTxRow)[]): ReadPage =>
  () =>
    Promise.resolve({ ok: true, value: rows });
const nonceStatusOf = async (readPage: ReadPage, overrides: Partial<typeof query> = {}) => {
  const read = await findNonceFate({ ...query, ...overrides }, readPage);
  return read.ok ? read.value.kind : 'failed';
};

describe('one page', () => {
  const rows: [string, TxRow[], string][] = [
    ['nothing', [], 'unseen'],
    ['the nonce, executed', [row({ seq: 9, nonce: 50 })], 'consumed'],
    ['the nonce, pending', [row({ seq: 9, nonce: 50, status: 1 })], 'unseen'],
    ['the nonce, failed', [row({ seq: 9, nonce: 50, status: 0 })], 'unseen'],
    ['the nonce of another lane', [row({ seq: 9, nonce: 50, lane: 6 })], 'unseen'],
    ['the nonce of another account', [row({ seq: 9, nonce: 50, account: 517 })], 'unseen'],
    ['an internal transaction with that number', [row({ seq: 9, nonce: 50, type: 21 })], 'unseen'],
    ['only a higher one: nothing proves the read complete', [row({ seq: 9, nonce: 60 })], 'unseen'],
    ['only a lower one', [row({ seq: 9, nonce: 40 })], 'unseen'],
    ['a higher and a lower one (P-18)', [row({ seq: 9, nonce: 60 }), row({ seq: 8, nonce: 40 })], 'passed'],
    [
      'a higher one pending, and a lower one',
      [row({ seq: 9, nonce: 60, status: 1 }), row({ seq: 8, nonce: 40 })],
      'unseen',
    ],
    [
      'a higher one of another lane, and a lower one',
      [row({ seq: 9, nonce: 60, lane: 6 }), row({ seq: 8, nonce: 40 })],
      'unseen',
    ],
    [
      'a higher one, and anything before the nonce can have been used',
      [row({ seq: 9, nonce: 60 }), row({ seq: -1, nonce: 1, lane: 9 })],
      'passed',
    ],
    [
      'higher, the nonce, lower',
      [row({ seq: 9, nonce: 60 }), row({ seq: 8, nonce: 50 }), row({ seq: 7, nonce: 40 })],
      'consumed',
    ],
  ];
  test.each(rows)('%s', async (_name, page, kind) => {
    expect(await nonceStatusOf(pageOf(...page))).toBe(kind);
  });

  const unread = (parts: Partial<UnreadTxRow> = {}): UnreadTxRow => ({
    unread: new MalformedError('a row'),
    accountIndex: undefined,
    apiKeyIndex: undefined,
    nonce: undefined,
    ...parts,
  });
  const around = [row({ seq: 9, nonce: 60 }), row({ seq: 7, nonce: 40 })];
  test.each([
    ['that tells nothing', unread(), 'unseen'],
    ['of this lane', unread({ apiKeyIndex: 5, accountIndex: 516 }), 'unseen'],
    ['with this nonce', unread({ nonce: 50n }), 'unseen'],
    ['of another lane', unread({ apiKeyIndex: 6 }), 'passed'],
    ['of another account', unread({ accountIndex: 517 }), 'passed'],
    ['with another nonce', unread({ nonce: 49n }), 'passed'],
  ])('P-18 an unread row %s among a higher and a lower one: %#', async (_, hole, kind) => {
    expect(await nonceStatusOf(pageOf(around[0]!, hole, around[1]!))).toBe(kind);
  });

  test('P-18 on a brand-new lane: its key’s registration is the lower nonce; without any earlier row it stays unknown', async () => {
    const jump = row({ seq: 9, nonce: 1_000_000 });
    const registration = row({ seq: 2, nonce: 0, type: 8 });
    expect(await nonceStatusOf(pageOf(jump, registration))).toBe('passed');
    expect(await nonceStatusOf(pageOf(jump))).toBe('unseen');
  });

  test('an unread row does not take back what another one proves', async () => {
    expect(await nonceStatusOf(pageOf(unread(), row({ seq: 8, nonce: 50 })))).toBe('consumed');
  });

  test('P-07 a foreign transaction is shown as what it is', async () => {
    const read = await findNonceFate(query, pageOf(row({ seq: 9, nonce: 50, type: 20 })));
    expect(read).toMatchObject({ ok: true, value: { kind: 'consumed', tx: { type: 20 } } });
  });
});

/** A list of transactions, newest first, served the way a server might understand `index`. */
function serverOf(rows: readonly TxRow[], meaning: 'from' | 'before' | 'offset' | 'ignored'): ReadPage {
  const newest = [...rows].sort((a, b) => (b.sequenceIndex ?? 0) - (a.sequenceIndex ?? 0));
  return (index) => {
    const seq = (r: TxRow): number => r.sequenceIndex ?? 0;
    const from =
      index === undefined || meaning === 'ignored'
        ? newest
        : meaning === 'offset'
          ? newest.slice(index)
          : newest.filter((r) => (meaning === 'from' ? seq(r) <= index : seq(r) < index));
    return Promise.resolve({ ok: true, value: from.slice(0, PAGE_ROWS) });
  };
}
const history = (count: number) => Array.from({ length: count }, (_, i) => row({ seq: i + 1, nonce: i + 1, lane: 9 }));

describe('several pages', () => {
  const long = [row({ seq: 1, nonce: 50 }), ...history(350).map((_, i) => row({ seq: i + 2, nonce: i + 60 }))];
  test.each([
    ['from', 'consumed'],
    ['before', 'consumed'],
    ['ignored', 'unseen'],
  ] as const)('index means "%s": %s', async (meaning, kind) => {
    expect(await nonceStatusOf(serverOf(long, meaning))).toBe(kind);
  });

  test('thousands of newer transactions of others do not hide it (P-16)', async () => {
    const busy = [row({ seq: 1, nonce: 50 }), ...history(2_500).map((_, i) => row({ seq: i + 2, nonce: i, lane: 9 }))];
    expect(await nonceStatusOf(serverOf(busy, 'from'))).toBe('consumed');
  });

  test('a page with a hole before it proves nothing', async () => {
    // The hole hides the nonce itself: read without the overlap rule this is "passed".
    const rows = [row({ seq: 1, nonce: 40 }), row({ seq: 150, nonce: 50 })];
    for (let seq = 200; seq < 200 + PAGE_ROWS; seq += 1) rows.push(row({ seq, nonce: seq }));
    const holed: ReadPage = (index) => serverOf(rows, 'from')(index === undefined ? undefined : Math.min(index, 100));
    expect(await nonceStatusOf(holed)).toBe('unseen');
    expect(await nonceStatusOf(serverOf(rows, 'from'))).toBe('consumed');
  });

  test('P-18 a hole on one page is not forgotten on the next', async () => {
    const rows = [row({ seq: 1, nonce: 40 }), ...history(150).map((_, i) => row({ seq: i + 2, nonce: i + 60 }))];
    const whole = serverOf(rows, 'from');
    expect(await nonceStatusOf(whole)).toBe('passed');
    const holed: ReadPage = async (index) => {
      const page = await whole(index);
      if (!page.ok || index !== undefined) return page;
      const hole = {
        unread: new MalformedError('a row'),
        accountIndex: undefined,
        apiKeyIndex: undefined,
        nonce: undefined,
      };
      return { ok: true, value: [hole, ...page.value.slice(1)] };
    };
    expect(await nonceStatusOf(holed)).toBe('unseen');
  });

  test('a page that fails fails the read', async () => {
    const failing: ReadPage = (index) =>
      index === undefined ? serverOf(long, 'from')(undefined) : Promise.resolve({ ok: false, reason: 'HTTP 503' });
    expect(await nonceStatusOf(failing)).toBe('failed');
  });

  test('property: whatever the server means by index, the fate never contradicts the truth', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(5, 6)), {
          minLength: 1,
          maxLength: 320,
          size: 'max',
        }),
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom<'from' | 'before' | 'offset' | 'ignored'>('from', 'before', 'offset', 'ignored'),
        async (steps, wanted, meaning) => {
          const next = new Map([
            [5, 0],
            [6, 0],
          ]);
          const rows = steps.map(([step, lane], i) => {
            const nonce = (next.get(lane) ?? 0) + step;
            next.set(lane, nonce);
            return row({ seq: i + 1, nonce, lane });
          });
          const truth = rows.some(({ tx }) => tx.apiKeyIndex === 5 && tx.nonce === BigInt(wanted));
          const kind = await nonceStatusOf(serverOf(rows, meaning), { nonce: BigInt(wanted) as Nonce });
          if (kind === 'passed') expect(truth).toBe(false);
          if (kind === 'consumed') expect(truth).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
