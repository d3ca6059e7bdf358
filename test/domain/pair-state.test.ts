/** A pair's books, without a workflow: what slots, counts and a continue-as-new make of what orders say. */
import { describe, expect, test } from '@jest/globals';
import { orderIdOf, type OrderId, type Tenths } from '../../src/domain/ids-and-nonces';
import type { OrderResult, OrderState, PairInput } from '../../src/domain/messages';
import { demandQuoteTerms, quoteTermsText, type PairSetting } from '../../src/domain/pair-terms';
import type { Slot } from '../../src/workflows/pair-slot';
import { PairState } from '../../src/workflows/pair-state';

function pairInput(change: Partial<PairInput> = {}): PairInput {
  return {
    market: 'BTC',
    maker_account: 1,
    hedge_account: 2,
    strategy: 'buy',
    depth: 1,
    lots: '20',
    size_decimals: 5,
    max_position_lots: '100',
    lanes: [5, 6],
    spare_lanes: [],
    time_out_ms: 1,
    expiry_ms: 1,
    policy: { slippage_bps: 1, max_slippage_bps: 1, on_stuck: 'keep_trying', force_close_timeout_ms: 1 },
    max_consecutive_failures: 3,
    ...change,
  };
}

const MARGIN_OK = { level: 'ok', what: 'both are safe' } as const;

let time = 283_000_000n;

function say(state: PairState, id: OrderId, change: Partial<OrderState>): void {
  const said = { order_id: id.toString(), last_id: id.toString(), hedge_state: 'flat', exposure_lots: '0', done: true };
  state.heard({ ...(said as OrderState), ...change });
}

function pairOf(change: Partial<PairInput> = {}, slotsAre: 'free' | 'as carried' = 'free') {
  const state = new PairState(pairInput(change));
  const slots = state.slots as [Slot, Slot];
  if (slotsAre === 'free') {
    for (const slot of slots) slot.state = 'free';
    state.margin.takes(MARGIN_OK);
  }
  const start = (slot: Slot): OrderId => {
    const id = orderIdOf({ time: time++ as Tenths, lane: slot.lane });
    state.started(slot, { id, lots: 20n });
    return id;
  };
  const end = (id: OrderId, status: OrderResult['maker']['status'], filled = '0.00000'): void => {
    say(state, id, {
      result: {
        maker: { status, filled_base_amount: filled, avg_price: '0' },
        reason: '',
        exposure: '0',
        closed_base_amount: '0',
      } as OrderResult,
    });
  };
  return { state, slots, start, end };
}

