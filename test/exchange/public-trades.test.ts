/** A's trades as anybody may hear them: sums of distinct trades, never more than what executed (S-45). */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../src/clock';
import { openLighter, type Signer, type Trouble } from '../../src/exchange/lighter';
import type { ExchangePort, TradedSum } from '../../src/exchange/port';
import { FakeLighter, FAST, until } from './support';

const A = 516;
let lighter: FakeLighter;
let exchange: ExchangePort;
let heard: TradedSum[];
let malformed: string[];

const trade = (change: Record<string, unknown> = {}) => ({
  ...{ trade_id: 9, market_id: 36, size: '2.0', price: '0.20000', ask_id: 1, bid_id: 2, timestamp: 1_785_358_812_048 },
  ...{ bid_account_id: A, bid_client_id: 640, ask_account_id: 7, ask_client_id: 3, transaction_time: 5 },
  ...change,
});
const frame = (type: 'subscribed' | 'update', ...trades: unknown[]) =>
  JSON.stringify({ channel: `account_all_trades:${A}`, type: `${type}/account_all_trades`, trades: { '36': trades } });

beforeEach(async () => {
  heard = [];
  malformed = [];
  lighter = new FakeLighter();
  await lighter.start();
  lighter.onMessage = (message, socket) => {
    if (message['type'] === 'subscribe') socket.send(frame('subscribed', trade({ trade_id: 1 })));
  };
  exchange = openLighter({
    baseUrl: lighter.url,
    signer: {} as Signer,
    sessionTimes: FAST,
    onMalformed: (what) => malformed.push(what),
  });
  exchange.watchTrades(A, (sum) => heard.push(sum));
  await until(() => lighter.messages.some(({ type }) => type === 'subscribe'), 'subscribed');
});
afterEach(async () => {
  await exchange.close();
  await lighter.close();
});

test('sums what an order traded; without a token, a trade that is told twice once, what is repeated at the start not at all', async () => {
  lighter.push(frame('update', trade(), trade()));
  lighter.push(frame('update', trade(), trade({ trade_id: 10, size: '0.5' })));
  await until(() => heard.length === 2, 'two sums');
  expect(heard).toMatchObject([
    { clientOrderIndex: 640n, marketId: 36, side: 'buy', tradedLots: 20n, tradedQuote: 400_000n },
    { clientOrderIndex: 640n, tradedLots: 25n, tradedQuote: 500_000n },
  ]);
  expect(lighter.messages.filter(({ type }) => type === 'subscribe')).toEqual([
    { type: 'subscribe', channel: `account_all_trades/${A}` },
  ]);
});

test("others' trades and what cannot be read add nothing; the rest of the frame counts", async () => {
  lighter.push(frame('update', trade({ bid_account_id: 8 }), trade({ size: 'much' }), trade({ trade_id: 11 })));
  await until(() => heard.length === 1, 'one sum');
  expect(heard).toMatchObject([{ tradedLots: 20n }]);
  expect(malformed).toEqual(['public trades']);
});

test('trades that are not heard are told', async () => {
  const told: Trouble[] = [];
  let waiting: (() => void) | undefined;
  lighter.onMessage = () => undefined;
  const after: typeof systemClock.after = (ms, action) => {
    if (ms !== 20_000) return systemClock.after(ms, action);
    waiting = action;
    return () => (waiting = undefined);
  };
  const other = openLighter({
    ...{ baseUrl: lighter.url, signer: {} as Signer, sessionTimes: FAST, clock: { ...systemClock, after } },
    onTrouble: (trouble) => told.push(trouble),
  });
  other.watchTrades(A, () => undefined);
  await until(() => lighter.messages.filter(({ type }) => type === 'subscribe').length === 2, 'asked for');
  waiting?.();
  expect(told.map(({ kind, path }) => [kind, path])).toEqual([['channel-missing', `public account_all_trades/${A}`]]);
  lighter.push(frame('subscribed'));
  await until(() => waiting === undefined, 'heard');
  await other.close();
});

test('goes on after a lost connection, with what it knew', async () => {
  lighter.push(frame('update', trade()));
  await until(() => heard.length === 1, 'the first');
  lighter.sockets.at(-1)?.terminate();
  await until(() => lighter.messages.filter(({ type }) => type === 'subscribe').length === 2, 'subscribed again');
  lighter.push(frame('update', trade(), trade({ trade_id: 12 })));
  await until(() => heard.length === 2, 'the second');
  expect(heard.at(-1)).toMatchObject({ tradedLots: 40n });
});

test('what the connection before still delivers does not answer for a subscription of the next one', async () => {
  const deadlines = new Set<() => void>();
  const after: typeof systemClock.after = (ms, action) => {
    if (ms !== 5_000) return systemClock.after(ms, action);
    deadlines.add(action);
    return () => deadlines.delete(action);
  };
  const told: TradedSum[] = [];
  const other = openLighter({
    ...{ baseUrl: lighter.url, signer: {} as Signer, sessionTimes: FAST, clock: { ...systemClock, after } },
  });
  const asked = (): number => lighter.messages.filter(({ type }) => type === 'subscribe').length;
  other.watchTrades(A, (sum) => told.push(sum));
  await until(() => asked() === 2 && deadlines.size === 0, 'subscribed');
  const before = lighter.sockets.at(-1);
  lighter.onMessage = ({ type }, socket) => {
    if (type === 'ping') socket.send('{"type":"pong"}');
  };
  lighter.push({ type: 'shutdown', close_in_ms: 60_000 });
  await until(() => asked() === 3, 'the next one has asked');
  before?.send(frame('update', trade()));
  await until(() => told.length === 1, 'what the one before brought');
  for (const deadline of [...deadlines]) deadline();
  await until(() => asked() === 4, 'asked again');
  await other.close();
});
