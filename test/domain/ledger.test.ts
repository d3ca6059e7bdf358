/** What an order makes of an exchange that contradicts itself, of steps that fail, and of lanes that are gone. */
import { describe, expect, test } from '@jest/globals';
import { begin, decide, type Plan, type Step } from '../../src/domain/decide';
import { epochMsOf, laneOf, orderIdOf, timeOf, type Tenths } from '../../src/domain/ids-and-nonces';
import { lots } from '../../src/domain/lots';
import type { ExecuteResult, OrderInput, OrderUpdate, SliceReport } from '../../src/domain/messages';
import {
  activeTicket,
  askCancel,
  askClose,
  askRetry,
  exposureLots,
  newEntry,
  newOrder,
  ticketOf,
  type Order,
  type TicketEntry,
} from '../../src/domain/order';
import {
  absorbArm,
  absorbCancel,
  absorbExecution,
  absorbPlace,
  absorbPlaceFailure,
  absorbUpdate,
} from '../../src/domain/order-absorb';
import { packOrder, unpackOrder } from '../../src/domain/order-carry';
import { reportOf } from '../../src/domain/order-report';
import { orderUpdateFrom } from '../../src/domain/received';
import type { OrderStatus } from '../../src/domain/records';
import { sliceOf } from '../order-result';

const id = orderIdOf({ time: 283_000_000n as Tenths, lane: 5 });

function input(change: Partial<OrderInput> = {}): OrderInput {
  return {
    order_id: id.toString(),
    maker_account: 11,
    hedge_account: 12,
    market: { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 },
    side: 'buy',
    lots: '20',
    price_ticks: '1094506',
    time_out_ms: 30_000,
    expiry_ms: 600_000,
    policy: { slippage_bps: 50, max_slippage_bps: 300, on_stuck: 'keep_trying', force_close_timeout_ms: 10_000 },
    spare_lanes: [9],
    ...change,
  };
}

function life(change: Partial<OrderInput> = {}, startMs = 0) {
  const order = newOrder(input(change), startMs);
  let now = startMs;
  const plan = (): Plan => decide(order, now);
  const self = {
    order,
    plan,
    wants: () => plan().steps.map((step) => step.do),
    start: (name: Step['do']): Step => {
      const step = plan().steps.find((s) => s.do === name);
      if (!step) throw new Error(`wanted ${name}, decided ${JSON.stringify(self.wants())}`);
      begin(order, step);
      return step;
    },
    at: (ms: number) => {
      now = ms;
      return self;
    },
    armed: () => {
      self.start('arm');
      absorbArm(order, { armed: true }, now);
      return self;
    },
    quoting: () => {
      self.armed().start('place');
      absorbPlace(order, { placed: true, status: 'open', filled_lots: '0', filled_quote: '0', at_ms: now }, now);
      return self;
    },
    update: (filled: number, status: OrderStatus) => {
      absorbUpdate(
        order,
        {
          order_id: id.toString(),
          status,
          filled_lots: String(filled),
          filled_quote: String(filled * 10),
          transaction_time_us: 0,
          received_at_ms: now,
        },
        now,
      );
      return self;
    },
    executed: (executed: number, state: ExecuteResult['state'] = 'executed') => {
      absorbExecution(
        order,
        activeTicket(order),
        { state, executed_lots: String(executed), executed_quote: '0', slices: [], timings: {} },
        now,
      );
      return self;
    },
  };
  return self;
}

function executionOf(step: Step): Step & { do: 'execute' } {
  if (step.do !== 'execute') throw new Error(`a cover was expected, not ${step.do}`);
  return step;
}

