/** One account loses what the other wins: warned, then nothing that enlarges, then both reduce together until they are safe. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PairStatus } from '../../src/domain/pair-status';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC, expectMirror } from './orders';

const HELD = '0.02';
const MAINTENANCE = 0.012;
let system: System;

beforeAll(async () => {
  system = await System.start({ pairs: [{ side: 'buy', quantity: '0.002', lanes: [5], spareLanes: [9] }] });
  // As `keys register` leaves them: A's quoting lanes may not take, so that the steps of an unwind need the spare one.
  for (const api_key_index of [5, 4])
    await system.control('POST', 'keys', { account_index: A, api_key_index, maker_only: true });
  for (const [account_index, change_by] of [
    [A, HELD],
    [B, `-${HELD}`],
  ] as const)
    await system.control('POST', 'positions', { account_index, market_id: BTC.market_id, change_by });
  await distanceOfB(0.2);
  await system.startHedger({ auditEveryMs: 500 });
  await system.startMaker();
});
afterAll(() => system.stop());

interface AccountRow {
  readonly cross_asset_value: string;
  readonly positions: readonly { readonly market_id: number; readonly position_value: string }[];
}

async function rowOf(account: number): Promise<AccountRow> {
  const response = await fetch(`${system.paper.url}/api/v1/account?by=index&value=${account}`);
  const { accounts } = (await response.json()) as { readonly accounts: readonly AccountRow[] };
  if (accounts[0] === undefined) throw new Error('no such account');
  return accounts[0];
}

/** Collateral comes or goes until all prices may move so far against B. */
async function distanceOfB(distance: number): Promise<void> {
  const row = await rowOf(B);
  const value = Number(row.positions.find(({ market_id }) => market_id === BTC.market_id)?.position_value);
  const by = value * (distance + MAINTENANCE) - Number(row.cross_asset_value);
  const amount = Math.abs(by).toFixed(2);
  await system.control('POST', 'collateral', { account_index: B, ...(by > 0 ? { add: amount } : { remove: amount }) });
}

const rests = (): Promise<boolean> =>
  eventually('an order rests', async () => ((await system.resting()).length > 0 ? true : undefined));
const says = (level: string): Promise<PairStatus> =>
  system.pairSays(`margin ${level}`, ({ margin }) => margin?.level === level);

test('far away nobody is told; nearer than `warn` somebody is, and quoting goes on', async () => {
  await rests();
  expect(system.alerts.received.filter(({ kind }) => kind === 'margin-low')).toEqual([]);
  await distanceOfB(0.09);
  const alert = await system.alerts.expect('margin-low');
  expect(alert).toMatchObject({
    what: expect.stringMatching(/B is [89]\.\d % from its liquidation .*BTC at .*liquidated at/),
  });
  await rests();
  await eventually('the gauge shows it', async () => {
    const bps = await system.hedgerCount('liquidation_distance_bps', 'account="hedge"', 'market="all"');
    return bps > 800 && bps < 1_000 ? true : undefined;
  });
});

test('nearer than `stop_quoting` what enlarges is withdrawn and not quoted, what reduces is; beyond `warn` all is quoted', async () => {
  await distanceOfB(0.06);
  await system.alerts.expect('margin-critical');
  expect((await says('stop-quoting')).reason).toMatch(/nothing that enlarges a position is quoted: .*B is [56]\.\d %/);
  await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
  await system.pair().executeUpdate('set', { args: [{ strategy: 'sell' }] });
  await rests();
  expect((await system.resting())[0]).toMatchObject({ is_ask: true });
  await system.pair().executeUpdate('set', { args: [{ strategy: 'buy' }] });
  await distanceOfB(0.09); // nearer than `warn` still
  await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
  await distanceOfB(0.2);
  await says('ok');
  await rests();
});

test('what cannot be read is unknown: nothing that enlarges is quoted until it is known again', async () => {
  await system.fault({ ...{ on: 'request', action: 'answer', status: 500, count: 0 }, match: { path: 'account' } });
  await says('unknown');
  await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
  await system.clearFaults();
  await says('ok');
  await rests();
}, 90_000);

test('nearer than `unwind` both accounts reduce in steps, over a restart, until they are safe; both mirror each other throughout', async () => {
  // H-46, H-47: neither A's steps nor B's hedges are held up by a market that takes only what reduces.
  await system.control('POST', 'market', { market_id: BTC.market_id, force_reduce_only: true });
  await system.stopMaker();
  await system.startMaker();
  expect((await system.alerts.expect('market-closed')).what).toContain('only orders that reduce');
  await distanceOfB(0.035);
  const begun = await system.alerts.expect('unwinding');
  expect(begun.what).toMatch(/account A and B reduce in BTC together, 0\.00200 BTC at first: .*B is 3\.\d %/);
  await eventually('two steps are done', async () =>
    (await system.position(B, BTC.market_id)) >= -0.016 ? true : undefined,
  );
  await system.stopHedger();
  expect(await distanceNow()).toBeLessThan(0.07);
  await system.startHedger({ auditEveryMs: 500 });
  await eventually('B is safe', async () => ((await distanceNow()) >= 0.07 ? true : undefined), 60_000);
  const status = await system.pairSays('the unwind is over', ({ margin }) => margin?.level === 'stop-quoting');
  expect(status.mode).toBe('running');
  const over = await system.alerts.expect('unwound');
  expect(over.what).toMatch(/the unwind in BTC is over: 0\.0\d+ BTC less on A and on B, in \d+ steps/);
  await expectMirror(system);
  const heard = system.alerts.received.map(({ kind }) => kind);
  for (const kind of ['cannot-unwind', 'hedge-stuck']) expect(heard).not.toContain(kind);
  expect(await system.position(A, BTC.market_id)).toBeGreaterThan(0); // no further than necessary
  expect(await system.resting()).toEqual([]);
}, 120_000);

async function distanceNow(): Promise<number> {
  const row = await rowOf(B);
  const value = Number(row.positions.find(({ market_id }) => market_id === BTC.market_id)?.position_value);
  return Number(row.cross_asset_value) / value - MAINTENANCE;
}
