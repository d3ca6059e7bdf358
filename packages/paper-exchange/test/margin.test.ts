/** What open orders bind: the official app's formula (LP §2.4), order by order at its own price. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OrderFields, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
beforeEach(async () => {
  exchange = await quietExchange();
  await exchange.post('/_paper/market', { market_id: 1, levels: 0, mid_price: '100000.0' });
  await exchange.post('/_paper/accounts', { account_index: 300, collateral: '1000', api_keys: { '5': '' } });
});
afterEach(() => exchange.close());

let nonce: number;
beforeEach(() => {
  nonce = 0;
});
const place = (fields: Omit<OrderFields, 'Nonce'>) => exchange.create({ Nonce: ++nonce, ...fields }, 300);
const hold = (lots: string) =>
  exchange.post('/_paper/positions', { account_index: 300, market_id: 1, change_by: lots, price: '100000.0' });
const free = async (): Promise<number> => {
  const { body } = await exchange.get('/api/v1/account?by=index&value=300');
  return Number(body['accounts'][0]['available_balance']);
};
const bid = (BaseAmount: number, Price: number) => ({ BaseAmount, Price, IsAsk: 0 });
const ask = (BaseAmount: number, Price: number) => ({ BaseAmount, Price, IsAsk: 1 });

describe('margin of open orders, initial fraction 5 %, mark 100000', () => {
  it('flat: the greater side, at the prices of the orders', async () => {
    await place(bid(1_000, 990_000)); // 990
    await place(ask(1_000, 1_010_000)); // 1010
    await place(ask(500, 1_020_000)); // 510
    expect(await free()).toBeCloseTo(1_000 - 0.05 * 1_520, 6);
  });

  it('long: orders that add count in full, orders against it only beyond twice its value', async () => {
    await hold('0.01000'); // 1000 at mark: 50 bound
    await place(ask(1_500, 1_000_000)); // 1500 - 2 x 1000 < 0
    expect(await free()).toBeCloseTo(1_000 - 50, 6);
    await place(bid(500, 990_000)); // 495
    expect(await free()).toBeCloseTo(1_000 - 50 - 0.05 * 495, 6);
    await place(ask(2_000, 1_000_000)); // 3500 - 2000 = 1500 > 495
    expect(await free()).toBeCloseTo(1_000 - 50 - 0.05 * 1_500, 6);
  });

  it('short: the same the other way round', async () => {
    await hold('-0.01000');
    await place(bid(3_000, 990_000)); // 2970 - 2000 = 970
    await place(ask(900, 1_010_000)); // 909
    expect(await free()).toBeCloseTo(1_000 - 50 - 0.05 * 970, 6);
  });

  it('a change, a cancel and a fill give back what the order bound', async () => {
    await place({ ...bid(1_000, 990_000), ClientOrderIndex: 7 });
    await exchange.send(17, { ...orderInfo({ Nonce: ++nonce, ...bid(2_000, 980_000) }, 300), Index: 7 });
    expect(await free()).toBeCloseTo(1_000 - 0.05 * 1_960, 6);
    await exchange.post('/_paper/orders', {
      market_id: 1,
      is_ask: true,
      base_amount: '0.00500',
      price: '98000.0',
      type: 'ioc',
    });
    // 1500 lots rest at 98000; 500 lots were bought below the mark: profit 10, 25 bound by the position.
    expect(await free()).toBeCloseTo(1_000 + 10 - 25 - 0.05 * 1_470, 6);
    await exchange.send(15, { ...orderInfo({ Nonce: ++nonce }, 300), Index: 7 });
    expect(await free()).toBeCloseTo(1_000 + 10 - 25, 6);
  });

  it('refused at the API when the free balance is smaller', async () => {
    await place(bid(10_000, 990_000)); // 9900 x 5 % = 495
    expect((await place(ask(20_100, 1_000_000))).body['code']).toBe(21739); // 20100 x 5 % = 1005
    nonce -= 1;
    expect((await place(ask(19_900, 1_000_000))).status).toBe(200);
  });
});
