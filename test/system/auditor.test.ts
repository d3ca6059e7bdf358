import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually';
import { B, System } from './harness';

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