describe('naked times in its result', () => {
  const slice = (executed: string, atUs: number, delayMs: number) =>
    sliceOf({ executed, executed_at_us: atUs, times: { accepted_ms: 1_000, executed_ms: 1_000 + delayMs } });
  const reported = (order: Order, entry: TicketEntry, executed: bigint, slices: SliceReport[]): void =>
    absorbExecution(
      order,
      entry,
      { state: 'executed', executed_lots: executed.toString(), executed_quote: '0', slices, timings: {} },
      0,
    );

  test('each lot from its own trade to its hedge, or to its close on A', () => {
    const { order } = life().quoting();
    const update = { order_id: id.toString(), filled_quote: '1', transaction_time_us: 1, received_at_ms: 1 };
    const trades = [{ lots: '5', at_us: 1_000 }, { lots: '8' }, { lots: '20', at_us: 90_000 }];
    absorbUpdate(order, { ...update, status: 'open', filled_lots: '5', trades: trades.slice(0, 1) }, 1);
    absorbUpdate(order, { ...update, status: 'filled', filled_lots: '20', trades: trades.slice(1) }, 2);
    reported(order, activeTicket(order), 8n, [slice('0.00008', 250_000, 180), slice('0.00000', 0, 0)]);
    const ticket = ticketOf(order, { direction: 'close', id: order.id, priorLots: lots(8) });
    order.tickets.push(newEntry({ direction: 'close', ticket }));
    reported(order, activeTicket(order), 12n, [slice('0.00012', 500_000, 190)]);
    expect(reportOf(unpackOrder(packOrder(order)), 'ended').naked_times).toEqual([
      { base_amount: '0.00005', traded_at_us: 1_000, hedged_at_us: 250_000, delay_ms: 180 },
      { base_amount: '0.00003', hedged_at_us: 250_000, delay_ms: 180 },
      { base_amount: '0.00012', traded_at_us: 90_000, hedged_at_us: 500_000, delay_ms: 190 },
    ]);
  });

  test('a fill that no trade of its own was heard of has none', () => {
    const l = life().quoting().update(20, 'filled');
    reported(l.order, activeTicket(l.order), 20n, [slice('0.00020', 250_000, 180)]);
    expect(reportOf(l.order, 'ended').naked_times).toEqual([
      { base_amount: '0.00020', hedged_at_us: 250_000, delay_ms: 180 },
    ]);
  });

  test('trades that are malformed are an update that is: it changes nothing', () => {
    const update = { order_id: '1', status: 'open', filled_lots: '5', filled_quote: '1', received_at_ms: 1 };
    for (const trades of [7, [7], [{ lots: 5 }], [{ lots: '5', at_us: 'now' }]])
      expect(() => orderUpdateFrom({ ...update, trades })).toThrow(/malformed: trades|is not an object/);
    expect(orderUpdateFrom({ ...update, trades: [{ lots: '5' }] })).toMatchObject({ trades: [{ lots: '5' }] });
  });
});

