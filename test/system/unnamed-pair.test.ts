/**
 * H-33, H-34: a pair was taken out of the configuration while it ran. It goes on, so everything that looks, warns and stops must know it; and
 * what both accounts hold anywhere must have its mirror.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeEverything, openClosing } from '../../src/cli/close-all-command';
import { carryOut } from '../../src/cli/console/controls';
import { unnamedPairs } from '../../src/cli/doctor/servers';
import { carryOutPair } from '../../src/cli/pair-command';
import type { Config } from '../../src/config';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC } from './orders';

const ETH = 0;
const CRV = 36;
let system: System;
/** As it is now: without ETH. */
let file: Config;

beforeAll(async () => {
  system = await System.start({
    pairs: [{ quantity: '0.002' }, { market: 'ETH', quantity: '0.01', lanes: [6], spareLanes: [] }],
  });
  for (const [account_index, change_by] of [
    [A, '0.02'],
    [B, '-0.02'],
  ] as const)
    await system.control('POST', 'positions', { account_index, market_id: BTC.market_id, change_by });
  await system.startHedger();
  await system.startMaker();
  await rests();
  await system.stopHedger();
  await system.stopMaker();
  const { pairs } = system.config;
  file = Object.assign(system.config, { pairs: pairs.slice(0, 1) });
  await system.startHedger({ auditEveryMs: 500 });
  await system.startMaker();
}, 60_000);
afterAll(() => system.stop());

const rests = (): Promise<boolean> =>
  eventually('a quote in ETH rests', async () => ((await system.resting(ETH)).length > 0 ? true : undefined));

test('it is paused, resumed and shown like any other; one that neither runs nor is configured is refused', async () => {
  expect(await carryOutPair('status', 'ETH', file)).toMatchObject({ market: 'ETH', mode: 'running' });
  await carryOutPair('pause', 'ETH', file);
  expect(await carryOutPair('status', 'ETH', file)).toMatchObject({ mode: 'paused' });
  await carryOut(file, () => system.client, { name: 'resume', market: 'ETH' } as never, 'test');
  await rests();
  await expect(carryOutPair('stop', 'CRV', file)).rejects.toThrow(/no pair CRV, only: BTC, and none of CRV runs/);
  await expect(carryOutPair('start', 'ETH', file)).rejects.toThrow(/no pair ETH/);
  expect(await unnamedPairs(system.client, file)).toMatchObject([{ check: 'pair ETH', verdict: 'warning' }]);
});

test('it hears how near the accounts are to their liquidation', async () => {
  await collateralOfB('remove', '99850'); // its 0.02 BTC are worth some 2 200 USDC
  await system.pairSays('nothing that enlarges', ({ margin }) => margin?.level === 'stop-quoting', 'ETH');
  await collateralOfB('add', '99850');
  await system.pairSays('margin ok', ({ margin }) => margin?.level === 'ok', 'ETH');
  await rests();
});

async function collateralOfB(way: 'add' | 'remove', amount: string): Promise<void> {
  await system.control('POST', 'collateral', { account_index: B, [way]: amount });
}

test('naked where nobody configured anything: told; close-all ends the pair, closes its market, and names what it does not touch', async () => {
  await system.control('POST', 'positions', { account_index: A, market_id: CRV, change_by: '100' });
  const isCrv = ({ kind, market }: { kind: string; market?: string }) => kind === 'books-differ' && market === 'CRV';
  const alert = await eventually('the difference is told', async () => system.alerts.received.find(isCrv));
  expect(alert.what).toContain('the configuration has no pair there');
  await system.ended(await system.fill(ETH));
  await rests();
  await system.stopHedger();
  await system.stopMaker();
  const opened = await openClosing(file, () => undefined);
  try {
    const left = await closeEverything({ client: system.client, reason: '' }, file, opened, () => undefined);
    expect(left).toEqual([expect.stringMatching(/^A CRV: a position of 100\.0*; not touched/)]);
    for (const account of [A, B])
      for (const market of [BTC.market_id, ETH]) expect(await system.position(account, market)).toBe(0);
    expect(await system.resting()).toEqual([]);
    await expect(system.pair('ETH').describe()).resolves.toMatchObject({ status: { name: 'TERMINATED' } });
  } finally {
    await opened.close();
  }
});
