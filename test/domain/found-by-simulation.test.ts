/** Defects that the simulator found, each small and by itself. Their stories and seeds: docs/defects.md. */
import { describe, expect, test } from '@jest/globals';
import {
  advance,
  newExecution,
  wakeAtMs,
  type ExecutionCommand,
  type ExecutionEvent,
} from '../../src/domain/execution';
import { begin, decide } from '../../src/domain/decide';
import { epochMsOf, laneOf, orderIdOf, timeOf, type Tenths } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { ExecuteResult, OrderInput } from '../../src/domain/messages';
import { activeTicket, askCancel, askRetry, exposureLots, mayRetry, newOrder } from '../../src/domain/order';
import { absorbArm, absorbExecution, absorbUpdate } from '../../src/domain/order-absorb';
import { nextTicket } from '../../src/domain/order-tickets';
import { advancePlacement, newPlacement } from '../../src/domain/placement';
import type { SendOutcome } from '../../src/domain/records';
import { singleWakeAtMs } from '../../src/domain/single';
import type { Ticket } from '../../src/domain/ticket';

const id = orderIdOf({ time: 283_000_000n as Tenths, lane: 5 });
const market = { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 };
const rejected = (code: number): SendOutcome => ({ kind: 'rejected', txHash: 'h', code, message: `code ${code}` });

const input: OrderInput = {
  order_id: id.toString(),
  maker_account: 11,
  hedge_account: 12,
  market,
  side: 'sell',
  lots: '4',
  price_ticks: '1001000',
  time_out_ms: 30_000,
  expiry_ms: 600_000,
  policy: { slippage_bps: 50, max_slippage_bps: 300, on_stuck: 'keep_trying', force_close_timeout_ms: 10_000 },
  spare_lanes: [9],
};

function executeResult(change: Partial<ExecuteResult>): ExecuteResult {
  return { state: 'executed', executed_lots: '0', executed_quote: '0', slices: [], timings: {}, ...change };
}

describe('D-01 a hedger that knows less than the ledger', () => {
  function halfHedged() {
    const order = newOrder(input, 0);
    absorbArm(order, { armed: true }, 0);
    const update = { order_id: id.toString(), transaction_time_us: 1, received_at_ms: 1 };
    absorbUpdate(order, { ...update, status: 'filled', filled_lots: '4', filled_quote: '4004000' }, 1);
    const entry = activeTicket(order);
    absorbExecution(order, entry, executeResult({ executed_lots: '2', executed_quote: '2001000' }), 2);
    return { order, entry };
  }
  const blocked = { code: '21739', message: 'not enough margin', retry_after_ms: 1_000 };

  test('takes nothing back, and is heard about what blocks it', () => {
    const { order, entry } = halfHedged();
    absorbExecution(order, entry, executeResult({ state: 'blocked', blocked }), 3);
    expect(entry.executedLots).toBe(2n);
    expect(entry.executedQuote).toBe(2_001_000n);
    expect(exposureLots(order)).toBe(2n);
    expect(entry.blocked).toMatchObject({ code: '21739', retryAtMs: 1_003 });
    const [step] = decide(order, 1_003).steps;
    expect(step).toMatchObject({ do: 'execute', fillLots: 4n });
    if (step) begin(order, step);
  });

  test('at the end of a ticket there is no knowing less', () => {
    const { order, entry } = halfHedged();
    expect(() => absorbExecution(order, entry, executeResult({ state: 'sealed', executed_lots: '1' }), 3)).toThrow(
      /never less/,
    );
  });
});

describe('D-03 two orders that come to one spare lane in the same moment', () => {
  test('continue under different ids, later than all of theirs', () => {
    const ids = [2, 3, 5, 254].map((lane) => {
      const own = orderIdOf({ time: 283_000_000n as Tenths, lane });
      const order = newOrder({ ...input, order_id: own.toString() }, 0);
      absorbExecution(order, activeTicket(order), executeResult({ state: 'jumped' }), 1);
      return nextTicket(order, 'hedge', epochMsOf(283_000_100n as Tenths)).ticket.id;
    });
    expect(new Set(ids).size).toBe(4);
    for (const spare of ids) {
      expect(laneOf(spare)).toBe(9);
      expect(timeOf(spare)).toBeGreaterThanOrEqual(283_000_100n);
      expect(timeOf(spare)).toBeLessThan(283_000_100n + 256n);
    }
  });
});

