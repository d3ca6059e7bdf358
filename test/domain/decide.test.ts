import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { begin, decide, type Plan, type Step } from '../../src/domain/decide';
import { epochMsOf, orderIdOf, timeOf, type Tenths } from '../../src/domain/ids-and-nonces';
import { IDS_AHEAD_MS_MAX } from '../../src/domain/limits';
import type { ExecuteResult, HedgePolicy, OrderInput } from '../../src/domain/messages';
import {
  activeTicket,
  askCancel,
  askClose,
  askEndQuote,
  askRetry,
  executedLots,
  exposureLots,
  newOrder,
  type Order,
} from '../../src/domain/order';
import { absorbArm, absorbCancel, absorbExecution, absorbPlace, absorbUpdate } from '../../src/domain/order-absorb';
import { reportOf } from '../../src/domain/order-report';
import type { OrderStatus } from '../../src/domain/records';

const id = orderIdOf({ time: 283_000_000n as Tenths, lane: 5 });
const policy: HedgePolicy = {
  slippage_bps: 50,
  max_slippage_bps: 300,
  on_stuck: 'keep_trying',
  force_close_timeout_ms: 10_000,
};

/** When it was begun: its id tells it. */
const START = epochMsOf(timeOf(id));

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
    policy,
    spare_lanes: [9],
    ...change,
  };
}

/** An order driven by hand: `want` is what decide asks for, by lane; `start` begins it. */
function driven(change: Partial<OrderInput> = {}) {
  const order = newOrder(input(change), START);
  let now = START;
  const plan = (): Plan => decide(order, now);
  const d = {
    order,
    plan,
    wants: () => plan().steps.map((step) => step.do),
    start: (name: Step['do']): Step => {
      const step = plan().steps.find((s) => s.do === name);
      if (!step) throw new Error(`wanted ${name}, decided ${JSON.stringify(d.wants())}`);
      begin(order, step);
      return step;
    },
    at: (ms: number) => {
      now = START + ms;
      return d;
    },
    quoting: () => {
      d.start('arm');
      absorbArm(order, { armed: true }, now);
      d.start('place');
      absorbPlace(order, { placed: true, status: 'open', filled_lots: '0', filled_quote: '0', at_ms: now }, now);
      return d;
    },
    update: (filled: number, status: OrderStatus = filled === 20 ? 'filled' : 'open') => {
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
      return d;
    },
    executed: (executed: number, state: ExecuteResult['state'] = 'executed', blocked?: ExecuteResult['blocked']) => {
      absorbExecution(order, activeTicket(order), executeResult(executed, state, blocked), now);
      return d;
    },
  };
  return d;
}

function executeResult(
  executed: number,
  state: ExecuteResult['state'],
  blocked?: ExecuteResult['blocked'],
): ExecuteResult {
  return {
    state,
    executed_lots: String(executed),
    executed_quote: '0',
    slices: [],
    timings: {},
    ...(blocked ? { blocked } : {}),
  };
}

const margin = { code: '21739', message: 'not enough margin', retry_after_ms: 1_000 };

/** A quote of which 4 lots filled is asked to end: cancelled until its record is terminal, hedged, confirmed. */
function expectHedgedThenConfirmed(ask: typeof askCancel): void {
  const d = driven().quoting().update(4);
  ask(d.order);
  expect(d.wants().sort()).toEqual(['cancel', 'execute']);
  d.start('execute');
  d.executed(4);
  d.start('cancel');
  absorbCancel(
    d.order,
    { known: true, status: 'canceled', filled_lots: '4', filled_quote: '40', transaction_time_us: 0 },
    1,
  );
  expect(d.wants()).toEqual(['confirm']);
}

