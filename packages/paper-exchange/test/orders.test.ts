/** What orders, cancels and modifies do, seen from outside: frames, REST and `_paper/truth` (LP §2). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange, TestSocket } from './helpers';
import { orderInfo, quietExchange } from './helpers';

const ioc = { TimeInForce: 0, OrderExpiry: 0 } as const;
let exchange: TestExchange;
let socket: TestSocket;

beforeEach(async () => {
  exchange = await quietExchange();
  // An empty book with one deep quote on each side, so that every test knows what it meets.
  await exchange.post('/_paper/market', { market_id: 1, levels: 0 });
  await trader({ is_ask: true, base_amount: '1', price: '109450.0', type: 'limit' });
  await trader({ is_ask: false, base_amount: '1', price: '109440.0', type: 'limit' });
  socket = await exchange.open();
  await socket.subscribe('account_all_orders/100', exchange.token(100));
  await socket.subscribe('account_tx/100', exchange.token(100));
});
afterEach(() => exchange.close());

/** The order with this client id in a status for which `wanted` holds. */
async function order(clientIndex: number, wanted: (row: Row) => boolean): Promise<Row> {
  const matches = (frame: Row): Row | undefined =>
    frame['type'] === 'update/account_all_orders'
      ? (Object.values(frame['orders'] as Row).flat() as Row[]).find(
          (row) => row['client_order_index'] === clientIndex && wanted(row),
        )
      : undefined;
  return matches(await socket.next((frame) => matches(frame) !== undefined))!;
}

const status = (text: string) => (row: Row) => row['status'] === text;

async function refusalOf(hash: unknown): Promise<unknown> {
  const frame = await socket.next(
    (one) => one['type'] === 'update/account_tx' && (one['txs'] as Row[]).some((tx) => tx['hash'] === hash),
  );
  const tx = (frame['txs'] as Row[]).find((one) => one['hash'] === hash)!;
  const { ae } = JSON.parse(String(tx['event_info'])) as Row;
  return ae === '' ? '' : (JSON.parse(String(ae)) as Row)['code'];
}

const trader = (body: Row): Promise<unknown> => exchange.post('/_paper/orders', { market_id: 1, ...body });