describe('what a continue-as-new carries', () => {
  test('a lane whose order vanished is proved again by the next run: its last id is not taken for a proof', () => {
    const { state, slots, start, end } = pairOf();
    end(start(slots[1]), 'canceled');
    state.vanished(start(slots[0]).toString());
    const next = new PairState(pairInput({ carry: state.carry }));
    expect(next.slots.map((slot) => slot.state)).toEqual(['unproven', 'free']);
  });

  test('a flatten that made a naked lane even is not forgotten, whatever state the lane is in', () => {
    const { state, slots, start } = pairOf();
    const id = start(slots[0]);
    state.vanished(id.toString());
    slots[0].flatUpTo = id;
    slots[1].flatUpTo = id;
    const { slots: next } = new PairState(pairInput({ carry: state.carry }));
    expect(next.map(({ flatUpTo }) => flatUpTo)).toEqual([id, id]);
  });

  test('an order in trouble: its slot stays taken, its lots count, its end is heard', () => {
    const { state, slots, start } = pairOf();
    const id = start(slots[0]);
    expect(state.mayHandOver).toBe(false); // its result would reach nobody
    say(state, id, { hedge_state: 'stuck', done: false });
    expect(state.mayHandOver).toBe(true);
    const carry = JSON.parse(JSON.stringify(state.carry)) as NonNullable<PairInput['carry']>;
    const next = pairOf({ carry }, 'as carried');
    expect(next.state.slots[0]).toMatchObject({
      state: 'busy',
      order_id: id.toString(),
      lots: 20n,
      isHandedOver: true,
    });
    expect(next.state.isStuck).toBe(true);
    expect(next.state.mayHandOver).toBe(true);
    expect(next.state.openLotsBeside(next.slots[1])).toBe(20n);
    next.end(id, 'canceled', '0.00005');
    expect(next.state.slots[0]).toEqual({ lane: 5, state: 'free', lastId: id });
    expect(next.state).toMatchObject({ mode: 'running', counts: { started: 1, filled: 1 } });
  });

  test('a step that is stuck on a spare lane, of a lane that never had an order: its slot stays taken, and nothing else is begun', () => {
    const { state, slots } = pairOf();
    const id = orderIdOf({ time: 283_000_000n as Tenths, lane: 9 });
    state.started(slots[0], { id, lots: 20n, unwinds: true });
    say(state, id, { hedge_state: 'stuck', done: false });
    const carry = JSON.parse(JSON.stringify(state.carry)) as NonNullable<PairInput['carry']>;
    expect(carry.slots[0]).not.toHaveProperty('last_id');
    const next = pairOf({ carry }, 'as carried');
    expect(next.slots[0]).toMatchObject({
      state: 'busy',
      order_id: id.toString(),
      at: 9,
      unwinds: true,
      isHandedOver: true,
    });
    expect(next.state).toMatchObject({ isStuck: true, isIdle: false });
    expect(next.state.mayUnwind(next.slots[1])).toBe(false);
  });

  test.each(['pause', 'stop'] as const)('a %s, with its reason', (how) => {
    const { state } = pairOf();
    state[how]('for a test');
    const next = new PairState(pairInput({ carry: state.carry }));
    expect([next.mode, next.reason]).toEqual([state.mode, 'for a test']);
  });
});

describe('orders that the exchange ends by itself', () => {
  test('P-25 not placed for what the market is: no failure of the pair, which asks its gate and goes on by itself', () => {
    const { state, slots, start } = pairOf();
    const maker = { status: 'not-placed', filled_base_amount: '0.00000', avg_price: '0' } as const;
    const result = { maker, reason: 'x', reason_code: 'market-closed', exposure: '0' } as OrderResult;
    for (let n = 0; n < 5; n += 1) say(state, start(slots[0]), { result });
    expect(state).toMatchObject({ mode: 'running', failures: 0, counts: { failed: 5 } });
  });

  test('refused in the book again and again, say for margin: counted as failures, and the pair pauses', () => {
    const { state, slots, start, end } = pairOf();
    for (let i = 0; i < 3; i++) end(start(slots[0]), 'canceled-margin-not-allowed');
    expect(state).toMatchObject({ mode: 'paused', failures: 3 });
    expect(state.reason).toContain('canceled-margin-not-allowed');
    expect(state.counts).toMatchObject({ failed: 3, unfilled: 0 });
  });

  test('crossing the book slows quoting down and never stops it; an order that rested ends that', () => {
    const { state, slots, start, end } = pairOf();
    for (let i = 0; i < 10; i++) end(start(slots[0]), 'canceled-post-only');
    expect(state).toMatchObject({ mode: 'running', failures: 0, crossings: 10 });
    end(start(slots[0]), 'canceled');
    expect(state.crossings).toBe(0);
  });

  test('a partial fill is a fill, however the order ended', () => {
    const { state, slots, start, end } = pairOf();
    end(start(slots[0]), 'canceled-margin-not-allowed', '0.00005');
    expect(state).toMatchObject({ failures: 0, counts: { filled: 1 } });
  });
});

test('an order whose quote the pair itself ended before it was placed is no failure', () => {
  const { state, slots, start, end } = pairOf({ max_consecutive_failures: 1 });
  const id = start(slots[0]);
  slots[0].quoteEnded = true;
  end(id, 'not-placed');
  expect(state).toMatchObject({ mode: 'running', failures: 0, counts: { failed: 0, unfilled: 1 } });
  end(start(slots[0]), 'not-placed');
  expect(state).toMatchObject({ mode: 'paused', counts: { failed: 1 } });
});

