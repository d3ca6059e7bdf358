/** P-22: an unlisted code on HTTP 400, or in an error frame, is a rejection once the lane's nonce shows that nothing was booked. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openLighter, type Signer } from '../../src/exchange/lighter';
import { silentLog } from '../../src/exchange/lighter/log';
import type { AccountPort, ExchangePort } from '../../src/exchange/port';
import { FakeLighter, FAST, signed } from './support';

const REFUSAL = { code: 21999, message: 'new in December' };
const signer = {
  register: () => () => undefined,
  authToken: () => Promise.resolve('9999999999:516:5:x'),
} as unknown as Signer;

let lighter: FakeLighter;
let exchange: ExchangePort;
let account: AccountPort;
let next: number;

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  next = 7;
  lighter.routes.set('/api/v1/nextNonce', () => ({ body: { code: 200, nonce: next } }));
  lighter.routes.set('/api/v1/sendTx', () => ({ status: 400, body: REFUSAL }));
  exchange = openLighter({ baseUrl: lighter.url, signer, log: silentLog, sessionTimes: FAST });
});
afterEach(async () => {
  await exchange.close();
  await lighter.close();
});

function open(answer: (id: string) => object): Promise<void> {
  for (const path of ['accountOrders', 'accountInactiveOrders', 'accountActiveOrders'])
    lighter.routes.set(`/api/v1/${path}`, () => ({ body: { code: 200, orders: [] } }));
  lighter.onMessage = (message, socket) => {
    if (message['type'] === 'ping') socket.send('{"type":"pong"}');
    if (message['channel'] === 'account_all_orders/516')
      socket.send('{"type":"subscribed/account_all_orders","channel":"account_all_orders:516","orders":{}}');
    const { id } = (message['data'] ?? {}) as { id?: string };
    if (id !== undefined) socket.send(JSON.stringify(answer(id)));
  };
  account = exchange.openAccount({ accountIndex: 516, keys: new Map([[5, 'key']]) });
  return account.stream.whenLive();
}
const rejected = { kind: 'rejected', ...REFUSAL };

describe('over HTTP', () => {
  beforeEach(() => {
    lighter.onConnection = () => undefined; // no stream: submissions take HTTP
    account = exchange.openAccount({ accountIndex: 516, keys: new Map([[5, 'key']]) });
  });

  test('the nonce has not moved: rejected', async () => {
    expect(await account.send(signed({ nonce: 7n }))).toMatchObject(rejected);
  });

  test('the nonce has moved: in doubt, and it says so', async () => {
    next = 8;
    expect(await account.send(signed({ nonce: 7n }))).toMatchObject({
      kind: 'unknown',
      reason: expect.stringMatching(/21999 new in December, .* next nonce is 8/),
    });
  });

  test('the nonce cannot be read: in doubt', async () => {
    lighter.routes.set('/api/v1/nextNonce', () => ({ status: 503, raw: 'upstream' }));
    expect(await account.send(signed({ nonce: 7n }))).toMatchObject({ kind: 'unknown' });
  });
});

test.each([
  ['with our id', (id: string) => ({ error: REFUSAL, id })],
  ['without one, while nothing else is out', () => ({ error: REFUSAL })],
])('over the WebSocket, %s', async (_, answer) => {
  await open(answer);
  expect(await account.send(signed({ nonce: 7n }))).toMatchObject(rejected);
  next = 9;
  expect(await account.send(signed({ nonce: 7n }))).toMatchObject({ kind: 'unknown' });
});
