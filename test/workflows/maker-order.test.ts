/** One order's life: each test drives one path to its end and looks at what operators and the pair would see. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { keepHistory } from '../replay/histories';
import { eventually } from '../system/eventually';
import { undisturbed } from '../helpers/undisturbed';
import { Gate, Script } from './script';
import { countEvents, orderUpdate, Stage } from './stage';

let stage: Stage;
const test = undisturbed(() => stage.answers());
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** A hedge that ends when the gate is opened. */
function hedgesLate(): { readonly script: Script; readonly executing: Gate } {
  const executing = new Gate();
  const script = new Script();
  script.on('execute', async (input) => {
    await executing.passed;
    return script.execute(input);
  });
  return { script, executing };
}

test('arm, place, fill, cover, confirm: flat, and the record says so everywhere', async () => {
  const order = await stage.order();
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  await order.fills(20);
  const result = await order.handle.result();
  expect(result).toMatchObject({
    order_id: order.id,
    market: 'BTC',
    side: 'buy',
    maker: { status: 'filled', filled_base_amount: '0.00020', avg_price: '109450.0' },
    hedge: {
      executed_base_amount: '0.00020',
      executed_quote_amount: '21.890000',
      avg_price: '109450.0',
      slices: [{ executed: '20', path: 'durable' }],
    },
    closed_base_amount: '0.00000',
    exposure: '0.00000',
    hedge_state: 'flat',
    reason: '',
  });
  expect(order.script.names()).toEqual(['arm', 'place', 'execute', 'confirm']);
  expect(order.script.inputs('confirm')[0]?.result).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
  expect(await order.face()).toEqual({
    status: 'COMPLETED',
    hedgeState: 'flat',
    exposure: 0,
    memo: result,
    summary: 'BUY 0.00020 BTC @ 109450.0',
  });
  expect(await order.state()).toMatchObject({ hedge_state: expect.any(String), exposure: '0.00000' });
  expect(await order.details()).toContain('filled 0.00020, hedged 0.00020, closed 0.00000, naked 0.00000 BTC');
  await keepHistory('order-flat', order.handle);
});

test('an ordinary order costs the server one activity and three tasks; the rest is done within them', async () => {
  const order = await stage.order();
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  await order.fills(20);
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat', last_id: order.id });
  expect(await countEvents(order.handle, 'ACTIVITY_TASK_SCHEDULED')).toBe(1);
  expect(await countEvents(order.handle, 'WORKFLOW_TASK_SCHEDULED')).toBe(3);
  expect(await countEvents(order.handle, 'MARKER_RECORDED')).toBe(3);
  expect(await countEvents(order.handle, 'TIMER_STARTED')).toBe(1);
  expect(await countEvents(order.handle, 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES')).toBe(2);
  expect(await countEvents(order.handle, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED')).toBe(0);
  await keepHistory('order-steps-in-task', order.handle);
});

test('news during the confirmation: the task is done again, and the order still ends once', async () => {
  // On a slow machine the engine may hand over the news in a task of its own before the confirmation ends: nothing is done again then.
  let { handle, confirmed } = await toldWhileConfirming();
  for (let tries = 1; tries < 10 && confirmed === 1; tries += 1) ({ handle, confirmed } = await toldWhileConfirming());
  expect(confirmed).toBeGreaterThan(1);
  await keepHistory('order-confirmed-again', handle);

  async function toldWhileConfirming() {
    const confirming = new Gate();
    const script = new Script().on('confirm', () => confirming.passed);
    const order = await stage.order({}, script);
    await script.called('place');
    await order.fills(20);
    await script.called('confirm');
    await order.signal(orderUpdate(order.id, 20, 'filled'));
    confirming.open();
    expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
    expect(script.executedLots()).toBe(20);
    return { handle: order.handle, confirmed: script.count('confirm') };
  }
});

test('a confirmation that fails within its task is asked again as a step of its own', async () => {
  const script = new Script().on('confirm', (_, call) => {
    if (call === 1) throw new Error('Redis is gone');
  });
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.names()).toEqual(['arm', 'place', 'execute', 'confirm', 'confirm']);
  expect(await countEvents(order.handle, 'ACTIVITY_TASK_SCHEDULED')).toBe(2);
  await keepHistory('order-confirmed-as-step', order.handle);
});

test('a hedge that takes longer than a second goes on as a step of its own, and the order says that it hedges', async () => {
  const { script, executing } = hedgesLate();
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await script.called('execute', 2);
  await order.when('it says so', (state) => state.hedge_state === 'hedging');
  await eventually('lists say so', async () => (await order.face()).hedgeState === 'hedging' || undefined);
  expect(await countEvents(order.handle, 'ACTIVITY_TASK_SCHEDULED')).toBe(2);
  executing.open();
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.executedLots()).toBe(20);
  await keepHistory('order-hedged-as-step', order.handle);
});

test('a hedge after trouble, and one that an operator asks for, is on record before it is sent', async () => {
  const script = new Script();
  script.on('execute', (input, call) => (call === 1 ? script.blocked(input, 60_000) : script.execute(input)));
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await script.called('alert');
  await order.update('retryHedge');
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.count('execute')).toBe(2);
  expect(await countEvents(order.handle, 'MARKER_RECORDED')).toBe(3);
  expect(await countEvents(order.handle, 'ACTIVITY_TASK_SCHEDULED')).toBe(3); // placed, told, hedged
});

test('a cancel that comes while it is armed within a task: it is placed, and cancelled at once', async () => {
  const arming = new Gate();
  const script = new Script().on('arm', async () => {
    await arming.passed;
    return { armed: true };
  });
  const order = await stage.order({}, script);
  await script.called('arm');
  await order.handle.cancel();
  arming.open();
  expect(await order.ended()).toMatchObject({
    maker: { status: 'canceled', filled_base_amount: '0.00000' },
    hedge_state: 'flat',
  });
  expect((await order.face()).status).toBe('CANCELLED');
  expect(script.names()).toEqual(['arm', 'place', 'cancelMaker']);
});

test('S-03 the fill arrives before `place` has returned: it is hedged while `place` runs', async () => {
  const placing = new Gate();
  const script = new Script();
  script.on('place', async ({ order: { order_id } }) => {
    await placing.passed;
    return { placed: true, ...script.amounts(order_id), at_ms: Date.now() };
  });
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await order.when('it is hedged', (state) => state.exposure === '0.00000' && state.hedge.slices.length === 1);
  placing.open();
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.names()).toEqual(['arm', 'place', 'execute', 'confirm']);
  await keepHistory('order-filled-before-placed', order.handle);
});

