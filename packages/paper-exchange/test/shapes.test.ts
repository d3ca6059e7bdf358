/**
 * Bodies and frames against the ones recorded on mainnet up to October 2026: exactly the same keys, and every value in the same
 * form (decimals, seconds or microseconds, text or number). The fixture names the section of LP that each comes from.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row, TestExchange, TestSocket } from './helpers';
import { orderInfo, quietExchange } from './helpers';
import { parseLossless } from '../src/wire/json';

const recorded = parseLossless(readFileSync(join(__dirname, 'fixtures/recorded-2026-10.json'), 'utf8')) as Record<
  string,
  { readonly source: string; readonly value: unknown }
>;

/** As many digits as needed (LP §1.2). */
const freePrecision = new Set(['liquidation_price']);

function formOf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map((one) => formOf(one));
  if (typeof value === 'number' || typeof value === 'bigint') return formOfNumber(Number(value));
  if (typeof value === 'string') return freePrecision.has(key) ? 'text' : formOfText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, formOf(member, name)]));
}

function formOfNumber(value: number): string {
  if (!Number.isInteger(value)) return 'number';
  const epochSeconds = [1.5e9, 2.1e9] as const;
  const units = { seconds: 1, milliseconds: 1e3, microseconds: 1e6 };
  const unit = Object.entries(units).find(([, of]) => value >= epochSeconds[0] * of && value < epochSeconds[1] * of);
  return unit?.[0] ?? 'number';
}

function formOfText(text: string): string {
  if (text === '') return 'empty';
  if (/^-0\.0+$/.test(text)) return `minus zero, ${text.length - 3}`;
  const decimal = /^-?\d+\.(\d+)$/.exec(text);
  if (decimal !== null) return `decimals ${decimal[1]!.length}`;
  if (/^[0-9a-f]{80}$/.test(text)) return /0{48}$/.test(text) ? 'synthetic hash' : 'hash';
  return /^\d+$/.test(text) ? 'digits' : 'text';
}

const compared: string[] = [];
/** Words of the exchange that must be the very same. */
const words = new Set(['type', 'status', 'market_kind', 'market_type', 'time_in_force', 'trigger_status', 'message']);

function expectRecorded(name: string, value: unknown): void {
  compared.push(name);
  const wanted = recorded[name]!;
  expect([wanted.source, formOf(value)]).toEqual([wanted.source, formOf(wanted.value)]);
  for (const [key, member] of Object.entries(wanted.value as Row)) {
    if (words.has(key) && typeof member === 'string') expect([key, (value as Row)[key]]).toEqual([key, member]);
  }
}

let exchange: TestExchange;
let socket: TestSocket;
let token: string;
let taken: string;
const crv = { MarketIndex: 36, OrderExpiry: Date.now() + 1_000_000 };

const rows = async (path: string, list: string): Promise<Row[]> =>
  (await exchange.get(`/api/v1/${path}`, token)).body[list] as Row[];
const marketRow = async (path: string, list: string, symbol: string): Promise<Row> =>
  (await rows(path, list)).find((row) => row['symbol'] === symbol)!;

/** 100 and 300 trade CRV: one sweep of two resting orders, then one that turns both positions around. */
beforeAll(async () => {
  exchange = await quietExchange();
  token = exchange.token(100);
  await exchange.post('/_paper/accounts', {
    account_index: 300,
    tier: 'premium',
    collateral: '9000',
    api_keys: { 5: '' },
  });
  await exchange.post('/_paper/accounts', {
    account_index: 301,
    tier: 'premium',
    collateral: '9000',
    api_keys: { 5: '' },
  });
  await exchange.post('/_paper/market', { market_id: 36, levels: 0 });
  socket = await exchange.open();
  for (const [Nonce, Price] of [
    [1, 20_000],
    [2, 20_001],
  ] as const)
    await exchange.create({ ...crv, Nonce, ClientOrderIndex: Nonce, Price, BaseAmount: 600, IsAsk: 1 }, 100);
  const sweep = {
    ...crv,
    Nonce: 1,
    ClientOrderIndex: 9,
    Price: 20_100,
    BaseAmount: 1_200,
    TimeInForce: 0,
    OrderExpiry: 0,
  };
  taken = String((await exchange.create(sweep, 200)).body['tx_hash']);
});
afterAll(() => exchange.close());

