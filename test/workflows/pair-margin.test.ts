/** The margin of both accounts runs out: what a pair stops quoting, and how it reduces both together. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { MarginLevel } from '../../src/domain/margin';
import type { MarginState, PairInput } from '../../src/domain/messages';
import { PairMarginState } from '../../src/workflows/margin-state';
import { keepHistory } from '../replay/histories';
import { eventually } from '../system/eventually';
import { undisturbed } from '../helpers/undisturbed';
import { BTC, PRICE_TICKS, Script } from './script';
import { Stage, type TestPair } from './stage';

let stage: Stage;
const test = undisturbed(() => stage.answers());
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

let markets = 0;
const words = 'A is safe; B is not';
const at = (level: MarginState['level']): MarginState => ({ level, what: words });

/** Both accounts hold `held` lots against each other; a step takes ten. Each reading that begins after a step says the next of `levels`, and so does one after an unknown. */
function play(levels: MarginState['level'][], held = 100) {
  const script = new Script({ ...BTC, symbol: `M${markets++}` });
  const world: { held: number; level: MarginState['level']; inForce?: MarginLevel } = { held, level: 'ok' };
  let readAt: number | undefined; // a reading that the engine repeats says the same
  script.on('margin', ({ fresh }) => {
    const wasUnknown = world.level === 'unknown' && levels.length > 0;
    if (wasUnknown || (fresh && world.held !== readAt)) world.level = levels.shift() ?? world.level;
    if (fresh || wasUnknown) readAt = fresh ? world.held : undefined;
    if (['ok', 'warn'].includes(world.level)) delete world.inForce; // as the hedger holds it
    return { ...at(world.level), ...(world.inForce && { held: world.inForce }) };
  });
  script.on('quote', ({ no_enlarging, unwind }) => {
    if (unwind) return { ...quoted(script), side: 'sell', lots: '10' };
    return no_enlarging === undefined
      ? quoted(script)
      : { quote: false, code: 'margin-low', message: 'nothing that enlarges', retry_after_ms: 60_000 };
  });
  script.on('place', ({ order }) => {
    if (order.unwind === true && script.makerOf(order.order_id).status !== 'filled') {
      Object.assign(script.makerOf(order.order_id), { status: 'filled', filled: Number(order.lots) });
      world.held -= Number(order.lots);
    }
    return { placed: true, ...script.amounts(order.order_id), at_ms: Date.now() };
  });
  const start = (change: Partial<PairInput> = {}): Promise<TestPair> => stage.pair(script, change);
  const becomes = async (pair: TestPair, level: MarginState['level']): Promise<void> => {
    world.level = level;
    await pair.handle.signal('marginState', at('ok')); // a hint: its own word counts for nothing
  };
  return { script, world, start, becomes };
}

const quoted = ({ market }: Script) =>
  ({ quote: true, side: 'buy', price_ticks: PRICE_TICKS.toString(), market }) as const;

async function stopped(pair: TestPair): Promise<void> {
  await pair.update('stop');
  await pair.handle.result();
}

test.concurrent(
  'what enlarges is withdrawn and not quoted while it is near, or unknown, and quoted again by itself',
  async () => {
    const { script, start, becomes } = play([]);
    const pair = await start();
    const first = await pair.order(1);
    await becomes(pair, 'warn');
    await script.called('margin', 2);
    await becomes(pair, 'stop-quoting');
    expect(await first.handle.result()).toMatchObject({ maker: { status: 'canceled' } });
    await script.called('quote', 2);
    expect(script.inputs('quote').at(-1)).toMatchObject({ no_enlarging: words });
    expect(await pair.state()).toMatchObject({
      ...{ mode: 'running', margin: { level: 'stop-quoting', what: words } },
      reason: `nothing that enlarges a position is quoted: ${words}`,
    });
    await becomes(pair, 'warn'); // it holds until nobody would be warned
    await script.called('margin', 4);
    expect((await pair.state()).margin?.level).toBe('stop-quoting');
    await becomes(pair, 'ok');
    const second = await pair.order(2);
    await becomes(pair, 'unknown');
    expect(await second.handle.result()).toMatchObject({ maker: { status: 'canceled' } });
    await becomes(pair, 'ok');
    await pair.order(3);
    await stopped(pair);
    await keepHistory('pair-margin', pair.handle);
  },
);

