/** The server's doors: who gets in, what he may ask for, and what nobody is told. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import crypto from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate } from '../../packages/paper-exchange/src/tls';
import { Access, tokenIn } from '../../src/console/access';
import { Actions } from '../../src/console/actions';
import { Hub } from '../../src/console/hub';
import { type ConsoleServer, startConsoleServer } from '../../src/console/server';
import type { ActionView } from '../../src/console/snapshot';
import { eventually } from '../system/eventually';
import { aSnapshot } from './a-snapshot';

const TOKEN = 'a-token-of-more-than-thirty-two-characters';
const MARK = { 'x-counterleg': 'console', 'content-type': 'application/json' };

let folder: string;
let server: ConsoleServer;
let origin: string;
let cookie: string;
const carried: unknown[] = [];
let shown: Readonly<Record<string, ActionView>> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-console-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<title>the page</title>');
  writeFileSync(join(folder, 'assets', 'main-1a.js'), 'the script');
  server = await start();
  origin = server.url.replace(/\/$/, '');
  cookie = await login(server);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(change: Partial<Parameters<typeof startConsoleServer>[0]> = {}): Promise<ConsoleServer> {
  const nowMs = () => Date.now();
  const actions = new Actions({
    carryOut: async (action, who) => {
      carried.push({ ...action, who });
      if (action.name === 'flatten') throw new Error('the positions could not be read');
      return 'paused';
    },
    show: (known) => (shown = known),
    log: () => undefined,
    nowMs,
  });
  const hub = new Hub(aSnapshot(), { nowMs });
  return startConsoleServer({ host: '127.0.0.1', port: 0, token: TOKEN, hub, folder, actions, nowMs, ...change });
}

async function login({ url }: ConsoleServer): Promise<string> {
  const answer = await fetch(`${url}?token=${TOKEN}`, { redirect: 'manual' });
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${origin}${path}`, { headers, redirect: 'manual' });
const act = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${origin}/actions`, {
    method: 'POST',
    headers: { ...MARK, cookie, origin, ...headers },
    body: JSON.stringify(body),
  });

describe('the token', () => {
  test('gives a session that no script and no other site can use, and is gone from the address', async () => {
    const answer = await get(`/?token=${TOKEN}`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, './']);
    expect(answer.headers.get('set-cookie')).toMatch(
      /^counterleg_\d+=\d+\.[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    expect(answer.headers.get('set-cookie')).not.toContain(TOKEN);
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect((await get('/session', { cookie })).status).toBe(204);
  });

  test.each(['', 'wrong', `${TOKEN}x`, TOKEN.slice(0, -1), '%00'])(
    '%p is refused, and nothing is given',
    async (token) => {
      const answer = await get(`/?token=${token}`);
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
      expect(await answer.text()).not.toContain(TOKEN);
    },
  );

  test('given twice in one address it is none', async () => {
    expect((await get(`/?token=${TOKEN}&token=${TOKEN}`)).status).toBe(403);
  });
});

test('token and session are compared in a time that does not depend on them', () => {
  const compare = jest.spyOn(crypto, 'timingSafeEqual');
  const access = new Access(TOKEN, () => 0);
  access.isToken('wrong');
  access.leftMs('1.wrong');
  expect(compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength])).toEqual([
    [32, 32],
    [32, 32],
  ]);
  compare.mockRestore();
});

describe('without a session', () => {
  test.each(['/session', '/events'])('%s is refused', async (path) => {
    expect((await get(path)).status).toBe(401);
    expect((await get(path, { cookie: 'counterleg_1=2.3' })).status).toBe(401);
    expect((await get(path, { cookie: cookie.replace(/=(\d)/, '=9$1') })).status).toBe(401); // a later end, the old seal
  });

  test('a button is refused', async () => {
    expect((await act({ name: 'pause', market: 'BTC', by: 'me' }, { cookie: '' })).status).toBe(401);
  });
});

test('a session ends after its time, and with the token', () => {
  const clock = { nowMs: 1_000.25 };
  const access = new Access(TOKEN, () => clock.nowMs);
  const { value, seconds } = access.newSession();
  expect([access.leftMs(value) > 0, new Access(`${TOKEN}2`, () => 0).leftMs(value)]).toEqual([true, 0]);
  clock.nowMs += seconds * 1_000;
  expect(access.leftMs(value)).toBe(0);
});

test('a stream ends with its session', async () => {
  const clock = { nowMs: 0 };
  const ending = await start({ nowMs: () => clock.nowMs });
  const session = await login(ending);
  clock.nowMs = 12 * 3_600_000 - 100;
  const stream = await fetch(`${ending.url}events`, { headers: { cookie: session } });
  expect(stream.status).toBe(200);
  await expect(stream.text()).rejects.toThrow('terminated');
  await ending.close();
});

test('behind a proxy, the address that it names is the one that asks, whatever the asker said before', async () => {
  const publicUrl = 'https://hedge.example';
  const proxied = await start({ publicUrl, requestsMax: 2 });
  const url = `http://127.0.0.1:${proxied.port}/`;
  const statuses: number[] = [];
  for (const said of ['1.1.1.1', '2.2.2.2', '3.3.3.3'])
    statuses.push((await fetch(url, { headers: { 'x-forwarded-for': `${said}, 9.9.9.9` } })).status);
  const other = (await fetch(url, { headers: { 'x-forwarded-for': '8.8.8.8' } })).status;
  await proxied.close();
  expect([...statuses, other]).toEqual([200, 200, 429, 200]);
});

test('the page and its files have a policy that runs nothing from elsewhere; files beside them are not served', async () => {
  const page = await get('/');
  expect([page.status, await page.text()]).toEqual([200, '<title>the page</title>']);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|data:|\*/);
  expect([page.headers.get('x-content-type-options'), page.headers.get('cache-control')]).toEqual([
    'nosniff',
    'no-store',
  ]);
  expect((await get('/assets/main-1a.js')).headers.get('cache-control')).toContain('immutable');
  for (const path of ['/assets/../../package.json', '/..%2f..%2fpackage.json', '/nothing'])
    expect((await get(path)).status).toBe(404);
});

