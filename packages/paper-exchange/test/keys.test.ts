/** Keys that change while somebody trades with them: revoked, replaced, maker-only (LP §3.6, §3.9). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
beforeEach(async () => {
  exchange = await quietExchange();
});
afterEach(() => exchange.close());

const setKey = (fields: Row, apiKeyIndex = 5): ReturnType<TestExchange['post']> =>
  exchange.post('/_paper/keys', { account_index: 100, api_key_index: apiKeyIndex, ...fields });
const keyOf = async (apiKeyIndex: number): Promise<Row> =>
  ((await exchange.get('/_paper/keys?account_index=100')).body['api_keys'] as Row[]).find(
    (row) => row['api_key_index'] === apiKeyIndex,
  )!;
const codeOf = async (answer: ReturnType<TestExchange['create']>): Promise<unknown[]> => {
  const { status, body } = await answer;
  return [status, body['code']];
};
const otherKey = 'dd463e68f02bcf06a4a0d7af954adb68f436c7b409a2baae4d60dff5178f8f615f8f1a756d04d528';
const ioc = { TimeInForce: 0, IsAsk: 1, Price: 1_090_000 } as const;

describe('a key revoked', () => {
  it('signs nothing (21109), reads nothing (20013), and lists as zeros with its nonce', async () => {
    expect(await codeOf(exchange.create({ Nonce: 1 }))).toEqual([200, 200]);
    expect((await setKey({ public_key: null })).status).toBe(200);
    expect(await codeOf(exchange.create({ Nonce: 2 }))).toEqual([400, 21109]);
    const read = await exchange.get('/api/v1/accountLimits?account_index=100', exchange.token(100));
    expect([read.status, read.body['code']]).toEqual([401, 20013]);
    const listed = await exchange.get('/api/v1/apikeys?account_index=100&api_key_index=5');
    expect((listed.body['api_keys'] as Row[])[0]).toMatchObject({ public_key: '0'.repeat(80), nonce: 2 });
    // Other keys of the account are not concerned.
    expect(await codeOf(exchange.create({ Nonce: 1 }, 100, 6))).toEqual([200, 200]);
  });

  it('put back, goes on at its nonce', async () => {
    await exchange.create({ Nonce: 1 });
    const { public_key: before } = await keyOf(5);
    await setKey({ public_key: null });
    expect((await keyOf(5))['public_key']).toBe(null);
    await setKey({ public_key: before });
    expect(await codeOf(exchange.create({ Nonce: 1 }))).toEqual([400, 21104]);
    expect(await codeOf(exchange.create({ Nonce: 2 }))).toEqual([200, 200]);
  });

  it('what was accepted before is executed', async () => {
    await exchange.close();
    exchange = await quietExchange({ latency: { takerMs: 300, makerMs: 300, cancelMs: 300 } });
    const socket = await exchange.open();
    await socket.subscribe('account_all_orders/100', exchange.token(100, 600, 6));
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await setKey({ public_key: null });
    const frame = await socket.next((one) => one['type'] === 'update/account_all_orders');
    expect(((frame['orders'] as Row)['1'] as Row[])[0]).toMatchObject({ client_order_index: 7, status: 'open' });
  });
});

describe('a key replaced', () => {
  it('refuses the old signature (21120) and keeps its nonce', async () => {
    await exchange.create({ Nonce: 1 });
    await setKey({ public_key: otherKey });
    const signed = { Sig: Buffer.alloc(80, 5).toString('base64') };
    const answer = await exchange.send(14, { ...orderInfo({ Nonce: 2 }), ...signed });
    expect([answer.status, answer.body['code']]).toEqual([400, 21120]);
    expect(await keyOf(5)).toEqual({ api_key_index: 5, public_key: otherKey, maker_only: false, next_nonce: 2 });
  });
});

describe('a maker-only key', () => {
  beforeEach(() => setKey({ maker_only: true }));

  it.each([
    ['a post-only order', 14, {}, 200],
    ['a cancel', 15, { Index: 7 }, 200],
    ['a cancel of everything', 16, { TimeInForce: 0, Time: 0 }, 200],
    ['the switch', 16, { TimeInForce: 1, Time: Date.now() + 400_000 }, 200],
    ['a limit order that might take', 14, { TimeInForce: 1 }, 62007],
    ['a hedge', 14, { ...ioc, OrderExpiry: 0 }, 62007],
    ['a market order', 14, { Type: 1, TimeInForce: 0, OrderExpiry: 0 }, 62007],
    ['a change of leverage', 20, { InitialMarginFraction: 500, MarginMode: 0 }, 62007],
    ['an approval', 45, { IntegratorIndex: 9, ApprovalExpiry: Date.now() + 90_000_000 }, 62007],
  ])('%s', async (_what, txType, fields, code) => {
    const answer = await exchange.send(txType, { ...orderInfo({ Nonce: 1 }), ...fields });
    expect([answer.status, answer.body['code']]).toEqual([code === 200 ? 200 : 400, code]);
    // A refusal keeps the nonce.
    expect((await keyOf(5))['next_nonce']).toBe(code === 200 ? 2 : 1);
  });

  it('modifies its post-only orders only', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await exchange.create({ Nonce: 1, ClientOrderIndex: 8, TimeInForce: 1 }, 100, 6);
    const modify = (Nonce: number, Index: number): ReturnType<TestExchange['create']> =>
      exchange.send(17, { ...orderInfo({ Nonce, BaseAmount: 30 }), Index });
    expect(await codeOf(modify(2, 7))).toEqual([200, 200]);
    expect(await codeOf(modify(3, 8))).toEqual([400, 62007]);
  });

  it('executes at once, whatever the tier', async () => {
    await exchange.close();
    exchange = await quietExchange({ latency: 'tier' });
    const predictedMs = async (apiKeyIndex: number): Promise<number> =>
      Number((await exchange.create({ Nonce: 1 }, 100, apiKeyIndex)).body['predicted_execution_time_ms']);
    await setKey({ maker_only: true });
    expect((await predictedMs(5)) - Date.now()).toBeLessThan(50);
    const sentMs = Date.now();
    expect((await predictedMs(6)) - sentMs).toBeGreaterThan(100);
  });

  it('set and read over the exchange’s own face, all at once', async () => {
    await exchange.post('/_paper/accounts', { account_index: 300, tier: 'premium', api_keys: { '5': '', '6': '' } });
    const headers = { authorization: exchange.token(300) };
    const set = (indexes: string): ReturnType<TestExchange['call']> => {
      const body = new URLSearchParams({ account_index: '300', api_key_indexes: indexes });
      return exchange.call('/api/v1/setMakerOnlyApiKeys', { method: 'POST', body, headers });
    };
    const read = async (): Promise<unknown> =>
      (await exchange.get('/api/v1/getMakerOnlyApiKeys?account_index=300', exchange.token(300))).body;
    expect([(await set('[5]')).status, await read()]).toEqual([200, { code: 200, api_key_indexes: [5] }]);
    expect(await codeOf(exchange.create({ Nonce: 1, ...ioc }, 300))).toEqual([400, 62007]);
    expect([(await set('[]')).status, await read()]).toEqual([200, { code: 200, api_key_indexes: [] }]);
    expect([(await set('[3]')).status, (await set('5')).status]).toEqual([400, 400]);
  });
});

describe('the face', () => {
  it.each([
    [{ account_index: 999, api_key_index: 5, public_key: null }, /no account 999/],
    [{ account_index: 100, api_key_index: 7, public_key: null }, /account 100 has no key 7/],
    [{ account_index: 100, api_key_index: 5 }, /public_key or maker_only/],
    [{ account_index: 100, api_key_index: 5, public_key: 'abc' }, /80 hex digits/],
    [{ account_index: 100, api_key_index: 5, maker_only: 'yes' }, /true or false/],
    [{ account_index: 100, api_key_index: 5, revoke: true }, /unknown field revoke/],
  ])('refuses %j', async (body, text) => {
    const answer = await exchange.post('/_paper/keys', body);
    expect([answer.status, answer.body['message']]).toEqual([400, expect.stringMatching(text)]);
  });
});