test.concurrent(
  'an unwind: what rests is withdrawn, then step by step both reduce, each hedged before the next reading, until it is safe',
  async () => {
    const { script, world, start, becomes } = play([
      'unwind',
      'stop-quoting',
      'unknown',
      'stop-quoting',
      'stop-quoting',
      'warn',
    ]);
    const pair = await start();
    const resting = await pair.order(1);
    await becomes(pair, 'unwind');
    expect(await resting.handle.result()).toMatchObject({ maker: { status: 'canceled' } });
    const over = await pair.when('it is over', ({ margin }) => margin?.level === 'stop-quoting');
    expect(over).toMatchObject({ mode: 'running', counts: { started: 4, filled: 3, failed: 0 } });
    expect(world.held).toBe(70);
    expect(script.executedLots('hedge')).toBe(30);
    const steps = script.inputs('place').flatMap(({ order }) => (order.unwind === true ? [order] : []));
    expect(steps.map(({ side, lots }) => `${side} ${lots}`)).toEqual(['sell 10', 'sell 10', 'sell 10']);
    // Read, traded, hedged, and only then read again.
    const course = script.calls.flatMap(({ name, input }) => {
      if (name === 'margin') return (input as { fresh: boolean }).fresh ? ['read'] : [];
      if (name === 'place') return (input as { order: { unwind?: boolean } }).order.unwind === true ? ['traded'] : [];
      return name === 'execute' ? ['hedged'] : [];
    });
    const step = ['read', 'traded', 'hedged'];
    expect(course).toEqual([...step, ...step, 'read', ...step, 'read']); // unknown in between: no step
    const told = await eventually('its end is told', () => {
      const alerts = script.inputs('alert');
      return alerts.some(({ kind }) => kind === 'unwound') ? alerts : undefined;
    });
    expect(told.map(({ kind }) => kind)).toEqual(['unwinding', 'unwound']);
    expect(told[0]?.what).toContain(`0.00010 ${script.market.symbol} at first: ${words}`);
    expect(told[1]?.what).toContain(`0.00030 ${script.market.symbol} less on A and on B, in 3 steps`);
    await stopped(pair);
    await keepHistory('pair-unwinds', pair.handle);
  },
);

test.concurrent('paused, it unwinds too; stopped, it does not', async () => {
  const { script, start, becomes } = play(['unwind', 'ok']);
  const pair = await start();
  await pair.order(1);
  await pair.update('pause');
  await becomes(pair, 'unwind');
  await pair.when('it is over', ({ margin, counts }) => margin?.level === 'ok' && counts.filled === 1);
  expect(await pair.state()).toMatchObject({ mode: 'paused' });
  await stopped(pair);
  expect(script.inputs('place').filter(({ order }) => order.unwind)).toHaveLength(1);
});

test.concurrent(
  'a run that goes on in a new one goes on unwinding, though by itself the margin would only stop quotes',
  async () => {
    const { script, start, becomes } = play(['unwind', ...Array<'stop-quoting'>(5).fill('stop-quoting'), 'ok']);
    const pair = await start({ history_events_max: 150 });
    await pair.order(1);
    const { runId } = await pair.handle.describe();
    await becomes(pair, 'unwind');
    const ended = await eventually('its end is told', () =>
      script.inputs('alert').find(({ kind }) => kind === 'unwound'),
    );
    expect(ended.what).toContain('in 6 steps');
    expect((await pair.handle.describe()).runId).not.toBe(runId);
    expect(script.executedLots('hedge')).toBe(60);
    await stopped(pair);
  },
);

test.concurrent('a pair that begins while an unwind is in force takes part in it until it is over', async () => {
  const { script, world, start } = play(['stop-quoting', 'stop-quoting', 'warn']);
  Object.assign(world, { level: 'stop-quoting', inForce: 'unwind' });
  const pair = await start();
  const ended = await eventually('its end is told', () =>
    script.inputs('alert').find(({ kind }) => kind === 'unwound'),
  );
  expect(ended.what).toContain('in 2 steps');
  expect(await pair.state()).toMatchObject({ margin: { level: 'stop-quoting' } }); // what is in force is its own by now
  expect(script.executedLots('hedge')).toBe(20);
  await stopped(pair);
});