describe('orders', () => {
  it('a resting order in the lists', async () => {
    await exchange.create({ Nonce: 3, ClientOrderIndex: 71 });
    const [order] = await rows('accountActiveOrders?account_index=100', 'orders');
    expectRecorded('order row, BTC, resting', order);
    expect(order).toMatchObject({ market_symbol: 'BTC', order_version: 0 });
  });

  it('a cancelled one in a frame', async () => {
    await exchange.create({ Nonce: 4, ClientOrderIndex: 72, MarketIndex: 0, Price: 380_000, BaseAmount: 100 });
    await socket.subscribe('account_all_orders/100', token);
    await exchange.send(15, { ...orderInfo({ Nonce: 5, MarketIndex: 0 }), Index: 72 });
    const frame = await socket.next((one) => one['type'] === 'update/account_all_orders');
    expectRecorded('order row of an update, ETH, cancelled', frame['orders']['0'][0]);
  });
});

describe('trades', () => {
  it('first fill of a transaction: its hash, zeros of flat accounts, no profit in public', async () => {
    const [second, first] = await rows('recentTrades?market_id=36&limit=2', 'trades');
    expectRecorded('trade row, first fill, both flat, no fees', first);
    expect(first!['tx_hash']).toBe(taken);
    expect(String(second!['tx_hash'])).toMatch(/^[0-9a-f]{32}0{48}$/);
    expect(parseInt(String(second!['tx_hash']).slice(16, 32), 16)).toBe(second!['timestamp']);
    for (const trade of [first!, second!]) {
      const aheadMs = Number(trade['transaction_time']) / 1_000 - Number(trade['timestamp']);
      expect([aheadMs >= 15, aheadMs < 500]).toEqual([true, true]);
    }
  });

  it('fees and changed signs appear when they say something', async () => {
    const ask = { ...crv, IsAsk: 1, BaseAmount: 600, Price: 20_000 };
    await exchange.create({ ...ask, Nonce: 1 }, 300);
    const buy = { ...crv, BaseAmount: 600, Price: 20_100, TimeInForce: 0, OrderExpiry: 0 };
    await exchange.create({ ...buy, Nonce: 1 }, 301);
    // 301 offers twice what it holds in two orders, 300 buys it all: the second fill turns both around.
    await exchange.create({ ...ask, Nonce: 2, BaseAmount: 500 }, 301);
    await exchange.create({ ...ask, Nonce: 3, BaseAmount: 700, Price: 20_001 }, 301);
    await exchange.create({ ...buy, Nonce: 2, BaseAmount: 1_200 }, 300);
    const [trade] = await rows('recentTrades?market_id=36&limit=1', 'trades');
    expectRecorded('trade row, later fill, fees, signs changed', trade);
  });

  it('own trades show the profit over REST, and in no frame', async () => {
    const own = await rows('trades?sort_by=trade_id&limit=1&account_index=100', 'trades');
    expect(own[0]).toMatchObject({ ask_account_pnl: '0.000000', bid_account_pnl: '0.000000' });
    const all = await exchange.get('/api/v1/trades?sort_by=trade_id&limit=1&market_id=36');
    expect(Object.keys(all.body['trades'][0] as Row)).not.toContain('ask_account_pnl');
    await socket.subscribe('account_all_trades/200');
    await exchange.post('/_paper/positions', { account_index: 200, market_id: 36, change_by: '1.0' });
    const frame = await socket.next((one) => one['type'] === 'update/account_all_trades');
    const [trade] = frame['trades']['36'] as Row[];
    expect(Object.keys(trade!)).not.toContain('ask_account_pnl');
    expect(formOf(trade!['tx_hash'])).toBe('synthetic hash');
  });

  it('pages are told by base64 of {"index":…}, and lead on', async () => {
    for (const path of ['trades?sort_by=trade_id&account_index=100', 'accountInactiveOrders?account_index=100']) {
      const list = path.startsWith('trades') ? 'trades' : 'orders';
      const id = list === 'trades' ? 'trade_id' : 'order_index';
      const first = await exchange.get(`/api/v1/${path}&limit=1`, token);
      const cursor = String(first.body['next_cursor']);
      const decoded = Buffer.from(cursor, 'base64').toString();
      expect(decoded).toBe(`{"index":${String((first.body[list] as Row[])[0]![id])}}`);
      const second = await exchange.get(`/api/v1/${path}&limit=1&cursor=${encodeURIComponent(cursor)}`, token);
      expect((second.body[list] as Row[])[0]![id]).not.toEqual((first.body[list] as Row[])[0]![id]);
      const garbage = await exchange.get(`/api/v1/${path}&limit=1&cursor=17`, token);
      expect([path, garbage.status, garbage.body['code']]).toEqual([path, 400, 20001]);
    }
  });
});

