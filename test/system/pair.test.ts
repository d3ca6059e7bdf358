/** The strategy of a market: when it quotes, when it must not, and what its operators can do. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { WorkflowUpdateFailedError } from '@temporalio/client';
import { runMaker } from '../../src/workers/maker';
import { eventually } from './eventually';
import { A, B, NEIGHBOUR, noMarginOn, System, type SystemOptions } from './harness';
import { BTC, expectMirror, position, resolved, tradeByHand, transactionsOf, type Truth, type TrueTx } from './orders';

let system: System;
/** A minute's budget whose burst lets the maker quote twice; the third quote waits some seconds. */
const TWO_QUOTES = { perMinute: 120, counts: 'requests', makerShare: 0.5, reserve: 0.2, quotaFloor: 100 } as const;
afterEach(() => system.stop());

async function start(options: SystemOptions = {}, limit?: number): Promise<void> {
  system = await System.start(options);
  await system.startHedger();
  await system.startMaker(limit === undefined ? {} : { orderLimit: limit });
}

async function quotes(count: number): Promise<void> {
  await eventually(`${count} orders of A rest`, async () =>
    (await system.resting()).length === count ? true : undefined,
  );
}

async function nothingRests(): Promise<void> {
  await eventually('nothing of A rests', async () => ((await system.resting()).length === 0 ? true : undefined));
}

async function quoted(): Promise<readonly TrueTx[]> {
  const { transactions } = await system.truth<Truth>(A);
  return transactions.filter((tx) => tx.type === 14);
}

const placements = async (): Promise<number> => (await quoted()).length;

describe('operators', () => {
  test('lanes taken out of the configuration while their pair runs: its fills are heard all the same, those of the gap too', async () => {
    await start({}, 2);
    await quotes(1);
    await system.stopMaker();
    const before = await system.hedgerCount('notices_received_total');
    const first = await system.fill(1);
    const pairs = system.config.pairs.map((pair) => ({ ...pair, lanes: [9] }));
    system.maker = await runMaker(
      { ...system.config, pairs },
      { env: process.env, version: 'test', logLevel: 'silent' },
    );
    await resolved(system, first);
    const second = await system.fill(1);
    await resolved(system, second);
    // Whichever of notice and signal came first hedged; that there were notices shows that the maker heard the fills.
    await eventually('both were heard', async () =>
      (await system.hedgerCount('notices_received_total')) >= before + 2 ? true : undefined,
    );
    await expectMirror(system);
  });

  test('two slots, an order limit: it ends by itself after so many filled orders, all hedged', async () => {
    await start({ pairs: [{ lanes: [5, 6], side: 'round-trip' }] }, 4);
    for (let filled = 0; filled < 4; filled++) await resolved(system, await system.fill(1));
    const status = (await system.pair().result()) as { counts: object; mode: string };
    expect(status).toMatchObject({ mode: 'stopped', counts: { filled: 4, abandoned: 0 } });
    expect(await system.resting()).toEqual([]);
    await expectMirror(system);
  });

  test('pause cancels the quotes, resume quotes again, stop ends it; P-19 a pair started afterwards proves its lane first', async () => {
    await start();
    await quotes(1);
    await system.pair().executeUpdate('pause');
    await nothingRests();
    const paused = await system.pairSays('paused and idle', (s) => s.slots.every((slot) => slot.state === 'free'));
    expect(paused.mode).toBe('paused');
    await system.pair().executeUpdate('resume');
    await resolved(system, await system.fill(1));
    await system.pair().executeUpdate('stop');
    expect(await system.pair().result()).toMatchObject({ mode: 'stopped', counts: { filled: 1 } });
    await nothingRests();
    await system.stopMaker();
    await system.startMaker({ orderLimit: 1 });
    await resolved(system, await system.fill(1));
    expect(await system.pair().result()).toMatchObject({ counts: { filled: 1 } });
    await expectMirror(system);
  });

  test('cancelling the pair means stop: its quotes are cancelled, and it completes', async () => {
    await start({ pairs: [{ lanes: [5, 6], side: 'round-trip' }] });
    await quotes(2);
    await system.pair().cancel();
    expect(await system.pair().result()).toMatchObject({ mode: 'stopped', reason: 'cancelled' });
    expect(await system.resting()).toEqual([]);
  });

  test('S-10 flatten twice: both positions are zero, and the second one trades nothing', async () => {
    await start();
    await resolved(system, await system.fill(1));
    await resolved(system, await system.fill(1));
    // Something that is no order of ours: the accounts do not even mirror.
    await tradeByHand(system, BTC, -30n);
    expect(await system.pair().executeUpdate('flatten')).toMatch(/^flat/);
    const [a, b] = await both();
    expect([position(a, 1), position(b, 1)]).toEqual([0n, 0n]);
    expect(await system.pair().executeUpdate('flatten')).toMatch(/^flat/);
    const [a2, b2] = await both();
    expect([a2.trades.length, b2.trades.length]).toEqual([a.trades.length, b.trades.length]);
  });

  const both = (): Promise<[Truth, Truth]> => Promise.all([system.truth<Truth>(A), system.truth<Truth>(B)]);
});

