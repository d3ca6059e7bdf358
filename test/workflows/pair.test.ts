/** A market's slots: what starts orders, what stops them, and what must be proved before a lane is used again. */
// Each test has lanes and a market of its own, so they run five at a time; what waits longest stands first.
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { WorkflowExecutionAlreadyStartedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { laneOf, nextOrderId, type OrderId } from '../../src/domain/ids-and-nonces';
import type { PairInput } from '../../src/domain/messages';
import { otherLanes, startPair } from '../../src/workers/pairs';
import { keepHistory } from '../replay/histories';
import { eventually } from '../system/eventually';
import { undisturbed } from '../helpers/undisturbed';
import { BTC, Gate, PRICE_TICKS, Script } from './script';
import { countEvents, Stage, type TestPair } from './stage';

let stage: Stage;
const test = undisturbed(() => stage.answers());
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

let markets = 0;
const newScript = (): Script => new Script({ ...BTC, symbol: `P${markets++}` });
const laneOfText = (id: string): number => laneOf(BigInt(id) as OrderId);

/** Two slots; the first one's order fills, and B has no margin to hedge it until it is given some. */
async function pairWithoutMargin(change: Partial<PairInput> = {}) {
  const script = newScript();
  let hasMargin = false;
  script.on('execute', (input) => (hasMargin ? script.execute(input) : script.blocked(input, 50)));
  const pair = await stage.pair(script, { lanes: [stage.nextLane(), stage.nextLane()], ...change });
  const [first, second] = [await pair.order(1), await pair.order(2)];
  await first.fills(20);
  const giveMargin = (): void => {
    hasMargin = true;
  };
  return { script, pair, first, second, giveMargin };
}

/** Operators' commands that change nothing in the end, until the pair has gone on in a new run. */
async function untilRenewed(pair: TestPair): Promise<void> {
  const { runId } = await pair.handle.describe();
  for (let n = 0; (await pair.handle.describe()).runId === runId; n++) {
    if (n > 100) throw new Error('the pair does not go on in a new run');
    await pair.update('pause');
    await pair.update('resume');
  }
}

/** One of two orders is stuck, and the pair has gone on in a new run. */
async function renewedWhileStuck() {
  const stuck = await pairWithoutMargin({ history_events_max: 120 });
  const { pair, first, second } = stuck;
  const { runId } = await pair.handle.describe();
  await second.handle.result();
  await pair.when('it knows', ({ slots }) => slots.some(({ hedge_state }) => hedge_state === 'stuck'));
  await untilRenewed(pair);
  return {
    ...stuck,
    lane: laneOfText(first.id),
    before: stage.client.workflow.getHandle(pair.handle.workflowId, runId),
  };
}

test.concurrent(
  'a long history while an order is stuck: the new run knows it, gives its lane to nobody, and hears of its end',
  async () => {
    const { script, pair, first, giveMargin, lane, before } = await renewedWhileStuck();
    const state = await pair.state();
    expect(state).toMatchObject({ mode: 'running', reason: expect.stringContaining('an order is stuck') });
    expect(state.slots.find((slot) => slot.lane === lane)).toEqual({
      ...{ lane, state: 'busy', order_id: first.id, hedge_state: 'stuck' },
      reasons: [{ code: 'stuck', text: 'the hedge of its order is stuck' }],
    });
    expect(script.count('place')).toBe(2);
    giveMargin();
    await first.handle.result();
    await script.called('place', 4);
    expect((await pair.state()).counts).toEqual({ started: 4, filled: 1, unfilled: 1, failed: 0, abandoned: 0 });
    expect(script.count('laneHistory')).toBe(2); // both lanes were proved once
    await keepHistory('pair-hands-over', before);
    await stopped(pair);
    await keepHistory('pair-takes-over', stage.client.workflow.getHandle(pair.handle.workflowId));
  },
);

test.concurrent(
  'a long history while an order is stuck: one that is stopping goes on stopping, and ends when the order has',
  async () => {
    const { pair, first, giveMargin } = await renewedWhileStuck();
    await pair.update('stop');
    await untilRenewed(pair);
    expect(await pair.state()).toMatchObject({ mode: 'stopping', reason: 'stopped by the operator' });
    giveMargin();
    await first.handle.result();
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { started: 2, filled: 1 } });
  },
);

test.concurrent(
  'a long history while an order is stuck: a flatten that the next renewal meets still sees its order terminated, and ends',
  async () => {
    const { script, pair, first, lane } = await renewedWhileStuck();
    script.on('readPosition', () => ({
      known: true,
      lots: '0',
      mid_ticks: PRICE_TICKS.toString(),
      market: script.market,
    }));
    const flattened = pair.update('flatten');
    script.on('laneHistory', () => ({ running: first.id }));
    while ((await pair.handle.describe()).historyLength < 130) await pair.update('pause');
    await script.called('laneHistory', script.count('laneHistory') + 1);
    script.on('laneHistory', (asked) => (asked.lane === lane ? { newest: { order_id: first.id, flat: true } } : {}));
    await first.handle.terminate('a test');
    expect(await flattened).toContain('flat: both positions');
    await stopped(pair);
  },
);