describe('an exchange that contradicts itself', () => {
  test('closed, then shown with more: the fill is hedged, and somebody is told', () => {
    const l = life().quoting().update(5, 'canceled');
    l.start('execute');
    l.executed(5).update(12, 'canceled');
    expect(exposureLots(l.order)).toBe(7n);
    expect(l.wants()).toEqual(['execute', 'alert']);
    expect(l.start('alert')).toMatchObject({
      kind: 'contradiction',
      what: expect.stringContaining('then shown with 12'),
    });
    expect(l.wants()).toEqual(['execute']);
  });

  test('closed with less than was shown before: what was seen stays hedged, the order ends, and somebody is told', () => {
    const l = life().quoting().update(12, 'open');
    l.start('execute');
    l.executed(12).update(5, 'canceled');
    expect(l.order.filledLots).toBe(12n);
    l.start('confirm');
    l.order.confirmed = true;
    l.start('alert');
    expect(l.plan()).toMatchObject({ steps: [], end: true, hedgeState: 'flat' });
  });

  test('the same from the read after a cancel: the cancel is not repeated for ever', () => {
    const l = life().quoting().update(12, 'open').at(30_000);
    l.start('cancel');
    absorbCancel(
      l.order,
      { known: true, status: 'canceled', filled_lots: '5', filled_quote: '0', transaction_time_us: 0 },
      30_000,
    );
    expect(l.at(90_000).wants()).not.toContain('cancel');
  });

  test('a fill beyond the size, read from the exchange, is hedged up to the size, and somebody is told', () => {
    const l = life().quoting().at(30_000);
    l.start('cancel');
    absorbCancel(
      l.order,
      { known: true, status: 'canceled', filled_lots: '25', filled_quote: '0', transaction_time_us: 0 },
      30_000,
    );
    expect(executionOf(l.start('execute')).fillLots).toBe(20n);
    expect(l.start('alert')).toMatchObject({ what: expect.stringContaining('25 of 20 lots filled') });
  });

  test('the same from a signal', () => {
    const l = life().quoting().update(25, 'filled');
    expect(executionOf(l.start('execute')).fillLots).toBe(20n);
    expect(l.start('alert')).toMatchObject({ kind: 'contradiction' });
  });

  test('reported as not placed although a record shows it: it is looked after', () => {
    const l = life().armed();
    l.start('place');
    l.update(0, 'open');
    absorbPlace(l.order, { placed: false, code: 'lane-jumped', message: 'jumped' }, 0);
    expect(l.plan().end).toBe(false);
    l.start('alert');
    askCancel(l.order);
    expect(l.wants()).toEqual(['cancel']);
  });

  test('a late record that says less takes nothing back and alarms nobody', () => {
    const l = life().quoting().update(12, 'open').update(5, 'open');
    expect(l.order.filledLots).toBe(12n);
    expect(l.wants()).toEqual(['execute']);
  });

  test('more hedged than filled is never called flat: alerted, ended, with the signed difference', () => {
    const l = life().quoting().update(12, 'open');
    l.start('execute');
    l.executed(15).update(12, 'canceled');
    expect(l.start('alert')).toMatchObject({ kind: 'contradiction' });
    expect(l.plan()).toMatchObject({ steps: [], end: true, hedgeState: 'abandoned' });
    expect(reportOf(l.order, 'ended')).toMatchObject({ hedge_state: 'abandoned', exposure: '-0.00003' });
  });

  test('hedged although nothing filled is never called flat either', () => {
    const l = life().quoting().update(12, 'open');
    l.start('execute');
    l.executed(12);
    l.order.filledLots = 0n as never;
    l.update(0, 'canceled');
    l.start('alert');
    expect(l.plan()).toMatchObject({ steps: [], end: true, hedgeState: 'abandoned' });
  });
});

describe('a placement that nobody can answer for', () => {
  test('its step failed: it is asked again, even after a cancel, and the order does not end meanwhile', () => {
    const l = life().armed();
    l.start('place');
    absorbPlaceFailure(l.order);
    askCancel(l.order);
    expect(l.plan().end).toBe(false);
    expect(reportOf(l.order, 'running').maker.status).toBe('unknown');
    l.start('place');
    absorbPlace(l.order, { placed: true, status: 'open', filled_lots: '0', filled_quote: '0', at_ms: 0 }, 0);
    expect(l.wants()).toEqual(['cancel']);
  });

  test('its step failed after a frame had shown the order: it is known to be placed', () => {
    const l = life().armed();
    l.start('place');
    l.update(0, 'open');
    absorbPlaceFailure(l.order);
    expect(l.wants()).toEqual([]);
    expect(l.at(30_000).wants()).toEqual(['cancel']);
  });
});

