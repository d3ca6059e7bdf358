/**
 * The journal's rounds against an exchange whose lists are cut, late or silent, and a database that fails.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { HistoryPort, HistoryTrade } from '../../src/exchange/history';
import { openDatabase, type Database } from '../../src/journal/database';
import { Keeper, type KeeperAlert } from '../../src/journal/keeper';
import { reportOf } from '../../src/journal/report';
import { Store } from '../../src/journal/store';

const second = 1_000_000n;
const lagUs = 30n * second;
let database: Database;
let accounts = 0;

beforeAll(async () => {
  database = await openDatabase('memory');
}, 60_000);
afterAll(() => database?.close());

/** One account on an exchange that tells what it is given, at most `listed` trades. */
class Fake implements HistoryPort {
  readonly accountIndex = ++accounts;
  readonly alerts: KeeperAlert[] = [];
  all: HistoryTrade[] = [];
  listed = Infinity;
  silent = false;
  collateralMicro = 1_000n * second;
  nowUs = 1_795_420_800n * second;
  fails: Error | undefined;
  readonly keeper = new Keeper({
    histories: [this],
    open: () =>
      this.fails
        ? Promise.reject(this.fails)
        : Promise.resolve(new Store({ ...database, close: () => Promise.resolve() })),
    nowUs: () => this.nowUs,
    turn: () => Promise.resolve(true),
    raiseAlert: (alert) => this.alerts.push(alert),
  });

  async rounds(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.nowUs += 60n * second;
      await this.keeper.round();
    }
  }

  /** Earns `pnlMicro`, a while before the next round. */
  trade(pnlMicro: bigint): HistoryTrade {
    const trade = {
      ...({
        tradeId: BigInt(this.all.length + 1),
        side: 'buy',
        marketId: 1,
        market: 'BTC',
        kind: 'trade',
        isMaker: true,
      } as const),
      ...{ size: '0.1', price: '100.0', quoteMicro: 10n * second, feeMicro: 0n, pnlMicro, positionBefore: '0' },
      ...{ clientOrderIndex: 0n, timeUs: this.nowUs + 20n * second },
    };
    this.all.push(trade);
    this.collateralMicro += pnlMicro;
    return trade;
  }

  trades = () => {
    if (this.silent) return Promise.resolve({ ok: false, reason: 'no answer' } as const);
    const rows = [...this.all].reverse().slice(0, this.listed);
    return Promise.resolve({ ok: true, value: { rows, next: undefined } } as const);
  };
  fundings = () => Promise.resolve({ ok: true, value: { rows: [], next: undefined } } as const);
  transfers = this.fundings;
  money = () =>
    Promise.resolve({ ok: true, value: { collateralMicro: this.collateralMicro, openPnlMicro: 0n } } as const);
  close = () => undefined;

  report() {
    const pair = { maker: this.accountIndex, hedge: this.accountIndex };
    return reportOf(new Store(database), { accounts: pair, lagUs, fromUs: 0n, untilUs: this.nowUs });
  }
}

it('a list that was cut while nobody read it: a gap, told, and shown by the report', async () => {
  const fake = new Fake();
  fake.trade(5n);
  await fake.rounds(2);
  fake.nowUs += 86_400n * second;
  for (let i = 0; i < 5; i++) fake.trade(7n);
  fake.listed = 2;
  await fake.rounds(1);
  expect(fake.alerts).toMatchObject([{ kind: 'journal-gap', what: expect.stringContaining('list of trades') }]);
  expect((await fake.report()).gaps).toMatchObject([{ account: fake.accountIndex, list: 'trades' }]);
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
  expect((await fake.report()).balances[0]).toMatchObject({ realised_pnl_usdc: '0.040000', adds_up: true });
});

it('money that nothing explains: everything is read once more, then it is told once', async () => {
  const fake = new Fake();
  await fake.rounds(3);
  fake.collateralMicro -= 2n * second;
  await fake.rounds(10);
  expect(fake.alerts).toMatchObject([{ kind: 'books-differ-money', what: expect.stringContaining('-2.000000 USDC') }]);
  expect((await fake.report()).balances[0]).toMatchObject({ difference_usdc: '-2.000000', adds_up: false });
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
  expect((await fake.report()).balances[0]).toMatchObject({ realised_pnl_usdc: '3.000000', adds_up: true });
});

it.each([
  ['an exchange that does not answer', (fake: Fake, on: boolean) => void (fake.silent = on), /no answer/],
  [
    'a database that does not open',
    (fake: Fake, on: boolean) => void (fake.fails = on ? new Error('No space left on device') : undefined),
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
