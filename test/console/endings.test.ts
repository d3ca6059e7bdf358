/** Which alerts are over, and that none is called so on what was read before it. */
import { describe, expect, test } from '@jest/globals';
import type { PairRead } from '../../src/console/at-most';
import { Endings, type Facts } from '../../src/console/endings';
import type { LimitNow } from '../../src/domain/day-limits';
import type { HeardAlert } from '../../src/console/processes';
import type { OpenOrder, ProcessView } from '../../src/console/snapshot';
import { aSnapshot } from './a-snapshot';

const TOLD = 1_000_000;
const LATER = TOLD + 10_000;

function alert(change: Partial<HeardAlert> = {}): HeardAlert {
  return {
    ...{ process: 'hedger', kind: 'hedge-stuck', what: 'w', next: 'n', orderId: '2', atMs: TOLD, lastMs: TOLD },
    ...change,
  };
}

/** All is hedged, as read at that time. */
function facts(atMs: number, change: Partial<Facts> = {}): Facts {
  const checks = [
    { of: 'orders', atMs, freshMs: 1 },
    { of: 'positions', atMs, freshMs: 1 },
  ] as const;
  return {
    ...{ nowMs: atMs, orders: {}, processes: {}, pairs: new Map(), margin: {} },
    risk: { ...aSnapshot().risk, level: 'hedged', checks, unread: [] },
    ...change,
  };
}

function over(told: HeardAlert, at: Facts): boolean {
  const [view] = Object.values(new Endings().mark([told], at));
  return view?.overMs !== undefined;
}

const naked = (orderId?: string) => {
  const one = { market: 'BTC', amount: '1', sinceMs: 0, why: '', next: '' };
  return {
    ...facts(LATER).risk,
    ...{ level: 'naked' as const, naked: [orderId === undefined ? one : { ...one, orderId }] },
  };
};
const ofMarket = (market: string): HeardAlert => {
  const { orderId: _none, ...told } = alert({ kind: 'books-differ', market });
  return told;
};
const process = (change: Partial<ProcessView>): Facts['processes'] => ({
  hedger: { ...{ state: 'well', why: '', readMs: LATER, parts: [], streams: {} }, ...change },
});
const resting = (change: Partial<OpenOrder> = {}): Facts['orders'] => ({
  '9': { market: 'BTC', hedgeState: 'quoting', startedMs: LATER, ...change } as OpenOrder,
});
const pairs = (level: string, atMs = LATER) =>
  new Map([['BTC', { atMs, sizeDecimals: 5, status: { margin: { level, what: '' } } } as unknown as PairRead]]);

const noPair = (atMs = LATER) => new Map([['BTC', { atMs, sizeDecimals: 5, status: undefined }]]);
const used = (maker: number, hedge?: number): Facts['margin'] => ({
  margin_use_ratio: { maker, ...(hedge !== undefined && { hedge }) },
});

const limits = (state: LimitNow['state'], atMs = LATER): Pick<Facts, 'limits'> => {
  const limit: LimitNow = { name: 'daily_loss', bound: '50.000000', state };
  return { limits: { atMs, view: { state: 'read', notQuoting: '', limits: { daily_loss: limit } } } };
};

describe('an alert is over', () => {
  test.each<[string, HeardAlert, Facts]>([
    ['both witnesses, read after it, show its order hedged', alert(), facts(LATER)],
    ['another order is naked, not this one', alert(), facts(LATER, { risk: naked('3') })],
    ['it is quoted again', alert({ kind: 'clock-skew' }), facts(LATER, { orders: resting() })],
    ['the margin is far enough', alert({ kind: 'margin-critical' }), facts(LATER, { pairs: pairs('warn') })],
    ['the margin is read', alert({ kind: 'margin-unread' }), facts(LATER, { pairs: pairs('unwind') })],
    [
      'no pair runs and nothing is held: after a close-all',
      alert({ kind: 'margin-critical' }),
      facts(LATER, { pairs: noPair(), margin: used(0, 0) }),
    ],
    ['no pair runs, and a hedger sees all hedged', alert({ kind: 'no-hedger' }), facts(LATER, { pairs: noPair() })],
    ['its limit is acknowledged', alert({ kind: 'limit-daily-loss' }), facts(LATER, limits('ok'))],
    ['the limits are known', alert({ kind: 'limits-unread' }), facts(LATER, limits('standing'))],
    ['its process is well', alert({ kind: 'journal-behind' }), facts(LATER, { processes: process({}) })],
    [
      'Redis is connected',
      alert({ kind: 'redis-refused' }),
      facts(LATER, { processes: process({ streams: { redis: true } }) }),
    ],
    [
      'it is not told again for long',
      alert({ kind: 'run-failing' }),
      facts(TOLD + 130_000, { processes: process({ readMs: TOLD + 130_000 }) }),
    ],
  ])('when %s', (_, told, at) => expect(over(told, at)).toBe(true));
});

