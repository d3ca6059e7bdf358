/** P-25, P-26 Markets that take no orders while we run, a twin row, an upgrade with a fill in flight. */
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC } from './orders';

let system: System;
afterEach(() => system.stop());

const market = (fields: Record<string, unknown>): Promise<unknown> =>
  system.control('POST', 'market', { market_id: BTC.market_id, ...fields });

test('a halted market: the pair stops before it fails five times, says why, and goes on by itself', async () => {
  system = await System.start({ pairs: [{ lanes: [5, 6, 7, 8, 10, 11, 12] }] });
  await market({ twin: true, status: 'inactive' });
  await system.startHedger();
  await market({ status: 'active' });
  await system.startMaker();
  const id = await system.fill(BTC.market_id);
  await system.ended(id);
  await market({ force_reduce_only: true });
  await system.pairSays('why it does not quote', ({ slots }) => slots.some(({ note }) => /^BTC: /.test(note ?? '')));
  const { what } = await system.alerts.expect('market-closed');
  expect(what).toMatch(/nothing is quoted in BTC: /);
  await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
  expect((await system.pairSays('it still runs', () => true)).mode).toBe('running');
  await market({ force_reduce_only: false });
  await eventually('it quotes again', async () => ((await system.resting()).length > 0 ? true : undefined), 60_000);
  await system.fill(BTC.market_id);
  expect((await system.pairSays('it still runs', () => true)).mode).toBe('running');
}, 120_000);

test('decimals that change between two makers: a quote of the first is hedged by what it was, and the pair pauses', async () => {
  system = await System.start({ between: true });
  await system.startHedger();
  await system.startMaker();
  await eventually('a quote rests', async () => ((await system.resting()).length > 0 ? true : undefined));
  await system.stopMaker();
  const { between } = system;
  if (between)
    between.onAnswer = (_, answer) => ({
      ...answer,
      body: answer.body.replaceAll('"supported_size_decimals":5', '"supported_size_decimals":6'),
    });
  await system.startMaker();
  const id = await system.fill(BTC.market_id);
  expect((await system.ended(id, 30_000)).result).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
  expect(await system.position(B, BTC.market_id)).toBe(-0.0002);
  const { mode, reason } = await system.pairSays('it is paused', (pair) => pair.mode === 'paused');
  expect({ mode, reason }).toEqual({ mode: 'paused', reason: expect.stringContaining('decimals') });
  const { what } = await system.alerts.expect('quoting-stopped');
  expect(what).toContain('decimals');
  expect(await system.resting()).toEqual([]);
}, 120_000);

test('an upgrade with a fill in flight: told, and hedged within its bound once the exchange takes orders again', async () => {
  system = await System.start({
    config: { hedge: { slippageBps: 20, slippageBpsMax: 100, onStuck: 'keep_trying', forceCloseTimeoutMs: 3_000 } },
  });
  await system.startHedger();
  await system.startMaker();
  await eventually('a quote rests', async () => ((await system.resting()).length > 0 ? true : undefined));
  await system.fault({
    on: 'sequencer',
    action: 'refuse',
    code: 21605,
    count: 0,
    match: { account_index: B, tx_type: 14 },
  });
  const id = await system.fill(BTC.market_id);
  await system.control('POST', 'upgrade', { in_s: 0, lasts_s: 600 });
  await system.clearFaults();
  await system.alerts.expect('hedge-stuck');
  expect(await system.position(A, BTC.market_id)).toBe(0.0002);
  expect(await system.position(B, BTC.market_id)).toBe(0);
  await system.control('POST', 'upgrade', { in_s: 0, lasts_s: 0 });
  // The price that it comes back with is another one, and within the widest bound.
  await market({ mid_price: '109000' });
  const { result } = await system.ended(id, 45_000);
  expect(result).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
}, 120_000);
