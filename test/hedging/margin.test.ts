/** What B can carry is promised once (S-48). */
import { beforeEach, expect, test } from '@jest/globals';
import { clockOf } from '../clock';
import { MarginBook, type Promised } from '../../src/activities/margin';
import { orderIdOf, tenthsAt, type OrderId } from '../../src/domain/ids-and-nonces';
import { lots, notional } from '../../src/domain/lots';
import type { AccountState, Position } from '../../src/domain/records';

const START_MS = Date.UTC(2026, 5, 1);
const usdc = (amount: number) => notional(BigInt(Math.round(amount * 1e6)));

let nowMs: number;
let free: number;
let positions: Position[];
let unreadMarkets: number[];
let running: OrderId[] | 'away';
let strangers: Map<OrderId, Promised>;
let reads: number;
/** How old what is shared with others of the process is; it answers only who may be answered with it. */
let sharedMs: number;
let reading: (() => Promise<void>) | undefined;
let book: MarginBook;

beforeEach(() => {
  nowMs = START_MS;
  [free, positions, running, strangers, reads, reading] = [25, [], [], new Map(), 0, undefined];
  unreadMarkets = [];
  sharedMs = 0;
  book = newBook();
});

function newBook(): MarginBook {
  return new MarginBook({
    account: async (sinceMs) => {
      const isShared = sharedMs > 0 && nowMs - sharedMs > sinceMs;
      if (!isShared) reads += 1;
      const begunMs = isShared ? nowMs - sharedMs : nowMs;
      const money = { availableBalance: usdc(free), collateral: usdc(free) };
      const value: AccountState = { accountIndex: 7, ...money, positions, unreadMarkets, begunMs };
      await reading?.();
      return { ok: true, value };
    },
    initialMarginBps: (marketId) => Promise.resolve({ ok: true, value: marketId === 2 ? 3_000 : 500 }),
    running: () => (running === 'away' ? Promise.reject(new Error('away')) : Promise.resolve(running)),
    promiseOf: (id) => Promise.resolve(strangers.get(id)),
    clock: clockOf(() => nowMs),
  });
}

/** 200 lots at 1 095 000 ticks: worth 219 USDC; 10.95 of margin at 5 %, 16.43 with the reserve. */
function order(lane: number, change: Partial<Promised> = {}): Promised {
  const id = orderIdOf({ time: tenthsAt(nowMs), lane });
  return { id, marketId: 1, side: 'sell', lots: 200n, priceTicks: 1_095_000n, untilMs: nowMs + 900_000, ...change };
}

const held = (amount: number, change: Partial<Position> = {}): Position => ({
  marketId: 1,
  lots: lots(amount),
  avgEntryTicks: '0',
  ...change,
});

test('P-23 a position that could not be read is not zero: nothing is promised in its market, as before in others', async () => {
  unreadMarkets = [2];
  expect(await book.promise(order(5))).toBeUndefined();
  expect(await book.promise(order(6, { marketId: 2 }))).toMatchObject({ code: 'margin-unread' });
});

test('the second order on a balance for one is rejected with the arithmetic', async () => {
  expect(await book.promise(order(5))).toBeUndefined();
  expect(await book.promise(order(6))).toEqual({
    code: 'margin',
    message:
      'account B can carry 0 more of this size: one needs 16.42 USDC, free are 25.00, 16.42 of it promised to 1 other order. ' +
      'Add collateral to B, or quote less',
  });
});

test('asked again for the same order, it is promised once', async () => {
  const [first] = [order(5)];
  for (let n = 0; n < 5; n++) expect(await book.promise(first)).toBeUndefined();
});

test('two that ask at the same time do not both take the same balance', async () => {
  const answers = await Promise.all([book.promise(order(5)), book.promise(order(6)), book.promise(order(7))]);
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
});

test('what is about to leave is promised to no order meanwhile; what was promised does not leave', async () => {
  const giveBack = await book.setAside(usdc(10));
  expect(await book.unpromised()).toBe(usdc(15));
  expect(await book.promise(order(5))).toMatchObject({ code: 'margin' });
  giveBack?.();
  expect(await book.promise(order(5))).toBeUndefined();
  expect(await book.setAside(usdc(8.58))).toBeUndefined(); // 16.42 of 25 are promised
  expect(await book.setAside(usdc(8.57))).toBeDefined();
});

test('what left is gone: the balance is read anew before it is set aside, and after', async () => {
  expect(await book.unpromised()).toBe(usdc(25));
  free = 12;
  expect(await book.setAside(usdc(13))).toBeUndefined();
  const giveBack = await book.setAside(usdc(11));
  free = 1;
  giveBack?.();
  expect(await book.unpromised()).toBe(usdc(1));
});

test("the market's own fraction counts, and a higher one of the account wins", async () => {
  free = 90;
  expect(await book.promise(order(5, { marketId: 2 }))).toMatchObject({ code: 'margin' }); // 30 %: 98.55 USDC
  positions = [held(0, { initialMarginBps: 5_000 })];
  nowMs += 6_000;
  expect(await book.promise(order(6))).toMatchObject({ message: expect.stringContaining('one needs 164.25') });
});