describe('transactions', () => {
  it('times and index', async () => {
    const { body } = await exchange.get(`/api/v1/tx?by=hash&value=${taken}`);
    expectRecorded('tx, executed', { ...body, info: '{}', event_info: '{}' });
    expect(body['queued_at']).toBe(Math.floor(Number(body['transaction_time']) / 1_000));
    expect(Number(body['executed_at'])).toBeLessThan(Number(body['queued_at']));
    expect(Number(body['transaction_index'])).toBeGreaterThan(0);
  });

  it('event_info of a trade, and of a refusal', async () => {
    const { body } = await exchange.get(`/api/v1/tx?by=hash&value=${taken}`);
    const info = parseLossless(String(body['event_info'])) as Row;
    expectRecorded('event_info of a trade', info);
    expect(Object.keys(info).slice(0, 2)).toEqual(['ms', 'm']);
    const twice = await exchange.create({ Nonce: 6, ClientOrderIndex: 71 });
    const refused = await exchange.get(`/api/v1/tx?by=hash&value=${twice.body['tx_hash']}`);
    const trace = parseLossless(String(refused.body['event_info'])) as Row;
    expect(Object.keys(trace)).toEqual(['ms', 'm', 'to', 'ae']);
    expect(Object.keys(trace['to'] as Row)).toEqual(Object.keys(info['to'] as Row));
  });
});

describe('accounts', () => {
  it('an account that touched nothing', async () => {
    await exchange.post('/_paper/accounts', { account_index: 310, collateral: '10000', api_keys: {} });
    expectRecorded('account, nothing touched', (await rows('account?by=index&value=310', 'accounts'))[0]);
  });

  it('open and flat positions', async () => {
    const [account] = await rows('account?by=index&value=200', 'accounts');
    expectRecorded('position, open', account!['positions'][0]);
    const [other] = await rows('account?by=index&value=100', 'accounts');
    expectRecorded(
      'position, flat',
      (other!['positions'] as Row[]).find((row) => row['open_order_count'] === 1),
    );
  });

  it('by address: not filled', async () => {
    const address = `0x${(310).toString(16).padStart(40, '0')}`;
    const [row] = await rows(`accountsByL1Address?l1_address=${address}`, 'sub_accounts');
    expectRecorded('row of accountsByL1Address', row);
  });

  it('limits', async () => {
    expectRecorded('accountLimits', (await exchange.get('/api/v1/accountLimits?account_index=100', token)).body);
  });

  it.each([
    ['account, unknown index', 'account?by=index&value=999'],
    ['account, unknown address', 'account?by=l1_address&value=0x5'],
    ['account, unknown address', 'accountsByL1Address?l1_address=0x5'],
    ['apikeys, none', 'apikeys?account_index=310'],
    ['apikeys, none', 'apikeys?account_index=100&api_key_index=77'],
    ['positionFunding without a token', 'positionFunding?account_index=100&limit=1'],
  ])('%s: %s', async (name, path) => {
    const answer = await exchange.get(`/api/v1/${path}`);
    expect(answer.status).toBe(400);
    expectRecorded(name, answer.body);
    expect(answer.body).toEqual(recorded[name]!.value);
  });
});

