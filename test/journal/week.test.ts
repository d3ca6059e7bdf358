/**
 * A week on the paper exchange, its clock and ours moved by hand: orders and their hedges, funding, fees, a price that runs until one side is
 * close to liquidation, collateral moved to it, an upgrade, two restarts. The report equals what the exchange says both accounts have.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { loadKeys, toolPath } from '../../src/config';
import { tenthsAt, orderIdOf, nonceOf } from '../../src/domain/ids-and-nonces';
import { notional } from '../../src/domain/lots';
import { loadSigner, openLighter } from '../../src/exchange/lighter';
import type { ExchangePort } from '../../src/exchange/port';
import { openDatabase } from '../../src/journal/database';
import { Keeper, LAG_US, type KeeperAlert } from '../../src/journal/keeper';
import { reportOf, type Report } from '../../src/journal/report';
import { Store } from '../../src/journal/store';
import { createMetrics } from '../../src/observability';
import { showToday } from '../../src/workers/journal-metrics';
import { clockOf } from '../clock';
import { A, B, World } from './world';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STEP_MS = 6 * HOUR;
const TRANSFER_STEP = 12;
/** The signer dates what it signs by the host's clock: the transfer falls on the present. Real time goes on in it. */
let aheadMs = -(10 * MINUTE + (TRANSFER_STEP - 1) * STEP_MS);
const START_MS = Date.now() + aheadMs;
const nowMs = (): number => Date.now() + aheadMs;
const accounts = [
  [A, 'maker'],
  [B, 'hedge'],
] as const;

let world: World;
let exchange: ExchangePort;
let keeper: Keeper;
const alerts: KeeperAlert[] = [];
const warned: string[] = [];

function startKeeper(): Keeper {
  const { config } = world;
  return new Keeper({
    histories: accounts.map(([accountIndex, role]) =>
      exchange.openHistory({ accountIndex, keys: loadKeys(config, role, {}) }),
    ),
    open: async () => new Store(await openDatabase({ folder: config.journal.folder })),
    nowUs: () => BigInt(Math.floor(nowMs())) * 1000n,
    turn: () => Promise.resolve(true),
    raiseAlert: (alert) => alerts.push(alert),
    warn: (reason) => warned.push(reason),
  });
}

/** The journal reads, and once more when the lists are complete. */
async function later(ms: number): Promise<void> {
  aheadMs += ms - MINUTE;
  await keeper.round();
  aheadMs += MINUTE;
  await keeper.round();
}

async function price(usdc: number): Promise<void> {
  await world.post('market', { market_id: 1, mid_price: usdc.toFixed(1) });
}

/** Both sides at the market: A a dollar on its own side, B across. */
async function trade(side: 'buy' | 'sell', size: string, usdc: number): Promise<void> {
  const [quote, hedge] = side === 'buy' ? [usdc - 1, usdc - 3] : [usdc + 1, usdc + 3];
  await world.trade(side, size, [quote.toFixed(1), hedge.toFixed(1)]);
}

async function moveCollateral(usdc: bigint): Promise<void> {
  const account = exchange.openAccount({ accountIndex: B, keys: loadKeys(world.config, 'hedge', {}) });
  const lane = 5;
  const nonce = nonceOf(orderIdOf({ time: tenthsAt(nowMs()), lane }), 0);
  const terms = { toAccountIndex: A, amount: notional(usdc * 1_000_000n) };
  const signed = await account.sign({ ...terms, kind: 'transfer', lane, nonce, skipNonce: true });
  expect(await account.send(signed)).toMatchObject({ kind: 'accepted' });
  await account.close();
}

async function report(by?: 'day'): Promise<Report> {
  const store = keeper.store;
  if (store === undefined) throw new Error('the journal is not open');
  const span = { fromUs: BigInt(START_MS) * 1000n, untilUs: BigInt(Math.floor(nowMs())) * 1000n, by };
  return reportOf(store, { ...span, accounts: { maker: A, hedge: B }, lagUs: LAG_US });
}

beforeAll(async () => {
  world = await World.start({ now: nowMs }, { nowMs });
  const clock = clockOf(nowMs);
  exchange = openLighter({ ...world.config.lighter, signer: loadSigner(toolPath('signer')), clock });
  keeper = startKeeper();
}, 180_000);

