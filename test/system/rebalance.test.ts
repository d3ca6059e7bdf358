/** S-60: collateral between both accounts, made once whatever breaks, within the limits that the exchange's own list proves. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notional } from '../../src/domain/lots';
import type { RebalanceResult } from '../../src/domain/rebalance-messages';
import { startRebalance, type RebalanceRun } from '../../src/workers/rebalances';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC, expectMirror } from './orders';

const LANE = 6;
const TRANSFER = 12;
/** Less than the test of the automatic one asks for, more than all before it move. */
const MAX_PER_DAY = 30_000;
let system: System;

beforeAll(async () => {
  const usdc = (whole: number) => notional(BigInt(whole) * 1_000_000n);
  const limits = { maxTransfer: usdc(10_000), maxPerDay: usdc(MAX_PER_DAY), automatic: true, startBelow: 0.4 };
  system = await System.start({ config: { rebalance: { ...limits, lane: LANE } } });
  await system.startHedger();
  await system.startMaker();
});
afterAll(() => system.stop());

interface Money {
  readonly collateral: string;
  readonly transactions: readonly {
    readonly type: number;
    readonly state: string;
    readonly refusal_code?: number;
    readonly hash: string;
    readonly info: { readonly Amount: number };
  }[];
}

async function collateral(): Promise<readonly number[]> {
  const both = await Promise.all([A, B].map((account) => system.truth<Money>(account)));
  return both.map((of) => Number(of.collateral));
}

/** To a quarter of a dollar: fees and funding are cents. */
async function expectCollateral(expected: readonly number[]): Promise<void> {
  const differences = (await collateral()).map((amount, account) => Math.abs(amount - (expected[account] ?? NaN)));
  expect(Math.max(...differences)).toBeLessThan(0.25);
}

/** Executed by the exchange and not rejected, from either account. */
async function executed(): Promise<Money['transactions']> {
  const both = await Promise.all([A, B].map((account) => system.truth<Money>(account)));
  return both.flatMap(({ transactions }) =>
    transactions.filter((tx) => tx.type === TRANSFER && tx.state === 'executed' && tx.refusal_code === undefined),
  );
}

async function made(): Promise<readonly string[]> {
  return (await executed()).map(({ hash }) => hash);
}

function start(amount?: number): Promise<RebalanceRun | undefined> {
  const asked = { by: 'test', ...(amount === undefined ? {} : { amount: String(amount * 1_000_000) }) };
  return startRebalance(system.client, { maker: A, hedge: B }, asked);
}

async function rebalance(amount?: number): Promise<RebalanceResult> {
  const run = await start(amount);
  if (run === undefined) throw new Error('another one runs');
  return run.result();
}

/** One more transfer was made, and this is it. */
async function expectOneMore(before: readonly string[], result: RebalanceResult): Promise<void> {
  expect(result).toMatchObject({ state: 'moved' });
  expect(await made()).toEqual(expect.arrayContaining([...before, result.tx_hash]));
  expect(await made()).toHaveLength(before.length + 1);
}

test('half the difference, from whichever is worth more, while orders are quoted and hedged', async () => {
  const filled = await system.fill(BTC.market_id);
  await system.control('POST', 'collateral', { account_index: B, remove: '8000' });
  const [a = 0, b = 0] = await collateral();
  const before = await made();
  const result = await rebalance();
  await expectOneMore(before, result);
  expect(result).toMatchObject({ from: 'maker', code: '' });
  const moved = Number(result.amount_usdc);
  expect(Math.abs(moved - 4_000)).toBeLessThan(20);
  await expectCollateral([a - moved, b + moved]);
  await system.control('POST', 'collateral', { account_index: A, remove: '2000' });
  expect(await rebalance()).toMatchObject({ state: 'moved', from: 'hedge' });
  expect(await rebalance()).toMatchObject({ state: 'even' });
  expect((await system.ended(filled)).result).toMatchObject({ exposure: '0.00000' });
  await expectMirror(system);
});

test('two at once: the second one begins nothing', async () => {
  await system.control('POST', 'collateral', { account_index: B, remove: '1000' }); // for all that follow
  await system.fault({ on: 'sequencer', action: 'delay', ms: 1_000, match: { tx_type: TRANSFER } });
  const before = await made();
  const first = await start(5);
  expect(await start(5)).toBeUndefined();
  await expectOneMore(before, (await first?.result()) ?? (undefined as never));
});

