/**
 * The journal's rounds against an exchange whose lists are cut, late or silent, and a database that fails.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openDatabase, type Database } from '../../src/journal/database';
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
  expect(fake.alerts).toEqual([]);
  await fake.rounds(3);
  expect(fake.alerts[0]).toMatchObject({ kind: 'journal-behind', what: expect.stringMatching(told) });
  set(fake, false);
  await fake.rounds(2);
  expect(await new Store(database).trades([fake.accountIndex], { fromUs: 0n, untilUs: fake.nowUs })).toHaveLength(1);
});
