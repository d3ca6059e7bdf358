/** S-54: after a 429 everything but hedges and cancels stays away, hedges in doubt go in turns, and it ends by itself. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock, type Clock } from '../../src/clock';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { openLighter, type Signer, type Trouble } from '../../src/exchange/lighter';
import { silentLog } from '../../src/exchange/lighter/log';
import type { AccountPort, ExchangePort, TxRequest } from '../../src/exchange/port';
import { LighterSignedTx } from '../../src/exchange/lighter/signer';
import { FakeLighter, FAST, HASH, signed, until, type FakeAnswer } from './support';

const BY_ID = '/api/v1/accountOrders';
const TXS = '/api/v1/accountTxs';
const NEXT = '/api/v1/nextNonce';
const index = 1280n as ClientOrderIndex;

let lighter: FakeLighter;
let exchange: ExchangePort;
let account: AccountPort;
let troubles: Trouble[];
/** The time: only the tests move it, and no stall of theirs. Long timers run on it too. */
let aheadMs: number;
let timers: Set<{ atMs: number; action: () => void }>;

/** What a connection is given runs on the clock of the exchange, which lives here; no other time of the product is as long. */
const SEND_MS = 2_900;
const clock: Clock = {
  ...systemClock,
  monotonicMs: () => aheadMs,
  epochMs: () => Date.UTC(2026, 10, 1) + aheadMs,
  after(delayMs, action) {
    if (delayMs < 1_000 || delayMs === SEND_MS || delayMs === FAST.quietMs) return systemClock.after(delayMs, action);
    const timer = { atMs: clock.monotonicMs() + delayMs, action };
    timers.add(timer);
    return () => timers.delete(timer);
  },
};
const signer = {
  register: () => () => undefined,
  authToken: () => Promise.resolve('9999999999:516:5:x'),
} as unknown as Signer;

/** Lets time go by: what is due runs. */
function elapse(ms: number): void {
  aheadMs += ms;
  for (const timer of [...timers]) if (timer.atMs <= clock.monotonicMs() && timers.delete(timer)) timer.action();
}
const asked = (path: string): number => lighter.requests.filter((request) => request.path === path).length;
const sent = (): unknown[] => lighter.messages.filter(({ type }) => type === 'jsonapi/sendtx');
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const tooMany: FakeAnswer = { status: 429, body: { code: 23000, message: 'Too Many Requests!' } };
const nonces = (): FakeAnswer => ({ body: { code: 200, nonce: 3 } });

function bytes(nonce: bigint, change: Partial<TxRequest> = {}): LighterSignedTx {
  const request = { ...signed({ nonce }).request, ...change } as TxRequest;
  return new LighterSignedTx(request, HASH, 0, 14, `{"Nonce":${nonce}}`);
}

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  troubles = [];
  aheadMs = 0;
  timers = new Set();
  for (const path of [BY_ID, '/api/v1/accountInactiveOrders', '/api/v1/accountActiveOrders'])
    lighter.routes.set(path, () => ({ body: { code: 200, orders: [] } }));
  lighter.routes.set(TXS, () => ({ body: { code: 200, txs: [] } }));
  lighter.routes.set(NEXT, nonces);
  lighter.onMessage = (message, socket) => {
    if (message['type'] === 'ping') socket.send('{"type":"pong"}');
    if (message['channel'] === 'account_all_orders/516')
      socket.send('{"type":"subscribed/account_all_orders","channel":"account_all_orders:516","orders":{}}');
  };
  exchange = openLighter({
    ...{ baseUrl: lighter.url, signer, clock, log: silentLog },
    sessionTimes: { ...FAST, sendMs: SEND_MS, lookMs: 900 },
    onTrouble: (trouble) => trouble.kind === 'rate-limited' && troubles.push(trouble),
  });
  account = exchange.openAccount({ accountIndex: 516, keys: new Map([[5, 'key']]) });
  await account.stream.whenLive();
});
afterEach(async () => {
  await exchange.close();
  await lighter.close();
});

async function limited(answer: FakeAnswer = tooMany): Promise<void> {
  lighter.routes.set(NEXT, () => answer);
  expect(await account.nextNonce(5)).toMatchObject({ ok: false });
  lighter.routes.set(NEXT, nonces);
}