describe('D-02 an exchange that rejects the cancel of a missing order', () => {
  test('a placement is then sealed by renewing the switch', () => {
    const state = newPlacement({ id, accountIndex: 11, marketId: 1, staleAtMs: 0, nowMs: 0 });
    let now = 0;
    let [command] = advancePlacement(state, { type: 'tick' }, now);
    expect(command).toMatchObject({ do: 'send', form: 'seal-cancel' });
    advancePlacement(state, { type: 'sent', k: 0, outcome: rejected(21715) }, now);
    now = singleWakeAtMs(state) ?? NaN;
    [command] = advancePlacement(state, { type: 'tick' }, now);
    expect(command).toMatchObject({ do: 'send', form: 'seal-renewal' });
  });

  test('so is a ticket on A, whether or not it lacks a lot', () => {
    for (const fill of [0, 20]) {
      const state = newExecution(ticket, 11, 0);
      let now = 0;
      const forms: string[] = [];
      const feed = (event: ExecutionEvent): void => {
        for (const command of advance(state, event, now)) if (isSend(command)) forms.push(command.form);
      };
      feed({ type: 'seal', again: false });
      feed({ type: 'raise', fillLots: lots(fill), path: 'durable' });
      while (!forms.includes('seal-renewal') && forms.length < 8) {
        feed({ type: 'sent', k: 1, outcome: rejected(forms.at(-1) === 'seal-order' ? 21734 : 21715) });
        now = wakeAtMs(state) ?? NaN;
        feed({ type: 'tick' });
      }
      expect(forms).toContain('seal-renewal');
    }
  });
});

const ticket: Ticket = {
  id,
  orderId: id,
  market,
  side: 'sell',
  maxLots: lots(20),
  priorLots: lots(0),
  anchorTicks: ticks(1_000_000),
  slippageBps: 50,
  slippageBpsMax: 300,
  start: 'follows-placement',
};

function isSend(command: ExecutionCommand): command is ExecutionCommand & { do: 'send' } {
  return command.do === 'send';
}

describe('D-05 an order that has told its pair that it is done', () => {
  const startMs = epochMsOf(timeOf(id));
  function abandoned() {
    const order = newOrder(input, startMs);
    absorbArm(order, { armed: true }, startMs);
    const update = { order_id: id.toString(), transaction_time_us: 1, received_at_ms: 1 };
    absorbUpdate(order, { ...update, status: 'filled', filled_lots: '4', filled_quote: '4004000' }, startMs + 1);
    const entry = activeTicket(order);
    const blocked = { code: '21739', message: 'not enough margin', retry_after_ms: 1_000 };
    absorbExecution(order, entry, executeResult({ state: 'blocked', blocked }), startMs + 2);
    decide(order, startMs + 2);
    askCancel(order);
    absorbExecution(order, entry, executeResult({ state: 'sealed' }), startMs + 3);
    return order;
  }
  const stepNow = (order: ReturnType<typeof abandoned>) =>
    decide(order, startMs + 4).steps.find(({ track }) => track === 'pair');

  test('takes no more wishes: its lane belongs to the next order from there on', () => {
    const order = abandoned();
    const alert = stepNow(order);
    expect(alert).toMatchObject({ do: 'alert', kind: 'abandoned' });
    if (alert) begin(order, alert);
    expect(mayRetry(order)).toBe(true);
    const tell = stepNow(order);
    expect(tell).toMatchObject({ do: 'tell', done: true });
    if (tell) begin(order, tell);
    expect(mayRetry(order)).toBe(false);
  });

  test('before that a retry takes it up again, and a second end is alerted again', () => {
    const order = abandoned();
    const alert = stepNow(order);
    if (alert) begin(order, alert);
    askRetry(order, startMs + 5);
    expect(order.alerted.abandoned).toBe(false);
    expect(decide(order, startMs + 5)).toMatchObject({ end: false, steps: [{ do: 'execute' }] });
  });
});
