/** The workflow of a rebalance: its transfer has one identity, whoever carries it out and however often. */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  AUTOMATIC,
  type PlanResult,
  type RebalanceResult,
  type TransferInput,
  type TransferResult,
} from '../../src/domain/rebalance-messages';
import { laneOf, parseOrderId } from '../../src/domain/ids-and-nonces';
import { makerQueue, ordersQueue } from '../../src/domain/messages';
import { startRebalance, type RebalanceRun } from '../../src/workers/rebalances';
import { sharedTemporal, sharedWorkflows } from '../helpers/temporal';
import { keepHistory } from '../replay/histories';

const accounts = { maker: 21, hedge: 22 };
const figures = {
  equity_usdc: { maker: '1500.000000', hedge: '500.000000' },
  free_usdc: { maker: '900.000000', hedge: '100.000000' },
  moved_today_usdc: '0.000000',
};
const planned: PlanResult = { move: true, from: 'maker', amount: '250000000', lane: 8, figures };
let plan: PlanResult;
let transfer: (input: TransferInput, call: number) => TransferResult;
let shown: string[];
let alerts: object[];
let transfers: TransferInput[];
let client: Client;
let leave: () => Promise<void>;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const place = await sharedTemporal();
  const connection = await Connection.connect({ address: place.address });
  const native = await NativeConnection.connect({ address: place.address });
  client = new Client({ connection, namespace: place.namespace });
  const common = { connection: native, namespace: place.namespace };
  const onA = {
    transfer: (input: TransferInput) => Promise.resolve(transfer(input, transfers.push(input))),
  };
  const onB = {
    planRebalance: () => Promise.resolve(plan),
    transferShown: ({ tx_hash }: { tx_hash: string }) => Promise.resolve(void shown.push(tx_hash)),
    alert: (alert: object) => Promise.resolve(void alerts.push(alert)),
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: ordersQueue(accounts.hedge),
      workflowBundle: await sharedWorkflows(),
      activities: onB,
    }),
    Worker.create({ ...common, taskQueue: makerQueue(accounts.maker), activities: onA }),
  ]);
  const runs = workers.map((worker) => worker.run());
  leave = async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
    await connection.close();
    await native.close();
  };
});
afterAll(() => leave());
beforeEach(() => {
  [plan, shown, transfers, alerts] = [planned, [], [], []];
  transfer = () => ({ moved: true, tx_hash: 'abc' });
});

async function run(by = 'test'): Promise<{ readonly handle: RebalanceRun; readonly result: RebalanceResult }> {
  const handle = await startRebalance(client, accounts, { by });
  if (handle === undefined) throw new Error('another one runs');
  return { handle, result: await handle.result() };
}

test('moved, and over only when the list shows it', async () => {
  const { handle, result } = await run();
  const [asked] = transfers;
  expect(result).toEqual({
    ...{ state: 'moved', code: '', message: '', from: 'maker', amount_usdc: '250.000000', tx_hash: 'abc', figures },
    transfer_id: asked?.transfer_id,
  });
  expect(shown).toEqual(['abc']);
  expect(laneOf(parseOrderId(asked?.transfer_id ?? '') ?? (0n as never))).toBe(8);
  await keepHistory('rebalance-moved', handle);
});

test('S-60 a process dies over it, and another one carries it out: the same transfer, at the same nonce', async () => {
  transfer = (_input, call) => {
    if (call < 3) throw new Error('the worker died');
    return { moved: true, tx_hash: 'abc' };
  };
  const { result } = await run();
  expect(result.state).toBe('moved');
  expect(transfers).toHaveLength(3);
  expect(new Set(transfers.map((input) => JSON.stringify(input))).size).toBe(1);
});

test('the next one is another transfer', async () => {
  await run();
  await run();
  const [one, two] = transfers.map(({ transfer_id }) => BigInt(transfer_id));
  expect(two).toBeGreaterThan(one ?? 0n);
});

test('not moved: with the words of the exchange, and nothing is waited for', async () => {
  transfer = () => ({ moved: false, code: '21301', message: 'not enough collateral' });
  const { handle, result } = await run();
  expect(result).toMatchObject({ state: 'not-moved', code: '21301', message: 'not enough collateral' });
  expect(shown).toEqual([]);
  await keepHistory('rebalance-not-moved', handle);
});

test('nobody knows for long: a person hears, and it goes on until it is known', async () => {
  transfer = () => {
    if (alerts.length === 0) throw new Error('no answer');
    return { moved: true, tx_hash: 'abc' };
  };
  const handle = await startRebalance(client, accounts, { by: 'test', tell_after_ms: 100 });
  expect(await handle?.result()).toMatchObject({ state: 'moved' });
  expect(alerts[0]).toMatchObject({ kind: 'rebalance-in-doubt', what: expect.stringContaining('250.000000 USDC') });
});

test('by itself: a person is told what became of it by the run, which outlives whoever began it; nothing to move is no news', async () => {
  const { handle } = await run(AUTOMATIC);
  await keepHistory('rebalance-automatic', handle);
  plan = { move: false, code: 'unread', message: 'HTTP 503' };
  await run(AUTOMATIC);
  plan = { move: false, code: 'even', message: 'even', figures };
  await run(AUTOMATIC);
  expect(alerts).toEqual([
    expect.objectContaining({
      kind: 'rebalanced',
      what: expect.stringContaining('250.00 USDC were moved from account A to account B'),
    }),
    expect.objectContaining({ kind: 'rebalance-failed', what: expect.stringContaining('HTTP 503') }),
  ]);
});

test('nothing to move, and what may not be: no transfer is begun', async () => {
  plan = { move: false, code: 'even', message: 'even', figures };
  expect((await run()).result).toEqual({ state: 'even', code: 'even', message: 'even', figures });
  plan = { move: false, code: 'unread', message: 'HTTP 503' };
  expect((await run()).result).toMatchObject({ state: 'not-moved', code: 'unread' });
  expect(transfers).toEqual([]);
});
