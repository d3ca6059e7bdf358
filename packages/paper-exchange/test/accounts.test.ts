/** Accounts, keys, leverage, tiers, and the settings that decide between two reported behaviours (LP §11). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
afterEach(() => exchange.close());

const ioc = { TimeInForce: 0, OrderExpiry: 0 } as const;

describe('keys', () => {
  it('a key change registers a key with nonce 0; the next nonce is 1', async () => {
    exchange = await quietExchange({ signatures: 'accept' });
    const publicKey = Buffer.from(Array.from({ length: 40 }, (_, index) => index + 1));
    const info = { ...orderInfo({ Nonce: 0 }, 100, 9), PubKey: publicKey.toString('base64'), L1Sig: '0x' };
    expect((await exchange.create({ Nonce: 0 }, 100, 9)).body['code']).toBe(21109);
    expect((await exchange.send(8, info)).status).toBe(200);
    const keys = (await exchange.get('/api/v1/apikeys?account_index=100&api_key_index=9')).body['api_keys'] as Row[];
    expect(keys[0]).toMatchObject({ public_key: publicKey.toString('hex'), nonce: 1 });
    expect((await exchange.create({ Nonce: 1 }, 100, 9)).status).toBe(200);
  });

  it('a wrong signature is 21120 and costs nothing; a token of a replaced key dies', async () => {
    exchange = await quietExchange();
    const publicKey = 'dd463e68f02bcf06a4a0d7af954adb68f436c7b409a2baae4d60dff5178f8f615f8f1a756d04d528';
    await exchange.post('/_paper/accounts', { account_index: 300, collateral: '1', api_keys: { '5': publicKey } });
    const signature = Buffer.alloc(80, 5).toString('base64');
    const answer = await exchange.send(14, { ...orderInfo({ Nonce: 1 }, 300), Sig: signature });
    expect([answer.status, answer.text]).toEqual([400, '{"code":21120,"message":"invalid signature"}']);
    expect((await exchange.truth(300))['refused']).toHaveLength(1);
    const read = await exchange.get('/api/v1/accountLimits?account_index=300', exchange.token(300));
    expect([read.status, read.body['code']]).toEqual([401, 20013]);
  });
});

describe('sub-accounts', () => {
  it.each([
    ['standard', 4],
    ['plus', 16],
    ['premium', 64],
  ])('%s: %i besides the master, then no more', async (tier, count) => {
    exchange = await quietExchange();
    const add = (index: number) =>
      exchange.post('/_paper/accounts', {
        account_index: 500 + index,
        l1_address: '0x00000000000000000000000000000000000000Bb',
        tier,
      });
    for (let index = 0; index <= count; index += 1) expect((await add(index)).status).toBe(200);
    const refused = await add(count + 1);
    expect([refused.status, refused.body['message']]).toEqual([
      400,
      expect.stringContaining(`has ${count} sub-accounts`),
    ]);
    // More money for one of them is no new account.
    expect((await add(count)).status).toBe(200);
  });
});

describe('money', () => {
  it('fees by tier, profit, average entry, and the two sides agree', async () => {
    exchange = await quietExchange();
    await exchange.post('/_paper/market', { market_id: 1, levels: 0 });
    await exchange.post('/_paper/accounts', {
      account_index: 300,
      tier: 'premium',
      collateral: '1000',
      api_keys: { '5': '' },
    });
    await exchange.create({ Nonce: 1, Price: 1_090_000, BaseAmount: 1_000, IsAsk: 1, TimeInForce: 1 }, 100);
    await exchange.create({ Nonce: 1, Price: 1_100_000, BaseAmount: 400, ...ioc }, 300);
    await exchange.create({ Nonce: 2, Price: 1_092_000, BaseAmount: 400, IsAsk: 1, TimeInForce: 1 }, 300);
    await exchange.create({ Nonce: 2, Price: 1_092_000, BaseAmount: 300, ...ioc }, 200).catch(() => undefined);
    await exchange.create({ Nonce: 1, Price: 1_092_000, BaseAmount: 700, ...ioc }, 200);
    const truth = await exchange.truth(300);
    const [position] = truth['positions'] as Row[];
    // Bought 400 at 109000.0 for 436 USDC; the asks of 100 stand in front, so 200 takes those 600 first, then 100 of ours.
    expect(position).toMatchObject({ position: '0.00300', avg_entry_price: '109000.0', realized_pnl: '0.200000' });
    // Taker 2.80 bp of 436 USDC, maker 0.40 bp of 109.2 USDC.
    expect(truth['fees_paid']).toBe('0.126448');
    expect(truth['collateral']).toBe('1000.073552');
    const other = (await exchange.truth(100))['positions'][0] as Row;
    expect([other['signed_position'], other['avg_entry_price']]).toEqual(['-0.01000', '109000.0']);
  });

  it('leverage: lower margin frees balance, isolated margin is refused', async () => {
    exchange = await quietExchange();
    await exchange.create({ Nonce: 1, Price: 1_100_000, BaseAmount: 1_000, ...ioc });
    const balance = async (): Promise<number> =>
      Number((await exchange.get('/api/v1/account?by=index&value=100')).body['accounts'][0]['available_balance']);
    const before = await balance();
    const set = (Nonce: number, InitialMarginFraction: number, MarginMode = 0) =>
      exchange.send(20, { ...orderInfo({ Nonce }), InitialMarginFraction, MarginMode });
    expect((await set(2, 200)).status).toBe(200);
    expect(await balance()).toBeGreaterThan(before);
    expect((await set(3, 100)).body['code']).toBe(21113);
    expect((await set(3, 500, 1)).body['code']).toBe(21613);
  });

  it('tiers change only when flat, without orders, and once a day', async () => {
    exchange = await quietExchange();
    const change = async (tier: string): Promise<unknown> => {
      const answer = await exchange.call('/api/v1/changeAccountTier', {
        method: 'POST',
        headers: { authorization: exchange.token(100) },
        body: new URLSearchParams({ account_index: '100', new_tier: tier }),
      });
      return answer.body['code'];
    };
    expect([await change('gold'), await change('standard')]).toEqual([62002, 62003]);
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    expect(await change('premium')).toBe(62005);
    await exchange.send(16, { ...orderInfo({ Nonce: 2 }), TimeInForce: 0, Time: 0 });
    expect([await change('premium'), await change('plus')]).toEqual([200, 62006]);
    const limits = await exchange.get('/api/v1/accountLimits?account_index=100', exchange.token(100));
    expect(limits.body).toMatchObject({
      user_tier: 'premium',
      current_maker_fee_tick: 40,
      current_taker_fee_tick: 280,
    });
  });
});

describe('settings', () => {
  it('duplicate client ids and missing orders may be refused at the API', async () => {
    exchange = await quietExchange({ duplicateCheck: 'api', missingOrders: 'refuse' });
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    expect((await exchange.create({ Nonce: 2, ClientOrderIndex: 7 })).body['code']).toBe(21728);
    expect((await exchange.send(15, { ...orderInfo({ Nonce: 2 }), Index: 8 })).body['code']).toBe(21715);
    expect((await exchange.send(15, { ...orderInfo({ Nonce: 2 }), Index: 7 })).status).toBe(200);
  });

  it('the control face names what it knows', async () => {
    exchange = await quietExchange();
    const unknown = await exchange.post('/_paper/orders', { market_id: 1, side: 'buy' });
    expect([unknown.status, unknown.body['message']]).toEqual([
      400,
      expect.stringMatching(/unknown field side; known: market_id/),
    ]);
    expect((await exchange.post('/_paper/market', { market_id: 9 })).body['message']).toMatch(/one of 0, 1, 36/);
    expect((await exchange.get('/_paper/truth?account_index=9')).body['message']).toMatch(/no account 9/);
    expect((await exchange.post('/_paper/accounts', { account_index: 5, api_keys: { '5': 'zz' } })).status).toBe(400);
  });

  it('moving the market takes resting orders out and sets the book up again', async () => {
    exchange = await quietExchange();
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_090_000 });
    const market = (await exchange.post('/_paper/market', { market_id: 1, mid_price: '108950.0' })).body;
    expect([Number(market['best_bid']) < 108950, Number(market['best_ask']) > 108950]).toEqual([true, true]);
    expect(market['bid_levels']).toBeGreaterThanOrEqual(30);
    expect((await exchange.truth(100))['orders'][0]['status']).toBe('filled');
  });
});