test.concurrent(
  'a long history while an order is stuck: terminated then: it is noticed, and its lane is proved before it is used again',
  async () => {
    const { script, pair, first, lane } = await renewedWhileStuck();
    await first.handle.terminate('a test');
    script.on('laneHistory', (asked) => (asked.lane === lane ? { newest: { order_id: first.id, flat: true } } : {}));
    await pair.when('its lane is used again', ({ slots }) =>
      slots.some((slot) => slot.lane === lane && slot.order_id !== undefined && slot.order_id !== first.id),
    );
    expect(script.inputs('laneHistory').filter((asked) => asked.lane === lane)).toHaveLength(3); // proof, look, proof
    await stopped(pair);
  },
);

test.concurrent(
  'one order per slot, each on its own lane; the limit counts filled orders, then the pair stops by itself',
  async () => {
    const lanes = [stage.nextLane(), stage.nextLane()];
    const pair = await stage.pair(newScript(), { lanes, order_limit: 3 });
    const [first, second] = [await pair.order(1), await pair.order(2)];
    expect([first, second].map((order) => laneOfText(order.id)).sort()).toEqual(lanes);
    expect(await first.face()).toMatchObject({
      hedgeState: 'quoting',
      summary: `BUY 0.00020 ${pair.input.market} @ 109450.0`,
    });
    await first.fills(20);
    const third = await pair.order(3);
    expect(laneOfText(third.id)).toBe(laneOfText(first.id));
    expect(BigInt(third.id)).toBeGreaterThan(BigInt(first.id));
    expect(pair.script.inputs('quote').at(-1)?.open_lots).toBe('20');
    await second.fills(20);
    await second.handle.result();
    await third.fills(20);
    expect(await pair.handle.result()).toMatchObject({
      mode: 'stopped',
      reason: 'the order limit is reached',
      counts: { started: 3, filled: 3, unfilled: 0, failed: 0, abandoned: 0 },
    });
    await keepHistory('pair-order-limit', pair.handle);
    await third.handle.result();
    await keepHistory('order-of-pair-flat', third.handle);
  },
);

test.concurrent('the end of an ordinary order is heard from its result alone', async () => {
  const pair = await stage.pair(newScript(), { order_limit: 1 });
  const order = await pair.order();
  await order.fills(20);
  expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { started: 1, filled: 1 } });
  expect(await countEvents(order.handle, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED')).toBe(0);
  expect(await countEvents(pair.handle, 'WORKFLOW_EXECUTION_SIGNALED')).toBe(0);
  expect(await countEvents(pair.handle, 'TIMER_STARTED')).toBe(0);
  await keepHistory('pair-hears-results', pair.handle);
});

test.concurrent('S-32 one stuck order stops all quoting of its pair, until it is hedged', async () => {
  const { script, pair, first, second, giveMargin } = await pairWithoutMargin();
  await pair.when(
    'it knows',
    (state) => state.reason === 'an order is stuck: no new quotes until it is hedged or closed',
  );
  await second.handle.cancel();
  await pair.when('the other slot is free', (state) => state.slots.some((slot) => slot.state === 'free'));
  const quotes = script.count('quote');
  await script.called('execute', script.count('execute') + 3); // time passes
  expect(script.count('quote')).toBe(quotes);
  giveMargin();
  await first.handle.result();
  await script.called('quote', quotes + 1);
  await pair.update('stop');
  expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { filled: 1 } });
  await keepHistory('pair-stuck', pair.handle);
});

test.concurrent('S-32 a hedge that gets stuck ends the resting quotes of the other slots', async () => {
  const { pair, first, second, giveMargin } = await pairWithoutMargin();
  expect(await second.handle.result()).toMatchObject({ maker: { status: 'canceled' }, hedge_state: 'flat' });
  await pair.when('it knows', (state) => state.slots.some((slot) => slot.hedge_state === 'stuck'));
  giveMargin();
  await first.handle.result();
  await pair.update('stop');
  expect(await pair.handle.result()).toMatchObject({ counts: { filled: 1 } });
  await keepHistory('pair-stuck-ends-quotes', pair.handle);
  await keepHistory('order-quote-ended', second.handle);
});

test.concurrent.each(['stop', 'pause'] as const)(
  '%s while an order is being hedged, and the hedge gets stuck then: it goes on until it is hedged',
  async (how) => {
    const script = newScript();
    const executing = new Gate();
    let hasMargin = false;
    script.on('execute', async (input) => {
      await executing.passed;
      return hasMargin ? script.execute(input) : script.blocked(input, 50);
    });
    const pair = await stage.pair(script);
    const order = await pair.order();
    await order.fills(20);
    await script.called('execute');
    await pair.update(how);
    executing.open();
    await pair.when('it is stuck', (state) => state.slots[0]?.hedge_state === 'stuck');
    await script.called('execute', script.count('execute') + 2);
    hasMargin = true;
    expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
    if (how === 'pause') await pair.update('stop');
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { filled: 1, abandoned: 0 } });
    await keepHistory(`pair-${how === 'stop' ? 'stopped' : 'paused'}-while-hedging`, pair.handle);
    if (how === 'stop') await keepHistory('order-quote-ended-then-stuck', order.handle);
  },
);