test('S-19 a quote that a hedge of ours met and ended is no failure', () => {
  const { state, slots, start, end } = pairOf({ max_consecutive_failures: 1 });
  end(start(slots[0]), 'canceled-self-trade');
  expect(state).toMatchObject({ mode: 'running', failures: 0, counts: { failed: 0, unfilled: 1 } });
});

describe('the position limit', () => {
  test('of two slots that ask at once, the second counts the first one’s order', () => {
    const { state, slots } = pairOf();
    for (const slot of slots) slot.state = 'quoting';
    expect(slots.map((slot) => state.openLotsBeside(slot))).toEqual([0n, 20n]);
  });

  test('open orders of other slots count, its own slot does not', () => {
    const { state, slots, start } = pairOf();
    start(slots[1]);
    slots[0].state = 'quoting';
    expect(state.openLotsBeside(slots[0])).toBe(20n);
  });
});

describe('other terms while it runs', () => {
  test('are in force at once, told, and carried', () => {
    const { state } = pairOf();
    expect(state.set({ depth: 5, lots: '40', by: 'ann@desk' }, 1_000)).toBe('depth 1 → 5, quantity in lots 20 → 40');
    const next = new PairState({ ...state.input, carry: state.carry });
    for (const { status } of [state, next])
      expect(status).toMatchObject({
        terms: { strategy: 'buy', depth: 5, lots: '40', max_position_lots: '100', time_out_ms: 1 },
        changed: { at_ms: 1_000, by: 'ann@desk', what: 'depth 1 → 5, quantity in lots 20 → 40' },
      });
  });

  test.each([
    ['more than the position may be', { lots: '101' }, 'more than the position may ever be'],
    ['a position smaller than an order', { max_position_lots: '19' }, 'more than the position may ever be'],
    ['nothing new', { depth: 1 }, 'already'],
    ['no depth', { depth: 0 }, 'depth cannot be 0'],
    ['a depth that is no number', { depth: Number('x') }, 'depth cannot be'],
    ['an amount of nothing', { lots: '0' }, 'quantity in lots cannot be'],
    ['a side that does not exist', { strategy: 'short' }, 'side cannot be "short"'],
    ['a day and more', { time_out_ms: 86_400_001 }, 'time_out in ms cannot be'],
    ['what is no term', { lanes: [7] }, 'lanes cannot be'],
    ['a price that is no rule', { price_buy: 'best' }, 'price.buy cannot be "best": give level, level 3, join'],
    ['an edge of too many decimals', { min_edge_bps: '0.125' }, 'min_edge_bps cannot be "0.125"'],
    ['an edge beyond all markets', { min_edge_bps: '1000' }, 'min_edge_bps cannot be'],
    ['a distance without a unit', { skew: '5' }, 'skew cannot be "5": give 12 ticks or 2.5 bps'],
    ['more long than the position may be', { max_long_lots: '101' }, 'max_long of 101 lots is above max_position'],
    ['an order that is more than may be long', { max_long_lots: '19' }, 'nothing would be quoted'],
    ['an order that is more than may be short', { strategy: 'sell', max_short_lots: '19' }, 'nothing would be quoted'],
    ['no windows', { schedule: 'weekdays' }, 'schedule cannot be "weekdays": give mon-fri 09:00-17:30'],
    ['a schedule that never trades', { schedule: 'mon 09:00-10:00', blackout: 'daily 08:00-12:00' }, 'never trades'],
    ['a zone of odd letters', { time_zone: 'Mars/Olympus Mons' }, 'time_zone cannot be'],
    [
      'a rest of nothing that ends it',
      { requote_min_rest_ms: 5_000 },
      'counts only with requote.drift or min_edge_bps',
    ],
    ['a rest that outlasts the order', { requote_drift: '5 ticks' }, 'lets nothing be placed anew'],
    ['a depth that nothing uses', { depth: 3, price_buy: 'join', price_sell: 'mid 1' }, 'depth counts only where'],
    ['a target of nothing', { target_volume: '0' }, 'target.volume cannot be "0"'],
    ['a target that is past', { target_until: '2026-01-01T00:00:00.000Z' }, 'target.until is past'],
    ['a target at no time', { target_until: 'tomorrow' }, 'target.until cannot be'],
    ['an end without a target', { target_then: 'stop' }, 'then counts only with target.volume or target.until'],
    ['an end of what is off', { skew: null }, 'already'],
    ['an end of what is always there', { depth: null }, 'depth cannot be null'],
  ])('%s: rejected, and nothing changes', (_what, setting, why) => {
    const { state } = pairOf();
    expect(() => state.set(setting as PairSetting, Date.UTC(2026, 10, 26))).toThrow(why);
    expect(state.status).toMatchObject({ terms: { depth: 1, lots: '20' } });
    expect(state.status.changed).toBeUndefined();
  });

  test('optional ones come and go, and are shown while they are there', () => {
    const { state } = pairOf({ time_out_ms: 30_000 });
    const terms = {
      price_buy: 'join',
      min_edge_bps: '-0.5',
      requote_drift: '2.5 bps',
      schedule: 'mon-fri 09:00-17:30',
    };
    expect(state.set(terms, 0)).toBe(
      'price.buy off → join, min_edge_bps off → -0.5, requote.drift off → 2.5 bps, schedule off → mon-fri 09:00-17:30',
    );
    expect(state.status.terms).toMatchObject(terms);
    expect(state.set({ price_buy: null, requote_drift: null, depth: 4 }, 0)).toBe(
      'depth 1 → 4, price.buy join → off, requote.drift 2.5 bps → off',
    );
    expect(state.status.terms).not.toHaveProperty('price_buy');
    expect(quoteTermsText(state.status.terms)).toBe('min_edge_bps -0.5, schedule mon-fri 09:00-17:30');
  });

  test('the volume counts from the start, over all runs; the target is reached by it or by the time', () => {
    const { state, slots, start } = pairOf({ target_volume: '43.8', target_until: '2026-11-27T00:00:00.000Z' });
    const fill = (base: string): void => {
      const maker = { status: 'filled', filled_base_amount: base, avg_price: '109440.7' };
      say(state, start(slots[0]), {
        result: { maker, closed_base_amount: '0', reason: '', exposure: '0' } as OrderResult,
      });
    };
    const [before, at] = [Date.UTC(2026, 10, 26), Date.UTC(2026, 10, 27)];
    fill('0.00020');
    expect(state.status.traded_usdc).toBe('21.888140');
    expect(state.targetReached(before)).toBeUndefined();
    expect(state.targetReached(at)).toBe('target.until is reached: 2026-11-27T00:00:00.000Z');
    fill('0.00021');
    expect(state.targetReached(before)).toBe('target.volume is reached: A has traded 44.870687 of 43.8 USDC');
    fill('x'); // an order's word may be anybody's
    const next = new PairState({ ...state.input, carry: state.carry });
    expect(next.status.traded_usdc).toBe('44.870687');
  });

  test('a pair is not started with terms that are none', () => {
    expect(demandQuoteTerms(pairInput({ skew: '2 bps' }))).toMatchObject({ skew: '2 bps' });
    expect(() => demandQuoteTerms(pairInput({ skew: '2' }))).toThrow('skew cannot be "2"');
  });
});

