/** Parsers on what was recorded, on the known quirks, and on garbage (S-33, P-12). */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseBookFrame } from '../../src/exchange/lighter/book';
import {
  MalformedError,
  parseNextNonce,
  parseOrder,
  parseOrderRows,
  rawOrdersOf,
  UnknownMarketError,
  type MarketLookup,
} from '../../src/exchange/lighter/parse';
import { rawTradesOf } from '../../src/exchange/lighter/parse-trades';
import { parseAnnouncements, parseMarketDetails, parseMarkets } from '../../src/exchange/lighter/parse-market';
import { parseTxRow, rawTxsOf } from '../../src/exchange/lighter/parse-tx';
import { parseAccount } from '../../src/exchange/lighter/read-account';
import { positionIn } from '../../src/domain/records';
import { fixture } from './support';

const fail = (error: MalformedError): never => {
  throw error;
};
const list = parseMarkets(fixture('order-books.json'), fail);
const markets: MarketLookup = (id) => list.find(({ marketId }) => marketId === id);
const of = (accountIndex: number) => ({ accountIndex, markets });
const recordedOrder = (fixture('account-active-orders.json')['orders'] as Record<string, unknown>[])[0] ?? {};

test('markets: scale, minima and market 0 (S-25)', () => {
  expect(list).toEqual([
    {
      marketId: 0,
      symbol: 'ETH',
      sizeDecimals: 4,
      priceDecimals: 2,
      minBaseLots: 50n,
      minQuote: 10_000_000n,
    },
    {
      marketId: 1,
      symbol: 'BTC',
      sizeDecimals: 5,
      priceDecimals: 1,
      minBaseLots: 20n,
      minQuote: 10_000_000n,
    },
    {
      marketId: 36,
      symbol: 'CRV',
      sizeDecimals: 1,
      priceDecimals: 5,
      minBaseLots: 350n,
      minQuote: 10_000_000n,
    },
  ]);
});

test('markets: an unreadable row is left out and reported, the others stay', () => {
  const body = fixture<{ order_books: unknown[] }>('order-books.json');
  const rejected: string[] = [];
  const kept = parseMarkets({ order_books: [{ symbol: 'NEW' }, ...body.order_books] }, (e) => rejected.push(e.message));
  expect(kept).toHaveLength(3);
  expect(rejected).toHaveLength(1);
});

test('an order: recorded row', () => {
  expect(parseOrderRows(fixture('account-active-orders.json'), of(516)).orders).toEqual([
    {
      accountIndex: 516,
      marketId: 1,
      orderIndex: 844424912956320n,
      clientOrderIndex: 178554256601n,
      side: 'buy',
      status: 'open',
      initialLots: 100n,
      filledLots: 0n,
      filledQuote: 0n,
      priceTicks: 566082n,
      transactionTimeUs: 1785542568396486,
    },
  ]);
});

test('a cancelled order: filled is what filled, not what does not remain (LP §0.1 (9))', () => {
  const [raw] = rawOrdersOf(fixture('account-all-orders-canceled.json'));
  expect(parseOrder(raw, markets)).toMatchObject({
    status: 'canceled',
    filledLots: 20n,
    initialLots: 100n,
    filledQuote: 11_321_640n,
  });
});

test('P-12 an order id above 2^53 is exact, although JSON.parse rounds its number', () => {
  const body = fixture<{ orders: { order_index: number; order_id?: string }[] }>('order-above-2-53.json');
  expect(BigInt(body.orders[0]?.order_index ?? 0)).not.toBe(10414574259102759n);
  expect(parseOrderRows(body, of(516)).orders[0]?.orderIndex).toBe(10414574259102759n);
  delete body.orders[0]?.order_id;
  expect(parseOrderRows(body, of(516))).toMatchObject({ orders: [], unread: [{ error: expect.any(MalformedError) }] });
});