test.concurrent('orders that cannot be placed, in a row: paused with the reason; resume tries again', async () => {
  const script = newScript();
  script.on('arm', (_, call) =>
    call < 3 ? { armed: false, code: 'margin', message: 'too little margin' } : { armed: true },
  );
  const pair = await stage.pair(script);
  const paused = await pair.when('it is paused', (state) => state.mode === 'paused');
  expect(paused).toMatchObject({
    reason: '2 orders in a row could not be placed, the last one: not quoted: too little margin',
    counts: { started: 2, failed: 2 },
  });
  expect(script.count('arm')).toBe(2);
  expect(await timersOf(pair)).toEqual([500]);
  expect(await pair.update('resume')).toBe('the pair is running');
  await pair.order(1);
  await pair.update('stop');
  await pair.handle.result();
  await keepHistory('pair-failures', pair.handle);
});

describe('S-55 the accounts differ', () => {
  const OFF = { state: 'off', lots: '-50', what: 'A 0.00020 BTC, B -0.00070 BTC' } as const;
  const EVEN = { state: 'even', lots: '0', what: '' } as const;
  const scriptThatMinds = (): Script => {
    const script = newScript();
    return script.on('quote', ({ off_lots }) =>
      off_lots === undefined
        ? { quote: true, side: 'buy', price_ticks: PRICE_TICKS.toString(), market: script.market }
        : { quote: false, code: 'books-differ', message: 'they differ', retry_after_ms: 60_000 },
    );
  };

  test.concurrent(
    'resting quotes end, what is quoted next knows of it, the status says so; even again: it goes on by itself',
    async () => {
      const script = scriptThatMinds();
      const pair = await stage.pair(script);
      const first = await pair.order(1);
      script.on('books', () => OFF);
      await pair.handle.signal('booksState', OFF);
      expect(await first.handle.result()).toMatchObject({ maker: { status: 'canceled' }, hedge_state: 'flat' });
      const off = await pair.when('its slot waits', (state) => state.slots[0]?.note === 'they differ');
      expect(off).toMatchObject({ mode: 'running', reason: expect.stringContaining(OFF.what) });
      expect(script.inputs('quote').at(-1)?.off_lots).toBe('-50');
      // Renewed: nothing new, nothing asked.
      await pair.handle.signal('booksState', OFF);
      // A stranger says even: the hedger is asked, and says no.
      await pair.handle.signal('booksState', EVEN);
      await script.called('books', 2);
      expect((await pair.state()).reason).toContain(OFF.what);
      expect(script.count('place')).toBe(1);
      script.on('books', () => EVEN);
      await pair.handle.signal('booksState', EVEN);
      await pair.order(2);
      expect(await pair.state()).toMatchObject({ mode: 'running', reason: '' });
      await stopped(pair);
      await keepHistory('pair-books-differ', pair.handle);
    },
  );

  test.concurrent('at the start it quotes nothing before both were compared', async () => {
    const script = newScript();
    script.on('books', (_, call) => (call === 1 ? { state: 'unknown', lots: '', what: 'no reading yet' } : EVEN));
    const pair = await stage.pair(script);
    await pair.order(1);
    const names = script.names();
    expect(names.lastIndexOf('books')).toBeLessThan(names.indexOf('quote'));
    expect(script.count('books')).toBe(2);
    await stopped(pair);
  });

  test.concurrent(
    'what is not renewed is asked for, and ends when the hedger says that they are even: nobody stops a pair for good',
    async () => {
      const script = scriptThatMinds();
      const pair = await stage.pair(script, { books_ask_ms: 300 });
      await pair.order(1);
      await pair.handle.signal('booksState', OFF);
      await pair.order(2);
      expect(script.count('books')).toBe(2);
      await stopped(pair);
    },
  );

  test.concurrent('a pair that continues as new still knows', async () => {
    const script = newScript();
    script.on('quote', () => ({ quote: false, code: 'books-differ', message: 'they differ', retry_after_ms: 50 }));
    const pair = await stage.pair(script, { history_events_max: 60 });
    await pair.when('it has compared them', (state) => state.slots[0]?.note !== undefined);
    await pair.handle.signal('booksState', OFF);
    const { runId } = await pair.handle.describe();
    await eventually('the next run', async () => ((await pair.handle.describe()).runId === runId ? undefined : true));
    expect((await pair.state()).reason).toContain(OFF.what);
    expect(script.count('books')).toBe(1);
    await stopped(pair);
  });

  test.concurrent.each([
    ['nothing', undefined],
    ['a text', 'off'],
    ['an unknown state', { ...OFF, state: 'odd' }],
    ['no amount', { ...OFF, lots: 'many' }],
    ['off by nothing', { ...OFF, lots: '0' }],
    ['even by something', { ...EVEN, lots: '5' }],
    ['endless words', { ...OFF, what: 'x'.repeat(10_000) }],
  ])('a signal that holds %s changes nothing', async (_, malformed) => {
    const pair = await stage.pair(newScript());
    const order = await pair.order(1);
    await pair.handle.signal('booksState', malformed);
    expect(await pair.state()).toMatchObject({ mode: 'running', reason: '' });
    expect((await order.state()).maker.status).toBe('open');
    expect(pair.script.count('books')).toBe(1);
    await stopped(pair);
  });
});