describe('when it must not quote', () => {
  test('S-09, S-32 B loses its margin: stuck, alerted, no further quote; money comes: hedged, and it quotes again', async () => {
    await start({ pairs: [{ side: 'buy' }], collateralB: '1000' });
    await quotes(1);
    await collateralB('-999.5');
    const id = await system.fill(1);
    await system.alerts.expect('hedge-stuck', id);
    await nothingRests();
    const before = await placements();
    const stuck = await system.pairSays('an order is stuck', (s) => s.slots.some((x) => x.hedge_state === 'stuck'));
    expect(stuck.reason).toMatch(/stuck/);
    await collateralB('999');
    const { b } = await resolved(system, id);
    const hedgedUs = transactionsOf(b, id).find(
      (tx) => tx.state === 'executed' && tx.refusal_code === undefined,
    )?.queued_at_us;
    const later = (await quoted()).slice(before);
    for (const { queued_at_us } of later) expect(queued_at_us).toBeGreaterThan(hedgedUs ?? Infinity);
    await resolved(system, await system.fill(1));
    await expectMirror(system);
  });

  test('a pause while an order is stuck leaves its hedge alone: it goes on trying', async () => {
    await start({ pairs: [{ side: 'buy' }] });
    await system.fault(noMarginOn(B));
    const id = await system.fill(1);
    await system.pairSays('an order is stuck', (s) => s.slots.some((x) => x.hedge_state === 'stuck'));
    await system.pair().executeUpdate('pause');
    await system.clearFaults();
    const { status } = await resolved(system, id);
    expect(status).toBe('COMPLETED');
    await expectMirror(system);
  });

  test('S-20 A is long and its position cannot be read: not taken for flat, no quote, until it can', async () => {
    await start({ pairs: [{ side: 'round-trip' }] });
    await eventually('an order rests', async () => ((await system.resting()).length > 0 ? true : undefined));
    const before = await placements();
    await system.fault({ on: 'request', action: 'answer', status: 503, match: { path: 'v1/account' }, count: 0 });
    await resolved(system, await system.fill(1)); // no reading from before it answers where to quote next
    await system.pairSays('it cannot read', (s) => /position could not be read/.test(s.slots[0]?.note ?? ''));
    expect(await placements()).toBe(before);
    await system.clearFaults();
    const { result } = await resolved(system, await system.fill(1));
    expect(result.side).toBe('sell');
  });

  test('S-21 active orders cannot be read while one rests: no second order', async () => {
    await start();
    const [first] = await eventually('an order rests', async () => {
      const found = await system.resting();
      return found.length > 0 ? found : undefined;
    });
    await system.pair().terminate('as if the pair were lost');
    await system.order(first?.client_order_index ?? 0).terminate('and its order');
    await system.stopMaker();
    const before = await placements();
    const unread = { on: 'request', action: 'answer', status: 503, match: { path: 'accountActiveOrders' }, count: 0 };
    await system.fault(unread);
    await system.startMaker();
    await eventually('the new pair has tried to read', async () => {
      const { active } = await system.control<{ active: { hits: number }[] }>('GET', 'faults');
      return (active[0]?.hits ?? 0) > 1 ? true : undefined;
    });
    expect(await placements()).toBe(before);
    expect(await system.resting()).toHaveLength(1);
    await system.clearFaults();
    await nextAlone(first?.client_order_index);
    await resolved(system, await system.fill(1));
  });

  test('P-04 the request budget is spent by quotes: no further quote, and the hedge goes out all the same', async () => {
    await start({ pairs: [{ side: 'round-trip' }], config: { requestBudget: TWO_QUOTES } });
    // The start has spent more than the budget holds at once.
    await eventually('a quote rests', async () => ((await system.resting()).length > 0 ? true : undefined), 90_000);
    await resolved(system, await system.fill(1));
    const { slots } = await system.pairSays('budget', (s) => /request budget/.test(s.slots[0]?.note ?? ''));
    expect(slots[0]?.state).not.toBe('busy');
    await expectMirror(system);
  }, 150_000);

  test('S-06, S-23 the hedger goes away and an order fills: no new order until it is back and has hedged', async () => {
    await start({ pairs: [{ lanes: [5, 6], side: 'round-trip' }] });
    await quotes(2);
    const before = await placements();
    await system.stopHedger();
    const id = await system.fill(1);
    const { now_us } = await system.truth<{ now_us: number }>(A);
    await system.startHedger();
    await resolved(system, id);
    await eventually('it quotes again', async () => ((await placements()) > before ? true : undefined));
    const all = await quoted();
    const later = all.filter((tx) => tx.queued_at_us > now_us);
    const hedge = transactionsOf(await system.truth<Truth>(B), id).find((tx) => tx.queued_at_us > now_us);
    expect(all).toHaveLength(before + later.length);
    for (const { queued_at_us } of later) expect(queued_at_us).toBeGreaterThan(hedge?.queued_at_us ?? Infinity);
    await expectMirror(system);
  });

  test('position limit: it does not quote what would exceed max_position, and says so', async () => {
    await start({ pairs: [{ side: 'buy', maxPosition: '0.0003' }] });
    await quotes(1);
    const before = await placements();
    await resolved(system, await system.fill(1));
    await system.pairSays('position limit', (s) => /max_position/.test(s.slots[0]?.note ?? ''));
    expect(await placements()).toBe(before);
  });

  test('S-40 the exchange’s clock is 40 s off: no new quote, alerted; the order that rests is hedged all the same', async () => {
    await start();
    await quotes(1);
    await system.control('POST', 'clock', { offset_ms: 40_000 });
    // The book moves, as it always does: its frames carry the exchange's time.
    const far = { market_id: 1, account_index: NEIGHBOUR, is_ask: false, base_amount: '1', type: 'limit' };
    for (const price of ['109000.0', '109000.1']) await system.control('POST', 'orders', { ...far, price });
    await system.alerts.expect('clock-skew');
    await resolved(system, await system.fill(1));
    await system.pairSays('clock', (s) => /clock/.test(s.slots[0]?.note ?? ''));
    await expectMirror(system);
  });
});

