/** P-28: a firewall answers in the exchange's place, on one path or on all of them. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import {
  clientOrderIndexOf,
  nextOrderId,
  nonceOf,
  type ClientOrderIndex,
  type OrderId,
} from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import { loadSigner, openLighter, type Signer, type Trouble } from '../../src/exchange/lighter';
import { BlockedPaths, isFirewallPage, PATHS } from '../../src/exchange/lighter/blocked-paths';
import type { AccountPort, ExchangePort } from '../../src/exchange/port';
import { startManInTheMiddle, type ManInTheMiddle } from '../helpers/man-in-the-middle';
import { signerPath } from '../helpers/tools';
import { PATIENT, until } from './support';

const PAGE = { headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><html>Request blocked.</html>' };
const ACCOUNT = 101;
const LANE = 5;
let paper: PaperServer;
let between: ManInTheMiddle;
let signer: Signer;
let keys: ReadonlyMap<number, string>;
let exchange: ExchangePort | undefined;
let troubles: Trouble[];
let last: OrderId | undefined;

beforeAll(async () => {
  paper = await startPaper({ port: 0, flow: 'off', latency: 'zero' });
  signer = loadSigner(signerPath());
  const pair = await signer.generateKey();
  keys = new Map([[LANE, pair.privateKey]]);
  await fetch(`${paper.url}/_paper/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ account_index: ACCOUNT, collateral: '100000', api_keys: { [LANE]: pair.publicKey } }),
  });
  between = await startManInTheMiddle(paper.url);
});
afterEach(async () => {
  between.onRequest = () => undefined;
  between.onHandshake = () => undefined;
  await exchange?.close();
  exchange = undefined;
});
afterAll(async () => {
  await between.close();
  await paper.close();
});

function open(): AccountPort {
  troubles = [];
  const onTrouble = (trouble: Trouble): void => void troubles.push(trouble);
  exchange = openLighter({ baseUrl: between.url, signer, onTrouble, sessionTimes: PATIENT });
  return exchange.openAccount({ accountIndex: ACCOUNT, keys });
}

async function buy(account: AccountPort): Promise<ClientOrderIndex> {
  last = nextOrderId({ epochMs: Date.now(), lane: LANE, last });
  const clientOrderIndex = clientOrderIndexOf(last, 1);
  const signed = await account.sign({
    kind: 'market-order',
    lane: LANE,
    nonce: nonceOf(last, 1),
    skipNonce: true,
    marketId: 1,
    side: 'buy',
    clientOrderIndex,
    lots: lots(100),
    boundTicks: ticks(1_200_000),
    reduceOnly: false,
  });
  expect(await account.send(signed)).toMatchObject({ kind: 'accepted' });
  return clientOrderIndex;
}

test.each(PATHS)('%s alone is blocked while it runs: it is named, a hedge leaves and is heard', async (path) => {
  const account = open();
  await account.stream.whenLive();
  between.onRequest = (request) => (request.path === path ? { status: 403, ...PAGE } : undefined);
  const index = await buy(account);
  await until(() => account.stream.own.find(index)?.status === 'filled', 'its execution is heard');
  const tried = await account.tryPaths();
  expect(tried.filter(({ answers }) => !answers.ok).map((it) => it.path)).toEqual([path]);
  expect(troubles.map((trouble) => [trouble.kind, trouble.path])).toEqual([['path-blocked', path]]);
  expect(exchange?.backingOff()).toBeUndefined();
});

test('the stream is blocked: a hedge leaves over HTTP and is found by reading', async () => {
  between.onHandshake = () => ({ status: 403, ...PAGE });
  const account = open();
  await until(() => troubles.length > 0, 'it is told');
  expect(troubles.map((trouble) => [trouble.kind, trouble.path])).toEqual([['path-blocked', '/stream']]);
  const index = await buy(account);
  const found = await account.findOrders([index]);
  expect(found).toMatchObject({ ok: true, value: [{ status: 'filled' }] });
  const before = between.handshakes.length;
  between.onHandshake = () => undefined;
  await account.stream.whenLive();
  expect(between.handshakes.length).toBe(before + 1); // who is kept out does not knock on
});

test('405: the host first, the path when it comes again and nothing else is blocked', () => {
  const told: Trouble[] = [];
  const paths = new BlockedPaths((trouble) => told.push(trouble));
  expect(paths.page('/a', 405)).toBe(false);
  expect(paths.page('/b', 405)).toBe(false);
  expect(paths.page('/a', 405)).toBe(false);
  expect(told).toEqual([]);
  paths.answered('/b');
  expect(paths.page('/a', 405)).toBe(true);
  expect(paths.page('/a', 405)).toBe(true);
  expect(told.map(({ path }) => path)).toEqual(['/a']);
  paths.answered('/a');
  expect(paths.page('/a', 405)).toBe(false);
  expect(paths.page('/a', 405)).toBe(true);
  expect(told).toHaveLength(2);
});

test.each([
  [403, undefined, 'Forbidden', true],
  [403, { message: 'Forbidden' }, '', true],
  [403, { code: 20013, message: 'invalid auth' }, '', false],
  [405, undefined, '<html>', true],
  [202, undefined, '\n<html>', true],
  [200, undefined, '<html>', true],
  [200, { code: 200 }, '', false],
  [502, undefined, '<html>Bad Gateway</html>', false],
  [429, undefined, '', false],
])('HTTP %i with %j, %s: a page %s', (httpStatus, body, text, isPage) => {
  expect(isFirewallPage(httpStatus, body, text)).toBe(isPage);
});