test.concurrent(
  'S-56 a pair that stops quoting by itself tells somebody: too many failures, an abandoned order, a stuck one',
  async () => {
    const script = newScript();
    script.on('place', () => ({ placed: false, code: '21739', message: 'not enough margin to create the order' }));
    const failing = await stage.pair(script);
    expect(await script.called('alert')).toMatchObject({
      kind: 'quoting',
      market: script.market.symbol,
      what: expect.stringMatching(/2 orders in a row could not be placed.*not enough margin/),
    });
    await stopped(failing);
    const { script: stuck, pair, first, giveMargin } = await pairWithoutMargin();
    const told = await eventually('it is told', () => stuck.inputs('alert').find(({ kind }) => kind === 'quoting'));
    expect(told.what).toContain(first.id);
    giveMargin();
    await first.handle.result();
    await stopped(pair);
    expect(stuck.inputs('alert').filter(({ kind }) => kind === 'quoting')).toHaveLength(1);
  },
);

test.concurrent.each(['quote', 'place'] as const)(
  'a market whose decimals have changed, says %s: paused at once, and told why',
  async (step) => {
    const script = newScript();
    const code = 'decimals-changed';
    const message = "the decimals of BTC's sizes and prices are 4 and 1";
    if (step === 'quote') script.on('quote', () => ({ quote: false, code, message, retry_after_ms: 100 }));
    else script.on('place', () => ({ placed: false, code, message }));
    const pair = await stage.pair(script);
    expect(await script.called('alert')).toMatchObject({ kind: 'quoting', what: expect.stringContaining(message) });
    await pair.when('it is paused', ({ mode, reason }) => mode === 'paused' && reason.includes(message));
    expect(script.inputs(step)).toHaveLength(1);
    await stopped(pair);
  },
);

test.concurrent('orders that cross the book: each next quote waits a little longer, and the pair goes on', async () => {
  const pair = await stage.pair(newScript());
  for (let n = 1; n <= 3; n++) await (await pair.order(n)).fills(0, 'canceled-post-only');
  await pair.order(4);
  expect(await timersOf(pair)).toEqual([500, 1_000, 1_500]);
  expect(await pair.state()).toMatchObject({ mode: 'running', counts: { started: 4, failed: 0 } });
  await stopped(pair);
});

test.concurrent('an order that was abandoned pauses the pair and names the amount', async () => {
  const script = newScript();
  script.on('execute', (input) => script.blocked(input, 60_000));
  const pair = await stage.pair(script);
  const order = await pair.order();
  await order.fills(20);
  await order.when('it is stuck', (state) => state.hedge_state === 'stuck');
  await order.handle.cancel();
  const paused = await pair.when('it is paused', (state) => state.mode === 'paused');
  expect(paused.reason).toBe(`order ${order.id} ended with 0.00020 naked: resolve it by hand, then resume`);
  expect(paused.counts.abandoned).toBe(1);
  expect(await pair.details()).toContain('abandoned 1');
  await pair.update('stop');
  await pair.handle.result();
});

describe('stopping', () => {
  test.concurrent('stop cancels quotes, and hedges finish first', async () => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    pair.script.makerOf(order.id).filled = 5;
    expect(await pair.update('stop')).toBe('stopping: quotes are cancelled, hedges finish');
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { started: 1, filled: 1 } });
    expect(await order.ended()).toMatchObject({ hedge: { executed_base_amount: '0.00005' }, hedge_state: 'flat' });
    await keepHistory('pair-stopped', pair.handle);
  });

  test.concurrent('cancelling the pair means stop, and it completes', async () => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    await pair.handle.cancel();
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', reason: 'cancelled' });
    await order.ended(); // it tells its pair first
    expect((await order.face()).status).toBe('COMPLETED');
    await keepHistory('pair-cancelled', pair.handle);
  });

  test.concurrent('pause cancels quotes and starts none; a second pause changes nothing; stop ends it', async () => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    await pair.update('pause');
    await order.ended();
    await pair.when('the slot is free', (state) => state.slots[0]?.state === 'free');
    await pair.update('pause');
    expect(await pair.state()).toMatchObject({
      mode: 'paused',
      reason: 'paused by the operator',
      counts: { started: 1 },
    });
    await pair.update('stop');
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped' });
  });

  test.concurrent(
    'set: what rests is quoted anew under the new terms; what cannot be is rejected and changes nothing',
    async () => {
      const pair = await stage.pair(newScript());
      const order = await pair.order();
      await expect(pair.set({ depth: 0 })).rejects.toThrow(WorkflowUpdateFailedError);
      expect(await pair.set({ depth: 3, lots: '40', by: 'ann' })).toMatch(/^depth \d+ → 3, quantity in lots 20 → 40: /);
      await order.ended();
      const next = await pair.order(2);
      expect(pair.script.inputs('quote').at(-1)).toMatchObject({ depth: 3, lots: '40' });
      expect(pair.script.inputs('place')[1]).toMatchObject({ order: { lots: '40' } });
      expect(await pair.state()).toMatchObject({ terms: { depth: 3, lots: '40' }, changed: { by: 'ann' } });
      await pair.update('stop');
      await next.ended();
      await pair.handle.result();
      await keepHistory('pair-set', pair.handle);
    },
  );

  test.concurrent('a pair that is terminated leaves its order alive: it hedges and ends', async () => {
    const pair = await stage.pair(newScript());
    const order = await pair.order();
    await pair.handle.terminate('a test');
    await order.fills(20);
    expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat' });
    await keepHistory('order-without-its-pair', order.handle);
  });
});