test('S-10 an order is stuck, and its pair is terminated and started anew: a flatten trades nothing and names it; hedged, it flattens', async () => {
  await start({ pairs: [{ side: 'buy' }] });
  await system.fault(noMarginOn(B));
  const id = await system.fill(1);
  await system.pairSays('an order is stuck', (s) => s.slots.some((x) => x.hedge_state === 'stuck'));
  await system.stopMaker();
  await system.pair().terminate('it would not stop');
  await system.startMaker();
  const { cause } = await system
    .pair()
    .executeUpdate('flatten')
    .then(
      (answer) => expect(answer).toBeUndefined() as never,
      (error: unknown) => error as WorkflowUpdateFailedError,
    );
  expect(cause?.message).toContain(`nothing was traded: order ${id} still runs`);
  expect(await system.position(A, 1)).toBeGreaterThan(0);
  await system.clearFaults();
  await resolved(system, id);
  await expectMirror(system);
  expect(await system.pair().executeUpdate('flatten')).toMatch(/^flat/);
  expect([await system.position(A, 1), await system.position(B, 1)]).toEqual([0, 0]);
});

describe('P-19 an order whose workflow was terminated', () => {
  test('resting: it is cancelled before its lane is used again', async () => {
    await start({ pairs: [{ side: 'buy' }] });
    const [order] = await eventually('an order rests', async () => {
      const found = await system.resting();
      return found.length > 0 ? found : undefined;
    });
    await system.order(order?.client_order_index ?? 0).terminate('by mistake');
    const id = await nextAlone(order?.client_order_index);
    expect(await system.fill(1)).toBe(id);
    await resolved(system, id);
    await expectMirror(system);
  });

  test('filled meanwhile: alerted, and the lane is not used until somebody has resolved it', async () => {
    await start({ pairs: [{ side: 'buy' }], redis: 'without' });
    const [order] = await eventually('an order rests', async () => {
      const found = await system.resting();
      return found.length > 0 ? found : undefined;
    });
    // The pair would else cancel it, and be faster than the fill.
    await system.fault({ on: 'request', action: 'drop', count: 0, match: { account_index: A, tx_type: 15 } });
    const before = await placements();
    await system.order(order?.client_order_index ?? 0).terminate('by mistake');
    const id = await system.fill(1);
    await system.clearFaults();
    await system.alerts.expect('exposure-left', id);
    await system.pairSays('naked', (s) => /naked/.test(s.slots[0]?.note ?? ''));
    expect(await placements()).toBe(before);
    await system.pair().executeUpdate('flatten');
    expect(position(await system.truth<Truth>(A), 1)).toBe(0n);
  });
});

async function collateralB(change: string): Promise<void> {
  await system.control('POST', 'accounts', { account_index: B, collateral: change });
}

/** The next order rests after the first is gone: at no time were there two. */
async function nextAlone(first: number | undefined): Promise<string> {
  let most = 0;
  const next = await eventually('the first order is gone, and the next one rests', async () => {
    const found = await system.resting();
    most = Math.max(most, found.length);
    const [order] = found;
    return order && order.client_order_index !== first ? order : undefined;
  });
  expect(most).toBe(1);
  return String(next.client_order_index);
}