test.each<[string, FakeAnswer, RegExp]>([
  ['HTTP 429', tooMany, /backing off until 00:01:0\d UTC after HTTP 429/],
  ['a firewall page', { status: 405, raw: '<html>captcha</html>' }, /backing off until 00:01:0\d UTC after HTTP 405/],
  [
    'code 23000',
    { status: 400, body: { code: 23000, message: 'x' } },
    /backing off until 00:01:0\d UTC after code 23000/,
  ],
])('after %s no read reaches the exchange for a minute; each says why', async (_, answer, why) => {
  await limited(answer);
  const before = lighter.requests.length;
  for (let reads = 0; reads < 20; reads += 1)
    expect(await account.nextNonce(5)).toEqual({ ok: false, reason: expect.stringMatching(why) });
  expect(await account.account()).toMatchObject({ ok: false, reason: expect.stringMatching(why) });
  expect(await exchange.markets()).toMatchObject({ ok: false, reason: expect.stringMatching(why) });
  expect(await account.findOrders([index])).toMatchObject({ ok: false, reason: expect.stringMatching(why) });
  expect(await account.rejectedKeys()).toMatchObject({ ok: false, reason: expect.stringMatching(why) });
  expect(lighter.requests).toHaveLength(before);
  expect(exchange.backingOff()).toMatch(why);
  expect(troubles).toEqual([expect.objectContaining({ what: expect.stringMatching(why) })]);
  elapse(60_000);
  expect(exchange.backingOff()).toBeUndefined();
  expect(await account.nextNonce(5)).toEqual({ ok: true, value: 3n });
});

test('what the exchange rejects for another reason holds nothing back', async () => {
  await limited({ status: 503, raw: 'upstream' });
  await limited({ status: 400, body: { code: 20001, message: 'invalid param' } });
  expect(await account.nextNonce(5)).toMatchObject({ ok: true });
});

test('a further rejection starts the minute anew and is not told again', async () => {
  await limited();
  elapse(40_000);
  lighter.routes.set(BY_ID, () => tooMany);
  await account.findOrders([index], { urgent: true });
  elapse(40_000);
  expect(await account.nextNonce(5)).toMatchObject({ ok: false });
  elapse(20_000);
  expect(await account.nextNonce(5)).toMatchObject({ ok: true });
  expect(troubles).toHaveLength(1);
});

test('over the WebSocket: an error frame of the same code counts as well', async () => {
  lighter.push('{"error":{"code":23000,"message":"Too Many Requests!"}}');
  await until(() => exchange.backingOff() !== undefined, 'backing off');
  expect(account.stream.state).toBe('live');
});

