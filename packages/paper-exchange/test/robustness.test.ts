/** What must not stop it: garbage, floods, half-open sockets; and TLS, for clients that insist on wss. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { startPaper } from '../src';
import { orderInfo, quietExchange, type Row, TestExchange } from './helpers';

let exchange: TestExchange;
afterEach(() => exchange.close());

const alive = async (): Promise<boolean> => (await exchange.get('/')).status === 200;

/** Writes bytes to the raw port and reads until the other side closes or answers. */
function raw(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(exchange.server.port, '127.0.0.1', () => socket.write(bytes));
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
      socket.destroy();
    });
    socket.once('error', () => resolve('error'));
    socket.once('close', () => resolve('closed'));
  });
}

describe('hostile input', () => {
  it('garbage bytes get an error and the exchange lives', async () => {
    exchange = await quietExchange();
    expect(await raw(Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]))).toMatch(/400|closed|error/);
    expect(await raw('GET / HTTP/1.1\r\n\r\n')).toMatch(/HTTP/);
    expect(await raw('GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')).toMatch(
      /400|closed/,
    );
    expect(await raw('GET /other HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')).toMatch(
      /404/,
    );
    expect(await alive()).toBe(true);
  });

  it('huge and malformed bodies are refused', async () => {
    exchange = await quietExchange();
    const big = 'x'.repeat(2_000_000);
    const post = async (body: string, type: string): Promise<number> => {
      const answer = await exchange.call('/api/v1/sendTx', { method: 'POST', body, headers: { 'content-type': type } });
      return answer.status;
    };
    expect(await post(big, 'application/x-www-form-urlencoded')).toBe(413);
    expect(await post('{"tx_type":', 'application/json')).toBe(400);
    expect(await post('--x\r\nnonsense', 'multipart/form-data; boundary=x')).toBeGreaterThanOrEqual(400);
    expect(await post('tx_type=14&tx_info=%7B', 'application/x-www-form-urlencoded')).toBe(400);
    expect((await exchange.send(14, { ...orderInfo({ Nonce: 1 }), L2TxAttributes: 'x' })).body['code']).toBe(21501);
    expect(await alive()).toBe(true);
  });

  it('oversized and binary WebSocket messages cost at most their own connection', async () => {
    exchange = await quietExchange();
    const bad = await exchange.open();
    const good = await exchange.open();
    bad.socket.send('x'.repeat(2_000_000));
    await bad.whenClosed();
    good.socket.send(Buffer.from([0xff, 0xfe, 0x00]));
    expect(await good.next((frame) => frame['error'] !== undefined)).toHaveProperty('error.code', 30000);
    good.say({ type: 'ping' });
    await good.next((frame) => frame['type'] === 'pong');
  });

  it('half-open sockets and many connections leave it responsive, and close ends all of them', async () => {
    exchange = await quietExchange();
    const idle = Array.from({ length: 200 }, () => connect(exchange.server.port, '127.0.0.1'));
    for (const socket of idle) socket.on('error', () => undefined);
    const streams = await Promise.all(Array.from({ length: 200 }, () => exchange.open()));
    await Promise.all(streams.map((stream) => stream.subscribe('order_book/1')));
    expect(await alive()).toBe(true);
    await exchange.server.close();
    await Promise.all(streams.map((stream) => stream.whenClosed()));
    for (const socket of idle) socket.destroy();
  });
});

