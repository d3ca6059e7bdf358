/** `close-all`: the engine and the workers are gone, and both accounts come to nothing with the exchange alone. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { endRuns, openClosing } from '../../src/cli/close-all-command';
import { closeAll, holdings } from '../../src/closing/close-all';
import { clientOrderIndexOf, nextOrderId, nonceOf } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import { A, B, System } from './harness';
import { BTC } from './orders';

let system: System;
beforeAll(async () => {
  system = await System.start({ pairs: [{ lanes: [5, 6] }] });
  await system.startHedger();
  await system.startMaker();
});
afterAll(() => system.stop());

test('positions, resting orders and bytes signed earlier are nothing afterwards; Temporal is named until it is asked', async () => {
  const filled = await system.fill(BTC.market_id);
  await system.ended(filled);
  await system.fill(BTC.market_id, '0.0001'); // of the next, which goes on resting
  await system.stopMaker();
  await system.stopHedger();
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

    expect(await closeAll(opened)).toEqual([]);

    expect(await system.position(A, BTC.market_id)).toBe(0);
    expect(await system.position(B, BTC.market_id)).toBe(0);
    expect(await system.resting()).toEqual([]);
    expect(await account.send(earlier)).toMatchObject({ kind: 'rejected' });
    const silent = { client: undefined, reason: 'Temporal does not answer' };
    expect(await endRuns(silent, system.config, () => undefined)).toEqual([expect.stringContaining('not ended')]);
    expect(await endRuns({ client: system.client, reason: '' }, system.config, () => undefined)).toEqual([]);
    await expect(system.pair().describe()).resolves.toMatchObject({ status: { name: 'TERMINATED' } });
  } finally {
    await opened.close();
  }
});
