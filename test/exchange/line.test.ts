/** P-27: the exchange announces that it will close a connection. The next one is there before, and nothing is missed in between. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import {
  clientOrderIndexOf,
  nextOrderId,
  nonceOf,
  type ClientOrderIndex,
  type OrderId,
} from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import { loadSigner, openLighter, type Signer } from '../../src/exchange/lighter';
import type { AccountPort, ExchangePort, StreamState } from '../../src/exchange/port';
import { startManInTheMiddle, type ManInTheMiddle } from '../helpers/man-in-the-middle';
import { signerPath } from '../helpers/tools';
import { PATIENT, until } from './support';

const ACCOUNT = 101;
const LANE = 5;
let paper: PaperServer;
let between: ManInTheMiddle;
let signer: Signer;
let keys: ReadonlyMap<number, string>;
let exchange: ExchangePort;
let account: AccountPort;
let states: StreamState[];
let last: OrderId | undefined;

const control = (path: string, body?: unknown): Promise<Response> =>
  fetch(`${paper.url}/_paper/${path}`, {
    method: body === undefined ? 'DELETE' : 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const shutDown = (match: unknown, ms: number): Promise<Response> =>
  control('faults', [{ on: 'stream', action: 'shutdown', ms, count: 1, match }]);
/** From the announcement to the close: beyond any stall of this process, in which the exchange lives. */
const CLOSES_MS = 4_500;
const isClosed = (stream: number): boolean => between.streams[stream]?.client.readyState === WebSocket.CLOSED;

beforeAll(async () => {
  paper = await startPaper({ port: 0, flow: 'off', latency: 'zero' });
  signer = loadSigner(signerPath());
  const pair = await signer.generateKey();
  keys = new Map([[LANE, pair.privateKey]]);
  await control('accounts', { account_index: ACCOUNT, collateral: '1000000', api_keys: { [LANE]: pair.publicKey } });
});
beforeEach(async () => {
  between = await startManInTheMiddle(paper.url);
  exchange = openLighter({ baseUrl: between.url, signer, sessionTimes: PATIENT });
  account = exchange.openAccount({ accountIndex: ACCOUNT, keys });
  states = [];
  account.stream.on('state', (state) => states.push(state));
  await account.stream.whenLive();
});
afterEach(async () => {
  await control('faults');
  await exchange.close();
  await between.close();
});
afterAll(() => paper.close());

async function buy(): Promise<ClientOrderIndex> {
  last = nextOrderId({ epochMs: Date.now(), lane: LANE, last });
  const clientOrderIndex = clientOrderIndexOf(last, 1);
  const signed = await account.sign({
    ...{ lane: LANE, nonce: nonceOf(last, 1), skipNonce: true, clientOrderIndex, reduceOnly: false },
    kind: 'market-order',
    marketId: 1,
    side: 'buy',
    lots: lots(100),
    boundTicks: ticks(1_200_000),
  });
  expect(await account.send(signed)).toMatchObject({ kind: 'accepted' });
  return clientOrderIndex;
}
const heard = (index: ClientOrderIndex): Promise<void> =>
  until(() => account.stream.own.find(index)?.status === 'filled', `the frame of ${index}`);

test('the account stream stays live: the second connection is there first, submissions and fills go on throughout', async () => {
  await shutDown({ account_index: ACCOUNT }, CLOSES_MS);
  const during = await buy();
  await until(() => between.handshakes.length === 2, 'the second connection');
  expect(isClosed(0)).toBe(false);
  await heard(during);
  await until(() => isClosed(0), 'the announced close');
  await heard(await buy());
  expect(states).toEqual(['live']);
  expect(between.handshakes).toHaveLength(2);
});

test('what the first connection delivers before the second has its snapshot counts', async () => {
  between.onFrame = ({ text, stream, direction }) =>
    stream === 1 && direction === 'in' && text.includes('orders') ? [] : undefined;
  await shutDown({ account_index: ACCOUNT }, CLOSES_MS);
  await until(() => between.streams.length === 2, 'the second connection');
  await heard(await buy());
  expect(isClosed(0)).toBe(false);
});

