/** Temporal itself goes away: armed orders are hedged all the same, and afterwards the workflows agree with the exchange. */
import { afterEach, expect, test } from '@jest/globals';
import { startTemporal, type OwnTemporal } from '../helpers/temporal';
import { eventually } from './eventually';
import { B, System } from './harness';
import { expectMirror, fillOrder, lotsOf, quote, settled, transactionsOf, type Truth } from './orders';

let system: System;
let temporal: OwnTemporal;
afterEach(async () => {
  await system.stop();
  await temporal.stop();
});

test('P-11 Temporal is down when the order fills: hedged on the fast path meanwhile; when it is back the order ends', async () => {
  temporal = await startTemporal();
  system = await System.start({ temporal });
  await system.startHedger();
  await system.startMaker(undefined, []);
  const id = await quote(system);
  await temporal.crash();
  await fillOrder(system, id);
  await eventually('B has executed although no workflow can know of the fill', async () => {
    const { orders } = await system.truth<Truth>(B);
    return orders.find(
      (order) => BigInt(order.client_order_index) === BigInt(id) + 1n && lotsOf(order.filled_base_amount) === 20n,
    );
  });
  await temporal.restart();
  const { result, b } = await settled(system, id);
  expect(result.hedge.slices).toMatchObject([{ path: 'fast' }]);
  expect(transactionsOf(b, id)).toHaveLength(1);
  await expectMirror(system);
}, 60_000);
