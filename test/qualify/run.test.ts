/** `qualify` refuses to begin where it must not, stays within its limit, and leaves nothing behind, however it ends. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { notional } from '../../src/domain/lots';
import { RefusedError, type Outcome, type QualifyOptions } from '../../src/qualify';
import { A, B, PATIENT_MS, startBench, type Bench } from './harness';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

async function refuses(expected: RegExp, options: Partial<QualifyOptions> = {}): Promise<void> {
  await expect(bench.run(options)).rejects.toThrow(expected);
  await expect(bench.run(options)).rejects.toBeInstanceOf(RefusedError);
  for (const account of [A, B]) {
    const { requests } = bench.middle;
    expect([account, requests.filter(({ path }) => path === '/api/v1/sendTx')]).toEqual([account, []]);
  }
}

/** Nothing rests, nothing is held, no cancel-all is queued: as the exchange itself tells. */
async function isAsItWas(): Promise<void> {
  for (const account of [A, B]) {
    const response = await fetch(`${bench.paper.url}/api/v1/account?by=index&value=${account}`);
    const { accounts } = (await response.json()) as {
      accounts: {
        cancel_all_time: number;
        total_order_count: number;
        positions: { position: string; open_order_count: number }[];
      }[];
    };
    const [row] = accounts;
    expect(row?.cancel_all_time).toBe(0);
    for (const { position, open_order_count } of row?.positions ?? [])
      expect([Number(position), open_order_count]).toEqual([0, 0]);
  }
}

test('a position of ours', async () => {
  await bench.control('positions', { account_index: B, market_id: 1, change_by: '0.00010' });
  await refuses(/account 1002 \(B\) has a position: close it first/);
});

test('an order of ours', async () => {
  await bench.control('orders', {
    account_index: A,
    market_id: 1,
    is_ask: false,
    base_amount: '0.00100',
    price: '90000.0',
    type: 'post-only',
  });
  await refuses(/account 1001 \(A\) has 1 open orders: cancel them first/);
});

test('a limit too small for the smallest orders, with what they need', async () => {
  await refuses(/a limit of 5\.00 USDC is too small: the smallest orders of BTC need \d+\.\d\d/, {
    limit: notional(5_000_000),
  });
});

test('an unknown row, an unknown market', async () => {
  await refuses(/no row nonce-twice; there are: clock-difference, nonce-once/, { only: ['nonce-twice'] });
  await refuses(/no market DOGE/, { market: 'DOGE' });
});

test('the limit is looked at before each row', async () => {
  const only = ['order-bound', 'order-reduce-only', 'nonce-skip'];
  const { rows, spent, left } = await bench.run({ only, limit: notional(12_000_000) }, PATIENT_MS);
  expect(spent).toBeGreaterThan(0n);
  expect(rows.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'holds']);
  // Whatever the first has cost is more than what a limit of its very stake leaves to the second.
  const stake = await stakeOf();
  const tight = await bench.run({ only: ['order-bound', 'order-reduce-only'], limit: stake }, PATIENT_MS);
  expect(tight.rows[1]).toMatchObject({
    verdict: 'not tried',
    seen: expect.stringMatching(/^the limit: 0\.\d\d USDC are spent/),
  });
  expect([tight.passed, tight.left, left]).toEqual([false, [], []]);
});

test('a balance that cannot be read after a row: what costs money waits until it can, and the end says what is not known', async () => {
  const only = ['order-bound', 'order-reduce-only', 'stream-filled', 'token-bounds'];
  let unread = 0;
  bench.middle.onRequest = ({ path }) =>
    path === '/api/v1/account' && unread-- > 0 ? { status: 503, body: '' } : undefined;
  const run = (readings: number): Promise<Outcome> => {
    unread = 0;
    const onRow: QualifyOptions['onRow'] = ({ id }) => void (id === 'order-bound' && (unread = readings));
    return bench.run({ only, onRow }, PATIENT_MS);
  };
  const verdictsOf = ({ rows }: Outcome): string[] => rows.map(({ verdict }) => verdict);

  const once = await run(1);
  expect(verdictsOf(once)).toEqual(['holds', 'not tried', 'holds', 'holds']);
  expect(once.rows[1]?.seen).toMatch(
    /^what the rows before have cost cannot be read \(.*HTTP 503.*\): .*0\.00 USDC .*--only/,
  );
  expect([once.left, once.spent]).toEqual([[], expect.any(BigInt)]);

  const toTheEnd = await run(Infinity);
  expect(verdictsOf(toTheEnd)).toEqual(['holds', 'not tried', 'not tried', 'holds']);
  expect([toTheEnd.passed, toTheEnd.spent]).toEqual([false, undefined]);
});

