/**
 * Invariant 7 at the door: whatever arrives by signal, update or query, an order or a pair keeps running, keeps its ledger, and says
 * what it rejected. The sender of a signal gets no answer, so "says" means the log.
 */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { type WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ordersQueue } from '../../src/domain/messages';
import { keepHistory } from '../replay/histories';
import { undisturbed } from '../helpers/undisturbed';
import { BTC, Script } from './script';
import { HEDGE_ACCOUNT, orderUpdate, Stage, type TestOrder } from './stage';

let stage: Stage;
const test = undisturbed(() => stage.answers());
let sample: Promise<TestOrder>;
beforeAll(async () => {
  stage = await Stage.open();
  sample = stage.order();
});
afterAll(async () => {
  await (await sample).handle.terminate();
  await stage.close();
});

let markets = 0;
const newScript = (): Script => new Script({ ...BTC, symbol: `M${markets++}` });

const good = (id: string, change: object): unknown => ({ ...orderUpdate(id, 5, 'open'), ...change });
const malformedUpdates: [string, (id: string) => unknown][] = [
  ['nothing', () => undefined],
  ['null', () => null],
  ['a text', () => 'filled'],
  ['a number', () => 20],
  ['a list', (id) => [orderUpdate(id, 5, 'open')]],
  ['an empty object', () => ({})],
  ['the order id as a number', (id) => good(id, { order_id: Number(id) })],
  ['an amount that is no number', (id) => good(id, { filled_lots: 'all' })],
  ['an empty amount', (id) => good(id, { filled_lots: '' })],
  ['an amount with decimals', (id) => good(id, { filled_lots: '5.0' })],
  ['an amount in JSON numbers', (id) => good(id, { filled_lots: 5 })],
  ['a negative amount', (id) => good(id, { filled_lots: '-5' })],
  ['a negative quote amount', (id) => good(id, { filled_quote: '-1' })],
  ['no quote amount', (id) => good(id, { filled_quote: undefined })],
  ['an unknown status', (id) => good(id, { status: 'vanished' })],
  ['no status', (id) => good(id, { status: undefined })],
  ['a time that is a text', (id) => good(id, { received_at_ms: 'now' })],
];

describe('orderUpdate', () => {
  test.each(malformedUpdates)('%s changes nothing, is logged, and the order goes on', async (_, make) => {
    const script = new Script().on('arm', async () => ({ armed: true }));
    const order = await stage.order({}, script);
    await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
    const before = await order.state();
    const seen = rejections();
    await order.signal(make(order.id));
    expect(await order.state()).toEqual(before);
    expect(rejections()).toBe(seen + 1);
    expect((await order.face()).status).toBe('RUNNING');
    await order.fills(20);
    expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
    expect(script.names()).toEqual(['arm', 'place', 'execute', 'confirm']);
  });

  test('one that arrives before anything was placed does not stop the placement', async () => {
    const script = new Script().on('arm', async () => {
      await order.signal(good(order.id, { filled_lots: 'all' }));
      return { armed: true };
    });
    const order = await stage.order({}, script);
    await script.called('place');
    await order.fills(20);
    expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  });

  test('one that contradicts what is known loses no fill: the order is hedged, and somebody is told', async () => {
    const order = await stage.order();
    await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
    await order.signal(good(order.id, { filled_lots: '21', status: 'filled' }));
    expect(await order.handle.result()).toMatchObject({
      hedge: { executed_base_amount: '0.00020' },
      exposure: '0.00000',
    });
    expect(order.script.inputs('alert')).toEqual([expect.objectContaining({ kind: 'contradiction' })]);
    await keepHistory('order-contradiction', order.handle);
  });

  test('one of another order is ignored, and said to be', async () => {
    const order = await stage.order();
    const other = await stage.order();
    await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
    const before = await order.state();
    await order.signal(orderUpdate(other.id, 20, 'filled'));
    expect(await order.state()).toEqual(before);
    await stage.logged('an update of another order was ignored');
    await Promise.all([order.fills(20), other.fills(20)]);
    await Promise.all([order.handle.result(), other.handle.result()]);
  });
});

test('a signal, an update and a query of unknown name: the order goes on', async () => {
  const order = await stage.order();
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  const before = await order.state();
  await order.handle.signal('orderFilled', { all: true });
  await expect(order.handle.executeUpdate('closeEverything')).rejects.toThrow(WorkflowUpdateFailedError);
  await expect(order.handle.query('secrets')).rejects.toThrow('secrets');
  expect(await order.state()).toEqual(before);
  expect((await stage.logged('a signal of unknown name was ignored')).meta).toMatchObject({ signal: 'orderFilled' });
  await order.fills(20);
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  await keepHistory('order-odd-messages', order.handle);
});