describe('an alert is not over', () => {
  test.each<[string, HeardAlert, Facts]>([
    ['what was read is from before it', alert(), facts(TOLD + 1_000)],
    ['something cannot be read', alert(), facts(LATER, { risk: { ...facts(LATER).risk, unread: ['x'] } })],
    ['its order is still naked', alert(), facts(LATER, { risk: naked('2') })],
    ['the positions differ', alert(), facts(LATER, { risk: naked() })],
    [
      'its order rests since before',
      alert({ kind: 'clock-skew' }),
      facts(LATER, { orders: resting({ startedMs: TOLD }) }),
    ],
    ['another market is quoted', alert({ kind: 'market-closed', market: 'ETH' }), facts(LATER, { orders: resting() })],
    ['the margin is near', alert({ kind: 'margin-low' }), facts(LATER, { pairs: pairs('warn') })],
    ['the margin was read before it', alert({ kind: 'margin-low' }), facts(LATER, { pairs: pairs('ok', TOLD) })],
    [
      'no pair runs, and something is held',
      alert({ kind: 'margin-low' }),
      facts(LATER, { pairs: noPair(), margin: used(0, 0.1) }),
    ],
    [
      'no pair runs, and of one account nothing is known',
      alert({ kind: 'margin-low' }),
      facts(LATER, { pairs: noPair(), margin: used(0) }),
    ],
    ['no pair ran before it', alert({ kind: 'no-hedger' }), facts(LATER, { pairs: noPair(TOLD) })],
    [
      'no pair runs and something is naked',
      alert({ kind: 'no-hedger' }),
      facts(LATER, { pairs: noPair(), risk: naked() }),
    ],
    ['what it is about is not quoting', alert({ kind: 'clock-skew' }), facts(LATER, { pairs: noPair() })],
    [
      'its process is unwell',
      alert({ kind: 'journal-behind' }),
      facts(LATER, { processes: process({ state: 'unwell' }) }),
    ],
    ['Redis is away', alert({ kind: 'redis-refused' }), facts(LATER, { processes: process({}) })],
    [
      'its process is gone',
      alert({ kind: 'run-failing' }),
      facts(TOLD + 130_000, { processes: process({ readMs: TOLD }) }),
    ],
    [
      'it is not told again, and something cannot be read',
      alert({ kind: 'run-failing' }),
      facts(TOLD + 130_000, {
        processes: process({ readMs: TOLD + 125_000 }),
        risk: { ...facts(LATER).risk, unread: ['x'] },
      }),
    ],
    ['an order of its market is naked', ofMarket('BTC'), facts(LATER, { risk: naked('2') })],
    ['its limit stands', alert({ kind: 'limit-daily-loss' }), facts(LATER, limits('standing'))],
    ['its limit was read before it', alert({ kind: 'limit-daily-loss' }), facts(LATER, limits('ok', TOLD))],
    ['the limits are unknown', alert({ kind: 'limits-unread' }), facts(LATER, limits('unknown'))],
    ['nothing tells', alert({ kind: 'key-rejected' }), facts(LATER, { processes: process({}) })],
    ['nobody knows the kind', alert({ kind: 'of-a-newer-version' }), facts(LATER)],
  ])('when %s', (_, told, at) => expect(over(told, at)).toBe(false));
});

test('repeats are one; it is over until it is raised again, or naked again', () => {
  const endings = new Endings();
  const first = alert();
  const second = alert({ atMs: TOLD + 60_000, lastMs: TOLD + 60_000 });
  const mark = (heard: HeardAlert[], at: Facts) => Object.values(endings.mark(heard, at));
  expect(mark([first], facts(LATER))).toMatchObject([{ weight: 'money', times: 1, overMs: LATER }]);
  const hedging = { ...naked('2'), level: 'hedging' as const }; // a fill whose hedge is under way
  expect(mark([first], facts(LATER + 5, { risk: hedging }))[0]?.overMs).toBe(LATER);
  expect(mark([first], facts(LATER, { risk: naked('2') }))[0]?.overMs).toBeUndefined();
  expect(mark([{ ...first, lastMs: LATER }], facts(LATER))[0]?.overMs).toBeUndefined();
  const [again, ...others] = mark([first, second], facts(TOLD + 60_000));
  expect([again?.overMs, again?.times, again?.lastMs, others]).toEqual([undefined, 2, TOLD + 60_000, []]);
});

test('when there are many, the older one of money is kept', () => {
  const light = Array.from({ length: 30 }, (_, i) => alert({ kind: 'key-rejected', lane: i, lastMs: TOLD + 500 + i }));
  const kept = new Endings().mark([alert(), ...light], facts(TOLD + 1_000));
  expect(Object.values(kept)[0]).toMatchObject({ kind: alert().kind, weight: 'money' });
});

test('when there are many, what is over goes first', () => {
  const many = Array.from({ length: 40 }, (_, i) => alert({ orderId: String(i), lastMs: TOLD + i, atMs: TOLD + i }));
  const kept = new Endings().mark(many, facts(TOLD + 2_030));
  expect(Object.values(kept).filter(({ overMs }) => overMs === undefined)).toHaveLength(10);
  expect(Object.keys(kept)).toHaveLength(30);
});
