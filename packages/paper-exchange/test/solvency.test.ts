/** What the exchange does on its own when it is told to: liquidation, deleveraging, funding. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange, TestSocket } from './helpers';
import { quietExchange } from './helpers';

let exchange: TestExchange;
let socket: TestSocket;
beforeEach(async () => {
  exchange = await quietExchange();
  await exchange.post('/_paper/market', { market_id: 1, levels: 0, mid_price: '100000.0' });
  for (const account_index of [300, 301])
    await exchange.post('/_paper/accounts', { account_index, collateral: '100', api_keys: { '5': '' } });
  socket = await exchange.open();
});
afterEach(() => exchange.close());

const hold = (account_index: number, lots: string) =>
  exchange.post('/_paper/positions', { account_index, market_id: 1, change_by: lots, price: '100000.0' });
const mark = (mid_price: string) => exchange.post('/_paper/market', { market_id: 1, mid_price });
const rules = (body: Row) => exchange.post('/_paper/rules', body);
const accountOf = async (index: number): Promise<Row> =>
  (await exchange.get(`/api/v1/account?by=index&value=${index}`)).body['accounts'][0] as Row;
const positionOf = async (index: number): Promise<Row> => ((await accountOf(index))['positions'] as Row[])[0]!;
const tradesOf = async (index: number, type: string): Promise<Row[]> => {
  const path = `/api/v1/trades?sort_by=trade_id&limit=10&account_index=${index}&type=${type}`;
  return (await exchange.get(path, exchange.token(index))).body['trades'] as Row[];
};

describe('liquidation', () => {
  it('below the maintenance margin: orders first, then the position, at the mark price', async () => {
    await hold(300, '0.01000'); // 1000 on 100
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7, Price: 900_000, BaseAmount: 20 }, 300);
    await socket.subscribe('account_all_orders/300', exchange.token(300));
    await socket.subscribe('notification/300', exchange.token(300));
    await rules({ liquidation: true });
    await mark('92000.0'); // value 20, maintenance 11.04
    await exchange.post('/_paper/collateral', { account_index: 300, remove: '10' }); // value 10
    const frame = await socket.next((one) => one['type'] === 'update/account_all_orders');
    expect(frame['orders']['1'][0]).toMatchObject({ client_order_index: 7, status: 'canceled-liquidation' });
    const notice = await socket.next((one) => one['type'] === 'update/notification');
    expect(notice['notifs'][0]).toMatchObject({ kind: 'liquidation' });
    expect(await positionOf(300)).toMatchObject({ position: '0.00000', open_order_count: 0 });
    expect(await tradesOf(300, 'liquidation')).toMatchObject([
      { size: '0.01000', price: '92000.0', taker_fee: 10_000 },
    ]);
  });

  it('a bankrupt one is settled against who wins most: deleveraged', async () => {
    await hold(300, '0.01000');
    await hold(301, '-0.02000');
    await socket.subscribe('notification/301', exchange.token(301));
    await rules({ liquidation: true });
    await mark('89000.0'); // 300: 100 - 110
    const notice = await socket.next((one) => one['type'] === 'update/notification');
    expect(notice['notifs'][0]).toMatchObject({ kind: 'deleverage' });
    expect(await positionOf(301)).toMatchObject({ position: '0.01000', sign: -1 });
    expect(await positionOf(300)).toMatchObject({ position: '0.00000' });
    expect(await tradesOf(301, 'deleverage')).toHaveLength(1);
  });

  it('nothing happens while it is off, nor above the margin', async () => {
    await hold(300, '0.01000');
    await mark('89000.0');
    await socket.subscribe('height');
    for (let count = 0; count < 3; count += 1)
      await socket.next((one) => one['type'] === 'update/height', socket.frames.length);
    expect(await positionOf(300)).toMatchObject({ position: '0.01000' });
    expect((await exchange.get('/_paper/rules')).body).toMatchObject({ liquidation: false, funding: false });
  });
});

describe('funding', () => {
  it('by hand: longs pay, shorts receive; shown in the position, the list and the balance', async () => {
    await hold(300, '0.01000');
    await hold(301, '-0.01000');
    await socket.subscribe('account_all_assets/300', exchange.token(300));
    await exchange.post('/_paper/funding', { market_id: 1, rate: '0.0100' });
    const frame = await socket.next((one) => one['type'] === 'update/account_all_assets');
    expect(frame['assets']['3']).toMatchObject({ margin_balance: '99.900000' });
    expect(await positionOf(300)).toMatchObject({ total_funding_paid_out: '0.100000' });
    expect(await accountOf(301)).toMatchObject({ collateral: '100.100000' });
    const list = await exchange.get('/api/v1/positionFunding?account_index=301&limit=10', exchange.token(301));
    expect(list.body['position_fundings']).toEqual([
      {
        timestamp: expect.any(Number),
        market_id: 1,
        funding_id: expect.any(Number),
        change: '0.100000',
        rate: '0.010000',
        position_size: '0.01000',
        position_side: 'short',
        discount: '0.000000',
      },
    ]);
  });

  it('is listed page by page, newest first', async () => {
    await hold(300, '0.01000');
    for (let hour = 0; hour < 3; hour++) await exchange.post('/_paper/funding', { market_id: 1, rate: '0.0100' });
    const page = async (rest: string): Promise<{ ids: unknown[]; next: unknown }> => {
      const path = `/api/v1/positionFunding?account_index=300&limit=2${rest}`;
      const { body } = await exchange.get(path, exchange.token(300));
      return { ids: (body['position_fundings'] as Row[]).map((row) => row['funding_id']), next: body['next_cursor'] };
    };
    const first = await page('');
    expect(first).toEqual({ ids: [3, 2], next: expect.any(String) });
    expect(await page(`&cursor=${String(first.next)}`)).toEqual({ ids: [1], next: undefined });
  });

  it('every hour by the clock of the exchange, when switched on', async () => {
    await hold(300, '0.01000');
    await rules({ funding: true });
    await socket.subscribe('account_all_assets/300', exchange.token(300));
    const hourMs = 3_600_000;
    const halfPastMs = (Math.floor(Date.now() / hourMs) + 1.5) * hourMs; // no second hour begins meanwhile
    await exchange.post('/_paper/clock', { offset_ms: halfPastMs - Date.now() });
    await socket.next((one) => one['type'] === 'update/account_all_assets');
    expect(await accountOf(300)).toMatchObject({ collateral: '99.988000' });
  });

  it.each([
    ['rules', { liquidation: 'on' }, /liquidation must be true or false/],
    ['rules', { insolvency: true }, /known: switch_renewal, liquidation, funding/],
    ['funding', { market_id: 1, rate: 5 }, /rate must be a decimal string/],
    ['funding', { market_id: 9 }, /no such market/],
  ])('refuses %s %j', async (path, body, text) => {
    const answer = await exchange.post(`/_paper/${path}`, body);
    expect([answer.status, answer.body['message']]).toEqual([400, expect.stringMatching(text)]);
  });
});
