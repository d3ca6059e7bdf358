/** A process that starts while something it could do without is missing: it hedges, closes and cancels at once (S-51). */
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './eventually';
import { B, System } from './harness';
import { expectMirror, fillOrder, hedged, quote, rests, resolved, transactionsOf, type Truth } from './orders';

let system: System;
afterEach(() => system.stop());

async function start(): Promise<void> {
  system = await System.start({ pairs: [{ side: 'round-trip', lanes: [5, 6] }] });
  await system.startHedger();
  await system.startMaker(undefined, []);
}

const failing = (path: string): Promise<void> =>
  system.fault({ on: 'request', match: { path }, action: 'answer', status: 503, count: 0 });

test.each([
  ['the list of ended orders, which the stream needs,', 'accountInactiveOrders'],
  ['the list of live orders, by which keys are checked,', 'accountActiveOrders'],
  ['accounts, which tell the owners,', 'account'],
])('S-51 %s cannot be read: a restarted hedger hedges at once', async (_, path) => {
  await start();
  const id = await quote(system);
  await system.stopHedger();
  await fillOrder(system, id);
  await failing(path);
  const starting = system.startHedger();
  await hedged(system, id, '0.00020');
  await system.clearFaults();
  await starting;
  await resolved(system, id);
  await expectMirror(system);
});

test('S-51 the list of markets fails: a restarted hedger sends at once, and resolves when amounts can be read again', async () => {
  await start();
  const id = await quote(system);
  await system.stopHedger();
  await fillOrder(system, id);
  await failing('orderBooks');
  const starting = system.startHedger();
  await eventually('B has traded', async () =>
    transactionsOf(await system.truth<Truth>(B), id).find((tx) => tx.state === 'executed'),
  );
  await system.clearFaults();
  await starting;
  await resolved(system, id);
  await expectMirror(system);
});

test('S-51 the list of ended orders fails: a restarted maker cancels at once, and quotes when its stream has closed its gap', async () => {
  await start();
  const id = await quote(system);
  await system.stopMaker();
  await failing('accountInactiveOrders');
  await system.startMaker(undefined, ['BTC']);
  await rests(system, id);
  await system.order(id).cancel();
  const { status } = await system.ended(id);
  expect(status).toBe('CANCELLED');
  expect(await system.resting()).toEqual([]);
  await system.clearFaults();
  await eventually('it quotes', async () => ((await system.resting()).length > 0 ? true : undefined));
});