/** What the smallest order is worth, to the micro-USDC. */
async function stakeOf(): Promise<ReturnType<typeof notional>> {
  const read = async (path: string): Promise<Record<string, never>> =>
    (await (await fetch(`${bench.paper.url}/api/v1/${path}`)).json()) as Record<string, never>;
  const { asks } = (await read('orderBookOrders?market_id=1&limit=1')) as unknown as { asks: { price: string }[] };
  const { order_books } = (await read('orderBooks?market_id=1')) as unknown as {
    order_books: { min_base_amount: string; min_quote_amount: string }[];
  };
  const ticks = Math.round(Number(asks[0]?.price) * 10);
  const [minLots, minMicro] = [
    Number(order_books[0]?.min_base_amount) * 1e5,
    Number(order_books[0]?.min_quote_amount) * 1e6,
  ];
  return notional(Math.max(Math.round(minLots), Math.ceil(minMicro / ticks)) * ticks);
}

test('where money is real, rows that trade between A and B are left out, and count neither way', async () => {
  const only = ['order-cancel-race', 'nonce-bound', 'nonce-skip'];
  const { rows, passed } = await bench.run({ only, isRealMoney: true }, PATIENT_MS);
  expect(rows.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
    'nonce-skip holds',
    'nonce-bound not tried',
    'order-cancel-race not tried',
  ]);
  expect(passed).toBe(true);
});

test('a person interrupts while an order rests and the switch is set: both are taken back', async () => {
  const stop = new AbortController();
  bench.middle.onFrame = ({ direction, text }) => {
    if (direction === 'in' && text.includes('update/account_all_orders') && text.includes('"status":"open"'))
      stop.abort();
    return undefined;
  };
  const { rows, left, passed } = await bench.run(
    { only: ['switch-aborted', 'nonce-skip'], signal: stop.signal },
    PATIENT_MS,
  );
  expect(rows.map(({ id, verdict, seen }) => `${id}: ${verdict}, ${seen}`)).toEqual([
    'nonce-skip: holds, jump 200, the exact next 200',
    'switch-aborted: not tried, interrupted',
  ]);
  expect([left, passed]).toEqual([[], false]);
  await isAsItWas();
});

test('an interruption before the first row: nothing is tried', async () => {
  const stop = new AbortController();
  const { rows, left } = await bench.run({
    only: ['nonce-skip', 'order-bound'],
    signal: stop.signal,
    onBegin: () => stop.abort(),
  });
  expect([rows.map(({ verdict }) => verdict), left]).toEqual([['not tried', 'not tried'], []]);
  await isAsItWas();
});

test('an order that executes after the last look is waited for, and closed', async () => {
  await bench.control('faults', {
    on: 'sequencer',
    action: 'delay',
    ms: 2_000,
    match: { account_index: B, tx_type: 14 },
    count: 1,
  });
  const { rows, left } = await bench.run({ only: ['order-below-minimum'] });
  expect(rows[0]?.verdict).toBe('does not hold');
  expect(left).toEqual([]);
  await isAsItWas();
});

test('what could not be taken away is said, with what to do', async () => {
  const faults = [15, 16].map((tx_type) => ({
    on: 'request',
    action: 'answer',
    status: 400,
    code: 21505,
    match: { account_index: A, tx_type, path: 'sendTx' },
    count: 0,
  }));
  bench.middle.onFrame = ({ direction, text }) => {
    if (direction === 'in' && text.includes('"status":"open"')) void bench.control('faults', faults);
    return undefined;
  };
  const outcome = await bench.run({ only: ['order-expiry'] });
  expect(outcome.left).toEqual([expect.stringMatching(/^account 1001: order \d+ rests; cancel it$/)]);
  expect(outcome.passed).toBe(false);
});

test('an exchange that limits us shows nothing about what is assumed', async () => {
  const limited = { on: 'request', action: 'answer', status: 429, code: 23000, count: 0 };
  await bench.control('faults', { ...limited, match: { path: '/api/v1/sendTx' } });
  const { rows, left, passed } = await bench.run({ only: ['nonce-skip', 'code-market'] });
  expect(rows.map(({ verdict, seen }) => `${verdict}: ${seen}`)).toEqual(
    Array(2).fill(expect.stringMatching(/^not tried: \/api\/v1\/sendTx answered 429 23000 .*try again later$/)),
  );
  expect([left, passed]).toEqual([[], false]);
});
