/** A hedge that is blocked: what the operator sees, and each way out of it. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { listOrders } from '../../src/cli/order-list';
import { orderStory } from '../../src/cli/order-story';
import type { OrderId } from '../../src/domain/ids-and-nonces';
import type { ExecuteInput, ExecuteResult, HedgePolicy } from '../../src/domain/messages';
import { keepHistory } from '../replay/histories';
import { undisturbed } from '../helpers/undisturbed';
import { Gate, Script } from './script';
import { MAKER_ACCOUNT, Stage, type TestOrder } from './stage';

let stage: Stage;
const test = undisturbed(() => stage.answers());
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const policy: HedgePolicy = {
  slippage_bps: 50,
  max_slippage_bps: 300,
  on_stuck: 'keep_trying',
  force_close_timeout_ms: 60_000,
};
const LONG_MS = 60_000;

test('S-09 blocked: stuck at once, alerted once, shown everywhere; hedged when the cause is gone', async () => {
  const script = new Script();
  let hasMargin = false;
  script.on('execute', (input) => (hasMargin ? script.execute(input) : script.blocked(input, 50)));
  const order = await stage.order({}, script);
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  await order.fills(5);
  await order.when('it is stuck', (state) => state.hedge_state === 'stuck');
  expect(await order.face()).toMatchObject({ status: 'RUNNING', hedgeState: 'stuck', exposure: 0.00005 });
  expect(await order.details()).toContain(
    '**stuck** · filled 0.00005, hedged 0.00000, closed 0.00000, naked 0.00005 BTC',
  );
  expect(await order.details()).toContain('Stuck: account B has too little margin (margin).');
  await script.called('execute', 4); // it keeps trying
  await Promise.all([script.called('alert'), script.called('cancelMaker')]);
  expect(script.inputs('alert')).toEqual([
    expect.objectContaining({
      kind: 'stuck',
      what: expect.stringContaining('0.00005 BTC naked: account B has too little'),
    }),
  ]);
  expect(script.count('cancelMaker')).toBe(1); // the rest must not fill as well (S-26)
  hasMargin = true;
  expect(await order.handle.result()).toMatchObject({
    maker: { status: 'canceled', filled_base_amount: '0.00005' },
    hedge: { executed_base_amount: '0.00005' },
    hedge_state: 'flat',
  });
  expect((await order.face()).hedgeState).toBe('flat');
  await keepHistory('order-stuck-then-hedged', order.handle);
});

test('S-58 stuck for long: it goes on in new runs of few events, and answers operators', async () => {
  const script = new Script();
  let hasMargin = false;
  script.on('execute', (input) => (hasMargin ? script.execute(input) : script.blocked(input, 20)));
  const order = await stage.order({ history_events_max: 40 }, script);
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  const first = (await order.handle.describe()).runId;
  await order.fills(5);
  await script.called('execute', 20);
  const now = await order.handle.describe();
  expect(now.runId).not.toBe(first);
  expect(now.status.name).toBe('RUNNING');
  expect(now.historyLength).toBeLessThan(80);
  expect(await order.face()).toMatchObject({ hedgeState: 'stuck', exposure: 0.00005 });
  expect(await order.details()).toContain('Stuck: account B has too little margin (margin).');
  expect(script.count('alert')).toBe(1); // what was told is not told again
  expect(await order.handle.query('state')).toMatchObject({ exposure: '0.00005', maker: { status: 'canceled' } });
  hasMargin = true;
  await order.update('retryHedge');
  expect(await order.handle.result()).toMatchObject({
    hedge: { executed_base_amount: '0.00005' },
    hedge_state: 'flat',
  });
  const story = await orderStory(stage.client, {
    makerAccount: MAKER_ACCOUNT,
    id: BigInt(order.id) as OrderId,
    logFolder: '',
  });
  const told = story.lines.map(({ what }) => what);
  expect(told[0]).toBe('started');
  expect(told).toEqual(expect.arrayContaining(['place done', 'goes on in a new run', 'update retryHedge']));
  expect(await listOrders(stage.client, { makerAccount: MAKER_ACCOUNT, state: 'all', limit: 1_000 })).toEqual(
    expect.not.arrayContaining([expect.objectContaining({ orderId: order.id, status: 'continued-as-new' })]),
  );
  await keepHistory('order-continued', order.handle);
});

test('S-58 a cancel of an order in a later run ends it: sealed, and the exposure is reported', async () => {
  const script = new Script();
  script.on('execute', (input) => script.blocked(input, 20));
  script.on('seal', (input) => ({
    ...script.execute({ ...input, fill_lots: '0', retry_now: false }),
    state: 'sealed',
  }));
  const order = await stage.order({ history_events_max: 40 }, script);
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  const first = (await order.handle.describe()).runId;
  await order.fills(5);
  await script.called('execute', 15);
  expect((await order.handle.describe()).runId).not.toBe(first);
  await stage.client.workflow.getHandle(order.handle.workflowId).cancel();
  await order.ended();
  expect(await order.face()).toMatchObject({ status: 'CANCELLED', hedgeState: 'abandoned' });
});

test('S-32 naked for longer than the policy allows is stuck, though the step still runs', async () => {
  const executing = new Gate();
  const script = new Script();
  script.on('execute', async (input) => {
    await executing.passed;
    return script.execute(input);
  });
  const order = await stage.order({ policy: { ...policy, force_close_timeout_ms: 50 } }, script);
  await script.called('place');
  await order.fills(20);
  await order.when('it is stuck', (state) => state.hedge_state === 'stuck');
  expect((await script.called('alert')).what).toContain('not hedged within 0.05 s');
  executing.open();
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  await keepHistory('order-stuck-by-time', order.handle);
});

test('retryHedge tries at once, whatever the back-off', async () => {
  const script = new Script();
  script.on('execute', (input, call) => (call === 1 ? script.blocked(input, LONG_MS) : script.execute(input)));
  const order = await stuckOrder(script);
  expect(await order.update('retryHedge')).toBe('trying again now');
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.inputs('execute').map((input) => input.retry_now)).toEqual([false, true]);
  expect(script.executedLots('hedge')).toBe(20);
  await keepHistory('order-retried', order.handle);
});

test('S-28 forceClose seals the hedge first, then closes what it left on A, as a close', async () => {
  const script = new Script();
  script.on('execute', (input) => hedgeTwelve(script, input));
  const order = await stuckOrder(script);
  expect(await order.update('forceClose')).toBe('sealing the hedge, then closing on the maker account');
  expect(await order.handle.result()).toMatchObject({
    hedge: { executed_base_amount: '0.00012' },
    closed_base_amount: '0.00008',
    exposure: '0.00000',
    hedge_state: 'flat',
  });
  expect(script.names().filter((name) => name === 'execute' || name === 'seal')).toEqual([
    'execute',
    'seal',
    'execute',
  ]);
  const close = script.inputs('execute')[1];
  expect(close).toMatchObject({
    purpose: 'close',
    fill_lots: '20',
    ticket: { ticket_id: order.id, prior_lots: '12', max_lots: '8', side: 'sell', start: 'follows-placement' },
  });
  await keepHistory('order-force-closed', order.handle);
});

test('on_stuck: close does so by itself', async () => {
  const script = new Script();
  script.on('execute', (input) => hedgeTwelve(script, input));
  const order = await stage.order({ policy: { ...policy, on_stuck: 'close', force_close_timeout_ms: 50 } }, script);
  await script.called('place');
  await order.fills(20);
  expect(await order.handle.result()).toMatchObject({ closed_base_amount: '0.00008', hedge_state: 'flat' });
  expect(script.count('alert')).toBe(1);
  await keepHistory('order-closed-by-policy', order.handle);
});

test('P-15 close is stuck too, then retryHedge: each direction is sealed before the next, under a fresh id', async () => {
  const script = new Script();
  script.on('execute', (input, call) => {
    if (call === 1) return hedgeTwelve(script, input);
    if (input.purpose === 'close') return { ...script.execute(input, 3), ...blockedParts(script, input) };
    return script.execute(input);
  });
  const order = await stuckOrder(script);
  await order.update('forceClose');
  await order.when('three are closed', (state) => state.closed_base_amount === '0.00003');
  await order.update('retryHedge');
  expect(await order.handle.result()).toMatchObject({
    hedge: { executed_base_amount: '0.00017' },
    closed_base_amount: '0.00003',
    hedge_state: 'flat',
  });
  expect(script.inputs('seal').map((input) => input.purpose)).toEqual(['hedge', 'close']);
  const last = script.inputs('execute').at(-1);
  expect(last).toMatchObject({ purpose: 'hedge', ticket: { prior_lots: '15', max_lots: '5', start: 'opens-lane' } });
  expect(last?.ticket.ticket_id).not.toBe(order.id);
  expect(script.executedLots()).toBe(20);
  await keepHistory('order-hedge-close-hedge', order.handle);
});

test('cancel while stuck: sealed, reported, alerted; the run ends Canceled and says what is naked', async () => {
  const script = new Script();
  script.on('execute', (input) => hedgeTwelve(script, input));
  const order = await stuckOrder(script);
  await order.handle.cancel();
  const memo = await order.ended();
  expect(memo).toMatchObject({
    hedge: { executed_base_amount: '0.00012' },
    exposure: '0.00008',
    hedge_state: 'abandoned',
  });
  expect(await order.face()).toMatchObject({ status: 'CANCELLED', hedgeState: 'abandoned', exposure: 0.00008 });
  expect(script.count('seal')).toBe(1);
  expect(script.inputs('alert').map((alert) => alert.kind)).toEqual(['stuck', 'abandoned']);
  expect(script.inputs('alert')[1]?.what).toContain('0.00008 BTC naked');
  expect(await order.state()).toMatchObject({ exposure: '0.00008' });
  await keepHistory('order-abandoned', order.handle);
});

test('the seal finds that all was hedged after all: Canceled, but flat', async () => {
  const script = new Script();
  let sent: ExecuteInput | undefined;
  script.on('execute', (input) => {
    sent = input;
    return script.blocked(input, LONG_MS);
  });
  script.on('seal', () => ({ ...script.execute(sent as ExecuteInput), state: 'sealed' }));
  const order = await stuckOrder(script);
  await order.handle.cancel();
  expect(await order.ended()).toMatchObject({ exposure: '0.00000', hedge_state: 'flat' });
  expect(script.inputs('alert').map((alert) => alert.kind)).toEqual(['stuck']);
  await keepHistory('order-cancelled-stuck-flat', order.handle);
});

test('cancelled while hedging, then blocked: sealed and reported as if it had been stuck before', async () => {
  const executing = new Gate();
  const script = new Script();
  script.on('execute', async (input) => {
    await executing.passed;
    return hedgeTwelve(script, input);
  });
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await script.called('execute');
  await order.handle.cancel();
  executing.open();
  expect(await order.ended()).toMatchObject({ exposure: '0.00008', hedge_state: 'abandoned' });
  await keepHistory('order-cancelled-then-stuck', order.handle);
});

test('a lane that was jumped over: the order goes on under a fresh id on a spare lane (P-18)', async () => {
  const script = new Script();
  script.on('execute', (input, call) =>
    call === 1 ? { ...script.execute(input, 0), state: 'jumped' } : script.execute(input),
  );
  const spare = stage.nextLane();
  const order = await stage.order({ spare_lanes: [spare] }, script);
  await script.called('place');
  await order.fills(20);
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  const [first, second] = script.inputs('execute');
  expect(first?.ticket.ticket_id).toBe(order.id);
  expect((BigInt(second?.ticket.ticket_id ?? 0) >> 7n) & 255n).toBe(BigInt(spare));
  await keepHistory('order-lane-jumped', order.handle);
});

test('nothing naked: retryHedge and forceClose are rejected, and nothing is recorded', async () => {
  const order = await stage.order();
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  const events = (await order.handle.fetchHistory()).events?.length;
  expect(await rejection(order, 'retryHedge')).toBe(
    'nothing of this order is naked, or it has ended: there is nothing to retry',
  );
  expect(await rejection(order, 'forceClose')).toBe(
    'nothing of this order is naked, or it has ended: there is nothing to close',
  );
  expect((await order.handle.fetchHistory()).events?.length).toBe(events);
  await order.fills(20);
  await order.handle.result();
});

test('an update of a closed order is rejected by the engine', async () => {
  const order = await stage.order();
  await order.script.called('place');
  await order.fills(20);
  await order.handle.result();
  await expect(order.handle.executeUpdate('retryHedge')).rejects.toThrow(/already completed|not found/);
});

async function stuckOrder(script: Script): Promise<TestOrder> {
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await order.when('it is stuck', (state) => state.hedge_state === 'stuck');
  return order;
}

/** Twelve lots on B, then no margin for more; a close executes. */
function hedgeTwelve(script: Script, input: ExecuteInput): ExecuteResult {
  if (input.purpose === 'close') return script.execute(input);
  return { ...script.execute(input, 12), ...blockedParts(script, input) };
}

function blockedParts(script: Script, input: ExecuteInput): Pick<ExecuteResult, 'state' | 'blocked'> {
  const { state, blocked } = script.blocked(input, LONG_MS);
  return { state, ...(blocked ? { blocked } : {}) };
}

async function rejection(order: TestOrder, update: 'retryHedge' | 'forceClose'): Promise<string | undefined> {
  const error = await order.update(update).catch((e: unknown) => e);
  return error instanceof WorkflowUpdateFailedError ? error.cause?.message : String(error);
}
