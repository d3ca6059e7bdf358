/** The book: equal to a simple model, whole or not offered at all (LP §5.5). */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { systemClock, type Clock } from '../../src/clock';
import { lots, ticks } from '../../src/domain/lots';
import { openLighter, type Signer, type Trouble } from '../../src/exchange/lighter';
import { Book, parseBookFrame, type BookChange } from '../../src/exchange/lighter/book';
import type { ExchangePort } from '../../src/exchange/port';
import { FakeLighter, FAST, fixture, until } from './support';

const scale = () => ({ sizeDecimals: 1, priceDecimals: 5 });
const level = (price: number, size: number) => ({ priceTicks: ticks(price), lots: lots(size) });

test('the recorded snapshot and its delta', () => {
  const book = new Book(36, parseBookFrame(fixture('order-book-snapshot.json'), 36, scale));
  const before = book.view();
  expect(book.apply(parseBookFrame(fixture('order-book-delta.json'), 36, scale))).toBe('applied');
  expect(book.view()).toEqual({
    marketId: 36,
    bids: [],
    asks: [level(20382, 78167), level(20416, 253748)],
    updatedAtUs: 1785358812048570,
  });
  // Who looked before keeps what was seen then.
  expect(before.bids).toEqual([level(20351, 76739)]);
});

test('a change that does not follow is a gap, and so is the same change twice', () => {
  const book = new Book(36, parseBookFrame(fixture('order-book-snapshot.json'), 36, scale));
  const change = parseBookFrame(fixture('order-book-delta.json'), 36, scale);
  expect(book.apply({ ...change, beginNonce: change.beginNonce + 1 })).toBe('gap');
  expect(book.apply(change)).toBe('applied');
  expect(book.apply(change)).toBe('gap');
});

test('property: any sequence of changes gives the sorted map of the last sizes', () => {
  const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 5 })), {
    maxLength: 20,
    size: 'max',
  });
  fc.assert(
    fc.property(levels, fc.array(fc.tuple(levels, levels), { maxLength: 20, size: 'max' }), (start, changes) => {
      const make = (asks: [number, number][], bids: [number, number][], nonce: number): BookChange => ({
        asks: asks.map(([p, s]) => level(p, s)),
        bids: bids.map(([p, s]) => level(p, s)),
        nonce,
        beginNonce: nonce - 1,
        updatedAtUs: nonce,
      });
      const book = new Book(1, make(start, start, 0));
      const asks = new Map(start);
      const bids = new Map(start);
      changes.forEach(([a, b], i) => {
        for (const [p, s] of a) asks.set(p, s);
        for (const [p, s] of b) bids.set(p, s);
        expect(book.apply(make(a, b, i + 1))).toBe('applied');
      });
      const sorted = (map: Map<number, number>, sign: 1 | -1) =>
        [...map]
          .filter(([, s]) => s > 0)
          .sort(([a], [b]) => sign * (a - b))
          .map(([p, s]) => level(p, s));
      expect(book.view().asks).toEqual(sorted(asks, 1));
      expect(book.view().bids).toEqual(sorted(bids, -1));
    }),
  );
});

let lighter: FakeLighter;
let exchange: ExchangePort;
let malformed: string[];
let acknowledges: boolean;

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  malformed = [];
  acknowledges = true;
  lighter.onMessage = (message, socket) => {
    if (message['type'] === 'ping') socket.send('{"type":"pong"}');
    if (message['type'] === 'subscribe') socket.send(JSON.stringify(fixture('order-book-snapshot.json')));
    if (message['type'] === 'unsubscribe' && acknowledges) {
      socket.send('{"type": "unsubscribed", "channel": "order_book:36"}');
    }
  };
  exchange = openLighter({
    baseUrl: lighter.url,
    signer: {} as Signer,
    sessionTimes: FAST,
    onMalformed: (_what, reason) => malformed.push(reason),
  });
});
afterEach(async () => {
  await exchange.close();
  await lighter.close();
});
const kinds = () => lighter.messages.filter(({ type }) => type !== 'ping').map(({ type }) => type);

test('opens on first use, follows changes, measures the clock', async () => {
  expect(exchange.book(36)).toBeUndefined();
  expect((await exchange.whenBook(36)).bids).toHaveLength(1);
  lighter.push(fixture('order-book-delta.json'));
  await until(() => exchange.book(36)?.bids.length === 0, 'the change');
  expect(exchange.clockSkewMs()).toBeDefined();
  expect(kinds()).toEqual(['subscribe']);
});

