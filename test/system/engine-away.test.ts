/** Temporal itself goes away: armed orders are hedged all the same, and afterwards the workflows agree with the exchange. */
import { afterEach, expect, test } from '@jest/globals';
import { notional } from '../../src/domain/lots';
import { startRebalance } from '../../src/workers/rebalances';
import { startTemporal, type OwnTemporal } from '../helpers/temporal';
import { eventually, standstill } from './eventually';
import { A, B, noMarginOn, System } from './harness';
import { expectMirror, fillOrder, lotsOf, quote, resolved, transactionsOf, type Truth } from './orders';

let system: System | undefined;
let temporal: OwnTemporal | undefined;
afterEach(async () => {
  await system?.stop();
  await temporal?.stop();
});

test('P-11 Temporal is down when the order fills: hedged on the fast path meanwhile; when it is back the order ends', async () => {
  const server = (temporal = await startTemporal());
  const running = (system = await System.start({ temporal: server }));
  await running.startHedger();
  await running.startMaker(undefined, []);
  const id = await quote(running);
  await server.crash();
  await fillOrder(running, id);
  await eventually('B has executed although no workflow can know of the fill', async () => {
    const { orders } = await running.truth<Truth>(B);
    return orders.find(
      (order) => BigInt(order.client_order_index) === BigInt(id) + 1n && lotsOf(order.filled_base_amount) === 20n,
    );
  });
  await server.restart();
  const { result, b } = await resolved(running, id);
  expect(result.hedge.slices).toMatchObject([{ path: 'fast' }]);
  expect(transactionsOf(b, id)).toHaveLength(1);
  await expectMirror(running);
});

test('S-46 Temporal is away and B rejects the hedge: the executor itself tells what is naked and why', async () => {
  const server = (temporal = await startTemporal());
  const running = (system = await System.start({ temporal: server }));
  await running.startHedger({ auditEveryMs: 400 });
  await running.startMaker(undefined, []);
  const id = await quote(running);
  await server.crash();
  await running.fault({ ...noMarginOn(B), consume_nonce: true });
  const stoodMs = standstill();
  await fillOrder(running, id);
  const alert = await running.alerts.expect('hedge-stuck', id);
  const [, nakedS] = /0\.00020 BTC of order \d+ naked for (\d+) s .*margin/i.exec(alert.what) ?? [];
  expect(Number(nakedS)).toBeGreaterThanOrEqual(5);
  expect(Number(nakedS)).toBeLessThan(10 + stoodMs() / 1_000);
  await eventually('the gauge shows what the positions say', async () =>
    (await running.hedgerCount('exposure_base_units', 'BTC')) === 0.0002 ? true : undefined,
  );
  await running.clearFaults();
  await eventually('the hedge goes through once it may', async () =>
    (await running.position(B, 1)) === -0.0002 ? true : undefined,
  );
  await server.restart();
  await resolved(running, id);
  expect(running.alerts.received.filter(({ kind }) => kind === 'hedge-stuck')).toHaveLength(1);
}, 150_000);

test('S-60 Temporal is killed while the exchange has a transfer of collateral, and comes back: moved once', async () => {
  const server = (temporal = await startTemporal());
  const usdc = (whole: number) => notional(BigInt(whole) * 1_000_000n);
  const limits = { maxTransfer: usdc(1_000), maxPerDay: usdc(1_000), automatic: false, startBelow: 0.4 };
  const running = (system = await System.start({ temporal: server, config: { rebalance: { ...limits, lane: 6 } } }));
  await running.startHedger();
  await running.startMaker(undefined, []);
  const transfers = async (): Promise<readonly { readonly hash: string; readonly state: string }[]> =>
    (await running.truth<{ transactions: { type: number; hash: string; state: string }[] }>(A)).transactions.filter(
      ({ type }) => type === 12,
    );
  await running.control('POST', 'collateral', { account_index: B, remove: '100' });
  await running.fault({ on: 'sequencer', action: 'delay', ms: 2_000, match: { tx_type: 12 } });
  const run = await startRebalance(running.client, { maker: A, hedge: B }, { by: 'test', amount: '5000000' });
  await eventually('the exchange has it', async () => ((await transfers()).length > 0 ? true : undefined));
  await server.crash();
  await eventually('it is executed', async () =>
    (await transfers()).some(({ state }) => state === 'executed') ? true : undefined,
  );
  await server.restart();
  const result = await eventually('the run ends', () => run?.result(), 60_000);
  expect(result).toMatchObject({ state: 'moved', amount_usdc: '5.000000' });
  expect((await transfers()).map(({ hash }) => hash)).toEqual([result.tx_hash]);
}, 150_000);
