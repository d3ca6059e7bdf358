/** What operators do to one order: cancel it, force its close, try again. Whatever they do, every lot stays accounted for. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { toolPath } from '../../src/config/tools';
import { orderWorkflowId, type OrderId } from '../../src/domain/ids-and-nonces';
import type { OrderInput } from '../../src/domain/messages';
import { eventually, standstill } from './eventually';
import { A, B, noMarginOn, System } from './harness';
import {
  BTC,
  booksOf,
  expectMirror,
  fillOrder,
  fillPart,
  hedged,
  launch,
  makerOrderOf,
  quote,
  retryHedge,
  says,
  resolved,
  startOrder,
  tradeByHand,
  transactionsOf,
  type Truth,
} from './orders';

const run = promisify(execFile);
let system: System;
beforeAll(async () => {
  system = await System.start({ pairs: [{ side: 'round-trip', lanes: [5, 6, 7] }] });
  await system.startHedger();
  await system.startMaker(undefined, []);
});
afterAll(() => system.stop());
afterEach(async () => {
  await system.clearFaults();
  await expectMirror(system);
});

async function stuck(want: Parameters<typeof quote>[1] = {}): Promise<string> {
  const id = await quote(system, want);
  await system.fault(noMarginOn(B));
  await fillOrder(system, id);
  await says(system, id, 'stuck', (state) => state.hedge_state === 'stuck');
  return id;
}

describe('cancelling an order that is quoted', () => {
  test('by the client: nothing of it rests, nothing is naked, the run ends Canceled and its memo has the result', async () => {
    const id = await quote(system);
    await system.order(id).cancel();
    const { status, result } = await resolved(system, id);
    expect(status).toBe('CANCELLED');
    expect(result).toMatchObject({
      hedge_state: 'flat',
      exposure: '0.00000',
      maker: { filled_base_amount: '0.00000' },
    });
    expect((await makerOrderOf(system, id))?.status).toMatch(/^canceled/);
  });

  test('by `temporal workflow cancel`: the same', async () => {
    const id = await quote(system);
    const workflow = orderWorkflowId(A, BigInt(id) as OrderId);
    const { address, namespace } = system.place;
    const place = ['--address', address, '--namespace', namespace];
    await run(toolPath('temporal'), ['workflow', 'cancel', '--workflow-id', workflow, ...place]);
    const { status } = await resolved(system, id);
    expect(status).toBe('CANCELLED');
    expect((await makerOrderOf(system, id))?.status).toMatch(/^canceled/);
  });

  test('partly filled: the rest is cancelled, what filled is hedged', async () => {
    const id = await quote(system);
    await fillPart(system, id, '0.00005');
    await system.order(id).cancel();
    const { status, result } = await resolved(system, id);
    expect({ status, hedged: result.hedge.executed_base_amount }).toEqual({ status: 'CANCELLED', hedged: '0.00005' });
  });

  test('P-01 the cancel is accepted and read back as nothing yet, then the order fills: hedged whole', async () => {
    const id = await quote(system);
    await system.fault({ on: 'sequencer', action: 'delay', ms: 10_000, match: { account_index: A, tx_type: 15 } });
    await system.order(id).cancel();
    await eventually('the first cancel has come to nothing, and a second one was sent', async () => {
      const cancels = (await system.truth<Truth>(A)).transactions.filter(
        (tx) => tx.state === 'queued' && tx.type === 15,
      );
      return cancels.length > 1 ? true : undefined;
    });
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.hedge.executed_base_amount).toBe('0.00020');
  });

  test('S-30 the time-out’s cancel is lost, then the order fills: hedged', async () => {
    const lost = { on: 'request', action: 'drop', match: { account_index: A, tx_type: 15 }, count: 0 };
    await system.fault(lost);
    const id = await quote(system, { timeOutMs: 200 });
    await eventually('a cancel was lost, and the next one was tried', async () => {
      const { active } = await system.control<{ active: { hits: number }[] }>('GET', 'faults');
      return (active[0]?.hits ?? 0) > 1 ? true : undefined;
    });
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.maker.status).toBe('filled');
  });

  test('an order past its time-out is cancelled, ends flat, and its lane is free for the next', async () => {
    const id = await startOrder(system, { timeOutMs: 100 });
    const { status, result } = await resolved(system, id);
    expect({ status, state: result.hedge_state }).toEqual({ status: 'COMPLETED', state: 'flat' });
    expect((await makerOrderOf(system, id))?.status).toMatch(/^canceled/);
  });
});

describe('a stuck hedge', () => {
  test('S-09 the exchange rejects for lack of margin: stuck and alerted; when the margin is back it is hedged', async () => {
    const id = await stuck();
    await system.alerts.expect('hedge-stuck', id);
    await system.clearFaults();
    const { result } = await resolved(system, id);
    expect(result).toMatchObject({ hedge_state: 'flat', hedge: { executed_base_amount: '0.00020' } });
  });

  test('retryHedge tries at once instead of after the back-off', async () => {
    const rejected = (): Promise<number> => system.hedgerCount('slices_total', 'account="hedge"', 'outcome="empty"');
    const before = await rejected();
    const id = await stuck();
    // As the executor knows: asked for while a try is under way, one more is that try.
    await eventually('the back-off has grown', async () => ((await rejected()) >= before + 4 ? true : undefined));
    await system.clearFaults();
    const sinceMs = Date.now();
    const stoodMs = standstill();
    await retryHedge(system, id);
    await resolved(system, id);
    expect(Date.now() - sinceMs).toBeLessThan(5_000 + stoodMs()); // the next try of its own: 8 s after the fourth
  });

  test('S-17, S-28 forceClose seals the hedge and trades the exposure away on A, reduce-only', async () => {
    const id = await stuck();
    await system.order(id).executeUpdate('forceClose');
    await system.clearFaults();
    const { result } = await resolved(system, id);
    expect(result).toMatchObject({ closed_base_amount: '0.00020', hedge: { executed_base_amount: '0.00000' } });
  });

  test('S-17 closing after a partial fill and a partial hedge: exactly the live amount', async () => {
    const id = await quote(system, { lots: 40n });
    await fillPart(system, id, '0.00015');
    await hedged(system, id, '0.00015');
    await system.fault(noMarginOn(B));
    await fillOrder(system, id, '0.00010');
    await says(system, id, 'stuck', (state) => state.hedge_state === 'stuck');
    await system.order(id).executeUpdate('forceClose');
    const { result } = await resolved(system, id);
    expect(result).toMatchObject({ closed_base_amount: '0.00010', hedge: { executed_base_amount: '0.00015' } });
  });

  test('S-28 forceClose while the hedge is in flight: whichever wins, never both', async () => {
    const id = await quote(system);
    await system.fault({ on: 'sequencer', action: 'delay', ms: 6_000, match: { account_index: B, tx_type: 14 } });
    await fillOrder(system, id);
    await says(system, id, 'hedging', (state) => state.hedge_state === 'hedging');
    await system.order(id).executeUpdate('forceClose');
    const { result } = await resolved(system, id);
    expect(result.hedge.executed_base_amount).toBe('0.00020');
  });

  test('P-15 stuck, forceClose that is rejected too, then retryHedge: hedged under a fresh ticket, never above the fill', async () => {
    const id = await stuck();
    await system.fault(noMarginOn(A));
    await system.order(id).executeUpdate('forceClose');
    await eventually('the close was tried', async () =>
      transactionsOf(await system.truth<Truth>(A), id).find(
        (tx) => tx.type === 14 && String(tx.client_order_index) !== id,
      ),
    );
    await system.order(id).executeUpdate('retryHedge');
    await system.clearFaults();
    await resolved(system, id);
  });

  test('S-29 the close is accepted but does not execute: not reported as done, and tried until it has', async () => {
    const id = await stuck();
    await system.fault(noMarginOn(A));
    await system.order(id).executeUpdate('forceClose');
    await eventually('a close was rejected after its 200', async () =>
      transactionsOf(await system.truth<Truth>(A), id).find((tx) => tx.refusal_code === 21739),
    );
    const meanwhile = await system.order(id).query<{ closed_base_amount: string; exposure: string }>('state');
    expect(meanwhile).toMatchObject({ closed_base_amount: '0.00000', exposure: '0.00020' });
    await system.clearFaults();
    const { result } = await resolved(system, id);
    expect(result.closed_base_amount).toBe('0.00020');
  });

  test('S-26 force_close_timeout with policy close: the resting part is cancelled first, then A closes', async () => {
    const id = await quote(system, { lots: 40n, policy: { on_stuck: 'close', force_close_timeout_ms: 1_500 } });
    await system.fault(noMarginOn(B));
    await fillOrder(system, id, '0.00015');
    const { result } = await resolved(system, id);
    expect(result).toMatchObject({ closed_base_amount: '0.00015', maker: { filled_base_amount: '0.00015' } });
  });

  test('cancelled while stuck: sealed, the exposure is reported and alerted, the run ends Canceled', async () => {
    const id = await stuck({ side: 'sell' });
    await system.order(id).cancel();
    const { status, result } = await system.ended(id);
    expect({ status, result }).toMatchObject({
      status: 'CANCELLED',
      result: { hedge_state: 'abandoned', exposure: '0.00020', hedge: { executed_base_amount: '0.00000' } },
    });
    await system.alerts.expect('exposure-left', id);
    await system.clearFaults();
    const books = booksOf(await system.truth<Truth>(A), await system.truth<Truth>(B), id);
    expect(books).toEqual({ filled: 20n, hedged: 0n, closed: 0n });
    // By hand, as the alert says.
    await tradeByHand(system, BTC, 20n);
  });
});

describe('what cannot be done', () => {
  test('retryHedge and forceClose are rejected while nothing is naked', async () => {
    const id = await quote(system);
    for (const name of ['retryHedge', 'forceClose'])
      await expect(system.order(id).executeUpdate(name)).rejects.toThrow('Workflow Update failed');
    await system.order(id).cancel();
    await resolved(system, id);
  });

  test('a second order under the same id is rejected, running or ended; a signal to an ended one changes nothing', async () => {
    const id = await quote(system);
    const input = { order_id: id } as OrderInput; // never read: the id is taken
    await expect(launch(system, BigInt(id) as OrderId, input)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    await fillOrder(system, id);
    await resolved(system, id);
    await expect(launch(system, BigInt(id) as OrderId, input)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    const before = (await system.truth<Truth>(B)).transactions.length;
    const late = {
      order_id: id,
      status: 'filled',
      filled_lots: '20',
      filled_quote: '0',
      transaction_time_us: 1,
      received_at_ms: 1,
    };
    await expect(system.order(id).signal('orderUpdate', late)).rejects.toThrow(WorkflowNotFoundError);
    expect((await system.truth<Truth>(B)).transactions.length).toBe(before);
  });

  test('signals that make no sense change nothing: another order, garbage', async () => {
    const id = await quote(system);
    const update = {
      order_id: id,
      status: 'open',
      filled_lots: '0',
      filled_quote: '0',
      transaction_time_us: 1,
      received_at_ms: 1,
    };
    for (const bad of [{}, { ...update, order_id: '128' }, { ...update, filled_lots: 'x' }])
      await system.order(id).signal('orderUpdate', bad);
    await fillOrder(system, id);
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id)).toHaveLength(1);
  });
});
