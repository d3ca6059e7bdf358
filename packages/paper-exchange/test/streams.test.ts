/** The WebSocket face against the frames recorded in LP §5. Recorded shapes are copied from LP; values differ. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange } from './helpers';
import { orderInfo, quietExchange, TestSocket } from './helpers';

let exchange: TestExchange;
let socket: TestSocket;

beforeEach(async () => {
  exchange = await quietExchange();
  socket = await exchange.open();
});
afterEach(() => exchange.close());

const errorOf = (frame: Row): unknown => frame['error'];

describe('connection and subscriptions', () => {
  it('greets, answers pings, acknowledges and refuses as recorded', async () => {
    expect(Object.keys(socket.frames[0]!)).toEqual(['session_id', 'type']);
    socket.say({ type: 'ping' });
    expect(await socket.next((frame) => frame['type'] === 'pong')).toEqual({ type: 'pong' });
    await socket.subscribe('order_book/0');
    expect(errorOf(await socket.subscribe('order_book/0'))).toEqual({
      code: 30003,
      message: 'Already Subscribed to : order_book:0',
    });
    expect(errorOf(await socket.subscribe('order_book/77'))).toEqual({
      code: 30005,
      message: 'Invalid Channel:  (marketId)',
    });
    socket.say({ type: 'unsubscribe', channel: 'order_book/0' });
    const ack = await socket.next((frame) => frame['type'] === 'unsubscribed');
    expect(ack).toEqual({ type: 'unsubscribed', channel: 'order_book:0' });
    // Subscribing again gives a fresh snapshot.
    expect((await socket.subscribe('order_book/0'))['type']).toBe('subscribed/order_book');
  });

  it('private channels need a token of the account, in time', async () => {
    expect(errorOf(await socket.subscribe('account_all_orders/100'))).toEqual({
      code: 20001,
      message: 'invalid param : auth field is required: account_all_orders:100',
    });
    const denied = async (token: string): Promise<unknown> =>
      errorOf(await socket.subscribe('account_all_orders/100', token));
    expect(await denied('garbage')).toEqual({ code: 20013, message: 'invalid auth: invalid auth string' });
    expect(await denied(exchange.token(100, 8 * 3600 + 60))).toEqual({
      code: 20013,
      message: 'invalid auth: invalid deadline',
    });
    expect(await denied(exchange.token(100, -1))).toEqual({ code: 20013, message: 'invalid auth: invalid deadline' });
    expect(await denied(exchange.token(200))).toHaveProperty('code', 20013);
    const good = await socket.subscribe('account_all_orders/100', exchange.token(100, 8 * 3600));
    expect(good).toEqual({ channel: 'account_all_orders:100', orders: {}, type: 'subscribed/account_all_orders' });
  });

  it.each(['account_all/100', 'user_stats/100', 'account_all_positions/100', 'account_all_trades/100'])(
    '%s needs no token',
    async (channel) => {
      expect(String((await socket.subscribe(channel))['type'])).toMatch(/^subscribed\//);
    },
  );

  it('garbage never closes a connection', async () => {
    for (const [text, code] of [
      ['{', 30000],
      ['[]', 30000],
      ['{"type":"dance"}', 30001],
      ['{"type":"subscribe"}', 30005],
      ['{"type":"jsonapi/sendtx"}', 21501],
      ['{"type":"jsonapi/sendtx","data":{"tx_type":14,"tx_info":"text"}}', 21501],
    ] as const) {
      const from = socket.frames.length;
      socket.say(text);
      expect(await socket.next(() => true, from)).toHaveProperty('error.code', code);
    }
  });
});

describe('keep-alive', () => {
  let aheadMs = 0;

  beforeEach(async () => {
    aheadMs = 0;
    await exchange.close();
    exchange = await quietExchange({ now: () => Date.now() + aheadMs });
    socket = await exchange.open();
  });

  it('a client that says nothing for two minutes is closed; frames to it do not count', async () => {
    await socket.subscribe('ticker/1');
    const busy = await exchange.open();
    aheadMs = 119_000;
    busy.say({ type: 'ping' });
    await busy.next((frame) => frame['type'] === 'pong');
    expect(socket.closed).toBe(false);
    const closed = new Promise((resolve) => socket.socket.once('close', (code) => resolve(code)));
    aheadMs = 121_000;
    expect(await closed).toBe(1008);
    expect(busy.closed).toBe(false);
  });

  it('with server_pings=true the server pings, and closes 1008 "no pong" without an answer', async () => {
    const pinged = await TestSocket.open(`${exchange.server.wsUrl}?server_pings=true`);
    aheadMs = 61_000;
    await pinged.next((frame) => frame['type'] === 'ping');
    pinged.say({ type: 'pong' });
    pinged.say({ type: 'ping' });
    await pinged.next((frame) => frame['type'] === 'pong');
    const from = pinged.frames.length;
    aheadMs = 122_000;
    await pinged.next((frame) => frame['type'] === 'ping', from);
    const closed = new Promise((resolve) => {
      pinged.socket.once('close', (code, reason) => resolve([code, String(reason)]));
    });
    aheadMs = 183_000;
    expect(await closed).toEqual([1008, 'no pong']);
  });
});

describe('order book', () => {
  it('deltas continue the snapshot without a gap and rebuild the book exactly', async () => {
    const snapshot = await socket.subscribe('order_book/1');
    const book = { asks: new Map<string, string>(), bids: new Map<string, string>() };
    const apply = (frame: Row): void => {
      for (const side of ['asks', 'bids'] as const) {
        for (const level of frame['order_book'][side] as Row[]) {
          if (Number(level['size']) === 0) {
            // A client may delete only what it was sent (LP §5.5).
            expect(book[side].has(String(level['price']))).toBe(true);
            book[side].delete(String(level['price']));
          } else book[side].set(String(level['price']), String(level['size']));
        }
      }
    };
    apply(snapshot);
    expect(snapshot['order_book']['begin_nonce']).toBe(0);
    for (const base of ['0.3', '2', '0.5']) {
      await exchange.post('/_paper/orders', { market_id: 1, is_ask: true, base_amount: base, type: 'market' });
      await exchange.post('/_paper/orders', { market_id: 1, is_ask: false, base_amount: base, type: 'market' });
    }
    await exchange.post('/_paper/market', { market_id: 1, mid_price: '109500.0' });
    const truth = (await exchange.get('/api/v1/orderBookOrders?market_id=1&limit=250')).body;
    const sums = { asks: new Map<string, number>(), bids: new Map<string, number>() };
    for (const side of ['asks', 'bids'] as const) {
      for (const row of truth[side] as Row[]) {
        const price = String(row['price']);
        sums[side].set(price, (sums[side].get(price) ?? 0) + Math.round(Number(row['remaining_base_amount']) * 1e5));
      }
    }
    const best = String((truth['asks'] as Row[])[0]!['price']);
    await socket.next(
      (frame) =>
        frame['type'] === 'update/order_book' &&
        (frame['order_book']['asks'] as Row[]).some((level) => level['price'] === best),
    );
    const updates = socket.frames.filter((frame) => frame['type'] === 'update/order_book');
    let nonce = snapshot['order_book']['nonce'] as number;
    for (const update of updates) {
      expect(update['order_book']['begin_nonce']).toBe(nonce);
      nonce = update['order_book']['nonce'] as number;
      apply(update);
    }
    for (const side of ['asks', 'bids'] as const) {
      const shown = [...book[side]].map(([price, size]) => [price, Math.round(Number(size) * 1e5)]).sort();
      expect(shown).toEqual([...sums[side]].sort());
    }
  });
});

describe('account channels', () => {
  const crossing = { TimeInForce: 0, OrderExpiry: 0, Price: 1_100_000 } as const;

  it('one frame per transaction and channel, orders first', async () => {
    for (const channel of [
      'account_all_orders',
      'account_tx',
      'account_all_trades',
      'account_all',
      'account_all_positions',
    ]) {
      await socket.subscribe(`${channel}/100`, exchange.token(100));
    }
    await socket.subscribe('account_orders/1/100', exchange.token(100));
    await socket.subscribe('user_stats/100');
    const from = socket.frames.length;
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, ...crossing });
    await socket.next((frame) => frame['type'] === 'update/user_stats', from);
    expect(socket.frames.slice(from).map((frame) => frame['type'])).toEqual([
      'update/account_all_orders',
      'update/account_orders',
      'update/account_tx',
      'update/account_all_trades',
      'update/account_all',
      'update/account_all_positions',
      'update/user_stats',
    ]);
    const all = socket.frames.slice(from).find((frame) => frame['type'] === 'update/account_all')!;
    const [trade] = all['trades']['1'] as Row[];
    expect(trade!['bid_account_id']).toBe(100);
    // Zero values are left out (LP §1.4, Trade).
    expect(Object.keys(trade!)).not.toContain('taker_fee');
    const position = all['positions']['1'] as Row;
    expect([position['position'], position['sign'], position['open_order_count']]).toEqual(['0.00020', 1, 0]);
  });

  it('a refusal of the sequencer shows in account_tx only', async () => {
    for (const channel of ['account_all_orders', 'account_tx'])
      await socket.subscribe(`${channel}/100`, exchange.token(100));
    await exchange.post('/_paper/faults', { on: 'sequencer', action: 'refuse', code: 21739 });
    const from = socket.frames.length;
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    const frame = await socket.next(() => true, from);
    expect(frame['type']).toBe('update/account_tx');
    const [tx] = frame['txs'] as Row[];
    expect(JSON.parse(String(JSON.parse(String(tx!['event_info'])).ae))).toMatchObject({ code: 21739 });
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8 });
    const orders = await socket.next((one) => one['type'] === 'update/account_all_orders', from);
    expect((orders['orders']['1'] as Row[])[0]!['client_order_index']).toBe(8);
  });
});

describe('transactions over the socket', () => {
  const say = (id: string | undefined, info: Row): void =>
    socket.say({ type: 'jsonapi/sendtx', data: { id, tx_type: 14, tx_info: info } });

  it('answer with the id, as recorded', async () => {
    say('42', orderInfo({ Nonce: 1 }));
    const answer = await socket.next((frame) => frame['id'] === '42');
    const recorded = ['code', 'id', 'predicted_execution_time_ms', 'tx_hash', 'type'];
    // The last may appear (LP §5.7).
    expect(Object.keys(answer)).toEqual([...recorded, 'volume_quota_remaining']);
    expect([answer['code'], answer['type'], String(answer['tx_hash']).length]).toEqual([200, 'jsonapi/sendtx', 80]);
    say('43', orderInfo({ Nonce: 1 }));
    expect(await socket.next((frame) => frame['id'] === '43')).toEqual({
      error: { code: 21104, message: 'invalid nonce' },
      id: '43',
    });
  });

  it('a batch is accepted whole or not at all', async () => {
    const batch = (id: string, nonces: readonly number[]): void =>
      socket.say({
        type: 'jsonapi/sendtxbatch',
        data: {
          id,
          tx_types: JSON.stringify(nonces.map(() => 14)),
          tx_infos: JSON.stringify(nonces.map((Nonce) => JSON.stringify(orderInfo({ Nonce })))),
        },
      });
    batch('a', [1, 2]);
    const answer = await socket.next((frame) => frame['id'] === 'a');
    expect((answer['tx_hash'] as string[]).length).toBe(2);
    batch('b', [3, 5]);
    expect(await socket.next((frame) => frame['id'] === 'b')).toHaveProperty('error.code', 21105);
    batch('c', [4, 5]);
    expect(await socket.next((frame) => frame['id'] === 'c')).toHaveProperty('error.code', 21104);
    expect((await exchange.truth(100))['api_keys'][0]).toMatchObject({ next_nonce: 3, next_nonce_accepted: 3 });
  });
});
