/** Attributes of November 2026: order versions of modifies (8) and the market of a cancel-all (5), LP §2.7, §3.3. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
beforeEach(async () => {
  exchange = await quietExchange();
});
afterEach(() => exchange.close());

const orderNow = async (clientIndex: number): Promise<Row> => {
  const path = `/api/v1/accountOrders?client_order_indexes=${clientIndex}`;
  return ((await exchange.get(path, exchange.token(100))).body['orders'] as Row[])[0]!;
};
const refusalOf = async (hash: unknown): Promise<unknown> => {
  const { body } = await exchange.get(`/api/v1/tx?by=hash&value=${String(hash)}`);
  const { ae } = JSON.parse(String(body['event_info'])) as { ae: string };
  return ae === '' ? undefined : (JSON.parse(ae) as Row)['code'];
};

describe('order version', () => {
  const modify = (Nonce: number, Price: number, version?: number) =>
    exchange.send(17, {
      ...orderInfo({ Nonce, Price, BaseAmount: 30 }),
      Index: 7,
      L2TxAttributes: version === undefined ? null : { '8': version },
    });

  it('taken from a modify, kept by one without; one that is not greater is refused and changes nothing', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await modify(2, 1_081_000, 5);
    expect(await orderNow(7)).toMatchObject({ price: '108100.0', order_version: 5 });
    for (const [nonce, version] of [
      [3, 5],
      [4, 4],
    ] as const) {
      const answer = await modify(nonce, 1_082_000, version);
      expect([answer.status, await refusalOf(answer.body['tx_hash'])]).toEqual([200, 21743]);
    }
    expect(await orderNow(7)).toMatchObject({ price: '108100.0', order_version: 5 });
    await modify(5, 1_083_000);
    expect(await orderNow(7)).toMatchObject({ price: '108300.0', order_version: 5 });
    const last = await modify(6, 1_084_000, 6);
    expect(await orderNow(7)).toMatchObject({ price: '108400.0', order_version: 6 });
    const { body } = await exchange.get(`/api/v1/tx?by=hash&value=${String(last.body['tx_hash'])}`);
    const { oo, no } = JSON.parse(String(body['event_info'])) as { oo: Row; no: Row };
    expect([oo['mn'], no['mn']]).toEqual([5, 6]);
  });

  it('trades tell the versions of both orders', async () => {
    await exchange.post('/_paper/market', { market_id: 1, levels: 0 });
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await modify(2, 1_081_000, 3);
    const sale = { Nonce: 1, BaseAmount: 30, Price: 1_081_000, IsAsk: 1, TimeInForce: 0 };
    await exchange.create(sale, 200);
    const { body } = await exchange.get('/api/v1/recentTrades?market_id=1&limit=1');
    expect((body['trades'] as Row[])[0]).toMatchObject({ ask_order_version: 0, bid_order_version: 3 });
  });

  it('one of more than 48 bits is 21501', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    expect((await modify(2, 1_081_000, 2 ** 48)).body['code']).toBe(21501);
    expect((await modify(2, 1_081_000, 2 ** 48 - 1)).status).toBe(200);
  });
});

describe('market of a cancel-all', () => {
  const cancelAll = (Nonce: number, market: number, TimeInForce = 0, Time = 0) =>
    exchange.send(16, { ...orderInfo({ Nonce }), TimeInForce, Time, L2TxAttributes: { '5': market } });

  it('one market only, by its public id, which may have 48 bits', async () => {
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await exchange.create({ Nonce: 2, ClientOrderIndex: 8, MarketIndex: 36, Price: 20_000, BaseAmount: 600 });
    expect((await cancelAll(3, 36)).status).toBe(200);
    expect([(await orderNow(7))['status'], (await orderNow(8))['status']]).toEqual(['open', 'canceled']);
    const strange = [(await cancelAll(4, 4_097)).body['code'], (await cancelAll(4, 2 ** 48)).body['code']];
    expect(strange).toEqual([21602, 21501]);
  });

  it('not with a scheduled one', async () => {
    expect((await cancelAll(1, 1, 1, Date.now() + 400_000)).body['code']).toBe(21501);
  });
});
