/** Every fault of the plan does what `GET /_paper/faults` says of it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OrderFields, Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
beforeEach(async () => {
  exchange = await quietExchange();
});
afterEach(() => exchange.close());

const fault = (body: Row): Promise<unknown> => exchange.post('/_paper/faults', [body]);
const nonceOf = async (key = 0): Promise<number> =>
  (await exchange.truth(100))['api_keys'][key]['next_nonce'] as number;

describe('request and response', () => {
  it('a dropped request never happened', async () => {
    await fault({ on: 'request', action: 'drop', match: { path: 'sendTx', account_index: 100 } });
    await expect(exchange.create({ Nonce: 1 })).rejects.toThrow();
    expect(await nonceOf()).toBe(1);
    expect((await exchange.create({ Nonce: 1 })).status).toBe(200);
  });

  it('a dropped response happened', async () => {
    await fault({ on: 'response', action: 'drop', match: { path: 'sendTx' } });
    await expect(exchange.create({ Nonce: 1, ClientOrderIndex: 7 })).rejects.toThrow();
    expect(await nonceOf()).toBe(2);
    expect((await exchange.create({ Nonce: 1, ClientOrderIndex: 7 })).body['code']).toBe(21104);
  });

  it('an injected answer, as often as asked', async () => {
    await fault({ on: 'request', action: 'answer', status: 429, code: 23000, count: 2, match: { path: 'nextNonce' } });
    const read = () => exchange.get('/api/v1/nextNonce?account_index=100&api_key_index=5');
    expect([(await read()).status, (await read()).body['code'], (await read()).status]).toEqual([429, 23000, 200]);
  });

  it('a delayed request lets later ones overtake it', async () => {
    await fault({ on: 'request', action: 'delay', ms: 3_000, match: { tx_type: 14 } });
    const late = exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await exchange.post('/_paper/faults', []);
    const other = await exchange.create({ Nonce: 1, ClientOrderIndex: 8 });
    expect([other.status, (await late).body['code']]).toEqual([200, 21104]);
  });

  it('the same faults bite on WebSocket transactions', async () => {
    const socket = await exchange.open();
    const say = (id: string, Nonce: number): void =>
      socket.say({ type: 'jsonapi/sendtx', data: { id, tx_type: 14, tx_info: orderInfo({ Nonce }) } });
    await fault({ on: 'request', action: 'drop', match: { path: 'jsonapi/sendtx' } });
    await fault({ on: 'response', action: 'drop', match: { path: 'jsonapi/sendtx', tx_type: 14 } });
    say('a', 1);
    say('b', 1);
    say('c', 2);
    expect(await socket.next((frame) => frame['id'] === 'c')).toHaveProperty('code', 200);
    expect(socket.frames.map((frame) => frame['id']).filter(Boolean)).toEqual(['c']);
  });
});

describe('subscriptions', () => {
  it('refused: an error frame without a channel, no snapshot, other channels go on', async () => {
    const socket = await exchange.open();
    await fault({ on: 'subscribe', action: 'refuse', code: 30005, match: { channel: 'account_tx' }, count: 0 });
    expect(await socket.subscribe('account_tx/100', exchange.token(100))).toEqual({
      error: { code: 30005, message: 'Invalid Channel' },
    });
    const orders = await socket.subscribe('account_all_orders/100', exchange.token(100));
    expect(orders['type']).toBe('subscribed/account_all_orders');
    await exchange.create({ Nonce: 1 });
    await socket.next((frame) => frame['type'] === 'update/account_all_orders');
    await socket.next((frame) => frame['type'] === 'pong', ask(socket));
    expect(socket.frames.map((frame) => frame['type'])).not.toContain('update/account_tx');
    // Lifted, it is open to all again.
    await exchange.call('/_paper/faults', { method: 'DELETE' });
    expect((await socket.subscribe('account_tx/100', exchange.token(100)))['type']).toBe('subscribed/account_tx');
  });

  it('silent: never answered, nothing of the channel comes; other accounts are not concerned', async () => {
    const socket = await exchange.open();
    await fault({ on: 'subscribe', action: 'silence', match: { channel: 'account_tx', account_index: 100 } });
    socket.say({ type: 'subscribe', channel: 'account_tx/100', auth: exchange.token(100) });
    await socket.subscribe('account_tx/200', exchange.token(200));
    await exchange.create({ Nonce: 1 });
    await socket.next((frame) => frame['type'] === 'pong', ask(socket));
    const types = socket.frames.map((frame) => `${frame['type']} ${frame['channel'] ?? ''}`);
    expect(types).toEqual(['connected ', 'subscribed/account_tx account_tx:200', 'pong ']);
    expect((await socket.subscribe('account_tx/100', exchange.token(100)))['type']).toBe('subscribed/account_tx');
  });
});

describe('streams and frames', () => {
  it('cut closes matching connections only', async () => {
    const [mine, other] = [await exchange.open(), await exchange.open()];
    await mine.subscribe('account_all_orders/100', exchange.token(100));
    await other.subscribe('account_all_orders/200', exchange.token(200));
    await fault({ on: 'stream', action: 'cut', match: { account_index: 100 } });
    await mine.whenClosed();
    expect(other.closed).toBe(false);
    const again = await exchange.open();
    await again.subscribe('account_all_orders/100', exchange.token(100));
    expect(again.closed).toBe(false);
  });

  it('silence: open, but nothing comes, not even a pong; then it speaks again', async () => {
    const [silent, other] = [await exchange.open(), await exchange.open()];
    await silent.subscribe('account_all_orders/100', exchange.token(100));
    await other.subscribe('account_all_positions/100');
    await fault({ on: 'stream', action: 'silence', ms: 4_000, match: { channel: 'account_all_orders' } });
    const from = silent.frames.length;
    silent.say({ type: 'ping' });
    await exchange.create({ Nonce: 1 });
    await other.next((frame) => frame['type'] === 'update/account_all_positions');
    expect([silent.frames.length, silent.closed]).toEqual([from, false]);
    while (silent.frames.length === from) {
      silent.say({ type: 'ping' });
      await other.next((frame) => frame['type'] === 'pong', ask(other));
    }
    expect(silent.frames[from]).toEqual({ type: 'pong' });
  });

  it('shutdown: announced, transactions still answered, closed when it said; the next connection stays', async () => {
    const [mine, other] = [await exchange.open(), await exchange.open()];
    await mine.subscribe('account_all_orders/100', exchange.token(100));
    await other.subscribe('account_all_orders/200', exchange.token(200));
    const atMs = performance.now();
    await fault({ on: 'stream', action: 'shutdown', ms: 3_000, match: { account_index: 100 } });
    expect(await mine.next((frame) => frame['type'] === 'shutdown')).toEqual({ type: 'shutdown', close_in_ms: 3_000 });
    await mine.next((frame) => frame['type'] === 'pong', ask(mine));
    await mine.whenClosed();
    expect(performance.now() - atMs).toBeGreaterThan(2_900);
    expect(other.closed).toBe(false);
    const again = await exchange.open();
    await again.subscribe('account_all_orders/100', exchange.token(100));
    await again.next((frame) => frame['type'] === 'pong', ask(again));
    expect(again.frames.map((frame) => frame['type'])).not.toContain('shutdown');
  });

  it('null: three frames that are null, then the frame itself', async () => {
    const socket = await exchange.open();
    await socket.subscribe('account_all_orders/100', exchange.token(100));
    await fault({ on: 'frame', action: 'null', match: { channel: 'account_all_orders:100' } });
    const from = socket.frames.length;
    await exchange.create({ Nonce: 1 });
    await socket.next((frame) => frame?.['type'] === 'update/account_all_orders', from);
    expect(socket.frames.slice(from, -1)).toEqual([null, null, null]);
  });

  it.each([
    ['drop', [2, 3]],
    ['repeat', [1, 1, 2, 3]],
    ['reorder', [2, 1, 3]],
    ['delay', [2, 3, 1]],
  ])('frame %s', async (action, seen) => {
    const socket = await exchange.open();
    await socket.subscribe('account_all_orders/100', exchange.token(100));
    await fault({ on: 'frame', action, ms: 3_000, match: { channel: 'account_all_orders:100' } });
    for (const id of [1, 2, 3]) await exchange.create({ Nonce: id, ClientOrderIndex: id });
    const ids = (): unknown[] =>
      socket.frames
        .filter((frame) => frame['type'] === 'update/account_all_orders')
        .map((frame) => (frame['orders']['1'] as Row[])[0]!['client_order_index']);
    await socket.next(() => ids().length >= seen.length);
    expect(ids()).toEqual(seen);
  });
});

describe('lists', () => {
  it('order lists, trades and nextNonce show the past', async () => {
    const token = exchange.token(100);
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await exchange.post('/_paper/clock', { offset_ms: 20_000 });
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8, ExpiredAt: Date.now() + 500_000 });
    await exchange.send(15, { ...orderInfo({ Nonce: 3, ExpiredAt: Date.now() + 500_000 }), Index: 7 });
    const ids = async (path: string): Promise<unknown[]> =>
      ((await exchange.get(path, token)).body['orders'] as Row[]).map(
        (row) => `${row['client_order_index']} ${row['status']}`,
      );
    const active = '/api/v1/accountActiveOrders?account_index=100';
    const inactive = '/api/v1/accountInactiveOrders?account_index=100&limit=10';
    const byId = '/api/v1/accountOrders?account_index=100&client_order_indexes=7,8';
    expect([await ids(active), await ids(inactive)]).toEqual([['8 open'], ['7 canceled']]);
    await fault({ on: 'lists', action: 'lag', ms: 16_000, count: 0, match: { account_index: 100 } });
    expect([await ids(active), await ids(inactive), await ids(byId)]).toEqual([['7 open'], [], ['7 open']]);
    const nonce = await exchange.get('/api/v1/nextNonce?account_index=100&api_key_index=5');
    expect(nonce.body['nonce']).toBe(2);
    const txs = await exchange.get('/api/v1/accountTxs?by=account_index&value=100&limit=10', token);
    expect((txs.body['txs'] as Row[]).map((row) => row['nonce'])).toEqual([1]);
    await exchange.call('/_paper/faults', { method: 'DELETE' });
    expect(await ids(byId)).toEqual(['8 open', '7 canceled']);
  });
});

describe('lists whose rows come one by one', () => {
  const token = (): string => exchange.token(100);
  const active = '/api/v1/accountActiveOrders?account_index=100';
  const txs = '/api/v1/accountTxs?by=account_index&value=100&limit=100';
  const trades = '/api/v1/trades?sort_by=trade_id&limit=100&account_index=100';
  const cover = [
    [active, 'orders', 'client_order_index'],
    [txs, 'txs', 'nonce'],
    [trades, 'trades', 'ask_client_id'],
  ] as const;
  const shown = async ([path, list, field]: (typeof cover)[number]): Promise<number[]> =>
    ((await exchange.get(path, token())).body[list] as Row[]).map((row) => Number(row[field])).sort((a, b) => a - b);

  it.each(cover)('%s: not as a prefix, each row after its own delay, the same in every read', async (...list) => {
    await exchange.post('/_paper/market', { market_id: 1, levels: 0 });
    for (let id = 1; id <= 30; id += 1) {
      const isTrade = list[1] === 'trades';
      if (isTrade) {
        await exchange.post('/_paper/orders', { market_id: 1, is_ask: false, base_amount: '0.00020', price: '109000' });
      }
      const order = { Nonce: id, ClientOrderIndex: id, Price: isTrade ? 1_090_000 : 1_080_000 };
      await exchange.create({ ...order, ...(isTrade ? { IsAsk: 1, TimeInForce: 0 } : {}) });
    }
    const all = Array.from({ length: 30 }, (_, i) => i + 1);
    expect(await shown(list)).toEqual(all);
    await fault({ on: 'lists', action: 'scatter', ms: 100_000, count: 0, match: { account_index: 100 } });
    await exchange.post('/_paper/clock', { offset_ms: 50_000 });
    const half = await shown(list);
    expect(half.length).toBeGreaterThan(3);
    expect(half.length).toBeLessThan(27);
    expect(half).not.toEqual(all.slice(0, half.length));
    expect(await shown(list)).toEqual(expect.arrayContaining(half));
    await exchange.post('/_paper/clock', { offset_ms: 101_000 });
    expect(await shown(list)).toEqual(all);
  });

  it('a row that is seen stays seen, and its changes come late too', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await fault({ on: 'lists', action: 'scatter', ms: 10_000, count: 0 });
    await exchange.post('/_paper/clock', { offset_ms: 20_000 });
    const state = async (): Promise<unknown> =>
      ((await exchange.get('/api/v1/accountOrders?client_order_indexes=7', token())).body['orders'] as Row[])[0]?.[
        'status'
      ];
    expect(await state()).toBe('open');
    await exchange.send(15, { ...orderInfo({ Nonce: 2, ExpiredAt: Date.now() + 500_000 }), Index: 7 });
    expect(await state()).toBe('open');
    await exchange.post('/_paper/clock', { offset_ms: 31_000 });
    expect(await state()).toBe('canceled');
  });
});

describe('sequencer', () => {
  /** Sent as one, so that no stall comes between them. */
  async function together(...orders: readonly (OrderFields & { readonly ApiKeyIndex?: number })[]): Promise<Row[]> {
    const sender = await exchange.open();
    orders.forEach((fields, id) =>
      sender.say({ type: 'jsonapi/sendtx', data: { id: `${id}`, tx_type: 14, tx_info: orderInfo(fields) } }),
    );
    return Promise.all(orders.map((_, id) => sender.next((frame) => frame['id'] === `${id}`)));
  }

  it('refuse without using the nonce: dropped, and later ones with it', async () => {
    await exchange.close();
    exchange = await quietExchange({ latency: { takerMs: 1_000, makerMs: 1_000, cancelMs: 1_000 } });
    await fault({ on: 'sequencer', action: 'refuse', code: 21739, consume_nonce: false });
    const socket = await exchange.open();
    await socket.subscribe('account_tx/100', exchange.token(100));
    const [first, second] = await together({ Nonce: 1 }, { Nonce: 2 });
    expect([first?.['code'], second?.['code']]).toEqual([200, 200]);
    await exchange.create({ Nonce: 1 }, 100, 6);
    await socket.next((frame) => frame['type'] === 'update/account_tx');
    for (const answer of [first, second]) {
      const tx = await exchange.get(`/api/v1/tx?by=hash&value=${answer?.['tx_hash']}`);
      expect(tx.body['status']).toBe(0);
    }
    expect((await exchange.create({ Nonce: 1 })).status).toBe(200);
  });

  it('expire: status 0, nonce unused', async () => {
    await fault({ on: 'sequencer', action: 'expire', match: { account_index: 100 } });
    const answer = await exchange.create({ Nonce: 1 });
    expect(answer.status).toBe(200);
    expect((await exchange.get(`/api/v1/tx?by=hash&value=${answer.body['tx_hash']}`)).body['status']).toBe(0);
    expect(await nonceOf()).toBe(1);
  });

  it('delay: later ones of the key wait, other keys do not', async () => {
    const socket = await exchange.open();
    await socket.subscribe('account_tx/100', exchange.token(100));
    await fault({ on: 'sequencer', action: 'delay', ms: 1_000 });
    await together(
      { Nonce: 1, ClientOrderIndex: 1 },
      { Nonce: 2, ClientOrderIndex: 2 },
      { Nonce: 1, ClientOrderIndex: 3, ApiKeyIndex: 6 },
    );
    const order = (): unknown[] =>
      socket.frames
        .filter((frame) => frame['type'] === 'update/account_tx')
        .map((frame) => (JSON.parse(String((frame['txs'] as Row[])[0]!['info'])) as Row)['ClientOrderIndex']);
    await socket.next(() => order().length === 3);
    expect(order()).toEqual([3, 1, 2]);
  });
});