describe('decide: the ordinary life', () => {
  test('arm comes before place (invariant 11), place before the wait', () => {
    const d = driven();
    expect(d.wants()).toEqual(['arm']);
    d.start('arm');
    absorbArm(d.order, { armed: true }, START);
    expect(d.wants()).toEqual(['place']);
    d.start('place');
    expect(d.wants()).toEqual([]);
  });

  test('S-22 nobody can hedge: nothing is quoted, the order ends flat with the reason', () => {
    const d = driven();
    expect(d.wants()).toEqual(['arm']);
    d.start('arm');
    absorbArm(d.order, { armed: false, code: 'margin', message: 'account B has too little margin' }, START);
    expect(d.plan()).toMatchObject({ steps: [], end: true, hedgeState: 'flat' });
    expect(reportOf(d.order, 'ended')).toMatchObject({
      reason: 'not quoted: account B has too little margin',
      maker: { status: 'not-placed' },
    });
  });

  test('S-03 a fill before the submit returned is hedged while place runs', () => {
    const d = driven();
    d.start('arm');
    absorbArm(d.order, { armed: true }, START);
    d.start('place');
    d.update(20);
    expect(d.start('execute')).toMatchObject({ fillLots: 20n });
  });

  test('full fill: cover, confirm, end flat', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    d.executed(20);
    expect(d.wants()).toEqual(['confirm']);
    d.order.confirmed = true;
    expect(d.plan()).toMatchObject({ steps: [], end: true, hedgeState: 'flat' });
  });

  describe('an order whose result may tell its end', () => {
    const toTheEnd = (before: (order: Order) => void) => {
      const d = driven().quoting();
      before(d.order);
      d.update(20);
      d.start('execute');
      d.executed(20);
      d.order.confirmed = true;
      return d;
    };

    test('flat, and nothing was ever wrong: no further word', () => {
      expect(toTheEnd(() => undefined).plan()).toMatchObject({ steps: [], end: true, hedgeState: 'flat' });
    });

    test('a Canceled run has no result: told by signal', () => {
      const d = toTheEnd(askCancel);
      expect(d.start('tell')).toMatchObject({ state: 'flat', done: true });
      expect(d.plan().end).toBe(true);
    });

    test('long in trouble: it speaks, and its end is told by signal, since the pair may have gone on in a new run', () => {
      const d = driven()
        .quoting()
        .at(30_000 + 1_799_999);
      expect(d.wants()).toEqual(['cancel']);
      d.at(30_000 + 1_800_000);
      expect(d.start('tell')).toMatchObject({ state: 'quoting', done: false });
      d.update(0, 'canceled');
      expect(d.start('tell')).toMatchObject({ state: 'flat', done: true });
      expect(d.plan()).toMatchObject({ steps: [], end: true });
    });

    test('it was stuck, and the pair knows: told by signal', () => {
      const d = driven().quoting().update(20);
      d.start('execute');
      d.executed(0, 'blocked', margin);
      d.start('alert');
      d.start('tell');
      d.at(60_000).start('execute');
      d.executed(20);
      d.start('tell'); // no longer stuck
      d.order.confirmed = true;
      expect(d.start('tell')).toMatchObject({ state: 'flat', done: true });
    });

    test('nothing was placed: the result says so', () => {
      const d = driven();
      d.start('arm');
      absorbArm(d.order, { armed: false, code: 'margin', message: 'too little margin' }, START);
      expect(d.plan()).toMatchObject({ steps: [], end: true });
    });
  });

  test('S-01 partial fills: each is covered by the cumulative amount, the last one ends it', () => {
    const d = driven().quoting();
    for (const fill of [5, 9, 20]) {
      d.update(fill);
      expect(d.start('execute')).toMatchObject({ fillLots: BigInt(fill) });
      d.executed(fill);
    }
    expect(d.wants()).toEqual(['confirm']);
  });

  test('late, repeated and older updates change nothing', () => {
    const d = driven().quoting().update(9).update(5).update(9);
    expect(d.order.filledLots).toBe(9n);
    d.update(12, 'canceled').update(9, 'open');
    expect(d.order).toMatchObject({ filledLots: 12n, status: 'canceled' });
  });

  test('an update of another order is told so and changes nothing', () => {
    const d = driven().quoting();
    const other = {
      order_id: '128',
      status: 'filled',
      filled_lots: '20',
      filled_quote: '0',
      transaction_time_us: 0,
      received_at_ms: 0,
    } as const;
    expect(absorbUpdate(d.order, other, START)).toBe('other-order');
    expect(d.order.filledLots).toBe(0n);
  });

  test('the ledger may hear of the hedge before the fill that caused it', () => {
    const d = driven().quoting().update(5);
    d.start('execute');
    d.executed(20); // the fast path knew of 20
    d.update(20);
    expect(d.wants()).toEqual(['confirm']);
    expect(d.order.nakedSinceMs).toBeUndefined();
    expect(exposureLots(d.order)).toBe(0n);
  });
});