test('updates take no arguments: what is sent along is ignored', async () => {
  const script = new Script();
  script.on('execute', (input, call) => (call === 1 ? script.blocked(input, 60_000) : script.execute(input)));
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await order.when('it is stuck', (state) => state.hedge_state === 'stuck');
  expect(await order.handle.executeUpdate('retryHedge', { args: [{ lots: '1000' }, null, 'x'] })).toBe(
    'trying again now',
  );
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.executedLots()).toBe(20);
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const undecodable: [string, { metadata?: Record<string, Uint8Array>; data?: Uint8Array }][] = [
  ['declared as JSON, but none', { metadata: { encoding: text('json/plain') }, data: text('{"order_id":') }],
  ['of an unknown encoding', { metadata: { encoding: text('binary/of-tomorrow') }, data: text('{}') }],
  ['without any encoding', { data: text('{}') }],
];

describe('a payload that cannot be decoded', () => {
  test.each(undecodable)('%s: the order lives, rejects it, and hedges', async (_, payload) => {
    const order = await stage.order();
    await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
    const before = await order.state();
    const seen = rejections();
    await sendRaw(order.handle.workflowId, 'orderUpdate', payload);
    expect(await order.state()).toEqual(before);
    expect(rejections()).toBe(seen + 1);
    await sendRaw(order.handle.workflowId, 'orderFilled', payload);
    await order.fills(20);
    expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  });

  test('one readable payload beside it does not make the signal readable', async () => {
    const order = await stage.order();
    await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
    const before = await order.state();
    const good = {
      metadata: { encoding: text('json/plain') },
      data: text(JSON.stringify(orderUpdate(order.id, 5, 'open'))),
    };
    await sendRaw(order.handle.workflowId, 'orderUpdate', good, undecodable[0]![1]);
    expect(await order.state()).toEqual(before);
    await order.fills(20);
    await order.handle.result();
  });

  test.each(undecodable)('%s, to a pair: it goes on', async (_, payload) => {
    const pair = await stage.pair(newScript());
    await pair.order();
    const before = await pair.state();
    await sendRaw(pair.handle.workflowId, 'orderState', payload);
    expect(await pair.state()).toEqual(before);
    await pair.update('stop');
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { started: 1, unfilled: 1 } });
  });

  test('as the input of a start: the run fails at once and says why', async () => {
    const workflowId = 'an undecodable start';
    await stage.client.workflowService.startWorkflowExecution({
      namespace: stage.client.options.namespace,
      workflowId,
      workflowType: { name: 'makerOrder' },
      taskQueue: { name: ordersQueue(HEDGE_ACCOUNT) },
      input: { payloads: [undecodable[0]![1]] },
      requestId: workflowId,
    });
    const failure = await stage.client.workflow
      .getHandle(workflowId)
      .result()
      .catch((error: unknown) => error);
    expect(String((failure as WorkflowFailedError).cause)).toContain('the input was rejected: ReceivedError');
  });
});

/** A signal as no client of ours would send it. */
async function sendRaw(workflowId: string, signalName: string, ...payloads: object[]): Promise<void> {
  await stage.client.workflowService.signalWorkflowExecution({
    namespace: stage.client.options.namespace,
    workflowExecution: { workflowId },
    signalName,
    input: { payloads },
  });
}

const starts: [string, string, unknown, string][] = [
  ['makerOrder', 'nothing', undefined, 'an order is not an object'],
  ['makerOrder', 'an empty object', {}, 'malformed: order_id'],
  ['makerOrder', 'no policy', { policy: undefined }, 'policy is not an object'],
  ['makerOrder', 'lots in JSON numbers', { lots: 20 }, 'malformed: lots'],
  ['pair', 'nothing', undefined, 'a pair is not an object'],
  [
    'pair',
    'no lanes',
    { market: 'BTC', maker_account: 1, hedge_account: 2, strategy: 'buy', depth: 1 },
    'malformed: lots',
  ],
];

test.each(starts)('a %s started with %s fails at once and says why', async (workflow, what, change, why) => {
  const { input } = await sample;
  const merged =
    workflow === 'makerOrder' && Object.keys(change ?? {}).length > 0 ? { ...input, ...(change as object) } : change;
  const handle = await stage.client.workflow.start(workflow, {
    workflowId: `${workflow} ${what}`,
    taskQueue: ordersQueue(HEDGE_ACCOUNT),
    args: merged === undefined ? [] : [merged],
  });
  const failure = await handle.result().catch((error: unknown) => error);
  expect(String((failure as WorkflowFailedError).cause)).toContain(`the input was rejected: ReceivedError: ${why}`);
});

const malformedStates: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'done'],
  ['an empty object', {}],
  ['an id that is a number', { order_id: 7, last_id: '7', hedge_state: 'flat', exposure_lots: '0', done: true }],
];

describe('orderState, to a pair', () => {
  test.each(malformedStates)('%s changes nothing, is logged, and the pair goes on', async (_, sent) => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    const before = await pair.state();
    await pair.handle.signal('orderState', sent);
    expect(await pair.state()).toEqual(before);
    await pair.update('stop');
    await order.ended();
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { started: 1, unfilled: 1 } });
  });

  test('one about its open order with a malformed field changes nothing', async () => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    const before = await pair.state();
    const state = { order_id: order.id, last_id: order.id, hedge_state: 'flat', exposure_lots: '0', done: true };
    for (const change of [
      { done: 'yes' },
      { hedge_state: 'fine' },
      { last_id: 'x' },
      { last_id: undefined },
      { exposure_lots: 0 },
      { result: 'ok' },
      { result: { maker: {} } },
    ]) {
      await pair.handle.signal('orderState', { ...state, ...change });
    }
    expect(await pair.state()).toEqual(before);
    await pair.update('stop');
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { started: 1, unfilled: 1 } });
  });

  test('late or foreign ones change nothing', async () => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    const before = await pair.state();
    const foreign = (BigInt(order.id) - (1n << 15n)).toString();
    await pair.handle.signal('orderState', {
      order_id: foreign,
      last_id: foreign,
      hedge_state: 'flat',
      exposure_lots: '0',
      done: true,
    });
    expect(await pair.state()).toEqual(before);
    await pair.update('stop');
    await pair.handle.result();
  });
});

function rejections(): number {
  return stage.logs.filter((entry) => entry.message === 'an update was rejected and changed nothing').length;
}
