/** S-45: the maker is gone and its quote fills. The hedger's side sees it from A's public trades, hedges it and says so. */
import { afterEach, expect, test } from '@jest/globals';
import { startTemporal, type OwnTemporal } from '../helpers/temporal';
import { eventually, standstill } from './eventually';
import { A, B, System, type SystemOptions } from './harness';
import { expectMirror, fillOrder, quote, resolved } from './orders';

let system: System | undefined;
let temporal: OwnTemporal | undefined;
afterEach(async () => {
  await system?.stop();
  await temporal?.stop();
  system = temporal = undefined;
});

/** An order of A rests, and no maker lives. */
async function left(options: SystemOptions = {}): Promise<{ running: System; id: string }> {
  const running = (system = await System.start(options));
  await running.startHedger();
  await running.startMaker(undefined, []);
  const id = await quote(running);
  await running.stopMaker();
  return { running, id };
}

const hedged = (running: System, base: number): Promise<boolean> =>
  eventually('B has the other side', async () => ((await running.position(B, 1)) === -base ? true : undefined));

for (const redis of ['with', 'without'] as const) {
  test(`S-45 ${redis} Redis: hedged within seconds and told; a maker that comes back finds it even`, async () => {
    const { running, id } = await left({ redis });
    await fillOrder(running, id);
    const filledAtMs = Date.now();
    const stoodMs = standstill();
    await hedged(running, 0.0002);
    const alert = await running.alerts.expect('no-maker', id);
    expect(alert.at_ms - filledAtMs).toBeLessThan(10_000 + stoodMs());
    expect(alert.what).toContain('0.00020 BTC');
    await running.startMaker(undefined, []);
    await resolved(running, id);
    await expectMirror(running);
    expect(running.alerts.received.map(({ kind }) => kind)).toEqual(['no-maker']);
  }, 150_000);
}

test('S-45 Temporal is gone too: the executor that holds the ticket hedges by the public trades alone', async () => {
  const server = (temporal = await startTemporal().catch(startTemporal));
  const { running, id } = await left({ temporal: server });
  await server.crash();
  await fillOrder(running, id);
  await hedged(running, 0.0002);
  await running.alerts.expect('no-maker', id);
  expect(await running.position(A, 1)).toBe(0.0002);
  await server.restart().catch(() => server.restart());
  await running.startMaker(undefined, []);
  await resolved(running, id);
  await expectMirror(running);
}, 150_000);