afterAll(async () => {
  await keeper.close();
  await exchange.close();
  await world.close();
});

it('a week ends with a report that equals the balances of both accounts', async () => {
  await later(10 * MINUTE);
  let usdc = 100_000;
  for (let step = 1; step <= 28; step++) {
    const day = Math.ceil(step / 4);
    usdc *= day === 3 ? 0.985 : step % 2 === 0 ? 1.004 : 0.997;
    await price(usdc);
    // It quotes what the side that has room takes: long until the fall, then down to flat.
    await trade(day <= 3 && step % 5 !== 0 ? 'buy' : 'sell', day <= 3 ? '0.30000' : '0.10000', usdc);
    await world.post('funding', { market_id: 1, rate: step % 3 === 0 ? '-0.0021' : '0.0013' });
    if (step === TRANSFER_STEP) await moveCollateral(20_000n); // A has lost most of what it had, B won it
    if (step === 16) {
      await world.post('upgrade', { in_s: 0, lasts_s: 3_600 });
      await world.post('faults', { on: 'request', action: 'answer', status: 503, count: 0 });
      await keeper.round();
      aheadMs += HOUR;
      await world.clearFaults();
    }
    if (step === 10 || step === 20) {
      await keeper.close();
      keeper = startKeeper();
    }
    await later(STEP_MS - (step === 16 ? HOUR : 0));
  }
  await later(10 * MINUTE);
  await later(10 * MINUTE);

  const found = await report();
  const truths = await Promise.all([A, B].map((account) => world.truth(account)));
  for (const [i, { collateral, fees_paid }] of truths.entries())
    expect(found.balances[i]).toMatchObject({ adds_up: true, balance_usdc: collateral, fees_usdc: fees_paid });
  expect(found.balances.map(({ opening_usdc, transfers_usdc }) => [opening_usdc, transfers_usdc])).toEqual([
    ['100000.000000', '20000.000000'],
    ['100000.000000', '-20000.000000'],
  ]);
  expect(found.total).toMatchObject({ filled_orders: 28, trades: 56, naked: { uncovered_usdc: '0.000000' } });
  expect(found.orders).toMatchObject({ quoted: 28, fill_rate: 1, quota_used: 56 });
  // Two dollars for each unit of base, and what the price did in the milliseconds between: nothing.
  expect(Number(found.total.spread_usdc)).toBeCloseTo(-2 * (12 * 0.3 + 16 * 0.1), 2);

  const { groups } = await report('day');
  expect(groups.length).toBeGreaterThanOrEqual(7);
  for (const figure of ['fees_usdc', 'funding_usdc', 'realised_pnl_usdc'] as const) {
    const sum = groups.reduce((total, group) => total + Number(group[figure].both), 0);
    expect(sum).toBeCloseTo(Number(found.total[figure].both), 6);
  }
  expect([alerts, found.gaps]).toEqual([[], []]);
  expect(warned).toEqual([expect.stringContaining('HTTP 503')]); // the upgrade
}, 120_000);

it('what is shown of a day is gone at its midnight, and while the database does not answer', async () => {
  const metrics = createMetrics({ process: 'journal', version: 'test' });
  const { moneyToday, costToday, nakedToday, fillRateToday, quotaUsedToday } = metrics;
  const shown = (): Promise<number[]> =>
    Promise.all(
      [moneyToday, costToday, nakedToday, fillRateToday, quotaUsedToday].map(
        async (gauge) => (await gauge.get()).values.length,
      ),
    );
  const dayMs = 24 * HOUR;
  const midnightMs = nowMs() - (nowMs() % dayMs);
  const common = { accounts: { maker: A, hedge: B }, metrics, lagUs: LAG_US };
  await showToday(keeper.store, { ...common, nowMs: midnightMs - 1 });
  expect(await shown()).toEqual([17, 1, 1, 1, 1]);
  await showToday(keeper.store, { ...common, nowMs: midnightMs + 2 * dayMs }); // nothing has traded yet, and no balance is read: cost and open profit are not known
  expect(await shown()).toEqual([13, 0, 1, 0, 0]);
  await showToday(keeper.store, { ...common, nowMs: midnightMs - 1 });
  await showToday(undefined, { ...common, nowMs: midnightMs - 1 });
  expect(await shown()).toEqual([0, 0, 0, 0, 0]);
});
