/**
 * The journal's tables, on the embedded database and on a PostgreSQL server alike.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HistoryTrade } from '../../src/exchange/history';
import { addsUp, compare, possibleSums, total } from '../../src/journal/adds-up';
import { Client } from 'pg';
import { openDatabase, type DatabasePlace } from '../../src/journal/database';
import { Store } from '../../src/journal/store';
import { FakeHistory } from './fake-history';
import { startPostgres, type TestPostgres } from './postgres';

const ACCOUNT = 1001;
const everything = { fromUs: 0n, untilUs: 10n ** 18n };
const second = 1_000_000n;

const trade = (tradeId: bigint, changes: Partial<HistoryTrade> = {}): HistoryTrade => ({
  ...{
    tradeId,
    side: 'buy',
    marketId: 1,
    market: 'BTC',
    kind: 'trade',
    isMaker: true,
    size: '0.00020',
    price: '109440.7',
  },
  ...{ quoteMicro: 21_888_140n, feeMicro: 876n, pnlMicro: -9_007_199_254_740_993n, positionBefore: '-0.00010' },
  ...{ clientOrderIndex: 9_240_073_732_737n, timeUs: 100n * second },
  ...changes,
});

let server: TestPostgres | undefined;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.close());

describe.each<[string, () => DatabasePlace]>([
  ['embedded', () => 'memory'],
  ['PostgreSQL', () => ({ url: server?.url ?? '' })],
])('%s', (_name, place) => {
  let store: Store;
  beforeAll(async () => {
    store = new Store(await openDatabase(place()));
  });
  afterAll(() => store?.close());

  it('holds a row once, exactly as it was said, however often it is read', async () => {
    const reading = { account: ACCOUNT, source: 'trades', readUntilUs: 200n * second } as const;
    await store.add({
      ...reading,
      trades: [trade(1n), trade(2n, { side: 'sell', isMaker: false, clientOrderIndex: 0n })],
    });
    await store.add({ ...reading, trades: [trade(1n), trade(3n)], readUntilUs: 300n * second });
    const found = await store.trades([ACCOUNT], everything);
    expect(found.map(({ tradeId }) => tradeId)).toEqual([1n, 2n, 3n]);
    expect(found[0]).toEqual({ account: ACCOUNT, ...trade(1n) });
    expect(await store.cursor(ACCOUNT, 'trades')).toBe(300n * second);
    expect(await store.trades([1002], everything)).toEqual([]);
  });

  it('funding, and a transfer whose end comes later', async () => {
    const funding = {
      marketId: 1,
      fundingId: 7n,
      changeMicro: -5n,
      rate: '0.0012',
      positionSize: '-0.1',
      timeUs: 90n * second,
    };
    await store.add({ account: ACCOUNT, source: 'fundings', readUntilUs: 1n, fundings: [funding, funding] });
    const gone = { kind: 'withdrawal', id: '9', amountMicro: -4n, status: 'pending', timeUs: 95n * second } as const;
    const back = { ...gone, amountMicro: 0n, status: 'refunded' };
    for (const transfers of [[gone], [back]])
      await store.add({ account: ACCOUNT, source: 'withdrawal', readUntilUs: 1n, transfers });
    expect(await store.fundings([ACCOUNT], everything)).toEqual([{ account: ACCOUNT, ...funding }]);
    expect(await store.transfers([ACCOUNT], everything)).toEqual([{ account: ACCOUNT, ...back }]);
    expect(await store.sums(ACCOUNT, everything)).toEqual({
      ...{ realisedMicro: 3n * -9_007_199_254_740_993n, feesMicro: 3n * 876n, fundingMicro: -5n, transfersMicro: 0n },
    });
  });

  it('orders that ended, and how far a reading of them has come', async () => {
    const order = {
      ...{ orderIndex: 844_424_912_956_320n, clientOrderIndex: 9_240_073_732_736n, marketId: 1, market: 'BTC' },
      ...{ side: 'sell' as const, size: '0.00020', filled: '0.00005', price: '109440.7', status: 'canceled' },
      timeUs: 80n * second,
    };
    const paging = { next: 'abc', beganUs: 90n * second, pages: 3 };
    await store.add({ account: ACCOUNT, source: 'orders', paging, orders: [order] });
    expect(await store.paging(ACCOUNT, 'orders')).toEqual(paging);
    await store.pageFailed(ACCOUNT, 'orders', 2);
    expect(await store.paging(ACCOUNT, 'orders')).toEqual(paging);
    await store.pageFailed(ACCOUNT, 'orders', 2);
    expect(await store.paging(ACCOUNT, 'orders')).toBeUndefined();
    await store.add({ account: ACCOUNT, source: 'orders', paging });
    await store.add({ account: ACCOUNT, source: 'orders', readUntilUs: paging.beganUs, orders: [order] });
    expect(await store.orders([ACCOUNT, 5], everything)).toEqual([{ account: ACCOUNT, ...order }]);
    expect(await store.paging(ACCOUNT, 'orders')).toBeUndefined();
    expect(await store.cursor(ACCOUNT, 'orders')).toBe(paging.beganUs);
  });

  it('a reading that fails midway leaves nothing', async () => {
    const bad = store.add({
      account: 5,
      source: 'trades',
      readUntilUs: 9n,
      trades: [trade(1n), trade(2n, { size: 'x' })],
    });
    await expect(bad).rejects.toThrow();
    expect([await store.trades([5], everything), await store.cursor(5, 'trades')]).toEqual([[], undefined]);
  });

  it('balances add up, whichever side of a reading a trade fell on', async () => {
    const account = 7;
    const balance = (atS: bigint, collateralMicro: bigint) => ({
      ...{ account, askedUs: atS * second, answeredUs: atS * second + 100_000n, collateralMicro, openPnlMicro: 0n },
    });
    const at = (tradeId: bigint, timeUs: bigint, pnlMicro: bigint) =>
      trade(tradeId, { timeUs, pnlMicro, feeMicro: 0n });
    await store.add({
      ...{ account, source: 'trades', readUntilUs: 1n },
      trades: [
        at(1n, 50n * second, 70_000n),
        at(2n, 99n * second + 500_000n, 500_000n),
        at(3n, 101n * second, 900_000n),
      ],
    });
    const with2 = await compare(store, { opening: balance(10n, 0n), closing: balance(100n, 570_000n) });
    const without = await compare(store, { opening: balance(10n, 0n), closing: balance(100n, 70_000n) });
    const short = await compare(store, { opening: balance(10n, 0n), closing: balance(100n, 1_000_000n) });
    expect([with2, without, short].map((one) => one && addsUp(one))).toEqual([true, true, false]);
    expect(await compare(store, { opening: balance(10n, 0n), closing: balance(12n, 0n) })).toBeUndefined();
  });

  it('opens again with what it holds, and refuses what a newer program made', async () => {
    if (place() === 'memory') return;
    const again = await openDatabase(place());
    expect(await new Store(again).trades([ACCOUNT], everything)).toHaveLength(3);
    await again.query('insert into journal_migrations values (99)');
    await expect(openDatabase(place())).rejects.toThrow(/made by a newer version/);
    await again.query('delete from journal_migrations where step = 99');
    await again.close();
  });
});

describe('a server in trouble: nothing is lost, nothing is there twice, and what is wrong is said', () => {
  const openStore = async (): Promise<Store> => new Store(await openDatabase({ url: server?.url ?? '' }));
  const sql = async (text: string): Promise<void> => {
    const client = new Client({ connectionString: server?.url });
    await client.connect();
    await client.query('set default_transaction_read_only = off');
    await client.query(text);
    await client.end();
  };
  const full = `create function full_disk() returns trigger language plpgsql as $$ begin
    raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`;

  it.each<[string, (fake: FakeHistory) => Promise<unknown>, () => Promise<unknown>, RegExp]>([
    [
      'it is killed between two pages of a round',
      (fake) => {
        const { trades } = fake;
        fake.trades = async (place) => {
          if (place !== undefined) await server?.kill();
          return trades(place);
        };
        return Promise.resolve();
      },
      async () => server?.start(),
      /database fails: .*(Connection terminated|ECONNREFUSED|terminating connection)/,
    ],
    [
      'its disk is full',
      () => sql(`${full}; create trigger full_disk before insert on trades execute function full_disk()`),
      () => sql('drop function full_disk cascade'),
      /database fails: could not extend file: No space left on device/,
    ],
    [
      'it has become read-only',
      () => sql('alter database postgres set default_transaction_read_only = on'),
      () => sql('alter database postgres reset default_transaction_read_only'),
      /database fails: cannot execute .* in a read-only transaction/,
    ],
  ])('%s', async (_name, begin, end, said) => {
    const fake = new FakeHistory(openStore);
    fake.pageRows = 2;
    const { trades } = fake;
    await fake.rounds(1);
    await fake.keeper.close();
    for (let i = 0; i < 5; i++) fake.trade(7n);
    await begin(fake);
    await fake.rounds(1);
    expect(fake.warned).toEqual([expect.stringMatching(said)]);
    fake.trades = trades;
    await end();
    await fake.rounds(3);
    expect(fake.warned).toHaveLength(1);
    const store = await openStore();
    const found = await store.trades([fake.accountIndex], everything);
    expect(found.map(({ tradeId }) => tradeId)).toEqual([1n, 2n, 3n, 4n, 5n]);
    expect((await fake.report(store)).balances[0]).toMatchObject({ realised_pnl_usdc: '0.000035', adds_up: true });
    await Promise.all([store.close(), fake.keeper.close()]);
  });
});

it('trades keep their order, other rows do not', () => {
  const row = (timeUs: bigint, micro: bigint, exact: boolean) => ({
    ...{ timeUs, exact },
    sums: { realisedMicro: exact ? micro : 0n, feesMicro: 0n, fundingMicro: exact ? 0n : micro, transfersMicro: 0n },
  });
  const sums = possibleSums([row(1n, 1n, true), row(2n, 10n, true), row(2n, 100n, false)]).map(total);
  expect([...sums].sort((a, b) => Number(a - b))).toEqual([0n, 1n, 11n, 100n, 101n, 111n]);
});
