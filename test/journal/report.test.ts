/**
 * What a report says where the journal has not all of its time: what is naked is told, and what is not known is no zero.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { csvOf, textOf } from '../../src/cli/report-text';
import { openDatabase, type Database } from '../../src/journal/database';
import { dayFigures } from '../../src/journal/day-figures';
import { LAG_US } from '../../src/journal/keeper';
import { reportOf, type Grouping, type Report } from '../../src/journal/report';
import { SOURCES, type JournalTrade } from '../../src/journal/rows';
import { Store } from '../../src/journal/store';
import { createMetrics } from '../../src/observability';
import { showToday } from '../../src/workers/journal-metrics';

const SECOND = 1_000_000n;
const USDC = 1_000_000n;
const HOUR = 3_600n * SECOND;
const DAY = 24n * HOUR;
const MIDNIGHT = BigInt(Date.parse('2026-11-26T00:00Z')) * 1_000n;
let database: Database;
let account = 0;

beforeAll(async () => {
  database = await openDatabase('memory');
});
afterAll(() => database?.close());

/** Two accounts of which the journal holds so much. */
class Journal {
  readonly accounts = { maker: ++account, hedge: ++account };
  readonly store = new Store(database);
  #trades = 0n;

  async trade(atUs: bigint, more: Partial<JournalTrade> = {}): Promise<void> {
    const trade: JournalTrade = {
      ...{ account: this.accounts.maker, tradeId: ++this.#trades, timeUs: atUs, marketId: 1, market: 'BTC' },
      ...{ kind: 'trade', isMaker: true, clientOrderIndex: 128_000n, side: 'buy', size: '0.05', price: '100000' },
      ...{ quoteMicro: 5_000n * USDC, feeMicro: 0n, pnlMicro: 0n, positionBefore: '0' },
      ...more,
    };
    await this.store.add({ account: trade.account, source: 'trades', trades: [trade], readUntilUs: atUs });
  }

  /** What both accounts had, USDC: of A, of its position, of B, of its position. */
  async balances(atUs: bigint, [a, openA, b, openB]: readonly [number, number, number, number]): Promise<void> {
    const { maker, hedge } = this.accounts;
    for (const [of, collateral, open] of [
      [maker, a, openA],
      [hedge, b, openB],
    ] as const) {
      const micro = { collateralMicro: BigInt(collateral) * USDC, openPnlMicro: BigInt(open) * USDC };
      await this.store.addBalance({ account: of, askedUs: atUs, answeredUs: atUs + 1_000n, ...micro });
    }
  }

  /** Of what is complete up to its end. */
  async report(fromUs: bigint, untilUs: bigint, by?: Grouping): Promise<Report> {
    const { accounts, store } = this;
    for (const one of [accounts.maker, accounts.hedge]) {
      for (const source of SOURCES) await store.add({ account: one, source, readUntilUs: untilUs + LAG_US });
      await store.setVerified(one, untilUs);
    }
    return reportOf(store, { accounts, fromUs, untilUs, lagUs: LAG_US, by });
  }

  async metrics(untilUs: bigint): Promise<Record<string, number>> {
    const metrics = createMetrics({ process: 'journal', version: 'test' });
    const { store, accounts } = this;
    await showToday(store, { accounts, metrics, lagUs: LAG_US, nowMs: Number(untilUs / 1_000n) });
    const { values } = await metrics.moneyToday.get();
    const ofBoth = values.filter(({ labels }) => labels['account'] === 'both');
    return Object.fromEntries(ofBoth.map(({ labels, value }) => [String(labels['figure']), value]));
  }
}

it('the only fill of a day was never hedged: the text and the sheet say so, as JSON does', async () => {
  const journal = new Journal();
  await journal.balances(MIDNIGHT - 10n * SECOND, [10_000, 0, 10_000, 0]);
  await journal.trade(MIDNIGHT + HOUR);
  await journal.balances(MIDNIGHT + 2n * HOUR - SECOND, [10_000, 0, 10_000, 0]);
  const found = await journal.report(MIDNIGHT, MIDNIGHT + 2n * HOUR, 'market');
  expect(found.total.naked.uncovered_usdc).toBe('5000.000000');
  expect(textOf(found)).toMatch(/^NOT HEDGED: 5000\.00 USDC .*`counterleg orders --state open`/m);
  expect(textOf(found)).toMatch(/^market .* not hedged\nBTC .* 5000\.00$/m);
  expect(
    csvOf(found)
      .split('\n')
      .map((row) => row.split(',').at(-1)),
  ).toEqual(['uncovered_usdc', '5000.000000', '5000.000000']);

  // Hedged in part.
  const { hedge } = journal.accounts;
  const part = {
    account: hedge,
    side: 'sell',
    size: '0.02',
    quoteMicro: 2_000n * USDC,
    clientOrderIndex: 128_001n,
  } as const;
  await journal.trade(MIDNIGHT + HOUR + SECOND, part);
  expect(textOf(await journal.report(MIDNIGHT, MIDNIGHT + 2n * HOUR))).toMatch(
    /^naked 1\.00 s .*\nNOT HEDGED: 3000\.00 /m,
  );
});

it('nobody read at midnight: the cost is of the balances between which it is known, and no gain comes of a loss', async () => {
  const journal = new Journal();
  const untilUs = MIDNIGHT + 2n * HOUR;
  await journal.balances(MIDNIGHT - 4n * HOUR, [10_000, 0, 10_000, 0]);
  await journal.balances(MIDNIGHT - 2n * HOUR, [10_000, -500, 10_000, 0]);
  await journal.trade(MIDNIGHT - HOUR, { side: 'sell', pnlMicro: -500n * USDC, clientOrderIndex: 0n });
  await journal.balances(untilUs - 60n * SECOND, [9_500, 0, 10_000, 0]);

  const today = await journal.report(MIDNIGHT, untilUs);
  const from = '2026-11-25T22:00:00.001Z';
  expect(today.total).toMatchObject({ cost_usdc: '0.000000', cost_from: from, cost_until: '2026-11-26T01:59:00.000Z' });
  expect(textOf(today)).toMatch(
    /^cost and open P&L: from the balances of 2026-11-25 22:00:00 to those of 2026-11-26 01:59:00 UTC/m,
  );
  expect(textOf(today)).toMatch(/^A: 10000\.00 at 2026-11-25 22:00:00 - 500\.00 realised .* = 9500\.00, .*: adds up$/m);
  expect((await dayFigures(journal.store, journal.accounts))?.cost_usdc).toBe('0.000000');
  expect(await journal.metrics(untilUs)).toMatchObject({ cost: 0 });

  // The day before ends where it was read last: its loss is not told twice, nor as one of 1000.
  const before = await journal.report(MIDNIGHT - 3n * HOUR, MIDNIGHT);
  expect(before.total).toMatchObject({ cost_usdc: '500.000000', realised_pnl_usdc: { both: '-500.000000' } });
  expect(before.total.cost_until).toBe('2026-11-25T22:00:00.000Z');
});

it('a journal younger than the time asked for: what traded before has a cost that is not known, and its own time one that is', async () => {
  const journal = new Journal();
  const untilUs = MIDNIGHT + HOUR;
  await journal.trade(MIDNIGHT - 5n * DAY);
  await journal.balances(MIDNIGHT - DAY, [10_000, -500, 10_000, 0]);
  await journal.trade(MIDNIGHT - HOUR, { side: 'sell', pnlMicro: -500n * USDC, clientOrderIndex: 0n });
  await journal.balances(untilUs - SECOND, [9_500, 0, 10_000, 0]);

  const week = await journal.report(MIDNIGHT - 6n * DAY, untilUs);
  expect(week.total).toMatchObject({ cost_usdc: null, cost_bps: null, cost_per_million_usdc: null });
  expect(week.total.cost_from).toBe('2026-11-25T00:00:00.001Z');
  expect(textOf(week)).toMatch(/^cost +unknown$/m);
  expect(textOf(week)).toMatch(
    /^cost unknown: .* 2026-11-25 00:00:00 UTC.*`counterleg report --from 2026-11-25T00:00:00Z`/m,
  );
  // From there on, and where nothing was traded before, it is known.
  for (const days of [1n, 4n]) {
    const { total } = await journal.report(MIDNIGHT - days * DAY, untilUs);
    expect([total.cost_usdc, total.cost_bps]).toEqual(['0.000000', '0.00']);
  }
});

it('balances of two times, or none: neither a cost nor an open profit, in the metrics either', async () => {
  const journal = new Journal();
  await journal.trade(MIDNIGHT + HOUR);
  const untilUs = MIDNIGHT + 2n * HOUR;
  const unknown = { cost_usdc: null, cost_from: null, cost_until: null, open_pnl_usdc: null };
  expect((await journal.report(MIDNIGHT, untilUs)).total).toMatchObject(unknown);
  await journal.balances(MIDNIGHT, [10_000, 0, 10_000, 0]);
  await journal.balances(untilUs - SECOND, [10_000, 0, 10_000, 0]);
  const { maker } = journal.accounts;
  const atUs = MIDNIGHT - SECOND;
  await journal.store.addBalance({
    account: maker,
    askedUs: atUs,
    answeredUs: atUs,
    collateralMicro: 0n,
    openPnlMicro: 9n,
  });
  const found = await journal.report(MIDNIGHT, untilUs);
  expect(found.total).toMatchObject(unknown);
  expect(textOf(found)).toMatch(/^open P&L +unknown +unknown +unknown$/m);
  expect(Object.keys(await journal.metrics(untilUs)).sort()).toEqual([
    'fees',
    'funding',
    'realised_pnl',
    'spread',
    'volume',
  ]);
});