describe('decide: time-out and cancel', () => {
  test('after the time-out the rest is cancelled, again and again until the exchange shows the end', () => {
    const d = driven().quoting();
    expect(d.plan()).toMatchObject({ steps: [], wakeAtMs: START + 30_000 });
    d.at(30_000);
    for (let i = 0; i < 3; i++) {
      d.start('cancel');
      absorbCancel(d.order, { known: false, reason: '503' }, 30_000 + i * 20_000);
      d.at(30_000 + (i + 1) * 20_000);
    }
    absorbCancel(
      d.order,
      { known: true, status: 'canceled', filled_lots: '0', filled_quote: '0', transaction_time_us: 0 },
      90_000,
    );
    expect(d.plan()).toMatchObject({ steps: [], end: true });
  });

  test.each([-3_600_000, 3_600_000])("the maker host's clock, %i ms off, does not move the time-out", (offMs) => {
    const d = driven().at(1_000);
    d.start('arm');
    absorbArm(d.order, { armed: true }, START + 1_000);
    d.start('place');
    const placed = {
      placed: true,
      status: 'open',
      filled_lots: '0',
      filled_quote: '0',
      at_ms: START + 2_000 + offMs,
    } as const;
    absorbPlace(d.order, placed, START + 2_000);
    expect(d.at(31_999).plan()).toMatchObject({ steps: [], wakeAtMs: START + 32_000 });
    expect(d.at(32_000).wants()).toEqual(['cancel']);
  });

  test('S-30, P-01 the cancel answers, the order had filled further: hedged', () => {
    const d = driven().quoting().at(30_000);
    d.start('cancel');
    absorbCancel(
      d.order,
      { known: true, status: 'canceled', filled_lots: '7', filled_quote: '70', transaction_time_us: 0 },
      30_100,
    );
    expect(d.start('execute')).toMatchObject({ fillLots: 7n });
  });

  test('an operator cancel while quoting: cancelled, what filled is hedged, flat', () => {
    expectHedgedThenConfirmed(askCancel);
  });

  test('a cancel before anything was placed ends it without placing', () => {
    const d = driven();
    askCancel(d.order);
    expect(d.wants()).toEqual(['tell']);
    d.start('tell');
    expect(d.plan().end).toBe(true);
  });
});

describe('decide: the pair ends the quote', () => {
  test('while quoting: cancelled until the record is terminal, what filled is hedged, flat', () => {
    expectHedgedThenConfirmed(askEndQuote);
  });

  test('S-32 while hedging, and the hedge gets stuck: it is not given up, and hedges when it can', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    askEndQuote(d.order);
    d.executed(0, 'blocked', margin);
    expect(d.plan().hedgeState).toBe('stuck');
    d.at(1_000);
    expect(d.wants()).toContain('execute');
    expect(d.wants()).not.toContain('seal');
    d.start('execute');
    d.executed(20);
    expect(d.wants()).toContain('confirm');
  });

  test('before anything was placed: it ends without placing', () => {
    const d = driven();
    askEndQuote(d.order);
    expect(d.plan()).toMatchObject({ steps: [], end: true });
    const armed = driven();
    armed.start('arm');
    askEndQuote(armed.order);
    absorbArm(armed.order, { armed: true }, START);
    expect(armed.plan()).toMatchObject({ steps: [], end: true, hedgeState: 'flat' });
  });

  test('a cancel after it still gives up what is stuck', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    askEndQuote(d.order);
    d.executed(4, 'blocked', margin);
    askCancel(d.order);
    expect(d.wants()).toContain('seal');
  });
});