test('a pair that missed the one reading that began an unwind takes part in it', () => {
  const margin = new PairMarginState(undefined);
  margin.takes(at('stop-quoting'));
  expect(margin.mustUnwind).toBe(false);
  margin.takes({ ...at('stop-quoting'), held: 'unwind' });
  expect(margin.mustUnwind).toBe(true);
  margin.takes({ ...at('warn'), held: 'warn' });
  expect(margin.isUnwinding).toBe(false);
});

test('a step that traded nothing does not count as one', () => {
  const margin = new PairMarginState(undefined);
  margin.takes(at('unwind'));
  margin.begin();
  for (const lots of [10n, 0n, 5n]) margin.stepped(lots);
  margin.takes(at('ok'));
  expect(margin.end()).toEqual({ steps: 2, lots: '15' });
});

test.concurrent('a step that cannot be made is told once for each reason, and tried again', async () => {
  const { script, start, becomes } = play([]);
  const pair = await start();
  await pair.order(1);
  script.on('quote', (_, call) => ({
    ...{ quote: false, retry_after_ms: 1 },
    ...(call < 6
      ? { code: 'cannot-unwind', message: 'no lane can trade' }
      : { code: 'thin-book', message: 'nobody buys' }),
  }));
  await becomes(pair, 'unwind');
  const told = await eventually('both reasons are told', () => {
    const alerts = script.inputs('alert');
    return alerts.length > 1 ? alerts : undefined;
  });
  expect(told).toEqual([
    expect.objectContaining({ kind: 'cannot-unwind', what: expect.stringContaining('no lane can trade') }),
    expect.objectContaining({ kind: 'cannot-unwind', what: expect.stringContaining('nobody buys') }),
  ]);
  expect((await pair.state()).slots[0]?.note).toBe('the unwind waits: nobody buys');
  await stopped(pair);
});

test.concurrent('steps that trade nothing are told, too', async () => {
  const { script, start, becomes } = play([]);
  const pair = await start();
  await pair.order(1);
  script.on('place', ({ order }) => {
    Object.assign(script.makerOf(order.order_id), { status: 'canceled-too-much-slippage', filled: 0 });
    return { placed: true, ...script.amounts(order.order_id), at_ms: Date.now() };
  });
  await becomes(pair, 'unwind');
  const told = await eventually('it is told', () =>
    script.inputs('alert').find(({ kind }) => kind === 'cannot-unwind'),
  );
  expect(told.what).toContain('a step of the unwind traded nothing: canceled-too-much-slippage');
  await script.called('place', script.count('place') + 2);
  expect(script.inputs('alert').map(({ kind }) => kind)).toEqual(['unwinding', 'cannot-unwind']); // once each
  expect(await pair.state()).toMatchObject({ mode: 'running', counts: { failed: 0 } });
  await stopped(pair);
});

test.concurrent('a step that is stuck is the last one: nothing more is taken away until it is hedged', async () => {
  const { script, start, becomes } = play(['unwind', 'unwind', 'ok']);
  let hasMargin = false;
  script.on('execute', (input) => (hasMargin ? script.execute(input) : script.blocked(input, 50)));
  const pair = await start({ lanes: [stage.nextLane(), stage.nextLane()] });
  await pair.order(2);
  await becomes(pair, 'unwind');
  await pair.when('a step is stuck', ({ slots }) => slots.some(({ hedge_state }) => hedge_state === 'stuck'));
  await script.called('execute', script.count('execute') + 3);
  expect(script.inputs('place').filter(({ order }) => order.unwind)).toHaveLength(1);
  hasMargin = true;
  await eventually('its end is told', () => script.inputs('alert').find(({ kind }) => kind === 'unwound'));
  expect(script.executedLots('hedge')).toBe(20);
  await stopped(pair);
});