test.concurrent('a second pair of the same market is refused', async () => {
  const pair = await stage.pair(newScript());
  await expect(stage.pair(pair.script)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  await pair.handle.terminate('a test');
});

describe('joining a pair that runs', () => {
  test.concurrent('with lanes that the configuration has: joined', async () => {
    const pair = await stage.pair(newScript(), { lanes: [stage.nextLane()] });
    const more = { ...pair.input, lanes: [...pair.input.lanes, stage.nextLane()], depth: 3 };
    expect(await startPair(stage.client, more)).toBe('joined');
    await pair.handle.terminate('a test');
  });

  test.concurrent('with another lane: joined, and told which, so that its fills are heard too', async () => {
    const pair = await stage.pair(newScript(), { lanes: [stage.nextLane()] });
    const other = { ...pair.input, lanes: [stage.nextLane()] };
    expect(await startPair(stage.client, other)).toBe('joined');
    expect(await otherLanes(stage.client, other)).toEqual(pair.input.lanes);
    expect(await otherLanes(stage.client, pair.input)).toEqual([]);
    expect(await otherLanes(stage.client, { ...other, market: 'never-started' })).toEqual([]);
    await pair.handle.terminate('a test');
  });
});

describe('a lane is used only once it is proved free (P-19)', () => {
  test.concurrent(
    'not while an earlier order of it runs, rests, or was left naked; its ids go on from there',
    async () => {
      const script = newScript();
      const lane = stage.nextLane();
      // As if it had been started by a clock ahead of ours: the next id must be later all the same.
      const old = nextOrderId({ epochMs: Date.now() + 3_600_000, lane }).toString();
      let proofs = 0;
      script.on('laneHistory', (_, call) =>
        call === 1 ? { running: old } : { newest: { order_id: old, flat: false } },
      );
      script.on('laneOrders', (_, call) => ({
        open: call === 1 ? [old] : [],
        latest: {
          order_id: old,
          market: script.market,
          side: 'buy',
          lots: '20',
          price_ticks: PRICE_TICKS.toString(),
          filled_lots: '20',
        },
      }));
      script.on('proveHedged', () => ({ exposure_lots: ++proofs === 1 ? '8' : '0' }));
      const pair = await stage.pair(script, { lanes: [lane] });
      const note = (text: string) =>
        pair.when(text, (state) => state.slots[0]?.state === 'unproven' && (state.slots[0].note ?? '').includes(text));
      await note(`is used by order ${old}, which still runs`);
      await note(`still has order ${old} on the exchange`);
      expect(script.inputs('cancelMaker')).toEqual([expect.objectContaining({ order_id: old, market: script.market })]);
      await note(`was left with at most 0.00008 ${script.market.symbol} naked`);
      expect(script.inputs('alert')).toEqual([
        expect.objectContaining({ kind: 'pair', order_id: old, exposed: `0.00008 ${script.market.symbol}` }),
      ]);
      expect(script.count('quote')).toBe(0);
      const order = await pair.order();
      expect(BigInt(order.id)).toBeGreaterThan(BigInt(old));
      expect(proofs).toBe(2);
      // The newest order did not say that it was flat: what became of it is asked, not only what the lists show.
      expect(script.inputs('laneOrders').every((input) => input.order_id === old)).toBe(true);
      await pair.update('stop');
      await pair.handle.result();
      await keepHistory('pair-lane-proofs', pair.handle);
    },
  );

  test.concurrent('what it was left with is its own word, where it has one: closes and other lanes count', async () => {
    const script = newScript();
    const lane = stage.nextLane();
    const old = nextOrderId({ epochMs: Date.now(), lane }).toString();
    script.on('laneHistory', () => ({ newest: { order_id: old, flat: false, exposure: '0.00004' } }));
    const terms = { side: 'buy', lots: '20', price_ticks: PRICE_TICKS.toString(), filled_lots: '10' } as const;
    script.on('laneOrders', () => ({ open: [], latest: { order_id: old, market: script.market, ...terms } }));
    script.on('proveHedged', () => ({ exposure_lots: '10' }));
    const pair = await stage.pair(script, { lanes: [lane] });
    const { what } = await eventually('it is told', () => script.inputs('alert')[0]);
    expect(what).toMatch(new RegExp(`was left with 0\\.00004 ${script.market.symbol} naked$`));
    await pair.update('stop');
    await pair.handle.result();
  });

  test.concurrent('at once when the newest order says of itself that it is flat', async () => {
    const script = newScript();
    const lane = stage.nextLane();
    const old = nextOrderId({ epochMs: Date.now() - 3_600_000, lane }).toString();
    script.on('laneHistory', () => ({ newest: { order_id: old, flat: true } }));
    script.on('laneOrders', () => ({
      open: [],
      latest: {
        order_id: old,
        market: script.market,
        side: 'buy',
        lots: '20',
        price_ticks: PRICE_TICKS.toString(),
        filled_lots: '20',
      },
    }));
    const pair = await stage.pair(script, { lanes: [lane] });
    await pair.order();
    expect(script.count('proveHedged')).toBe(0);
    await pair.update('stop');
    await pair.handle.result();
  });

  test.concurrent('a proof that cannot be read is no proof (S-21): tried again, nothing quoted meanwhile', async () => {
    const script = newScript();
    script.on('laneOrders', (_, call) => {
      expect(script.count('quote')).toBe(0);
      if (call < 3) throw new Error('503');
      return { open: [] };
    });
    const pair = await stage.pair(script);
    await pair.order();
    expect(script.count('laneOrders')).toBe(3);
    await pair.update('stop');
    await pair.handle.result();
  });
});

test.concurrent('an order that was terminated is noticed: its lane is proved again before it is used', async () => {
  const pair = await stage.pair(newScript());
  const order = await pair.order();
  await order.handle.terminate('a test');
  const next = await pair.order(2);
  expect(next.id).not.toBe(order.id);
  expect(pair.script.count('laneHistory')).toBe(2);
  await pair.update('stop');
  expect(await pair.handle.result()).toMatchObject({ counts: { started: 2, unfilled: 1 } });
  await keepHistory('pair-order-terminated', pair.handle);
});

test.concurrent('no quote: the slot says why and asks again', async () => {
  const script = newScript();
  const quoted = { quote: true, side: 'buy', price_ticks: PRICE_TICKS.toString(), market: script.market } as const;
  let isUp = false;
  script.on('quote', () =>
    isUp ? quoted : { quote: false, code: 'stream', message: "account A's stream is down", retry_after_ms: 300 },
  );
  const pair = await stage.pair(script);
  await pair.when('it says so', (state) => state.slots[0]?.note === "account A's stream is down");
  isUp = true;
  await pair.order();
  expect((await pair.state()).slots[0]?.note).toBeUndefined();
  await pair.update('stop');
  await pair.handle.result();
});

test.concurrent('a long history: goes on in a new run with its counts, and its lane needs no new proof', async () => {
  const lane = stage.nextLane();
  const pair = await stage.pair(newScript(), { lanes: [lane], history_events_max: 30 });
  const firstRun = (await pair.handle.describe()).runId;
  let last = '';
  for (let n = 1; (await pair.handle.describe()).runId === firstRun; n++) {
    const order = await pair.order(n);
    expect(BigInt(order.id)).toBeGreaterThan(BigInt(last === '' ? 0 : last));
    last = order.id;
    await order.fills(20).catch(() => undefined); // its quote may have been ended
    await order.handle.result();
    await eventually('the pair goes on', async () => pair.script.inputs('place')[n] && true);
  }
  expect(provedAgain(pair)).toEqual([]);
  const { counts } = await pair.state();
  expect(counts.filled + counts.unfilled).toBeGreaterThanOrEqual(1); // of the first run; a slow one's only order ended with it
  await keepHistory('pair-continued', stage.client.workflow.getHandle(pair.handle.workflowId, firstRun));
  await pair.update('stop');
  expect(await stage.client.workflow.getHandle(pair.handle.workflowId).result()).toMatchObject({ mode: 'stopped' });
  await keepHistory('pair-continuation', stage.client.workflow.getHandle(pair.handle.workflowId));
});

test.concurrent('a long history with a quote that rests: it is ended, and the new run quotes again', async () => {
  const lanes = [stage.nextLane(), stage.nextLane()];
  const pair = await stage.pair(newScript(), { lanes, history_events_max: 60 });
  const { runId } = await pair.handle.describe();
  const resting = [await pair.order(1), await pair.order(2)];
  for (let n = 3; (await pair.handle.describe()).runId === runId; n++) {
    const order = resting.pop();
    if (order) await order.fills(20).catch(() => undefined); // its quote may have been ended
    await pair.script.called('place', n);
  }
  await pair.when('both lanes are used again', ({ slots }) => slots.every(({ state }) => state === 'busy'));
  const { counts } = await pair.state();
  expect(counts).toMatchObject({ failed: 0, abandoned: 0 });
  expect(counts.filled + counts.unfilled).toBe(counts.started - 2);
  expect(provedAgain(pair)).toEqual([]);
  await keepHistory('pair-renewal-ends-quotes', stage.client.workflow.getHandle(pair.handle.workflowId, runId));
  await stopped(pair);
});

test('orders that end around a renewal are all heard, none twice', async () => {
  const lanes = [stage.nextLane(), stage.nextLane(), stage.nextLane()];
  const pair = await stage.pair(newScript(), { lanes, history_events_max: 45 });
  const runs = new Set<string>();
  for (let n = 1; runs.size < 4; n++) {
    const order = await pair.order(n);
    await order.fills(20).catch(() => undefined); // its quote may have been ended
    runs.add((await pair.handle.describe()).runId);
  }
  await pair.update('pause');
  const { counts } = await pair.when('every slot is free', ({ slots }) => slots.every(({ state }) => state === 'free'));
  expect(counts.filled + counts.unfilled).toBe(counts.started);
  expect(provedAgain(pair)).toEqual([]); // none was taken for vanished
  await stopped(pair);
});

test.concurrent('a pause that comes around a renewal holds in the new run', async () => {
  const pair = await stage.pair(newScript(), { history_events_max: 40 });
  const runs = new Set<string>();
  for (let n = 0; n < 12; n++) {
    await pair.update('pause');
    expect(await pair.state()).toMatchObject({ mode: 'paused', reason: 'paused by the operator' });
    await pair.when('nothing is open', ({ slots }) => slots.every(({ order_id }) => order_id === undefined));
    expect((await pair.state()).mode).toBe('paused');
    runs.add((await pair.handle.describe()).runId);
    await pair.update('resume');
    await pair.when('it quotes', ({ slots }) => slots.some(({ order_id }) => order_id !== undefined));
  }
  expect(runs.size).toBeGreaterThan(2);
  await stopped(pair);
});

describe('S-10 flatten', () => {
  test.concurrent(
    'pauses, waits for its orders, trades both accounts to zero, and says so once both read zero',
    async () => {
      const script = newScript();
      const held = { A: 20n, B: -15n };
      // One read for A and one for B each round, in no order: the truth is shared, so who asks does not matter here.
      script.on('readPosition', (_, call) => {
        const lots = call % 2 === 1 ? held.A : held.B;
        return { known: true, lots: lots.toString(), mid_ticks: PRICE_TICKS.toString(), market: script.market };
      });
      script.on('execute', (input) => {
        if (input.purpose !== 'flatten') return script.execute(input);
        if (input.ticket.side === 'sell') held.A -= BigInt(input.ticket.max_lots);
        else held.B += BigInt(input.ticket.max_lots);
        return script.execute(input);
      });
      const pair = await stage.pair(script);
      const order = await pair.order();
      expect(await pair.update('flatten')).toContain('flat: both positions');
      expect(held).toEqual({ A: 0n, B: 0n });
      await order.ended();
      expect((await order.face()).status).toBe('COMPLETED');
      expect(await pair.state()).toMatchObject({ mode: 'paused', reason: 'flattened by the operator' });
      expect(await pair.update('flatten')).toContain('flat: both positions'); // idempotent: nothing left to trade
      expect(script.inputs('execute').filter((input) => input.purpose === 'flatten')).toHaveLength(2);
      await pair.update('stop');
      await pair.handle.result();
      await keepHistory('pair-flattened', pair.handle);
    },
  );

  test.concurrent('S-50 a lane that does not trade makes way for the next', async () => {
    const script = newScript();
    let held = 20n;
    script.on('readPosition', (_, call) => {
      const lots = call % 2 === 1 ? held : 0n;
      return { known: true, lots: lots.toString(), mid_ticks: PRICE_TICKS.toString(), market: script.market };
    });
    const lanes = [stage.nextLane(), stage.nextLane()];
    const laneOf = (id: string): number => Number((BigInt(id) >> 7n) & 255n);
    script.on('execute', (input) => {
      if (laneOf(input.ticket.ticket_id) === lanes[0]) return script.blocked(input, 60_000);
      held -= BigInt(input.ticket.max_lots);
      return script.execute(input);
    });
    script.on('seal', (input) => ({
      ...script.execute({ ...input, fill_lots: '0', retry_now: false }),
      state: 'dead',
    }));
    const pair = await stage.pair(script, { lanes });
    await pair.order();
    expect(await pair.update('flatten')).toContain('flat: both positions');
    expect(script.inputs('execute').map((input) => laneOf(input.ticket.ticket_id))).toEqual(lanes);
    await stopped(pair);
  });

  test.concurrent(
    'an order that the run before left still runs: nothing is traded, and the answer names it',
    async () => {
      const script = newScript();
      const lane = stage.nextLane();
      const old = nextOrderId({ epochMs: Date.now() - 3_600_000, lane }).toString();
      let runs = true;
      script.on('laneHistory', () => (runs ? { running: old } : { newest: { order_id: old, flat: true } }));
      script.on('runningOrders', () => ({ order_ids: runs ? [old] : [] }));
      const pair = await stage.pair(script, { lanes: [lane] });
      await pair.when('the lane is used', ({ slots }) => (slots[0]?.note ?? '').includes('still runs'));
      const refused = await pair.update('flatten').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
      expect((refused as WorkflowUpdateFailedError).cause?.message).toContain(`order ${old} still runs`);
      expect([script.count('readPosition'), script.count('execute')]).toEqual([0, 0]);
      runs = false;
      expect(await pair.update('flatten')).toContain('flat: both positions');
      await stopped(pair);
    },
  );

  test.concurrent(
    'an order was terminated while it was stuck: nothing is traded before its lane was sealed, also when a stop comes meanwhile',
    async () => {
      const { script, pair, first, lane } = await renewedWhileStuck();
      const sealed = new Gate();
      script.on('laneHistory', (asked) => (asked.lane === lane ? { newest: { order_id: first.id, flat: false } } : {}));
      script.on('laneOrders', ({ lane: asked }) => ({
        open: [],
        ...(asked === lane && {
          latest: {
            ...{ order_id: first.id, market: script.market, side: 'buy', lots: '20' },
            ...{ price_ticks: PRICE_TICKS.toString(), filled_lots: '20' },
          },
        }),
      }));
      script.on('proveHedged', async () => {
        await sealed.passed;
        return { exposure_lots: '20' };
      });
      await first.handle.terminate('a test');
      await script.called('proveHedged');
      const flattened = pair.update('flatten');
      await script.called('runningOrders');
      await pair.update('stop');
      expect(script.count('readPosition')).toBe(0);
      sealed.open();
      expect(await flattened).toContain('flat: both positions');
      expect(await pair.handle.result()).toMatchObject({ mode: 'stopped' });
    },
  );

  test.concurrent('a stop that comes meanwhile ends the pair once it is flat', async () => {
    const script = newScript();
    const gate = new Gate();
    script.on('readPosition', async () => {
      await gate.passed;
      return { known: true, lots: '0', mid_ticks: PRICE_TICKS.toString(), market: script.market };
    });
    const pair = await stage.pair(script);
    const order = await pair.order();
    const flattened = pair.update('flatten');
    await order.ended();
    await script.called('readPosition');
    await pair.update('stop');
    gate.open();
    await flattened;
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped' });
  });

  test.concurrent(
    'S-20 a position that cannot be read is not zero; what could not be traded is sealed and tried again',
    async () => {
      const script = newScript();
      let held = 20n;
      script.on('readPosition', (_, call) => {
        if (call <= 2) return { known: false, reason: '503' };
        const lots = call % 2 === 1 ? held : 0n;
        return { known: true, lots: lots.toString(), mid_ticks: PRICE_TICKS.toString(), market: script.market };
      });
      script.on('execute', (input, call) => {
        if (call === 1) {
          held -= 5n;
          return { ...script.blocked(input, 60_000), executed_lots: '5' };
        }
        held -= BigInt(input.ticket.max_lots);
        return script.execute(input);
      });
      const pair = await stage.pair(script);
      await pair.order();
      expect(await pair.update('flatten')).toContain('flat: both positions');
      expect(script.inputs('execute').map((input) => input.ticket.max_lots)).toEqual(['20', '15']);
      expect(script.count('seal')).toBe(1);
      await stopped(pair);
    },
  );

  test.concurrent('a flatten that fails answers the operator, and the pair goes on', async () => {
    const script = newScript();
    let isBroken = true;
    script.on('readPosition', () => {
      if (isBroken) throw ApplicationFailure.nonRetryable('no such market');
      return { known: true, lots: '0', mid_ticks: PRICE_TICKS.toString(), market: script.market };
    });
    const pair = await stage.pair(script);
    await pair.order();
    await expect(pair.update('flatten')).rejects.toThrow(WorkflowUpdateFailedError);
    isBroken = false;
    expect(await pair.update('flatten')).toContain('flat: both positions');
    await stopped(pair);
  });
});

async function stopped(pair: TestPair): Promise<void> {
  await pair.update('stop');
  await pair.handle.result();
}

/** Lanes that were proved although the pair had used them itself; one that has had no order yet is proved by each run. */
function provedAgain({ input: { lanes }, script }: TestPair): number[] {
  const calls = script.calls.map(({ name, input }) => {
    const { lane, order } = input as { lane?: number; order?: { order_id: string } };
    return `${name} ${lane ?? (order && laneOfText(order.order_id))}`;
  });
  return lanes.filter((lane) => {
    const first = calls.indexOf(`place ${lane}`);
    return first !== -1 && calls.lastIndexOf(`laneHistory ${lane}`) > first;
  });
}

/** The pauses that the pair has made so far, milliseconds. */
async function timersOf(pair: TestPair): Promise<number[]> {
  const { events } = await pair.handle.fetchHistory();
  return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => {
    const fire = timer?.startToFireTimeout;
    return fire ? [Number(fire.seconds ?? 0) * 1_000 + (fire.nanos ?? 0) / 1e6] : [];
  });
}

test.concurrent(
  'a target: at its volume it pauses and says so; it goes on under another one, and ends at its time',
  async () => {
    const script = newScript();
    const pair = await stage.pair(script, { target_volume: '10' });
    await (await pair.order(1)).fills(20);
    const paused = await pair.when('it pauses', ({ mode }) => mode === 'paused');
    expect(paused.reason).toMatch(/^target\.volume is reached: A has traded 21\.89\d+ of 10 USDC$/);
    await script.called('alert', 1);
    expect(script.inputs('alert')[0]).toMatchObject({
      kind: 'quoting',
      what: expect.stringContaining('target.volume'),
    });
    await expect(pair.update('resume')).rejects.toThrow('Workflow Update failed');
    await pair.set({ target_volume: '1000', target_then: 'stop' });
    await pair.update('resume');
    await pair.order(2);
    await pair.set({ target_until: new Date(Date.now() + 5_000).toISOString() });
    expect(await pair.handle.result()).toMatchObject({ mode: 'stopped', counts: { filled: 1 } });
    await keepHistory('pair-target', pair.handle);
  },
);