describe('decide: stuck', () => {
  test('S-09 blocked: stuck, alerted, the pair is told, the rest of the order is cancelled, and it keeps trying', () => {
    const d = driven().quoting().update(5);
    d.start('execute');
    d.executed(0, 'blocked', margin);
    expect(d.plan().hedgeState).toBe('stuck');
    expect(d.wants()).toEqual(['cancel', 'alert']);
    d.start('alert');
    expect(d.start('tell')).toMatchObject({ state: 'stuck', done: false });
    expect(d.wants()).toEqual(['cancel']);
    expect(d.plan().wakeAtMs).toBe(START + 1_000);
    d.at(1_000);
    expect(d.wants()).toContain('execute');
  });

  test.each([
    ['account B has too little margin', 'margin', 'account B has too little margin (margin)'],
    ['the exchange ended the order as canceled-x', 'canceled-x', 'the exchange ended the order as canceled-x'],
  ])('%s (%s): its reason says nothing twice', (message, code, reason) => {
    const d = driven().quoting().update(5);
    d.start('execute');
    d.executed(0, 'blocked', { ...margin, message, code });
    const alert = d.plan().steps.find((step) => step.do === 'alert');
    expect(d.order.stuck?.reason).toBe(reason);
    expect(alert).toMatchObject({ next: expect.stringContaining(`\`counterleg hedge retry ${d.order.id}\``) });
  });

  test("stuck for days: tried again ever less often, so that the run outlives a week of the engine's 51 200 events", () => {
    const EVENTS_OF_A_TRY = 11;
    const EVENTS_MAX = 51_200;
    const WEEK_MS = 7 * 86_400_000;
    const d = driven().quoting().update(20);
    let [now, tries] = [0, 0];
    for (; now < WEEK_MS; now = (d.plan().wakeAtMs ?? Infinity) - START) {
      d.at(now);
      if (!d.wants().includes('execute')) continue;
      d.start('execute');
      d.executed(0, 'blocked', { ...margin, retry_after_ms: 30_000 });
      tries += 1;
    }
    expect(tries * EVENTS_OF_A_TRY).toBeLessThan(EVENTS_MAX);
    expect(activeTicket(d.order).blocked?.retryAtMs).toBeLessThanOrEqual(START + WEEK_MS + 5 * 60_000);
  });

  test('the first half hour is not stretched, and the operator need not wait', () => {
    const d = driven().quoting().update(20);
    expect(d.wants()).toEqual(['execute']);
    d.at(1_799_999);
    d.start('execute');
    d.executed(0, 'blocked', margin);
    expect(activeTicket(d.order).blocked?.retryAtMs).toBe(START + 1_799_999 + 1_000);
    d.at(7_200_000).start('execute');
    d.executed(0, 'blocked', margin);
    expect(activeTicket(d.order).blocked?.retryAtMs).toBe(START + 7_200_000 + 120_000);
    askRetry(d.order, START + 7_200_001);
    expect(d.wants()).toContain('execute');
  });

  test('the operator asks while a try is under way, and only then does that one say that it is blocked: tried again at once, once', () => {
    const d = driven().quoting().update(20).at(7_200_000);
    d.start('execute');
    askRetry(d.order, 7_200_001);
    d.executed(0, 'blocked', margin);
    expect(d.start('execute')).toMatchObject({ retryNow: true });
    d.executed(0, 'blocked', margin);
    expect(d.wants()).not.toContain('execute');
  });

  test('a cancel that nobody answers is repeated ever less often too', () => {
    const d = driven().quoting().at(7_230_000);
    d.start('cancel');
    absorbCancel(d.order, { known: false, reason: '503' }, START + 7_230_000);
    expect(d.order.nextCancelAtMs).toBe(START + 7_230_000 + 120_000);
  });

  test('P-05 a lot that the exchange rejects as too small stays in the ledger, is alerted, and by policy is closed on A', () => {
    const d = driven({ policy: { ...policy, on_stuck: 'close' } }).quoting();
    d.update(1, 'canceled');
    d.start('execute');
    d.executed(0, 'blocked', { code: '21706', message: 'amount below the minimum', retry_after_ms: 30_000 });
    expect(d.start('alert')).toMatchObject({
      what: expect.stringContaining('0.00001 BTC naked: amount below the minimum'),
    });
    expect(reportOf(d.order, 'running')).toMatchObject({ exposure: '0.00001', hedge_state: 'stuck' });
    expect(d.plan().end).toBe(false);
    d.at(10_000);
    d.start('seal');
    d.executed(0, 'sealed');
    expect(d.start('execute')).toMatchObject({ entry: { direction: 'close' }, fillLots: 1n });
  });

  test('S-27 the naked clock starts at the first naked lot and is not reset by further fills', () => {
    const d = driven().quoting().at(100).update(2);
    expect(d.plan().hedgeState).toBe('hedging');
    d.at(8_000).update(4);
    expect(d.plan().hedgeState).toBe('hedging');
    d.at(10_099);
    expect(d.plan().hedgeState).toBe('hedging');
    d.at(10_100);
    expect(d.plan().hedgeState).toBe('stuck');
  });

  test('S-26, S-28 force close: the hedge is sealed first, the maker order is over first, only then the close opens', () => {
    const d = driven().quoting().update(5);
    d.start('execute');
    d.executed(2, 'blocked', margin);
    askClose(d.order);
    expect(d.wants().sort()).toEqual(['alert', 'cancel', 'seal']);
    d.start('seal');
    d.executed(3, 'sealed');
    expect(d.wants()).not.toContain('execute');
    d.start('cancel');
    absorbCancel(
      d.order,
      { known: true, status: 'canceled', filled_lots: '6', filled_quote: '60', transaction_time_us: 0 },
      1,
    );
    const close = d.start('execute');
    expect(close).toMatchObject({
      fillLots: 6n,
      entry: {
        direction: 'close',
        ticket: { id, priorLots: 3n, maxLots: 17n, side: 'sell', start: 'follows-placement' },
      },
    });
    d.executed(3);
    expect(d.wants()).toContain('confirm');
    expect(reportOf(d.order, 'running')).toMatchObject({ closed_base_amount: '0.00003', exposure: '0.00000' });
  });

  test('P-15 hedge → close → hedge again: each direction is sealed, each ticket has a fresh id and carries what is covered', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    d.executed(4, 'blocked', margin);
    askClose(d.order);
    d.start('seal');
    d.executed(5, 'sealed');
    d.start('execute');
    d.executed(7, 'blocked', margin);
    askRetry(d.order, START + 50);
    expect(d.start('seal')).toMatchObject({ entry: { direction: 'close' } });
    d.executed(8, 'sealed');
    const again = d.start('execute');
    expect(again).toMatchObject({
      entry: { direction: 'hedge', ticket: { priorLots: 13n, maxLots: 7n, start: 'opens-lane' } },
    });
    const { ticket } = activeTicket(d.order);
    expect(timeOf(ticket.id)).toBeGreaterThan(timeOf(id));
    d.executed(7);
    expect(executedLots(d.order)).toBe(20n);
    expect(d.wants()).toContain('confirm');
  });

  test('policy close: after the time-out it seals and closes without being asked', () => {
    const d = driven({ policy: { ...policy, on_stuck: 'close' } })
      .quoting()
      .update(20);
    d.start('execute');
    d.executed(0, 'blocked', { ...margin, retry_after_ms: 60_000 });
    expect(d.plan().wakeAtMs).toBe(START + 10_000);
    d.at(10_000);
    expect(d.wants()).toContain('seal');
  });

  test('a cancel while stuck: sealed, alerted with the amount, ends abandoned', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    d.executed(4, 'blocked', margin);
    askCancel(d.order);
    d.start('alert');
    d.start('seal');
    d.executed(6, 'sealed');
    expect(d.start('alert')).toMatchObject({
      kind: 'abandoned',
      exposed: '0.00014 BTC',
      what: expect.stringContaining('0.00014 BTC naked'),
    });
    d.start('tell');
    expect(d.plan()).toMatchObject({ end: true, hedgeState: 'abandoned' });
  });

  test('a cancel while hedging lets the hedge finish', () => {
    const d = driven().quoting().update(20);
    const execution = d.start('execute');
    askCancel(d.order);
    expect(execution.do).toBe('execute');
    expect(d.wants()).toEqual(['execute']);
    d.executed(20);
    expect(d.wants()).toEqual(['confirm']);
  });

  test('P-18 a jumped lane: the order goes on under a fresh id on the spare lane', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    d.executed(6, 'jumped');
    const step = d.start('execute');
    expect(step).toMatchObject({ entry: { ticket: { priorLots: 6n, maxLots: 14n } } });
    expect((activeTicket(d.order).ticket.id >> 7n) & 255n).toBe(9n);
    d.executed(2, 'jumped');
    expect(d.plan().hedgeState).toBe('stuck'); // no spare lane is left
  });

  describe('S-49 a quote on a maker-only lane', () => {
    const onMakerOnly = (spares: number[], quotesOnly = [5]) => {
      const d = driven({ spare_lanes: spares });
      d.start('arm');
      absorbArm(d.order, { armed: true }, START);
      d.start('place');
      const amounts = { filled_lots: '0', filled_quote: '0', at_ms: START };
      absorbPlace(d.order, { placed: true, status: 'open', ...amounts, quotes_only: quotesOnly }, START);
      return d.update(20);
    };
    const closing = (d: ReturnType<typeof driven>) => {
      askClose(d.order);
      d.start('seal');
      d.executed(6, 'sealed');
      d.start('execute');
      return activeTicket(d.order);
    };
    const laneOf = (ticketId: bigint) => (ticketId >> 7n) & 255n;

    test('is hedged on its own lane, and closed under a spare lane with a fresh id, at once', () => {
      const d = onMakerOnly([9, 10]);
      d.start('execute');
      expect(activeTicket(d.order).ticket.id).toBe(id);
      const close = closing(d);
      expect(close).toMatchObject({ direction: 'close', ticket: { priorLots: 6n, maxLots: 14n, start: 'opens-lane' } });
      expect(laneOf(close.ticket.id)).toBe(9n);
      d.executed(0, 'jumped');
      d.start('execute');
      expect(laneOf(activeTicket(d.order).ticket.id)).toBe(10n);
    });

    test('and not under a spare lane that is maker-only too', () => {
      const d = onMakerOnly([9, 10, 11], [5, 9, 11]);
      d.start('execute');
      expect(laneOf(closing(d).ticket.id)).toBe(10n);
      d.executed(0, 'jumped');
      expect(d.plan().hedgeState).toBe('stuck'); // no spare lane is left that closes
      expect(d.order.stuck?.reason).toContain('no spare lane is left');
    });

    test('a close that has lost its own lane passes over a spare one that is maker-only', () => {
      const d = onMakerOnly([9, 10], [9]);
      d.start('execute');
      expect(laneOf(closing(d).ticket.id)).toBe(5n);
      d.executed(0, 'jumped');
      d.start('execute');
      expect(laneOf(activeTicket(d.order).ticket.id)).toBe(10n);
    });

    test("a spare lane that the hedge has used up was B's: A closes there, later in time", () => {
      const d = onMakerOnly([9]);
      d.start('execute');
      d.executed(0, 'jumped');
      d.start('execute');
      const used = activeTicket(d.order).ticket.id;
      const close = closing(d);
      expect(laneOf(close.ticket.id)).toBe(9n);
      expect(timeOf(close.ticket.id)).toBeGreaterThan(timeOf(used));
    });

    test('ids never run further ahead of the clock than the fence of close-all reaches, however often it changes direction', () => {
      const d = onMakerOnly([9]);
      d.start('execute');
      closing(d);
      const ahead = (atMs: number) => epochMsOf(timeOf(d.order.lastId)) - (START + atMs);
      for (let turn = 1; turn <= 8; turn++) {
        if (turn % 2 === 1) askRetry(d.order, START + turn);
        else askClose(d.order);
        d.at(turn).executed(0, 'sealed');
        const [step] = d.plan().steps.filter((one) => one.do === 'execute');
        if (step === undefined) {
          const waits = (d.plan().wakeAtMs ?? 0) - START;
          expect(waits).toBeGreaterThan(turn + 5_000);
          expect(d.order.stuck?.reason).toMatch(
            /^its next order id lies ahead of the clock: it trades again in \d+ s$/,
          );
          expect(d.wants()).toContain('alert');
          expect(d.at(waits).wants()).toContain('execute');
          expect(ahead(waits)).toBeLessThanOrEqual(IDS_AHEAD_MS_MAX);
          return;
        }
        begin(d.order, step);
        expect(ahead(turn)).toBeLessThanOrEqual(IDS_AHEAD_MS_MAX);
      }
      throw new Error('it never waited');
    });

    test.each(['its placement answers', 'the exchange rejects a close'] as const)(
      'closed before it is known to be maker-only: once %s, the next close takes the spare lane',
      (how) => {
        const d = driven({ spare_lanes: [9] });
        d.start('arm');
        absorbArm(d.order, { armed: true }, START);
        d.start('place');
        d.update(20).start('execute');
        expect(closing(d).ticket.id).toBe(id);
        d.executed(6, 'blocked', { code: '62007', message: 'api key is maker only', retry_after_ms: 1_000 });
        const amounts = { filled_lots: '0', filled_quote: '0', at_ms: START };
        if (how === 'its placement answers')
          absorbPlace(d.order, { placed: true, status: 'open', ...amounts, quotes_only: [5] }, START);
        d.start('seal'); // at once: the key takes a cancel
        d.executed(6, 'sealed');
        d.start('execute');
        expect(laneOf(activeTicket(d.order).ticket.id)).toBe(9n);
      },
    );

    test('without a spare lane its own is tried', () => {
      const d = onMakerOnly([]);
      d.start('execute');
      expect(closing(d)).toMatchObject({ direction: 'close', ticket: { id, start: 'follows-placement' } });
    });
  });

  describe('S-49 a lane whose key is rejected for good', () => {
    test('the hedge goes on under a spare lane', () => {
      const d = driven().quoting().update(20);
      d.start('execute');
      d.executed(0, 'dead');
      expect(d.plan().hedgeState).toBe('stuck'); // a minute passes: somebody is told at once
      // Whoever still tries the dead ticket has ended by then: its key may come back.
      expect(
        d
          .at(89_999)
          .plan()
          .steps.map((step) => step.do),
      ).not.toContain('execute');
      d.at(90_000).start('seal');
      d.executed(0, 'dead');
      expect(d.start('execute')).toMatchObject({ entry: { direction: 'hedge', ticket: { priorLots: 0n } } });
      expect((activeTicket(d.order).ticket.id >> 7n) & 255n).toBe(9n);
    });

    const deadHedge = (onStuck: 'keep_trying' | 'close') => {
      const d = driven({ spare_lanes: [], policy: { ...policy, on_stuck: onStuck } })
        .quoting()
        .update(20);
      d.start('execute');
      d.executed(6, 'dead');
      return d;
    };
    const againDead = (d: ReturnType<typeof driven>, executed: number) => {
      d.at(90_000).start('seal');
      d.executed(executed, 'dead');
      return d;
    };

    test('what another process executed before the second finding counts: nothing is traded twice', () => {
      const d = deadHedge('keep_trying').at(90_000);
      d.start('seal');
      d.executed(20, 'sealed');
      expect(d.wants()).toEqual(['confirm']);
    });

    test.each(['keep_trying', 'close'] as const)(
      'no spare lane, %s: what is naked is closed on A, without a seal',
      (onStuck) => {
        const d = deadHedge(onStuck);
        expect(d.plan().hedgeState).toBe('stuck');
        againDead(d, 6);
        expect(d.start('execute')).toMatchObject({
          entry: { direction: 'close', ticket: { priorLots: 6n, maxLots: 14n } },
        });
        d.executed(14);
        expect(d.wants()).toEqual(['confirm']);
      },
    );

    test('the operator who registered another key has it hedged', () => {
      const d = againDead(deadHedge('keep_trying'), 6).at(91_000);
      askRetry(d.order, START + 91_000);
      expect(d.start('execute')).toMatchObject({ entry: { direction: 'hedge', ticket: { priorLots: 6n } } });
    });

    test('a close whose key is rejected is hedged again', () => {
      const d = driven({ spare_lanes: [] }).quoting().update(20);
      d.start('execute');
      askClose(d.order);
      d.executed(0, 'sealed');
      d.start('execute');
      d.executed(0, 'dead');
      againDead(d, 0);
      expect(d.start('execute')).toMatchObject({ entry: { direction: 'hedge' } });
    });

    test('both accounts reject: the order ends, and a person is told what is naked', () => {
      const d = deadHedge('keep_trying');
      d.start('alert');
      d.start('tell');
      againDead(d, 6).start('execute');
      d.executed(0, 'dead');
      d.at(180_000).start('seal');
      d.executed(0, 'dead');
      expect(d.start('alert')).toMatchObject({ kind: 'abandoned', what: expect.stringContaining('0.00014 BTC naked') });
      expect(d.start('tell')).toMatchObject({ state: 'abandoned', done: true });
      expect(d.plan()).toMatchObject({ steps: [], end: true });
    });
  });

  test('a ticket that ran out of ids was sealed: the next one goes on', () => {
    const d = driven().quoting().update(20);
    d.start('execute');
    d.executed(6, 'sealed');
    expect(d.start('execute')).toMatchObject({ entry: { direction: 'hedge', ticket: { priorLots: 6n } } });
  });
});