describe('why a slot does not quote', () => {
  const EVEN = { state: 'even', lots: '0', what: '' } as const;
  const codes = (state: PairState): string[][] =>
    state.status.slots.map((slot) => slot.reasons.map(({ code }) => code));

  test('all that applies, the pair’s own reasons first', () => {
    const { state, slots } = pairOf({}, 'as carried');
    state.pause('by hand');
    expect(state.status.slots[0]?.reasons).toEqual([
      { code: 'paused', text: 'by hand' },
      { code: 'books-unread', text: 'no quotes before both accounts have been compared' },
      { code: 'margin-unread', text: 'no quotes before the margin of both accounts has been read' },
      { code: 'lane-unproven', text: 'its lane is being proven' },
    ]);
    state.resume();
    state.compared(EVEN);
    state.margin.takes(MARGIN_OK);
    slots[0].state = 'free';
    Object.assign(slots[0], { note: 'the book is thin', code: 'thin-book' });
    expect(codes(state)).toEqual([['thin-book'], ['lane-unproven']]);
  });

  test('nothing while its order rests; what keeps a slot that has one', () => {
    const { state, slots, start } = pairOf();
    state.compared(EVEN);
    const id = start(slots[0]);
    expect(codes(state)).toEqual([[], []]);
    say(state, id, { hedge_state: 'stuck', done: false });
    expect(codes(state)).toEqual([['stuck'], ['stuck']]);
    say(state, id, { hedge_state: 'hedging', done: false });
    slots[0].quoteEnded = true;
    expect(codes(state)).toEqual([['hedging'], []]);
  });

  test('an order that was not placed leaves the reason’s code', () => {
    const { state, slots, start } = pairOf();
    state.compared(EVEN);
    const maker = { status: 'not-placed', filled_base_amount: '0.00000', avg_price: '0' };
    const reason = 'account B can carry 0 more of this size';
    say(state, start(slots[0]), { result: { maker, reason, reason_code: 'margin', exposure: '0' } as OrderResult });
    expect(state.status.slots[0]?.reasons).toEqual([{ code: 'margin', text: reason }]);
  });

  test('no more orders than may still fill', () => {
    const { state, slots, start } = pairOf({ order_limit: 1 });
    state.compared(EVEN);
    start(slots[0]);
    expect(codes(state)).toEqual([[], ['order-limit']]);
  });
});