test('a gap: no book meanwhile, unsubscribe, then a fresh snapshot (a second subscribe alone brings none)', async () => {
  await exchange.whenBook(36);
  acknowledges = false;
  const skipped = fixture<{ order_book: { begin_nonce: number } }>('order-book-delta.json');
  skipped.order_book.begin_nonce += 1;
  lighter.push(skipped);
  await until(() => kinds().includes('unsubscribe'), 'unsubscribe');
  expect(exchange.book(36)).toBeUndefined();
  lighter.push(fixture('order-book-delta.json')); // still under way for the old subscription
  lighter.push('{"type": "unsubscribed", "channel": "order_book:36"}');
  await exchange.whenBook(36);
  expect(kinds()).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
  expect(lighter.connections).toBe(1);
});

test('S-33 a malformed change is a gap: counted, and the book is taken afresh', async () => {
  await exchange.whenBook(36);
  const poison = fixture<{ order_book: { asks: unknown } }>('order-book-delta.json');
  poison.order_book.asks = [{ price: '0.2', size: 'much' }];
  lighter.push(poison);
  await until(() => malformed.length === 1, 'counted');
  expect((await exchange.whenBook(36)).bids).toHaveLength(1);
  expect(kinds()).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
});

test('a lost connection: no book until the next snapshot', async () => {
  await exchange.whenBook(36);
  lighter.sockets.at(-1)?.terminate();
  await until(() => exchange.book(36) === undefined, 'stale');
  expect((await exchange.whenBook(36)).asks).toHaveLength(1);
  expect(lighter.connections).toBe(2);
});

test('closing rejects those who wait for a book', async () => {
  lighter.onMessage = () => undefined;
  const rejected = expect(exchange.whenBook(36)).rejects.toThrow(/closed/);
  await exchange.close();
  await rejected;
});

test('S-51 a market whose book never comes costs the others nothing, and is asked for again', async () => {
  const deadlines = new Set<() => void>();
  const clock: Clock = {
    ...systemClock,
    after(delayMs, action) {
      if (delayMs !== 5_000) return systemClock.after(delayMs, action);
      deadlines.add(action);
      return () => deadlines.delete(action);
    },
  };
  const elapse = (): void => {
    for (const action of [...deadlines]) if (deadlines.delete(action)) action();
  };
  const asked = (): number => lighter.messages.filter(({ channel }) => channel === 'order_book/1').length;
  const { onMessage } = lighter;
  lighter.onMessage = (message, socket) => {
    if (message['channel'] === 'order_book/1') socket.send('{"error":{"code":30005,"message":"Invalid Channel"}}');
    else onMessage(message, socket);
  };
  await exchange.close();
  exchange = openLighter({ baseUrl: lighter.url, signer: {} as Signer, sessionTimes: FAST, clock });
  void exchange.whenBook(1).catch(() => undefined);
  await exchange.whenBook(36);
  for (const count of [1, 2, 3, 4]) {
    await until(() => asked() === count, `message ${count} about it`); // subscribe, unsubscribe, subscribe, …
    elapse();
  }
  expect(exchange.book(36)).toBeDefined();
  expect(lighter.connections).toBe(1);
});

test('a market without a book is told once, and again only after it had one', async () => {
  const told: Trouble[] = [];
  const waits: (() => void)[] = [];
  let answers = false;
  lighter.onMessage = (message, socket) => {
    if (message['type'] === 'subscribe' && answers) socket.send(JSON.stringify(fixture('order-book-snapshot.json')));
  };
  const after: typeof systemClock.after = (ms, action) => {
    if (ms !== 20_000) return systemClock.after(ms, action);
    waits.push(action);
    return () => void waits.splice(waits.indexOf(action), 1);
  };
  const other = openLighter({
    ...{ baseUrl: lighter.url, signer: {} as Signer, sessionTimes: FAST, clock: { ...systemClock, after } },
    onTrouble: (trouble) => told.push(trouble),
  });
  other.book(36);
  await until(() => kinds().includes('subscribe'), 'asked for');
  expect(waits).toHaveLength(1);
  waits[0]?.();
  expect(told.map(({ kind, path }) => [kind, path])).toEqual([['channel-missing', 'order_book/36']]);
  answers = true;
  lighter.sockets.at(-1)?.terminate();
  await other.whenBook(36);
  expect(waits).toEqual([]);
  await other.close();
});

test('S-54 a market whose changes are all unreadable is asked for ever more slowly', async () => {
  const poison = fixture<{ order_book: { asks: unknown } }>('order-book-delta.json');
  poison.order_book.asks = 7;
  const { onMessage } = lighter;
  lighter.onMessage = (message, socket) => {
    onMessage(message, socket);
    if (message['type'] === 'subscribe') socket.send(JSON.stringify(poison));
  };
  const sinceMs = performance.now();
  exchange.whenBook(36).catch(() => undefined);
  await until(() => malformed.length >= 4, 'four times');
  expect(performance.now() - sinceMs).toBeGreaterThan(250 / 2 + 500 / 2);
});
