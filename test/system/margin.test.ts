/** A hedge must be possible before a quote rests: B's margin is promised once. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { defaultMarkets } from '../../packages/paper-exchange/src/core/markets';
import { eventually } from './eventually';
import { A, B, System } from './harness';

let system: System;
afterEach(() => system.stop(), 60_000);

const reason = /account B can carry 0 more of this size/;

describe('S-48 margin counts once', () => {
  test('four slots on a balance of B for one: as many rest as B can carry, and what fills is hedged', async () => {
    const pairs = [{ lanes: [5, 6, 7, 8], side: 'buy', quantity: '0.002' }] as const;
    system = await System.start({ pairs, collateralB: '25' });
    await system.startHedger();
    await system.startMaker();
    await eventually('one rests', async () => ((await system.resting()).length > 0 ? true : undefined));
    const errors = await eventually('orders are refused', async () => {
      const ended = [];
      for await (const { memo } of system.client.workflow.list({ query: 'WorkflowType = "makerOrder"' }))
        if (memo?.['result']) ended.push((memo['result'] as { reason: string }).reason);
      return ended.length > 0 ? ended : undefined;
    });
    expect(errors[0]).toMatch(reason);
    expect(await system.resting()).toHaveLength(1);
    const id = await system.fill(1);
    expect((await system.ended(id)).result).toMatchObject({ hedge_state: 'flat' });
    expect(await system.position(B, 1)).toBeCloseTo(-(await system.position(A, 1)), 5);
    expect(system.alerts.received.filter(({ kind }) => kind === 'hedge-stuck')).toEqual([]);
  }, 90_000);

  test('a market that asks 30 %: nothing is quoted on half of that', async () => {
    const markets = defaultMarkets.map((m) =>
      m.spec.marketId === 1
        ? {
            ...m,
            spec: {
              ...m.spec,
              defaultMarginFraction: 3_000,
              minMarginFraction: 3_000,
              maintenanceMarginFraction: 2_000,
              closeoutMarginFraction: 1_000,
            },
          }
        : m,
    );
    system = await System.start({ pairs: [{ quantity: '0.002' }], collateralB: '33', paper: { markets } });
    await system.startHedger();
    await system.startMaker();
    const rejected = await eventually('an order is refused', async () => {
      for await (const { memo } of system.client.workflow.list({ query: 'WorkflowType = "makerOrder"' }))
        if (memo?.['result']) return (memo['result'] as { reason: string }).reason;
      return (await system.resting()).length > 0 ? 'it rests' : undefined;
    });
    expect(rejected).toMatch(reason);
  }, 60_000);
});