test('S-22 nobody can hedge: nothing is placed', async () => {
  const script = new Script().on('arm', () => ({ armed: false, code: 'margin', message: 'too little margin' }));
  const order = await stage.order({}, script);
  expect(await order.handle.result()).toMatchObject({
    maker: { status: 'not-placed' },
    hedge_state: 'flat',
    reason: 'not quoted: too little margin',
  });
  expect(script.names()).toEqual(['arm']);
  await keepHistory('order-not-armed', order.handle);
});

test('the placement is proved not to have happened: the order ends', async () => {
  const script = new Script().on('place', () => ({ placed: false, code: 'stale', message: 'sealed, it was stale' }));
  const order = await stage.order({}, script);
  expect(await order.handle.result()).toMatchObject({
    maker: { status: 'not-placed' },
    reason: 'not placed: sealed, it was stale',
  });
  expect(script.names()).toEqual(['arm', 'place']);
  await keepHistory('order-not-placed', order.handle);
});

test('S-01 a fill of 5, then 15: hedged 20, each lot once', async () => {
  const order = await stage.order();
  await order.script.called('place');
  await order.fills(5);
  await order.when('five are hedged', (state) => state.hedge.executed_base_amount === '0.00005');
  await order.fills(20);
  await order.handle.result();
  expect(order.script.inputs('execute').map((input) => input.fill_lots)).toEqual(['5', '20']);
  expect(order.script.executedLots()).toBe(20);
  await keepHistory('order-partial-fills', order.handle);
});

test('the exchange drops the rest of a partial fill: the part is hedged and the order ends', async () => {
  const order = await stage.order();
  await order.script.called('place');
  await order.fills(5);
  await order.fills(5, 'canceled-expired');
  expect(await order.handle.result()).toMatchObject({
    maker: { status: 'canceled-expired', filled_base_amount: '0.00005' },
    hedge: { executed_base_amount: '0.00005' },
    hedge_state: 'flat',
  });
  await keepHistory('order-partial-expired', order.handle);
});

test('unfilled after its time: cancelled again and again until the record is terminal (S-30)', async () => {
  const script = new Script();
  script.on('cancelMaker', ({ order_id }, call) => {
    if (call === 1) return { known: false, reason: 'the answer was lost' };
    if (call > 2) Object.assign(script.makerOf(order_id), { status: 'canceled', filled: 3 });
    return { known: true, ...script.amounts(order_id), transaction_time_us: call };
  });
  const order = await stage.order({ time_out_ms: 50 }, script);
  expect(await order.handle.result()).toMatchObject({
    maker: { status: 'canceled', filled_base_amount: '0.00003' },
    hedge: { executed_base_amount: '0.00003' },
    hedge_state: 'flat',
  });
  expect(script.count('cancelMaker')).toBe(3);
  await keepHistory('order-timed-out', order.handle);
});