describe('markets', () => {
  it('rows', async () => {
    expectRecorded('row of orderBooks', await marketRow('orderBooks', 'order_books', 'ETH'));
    expectRecorded('row of orderBookDetails', await marketRow('orderBookDetails', 'order_book_details', 'ETH'));
  });

  it.each([
    ['ETH', '0.0020'],
    ['BTC', '0.00007'],
    ['CRV', '15.0'],
  ])('minimum of %s: %s', async (symbol, amount) => {
    expect(await marketRow('orderBooks', 'order_books', symbol)).toMatchObject({ min_base_amount: amount });
  });

  it('statistics, height', async () => {
    expectRecorded('market_stats', (await socket.subscribe('market_stats/1'))['market_stats']);
    expectRecorded('first frame of height', await socket.subscribe('height'));
    const all = (await socket.subscribe('market_stats/all'))['market_stats'] as Row;
    expectRecorded('market_stats', all['1']);
  });

  it('candles and funding', async () => {
    const hourMs = 3_600_000;
    const span = `start_timestamp=${Date.now() - hourMs}&end_timestamp=${Date.now() + hourMs}&count_back=10`;
    expectRecorded('candle', (await rows(`candles?market_id=36&resolution=1m&${span}`, 'c'))[0]);
    expectRecorded('candle', ((await socket.subscribe('candle/36/1m'))['candles'] as Row[])[0]);
    expectRecorded('funding', (await rows(`fundings?market_id=36&resolution=1h&${span}`, 'fundings'))[0]);
  });
});

describe('small endpoints', () => {
  it.each(['systemConfig', 'withdrawalDelay', 'transferFeeInfo', 'feeTiers'])('%s', async (path) => {
    const { body } = await exchange.get(`/api/v1/${path}?account_index=100`, token);
    expectRecorded(path, body);
  });

  it('transferFeeInfo without a token', async () => {
    expect((await exchange.get('/api/v1/transferFeeInfo?account_index=100')).body['code']).toBe(20001);
  });
});

describe('first frames', () => {
  beforeAll(() => exchange.post('/_paper/accounts', { account_index: 310, api_keys: { 5: '' } }));

  it.each(['account_all', 'account_all_positions', 'account_tx', 'account_all_assets'])('%s', async (channel) => {
    expectRecorded(`first frame of ${channel}`, await socket.subscribe(`${channel}/310`, exchange.token(310)));
  });

  it('an update of positions', async () => {
    const from = socket.frames.length;
    await exchange.create({ ...crv, Nonce: 1, Price: 19_000, BaseAmount: 1_000 }, 310);
    const frame = await socket.next((one) => one['type'] === 'update/account_all_positions', from);
    expectRecorded('update of account_all_positions', frame);
    const all = await socket.next((one) => one['type'] === 'update/account_all', from);
    expect(all).toMatchObject({ assets: null, bo_positions: {} });
    expect(formOf(all['transaction_time'])).toBe('microseconds');
  });

  it('a channel that does not exist', async () => {
    const frame = await socket.subscribe('no_such_channel/1');
    expectRecorded('unknown channel', frame);
    expect(frame).toEqual(recorded['unknown channel']!.value);
  });
});

it('every recorded shape was compared', () => {
  expect([...new Set(compared)].sort()).toEqual(Object.keys(recorded).sort());
});
