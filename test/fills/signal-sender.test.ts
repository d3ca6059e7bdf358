/** One call in flight per order, newest wins, until delivered. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lots } from '../../src/domain/lots';
import type { OrderId } from '../../src/domain/ids-and-nonces';
import {
  CLOSE_MS,
  SIGNAL_DEADLINE_MS,
  SIGNAL_RETRY_MS,
  SignalSender,
  type SenderEvents,
} from '../../src/fills/signal-sender';
import type { MakerUpdate } from '../../src/fills/translate';
import { BTC, filled, HandClock, HandSink, MAKER, NOW_MS, orderAt, record } from './support';

let sink: HandSink;
let clock: HandClock;
beforeEach(() => {
  sink = new HandSink();
  clock = new HandClock();
});

describe('a signal', () => {
  test('goes to the order’s workflow with the cumulative state as plain JSON', () => {
    sender().offer(makerUpdate(orderAt(0), 5));
    expect(sink.last).toMatchObject({
      workflowId: `order/${MAKER}/${orderAt(0)}`,
      deadlineMs: SIGNAL_DEADLINE_MS,
      update: {
        order_id: orderAt(0).toString(),
        status: 'open',
        filled_lots: '5',
        filled_quote: '5472500',
        transaction_time_us: NOW_MS * 1_000 + 5,
        received_at_ms: NOW_MS,
      },
    });
    expect(JSON.parse(JSON.stringify(sink.last.update))).toEqual(sink.last.update);
  });

  test('tells when its frame arrived, not when it was sent', async () => {
    const carrier = sender();
    carrier.offer(makerUpdate(orderAt(0), 5));
    clock.advance(700);
    await sink.last.answer(new Error('unavailable'));
    clock.advance(SIGNAL_RETRY_MS);
    expect(sink.calls).toHaveLength(2);
    expect(sink.last.update.received_at_ms).toBe(NOW_MS);
  });

  test('S-01 a second fill waits for the first call, then goes out alone', async () => {
    const carrier = sender();
    for (const amount of [5, 9, 20]) carrier.offer(makerUpdate(orderAt(0), amount));
    expect(sentAmounts()).toEqual(['5']);
    await sink.last.answer('delivered');
    expect(sentAmounts()).toEqual(['5', '20']);
    expect(carrier.undelivered).toBe(1);
    await sink.last.answer('delivered');
    expect(carrier.undelivered).toBe(0);
    expect(sink.calls).toHaveLength(2);
  });

  test('tells when each trade was, also those whose own state was overtaken, and each of them once', async () => {
    const carrier = sender();
    const traded = (amount: number, tradedAtUs?: number): MakerUpdate => ({
      ...makerUpdate(orderAt(0), amount),
      ...(tradedAtUs === undefined ? {} : { tradedAtUs }),
    });
    carrier.offer(traded(5, 50));
    for (const update of [traded(9, 90), traded(12), traded(15, 150)]) carrier.offer(update);
    await sink.last.answer(new Error('unavailable'));
    clock.advance(SIGNAL_RETRY_MS);
    const at = (upTo: number, us?: number) => ({ lots: String(upTo), ...(us === undefined ? {} : { at_us: us }) });
    expect(sink.calls.map(({ update }) => update.trades)).toEqual([
      [at(5, 50)],
      [at(5, 50), at(9, 90), at(12), at(15, 150)],
    ]);
    await sink.last.answer('delivered');
    carrier.offer({ ...traded(15), record: { ...filled(orderAt(0), 15), status: 'canceled' } });
    expect(sink.last.update).toMatchObject({ status: 'canceled' });
    expect(sink.last.update).not.toHaveProperty('trades');
  });

  test('may be held back for a moment; what comes meanwhile goes instead, with the time of the fill that it overtook', () => {
    const carrier = sender();
    carrier.offer({ ...makerUpdate(orderAt(0), 5), parsedAtMs: 1_001, noticedAtMs: 1_002 }, 8);
    expect(sink.calls).toHaveLength(0);
    clock.advance(4);
    const ended = { ...filled(orderAt(0), 5), status: 'canceled' } as const;
    carrier.offer({ ...makerUpdate(orderAt(0), 5), record: ended, receivedAtMs: 1_004, parsedAtMs: 1_005 });
    expect(sink.calls).toHaveLength(0);
    clock.advance(4);
    expect(sink.last.update).toMatchObject({
      status: 'canceled',
      received_at_ms: NOW_MS,
      parsed_at_ms: NOW_MS + 1,
      noticed_at_ms: NOW_MS + 2,
    });
    expect(sink.calls).toHaveLength(1);
  });

  test('a fill seen while the one before is on its way keeps its own time', async () => {
    const carrier = sender();
    carrier.offer(makerUpdate(orderAt(0), 5));
    carrier.offer({ ...makerUpdate(orderAt(0), 9), receivedAtMs: 1_003 });
    await sink.last.answer('delivered');
    expect(sink.last.update).toMatchObject({ filled_lots: '9', received_at_ms: NOW_MS + 3 });
  });

  test('S-14 a state known already is not sent again, nor one that says less', async () => {
    const carrier = sender();
    carrier.offer(makerUpdate(orderAt(0), 9));
    await sink.last.answer('delivered');
    for (const amount of [9, 5, 9, 0]) carrier.offer(makerUpdate(orderAt(0), amount));
    expect(sentAmounts()).toEqual(['9']);
  });

  test('a cancel without a fill is sent: the workflow waits for it', async () => {
    const carrier = sender();
    carrier.offer(makerUpdate(orderAt(0), 0));
    await sink.last.answer('delivered');
    carrier.offer({ ...makerUpdate(orderAt(0), 0), record: { ...filled(orderAt(0), 0), status: 'canceled' } });
    expect(sink.last.update).toMatchObject({ status: 'canceled', filled_lots: '0' });
  });

  test('P-03 orders do not wait for each other', () => {
    const carrier = sender();
    for (let n = 0; n < 10; n++) carrier.offer(makerUpdate(orderAt(n), 5));
    expect(sink.calls).toHaveLength(10);
  });
});

describe('P-11 Temporal away', () => {
  test('a failed call is repeated after 50 ms, with the newest state by then', async () => {
    const failed: unknown[] = [];
    const carrier = sender({ onSignalFailed: (error) => failed.push(error) });
    const error = new Error('unavailable');
    carrier.offer(makerUpdate(orderAt(0), 5));
    await sink.last.answer(error);
    carrier.offer(makerUpdate(orderAt(0), 7));
    expect(sentAmounts()).toEqual(['5']);
    clock.advance(SIGNAL_RETRY_MS - 1);
    expect(sentAmounts()).toEqual(['5']);
    clock.advance(1);
    expect(sentAmounts()).toEqual(['5', '7']);
    expect(failed).toEqual([error]);
  });

  test('a sink that throws is a failed call', async () => {
    const broken = new SignalSender({
      makerAccount: MAKER,
      sink: {
        signal: () => {
          throw new Error('a bug');
        },
      },
      clock,
      events: {},
    });
    broken.offer(makerUpdate(orderAt(0), 5));
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(clock.timers).toBe(1);
  });
});

describe('a stop', () => {
  test('delivers at once what is held or waits for its next try, and what follows a call that is out', async () => {
    const carrier = sender();
    carrier.offer(makerUpdate(orderAt(0), 5), 8);
    carrier.offer(makerUpdate(orderAt(1), 5));
    await sink.last.answer(new Error('unavailable'));
    carrier.offer(makerUpdate(orderAt(2), 5));
    carrier.offer(makerUpdate(orderAt(2), 7));
    const left = carrier.close();
    expect(sentAmounts()).toEqual(['5', '5', '5', '5']);
    for (let n = 1; n <= 4; n++) await sink.calls[n]?.answer('delivered');
    expect(await left).toEqual([]);
    expect(sentAmounts()).toEqual(['5', '5', '5', '5', '7']);
    expect(clock.timers).toBe(0);
  });

  test('tries for two seconds, then says what could not be delivered', async () => {
    const carrier = sender();
    carrier.offer(makerUpdate(orderAt(0), 5));
    carrier.offer(makerUpdate(orderAt(1), 9));
    await sink.calls[0]?.answer('delivered');
    const left = carrier.close();
    await sink.calls[1]?.answer(new Error('unavailable'));
    clock.advance(SIGNAL_RETRY_MS);
    expect(sink.calls).toHaveLength(3);
    clock.advance(CLOSE_MS);
    expect((await left).map(({ orderId }) => orderId)).toEqual([orderAt(1)]);
    await sink.last.answer(new Error('unavailable'));
    clock.advance(10_000);
    expect([sink.calls.length, clock.timers]).toEqual([3, 0]);
  });

  test('takes nothing more, and is over at once when nothing is left', async () => {
    const carrier = sender();
    expect(await carrier.close()).toEqual([]);
    carrier.offer(makerUpdate(orderAt(2), 5));
    expect([sink.calls.length, clock.timers]).toEqual([0, 0]);
  });
});

describe('an order without a running workflow', () => {
  test('is handed to the auditor once per state, and its next state is tried again', async () => {
    const orphans: MakerUpdate[] = [];
    const carrier = sender({ onOrphan: (orphan) => orphans.push(orphan) });
    carrier.offer(makerUpdate(orderAt(0), 5));
    await sink.last.answer('not-found');
    carrier.offer(makerUpdate(orderAt(0), 5));
    clock.advance(10_000);
    expect(sink.calls).toHaveLength(1);
    carrier.offer(makerUpdate(orderAt(0), 6));
    await sink.last.answer('delivered');
    expect(orphans.map((orphan) => orphan.record.filledLots)).toEqual([5n]);
    expect(sentAmounts()).toEqual(['5', '6']);
  });
});

test('whatever happens: one call per order at a time, amounts never fall, and the newest state arrives', async () => {
  const order = fc.nat(2);
  const step = fc.oneof(
    fc.record({ do: fc.constant('offer' as const), order, amount: fc.nat(20) }),
    fc.record({ do: fc.constant('answer' as const), order, how: fc.constantFrom('delivered', 'fail') }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.nat(60) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      sink = new HandSink();
      clock = new HandClock();
      const carrier = sender();
      const answered = new Set<unknown>();
      const highest = new Map<string, number>();
      const answerFor = async (id: OrderId, how: 'delivered' | 'fail'): Promise<void> => {
        const call = sink.calls.find((each) => each.update.order_id === id.toString() && !answered.has(each));
        if (call === undefined) return;
        answered.add(call);
        await call.answer(how === 'fail' ? new Error('unavailable') : 'delivered');
      };
      for (const each of steps) {
        if (each.do === 'offer') {
          carrier.offer(makerUpdate(orderAt(each.order), each.amount));
          const key = orderAt(each.order).toString();
          highest.set(key, Math.max(highest.get(key) ?? 0, each.amount));
        } else if (each.do === 'answer') await answerFor(orderAt(each.order), each.how);
        else clock.advance(each.ms);
        for (const open of sink.open.values()) expect(open).toBeLessThanOrEqual(1);
      }
      for (let round = 0; round < 4; round++) {
        clock.advance(SIGNAL_RETRY_MS);
        for (const n of [0, 1, 2]) await answerFor(orderAt(n), 'delivered');
      }
      expect(carrier.undelivered).toBe(0);
      for (const [key, amount] of highest) {
        const amounts = sink.calls
          .filter((call) => call.update.order_id === key)
          .map((call) => Number(call.update.filled_lots));
        expect(amounts.at(-1)).toBe(amount);
        expect([...amounts].sort((a, b) => a - b)).toEqual(amounts);
      }
    }),
    { numRuns: 200 },
  );
});

test('memory is bounded by forgetting finished orders, never one that is undelivered', async () => {
  const carrier = sender();
  for (let n = 0; n < 5_000; n++) {
    const ended = { ...filled(orderAt(n), 0), status: 'canceled' as const };
    carrier.offer({ ...makerUpdate(orderAt(n), 0), record: ended });
    if (n !== 7) await sink.last.answer('delivered');
  }
  expect(carrier.undelivered).toBe(1);
  expect(carrier.remembered).toBeLessThanOrEqual(4_096);
});

function sender(events: SenderEvents = {}): SignalSender {
  return new SignalSender({ makerAccount: MAKER, sink, clock, events });
}

function makerUpdate(orderId: OrderId, amount: number): MakerUpdate {
  const seen = amount === 0 ? record({ ...filled(orderId, 0), filledLots: lots(0) }) : filled(orderId, amount);
  return { orderId, terms: BTC, record: seen, receivedAtMs: clock.monotonicMs() };
}

function sentAmounts(): string[] {
  return sink.calls.map((call) => call.update.filled_lots);
}
