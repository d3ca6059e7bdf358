/**
 * The journal's rounds against an exchange whose lists are cut, late or silent, and a database that fails.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openDatabase, type Database } from '../../src/journal/database';
import { dayFigures } from '../../src/journal/day-figures';
import { reportOf } from '../../src/journal/report';
import { SOURCES } from '../../src/journal/rows';
import { Store } from '../../src/journal/store';
import { FakeHistory, second } from './fake-history';

let database: Database;
let failure: Error | undefined;

class Fake extends FakeHistory {
  constructor() {
    super(() =>
      failure ? Promise.reject(failure) : Promise.resolve(new Store({ ...database, close: () => Promise.resolve() })),
    );
  }
}

beforeAll(async () => {
  database = await openDatabase('memory');
});
afterAll(() => database?.close());

it('a list that was cut while nobody read it: a gap, told, and shown by the report', async () => {
  const fake = new Fake();
  fake.trade(5n);
  await fake.rounds(2);
  fake.nowUs += 86_400n * second;
  for (let i = 0; i < 5; i++) fake.trade(7n);
  fake.listed = 2;
  await fake.rounds(1);
  expect(fake.alerts).toMatchObject([{ kind: 'journal-gap', what: expect.stringContaining('list of trades') }]);
  expect((await fake.report(new Store(database))).gaps).toMatchObject([{ account: fake.accountIndex, list: 'trades' }]);
});

it('an account without an earlier trade has no gap, and a row that comes late none either', async () => {
  const fake = new Fake();
  await fake.rounds(3);
  const late = fake.trade(40_000n);
  fake.all.pop();
  await fake.rounds(1);
  fake.all.push(late);
  await fake.rounds(4);
  expect(fake.alerts).toEqual([]);
  expect((await fake.report(new Store(database))).balances[0]).toMatchObject({
    realised_pnl_usdc: '0.040000',
    adds_up: true,
  });
});

it('money that nothing explains: everything is read once more, then it is told once', async () => {
  const fake = new Fake();
  await fake.rounds(3);
  fake.collateralMicro -= 2n * second;
  await fake.rounds(10);
  expect(fake.alerts).toMatchObject([{ kind: 'books-differ-money', what: expect.stringContaining('-2.000000 USDC') }]);
  expect((await fake.report(new Store(database))).balances[0]).toMatchObject({
    difference_usdc: '-2.000000',
    adds_up: false,
  });
});

it('a row that is missed for minutes is found by reading everything once more', async () => {
  const fake = new Fake();
  await fake.rounds(3);
  const missed = fake.trade(3n * second);
  fake.all.pop();
  await fake.rounds(3);
  fake.all.push(missed);
  await fake.rounds(6);
  expect(fake.alerts).toEqual([]);
  expect((await fake.report(new Store(database))).balances[0]).toMatchObject({
    realised_pnl_usdc: '3.000000',
    adds_up: true,
  });
});

it('a reading that fails half-way goes on from its page, in another process too; after five failures it begins anew', async () => {
  const fake = new Fake();
  fake.pageRows = 2;
  for (let i = 0; i < 7; i++) fake.trade(1n);
  fake.unanswered = (place) => place === '4';
  await fake.rounds(1);
  fake.keeper = fake.started();
  fake.trade(1n);
  await fake.rounds(1);
  expect(fake.asked).toEqual(['newest', '6', '4', '4']);
  fake.unanswered = () => false;
  await fake.rounds(2);
  expect(fake.asked.slice(4)).toEqual(['4', '2', 'newest', '7', '5', '3']);
  expect(await new Store(database).trades([fake.accountIndex], { fromUs: 0n, untilUs: fake.nowUs })).toHaveLength(8);

  const lost = new Fake();
  lost.pageRows = 2;
  for (let i = 0; i < 3; i++) lost.trade(1n);
  lost.unanswered = (place) => place === '2';
  await lost.rounds(5);
  expect(lost.asked).toEqual(['newest', ...Array.from({ length: 5 }, () => '2')]);
  await lost.rounds(1);
  expect(lost.asked.slice(6)).toEqual(['newest', '2']);
});

it('both balances are of one moment, and read again when that moment was a long one', async () => {
  const [a, b] = [new Fake(), new Fake()];
  let isSlow = true;
  b.money = () => {
    if (isSlow) a.nowUs += 3n * second;
    isSlow = false;
    return Promise.resolve({ ok: true, value: { collateralMicro: b.collateralMicro, openPnlMicro: 0n } } as const);
  };
  await a.started([a, b]).round();
  const store = new Store(database);
  const read = await Promise.all([a, b].map(({ accountIndex }) => store.balance(accountIndex, { after: 0n })));
  const moment = { askedUs: a.nowUs, answeredUs: a.nowUs };
  expect(read).toMatchObject([moment, moment]);
});

it('the other lists wait until trades have explained a first balance', async () => {
  const fake = new Fake();
  const store = new Store(database);
  await fake.rounds(1);
  expect(await store.cursor(fake.accountIndex, 'fundings')).toBeUndefined();
  await fake.rounds(3);
  expect(await store.cursor(fake.accountIndex, 'orders')).toBeDefined();
  expect(await store.cursor(fake.accountIndex, 'fundings')).toBeUndefined(); // one in a round
  await fake.rounds(4);
  expect(await store.readUntil(fake.accountIndex, SOURCES)).toBeDefined();
});

it.each([
  ['an exchange that does not answer', (fake: Fake, on: boolean) => void (fake.silent = on), /no answer/],
  [
    'a database that does not open',
    (_fake: Fake, on: boolean) => void (failure = on ? new Error('No space left on device') : undefined),
    /database fails: No space left on device/,
  ],
])('%s: told after a while, nothing is lost', async (_name, set, told) => {
  const fake = new Fake();
  set(fake, true);
  fake.trade(1n * second);
  await fake.rounds(4);
  expect([fake.alerts, fake.keeper.behind]).toEqual([[], undefined]);
  await fake.rounds(3);
  expect(fake.alerts[0]).toMatchObject({ kind: 'journal-behind', what: expect.stringMatching(told) });
  expect(fake.keeper.behind).toMatch(told); // and its health says so
  set(fake, false);
  await fake.rounds(2);
  expect(fake.keeper.behind).toBeUndefined();
  expect(await new Store(database).trades([fake.accountIndex], { fromUs: 0n, untilUs: fake.nowUs })).toHaveLength(1);
});

/** Two accounts, read together. */
async function both(): Promise<{
  a: Fake;
  b: Fake;
  rounds: (count: number) => Promise<void>;
  figures: () => ReturnType<typeof dayFigures>;
}> {
  const [a, b] = [new Fake(), new Fake()];
  const keeper = a.started([a, b]);
  return {
    ...{ a, b },
    figures: () => dayFigures(new Store(database), { maker: a.accountIndex, hedge: b.accountIndex }),
    async rounds(count) {
      for (let i = 0; i < count; i++) {
        a.nowUs += 60n * second;
        b.nowUs = a.nowUs;
        await keeper.round();
      }
    },
  };
}

