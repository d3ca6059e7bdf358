/** Reads that fail are not empty (S-20, S-21), submissions that vanish are unknown (S-12), and nothing is asked twice. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { systemClock } from '../../src/clock';
import { ClockSkew } from '../../src/exchange/lighter/clock-skew';
import { HostLimit } from '../../src/exchange/lighter/host-limit';
import { Markets } from '../../src/exchange/lighter/markets';
import { list, check, parseOrder } from '../../src/exchange/lighter/parse';
import { Rest } from '../../src/exchange/lighter/rest';
import type { Signer } from '../../src/exchange/lighter/signer';
import { Tokens } from '../../src/exchange/lighter/tokens';
import { FakeLighter, fixture, HASH, signed, type FakeAnswer } from './support';

const ORDERS = '/api/v1/accountActiveOrders';
let lighter: FakeLighter;
let rest: Rest;
let limit: HostLimit;
let markets: Markets;
let skew: ClockSkew;
let malformed: string[];
const onMalformed = (what: string): void => void malformed.push(what);

/** Patient: the exchange lives in this process, and a stall of it looks like one that does not answer. */
function open(deadlines = { deadlineMs: 17_000, sendMs: 17_000 }): void {
  rest = new Rest({ ...{ baseUrl: lighter.url, clock: systemClock, skew, limit, onMalformed }, ...deadlines });
  markets = new Markets(rest, systemClock, onMalformed);
}

/** For an exchange that is silent. */
async function openBrief(): Promise<void> {
  await rest.close();
  open({ deadlineMs: 4_000, sendMs: 1_500 });
}

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  malformed = [];
  skew = new ClockSkew(systemClock);
  limit = new HostLimit(systemClock, () => undefined);
  open();
});
afterEach(async () => {
  await rest.close();
  await lighter.close();
});

const rawOrderList = (body: unknown): unknown[] => check(z.object({ orders: list }), body, 'order list').orders;
const readOrders = () =>
  markets.read(ORDERS, { account_index: 516 }, (body, lookup) =>
    rawOrderList(body).map((row) => parseOrder(row, lookup)),
  );
const sends = () => lighter.requests.filter(({ path }) => path === '/api/v1/sendTx');

test('an empty list is a value, a good list too', async () => {
  lighter.routes.set(ORDERS, () => ({ body: { code: 200, orders: [] } }));
  expect(await readOrders()).toEqual({ ok: true, value: [] });
  lighter.routes.set(ORDERS, () => ({ body: fixture('account-active-orders.json') }));
  expect(await readOrders()).toMatchObject({ ok: true, value: [{ orderIndex: 844424912956320n }] });
});

const failures: [string, FakeAnswer][] = [
  ['503', { status: 503, raw: 'upstream' }],
  ['503 with a well-formed empty list', { status: 503, body: { code: 200, orders: [] } }],
  ['429', { status: 429, body: { code: 23000, message: 'Too Many Requests!' } }],
  ['405 page of the firewall', { status: 405, raw: '<html>captcha</html>' }],
  ['200 page', { raw: '<html></html>' }],
  ['200 with an error code and an empty list', { body: { code: 20001, message: 'invalid param ', orders: [] } }],
  ['200 without the list', { body: { code: 200 } }],
  ['200 with half a body', { raw: '{"code":200,"orders":[' }],
  ['200 empty body', { raw: '' }],
  ['200 with one unreadable row', { body: { code: 200, orders: [{ order_id: '1' }] } }],
  ['dropped connection', { fault: 'drop' }],
  ['silence', { fault: 'silence' }],
];
test.each(failures)('S-20 S-21 %s is a failed read, never an empty list', async (_name, answer) => {
  if (answer.fault === 'silence') await openBrief();
  lighter.routes.set(ORDERS, () => answer);
  const read = await readOrders();
  expect(read).toMatchObject({ ok: false });
  expect(lighter.requests.filter(({ path }) => path === ORDERS)).toHaveLength(1);
});

test('a dead server is a failed read', async () => {
  await lighter.close();
  expect(await readOrders()).toMatchObject({ ok: false });
  await lighter.start();
});

test('an empty market list is a failed read, and a failed one keeps the scales known before', async () => {
  expect(await markets.load()).toMatchObject({ ok: true });
  lighter.routes.set('/api/v1/orderBooks', () => ({ body: { code: 200, order_books: [] } }));
  expect(await markets.load()).toMatchObject({ ok: false });
  expect(markets.lookup(0)).toMatchObject({ sizeDecimals: 4 });
});

test('a market that is not in the list makes the list be read again, once', async () => {
  let now = 0;
  markets = new Markets(rest, { ...systemClock, monotonicMs: () => now }, () => undefined);
  const body = fixture<{ order_books: { market_id: number }[] }>('order-books.json');
  const partial = { ...body, order_books: body.order_books.filter(({ market_id }) => market_id !== 36) };
  lighter.routes.set('/api/v1/orderBooks', () => ({ body: partial }));
  lighter.routes.set(ORDERS, () => ({ body: fixture('order-above-2-53.json') }));
  expect(await readOrders()).toMatchObject({ ok: false, reason: expect.stringContaining('market 36') });
  now += 60_000;
  lighter.routes.set('/api/v1/orderBooks', () => ({ body }));
  expect(await readOrders()).toMatchObject({ ok: true, value: [{ marketId: 36 }] });
});