test('empty lists: null and [] and {} are empty, absent is malformed', () => {
  expect(parseOrderRows({ orders: null }, of(516))).toEqual({ orders: [], unread: [] });
  expect(parseOrderRows({ orders: [] }, of(516))).toEqual({ orders: [], unread: [] });
  expect(rawOrdersOf({ orders: {} })).toEqual([]);
  expect(rawOrdersOf({ orders: null })).toEqual([]);
  expect(rawOrdersOf({ orders: { '1': null } })).toEqual([]);
  expect(rawTxsOf({ txs: null })).toEqual([]);
  for (const parse of [() => parseOrderRows({ code: 200 }, of(516)), () => rawOrdersOf({}), () => rawTxsOf({})]) {
    expect(parse).toThrow(MalformedError);
  }
});

test.each([
  ['a negative fill', { filled_base_amount: '-0.00001' }],
  ['a fill finer than a lot', { filled_base_amount: '0.000001' }],
  ['a float fill', { filled_base_amount: 0.001 }],
  ['a fill in exponent form', { filled_base_amount: '1e-3' }],
  ['no side', { is_ask: undefined }],
  ['a client id of 49 bits', { client_order_id: '281474976710656' }],
  ['an id that is no number', { order_id: '12x' }],
  ['an unknown market', { market_index: 7 }],
])('an order with %s is refused', (_name, change) => {
  expect(() => parseOrder({ ...recordedOrder, ...change }, markets)).toThrow(MalformedError);
});

test.each([
  ['another word', 'canceled-of-tomorrow', 'canceled-of-tomorrow'],
  ['null', null, 'null'],
  ['a number', 7, '7'],
  ['our own word for it', 'unknown', 'unknown'],
  ['nothing', undefined, 'none'],
])('P-23 a status that is %s takes nothing from the amount, and ends no order', (_name, status, statusWord) => {
  const { status: _, ...rest } = recordedOrder;
  const partly: Record<string, unknown> = {
    ...{ ...rest, filled_base_amount: '0.00020' },
    ...(status === undefined ? {} : { status }),
  };
  expect(parseOrder(partly, markets)).toMatchObject({ status: 'unknown', statusWord, filledLots: 20n });
  // Whatever it is called: the list of those that ended, or the whole amount, says that it is over.
  expect(parseOrderRows({ orders: [partly] }, { ...of(516), ended: true }).orders).toMatchObject([
    { status: 'canceled', statusWord, filledLots: 20n },
  ]);
  const whole = { ...partly, filled_base_amount: partly['initial_base_amount'] };
  expect(parseOrder(whole, markets)).toMatchObject({ status: 'filled', statusWord, filledLots: 100n });
});

test('P-23 what is no list in one market of a frame hides no order of another market', () => {
  const raws = rawOrdersOf({ orders: { '0': 'x', '1': [recordedOrder], '2': null, '3': { a: 1 } } });
  expect(raws).toEqual(['x', recordedOrder, { a: 1 }]);
  expect(rawTradesOf({ trades: { '0': 7, '1': [{ b: 1 }] } })).toEqual([7, { b: 1 }]);
  expect(rawTradesOf({ trades: null })).toEqual([]);
});

test('an unknown market is told apart, so that the list can be read again', () => {
  expect(() => parseOrder({ ...recordedOrder, market_index: 7 }, markets)).toThrow(UnknownMarketError);
});

test('a bad row of a REST list is told apart, with its client order index if that can be read; so is another account’s', () => {
  const { orders, unread } = parseOrderRows(
    {
      orders: [recordedOrder, { order_id: '1' }, { ...recordedOrder, price: 'free' }, { client_order_id: -1 }],
    },
    of(516),
  );
  expect(orders).toHaveLength(1);
  expect(unread.map((row) => row.clientOrderIndex)).toEqual([undefined, 178554256601n, undefined]);
  expect(parseOrderRows({ orders: [recordedOrder] }, of(517))).toMatchObject({ orders: [], unread: [{}] });
});

