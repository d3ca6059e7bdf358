/** What befalls an account without an order of its own: liquidated, deleveraged, money that comes and goes, trades by hand. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange, TestSocket } from './helpers';
import { quietExchange } from './helpers';

let exchange: TestExchange;
let socket: TestSocket;
beforeEach(async () => {
  exchange = await quietExchange();
  socket = await exchange.open();
  // 100 is long 0.010 BTC at 110000, bought from the simulated market.
  await exchange.post('/_paper/market', { market_id: 1, mid_price: '110000' });
  const bought = await byHand(100, false, '0.01000');
  expect(bought['filled_base_amount']).toBe('0.01000');
});
afterEach(() => exchange.close());

const byHand = async (accountIndex: number, isAsk: boolean, amount: string): Promise<Row> => {
  const order = { market_id: 1, is_ask: isAsk, base_amount: amount, type: 'market' };
  return (await exchange.post('/_paper/orders', { ...order, account_index: accountIndex })).body;
};
const reduce = (fields: Row): ReturnType<TestExchange['post']> =>
  exchange.post('/_paper/positions', { account_index: 100, market_id: 1, ...fields });
const positionOf = async (accountIndex = 100): Promise<unknown> =>
  ((await exchange.truth(accountIndex))['positions'] as Row[]).find((row) => row['market_id'] === 1)?.[
    'signed_position'
  ];
const tradesOf = async (type: string): Promise<Row[]> => {
  const path = `/api/v1/trades?sort_by=trade_id&limit=10&account_index=100&type=${type}`;
  return (await exchange.get(path, exchange.token(100))).body['trades'] as Row[];
};

describe('a position reduced by force', () => {
  it.each(['liquidation', 'deleverage'])(
    '%s: a trade of this type at the mark price, no order, no order frame',
    async (kind) => {
      for (const channel of ['account_all_orders', 'account_all_trades', 'account_all_positions', 'notification'])
        await socket.subscribe(`${channel}/100`, exchange.token(100));
      await socket.subscribe('trade/1');
      const answer = await reduce({ reduce_by: '0.00400', kind });
      expect(answer.body).toEqual({ trade_id: expect.any(Number), signed_position: '0.00600' });
      const [trade] = await tradesOf(kind);
      expect(trade).toMatchObject({
        ...{ trade_id: answer.body['trade_id'], type: kind, size: '0.00400', price: '110000.0' },
        ...{ ask_account_id: 100, ask_client_id: 0, is_maker_ask: false, taker_position_size_before: '0.01000' },
      });
      expect(trade?.['taker_fee']).toBe(kind === 'liquidation' ? 10_000 : undefined);
      expect((await tradesOf('trade')).length).toBeGreaterThan(0);
      expect((await tradesOf('all')).map((row) => row['type'])).toContain(kind);
      const frame = await socket.next((one) => one['type'] === 'update/account_all_trades');
      expect(((frame['trades'] as Row)['1'] as Row[])[0]).toMatchObject({ type: kind, size: '0.00400' });
      const positions = await socket.next((one) => one['type'] === 'update/account_all_positions');
      expect((positions['positions'] as Row)['1']).toMatchObject({ position: '0.00600', sign: 1 });
      const notice = await socket.next((one) => one['type'] === 'update/notification');
      expect((notice['notifs'] as Row[])[0]).toMatchObject({ kind, account_index: 100 });
      const tape = await socket.next((one) => one['type'] === 'update/trade');
      expect([(tape['liquidation_trades'] as Row[]).length, (tape['trades'] as Row[]).length]).toEqual(
        kind === 'liquidation' ? [1, 0] : [0, 1],
      );
      expect(socket.frames.map((one) => one['type'])).not.toContain('update/account_all_orders');
      expect((await exchange.truth(100))['orders']).toHaveLength(1);
    },
  );

  it('a short one too, and to nothing', async () => {
    await byHand(200, true, '0.00500');
    const answer = await reduce({ account_index: 200, reduce_by: '0.00500', kind: 'deleverage', price: '109000' });
    expect([answer.status, await positionOf(200)]).toEqual([200, '0.00000']);
  });

  it.each([
    [{ reduce_by: '0.01001' }, /more than the position, 0.01000/],
    [{ reduce_by: '0' }, /reduce_by must be a positive decimal/],
    [{ reduce_by: '0.001', kind: 'funding' }, /liquidation or deleverage/],
    [{ reduce_by: '1', market_id: 36 }, /more than the position/],
    [{ reduce_by: '0.001', account_index: 700_001 }, /belongs to the simulated market/],
  ])('refuses %j', async (body, text) => {
    const answer = await reduce(body);
    expect([answer.status, answer.body['message']]).toEqual([400, expect.stringMatching(text)]);
    expect(await positionOf()).toBe('0.01000');
  });
});

describe('a position changed by a stranger', () => {
  it('in either direction, past the book: a trade without any order', async () => {
    const change = async (by: string): Promise<unknown> => (await reduce({ change_by: by })).body['signed_position'];
    expect([await change('-0.01500'), await change('0.01500')]).toEqual(['-0.00500', '0.01000']);
    expect((await tradesOf('trade'))[0]).toMatchObject({ size: '0.01500', bid_account_id: 100, bid_client_id: 0 });
    expect((await exchange.truth(100))['orders']).toHaveLength(1);
    const both = await reduce({ change_by: '1', reduce_by: '1' });
    expect([both.status, both.body['message']]).toEqual([400, expect.stringMatching(/stands alone/)]);
  });
});

describe('collateral', () => {
  const move = (fields: Row): ReturnType<TestExchange['post']> =>
    exchange.post('/_paper/collateral', { account_index: 100, ...fields });

  it('removed, margin runs out; added, it is back; streams tell both', async () => {
    await socket.subscribe('user_stats/100');
    await socket.subscribe('account_all_assets/100', exchange.token(100));
    const order = { Price: 1_090_000, BaseAmount: 1_000 };
    const answer = await move({ remove: '99930' });
    expect([answer.status, answer.body['collateral']]).toEqual([200, '70.000000']);
    const stats = await socket.next((one) => one['type'] === 'update/user_stats');
    expect((stats['stats'] as Row)['collateral']).toBe('70.000000');
    const assets = await socket.next((one) => one['type'] === 'update/account_all_assets');
    expect((assets['assets'] as Row)['3']).toMatchObject({ margin_balance: '70.000000' });
    expect((await exchange.create({ Nonce: 1, ...order })).body['code']).toBe(21739);
    await move({ add: '1000' });
    expect((await exchange.create({ Nonce: 1, ...order })).status).toBe(200);
  });

  it.each([
    [{ remove: '100001' }, /more than the collateral; account 100 has 100000.000000/],
    [{ add: '1', remove: '1' }, /either add or remove/],
    [{}, /either add or remove/],
    [{ add: '-1' }, /positive decimal/],
  ])('refuses %j', async (body, text) => {
    const answer = await move(body);
    expect([answer.status, answer.body['message']]).toEqual([400, expect.stringMatching(text)]);
  });
});

describe('a trade by hand', () => {
  it('on an account of ours: no key, no nonce, no client index; the streams show it like any other', async () => {
    await socket.subscribe('account_all_orders/100', exchange.token(100));
    await byHand(100, true, '0.00300');
    const frame = await socket.next((one) => one['type'] === 'update/account_all_orders');
    expect(((frame['orders'] as Row)['1'] as Row[])[0]).toMatchObject({ client_order_index: 0, status: 'filled' });
    expect([await positionOf(), (await exchange.truth(100))['transactions']]).toEqual(['0.00700', []]);
  });
});
