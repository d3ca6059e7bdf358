/** A hedge must be possible before a quote rests: B's margin is promised once. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { defaultMarkets } from '../../packages/paper-exchange/src/core/markets';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import type { Truth } from './orders';

let system: System;
afterEach(() => system.stop());

/** Whether an order has ended for this reason. Others may have ended before it, because something else was not there yet. */
async function refused(): Promise<boolean> {
  for await (const { memo } of system.client.workflow.list({ query: 'WorkflowType = "makerOrder"' })) {
    const result = memo?.['result'] as { reason: string } | undefined;
    if (/account B can carry 0 more of this size/.test(result?.reason ?? '')) return true;
  }
  return false;
}

describe('S-48 margin counts once', () => {
  test('four slots on a balance of B for one: as many rest as B can carry, and what fills is hedged', async () => {
    const pairs = [{ lanes: [5, 6, 7, 8], side: 'buy', quantity: '0.002' }] as const;
    system = await System.start({ pairs, collateralB: '25' });
    await system.startHedger();
    await system.startMaker();
    await eventually('one rests', async () => ((await system.resting()).length > 0 ? true : undefined));
    await eventually('orders are refused', async () => ((await refused()) ? true : undefined));
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
    await eventually('an order is refused', async () => ((await refused()) ? true : undefined));
    expect((await system.truth<Truth>(A)).orders).toEqual([]);
  });
});