describe('limits by tier', () => {
  it('a Standard account has 60 requests a minute, then 429', async () => {
    let aheadMs = 0;
    exchange = await quietExchange({ rateLimits: 'tier', now: () => Date.now() + aheadMs });
    const statuses: number[] = [];
    for (let call = 0; call < 62; call += 1) {
      statuses.push((await exchange.get('/api/v1/account?by=index&value=100')).status);
    }
    expect([statuses.slice(0, 60).every((status) => status === 200), statuses.slice(60)]).toEqual([true, [429, 429]]);
    // The exchange's own clock forgives nothing.
    await exchange.post('/_paper/clock', { offset_ms: 61_000 });
    expect((await exchange.get('/api/v1/account?by=index&value=100')).status).toBe(429);
    aheadMs = 61_000;
    expect((await exchange.get('/api/v1/account?by=index&value=100')).status).toBe(200);
  });

  it('200 client messages a minute, transactions not counted', async () => {
    exchange = await quietExchange({ rateLimits: 'tier' });
    const socket = await exchange.open();
    for (let count = 0; count < 200; count += 1) socket.say({ type: 'ping' });
    socket.say({ type: 'jsonapi/sendtx', data: { id: 'a', tx_type: 14, tx_info: orderInfo({ Nonce: 1 }) } });
    socket.say({ type: 'ping' });
    expect(await socket.next((frame) => frame['error'] !== undefined)).toHaveProperty('error.code', 30009);
    expect(await socket.next((frame) => frame['id'] === 'a')).toHaveProperty('code', 200);
  });

  it('255 streams of one address; another address is another matter', async () => {
    exchange = await quietExchange({ rateLimits: 'tier' });
    for (let count = 0; count < 255; count += 1) await exchange.open();
    expect(await answerToUpgrade('127.0.0.1')).toBe(429);
    expect(await answerToUpgrade('127.0.0.2')).toBe(101);
  });

  it('50 transactions of a connection may wait for their answers, the next one gets 30010', async () => {
    exchange = await quietExchange({ rateLimits: 'tier' });
    const tx = (nonce: number): object => ({
      type: 'jsonapi/sendtx',
      data: { id: String(nonce), tx_type: 15, tx_info: { ...orderInfo({ Nonce: nonce }), Index: 1 } },
    });
    await exchange.post('/_paper/faults', { on: 'request', action: 'drop', match: { path: 'sendtx' }, count: 60 });
    const socket = await exchange.open();
    for (let nonce = 1; nonce <= 60; nonce += 1) socket.say(tx(1));
    await exchange.post('/_paper/faults', {
      on: 'response',
      action: 'delay',
      match: { path: 'sendtx' },
      ms: 3_000,
      count: 50,
    });
    for (let nonce = 1; nonce <= 51; nonce += 1) socket.say(tx(nonce));
    expect(await socket.next((frame) => frame['error'] !== undefined)).toMatchObject({
      id: '51',
      error: { code: 30010 },
    });
    await socket.next((frame) => frame['id'] === '50');
    socket.say({ ...tx(51), data: { ...(tx(51) as Row)['data'], id: 'again' } });
    expect(await socket.next((frame) => frame['id'] === 'again')).toHaveProperty('code', 200);
  });

  it('40 leverage changes a minute, orders not counted', async () => {
    exchange = await quietExchange({ rateLimits: 'tier' });
    await exchange.post('/_paper/accounts', { account_index: 300, tier: 'premium', api_keys: { '5': '' } });
    const codes: unknown[] = [];
    for (let nonce = 1; nonce <= 41; nonce += 1) {
      const info = { AccountIndex: 300, ApiKeyIndex: 5, Nonce: nonce, MarketIndex: 1, InitialMarginFraction: 500 };
      const rest = { MarginMode: 0, ExpiredAt: Date.now() + 590_000, Sig: '', L2TxAttributes: null };
      const answer = await exchange.send(20, { ...info, ...rest });
      codes.push(answer.status, answer.body['code']);
    }
    expect([new Set(codes.slice(0, 80)), codes.slice(80)]).toEqual([new Set([200]), [429, 23000]]);
    expect((await exchange.send(15, { ...orderInfo({ Nonce: 41 }, 300), Index: 1 })).status).toBe(200);
  });

  it('latency by tier: a Standard maker order executes about 200 ms later', async () => {
    exchange = await quietExchange({ latency: 'tier' });
    const socket = await exchange.open();
    await socket.subscribe('account_all_orders/100', exchange.token(100));
    const sentMs = Date.now();
    const answer = await exchange.create({ Nonce: 1, ClientOrderIndex: 7 });
    const predictedMs = Number(answer.body['predicted_execution_time_ms']);
    expect([predictedMs - sentMs >= 200, predictedMs - Date.now() < 400]).toEqual([true, true]);
    await socket.next((frame) => frame['type'] === 'update/account_all_orders');
    expect(Date.now() - sentMs).toBeGreaterThanOrEqual(240);
  });
});

/** The HTTP status with which a stream from a local address is answered. */
function answerToUpgrade(localAddress: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(exchange.server.wsUrl, { localAddress });
    socket.on('error', () => undefined);
    socket.once('upgrade', (response) => {
      resolve(response.statusCode);
      socket.terminate();
    });
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
  });
}

describe('TLS', () => {
  it('serves https and wss with a certificate that a client can trust by name', async () => {
    exchange = new TestExchange(await startPaper({ tls: true, flow: 'off' }));
    const { url, wsUrl, certificate } = exchange.server;
    expect([url.startsWith('https://'), wsUrl.startsWith('wss://')]).toEqual([true, true]);
    const ca = certificate ?? '';
    const status = await new Promise((resolve, reject) => {
      request(`${url}/`, { ca }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    const socket = new WebSocket(wsUrl, { ca });
    const hello = await new Promise<string>((resolve, reject) => {
      socket.once('message', (data: Buffer) => resolve(data.toString()));
      socket.once('error', reject);
    });
    expect(hello).toContain('"type":"connected"');
    socket.terminate();
  });

  it('makes one certificate: the one it serves is the one it tells', async () => {
    exchange = new TestExchange(await startPaper({ tls: true, flow: 'off' }));
    const { port, certificate } = exchange.server;
    for (let turn = 0; turn < 2; turn += 1) {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      expect(socket.getPeerX509Certificate()?.toString()).toBe(certificate);
      socket.destroy();
    }
  });
});