it('the day: what both accounts are worth less than when it began, transfers left out, and nothing before it is known', async () => {
  const { a, b, rounds, figures } = await both();
  expect(await figures()).toBeUndefined();
  await rounds(3);
  expect(await figures()).toMatchObject({ day: '2026-11-23', cost_usdc: '0.000000', volume_usdc: '0.000000' });
  a.trade(-7n * second);
  b.trade(2n * second);
  b.openPnlMicro = 1n * second;
  await rounds(3);
  const found = await figures();
  expect(found).toMatchObject({ cost_usdc: '4.000000', volume_usdc: '20.000000', naked_usdc_seconds: '0.000000' });
  expect(a.nowUs / 1000n - BigInt(found?.until_ms ?? 0)).toBeLessThanOrEqual(60_000n);
  const store = new Store(database);
  const accounts = { maker: a.accountIndex, hedge: b.accountIndex };
  const { total } = await reportOf(store, { accounts, lagUs: 30n * second, fromUs: 0n, untilUs: a.nowUs });
  expect(total.cost_usdc).toBe(found?.cost_usdc);
});

it('the day: begins with the last balance before midnight, however old', async () => {
  const { a, rounds, figures } = await both();
  const untilMidnight = 86_400n - ((a.nowUs / second) % 86_400n);
  await rounds(3);
  a.nowUs += (untilMidnight - 600n) * second;
  await rounds(3);
  a.trade(-5n * second);
  await rounds(10);
  expect(await figures()).toMatchObject({ day: '2026-11-24', cost_usdc: '0.000000', volume_usdc: '0.000000' });
  a.trade(-1n * second);
  await rounds(3);
  expect(await figures()).toMatchObject({ cost_usdc: '1.000000', volume_usdc: '10.000000' });
  a.nowUs += 86_400n * second;
  a.trade(-50n * second); // nobody read that day's first balance
  await rounds(1);
  a.trade(-3n * second);
  await rounds(4);
  expect(await figures()).toMatchObject({ day: '2026-11-25', cost_usdc: '53.000000' });
});

it('the day: a credit that nothing explains hides no loss', async () => {
  const { a, rounds, figures } = await both();
  await rounds(3);
  a.collateralMicro += 10n * second;
  a.trade(-10n * second);
  await rounds(8);
  expect(await figures()).toMatchObject({ cost_usdc: '10.000000' });
});

it('the day: rows that are missing are unknown, never zero', async () => {
  const { a, rounds, figures } = await both();
  a.trade(5n);
  await rounds(3);
  a.nowUs += 7_200n * second;
  for (let i = 0; i < 5; i++) a.trade(-second);
  a.listed = 2;
  await rounds(15);
  const found = await figures();
  expect([found?.volume_usdc, found?.naked_usdc_seconds]).toEqual([undefined, undefined]);
});