/** The streams over which submissions went. */
function watchSubmissions(): number[] {
  const over: number[] = [];
  const { onFrame } = between;
  between.onFrame = (frame) => {
    if (frame.direction === 'out' && frame.text.includes('jsonapi/sendtx')) over.push(frame.stream);
    return onFrame(frame);
  };
  return over;
}

test('the first connection takes submissions while the handshake of the second is refused', async () => {
  between.onHandshake = () => ({ status: 503, body: '' });
  const over = watchSubmissions();
  await shutDown({ account_index: ACCOUNT }, CLOSES_MS);
  await until(() => between.handshakes.length >= 2, 'the second handshake');
  await heard(await buy());
  expect(over).toEqual([0]);
  expect(between.requests.filter(({ path }) => path.endsWith('/sendTx'))).toEqual([]);
  between.onHandshake = () => undefined;
  await until(() => between.streams.length === 2, 'the second connection');
  await until(() => between.streams[0]?.client.readyState === WebSocket.CLOSED, 'the announced close');
  await account.stream.whenLive();
  await heard(await buy());
  expect(over).toEqual([0, 1]);
  expect(states).toEqual(['live']);
});

test('the first connection takes submissions until the second has its snapshot; when it closes before, the stream is not live', async () => {
  between.onFrame = ({ text, stream, direction }) =>
    stream === 1 && direction === 'in' && text.includes('subscribed/account_all_orders') ? [] : undefined;
  const over = watchSubmissions();
  await shutDown({ account_index: ACCOUNT }, CLOSES_MS);
  await until(() => between.streams.length === 2, 'the second connection');
  await heard(await buy());
  await until(() => isClosed(0), 'the announced close');
  await until(() => states.length === 2, 'a stream that is not live');
  await account.stream.whenLive();
  expect(over).toEqual([0]);
  expect(states).toEqual(['live', 'stale', 'live']);
});

test('a second connection whose snapshot does not come is tried again, and costs the first nothing', async () => {
  let streams = 0;
  between.onFrame = ({ text, stream, direction }) =>
    (streams = Math.max(streams, stream)) === 1 &&
    stream === 1 &&
    direction === 'in' &&
    text.includes('subscribed/account_all_orders')
      ? []
      : undefined;
  await shutDown({ account_index: ACCOUNT }, 10_000);
  await until(() => between.streams.length === 3, 'the third connection');
  await until(() => account.stream.state === 'live' && states.length === 1, 'live');
  const over = watchSubmissions();
  await heard(await buy());
  await until(() => isClosed(0), 'the close of the first');
  await heard(await buy());
  expect(over).not.toContain(1);
  expect(states).toEqual(['live']);
});

test('an exchange that closes at once leaves the ordinary reconnect', async () => {
  let hasSnapshot = false;
  between.onFrame = ({ text, stream, direction }) => {
    hasSnapshot ||= stream === 1 && direction === 'in' && text.includes('subscribed/account_all_orders');
    return undefined;
  };
  await shutDown({ account_index: ACCOUNT }, 1);
  await until(() => isClosed(0) && hasSnapshot, 'the second connection alone'); // the first takes submissions until it is gone
  await account.stream.whenLive();
  await heard(await buy());
});

test('the book is offered all the time', async () => {
  await exchange.whenBook(1);
  const gone: string[] = [];
  const watch = setInterval(() => exchange.book(1) ?? gone.push('no book'), 1);
  await shutDown({ channel: 'order_book' }, CLOSES_MS);
  await until(() => between.handshakes.length === 3, 'a second connection for books');
  await until(() => isClosed(1), 'the announced close');
  clearInterval(watch);
  expect(gone).toEqual([]);
  expect(exchange.book(1)).toBeDefined();
});