test('another name for our address is refused: whoever points his name here gets nothing', async () => {
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${origin}/`, { headers: { host: 'evil.example' } }, (answer) => resolve(answer.statusCode));
    asked.on('error', reject).end();
  });
  expect(status).toBe(421);
});

describe('buttons', () => {
  test('go the way of the command, with who pressed it, and say what became of it', async () => {
    const begun = await act({ name: 'pause', market: 'BTC', by: 'Ada' });
    expect(begun.status).toBe(202);
    expect(carried.at(-1)).toMatchObject({ name: 'pause', market: 'BTC', who: 'Ada from 127.0.0.1' });
    await act({ name: 'acknowledge', limit: 'daily_loss', by: 'Ada' });
    expect(carried.at(-1)).toMatchObject({ limit: 'daily_loss', who: 'Ada from 127.0.0.1' });
    const failed = (await (await act({ name: 'flatten', market: 'BTC', by: 'Ada' })).json()) as { id: string };
    await eventually('it failed', () => (shown[failed.id]?.state === 'failed' ? true : undefined));
    expect(shown[failed.id]).toMatchObject({ what: 'flatten BTC', answer: 'the positions could not be read' });
  });

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['no origin', { origin: '' }],
    ['without our header, as a form sends it', { 'x-counterleg': '' }],
  ])('from %s: refused', async (_, headers) => {
    const before = carried.length;
    expect((await act({ name: 'pause', market: 'BTC', by: 'Ada' }, headers)).status).toBe(403);
    expect(carried.length).toBe(before);
  });

  test.each([
    [{ name: 'pause', market: 'BTC' }],
    [{ name: 'pause', market: 'BTC', by: ' ' }],
    [{ name: 'terminate', market: 'BTC', by: 'Ada' }],
    [{ name: 'retry', orderId: '1 OR 1', by: 'Ada' }],
    [{ name: 'set', market: 'BTC', settings: [], by: 'Ada' }],
    [{ name: 'acknowledge', limit: 'everything', by: 'Ada' }],
    [{ name: 'pause', market: 'BTC', by: 'Ada', more: 1 }],
    ['nothing'],
  ])('%j is no action', async (body) => {
    expect((await act(body)).status).toBe(400);
  });

  test('a page without controls has none', async () => {
    const { actions: _, ...readOnly } = { actions: undefined };
    const hub = new Hub(aSnapshot(), { nowMs: () => 0 });
    const quiet = await startConsoleServer({
      ...{ host: '127.0.0.1', port: 0, token: TOKEN, hub, folder, nowMs: () => Date.now(), ...readOnly },
    });
    const answer = await fetch(`${quiet.url}actions`, {
      method: 'POST',
      headers: { ...MARK, cookie: await login(quiet), origin: quiet.url.replace(/\/$/, '') },
      body: JSON.stringify({ name: 'pause', market: 'BTC', by: 'Ada' }),
    });
    await quiet.close();
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('--control')]);
  });
});

test('too many requests are held off', async () => {
  const busy = await start({ requestsMax: 5 });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await fetch(busy.url)).status);
  await busy.close();
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
});

test('with a certificate it is served encrypted, and the session for encrypted lines only', async () => {
  const tls = createCertificate();
  const encrypted = await start({ host: '0.0.0.0', tls });
  expect(encrypted.url).toMatch(/^https:/);
  const cookies = await new Promise((resolve, reject) => {
    const asked = secureRequest(
      `https://localhost:${encrypted.port}/?token=${TOKEN}`,
      { ca: tls.cert, rejectUnauthorized: false },
      (answer) => resolve(answer.headers['set-cookie']?.[0]),
    );
    asked.on('error', reject).end();
  });
  await encrypted.close();
  expect(cookies).toMatch(/; Secure$/);
});

test('other addresses than loopback only with TLS, or behind a proxy that encrypts', async () => {
  await expect(start({ host: '0.0.0.0' })).rejects.toThrow('would be open to the network');
  await expect(start({ host: '0.0.0.0', publicUrl: 'http://hedge.example' })).rejects.toThrow('--behind-proxy');
  const proxied = await start({ host: '0.0.0.0', publicUrl: 'https://hedge.example' });
  expect(proxied.url).toBe('https://hedge.example/');
  const cookies = await new Promise((resolve, reject) => {
    const asked = request(
      `http://127.0.0.1:${proxied.port}/?token=${TOKEN}`,
      { headers: { host: 'hedge.example' } },
      (answer) => resolve(answer.headers['set-cookie']?.[0]),
    );
    asked.on('error', reject).end();
  });
  await proxied.close();
  expect(cookies).toMatch(/; Secure$/);
});

test('the token file is made once, for its owner alone; one that others can read is refused', () => {
  const file = join(folder, 'made', 'console-token');
  const token = tokenIn(file);
  expect([tokenIn(file), statSync(file).mode & 0o777, token.length]).toEqual([token, 0o600, 43]);
  chmodSync(file, 0o644);
  expect(() => tokenIn(file)).toThrow('chmod 600');
  chmodSync(file, 0o600);
  writeFileSync(file, 'short');
  expect(() => tokenIn(file)).toThrow('at least 32');
  expect(readFileSync(file, 'utf8')).toBe('short');
});
