/**
 * Alerts that no other hazard's test waits for, each raised by the running system. `observability/raised` demands one such test of every
 * kind in docs/operations.md.
 */
import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startRedis } from '../helpers/valkey';
import { eventually } from './eventually';
import { A, B, noMarginOn, System, type SystemOptions } from './harness';
import { BTC, startOrder, tradeByHand } from './orders';

let system: System;
afterEach(() => system.stop());

async function start(options: SystemOptions = {}): Promise<void> {
  system = await System.start(options);
  await system.startHedger({ auditEveryMs: 400 });
  await system.startMaker();
}

test('S-56 orders that the exchange rejects, in a row: the pair stops, and says so', async () => {
  system = await System.start();
  await system.fault(noMarginOn(A));
  await system.startHedger();
  await system.startMaker();
  const { what } = await system.alerts.expect('quoting-stopped');
  expect(what).toMatch(/pair BTC .* 5 orders in a row could not be placed/);
  expect((await system.pairSays('it is paused', ({ mode }) => mode === 'paused')).mode).toBe('paused');
});

test('S-56 the stream of B breaks again and again: told after ten seconds', async () => {
  await start();
  await system.fault({ on: 'stream', action: 'cut', count: 0, match: { account_index: B } });
  const { what } = await system.alerts.expect('stream-stale');
  expect(what).toMatch(/account B has not been live for 10 s/);
});

test('a channel that the exchange does not serve is told', async () => {
  system = await System.start();
  await system.fault({ on: 'subscribe', action: 'refuse', code: 30005, count: 0, match: { channel: 'account_tx' } });
  await system.startHedger();
  expect((await system.alerts.expect('channel-missing')).what).toContain('account_tx');
});

test("the dead-man's switch cannot be renewed: told, and nothing is quoted", async () => {
  system = await System.start();
  await system.fault({
    on: 'sequencer',
    action: 'refuse',
    code: 21739,
    count: 0,
    match: { account_index: A, tx_type: 16 },
  });
  await system.startHedger();
  await system.startMaker();
  await system.alerts.expect('switch-not-renewed');
  expect(await system.resting()).toEqual([]);
});

test('S-43 an order of other accounts on our queue: told, and not one step of it is done', async () => {
  await start({ pairs: [] });
  await startOrder(system, { hedgeAccount: 4711 });
  expect((await system.alerts.expect('wrong-accounts')).what).toContain('4711');
  expect(await system.resting()).toEqual([]);
});

test('what `terminate` leaves behind, and a trade by hand: each told by the auditor', async () => {
  await start();
  const [order] = await eventually('an order rests', async () => {
    const found = await system.resting(1);
    return found.length > 0 ? found : undefined;
  });
  const id = String(order?.client_order_index);
  await system.order(id).terminate('on purpose');
  await system.alerts.expect('orphan-fill', id);
  await tradeByHand(system, BTC, 30n);
  await system.alerts.expect('books-differ');
});

test('P-28 a firewall blocks one path: it is named, and what does not need it goes on', async () => {
  system = await System.start({ between: true });
  const page = { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>Request blocked</html>' };
  if (system.between)
    system.between.onRequest = ({ path }) =>
      path === '/api/v1/trades' || path === '/api/v1/getMakerOnlyApiKeys' ? page : undefined;
  await system.startHedger();
  await system.startMaker();
  await system.alerts.expect('path-blocked');
  await eventually('the path is named', () =>
    system.alerts.received.find(
      ({ kind, what }) => kind === 'path-blocked' && /getMakerOnlyApiKeys .*HTTP 403/.test(what),
    ),
  );
  const id = await system.fill(1);
  await system.ended(id);
  expect(await system.position(B, 1)).toBe(-(await system.position(A, 1)));
});

test('P-30 a Redis user without our channels: told, and hedges take the durable path', async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  await admin.call('ACL', 'SETUSER', 'limited', 'on', '>word', '+@all', '~*', 'resetchannels');
  admin.disconnect();
  try {
    system = await System.start({
      config: { redis: { enabled: true, url: redis.url.replace('redis://', 'redis://limited:word@') } },
    });
    await system.startHedger();
    await system.startMaker();
    expect((await system.alerts.expect('redis-refused')).what).toMatch(/(PUBLISH|SUBSCRIBE) hedge:\S+ \(NOPERM\)/);
    const id = await system.fill(1);
    await system.ended(id);
    expect(await system.position(B, 1)).toBe(-(await system.position(A, 1)));
  } finally {
    await redis.stop();
  }
});
