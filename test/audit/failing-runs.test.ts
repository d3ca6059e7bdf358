/** Runs whose workflow tasks fail, on a real server: it is the server that says so. */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FailingRuns } from '../../src/audit/failing-runs';
import { orderWorkflowId, pairWorkflowId, type OrderId } from '../../src/domain/ids-and-nonces';
import type { Alert } from '../../src/observability';
import { EXPOSURE, MARKET } from '../../src/workflows/messages';
import { sharedTemporal } from '../helpers/temporal';
import { eventually } from '../system/eventually';

const ACCOUNT = 1001;
const QUEUE = 'failing-runs';
const ORDER = 9240073732736n as OrderId;
let client: Client;
let close: () => Promise<void>;

beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: 'ERROR' } },
    shutdownSignals: [],
  });
  const place = await sharedTemporal();
  const [connection, native] = await Promise.all([
    Connection.connect({ address: place.address }),
    NativeConnection.connect({ address: place.address }),
  ]);
  client = new Client({ connection, namespace: place.namespace });
  // A worker with some other code: every task of every run fails.
  const worker = await Worker.create({
    connection: native,
    namespace: place.namespace,
    taskQueue: QUEUE,
    workflowsPath: require.resolve('../../src/domain/keep-newest'),
  });
  const run = worker.run();
  close = async () => {
    worker.shutdown();
    await run;
    await connection.close();
    await native.close();
  };
});
afterAll(() => close());

test('S-47 an order and a pair whose tasks fail are told within a minute, by one request; strangers’ runs are not', async () => {
  const alerts: Alert[] = [];
  const watch = new FailingRuns({
    client,
    makerAccount: ACCOUNT,
    raiseAlert: (alert) => void alerts.push(alert),
    logger: { warn: () => undefined } as never,
    everyMs: 1_000,
  });
  const started = [
    orderWorkflowId(ACCOUNT, ORDER),
    pairWorkflowId(ACCOUNT, 'BTC'),
    orderWorkflowId(2002, ORDER),
    'somebody/else',
  ];
  for (const workflowId of started) {
    await client.workflow.start('makerOrder', {
      workflowId,
      taskQueue: QUEUE,
      workflowTaskTimeout: '2s',
      typedSearchAttributes: [
        { key: MARKET, value: 'BTC' },
        { key: EXPOSURE, value: 0.0002 },
      ],
    });
  }
  watch.start();
  await eventually(
    'both are told',
    () => (new Set(alerts.map(({ what }) => what)).size >= 2 ? true : undefined),
    55_000,
  );
  watch.close();
  expect(alerts.find(({ orderId }) => orderId === ORDER.toString())).toMatchObject({
    kind: 'run-failing',
    exposed: '0.0002 BTC',
  });
  expect(alerts.find(({ market }) => market === 'BTC')?.what).toContain(pairWorkflowId(ACCOUNT, 'BTC'));
  expect(alerts.filter(({ what }) => what.includes('2002') || what.includes('somebody'))).toEqual([]);
}, 90_000);
