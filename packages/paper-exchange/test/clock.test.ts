/** The exchange's clock moved against the host's: what moves with it, and what does not. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange } from './helpers';
import { quietExchange } from './helpers';

let exchange: TestExchange;
beforeEach(async () => {
  exchange = await quietExchange({ latency: { takerMs: 100, makerMs: 100, cancelMs: 100 } });
});
afterEach(() => exchange.close());

const move = (fields: Row): ReturnType<TestExchange['post']> => exchange.post('/_paper/clock', fields);
const aheadMs = async (): Promise<number> => {
  const response = await fetch(`${exchange.server.url}/api/v1/currentHeight`);
  return Date.parse(response.headers.get('date') ?? '') - Date.now();
};

describe('a clock that steps', () => {
  it.each([
    ['ahead', 30_000],
    ['back', -30_000],
  ])('%s: the Date header and every timestamp move, executions are as quick as before', async (_where, step) => {
    expect(Math.abs(await aheadMs())).toBeLessThan(5_000);
    const socket = await exchange.open();
    await socket.subscribe('account_all_orders/100', exchange.token(100));
    await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    await socket.next((frame) => frame['type'] === 'update/account_all_orders');
    expect((await move({ step_ms: step })).body['offset_ms']).toBe(step);
    expect(Math.abs((await aheadMs()) - step)).toBeLessThan(5_000);
    const sentMs = Date.now();
    const from = socket.frames.length;
    const fields = { ExpiredAt: Date.now() + 300_000, OrderExpiry: Date.now() + 900_000 };
    const sent = await exchange.create({ Nonce: 2, ClientOrderIndex: 8, ...fields });
    const predictedMs = Number(sent.body['predicted_execution_time_ms']) - step - sentMs;
    expect([predictedMs >= 100, predictedMs < 5_000]).toEqual([true, true]);
    const frame = await socket.next((one) => one['type'] === 'update/account_all_orders', from);
    expect(Date.now() - sentMs).toBeLessThan(5_000);
    const order = ((frame['orders'] as Row)['1'] as Row[])[0]!;
    expect(Math.abs(Number(order['transaction_time']) / 1_000 - step - sentMs)).toBeLessThan(5_000);
  });

  it('bytes that are fresh here are expired there, and the other way round', async () => {
    await move({ offset_ms: 20_000 });
    const late = { Nonce: 1, ExpiredAt: Date.now() + 10_000 };
    expect((await exchange.create(late)).body['code']).toBe(21501);
    await move({ offset_ms: -20_000 });
    const early = { Nonce: 1, ExpiredAt: Date.now() + 590_000 };
    expect((await exchange.create(early)).body).toMatchObject({
      code: 21501,
      message: expect.stringMatching(/too far ahead/),
    });
    expect((await exchange.create({ ...early, ExpiredAt: Date.now() - 10_000 })).status).toBe(200);
  });

  it('steps add up; an offset is absolute; both at once are refused', async () => {
    await move({ step_ms: 1_000 });
    expect((await move({ step_ms: 500 })).body['offset_ms']).toBe(1_500);
    expect((await move({ offset_ms: -200 })).body['offset_ms']).toBe(-200);
    const both = await move({ offset_ms: 1, step_ms: 1 });
    expect([both.status, both.body['message']]).toEqual([400, 'say either offset_ms or step_ms']);
    expect((await move({})).body['offset_ms']).toBe(-200);
  });
});
