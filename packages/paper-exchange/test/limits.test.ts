/** Request budgets: switched while clients run, refused requests that count, the firewall, and what is left to see (LP §6.1). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import type { Answer, Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

let exchange: TestExchange;
let aheadMs = 0;
beforeEach(async () => {
  aheadMs = 0;
  exchange = await quietExchange({ now: () => performance.timeOrigin + performance.now() + aheadMs });
});
afterEach(() => exchange.close());

const limits = async (fields: Row): Promise<Row> => (await exchange.post('/_paper/limits', fields)).body;
const seen = async (): Promise<Row> => (await exchange.get('/_paper/limits')).body;
const read = (accountIndex = 100): Promise<Answer> => exchange.get(`/api/v1/nextNonce?account_index=${accountIndex}`);
const raw = (): Promise<Response> => fetch(`${exchange.server.url}/api/v1/nextNonce?account_index=100&api_key_index=5`);
const times = async (count: number, ask: () => Promise<{ readonly status: number }>): Promise<number[]> => {
  const statuses: number[] = [];
  for (let call = 0; call < count; call += 1) statuses.push((await ask()).status);
  return statuses;
};

/** HTTP status of a refused WebSocket handshake. */
function answerToUpgrade(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(exchange.server.wsUrl);
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => reject(new Error('the stream opened')));
    socket.on('error', () => undefined);
  });
}

describe('limits switched while it runs', () => {
  it('off: everything passes and is counted; on: a fresh minute; off again', async () => {
    expect((await times(70, raw)).every((status) => status === 200)).toBe(true);
    expect((await limits({ mode: 'tier' }))['mode']).toBe('tier');
    const statuses = await times(62, raw);
    expect(statuses.slice(58)).toEqual([200, 200, 429, 429]);
    await limits({ mode: 'off' });
    expect((await raw()).status).toBe(200);
    const [asker] = (await seen())['last_minute'] as Row[];
    expect(asker).toEqual({
      address: '127.0.0.1',
      account_index: 100,
      tier: 'standard',
      requests: 133,
      weight: 133,
      refused: 2,
      by_endpoint: { nextNonce: { requests: 133, weight: 133, refused: 2 } },
    });
    aheadMs = 61_000;
    expect((await seen())['last_minute']).toEqual([]);
  });

  it('a refusal costs nothing unless refused requests count: then whoever keeps asking stays out', async () => {
    await limits({ mode: 'tier', refused_count: true });
    const after = async (waitMs: number): Promise<number> => {
      aheadMs += waitMs;
      return (await raw()).status;
    };
    await times(60, raw);
    // 60 more while refused: a minute after the first 60 the budget is still used up.
    aheadMs += 30_000;
    expect(new Set(await times(60, raw))).toEqual(new Set([429]));
    expect(await after(31_000)).toBe(429);
    expect(await after(61_000)).toBe(200);
    await limits({ refused_count: false });
    await times(60, raw);
    aheadMs += 30_000;
    expect(new Set(await times(60, raw))).toEqual(new Set([429]));
    expect(await after(31_000)).toBe(200);
  });

  it('429 says when to come back', async () => {
    await limits({ mode: 'tier' });
    await times(60, raw);
    expect((await raw()).headers.get('retry-after')).toBe('1');
  });

  it('accounts and addresses are told apart, weights follow the tier', async () => {
    await exchange.post('/_paper/accounts', { account_index: 300, tier: 'premium', api_keys: { '5': '' } });
    await read(100);
    await exchange.get('/api/v1/account?by=index&value=300');
    await exchange.get('/api/v1/recentTrades?market_id=1&limit=5');
    const socket = await exchange.open();
    socket.say({ type: 'jsonapi/sendtx', data: { id: 'a', tx_type: 14, tx_info: orderInfo({ Nonce: 1 }, 300) } });
    await socket.next((frame) => frame['id'] === 'a');
    const rows = (await seen())['last_minute'] as Row[];
    expect(rows.map((row) => [row['account_index'], row['requests'], row['weight']])).toEqual([
      [100, 1, 1],
      [300, 2, 300],
      [null, 1, 1],
    ]);
    expect(Object.keys(rows[1]?.['by_endpoint'] as Row)).toEqual(['account', 'jsonapi']);
  });
});

describe('the firewall', () => {
  it('a breach closes the address for a minute: a page without JSON, no new stream, sends refused on the old one', async () => {
    await limits({ mode: 'tier', firewall: true });
    const socket = await exchange.open();
    await times(61, raw);
    const closed = await raw();
    expect([closed.status, closed.headers.get('content-type'), closed.headers.get('retry-after')]).toEqual([
      405,
      'text/html',
      expect.stringMatching(/^(60|5[5-9])$/),
    ]);
    expect(await answerToUpgrade()).toBe(429);
    const send = async (id: string): Promise<Row> => {
      socket.say({ type: 'jsonapi/sendtx', data: { id, tx_type: 14, tx_info: orderInfo({ Nonce: 1 }) } });
      return socket.next((frame) => frame['id'] === id);
    };
    expect(await send('a')).toEqual({ id: 'a', error: { code: 23000, message: 'Too Many Requests!' } });
    expect((await seen())['closed']).toEqual([{ address: '127.0.0.1', for_ms: expect.any(Number) }]);
    aheadMs = 61_000;
    expect([(await raw()).status, (await send('b'))['code'], (await seen())['closed']]).toEqual([200, 200, []]);
  });

  it('the control face stays open', async () => {
    await limits({ mode: 'tier', firewall: true });
    await times(61, raw);
    expect((await exchange.get('/_paper/truth?account_index=100')).status).toBe(200);
    await limits({ mode: 'off' });
    expect((await raw()).status).toBe(200);
  });
});

describe('the face', () => {
  it.each([
    [{ mode: 'on' }, /off or tier/],
    [{ firewall: 1 }, /true or false/],
    [{ refused: true }, /unknown field refused; known: mode, refused_count, firewall/],
  ])('refuses %j', async (body, text) => {
    const answer = await exchange.post('/_paper/limits', body);
    expect([answer.status, answer.body['message']]).toEqual([400, expect.stringMatching(text)]);
    expect((await seen())['mode']).toBe('off');
  });
});
