/** What a stranger can get wrong, and the exchange's own answer to it (LP §3.2, §3.3, §3.9); nothing of it costs a nonce. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
beforeAll(async () => {
  exchange = await quietExchange();
});
afterAll(() => exchange.close());

const minuteMs = 60_000;

describe('fields of a transaction', () => {
  it.each([
    ['a price as text', 14, { Price: '1080000' }, 21501],
    ['a fraction of a lot', 14, { BaseAmount: 1.5 }, 21501],
    ['a boolean', 14, { IsAsk: true }, 21501],
    ['no signature', 14, { Sig: undefined }, 21501],
    ['expired bytes', 14, { ExpiredAt: Date.now() - 1 }, 21501],
    ['bytes that live too long', 14, { ExpiredAt: Date.now() + 20 * minuteMs }, 21501],
    ['attributes as a list', 14, { L2TxAttributes: [] }, 21501],
    ['an attribute nobody knows', 14, { L2TxAttributes: { 99: 1 } }, 21501],
    ['skip-nonce 2', 14, { L2TxAttributes: { 4: 2 } }, 21501],
    ['five attributes', 14, { L2TxAttributes: { 1: 5, 2: 1, 3: 1, 4: 1, 5: 0 } }, 21501],
    ['a market of nobody in cancel-all', 16, { TimeInForce: 0, Time: 0, L2TxAttributes: { 5: 999 } }, 21602],
    ['an integrator below zero', 45, { IntegratorIndex: -1, ApprovalExpiry: 5 }, 21501],
    ['a negative price', 14, { Price: -1 }, 21702],
    ['a price of 2^32', 14, { Price: 2 ** 32 }, 21702],
    ['2^48 lots', 14, { BaseAmount: 2 ** 48 }, 21701],
    ['a third side', 14, { IsAsk: 2 }, 21703],
    ['a ninth type', 14, { Type: 9 }, 21704],
    ['a market order that rests', 14, { Type: 1, TimeInForce: 1 }, 21705],
    ['a client index below zero', 14, { ClientOrderIndex: -1 }, 21727],
    ['a market of nowhere', 14, { MarketIndex: 99 }, 21602],
    ['an order that expires at once', 14, { OrderExpiry: Date.now() + 1_000 }, 21711],
    ['a trigger on a limit order', 14, { TriggerPrice: 5 }, 21729],
    ['somebody else', 14, { AccountIndex: 999 }, 21100],
    ['a key that is not there', 14, { ApiKeyIndex: 7 }, 21109],
    ['key 255', 14, { ApiKeyIndex: 255 }, 21110],
    ['a negative nonce', 14, { Nonce: -1 }, 21104],
    ['a gap', 14, { Nonce: 3 }, 21104],
    ['a skip-nonce of 2^47 − 1', 14, { Nonce: 2 ** 47 - 1, L2TxAttributes: { 4: 1 } }, 21104],
    ['an order index below zero', 15, { Index: -5 }, 21700],
    ['a time for an immediate cancel-all', 16, { TimeInForce: 0, Time: 5 }, 21714],
    ['nothing left of a modified order', 17, { Index: 1, BaseAmount: 0 }, 21701],
    ['isolated margin', 20, { InitialMarginFraction: 500, MarginMode: 1 }, 21613],
    ['a withdrawal', 13, { FromAccountIndex: 100, AccountIndex: undefined }, 21505],
    ['an internal type', 21, {}, 21505],
  ])('%s', async (_what, txType, fields, code) => {
    const before = await nextNonce();
    const answer = await exchange.send(txType, { ...orderInfo({ Nonce: before }), ...fields });
    expect([answer.status, answer.body['code']]).toEqual([400, code]);
    expect(await nextNonce()).toBe(before);
  });

  it.each(['0x0e', '1e1', '', ' 14', '14.0'])('the type "%s" is no decimal number', async (txType) => {
    const body = new URLSearchParams({ tx_type: txType, tx_info: JSON.stringify(orderInfo({ Nonce: 1 })) });
    const answer = await exchange.call('/api/v1/sendTx', { method: 'POST', body });
    expect([answer.status, answer.body['code']]).toEqual([400, 21501]);
  });

  it('an attribute that says nothing is as good as none', async () => {
    const nonce = await nextNonce();
    const answer = await exchange.create({ Nonce: nonce, L2TxAttributes: { 4: 0, 5: 255 } });
    expect(answer.status).toBe(200);
  });
});

describe('batches', () => {
  const order = (nonce: number, fields: Row = {}): string =>
    JSON.stringify({ ...orderInfo({ Nonce: nonce }), ...fields });

  it('create, cancel it, cancel all, cancel again: all accepted, executed in order', async () => {
    const nonce = await nextNonce();
    const cancel = (ahead: number): string => order(nonce + ahead, { Index: 50 });
    const infos = [
      order(nonce, { ClientOrderIndex: 50 }),
      cancel(1),
      order(nonce + 2, { TimeInForce: 0, Time: 0 }),
      cancel(3),
    ];
    const answer = await batch([14, 15, 16, 15], infos);
    expect([answer.status, (answer.body['tx_hash'] as string[]).length]).toEqual([200, 4]);
    expect(await nextNonce()).toBe(nonce + 4);
  });

  it.each<[string, (nonce: number) => readonly [unknown, unknown], number]>([
    ['lengths differ', (nonce) => [[14], [order(nonce), order(nonce + 1)]], 21513],
    ['51', (nonce) => [Array(51).fill(14), Array.from({ length: 51 }, (_, index) => order(nonce + index))], 21514],
    [
      'two accounts',
      (nonce) => [
        [14, 14],
        [order(nonce), order(1, { AccountIndex: 200 })],
      ],
      21121,
    ],
    [
      'two keys',
      (nonce) => [
        [14, 14],
        [order(nonce), order(1, { ApiKeyIndex: 6 })],
      ],
      21121,
    ],
    [
      'a gap inside',
      (nonce) => [
        [14, 14],
        [order(nonce), order(nonce + 2)],
      ],
      21105,
    ],
    [
      'a nonce twice',
      (nonce) => [
        [14, 14],
        [order(nonce), order(nonce)],
      ],
      21105,
    ],
    [
      'a gap before',
      (nonce) => [
        [14, 14],
        [order(nonce + 1), order(nonce + 2)],
      ],
      21104,
    ],
    [
      'one of two is wrong',
      (nonce) => [
        [14, 14],
        [order(nonce), order(nonce + 1, { Price: 0 })],
      ],
      21702,
    ],
    ['types as texts', (nonce) => [['14'], [order(nonce)]], 21501],
    ['objects in place of texts', (nonce) => [[14], [JSON.parse(order(nonce))]], 21501],
    ['empty', () => [[], []], 21501],
    ['null', () => [null, null], 21501],
  ])('%s: the whole batch is refused', async (_what, content, code) => {
    const before = await nextNonce();
    const answer = await batch(...content(before));
    expect([answer.status, answer.body['code']]).toEqual([400, code]);
    expect(await nextNonce()).toBe(before);
  });
});

describe('the control face', () => {
  it.each<[string, Row, string]>([
    ['accounts', { account_index: -1 }, 'account_index must be between 1'],
    ['accounts', { account_index: 2 ** 48 - 1 }, 'account_index must be between 1'],
    ['accounts', { account_index: 7, api_keys: [] }, 'api_keys must be an object'],
    ['accounts', { account_index: 7, l1_address: 5 }, 'l1_address must be a text'],
    ['accounts', { account_index: 7, colateral: '1' }, 'known: account_index, l1_address, tier, collateral, api_keys'],
    ['orders', { is_ask: true, base_amount: '1', price: '99999999999' }, 'price must be at most 4294967295 ticks'],
    ['orders', { is_ask: true, base_amount: '-1', price: '1' }, 'base_amount must be a positive decimal string'],
    [
      'orders',
      { is_ask: true, base_amount: '1', price: '1', client_order_index: -1 },
      'client_order_index must be between 0',
    ],
    ['market', { flow: true, levels: 1e9 }, 'levels must be a number between 0 and 1000'],
    ['market', { flow: true, volatility: '5' }, 'volatility must be a number'],
    ['market', { flow: true, mid_price: '-5' }, 'mid_price must be a positive decimal string'],
    ['market', { flow: true, speed: 5 }, 'known: market_id, flow, mid_price'],
    ['clock', { offset_ms: 0.5 }, 'offset_ms must be an integer'],
    ['clock', { offset: 5 }, 'known: offset_ms'],
    ['faults', { on: 'request', action: 'answer', status: 99 }, 'status must be between 200 and 599'],
    ['faults', { on: 'request', action: 'delay', ms: 1e12 }, 'ms must be between 0'],
    ['faults', { on: 'request', action: 'drop', count: -1 }, 'count must be between 0'],
    ['faults', { on: 'request', action: 'drop', match: 'all' }, 'match must be an object'],
    ['faults', { on: 'request', action: 'drop', match: { pth: 'x' } }, 'known: path, channel'],
  ])('POST %s %j', async (path, body, message) => {
    const inMarket = path === 'orders' || path === 'market' ? { market_id: 1, ...body } : body;
    const answer = await exchange.post(`/_paper/${path}`, inMarket);
    expect([answer.status, answer.body['message']]).toEqual([400, expect.stringContaining(message)]);
  });

  it('a request with one mistake changes nothing', async () => {
    const { body } = await exchange.get('/_paper/market?market_id=1');
    expect(body['markets'][0]).toMatchObject({ flow: false, levels: 40 });
    expect((await exchange.get('/_paper/faults')).body['active']).toEqual([]);
    expect((await exchange.get('/_paper/truth?account_index=x')).body['message']).toBe(
      'account_index must be an integer',
    );
  });
});

describe('queries', () => {
  it.each([
    ['orderBooks?market_id=x', 20001],
    ['orderBooks?filter=options', 20001],
    ['orderBooks?market_id=77', 21602],
    ['account?by=index&value=abc', 20001],
    ['account?by=l1_address&value=0x5', 21100],
    ['orderBookOrders?market_id=1&limit=251', 20001],
    ['trades?sort_by=size&limit=10', 20001],
    ['trades?sort_by=timestamp&limit=10&type=gift', 20001],
    ['nextNonce?account_index=100', 20001],
    ['tx?by=sequence_index&value=999999', 21500],
    ['candles?market_id=1&resolution=7m&start_timestamp=1&end_timestamp=2&count_back=1', 22401],
  ])('%s', async (query, code) => {
    const answer = await exchange.get(`/api/v1/${query}`);
    expect([answer.status, answer.body['code']]).toEqual([400, code]);
  });
});

async function nextNonce(): Promise<number> {
  const { body } = await exchange.get('/api/v1/nextNonce?account_index=100&api_key_index=5');
  return body['nonce'] as number;
}

function batch(types: unknown, infos: unknown): Promise<Answer> {
  const body = new URLSearchParams({ tx_types: JSON.stringify(types), tx_infos: JSON.stringify(infos) });
  return exchange.call('/api/v1/sendTxBatch', { method: 'POST', body });
}