test('account: balances, signed positions, flat rows', () => {
  expect(parseAccount(fixture('account.json'), of(1234))).toEqual({
    owner: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    state: {
      accountIndex: 1234,
      availableBalance: 9_990_000_000n,
      collateral: 10_000_000_000n,
      positions: [
        { marketId: 1, lots: 0n, avgEntryTicks: '0.0', initialMarginBps: 500 },
        { marketId: 36, lots: -6195n, avgEntryTicks: '0.20851', initialMarginBps: 500, value: 129_621_128n },
      ],
      unreadMarkets: [],
      margin: { equity: 10_000_000_000n, initial: 0n, maintenance: 0n },
    },
    unread: [],
  });
  expect(() => parseAccount(fixture('account.json'), of(1))).toThrow(MalformedError);
  expect(() => parseAccount({ accounts: [] }, of(1))).toThrow(MalformedError);
});

test('P-23 a position that cannot be read is not zero, and hides no other; another account’s row hides nothing', () => {
  const body = fixture<{ accounts: Record<string, unknown>[] }>('account.json');
  const [row = {}] = body.accounts;
  const positions = row['positions'] as Record<string, unknown>[];
  const unread = [
    { ...positions[1], sign: 0 },
    { ...positions[1], market_id: 4095 },
  ];
  const accounts = [{ index: 7 }, null, { ...row, positions: [positions[0], ...unread] }];
  const { state, ...rest } = parseAccount({ accounts }, of(1234));
  expect(rest.unread).toHaveLength(2);
  expect(state).toMatchObject({ positions: [{ marketId: 1 }], unreadMarkets: [36, 4095] });
  expect(positionIn(state, 1)).toMatchObject({ ok: true, value: { lots: 0n } });
  expect(positionIn(state, 0)).toEqual({ ok: true, value: undefined });
  expect(positionIn(state, 36).ok).toBe(false);
  const nameless = parseAccount({ accounts: [{ ...row, positions: [positions[0], 'x'] }] }, of(1234)).state;
  expect(positionIn(nameless, 1).ok).toBe(false);
});

test('margin: what cannot be read of it is absent, and the rest is read all the same', () => {
  const [row = {}] = fixture<{ accounts: Record<string, unknown>[] }>('account.json').accounts;
  const [, held] = row['positions'] as Record<string, unknown>[];
  const read = (change: object, position: object = {}) =>
    parseAccount({ accounts: [{ ...row, ...change, positions: [{ ...held, ...position }] }] }, of(1234)).state;
  expect(read({ cross_asset_value: '-1.0000005' }).margin).toMatchObject({ equity: -1_000_001n });
  for (const cross_maintenance_margin_requirement of [undefined, null, 'much', 1])
    expect(read({ cross_maintenance_margin_requirement })).not.toHaveProperty('margin');
  const of36 = (position: object) => read({}, position).positions[0];
  expect(of36({ liquidation_price: '0.351239999' })).toMatchObject({ liquidationTicks: 35_123n });
  expect(of36({ liquidation_price: '0' })).not.toHaveProperty('liquidationTicks');
  expect(of36({ position_value: 'much', margin_mode: 1 })).toMatchObject({ lots: -6195n, isIsolated: true });
  expect(of36({ position_value: 'much' })).not.toHaveProperty('value');
});

test('balances with more than six decimals are rounded down (LP §1.2)', () => {
  const [row = {}] = fixture<{ accounts: Record<string, unknown>[] }>('account.json').accounts;
  const balanceOf = (available_balance: string): unknown =>
    parseAccount({ accounts: [{ ...row, available_balance }] }, of(1234)).state.availableBalance;
  expect(['1945.003244157056', '-0.000000500', '-0.000001000', '3'].map(balanceOf)).toEqual([
    1_945_003_244n,
    -1n,
    -1n,
    3_000_000n,
  ]);
});