describe('hedges and cancels', () => {
  const answered = (outcome: Promise<unknown>): Promise<'answered' | 'waits'> =>
    Promise.race([
      outcome.then(() => 'answered' as const),
      turn()
        .then(turn)
        .then(() => 'waits' as const),
    ]);

  test('go at once over the open connection, and over HTTP without one', async () => {
    await limited();
    void account.send(bytes(7n));
    void account.send(bytes(8n, { kind: 'cancel-order' }));
    void account.send(bytes(9n, { kind: 'cancel-all-at' }));
    await until(() => sent().length === 3, 'all three');
    lighter.sockets.at(-1)?.terminate();
    await until(() => account.stream.state === 'stale', 'the connection is gone');
    void account.send(bytes(10n));
    await until(() => asked('/api/v1/sendTx') === 1, 'over HTTP');
  });

  test('the same nonce again goes in its turn, before the back-off has begun or since', async () => {
    void account.send(bytes(7n));
    await until(() => sent().length === 1, 'the first');
    await limited();
    const again = account.send(bytes(7n));
    await until(() => sent().length === 2, 'the first turn is free');
    const third = account.send(bytes(7n));
    expect(await answered(third)).toBe('waits');
    expect(sent()).toHaveLength(2);
    elapse(3_000);
    await until(() => sent().length === 3, 'its turn');
    expect([(await again).kind, (await third).kind]).toEqual(['unknown', 'unknown']);
  });

  test('reads for a hedge in doubt take the same turns; who would wait too long is told so', async () => {
    await limited();
    const reads = Array.from({ length: 8 }, () => account.findOrders([index], { urgent: true }));
    await until(() => asked(BY_ID) === 1, 'the first');
    const nonceStatus = account.nonceStatus({ lane: 5, nonce: 7n as Nonce, sinceMs: 0, urgent: true });
    expect(await Promise.all(reads.slice(6))).toMatchObject([{ ok: false }, { ok: false }]);
    expect(await nonceStatus).toMatchObject({ ok: false, reason: expect.stringMatching(/backing off/) });
    for (let next = 2; next <= 6; next += 1) {
      elapse(3_000);
      await until(() => asked(BY_ID) === next, `number ${next}`);
    }
    expect(await Promise.all(reads.slice(0, 6))).toMatchObject(Array.from({ length: 6 }, () => ({ ok: true })));
    expect(asked(TXS)).toBe(0);
  });

  test('a quote is not sent at all', async () => {
    await limited();
    expect(await account.send(bytes(7n, { kind: 'post-only-order' }))).toMatchObject({
      kind: 'unknown',
      reason: expect.stringMatching(/not sent: backing off/),
    });
    expect(sent()).toHaveLength(0);
  });

  test('a submission that is rejected for its number is in doubt, and holds the rest back', async () => {
    lighter.onMessage = (message, socket) => {
      const { id } = (message['data'] ?? {}) as { id?: string };
      if (id !== undefined) socket.send(JSON.stringify({ error: { code: 23000, message: 'x' }, id }));
    };
    expect(await account.send(bytes(7n))).toMatchObject({ kind: 'unknown' });
    expect(exchange.backingOff()).toMatch(/code 23000/);
  });

  test.each([400, 429])('P-21 no volume quota (HTTP %i): rejected, and nothing is held back for it', async (status) => {
    const message = 'Too Many Requests!:  Not enough volume quota';
    lighter.routes.set('/api/v1/sendTx', () => ({ status, body: { code: 23000, message } }));
    lighter.onMessage = (sent, socket) => {
      const { id } = (sent['data'] ?? {}) as { id?: string };
      if (id !== undefined) socket.send(JSON.stringify({ error: { code: 23000, message }, id }));
    };
    expect(await account.send(bytes(7n))).toMatchObject({ kind: 'rejected', code: 23000, message: expect.any(String) });
    lighter.sockets.at(-1)?.terminate();
    await until(() => account.stream.state === 'stale', 'the connection is gone');
    expect(await account.send(bytes(8n))).toMatchObject({ kind: 'rejected', code: 23000 });
    expect(exchange.backingOff()).toBeUndefined();
    expect(account.volumeQuota()).toMatchObject({ left: 0 });
  });

  test('what is left of the volume quota is read from each answer that says so', async () => {
    lighter.onMessage = (sent, socket) => {
      const { id } = (sent['data'] ?? {}) as { id?: string };
      const answer = { code: 200, tx_hash: HASH, type: 'jsonapi/sendtx', volume_quota_remaining: 41, id };
      if (id !== undefined) socket.send(JSON.stringify(answer));
    };
    expect(account.volumeQuota()).toBeUndefined();
    await account.send(bytes(7n));
    elapse(5_000);
    expect(account.volumeQuota()).toEqual({ left: 41, ageMs: expect.any(Number) });
    expect(account.volumeQuota()?.ageMs).toBeGreaterThanOrEqual(5_000);
  });

  test('who waits for a turn is let go when the exchange is closed', async () => {
    await limited();
    const reads = [1, 2, 3].map(() => account.findOrders([index], { urgent: true }));
    await until(() => asked(BY_ID) === 1, 'the first');
    await exchange.close();
    expect((await Promise.all(reads)).slice(1)).toMatchObject([{ ok: false }, { ok: false }]);
  });
});

test('no handshake either: a stream that is cut comes back when the minute is over', async () => {
  await limited();
  lighter.sockets.at(-1)?.terminate();
  await until(() => account.stream.state === 'stale', 'the connection is gone');
  await until(() => [...timers].some(({ atMs }) => atMs > clock.monotonicMs() + 50_000), 'it waits');
  expect(lighter.connections).toBe(1);
  elapse(61_000);
  await account.stream.whenLive();
  expect(lighter.connections).toBe(2);
});

test('P-27 handshakes answered with 429: all streams of the process wait a minute between two of each, and a hedge takes HTTP', async () => {
  exchange.watchTrades(517, () => undefined);
  void exchange.whenBook(1).catch(() => undefined);
  await until(() => lighter.handshakes === 3, 'account, trades and book');
  lighter.refusesHandshakes = 429;
  const before = lighter.handshakes;
  for (const socket of lighter.sockets) socket.terminate();
  await until(() => exchange.backingOff() !== undefined, 'backing off');
  for (let second = 0; second < 90; second += 1) {
    elapse(1_000);
    await turn();
  }
  expect(lighter.handshakes - before).toBeLessThanOrEqual(6); // all three at once, then once more after a minute
  void account.send(bytes(7n));
  await until(() => asked('/api/v1/sendTx') === 1, 'over HTTP');
  lighter.refusesHandshakes = undefined;
  elapse(61_000);
  await account.stream.whenLive();
});
