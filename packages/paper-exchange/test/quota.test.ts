/** The volume quota of an owner, its free send, its texts; and the rule of a switch that is queued already (LP §6.5, §2.8). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

const OWNER = '0x00000000000000000000000000000000000000aa';
const SHORT = 'Too Many Requests!:  Not enough volume quota';

let exchange: TestExchange;
let aheadMs: number;
let nonces: Map<number, number>;

beforeEach(async () => {
  aheadMs = 0;
  nonces = new Map();
  exchange = await quietExchange({ now: () => performance.timeOrigin + performance.now() + aheadMs });
  for (const account_index of [301, 302])
    await exchange.post('/_paper/accounts', {
      ...{ account_index, l1_address: OWNER, tier: 'premium', collateral: '100000', api_keys: { '5': '' } },
    });
});
afterEach(() => exchange.close());

const limits = async (fields: Row): Promise<Row> => (await exchange.post('/_paper/limits', fields)).body;
const left = async (): Promise<unknown> => (await exchange.get('/_paper/limits')).body['quota_left'];
const said = ({ body }: Answer): string => (JSON.parse(body['message'] as string) as { ratelimit: string }).ratelimit;

/** Only what is accepted moves the nonce. */
async function send(account: number, txType: number, fields: Row): Promise<Answer> {
  const Nonce = nonces.get(account) ?? 1;
  const ExpiredAt = Math.floor(performance.timeOrigin + performance.now() + aheadMs) + 599_000;
  const identity = { AccountIndex: account, ApiKeyIndex: 5, ExpiredAt, Nonce, Sig: '', L2TxAttributes: null };
  const answer = await exchange.send(txType, { ...fields, ...identity });
  if (answer.status === 200) nonces.set(account, Nonce + 1);
  return answer;
}
const create = (account: number, fields: Row = {}): Promise<Answer> =>
  send(account, 14, { ...orderInfo({ Nonce: 1, OrderExpiry: Date.now() + aheadMs + 600_000 }), ...fields });
const cancel = (account: number): Promise<Answer> => send(account, 15, { MarketIndex: 1, Index: 12345 });
const cancelAll = (account: number, TimeInForce = 0, Time = 0): Promise<Answer> =>
  send(account, 16, { TimeInForce, Time });

describe('volume quota', () => {
  it('is one counter of an owner: each account drains it, a cancel does not; one send every 15 s is free', async () => {
    await limits({ quota: 'tier', quota_start: 3 });
    expect(said(await create(301))).toBe("didn't use volume quota"); // the free one
    const second = await create(302);
    expect([said(second), second.body['volume_quota_remaining']]).toEqual(['2 volume quota remaining.', 2]);
    expect(said(await cancelAll(301))).toBe('1 volume quota remaining.');
    expect(said(await cancel(301))).toBe("didn't use volume quota");
    expect(said(await create(302))).toBe('0 volume quota remaining.');
    expect(await left()).toEqual([{ owner: OWNER, left: 0 }]);
    aheadMs += 15_000;
    const free = await create(301);
    expect(said(free)).toBe("didn't use volume quota");
    expect(free.body['volume_quota_remaining']).toBeUndefined();
  });

  it('used up: refused with 23000, and the nonce stays, also over the stream', async () => {
    await limits({ quota: 'tier', quota_start: 0 });
    await create(301);
    expect(await create(301)).toMatchObject({ status: 400, body: { code: 23000, message: SHORT } });
    await limits({ quota_status: 429, quota_start: 0 });
    await create(302);
    expect(await create(302)).toMatchObject({ status: 429, body: { code: 23000, message: SHORT } });
    const stream = await exchange.open();
    stream.say({
      type: 'jsonapi/sendtx',
      data: { id: '1', tx_type: 14, tx_info: { ...orderInfo({ Nonce: 3 }), AccountIndex: 302 } },
    });
    expect(await stream.next((frame) => frame['id'] === '1')).toMatchObject({ error: { code: 23000, message: SHORT } });
    const { body } = await exchange.get('/api/v1/nextNonce?account_index=301&api_key_index=5');
    expect(body['nonce']).toBe(2);
    expect((await cancel(301)).status).toBe(200);
  });

  it('is earned by trading, at a rate that can be set, and costs what is set', async () => {
    await limits({ quota: 'tier', quota_start: 0, quota_usd: 5, quota_costs: [14] });
    await exchange.post('/_paper/market', { market_id: 1, levels: 0 });
    await create(301);
    expect(said(await cancelAll(302))).toBe("didn't use volume quota"); // costs nothing here
    await exchange.post('/_paper/orders', {
      market_id: 1,
      is_ask: true,
      base_amount: '0.0002',
      price: '108000',
      type: 'ioc',
    });
    expect(await left()).toEqual([{ owner: OWNER, left: 4 }]); // 21.6 USD
    expect(said(await create(302))).toBe('3 volume quota remaining.');
  });

  it('Standard accounts have none', async () => {
    await limits({ quota: 'tier', quota_start: 0 });
    for (const _ of [1, 2, 3]) expect(said(await create(100))).toBe("didn't use volume quota");
    expect(await left()).toEqual([]);
  });
});

describe("a dead-man's switch that is queued", () => {
  const at = (): number => Math.floor(Date.now()) + 400_000;

  it('is overwritten, or refused with 21712 until it is aborted', async () => {
    expect((await cancelAll(301, 1, at())).status).toBe(200);
    expect((await cancelAll(301, 1, at())).status).toBe(200);
    await exchange.post('/_paper/rules', { switch_renewal: 'refuse' });
    expect(await cancelAll(301, 1, at())).toMatchObject({ status: 400, body: { code: 21712 } });
    expect((await cancelAll(301, 2)).status).toBe(200);
    expect((await cancelAll(301, 1, at())).status).toBe(200);
    expect((await exchange.post('/_paper/rules', { switch_renewal: 'maybe' })).status).toBe(400);
  });
});
