/** The recorded transition table of LP §3.6 (7) and the rules around it, over the wire. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
beforeAll(async () => {
  exchange = await quietExchange();
});
afterAll(() => exchange.close());

const nextNonce = async (key = 5): Promise<number> =>
  Number((await exchange.get(`/api/v1/nextNonce?account_index=100&api_key_index=${key}`)).body['nonce']);

const skip = { '4': 1 };

describe('nonces of one key', () => {
  it('follow the recorded table', async () => {
    expect(await nextNonce()).toBe(1);
    expect((await exchange.create({ Nonce: 1, ClientOrderIndex: 11 })).body['code']).toBe(200);
    expect(await nextNonce()).toBe(2);
    const replay = await exchange.create({ Nonce: 1, ClientOrderIndex: 11 });
    expect([replay.status, replay.text]).toEqual([400, '{"code":21104,"message":"invalid nonce"}']);
    expect(await nextNonce()).toBe(2);
    // A duplicate client id is accepted, costs the nonce, and leaves its only trace in event_info (LP §0.1 (6)).
    const duplicate = await exchange.create({ Nonce: 2, ClientOrderIndex: 11 });
    expect(duplicate.status).toBe(200);
    expect(await nextNonce()).toBe(3);
    const tx = (await exchange.get(`/api/v1/tx?by=hash&value=${duplicate.body['tx_hash']}`)).body;
    const ae = JSON.parse(String(JSON.parse(String(tx['event_info'])).ae));
    expect([tx['status'], ae]).toEqual([2, { code: 21728, message: 'client order index already exists' }]);
    const gap = await exchange.create({ Nonce: 4 });
    expect([gap.status, gap.body['code'], await nextNonce()]).toEqual([400, 21104, 3]);
  });

  it('two requests together: either order, never both out of order', async () => {
    const next = await nextNonce(6);
    const answers = await Promise.all([
      exchange.create({ Nonce: next + 1, ClientOrderIndex: 21 }, 100, 6),
      exchange.create({ Nonce: next, ClientOrderIndex: 22 }, 100, 6),
    ]);
    const accepted = answers.filter((answer) => answer.status === 200).length;
    expect(await nextNonce(6)).toBe(next + accepted);
    expect(answers[1].status).toBe(200);
  });

  it('skip-nonce jumps forward only, below 2^47 − 1', async () => {
    const far = Date.now();
    expect((await exchange.create({ Nonce: far, L2TxAttributes: skip })).status).toBe(200);
    expect(await nextNonce()).toBe(far + 1);
    expect((await exchange.create({ Nonce: far, L2TxAttributes: skip })).body['code']).toBe(21104);
    expect((await exchange.create({ Nonce: 2 ** 47 - 1, L2TxAttributes: skip })).body['code']).toBe(21104);
    expect((await exchange.create({ Nonce: far + 1 })).status).toBe(200);
    expect((await exchange.create({ Nonce: far + 10, L2TxAttributes: skip })).status).toBe(200);
  });

  it('unknown accounts, keys and malformed bytes are refused by name', async () => {
    const code = async (txType: number, info: Record<string, unknown>): Promise<unknown> =>
      (await exchange.send(txType, info)).body['code'];
    expect(await code(14, orderInfo({ Nonce: 1 }, 999))).toBe(21100);
    expect(await code(14, orderInfo({ Nonce: 1 }, 100, 77))).toBe(21109);
    expect(await code(14, { ...orderInfo({ Nonce: 1 }), Price: 'x' })).toBe(21501);
    expect(await code(99, orderInfo({ Nonce: 1 }))).toBe(21505);
    expect(await code(14, orderInfo({ Nonce: 1, ExpiredAt: Date.now() - 1 }))).toBe(21501);
    expect(await code(14, orderInfo({ Nonce: 1, ExpiredAt: Date.now() + 700_000 }))).toBe(21501);
  });

  it('urlencoded bodies are as good as multipart', async () => {
    const answer = await exchange.send(14, orderInfo({ Nonce: 1 }, 200), 'urlencoded');
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body).slice(0, 4)).toEqual(['code', 'message', 'tx_hash', 'predicted_execution_time_ms']);
  });
});