describe('P-25 markets', () => {
  const [eth = {}] = fixture<{ order_books: Record<string, unknown>[] }>('order-books.json').order_books;
  const details = (change: Record<string, unknown>, spot: unknown[] = []) => ({
    order_book_details: [null, { market_id: 1 }, { ...eth, default_initial_margin_fraction: 500, ...change }],
    spot_order_book_details: spot,
  });

  test('what a market takes, whatever another row holds', () => {
    expect(parseMarketDetails(details({}), 0)).toMatchObject({ initialMarginBps: 500, minBaseLots: 50n });
    expect(parseMarketDetails(details({}), 0).obstacle).toBeUndefined();
    expect(() => parseMarketDetails(details({}), 1)).toThrow(MalformedError);
    expect(() => parseMarketDetails(details({}), 2)).toThrow(MalformedError);
  });

  test.each([
    [{ status: 'inactive' }, 'its status is inactive'],
    [{ status: 'of-tomorrow' }, 'its status is of-tomorrow'],
    [{ status: undefined }, 'its status is not told'],
    [{ is_frozen: true }, 'it is frozen'],
    [{ is_frozen: 'perhaps' }, 'it is frozen'],
    [{ market_type: 'spot' }, 'it is no perpetual (spot)'],
    [{ market_type: 'binary_options' }, 'it is no perpetual (binary_options)'],
    [{ market_config: { force_reduce_only: true } }, 'it takes only orders that reduce a position'],
    [{ market_config: { force_reduce_only: false, market_margin_mode: 1 } }, 'it takes isolated margin only'],
    [{ market_config: { force_reduce_only: false, market_margin_mode: 0 } }, undefined],
  ])('%o: %s', (change, obstacle) => {
    expect(parseMarketDetails(details(change), 0).obstacle).toBe(obstacle);
  });

  test('H-47 reduce-only is told apart from what takes nothing', () => {
    const config = { force_reduce_only: true };
    const takes = (change: Record<string, unknown>): unknown =>
      parseMarketDetails(details({ market_config: config, ...change }), 0).takesReducing;
    expect([{}, { is_frozen: true }, { market_config: { ...config, market_margin_mode: 1 } }].map(takes)).toEqual([
      true,
      undefined,
      undefined,
    ]);
    const rows = [
      { ...eth, market_id: 3000, status: 'inactive' },
      { ...eth, market_config: config },
    ];
    expect(parseMarkets({ order_books: rows }, fail).map(({ marketId }) => marketId)).toEqual([0, 3000]);
  });

  test('of two rows with one symbol the one that can be traded comes first', () => {
    const rows = [{ ...eth, market_id: 3000, status: 'inactive' }, eth, { ...eth, market_id: 4096, symbol: 'OURA' }];
    expect(parseMarkets({ order_books: rows }, fail).map(({ marketId }) => marketId)).toEqual([0, 4096, 3000]);
  });

  test('announcements: with and without an end, one that cannot be read hides no other', () => {
    const rejected: string[] = [];
    const rows = [{ title: 'A', content: null, created_at: 1_790_000_000, expired_at: 1_790_000_600 }, 7];
    const body = { announcements: [...rows, { title: 'B', content: 'b', created_at: 5 }] };
    expect(parseAnnouncements(body, (e) => rejected.push(e.message))).toEqual([
      { title: 'A', content: '', createdAtMs: 1_790_000_000_000, expiredAtMs: 1_790_000_600_000 },
      { title: 'B', content: 'b', createdAtMs: 5_000 },
    ]);
    expect(rejected).toHaveLength(1);
  });
});

test('a transaction rejected by the sequencer: status 2, the rejection in ae (P-06)', () => {
  expect(parseTxRow(fixture('tx-rejected-by-sequencer.json')).tx).toEqual({
    hash: '5050882a'.repeat(10),
    type: 14,
    accountIndex: 516,
    apiKeyIndex: 5,
    nonce: 7n,
    status: 'executed',
    clientOrderIndex: 900000000002n,
    rejection: { code: 21728, message: 'client order index already exists' },
    executedAtMs: 1785432000200,
  });
});

test('an older cancel row: key from info, exact Index above 2^53, times in seconds', () => {
  const [raw] = rawTxsOf(fixture('account-tx-cancel.json'));
  const { tx } = parseTxRow(raw);
  expect(tx).toMatchObject({
    apiKeyIndex: 2,
    nonce: 1234n,
    clientOrderIndex: 10414574259102759n,
    executedAtMs: 1785432000000,
  });
  expect(tx.rejection).toBeUndefined();
});