test('P-01 a cancel answers "canceled with 0" only if it says so itself; a fill frame that races it is hedged', async () => {
  const cancelling = new Gate();
  const script = new Script();
  script.on('cancelMaker', async ({ order_id }) => {
    await cancelling.passed;
    return { known: true, ...script.amounts(order_id), transaction_time_us: 1 };
  });
  const order = await stage.order({ time_out_ms: 20 }, script);
  await script.called('cancelMaker');
  await order.fills(20);
  await order.when('it is hedged', (state) => state.hedge.executed_base_amount === '0.00020');
  cancelling.open();
  expect(await order.handle.result()).toMatchObject({ maker: { status: 'filled' }, hedge_state: 'flat' });
  await keepHistory('order-filled-while-cancelled', order.handle);
});

test('200 signals with one content, while a hedge runs: one further cover', async () => {
  const executing = new Gate();
  const script = new Script();
  script.on('execute', async (input, call) => {
    if (call === 1) await executing.passed;
    return script.execute(input);
  });
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(5);
  await script.called('execute');
  await Promise.all(Array.from({ length: 200 }, () => order.signal(orderUpdate(order.id, 20, 'filled'))));
  executing.open();
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.inputs('execute').map((input) => input.fill_lots)).toEqual(['5', '20']);
});

test('a late, lower record takes nothing back', async () => {
  const order = await stage.order();
  await order.script.called('place');
  await order.fills(7);
  await order.signal(orderUpdate(order.id, 3, 'open'));
  await order.fills(20);
  await order.signal(orderUpdate(order.id, 7, 'open')).catch(() => undefined); // it may be over by then
  expect(await order.handle.result()).toMatchObject({ maker: { filled_base_amount: '0.00020' }, hedge_state: 'flat' });
});

test('a second start with the same id is rejected, while it runs and after it', async () => {
  const order = await stage.order();
  await expect(stage.start(order.input)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  await order.script.called('place');
  await order.fills(20);
  await order.handle.result();
  await expect(stage.start(order.input)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
});

test('P-10 a step that ends without an answer is decided anew', async () => {
  const script = new Script();
  script.on('execute', (input, call) => {
    if (call === 1) throw ApplicationFailure.nonRetryable('the worker died in the middle');
    return script.execute(input);
  });
  script.on('place', (input, call) => {
    if (call === 1) throw ApplicationFailure.nonRetryable('the worker died in the middle');
    return { placed: true, ...script.amounts(input.order.order_id), at_ms: Date.now() };
  });
  const order = await stage.order({}, script);
  await script.called('place', 2);
  await order.fills(20);
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
  expect(script.executedLots()).toBe(20);
  await keepHistory('order-steps-failed', order.handle);
});

test('cancelled while quoting: the quote is cancelled, what filled is hedged, the run ends Canceled', async () => {
  const script = new Script();
  const order = await stage.order({}, script);
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  script.makerOf(order.id).filled = 5;
  await order.handle.cancel();
  const failure = await order.handle.result().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkflowFailedError);
  expect((failure as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  const memo = await order.ended();
  expect(memo).toMatchObject({ maker: { status: 'canceled', filled_base_amount: '0.00005' }, hedge_state: 'flat' });
  expect(await order.face()).toMatchObject({ status: 'CANCELLED', hedgeState: 'flat', exposure: 0 });
  expect(script.names()).toEqual(['arm', 'place', 'cancelMaker', 'execute', 'confirm']);
  await keepHistory('order-cancelled-quoting', order.handle);
});

test('cancelled before anything was placed: nothing is placed', async () => {
  const arming = new Gate();
  const script = new Script().on('arm', async () => {
    await arming.passed;
    return { armed: true };
  });
  const order = await stage.order({}, script);
  await script.called('arm', 2); // no answer within its task: asked again as a step, beside which the order hears
  await order.handle.cancel();
  arming.open();
  expect(await order.ended()).toMatchObject({ maker: { status: 'not-placed' }, hedge_state: 'flat' });
  expect(script.names()).toEqual(['arm', 'arm']);
  expect((await order.face()).status).toBe('CANCELLED');
  await keepHistory('order-cancelled-arming', order.handle);
  await keepHistory('order-cancelled-arming-as-step', order.handle);
});

test('cancelled while hedging, twice: the hedge finishes, the run ends Canceled once', async () => {
  const { script, executing } = hedgesLate();
  const order = await stage.order({}, script);
  await script.called('place');
  await order.fills(20);
  await script.called('execute');
  await order.handle.cancel();
  await order.handle.cancel();
  expect((await order.state()).hedge_state).toBe('hedging');
  executing.open();
  expect(await order.ended()).toMatchObject({ hedge: { executed_base_amount: '0.00020' }, hedge_state: 'flat' });
  expect((await order.face()).status).toBe('CANCELLED');
  expect(script.count('seal')).toBe(0);
  await order.handle.cancel(); // of a closed run: reports success, changes nothing
  await keepHistory('order-cancelled-hedging', order.handle);
});