describe('the face of the plan', () => {
  it('describes every kind with an example that it accepts', async () => {
    const { body } = await exchange.get('/_paper/faults');
    for (const kind of body['kinds'] as Row[]) {
      const answer = await exchange.post('/_paper/faults', kind['example']);
      expect([kind['on'], kind['action'], answer.status]).toEqual([kind['on'], kind['action'], 200]);
    }
    const active = (await exchange.get('/_paper/faults')).body['active'] as Row[];
    expect(active.length).toBe((body['kinds'] as Row[]).length);
    expect((await exchange.call('/_paper/faults', { method: 'DELETE' })).body).toEqual({ removed: active.length });
  });

  it.each([
    [{ on: 'request', action: 'drop', matches: {} }, /unknown field matches; known: on, match/],
    [{ on: 'request', action: 'drop', match: { account: 5 } }, /unknown field account; known: path/],
    [{ on: 'request', action: 'explode' }, /no fault "request explode"; known: request drop/],
    [{ on: 'lists', action: 'lag' }, /needs ms/],
    [{ on: 'sequencer', action: 'refuse' }, /needs code/],
    [{ on: 'stream', action: 'shutdown' }, /needs ms/],
    [{ on: 'subscribe', action: 'refuse' }, /needs code/],
  ])('refuses %j', async (body, text) => {
    const answer = await exchange.post('/_paper/faults', body);
    expect(answer.status).toBe(400);
    expect(answer.body['message']).toMatch(text);
    expect((await exchange.get('/_paper/faults')).body['active']).toEqual([]);
  });
});

function ask(socket: { frames: Row[]; say(message: unknown): void }): number {
  const from = socket.frames.length;
  socket.say({ type: 'ping' });
  return from;
}
