/** S-44: the hedger is gone and the maker lives. It must know, say so and withdraw what nobody would hedge. */
import { afterEach, expect, test } from '@jest/globals';
import type { Market } from '../../src/domain/records';
import { pairInput, startPair } from '../../src/workers/pairs';
import { startTemporal, type OwnTemporal } from '../helpers/temporal';
import { eventually } from './eventually';
import { A, B, System, type SystemOptions } from './harness';
import { expectMirror, quote } from './orders';

let system: System | undefined;
let temporal: OwnTemporal | undefined;
afterEach(async () => {
  await system?.stop();
  await temporal?.stop();
  system = temporal = undefined;
});

/** Two slots that quote, and whatever the test changes. No quote ends by its time-out meanwhile. */
async function quoting(options: SystemOptions = {}): Promise<System> {
  const running = (system = await System.start({
    ...{ pairs: [{ lanes: [5, 6] }], config: { makerOrderTimeOutMs: 300_000 } },
    ...options,
  }));
  await running.startHedger();
  await running.startMaker();
  await bothQuote(running);
  return running;
}

/** A worker that starts bundles its workflows first: on a busy machine that takes its time. */
const bothQuote = (running: System): Promise<boolean> =>
  eventually('both slots quote', async () => ((await running.resting(1)).length === 2 ? true : undefined), 60_000);

const withdrawn = (running: System): Promise<boolean> =>
  eventually('nothing of A rests', async () => ((await running.resting()).length === 0 ? true : undefined));

for (const redis of ['with', 'without'] as const) {
  test(`S-44 ${redis} Redis: the hedger goes; within 6 s one alert, every quote withdrawn, 503; it comes back and quoting goes on`, async () => {
    const running = await quoting({ redis });
    await running.isWell('maker');
    await running.stopHedger();
    const alert = await running.alerts.expect('no-hedger');
    await withdrawn(running);
    // By the maker's own clock, from the last question that was answered; time in which it stood still is nobody's silence.
    expect(alert.what).toMatch(/no hedger has answered for [456] s.* 2 resting quotes/);
    await eventually('the maker is unwell for that, and for nothing else', async () => {
      const { status, unwell } = await running.health('maker');
      return status === 503 && unwell.join() === 'somebody hedges' ? true : undefined;
    });
    await running.startHedger();
    await eventually('both slots quote again', async () =>
      (await running.resting(1)).length === 2 ? true : undefined,
    );
    await running.isWell('maker');
    expect(running.alerts.received.map(({ kind }) => kind)).toEqual(['no-hedger']);
  }, 150_000);
}

test('S-44 a fill while nobody hedges is told with its order and amount; a hedger that comes back hedges it', async () => {
  const running = await quoting();
  await running.stopHedger();
  const id = await running.fill(1);
  const alert = await running.alerts.expect('fill-unacknowledged', id);
  expect(alert.what).toContain('0.00020 BTC');
  expect((await running.alerts.expect('no-hedger')).what).toContain('fills not known to be hedged: 0.00020 BTC');
  expect([await running.position(A, 1), await running.position(B, 1)]).toEqual([0.0002, 0]);
  await running.startHedger();
  await running.ended(id);
  await expectMirror(running);
}, 150_000);

test('S-44 without Redis, a pair or an order nobody need be known: the maker is well, and a pair that starts then quotes', async () => {
  const running = (system = await System.start({ redis: 'without' }));
  await running.startHedger();
  await running.startMaker(undefined, []);
  await running.isWell('maker');
  const market = { symbol: 'BTC', marketId: 1, sizeDecimals: 5, priceDecimals: 1 } as Market;
  const [pair] = running.config.pairs;
  if (!pair) throw new Error('a pair is configured');
  await startPair(running.client, pairInput(running.config, pair, market));
  await eventually('it quotes', async () => ((await running.resting(1)).length === 1 ? true : undefined), 60_000);
  expect(running.alerts.received).toEqual([]);
}, 150_000);

test('S-44 of two hedgers one goes: no alarm, and no quote is withdrawn', async () => {
  const running = await quoting();
  await running.startAnotherHedger();
  const before = (await running.resting(1)).map((order) => order.client_order_index);
  await running.stopHedger();
  const untilMs = Date.now() + 7_000;
  await eventually('the maker has been well for longer than it bears silence', async () => {
    expect(await running.health('maker')).toEqual({ status: 200, unwell: [] });
    return Date.now() > untilMs ? true : undefined;
  });
  expect((await running.resting(1)).map((order) => order.client_order_index)).toEqual(before);
  expect(running.alerts.received).toEqual([]);
}, 150_000);

test('S-44 neither Redis nor Temporal: nobody is known to hedge, and the quote is withdrawn', async () => {
  const server = (temporal = await startTemporal().catch(startTemporal));
  const running = (system = await System.start({ temporal: server, redis: 'without' }));
  await running.startHedger();
  await running.startMaker(undefined, []);
  await quote(running);
  await server.crash();
  await running.alerts.expect('no-hedger');
  await withdrawn(running);
  await server.restart().catch(() => server.restart());
  await running.isWell('maker');
}, 150_000);
