import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC, tradeByHand, type Truth } from './orders';

let system: System;
let webhook: Server;
const alerts: string[] = [];

beforeEach(async () => {
  alerts.length = 0;
  webhook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      alerts.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await system.stop();
  webhook.closeAllConnections();
  await new Promise((resolve) => webhook.close(resolve));
});

const alerted = (what: RegExp): Promise<string> =>
  eventually(`an alert says ${what.source}`, () => alerts.find((text) => what.test(text)));

async function start(): Promise<void> {
  const { port } = webhook.address() as AddressInfo;
  system = await System.start({ config: { alerts: { webhookUrl: `http://127.0.0.1:${port}/hook` } } });
  await system.startHedger({ auditEveryMs: 400 });
  await system.startMaker({ orderLimit: 2 });
}

test('a trade made by hand on B is noticed: amount and both positions, within seconds', async () => {
  await start();
  await system.ended(await system.fill(1));
  expect(alerts).toEqual([]);
  await system.control('POST', 'orders', {
    market_id: 1,
    account_index: B,
    is_ask: true,
    base_amount: '0.00050',
    type: 'market',
  });
  const alert = await alerted(/have not mirrored each other/);
  expect(alert).toContain('0.00050 BTC');
  expect(alert).toMatch(/A 0\.00020 BTC, B -0\.00070 BTC/);
});

test('S-24 orders that fill and are hedged raise no alarm, however often it looks', async () => {
  await start();
  await system.ended(await system.fill(1));
  await system.ended(await system.fill(1, '0.00010').then(async (id) => (await system.order(id).cancel(), id)));
  expect(alerts).toEqual([]);
});

test('what terminate leaves behind is found', async () => {
  await start();
  const [order] = await eventually('an order rests', async () => {
    const found = await system.resting(1);
    return found.length > 0 ? found : undefined;
  });
  await system.order(order!.client_order_index).terminate('on purpose');
  expect(await alerted(/was terminated/)).toContain(String(order!.client_order_index));
});

describe('S-55 the accounts differ', () => {
  const placements = async (): Promise<number> =>
    (await system.truth<Truth>(A)).transactions.filter((tx) => tx.type === 14).length;
  const quotes = (count: number): Promise<unknown> =>
    eventually(`${count} orders of A rest`, async () =>
      (await system.resting(1)).length === count ? true : undefined,
    );
  /** Some readings pass, in which something could be quoted. */
  const readings = async (): Promise<void> => {
    const reads = async (): Promise<number> => system.hedgerCount('alerts_total', 'kind="books-differ"');
    const before = await reads();
    await eventually('it is told again', async () => ((await reads()) >= before + 4 ? true : undefined));
  };

  test('B’s position is taken from it: quotes that enlarge are withdrawn and none goes out, until both are even again', async () => {
    await start();
    await system.ended(await system.fill(1));
    await quotes(1);
    await tradeByHand(system, BTC, 20n);
    await alerted(/have not mirrored each other/);
    await quotes(0);
    const before = await placements();
    const off = await system.pairSays('they differ', ({ slots }) => /differ/.test(slots[0]?.note ?? ''));
    expect(off).toMatchObject({ mode: 'running', reason: expect.stringMatching(/A 0\.00020 BTC, B 0\.00000 BTC/) });
    await readings();
    expect(await placements()).toBe(before);
    await tradeByHand(system, BTC, -20n);
    await quotes(1);
    expect((await system.pair().query<{ reason: string }>('state')).reason).toBe('');
  });

  test('so it is with a pair that is started then: it does not quote first', async () => {
    const { port } = webhook.address() as AddressInfo;
    system = await System.start({ config: { alerts: { webhookUrl: `http://127.0.0.1:${port}/hook` } } });
    await tradeByHand(system, BTC, 20n);
    await system.startHedger({ auditEveryMs: 400 });
    await system.startMaker();
    await system.pairSays('they differ', ({ reason }) => /B 0\.00020 BTC/.test(reason));
    await readings();
    expect(await placements()).toBe(0);
    await tradeByHand(system, BTC, -20n);
    await quotes(1);
  });
});
