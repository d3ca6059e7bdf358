import { afterEach, describe, expect, test } from '@jest/globals';
import { A, B, System } from './harness';

let system: System;
afterEach(() => system.stop());

describe('the two paths', () => {
  test('a full fill is told by notice and hedged by one slice: executed = fill, both accounts mirror', async () => {
    system = await System.start();
    await system.startHedger();
    await system.startMaker({ orderLimit: 1 });
    const before = await system.hedgerCount('notices_received_total');
    const id = await system.fill(1);
    const { status, result } = await system.ended(id);
    expect({ status, result }).toMatchObject({
      status: 'COMPLETED',
      result: {
        hedge_state: 'flat',
        exposure: '0.00000',
        maker: { status: 'filled', filled_base_amount: '0.00020' },
        hedge: { executed_base_amount: '0.00020', slices: [{ status: 'filled' }] },
      },
    });
    await system.noticesHeard(before);
    expect(await system.position(A, 1)).toBe(0.0002);
    expect(await system.position(B, 1)).toBe(-0.0002);
  });

  test('S-05 Redis is not there: the durable path hedges', async () => {
    system = await System.start({ redis: 'without' });
    await system.startHedger();
    await system.startMaker({ orderLimit: 1 });
    const { result } = await system.ended(await system.fill(1));
    expect(result).toMatchObject({
      hedge_state: 'flat',
      hedge: { executed_base_amount: '0.00020', slices: [{ path: 'durable' }] },
    });
  });
});