test.each<[string, FakeAnswer, string]>([
  ['accepted', { body: { code: 200, tx_hash: HASH, predicted_execution_time_ms: 5 } }, 'accepted'],
  ['rejected', { status: 400, body: { code: 21104, message: 'invalid nonce' } }, 'rejected'],
  ['200 without hash', { body: { code: 200 } }, 'unknown'],
  ['429', { status: 429, body: { code: 23000 } }, 'unknown'],
  ['405', { status: 405, raw: '<html>' }, 'unknown'],
  ['500', { status: 500, body: { code: 29500 } }, 'unknown'],
  ['400 process timeout', { status: 400, body: { code: 29501 } }, 'unknown'],
  ['dropped', { fault: 'drop' }, 'unknown'],
  ['silence', { fault: 'silence' }, 'unknown'],
])('S-12 sendTx over HTTP, %s: %s; sent once', async (_name, answer, kind) => {
  if (answer.fault === 'silence') await openBrief();
  lighter.routes.set('/api/v1/sendTx', () => answer);
  const outcome = await rest.sendTx(signed());
  expect(outcome).toMatchObject({ kind, txHash: HASH });
  expect(JSON.stringify(outcome)).not.toContain('SECRET');
  expect(sends()).toHaveLength(1);
  expect(sends()[0]?.form.get('tx_type')).toBe('14');
  expect(sends()[0]?.form.get('tx_info')).toBe('{"Nonce":7,"Sig":"SECRET"}');
});

test('S-12 a submission over HTTP without an answer is in doubt long before a read would be given up', async () => {
  await openBrief();
  lighter.routes.set('/api/v1/sendTx', () => ({ fault: 'silence' }));
  lighter.routes.set(ORDERS, () => ({ fault: 'silence' }));
  const ended: string[] = [];
  await Promise.all([
    readOrders().then(() => ended.push('read')),
    rest.sendTx(signed()).then(({ kind }) => ended.push(kind)),
  ]);
  expect(ended).toEqual(['unknown', 'read']);
});

test('the token goes into the header; answers 401 make a fresh one, once, with the next key', async () => {
  const signer = {
    authToken: ({ lane }: { lane: number }) => Promise.resolve(`token of ${lane}`),
  } as unknown as Signer;
  const tokens = new Tokens({
    signer,
    clock: systemClock,
    accountIndex: 516,
    lanes: [5, 6],
    lifeMs: 60_000,
    skewMs: () => undefined,
  });
  lighter.routes.set(ORDERS, ({ token }) =>
    token === 'token of 5' ? { status: 401, body: { code: 20013 } } : { body: {} },
  );
  const read = () => rest.read(ORDERS, {}, () => 'fine', tokens);
  expect(await Promise.all([read(), read()])).toMatchObject([{ ok: false }, { ok: false }]);
  expect(await read()).toEqual({ ok: true, value: 'fine' });
  expect(await read()).toEqual({ ok: true, value: 'fine' });
  expect(lighter.requests.map(({ token }) => token)).toEqual(['token of 5', 'token of 5', 'token of 6', 'token of 6']);
});

test('a token is replaced before its deadline, and its deadline is in exchange time', async () => {
  let now = 1_000_000_000;
  const deadlines: number[] = [];
  const signer = {
    authToken: ({ deadlineS }: { deadlineS: number }) => Promise.resolve(String(deadlines.push(deadlineS))),
  } as unknown as Signer;
  const clock = { ...systemClock, epochMs: () => now };
  const tokens = new Tokens({ signer, clock, accountIndex: 1, lanes: [5], lifeMs: 100_000, skewMs: () => -40_000 });
  expect((await tokens.token()).text).toBe('1');
  now += 74_000;
  expect((await tokens.token()).text).toBe('1');
  now += 2_000;
  expect((await tokens.token()).text).toBe('2');
  expect(deadlines[0]).toBe((1_000_000_000 - 40_000 + 100_000) / 1000);
});

test('S-40 the Date header of any answer measures the clock', async () => {
  expect(skew.estimateMs()).toBeUndefined();
  lighter.routes.set(ORDERS, () => ({ body: {} }));
  await rest.read(ORDERS, {}, () => 1);
  expect(Math.abs(skew.estimateMs() ?? Number.NaN)).toBeLessThan(1_500);
});

test('P-24 a cached answer measures no clock', async () => {
  const old = { date: new Date(Date.now() - 45_000).toUTCString(), age: '45' };
  lighter.routes.set(ORDERS, () => ({ body: {}, headers: old }));
  await rest.read(ORDERS, {}, () => 1);
  expect(skew.estimateMs()).toBeUndefined();
});