describe('P-18 lanes that are gone', () => {
  const startMs = epochMsOf(timeOf(id));

  test('without a spare lane the next ticket waits: it does not spin', () => {
    const l = life({ spare_lanes: [] }, startMs).quoting().update(20, 'filled');
    l.start('execute');
    l.executed(0, 'jumped');
    expect(l.wants()).toEqual(['alert']);
    l.start('alert');
    l.start('tell');
    expect(l.plan()).toMatchObject({ steps: [], wakeAtMs: startMs + 30_000 });
    expect(laneOf(executionOf(l.at(startMs + 30_000).start('execute')).entry.ticket.id)).toBe(5);
    l.executed(0, 'jumped');
    expect(l.plan()).toMatchObject({ steps: [], wakeAtMs: startMs + 60_000 });
  });

  test('the operator need not wait', () => {
    const l = life({ spare_lanes: [] }, startMs).quoting().update(20, 'filled');
    l.start('execute');
    l.executed(0, 'jumped');
    askRetry(l.order, startMs);
    expect(l.wants()).toContain('execute');
  });

  test('a spare lane is used at once, and stays the hedge’s lane after a close in between', () => {
    const l = life({}, startMs).quoting().update(20, 'filled');
    l.start('execute');
    l.executed(0, 'jumped');
    expect(laneOf(executionOf(l.start('execute')).entry.ticket.id)).toBe(9);
    askClose(l.order);
    l.start('seal');
    l.executed(0, 'sealed');
    expect(laneOf(executionOf(l.start('execute')).entry.ticket.id)).toBe(5); // the close, on A
    askRetry(l.order, startMs);
    l.start('seal');
    l.executed(0, 'sealed');
    const again = executionOf(l.start('execute')).entry;
    expect({ direction: again.direction, lane: laneOf(again.ticket.id) }).toEqual({ direction: 'hedge', lane: 9 });
  });
});

describe('P-25 an update by other decimals than the order was made with', () => {
  const update = (filled: string, decimals: number): OrderUpdate => ({
    ...{ order_id: id.toString(), status: 'open', filled_lots: filled, filled_quote: '10' },
    ...{ transaction_time_us: 0, size_decimals: decimals, received_at_ms: 0 },
  });

  test('is the same amount', () => {
    const { order } = life().quoting();
    absorbUpdate(order, update('1', 4), 0);
    expect(order.filledLots).toBe(10n);
    absorbUpdate(order, update('1500', 7), 0);
    expect(order.filledLots).toBe(15n);
  });

  test('is none when it is no whole number of lots', () => {
    const { order } = life().quoting();
    expect(() => absorbUpdate(order, update('155', 6), 0)).toThrow(/whole number of lots/);
    expect(order.filledLots).toBe(0n);
  });
});

describe('stages', () => {
  const update = (filled: number, receivedAtMs: number) => ({
    order_id: order().id.toString(),
    status: 'open' as const,
    filled_lots: String(filled),
    filled_quote: String(filled * 10),
    transaction_time_us: 0,
    received_at_ms: receivedAtMs,
    parsed_at_ms: receivedAtMs + 1,
    noticed_at_ms: receivedAtMs + 2,
  });
  const order = () => life().quoting().order;

  test('are those of the first fill, of the first submission and of the last resolution', () => {
    const it = order();
    absorbUpdate(it, update(0, 100), 0);
    absorbUpdate(it, update(5, 200), 0);
    absorbUpdate(it, update(9, 300), 0);
    const executed = (executed: string, timings: ExecuteResult['timings']): void =>
      absorbExecution(
        it,
        activeTicket(it),
        { state: 'executed', executed_lots: executed, executed_quote: '0', slices: [], timings },
        0,
      );
    executed('5', {
      notice_received_ms: 203,
      first_submitted_ms: 204,
      first_accepted_ms: 205,
      last_executed_ms: 206,
      last_resolved_ms: 207,
    });
    executed('9', {
      notice_received_ms: 203,
      first_submitted_ms: 204,
      first_accepted_ms: 205,
      last_executed_ms: 306,
      last_resolved_ms: 307,
    });
    expect(it.timings).toMatchObject({
      fill_frame_ms: 200,
      frame_parsed_ms: 201,
      notice_published_ms: 202,
      notice_received_ms: 203,
      hedge_submitted_ms: 204,
      hedge_accepted_ms: 205,
      hedge_executed_ms: 306,
      hedge_resolved_ms: 307,
    });
  });

  test('a later frame whose notice was sent does not lend its stages to the first one', () => {
    const it = order();
    const { noticed_at_ms: _, ...silent } = update(5, 200);
    absorbUpdate(it, silent, 0);
    absorbUpdate(it, update(9, 300), 0);
    expect(it.timings).toMatchObject({ fill_frame_ms: 200, frame_parsed_ms: 201 });
    expect(it.timings).not.toHaveProperty('notice_published_ms');
  });
});