test('what only reduces the position needs nothing, what goes beyond it does', async () => {
  [free, positions] = [0, [held(-400)]];
  expect(await book.promise(order(5, { side: 'buy' }))).toBeUndefined();
  expect(await book.promise(order(6, { side: 'buy' }))).toBeUndefined();
  expect(await book.promise(order(7, { side: 'sell' }))).toMatchObject({ code: 'margin' });
  expect(await book.promise(order(8, { side: 'buy', lots: 400n }))).toBeUndefined(); // from −400 to +400 at the worst
  expect(await book.promise(order(10, { side: 'buy' }))).toMatchObject({ code: 'margin' });
});

test('an order that has ended gives its promise back; one armed just now may not be listed yet', async () => {
  const first = order(5);
  await book.promise(first);
  nowMs += 6_000;
  expect(await book.promise(order(6))).toMatchObject({ code: 'margin' });
  running = [first.id];
  nowMs += 10_000;
  expect(await book.promise(order(6))).toMatchObject({ code: 'margin' });
  running = [];
  nowMs += 6_000;
  expect(await book.promise(order(6))).toBeUndefined();
});

test('a restarted hedger finds what its predecessor armed', async () => {
  const first = order(5);
  await book.promise(first);
  [running, strangers] = [[first.id], new Map([[first.id, first]])];
  expect(await newBook().promise(order(6))).toMatchObject({ code: 'margin' });
});

test('while Temporal is away what was armed here counts on', async () => {
  await book.promise(order(5));
  running = 'away';
  nowMs += 60_000;
  expect(await book.promise(order(6))).toMatchObject({ code: 'margin' });
});

test("what the lane's last order traded unheard counts until the balance has been read after its end", async () => {
  expect(await book.promise(order(5))).toBeUndefined();
  nowMs += 1_000;
  [free, positions] = [14, [held(-200)]]; // it filled, and no frame said so
  expect(await book.promise(order(5))).toMatchObject({ code: 'margin' });
  expect(reads).toBe(2);
});

test('only a promise that still holds covers an order on the other side', async () => {
  expect(await book.promise(order(5))).toBeUndefined();
  [free, nowMs, reading] = [0, nowMs + 6_000, () => Promise.resolve(void (nowMs += 10))];
  const buys = { side: 'buy', lots: 100n } as const;
  expect(await book.promise(order(6, buys))).toBeUndefined();
  running = [order(6).id];
  expect(await book.promise(order(5, buys))).toMatchObject({ code: 'margin' });
});

test('what the second reading brings of another market is counted by its own fraction', async () => {
  expect(await book.promise(order(5))).toBeUndefined();
  nowMs += 1_000;
  free = 20;
  const other = order(9, { marketId: 2 });
  strangers.set(other.id, other);
  running = [other.id];
  expect(await book.promise(order(5))).toMatchObject({ code: 'margin' });
  expect(reads).toBe(2);
});

test("the lane's next order costs no reading while there is enough for both", async () => {
  free = 60;
  for (let i = 0; i < 3; i++, nowMs += 1_000) expect(await book.promise(order(5))).toBeUndefined();
  expect(reads).toBe(1);
});

test('a balance that was read before B traded unpromised is not believed', async () => {
  await book.promise(order(5));
  book.executed();
  nowMs += 1;
  [free, positions] = [14, [held(-200)]];
  expect(await book.promise(order(5))).toMatchObject({ code: 'margin' }); // the lane's next order
  expect(reads).toBe(2);
});

test('nor one of somebody else that began before it; one that began later is', async () => {
  free = 1_000;
  book.executed();
  [nowMs, sharedMs] = [nowMs + 3_000, 3_000];
  await book.promise(order(5));
  expect(reads).toBe(1);
  book.executed();
  [nowMs, sharedMs] = [nowMs + 3_000, 2_000];
  await book.promise(order(5));
  expect(reads).toBe(1);
  nowMs += 4_000; // of what was read 6 s ago nothing is believed
  await book.promise(order(5));
  expect(reads).toBe(1);
  sharedMs = 0;
  nowMs += 6_000;
  await book.promise(order(5));
  expect(reads).toBe(2);
});

test('what an order trades that is promised its margin is counted already: no reading while there is enough', async () => {
  free = 200;
  const first = order(5);
  await book.promise(first);
  for (let n = 0; n < 3; n++, nowMs += 1_000) {
    book.executed(first.id);
    expect(await book.promise(order(6))).toBeUndefined();
  }
  expect(reads).toBe(1);
  book.executed(orderIdOf({ time: tenthsAt(nowMs), lane: 9 })); // nobody was promised that
  await book.promise(order(6));
  expect(reads).toBe(2);
});

test('where there is not enough, what was read before it traded is read again: it may have closed a position', async () => {
  [free, positions] = [17, [held(-200)]];
  const first = order(5, { side: 'buy' });
  expect(await book.promise(first)).toBeUndefined();
  expect(await book.promise(order(6, { side: 'sell' }))).toBeUndefined();
  expect(await book.promise(order(7, { side: 'sell' }))).toMatchObject({ code: 'margin' });
  expect(reads).toBe(1);
  nowMs += 1_000;
  book.executed(first.id);
  [free, positions] = [50, []];
  expect(await book.promise(order(7, { side: 'sell' }))).toBeUndefined();
  expect(reads).toBe(2);
});

test('nor one that was asked for before it', async () => {
  reading = () => {
    reading = undefined;
    book.executed();
    [free, nowMs] = [1, nowMs + 1];
    return Promise.resolve();
  };
  expect(await book.promise(order(5))).toMatchObject({ code: 'margin' });
  expect(reads).toBe(2);
});