test.each([
  ['a bare name', '{"ae":"ErrNotEnoughMargin"}', { code: 0, message: 'ErrNotEnoughMargin' }],
  ['an object', '{"ae":{"code":21739,"message":"m"}}', { code: 21739, message: 'm' }],
  ['empty', '{"ae":""}', undefined],
  ['absent', '{}', undefined],
  ['no event yet', '', undefined],
])('ae as %s', (_name, event_info, rejection) => {
  expect(
    parseTxRow({ ...fixture<Record<string, unknown>>('tx-rejected-by-sequencer.json'), event_info }).tx.rejection,
  ).toEqual(rejection);
});

test('an order transaction whose event cannot be read is malformed, not "no rejection"', () => {
  expect(() =>
    parseTxRow({ ...fixture<Record<string, unknown>>('tx-rejected-by-sequencer.json'), event_info: '{"ae":' }),
  ).toThrow(MalformedError);
});

test('a transfer whose terms cannot be read is malformed, not a foreign one', () => {
  const row = { ...fixture<Record<string, unknown>>('tx-rejected-by-sequencer.json'), type: 12, event_info: '' };
  const info = { Nonce: 7, ApiKeyIndex: 5, ToAccountIndex: 8, AssetIndex: 3, Amount: 5 };
  expect(parseTxRow({ ...row, info: JSON.stringify(info) }).tx.transfer).toEqual({ toAccountIndex: 8, amount: 5n });
  expect(() => parseTxRow({ ...row, info: JSON.stringify({ ...info, Amount: '5' }) })).toThrow(MalformedError);
});

test.each([
  [0, 'failed'],
  [1, 'pending'],
  [2, 'executed'],
  [3, 'executed'],
  [5, 'executed'],
])('transaction status %i reads as %s', (status, expected) => {
  expect(parseTxRow({ ...fixture<Record<string, unknown>>('tx-rejected-by-sequencer.json'), status }).tx.status).toBe(
    expected,
  );
});

describe('garbage is rejected by our error and by no other', () => {
  const parsers: [string, (raw: unknown) => unknown][] = [
    ['order', (raw) => parseOrder(raw, markets)],
    ['order list', (raw) => parseOrderRows(raw, of(516))],
    ['orders frame', (raw) => rawOrdersOf(raw).map((order) => parseOrder(order, markets))],
    ['markets', (raw) => parseMarkets(raw, () => undefined)],
    ['account', (raw) => parseAccount(raw, of(516))],
    ['transaction', (raw) => parseTxRow(raw)],
    ['book', (raw) => parseBookFrame(raw, 36, markets)],
    ['nextNonce', (raw) => parseNextNonce(raw)],
  ];
  const seeds: unknown[] = [
    recordedOrder,
    fixture('account-active-orders.json'),
    fixture('account-all-orders-snapshot.json'),
    fixture('order-books.json'),
    fixture('account.json'),
    fixture('tx-rejected-by-sequencer.json'),
    fixture('order-book-delta.json'),
    { code: 200, nonce: 5 },
  ];
  const onlyOurs = (parse: (raw: unknown) => unknown, raw: unknown): void => {
    try {
      parse(raw);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
  };
  test.each(parsers)('%s: anything', (_name, parse) => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue()), (raw) => onlyOurs(parse, raw)),
      { numRuns: 500 },
    );
  });
  test.each(parsers)('%s: a real payload with one value replaced', (_name, parse) => {
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.nat(), fc.jsonValue(), (seed, at, value) =>
        onlyOurs(parse, replaceAt(seed, at, value)),
      ),
      { numRuns: 1_000 },
    );
  });
});

/** A copy of `seed` with its n-th node (depth first, modulo their number) replaced. */
function replaceAt(seed: unknown, n: number, value: unknown): unknown {
  const copy: unknown = structuredClone(seed);
  const slots: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      slots.push({ holder: node as Record<string, unknown>, key });
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  const slot = slots[n % Math.max(slots.length, 1)];
  if (slot !== undefined) slot.holder[slot.key] = value;
  return copy;
}