describe('decide reaches a fixpoint', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('fill' as const), lots: fc.integer({ min: 0, max: 20 }), ends: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('cancel', 'close', 'retry') }),
    fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
    fc.record({
      kind: fc.constant('answer' as const),
      executed: fc.integer({ min: 0, max: 20 }),
      how: fc.constantFrom('executed', 'blocked', 'sealed', 'jumped', 'dead'),
    }),
  );

  test('without outside events no step is wanted again and again, and nothing is over while lots are naked', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 25, size: 'max' }),
        fc.constantFrom<'keep_trying' | 'close'>('keep_trying', 'close'),
        (events, onStuck) => {
          const order = newOrder(input({ policy: { ...policy, on_stuck: onStuck } }), START);
          let now = 0;
          let truth = 0;
          let closed = false;
          for (const e of events) {
            switch (e.kind) {
              case 'fill':
                if (order.placement !== 'placed' || closed) break;
                truth = Math.max(truth, e.lots);
                closed = e.ends || truth === 20;
                absorbUpdate(order, updateOf(truth, closed), now);
                break;
              case 'cancel':
                askCancel(order);
                break;
              case 'close':
                if (exposureLots(order) > 0n) askClose(order);
                break;
              case 'retry':
                if (exposureLots(order) > 0n) askRetry(order, now);
                break;
              case 'time':
                now += e.ms;
                break;
              case 'answer': {
                const entry = activeTicket(order);
                if (entry.end !== undefined) break;
                const room = Number(order.filledLots - executedLots(order));
                const executed = Number(entry.executedLots) + Math.min(Math.max(room, 0), e.executed);
                const sealed = e.how === 'sealed' && !entry.sealing ? 'executed' : e.how;
                absorbExecution(
                  order,
                  entry,
                  executeResult(executed, sealed, e.how === 'blocked' ? margin : undefined),
                  now,
                );
                break;
              }
            }
            settleDown(order, now);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function updateOf(filled: number, closed: boolean) {
  const status: OrderStatus = filled === 20 ? 'filled' : closed ? 'canceled' : 'open';
  return {
    order_id: id.toString(),
    status,
    filled_lots: String(filled),
    filled_quote: '0',
    transaction_time_us: 0,
    received_at_ms: 0,
  };
}

/** Answers every step with "nothing new" at the same instant; more than a few dozen rounds would be a loop that spins. */
function settleDown(order: Order, now: number): void {
  for (let round = 0; round < 40; round++) {
    const plan = decide(order, now);
    if (plan.end) {
      const abandoned = plan.hedgeState === 'abandoned';
      expect(exposureLots(order) === 0n || abandoned).toBe(true);
      if (abandoned) expect(order.alerted.abandoned).toBe(true);
      expect(plan.steps).toEqual([]);
      return;
    }
    if (plan.steps.length === 0) return;
    for (const step of plan.steps) {
      begin(order, step);
      if (step.do === 'arm') absorbArm(order, { armed: true }, now);
      if (step.do === 'place')
        absorbPlace(order, { placed: true, status: 'open', filled_lots: '0', filled_quote: '0', at_ms: now }, now);
      if (step.do === 'cancel') absorbCancel(order, { known: false, reason: 'no answer' }, now);
      if (step.do === 'confirm') order.confirmed = true;
      if (step.do === 'execute' || step.do === 'seal') {
        absorbExecution(order, step.entry, executeResult(Number(step.entry.executedLots), 'blocked', margin), now);
      }
    }
  }
  throw new Error(`no fixpoint: ${JSON.stringify(decide(order, now).steps.map((step) => step.do))}`);
}
