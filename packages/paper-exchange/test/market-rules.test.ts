/** Markets that take no orders, or not all, and the exchange's upgrades. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Row, TestExchange } from './helpers';
import { quietExchange } from './helpers';

let exchange: TestExchange;
let nonce: number;
beforeEach(async () => {
  exchange = await quietExchange();
  nonce = 1;
});
afterEach(() => exchange.close());

const market = (fields: Row): ReturnType<TestExchange['post']> =>
  exchange.post('/_paper/market', { market_id: 1, ...fields });
const rest = async (fields: Row = {}): Promise<unknown> => {
  const order = { BaseAmount: 1_000, Price: 1_060_000, TimeInForce: 2, ...fields };
  const { body } = await exchange.create({ ...order, Nonce: nonce });
  if (body['code'] === 200) nonce += 1;
  return body['code'];
};
const take = async (fields: Row = {}): Promise<unknown> => {
  const order = { Type: 1, TimeInForce: 0, OrderExpiry: 0, BaseAmount: 10, Price: 1_200_000, ...fields };
  const { body } = await exchange.create({ ...order, Nonce: nonce });
  if (body['code'] !== 200) return body['code'];
  nonce += 1;
  const { event_info: info } = (await exchange.get(`/api/v1/tx?by=hash&value=${String(body['tx_hash'])}`)).body;
  const { ae } = JSON.parse(String(info)) as { ae: string };
  return ae === '' ? 'executed' : (JSON.parse(ae) as { code: number }).code;
};

it.each([
  ['inactive', { status: 'inactive' }],
  ['frozen', { is_frozen: true }],
  ['waiting for settlement', { status: 'waiting-for-settlement' }],
])('%s: takes no order at all', async (_, fields) => {
  expect([await rest(), await take()]).toEqual([200, 'executed']);
  await market(fields);
  expect([await rest(), await take()]).toEqual([21605, 21605]);
  await market({ status: 'active', is_frozen: false });
  expect([await rest(), await take()]).toEqual([200, 'executed']);
});

it('reduce-only: an order without the flag is refused, resting at once, taking in the sequencer', async () => {
  await take();
  await market({ force_reduce_only: true });
  expect([await rest(), await take()]).toEqual([21740, 21740]);
  expect(await take({ IsAsk: 1, Price: 900_000, ReduceOnly: 1 })).toBe('executed');
});

it('isolated only: cross margin is refused', async () => {
  await market({ isolated_only: true });
  expect([await rest(), await take()]).toEqual([21613, 21613]);
});

it('the list says so, row by row; an inactive twin stands first', async () => {
  await market({
    is_frozen: true,
    force_reduce_only: true,
    isolated_only: true,
    twin: true,
    min_base_amount: '0.00030',
  });
  const { order_books: rows } = (await exchange.get('/api/v1/orderBooks')).body;
  const named = (rows as Row[]).filter((row) => row['symbol'] === 'BTC');
  expect(named.map(({ market_id, status, is_frozen }) => [market_id, status, is_frozen])).toEqual([
    [3001, 'inactive', true],
    [1, 'active', true],
  ]);
  const { order_book_details: details } = (await exchange.get('/api/v1/orderBookDetails?market_id=1')).body;
  expect(details).toMatchObject([
    { min_base_amount: '0.00030', market_config: { force_reduce_only: true, market_margin_mode: 1 } },
  ]);
});

it('settled: what rests is cancelled, positions are closed at the mark price', async () => {
  await take();
  await rest();
  await market({ status: 'settled' });
  const truth = await exchange.truth(100);
  expect((truth['positions'] as Row[]).map((row) => row['signed_position'])).toEqual(['0.00000']);
  expect((truth['orders'] as Row[]).filter((row) => row['status'] === 'open')).toEqual([]);
  expect(await take()).toBe(21605);
});

it('an upgrade: announced, no orders meanwhile, cancels are taken', async () => {
  await rest({ ClientOrderIndex: 7 });
  await exchange.post('/_paper/announcements', { title: 'Old', content: 'x', created_at: 5, expired_at: 6 });
  await exchange.post('/_paper/announcements', { title: 'Network Upgrade', content: 'soon' });
  const { announcements } = (await exchange.get('/api/v1/announcement')).body;
  expect(announcements).toEqual([
    { title: 'Network Upgrade', content: 'soon', created_at: expect.any(Number) },
    { title: 'Old', content: 'x', created_at: 5, expired_at: 6 },
  ]);
  await exchange.post('/_paper/upgrade', { in_s: 0, lasts_s: 60 });
  expect([await rest(), await take()]).toEqual([21605, 21605]);
  const who = { AccountIndex: 100, ApiKeyIndex: 5, Nonce: nonce++, ExpiredAt: Date.now() + 590_000 };
  const cancel = { ...who, MarketIndex: 1, Index: 7, Sig: '', L2TxAttributes: null };
  expect((await exchange.send(15, cancel)).body['code']).toBe(200);
  await exchange.post('/_paper/upgrade', { in_s: 0, lasts_s: 0 });
  expect(await rest()).toBe(200);
});

it('an id of 13 bits: order indexes count by the slot', async () => {
  expect(await rest({ MarketIndex: 4096, Price: 100_000, ClientOrderIndex: 9 })).toBe(200);
  const truth = await exchange.truth(100);
  const [order] = truth['orders'] as Row[];
  expect(BigInt(String(order?.['order_id'])) >> 48n).toBe(511n);
});
