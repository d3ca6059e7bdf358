/**
 * `close-all`: the workers are gone, lists lag, its host's clock is slow, and both accounts come to nothing with the exchange alone. What a
 * rebalance had moved is told, and the report holds all of it.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeEverything, endRuns, openClosing } from '../../src/cli/close-all-command';
import { systemClock } from '../../src/clock';
import { holdings } from '../../src/closing/close-all';
import { becameOf } from '../../src/closing/ended-transfer';
import { clientOrderIndexOf, nextOrderId, nonceOf } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import { pathOf } from '../../src/journal/ask';
import { askAtDoor } from '../../src/journal/door';
import type { Report } from '../../src/journal/report';
import { runJournal } from '../../src/workers/journal';
import type { RunningProcess } from '../../src/workers/process';
import { startRebalance } from '../../src/workers/rebalances';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC } from './orders';

const TRANSFER = 12;
const LANE = 6;
const LAG_MS = 1_000;
/** LP §9. The quote that rests is younger. */
const LISTS_LAG_MS = 16_000;
const SLOW_MS = 120_000;
const startedUs = BigInt(Date.now()) * 1000n;
let system: System;
let journal: RunningProcess;
beforeAll(async () => {
  const usdc = (whole: number) => notional(BigInt(whole) * 1_000_000n);
  const limits = { maxTransfer: usdc(1_000), maxPerDay: usdc(1_000), automatic: false, startBelow: 0.4 };
  system = await System.start({ config: { rebalance: { ...limits, lane: LANE } } });
  const keep = { env: {}, version: 'test', everyMs: 100, lagMs: LAG_MS, logLevel: 'silent' };
  journal = await runJournal(system.config, keep);
  await system.startHedger();
  await system.startMaker();
  await eventually('the journal has both balances', async () =>
    (await report())?.balances.length === 2 ? true : undefined,
  );
}, 120_000);
afterAll(async () => {
  await journal.stop();
  await system.stop();
});

async function report(): Promise<Report | undefined> {
  const asked = { fromUs: startedUs, untilUs: BigInt(Date.now() + 3_600_000) * 1000n, by: undefined };
  return askAtDoor<Report>(system.config.journal.folder, pathOf(asked));
}

interface Truth {
  readonly collateral: string;
  readonly transactions: readonly { readonly type: number }[];
  readonly trades: readonly unknown[];
}

async function transfersOf(account: number): Promise<number> {
  const { transactions } = await system.truth<Truth>(account);
  return transactions.filter(({ type }) => type === TRANSFER).length;
}

test('positions, resting orders and bytes signed earlier are nothing afterwards, and what a rebalance moved is told; Temporal is named until it is asked', async () => {
  const filled = await system.fill(BTC.market_id);
  await system.ended(filled);
  await system.fill(BTC.market_id, '0.0001'); // of the next, which goes on resting
  await system.control('POST', 'collateral', { account_index: B, remove: '100' });
  await system.fault({ on: 'sequencer', action: 'delay', ms: 5_000, match: { tx_type: TRANSFER } });
  await startRebalance(system.client, { maker: A, hedge: B }, { by: 'test', amount: '25000000' });
  await eventually('the exchange has the transfer', async () => ((await transfersOf(A)) > 0 ? true : undefined));
  await system.stopHedger();
  await system.stopMaker();
  const opened = await openClosing(system.config, () => undefined);
  try {
    const [{ account }] = opened.accounts;
    const id = nextOrderId({ epochMs: Date.now(), lane: 5 });
    const request = { lane: 5, nonce: nonceOf(id, 1), skipNonce: true, marketId: BTC.market_id } as const;
    const earlier = await account.sign({
      ...{ ...request, kind: 'market-order', clientOrderIndex: clientOrderIndexOf(id, 1), side: 'buy' },
      ...{ lots: lots(20n), boundTicks: ticks(2_000_000n), reduceOnly: false },
    });
    expect(await holdings(opened)).toContainEqual(
      expect.objectContaining({ account: 'A', market: 'BTC', position: expect.not.stringMatching(/^0\.0*$/) }),
    );

    const notSent = {
      id: nextOrderId({ epochMs: Date.now(), lane: LANE }),
      from: 'hedge',
      amount: notional(5n),
    } as const;
    const { accounts, clock } = opened;
    expect(await becameOf(notSent, accounts, { marketId: BTC.market_id, clock })).toMatchObject({ moved: false });
    const silent = { client: undefined, reason: 'Temporal does not answer' };
    expect((await endRuns(silent, system.config, () => undefined)).left).toEqual([
      expect.stringContaining('not ended'),
    ]);
    const said: string[] = [];
    const engine = { client: system.client, reason: '' };
    const match = { account_index: A, path: 'accountActiveOrders' };
    await system.fault({ on: 'lists', action: 'lag', ms: LISTS_LAG_MS, match, count: 0 });
    const slow = { ...systemClock, epochMs: () => systemClock.epochMs() - SLOW_MS };

    const closing = closeEverything(engine, system.config, { ...opened, clock: slow }, (line) => said.push(line));
    expect(await closing).toEqual([]);

    await system.clearFaults();
    expect(said).toContainEqual(
      expect.stringMatching(/^25\.00 USDC were moved from account A to account B by transfer \d+/),
    );
    expect([await transfersOf(A), await transfersOf(B)]).toEqual([1, 0]);

    expect(await system.position(A, BTC.market_id)).toBe(0);
    expect(await system.position(B, BTC.market_id)).toBe(0);
    expect(await system.resting()).toEqual([]);
    expect(await account.send(earlier)).toMatchObject({ kind: 'rejected' });
    await expect(system.pair().describe()).resolves.toMatchObject({ status: { name: 'TERMINATED' } });
    await expectInReport();
  } finally {
    await opened.close();
  }
}, 150_000);

/** Every trade of the closing is in it, and what it makes of the balances is what the exchange shows, to the cent. */
async function expectInReport(): Promise<void> {
  const nowMs = Date.now();
  const truths = await Promise.all([A, B].map((account) => system.truth<Truth>(account)));
  const found = await eventually('the report reaches the end', async () => {
    const read = await report();
    return read?.balances.every(({ until }) => Date.parse(until) > nowMs) === true ? read : undefined;
  });
  expect(found.total).toMatchObject({
    trades: truths.reduce((sum, { trades }) => sum + trades.length, 0),
    open_pnl_usdc: { both: '0.000000' },
    naked: { uncovered_usdc: '0.000000' },
  });
  expect(found.balances).toMatchObject([
    { adds_up: true, balance_usdc: truths[0]?.collateral, transfers_usdc: '-25.000000' },
    { adds_up: true, balance_usdc: truths[1]?.collateral, transfers_usdc: '-75.000000' },
  ]);
}