test.each([
  ['the request is lost', { on: 'request', action: 'drop' }],
  ['its answer is lost', { on: 'response', action: 'drop' }],
  ['the exchange is out of order', { on: 'request', action: 'answer', status: 502 }],
])('S-60 %s: moved once', async (_what, fault) => {
  const before = await made();
  await system.fault({ ...fault, match: { tx_type: TRANSFER } });
  await expectOneMore(before, await rebalance(7));
});

test('S-60 executed, its answer and every frame of it lost, and both processes are started anew meanwhile: read back, moved once', async () => {
  const before = await made();
  await system.fault(
    { on: 'response', action: 'drop', match: { tx_type: TRANSFER } },
    { on: 'frame', action: 'drop', match: { channel: 'account_tx' }, count: 20 },
  );
  const run = await start(11);
  await eventually('it is executed', async () => ((await made()).length > before.length ? true : undefined));
  await system.stopMaker();
  await system.stopHedger();
  await system.clearFaults();
  await system.startHedger();
  await system.startMaker();
  await expectOneMore(before, (await run?.result()) ?? (undefined as never));
});

test('S-60 the next one waits until the list shows it, so that the limit of the day counts it', async () => {
  const before = await made();
  await system.fault({ on: 'lists', action: 'lag', ms: 8_000, count: 0 });
  const run = await start(13);
  await eventually('it is executed', async () => ((await made()).length > before.length ? true : undefined));
  expect(await start(13)).toBeUndefined();
  await system.clearFaults();
  await expectOneMore(before, (await run?.result()) ?? (undefined as never));
  const { figures } = await rebalance(1_000_000);
  expect(Number(figures?.moved_today_usdc)).toBeGreaterThan(5_000);
});

test.each([
  [10_001, 'above-max-transfer'],
  [0.5, 'too-little'],
])('%s USDC: %s, and nothing is changed', async (amount, code) => {
  const [before, money] = [await made(), await collateral()];
  expect(await rebalance(amount)).toMatchObject({ state: 'not-moved', code, message: expect.stringMatching(/\d/) });
  expect(await made()).toEqual(before);
  await expectCollateral(money);
});

test('the list of transfers cannot be read: nothing is moved, because nobody knows what was moved today', async () => {
  const before = await made();
  await system.fault({ on: 'request', action: 'answer', status: 503, match: { path: 'transfer/history' }, count: 0 });
  expect(await rebalance(5)).toMatchObject({ state: 'not-moved', code: 'unread' });
  await system.clearFaults();
  expect(await made()).toEqual(before);
});

test('the exchange rejects it: not moved, in its own words, and its nonce is gone for good', async () => {
  const before = await made();
  await system.fault({ on: 'sequencer', action: 'refuse', code: 21301, match: { tx_type: TRANSFER } });
  expect(await rebalance(5)).toMatchObject({ state: 'not-moved', code: '21301' });
  expect(await made()).toEqual(before);
  expect(await rebalance(5)).toMatchObject({ state: 'moved' });
});

test('S-60 by itself, once; the hedger is started anew before it has ended: a person is told all the same', async () => {
  const before = await made();
  await system.stopHedger();
  await system.fault({ on: 'lists', action: 'lag', ms: 8_000, count: 0 });
  const [a = 0, b = 0] = await collateral();
  // Ten thousand more make it enough.
  await system.control('POST', 'collateral', { account_index: B, remove: String(Math.floor(b - 0.6 * a)) });
  await system.startHedger({ rebalanceEveryMs: 200 });
  await eventually('it is executed', async () => ((await made()).length > before.length ? true : undefined));
  await system.stopHedger();
  await system.clearFaults();
  await system.startHedger({ rebalanceEveryMs: 200 });
  const { what } = await system.alerts.expect('rebalanced');
  expect(what).toContain('10000.00 USDC were moved from account A to account B');
  expect(await made()).toHaveLength(before.length + 1);
});

test('S-61 by itself no more than a day may see, told once, and not asked for again by a hedger that is started anew', async () => {
  const [, b = 0] = await collateral();
  await system.control('POST', 'collateral', { account_index: B, remove: String(Math.floor(b) - 1_000) });
  const { what } = await system.alerts.expect('rebalance-failed');
  expect(what).toContain('above-max-per-day');
  const sum = (await executed()).reduce((moved, { info }) => moved + info.Amount, 0);
  expect(sum).toBe(MAX_PER_DAY * 1_000_000);
  await system.stopHedger();
  await system.startHedger({ rebalanceEveryMs: 50 });
  await system.ended(await system.fill(BTC.market_id)); // meanwhile it looks again and again
  expect(system.alerts.received.filter(({ kind }) => kind === 'rebalance-failed')).toHaveLength(1);
});