describe('resting orders', () => {
  it('of other traders come as a list too, one after the other', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_094_499, BaseAmount: 20 });
    const take = { market_id: 1, is_ask: true, price: '109449.9', type: 'ioc' };
    const parts = ['0.00005', '0.00015', '0.00001'].map((base_amount) => ({ ...take, base_amount }));
    const { body } = await exchange.post('/_paper/orders', parts);
    expect((body as unknown as Row[]).map((row) => row['filled_base_amount'])).toEqual([
      '0.00005',
      '0.00015',
      '0.00000',
    ]);
  });

  it('fill in pieces, with cumulative amounts, at their own price', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_094_499, BaseAmount: 20 });
    expect((await order(7, status('open')))['price']).toBe('109449.9');
    await trader({ is_ask: true, base_amount: '0.00005', price: '109449.9', type: 'ioc' });
    const part = await order(7, (row) => row['filled_base_amount'] === '0.00005');
    expect([part['status'], part['remaining_base_amount'], part['filled_quote_amount']]).toEqual([
      'open',
      '0.00015',
      '5.472495',
    ]);
    await trader({ is_ask: true, base_amount: '0.00015', price: '109400.0', type: 'ioc' });
    const full = await order(7, status('filled'));
    expect([full['filled_base_amount'], full['filled_quote_amount'], full['base_size']]).toEqual([
      '0.00020',
      '21.889980',
      0,
    ]);
  });

  it('a cancelled order shows remaining zero and keeps what it filled', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_094_499 });
    await order(7, status('open'));
    await trader({ is_ask: true, base_amount: '0.00005', price: '109449.9', type: 'ioc' });
    await exchange.send(15, { ...orderInfo({ Nonce: 2 }), Index: 7 });
    const ended = await order(7, status('canceled'));
    expect([ended['remaining_base_amount'], ended['filled_base_amount']]).toEqual(['0.00000', '0.00005']);
  });

  it('a cancel of an order that is gone is accepted, spends its nonce and does nothing', async () => {
    const answer = await exchange.send(15, { ...orderInfo({ Nonce: 1 }), Index: 4711 });
    expect(answer.status).toBe(200);
    expect(await refusalOf(answer.body['tx_hash'])).toBe('');
    expect((await exchange.truth(100))['api_keys'][0]['next_nonce']).toBe(2);
  });

  it('post-only that crosses is cancelled without a trade', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_096_000 });
    expect((await order(7, status('canceled-post-only')))['filled_base_amount']).toBe('0.00000');
  });

  it('a modify keeps the index and loses the place in the queue', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_094_499 });
    const before = await order(7, status('open'));
    await exchange.create({ Nonce: 1, ClientOrderIndex: 8, Price: 1_094_499 }, 200);
    await exchange.send(17, { ...orderInfo({ Nonce: 2 }), Index: 7, BaseAmount: 30, Price: 1_094_499 });
    const after = await order(7, (row) => row['initial_base_amount'] === '0.00030');
    expect(after['order_index']).toBe(before['order_index']);
    expect(after['nonce']).not.toBe(before['nonce']);
    await trader({ is_ask: true, base_amount: '0.00020', price: '109449.9', type: 'ioc' });
    const other = (await exchange.truth(200))['orders'][0] as Row;
    expect([other['status'], other['filled_base_amount']]).toEqual(['filled', '0.00020']);
  });

  it('order indexes beyond 2^53 are exact everywhere, and cancel by them works (market 36)', async () => {
    const fields = { MarketIndex: 36, Price: 20_000, BaseAmount: 600 };
    await exchange.create({ Nonce: 1, ClientOrderIndex: 9, ...fields });
    const open = await order(9, status('open'));
    expect(typeof open['order_index']).toBe('bigint');
    expect(String(open['order_index'])).toBe(open['order_id']);
    const body = orderInfo({ Nonce: 2, MarketIndex: 36 });
    const raw = JSON.stringify({ ...body, Index: 'X' }).replace('"X"', String(open['order_index']));
    const form = new URLSearchParams({ tx_type: '15', tx_info: raw });
    expect((await exchange.call('/api/v1/sendTx', { method: 'POST', body: form })).status).toBe(200);
    await order(9, status('canceled'));
  });
});