describe('an unwind', () => {
  const NEAR = { level: 'unwind', what: 'B is near' } as const;
  const unwinding = () => {
    const pair = pairOf();
    pair.state.compared({ state: 'even', lots: '0', what: '' });
    pair.state.margin.takes(NEAR);
    return pair;
  };
  const may = ({ state, slots }: ReturnType<typeof unwinding>): boolean[] => slots.map((slot) => state.mayUnwind(slot));

  test('one step at a time, beside nothing but orders that are stuck, paused or not; not while nobody knows, and not when stopped', () => {
    const pair = unwinding();
    const { state, slots, start } = pair;
    expect([may(pair), state.mayStart(slots[0])]).toEqual([[true, true], false]);
    const id = start(slots[0]); // rests still
    expect(may(pair)).toEqual([true, false]);
    say(state, id, { hedge_state: 'stuck', done: false });
    expect(may(pair)[1]).toBe(true);
    state.pause('by hand');
    expect(may(pair)[1]).toBe(true);
    expect(state.margin.takes({ level: 'unknown', what: '429' })).toBe(false);
    expect([may(pair)[1], state.margin.status?.level]).toEqual([false, 'unknown']);
    expect(state.margin.takes({ level: 'stop-quoting', what: 'nearly' })).toBe(true); // it goes on
    expect(may(pair)[1]).toBe(true);
    state.stop('by hand');
    expect(may(pair)[1]).toBe(false);
  });

  test('a step that is stuck holds the next one up, in the next run too; what it traded is counted at its end', () => {
    const pair = unwinding();
    const { state, slots } = pair;
    const id = orderIdOf({ time: time++ as Tenths, lane: slots[0].lane });
    state.margin.begin();
    state.started(slots[0], { id, lots: 20n, unwinds: true });
    say(state, id, { hedge_state: 'stuck', done: false });
    expect(may(pair)[1]).toBe(false);
    const next = new PairState(pairInput({ carry: state.carry }));
    const [, free] = next.slots as [Slot, Slot];
    free.state = 'free';
    expect(next.mayUnwind(free)).toBe(false);
    const maker = { status: 'canceled-too-much-slippage', filled_base_amount: '0.00012', avg_price: '0' } as const;
    say(next, id, { result: { maker, closed_base_amount: '0', reason: '', exposure: '0' } as OrderResult });
    expect(next.mayUnwind(free)).toBe(true);
    expect(next.counts).toMatchObject({ filled: 1, failed: 0 });
    next.margin.takes({ level: 'warn', what: '' });
    expect([next.margin.end(), next.margin.end()]).toEqual([{ steps: 1, lots: '12' }, undefined]);
  });

  test('a step that traded nothing is no failure', () => {
    const { state, slots } = unwinding();
    for (let n = 0; n < 5; n++) {
      const id = orderIdOf({ time: time++ as Tenths, lane: slots[0].lane });
      state.started(slots[0], { id, lots: 20n, unwinds: true });
      const maker = { status: 'canceled-too-much-slippage', filled_base_amount: '0.00000', avg_price: '0' } as const;
      say(state, id, { result: { maker, closed_base_amount: '0', reason: '', exposure: '0' } as OrderResult });
    }
    expect([state.mode, state.failures, slots[0].note]).toEqual([
      ...['running', 0, 'a step of the unwind traded nothing: canceled-too-much-slippage'],
    ]);
  });

  const SPARE = { spare_lanes: [7, 8] };
  const idAt = (at: bigint, lane: number): OrderId => orderIdOf({ time: at as Tenths, lane });

  test('on a spare lane they leave the ids of their own lane where they are, also in the next run', () => {
    const { state, slots, end } = pairOf(SPARE);
    const before = slots[0].lastId;
    for (const at of [1000n, 1001n, 1002n]) {
      state.started(slots[0], { id: idAt(at, 7), lots: 2n, unwinds: true });
      end(idAt(at, 7), 'filled', '0.00002');
    }
    expect(slots[0].lastId).toBe(before);
    expect(state.lastOnSpare(7)).toBe(idAt(1002n, 7));
    const carry = JSON.parse(JSON.stringify(state.carry)) as NonNullable<PairInput['carry']>;
    expect(new PairState(pairInput({ ...SPARE, carry })).lastOnSpare(7)).toBe(idAt(1002n, 7));
  });

  test('begin on no spare lane where a stuck order is being hedged, also in the next run', () => {
    const { state, slots, start } = pairOf(SPARE);
    const stuck = start(slots[1]);
    expect(state.freeSpareLanes).toEqual([7, 8]);
    say(state, stuck, { hedge_state: 'stuck', done: false, last_id: idAt(time + 9n, 7).toString() });
    expect(state.freeSpareLanes).toEqual([8]);
    const carry = JSON.parse(JSON.stringify(state.carry)) as NonNullable<PairInput['carry']>;
    expect(new PairState(pairInput({ ...SPARE, carry })).freeSpareLanes).toEqual([8]);
  });

  test('one that A had to trade back is no progress, and no other follows until a person resumes', () => {
    const { state, slots, start } = pairOf();
    state.margin.takes({ level: 'unwind', what: 'B is near' });
    state.margin.begin();
    const id = start(slots[0]);
    slots[0].unwinds = true;
    const maker = { status: 'filled', filled_base_amount: '0.00020', avg_price: '1' };
    say(state, id, { result: { maker, closed_base_amount: '0.00020', reason: '', exposure: '0' } as OrderResult });
    expect(state.margin.unwound).toEqual({ steps: 0, lots: '0' });
    expect([state.margin.mustUnwind, state.margin.holdsEnlarging]).toEqual([false, 'B is near']);
    const carry = JSON.parse(JSON.stringify(state.carry)) as NonNullable<PairInput['carry']>;
    const next = new PairState(pairInput({ carry }));
    expect(next.margin.mustUnwind).toBe(false);
    next.resume();
    expect(next.margin.mustUnwind).toBe(true);
  });
});