describe('taking orders', () => {
  it('a market order is bounded by its average price, a limit IOC by each fill', async () => {
    // One cheap ask before the deep one at 109450.0.
    await trader({ is_ask: true, base_amount: '0.00010', price: '109449.0', type: 'limit' });
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Type: 1, ...ioc, BaseAmount: 20, Price: 1_094_500 });
    const market = await order(7, () => true);
    expect([market['status'], market['filled_base_amount']]).toEqual(['filled', '0.00020']);
    await trader({ is_ask: true, base_amount: '0.00010', price: '109449.0', type: 'limit' });
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8, ...ioc, BaseAmount: 20, Price: 1_094_495 });
    const limit = await order(8, () => true);
    expect([limit['status'], limit['filled_base_amount']]).toEqual(['canceled-not-enough-liquidity', '0.00010']);
    await exchange.create({ Nonce: 3, ClientOrderIndex: 9, Type: 1, ...ioc, Price: 1_094_000 });
    expect((await order(9, () => true))['status']).toBe('canceled-too-much-slippage');
  });

  it('reduce-only never opens and never flips', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, ...ioc, Price: 1_100_000, ReduceOnly: 1 });
    expect((await order(7, () => true))['status']).toBe('canceled-reduce-only');
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8, ...ioc, Price: 1_100_000, BaseAmount: 5 });
    await exchange.create({
      Nonce: 3,
      ClientOrderIndex: 9,
      ...ioc,
      Price: 1_050_000,
      IsAsk: 1,
      BaseAmount: 20,
      ReduceOnly: 1,
    });
    const ended = await order(9, () => true);
    expect([ended['status'], ended['filled_base_amount']]).toEqual(['canceled-reduce-only', '0.00005']);
    expect((await exchange.truth(100))['positions'][0]['signed_position']).toBe('0.00000');
  });

  it.each([
    ['expire maker', undefined, 'canceled-self-trade', 'filled'],
    ['expire taker', { '6': 1 }, 'open', 'canceled-self-trade'],
    ['cancel both', { '6': 2 }, 'canceled-self-trade', 'canceled-self-trade'],
    ['reduce', { '6': 3 }, 'canceled-self-trade', 'canceled-self-trade'],
  ])('self-trade: %s', async (_name, attributes, makerStatus, takerStatus) => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_094_499, IsAsk: 0 });
    await order(7, status('open'));
    const own = { ClientOrderIndex: 8, ...ioc, IsAsk: 1, Price: 1_090_000, BaseAmount: 20 };
    await exchange.create({ Nonce: 2, ...own, L2TxAttributes: attributes ?? null });
    expect((await order(8, () => true))['status']).toBe(takerStatus);
    const truth = await exchange.truth(100);
    const maker = (truth['orders'] as Row[]).find((row) => row['client_order_index'] === 7)!;
    expect(maker['status']).toBe(makerStatus);
    const between = (truth['trades'] as Row[]).filter((trade) => trade['ask_account_id'] === trade['bid_account_id']);
    expect(between).toEqual([]);
  });

  it('masters are compared when the taker asks for it', async () => {
    const l1 = '0x00000000000000000000000000000000000000aa';
    await exchange.post('/_paper/accounts', {
      account_index: 301,
      l1_address: l1,
      collateral: '1000',
      api_keys: { '5': '' },
    });
    await exchange.post('/_paper/accounts', {
      account_index: 302,
      l1_address: l1,
      collateral: '1000',
      api_keys: { '5': '' },
    });
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 1_094_499 }, 301);
    const hedge = { Nonce: 1, ClientOrderIndex: 8, Type: 1, ...ioc, IsAsk: 1, Price: 1_080_000 };
    await exchange.create({ ...hedge, L2TxAttributes: { '7': 1 } }, 302);
    const [maker, taker] = [await exchange.truth(301), await exchange.truth(302)];
    expect([maker['orders'][0]['status'], taker['orders'][0]['status']]).toEqual(['canceled-self-trade', 'filled']);
    expect((taker['trades'] as Row[]).some((trade) => trade['bid_account_id'] === 301)).toBe(false);
  });

  it('too little margin: a resting order is refused at the API, a taker in the book', async () => {
    await exchange.post('/_paper/accounts', { account_index: 300, collateral: '10', api_keys: { '5': '' } });
    const resting = await exchange.create({ Nonce: 1, BaseAmount: 1_000 }, 300);
    expect([resting.status, resting.body['code']]).toEqual([400, 21739]);
    await exchange.create({ Nonce: 1, ...ioc, BaseAmount: 1_000, Price: 1_100_000 }, 300);
    expect((await exchange.truth(300))['orders'][0]['status']).toBe('canceled-margin-not-allowed');
  });
});

describe('checks of the API', () => {
  it.each([
    ['unknown market', { MarketIndex: 99 }, 21602],
    ['no size', { BaseAmount: 0 }, 21701],
    ['no price', { Price: 0 }, 21702],
    ['side', { IsAsk: 2 }, 21703],
    ['type', { Type: 9 }, 21704],
    ['market order that rests', { Type: 1 }, 21705],
    ['below the minimum', { BaseAmount: 6 }, 21706],
    ['expiry too near', { OrderExpiry: 1 }, 21711],
    ['immediate order with expiry', { TimeInForce: 0, OrderExpiry: 1_900_000_000_000 }, 21711],
    ['client index', { ClientOrderIndex: 2 ** 48 }, 21727],
    ['trigger on a plain order', { TriggerPrice: 5 }, 21729],
    ['far above the mark', { Price: 1_200_000 }, 21734],
  ])('%s', async (_name, fields, code) => {
    const answer = await exchange.create({ Nonce: 1, ...fields });
    expect([answer.status, answer.body['code']]).toEqual([400, code]);
    expect((await exchange.create({ Nonce: 1 })).status).toBe(200);
  });

  it('order counts of the tier', async () => {
    for (let nonce = 1; nonce <= 30; nonce += 1) await exchange.create({ Nonce: nonce });
    expect((await exchange.create({ Nonce: 31 })).body['code']).toBe(21718);
  });

  it('an inactive market takes no orders', async () => {
    await exchange.post('/_paper/market', { market_id: 1, status: 'inactive' });
    expect((await exchange.create({ Nonce: 1 })).body['code']).toBe(21605);
  });
});

describe("cancel-all and the dead-man's switch", () => {
  it('immediate: both orders in one frame', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8 });
    await exchange.send(16, { ...orderInfo({ Nonce: 3 }), TimeInForce: 0, Time: 0 });
    await order(8, status('canceled'));
    const frame = socket.frames.find((one) => JSON.stringify(one['orders'] ?? {}, bigText).includes('"canceled"'))!;
    expect((frame['orders']['1'] as Row[]).map((row) => row['client_order_index']).sort()).toEqual([7, 8]);
  });

  it('scheduled: cancels when due; until carried out, new orders get 21122; abort takes it back', async () => {
    await exchange.close();
    const nowMs = Date.now(); // stands still: what is due is carried out when the test says so
    exchange = await quietExchange({ now: () => nowMs });
    socket = await exchange.open();
    await socket.subscribe('account_all_orders/100', exchange.token(100));
    const at = nowMs + 301_000;
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, OrderExpiry: Date.now() + 3_600_000 });
    await exchange.send(16, { ...orderInfo({ Nonce: 2 }), TimeInForce: 1, Time: at });
    expect(
      (await exchange.send(16, { ...orderInfo({ Nonce: 3 }), TimeInForce: 1, Time: Date.now() })).body['code'],
    ).toBe(21714);
    await exchange.post('/_paper/clock', { offset_ms: at - nowMs + 10 });
    const late = { Nonce: 3, ExpiredAt: Date.now() + 400_000, OrderExpiry: Date.now() + 3_600_000 };
    expect((await exchange.create(late)).body['code']).toBe(21122);
    await exchange.post('/_paper/clock', { offset_ms: at - nowMs + 1_010 });
    await order(7, status('canceled'));
    expect((await exchange.create(late)).status).toBe(200);
    await exchange.send(16, { ...orderInfo({ ...late, Nonce: 4 }), TimeInForce: 1, Time: Date.now() + 700_000 });
    await exchange.send(16, { ...orderInfo({ ...late, Nonce: 5 }), TimeInForce: 2, Time: 0 });
    expect((await exchange.truth(100))['cancel_all_time']).toBe(0);
  });

  it('orders expire', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, OrderExpiry: Date.now() + 301_000 });
    await order(7, status('open'));
    await exchange.post('/_paper/clock', { offset_ms: 302_000 });
    await order(7, status('canceled-expired'));
  });
});

describe('conditional and grouped orders', () => {
  it('a stop waits for the mark price and then takes', async () => {
    await exchange.create({ Nonce: 1, ...ioc, BaseAmount: 20, Price: 1_100_000 });
    const stop = { Type: 2, TimeInForce: 0, IsAsk: 1, ReduceOnly: 1, TriggerPrice: 1_090_000, Price: 1_050_000 };
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8, ...stop, OrderExpiry: Date.now() + 600_000 });
    expect((await order(8, status('pending')))['trigger_status']).toBe('mark-price');
    await exchange.post('/_paper/market', { market_id: 1, mid_price: '108900' });
    expect((await order(8, status('filled')))['filled_base_amount']).toBe('0.00020');
  });

  it('parent with two children: they wake with its fill, and one cancels the other', async () => {
    const leg = {
      ...orderInfo({ Nonce: 1 }),
      IsAsk: 1,
      BaseAmount: 0,
      ReduceOnly: 1,
      TimeInForce: 0,
      OrderExpiry: Date.now() + 600_000,
    };
    const parent = { ...orderInfo({ Nonce: 1, ClientOrderIndex: 1, ...ioc, Price: 1_100_000 }) };
    const takeProfit = { ...leg, ClientOrderIndex: 2, Type: 4, TriggerPrice: 1_100_000, Price: 1_090_000 };
    const stopLoss = { ...leg, ClientOrderIndex: 3, Type: 2, TriggerPrice: 1_080_000, Price: 1_040_000 };
    const answer = await exchange.send(28, {
      ...orderInfo({ Nonce: 1 }),
      GroupingType: 3,
      Orders: [parent, takeProfit, stopLoss],
    });
    expect(answer.status).toBe(200);
    await order(3, status('pending'));
    await exchange.post('/_paper/market', { market_id: 1, mid_price: '107900' });
    expect((await order(3, status('filled')))['filled_base_amount']).toBe('0.00020');
    await order(2, status('canceled-oco'));
  });
});

function bigText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
