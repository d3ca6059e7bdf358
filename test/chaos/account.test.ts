import { describe, expect, test } from '@jest/globals';
import { clientOrderIndexOf, type OrderId, orderIdOf, type Tenths } from '../../src/domain/ids-and-nonces';
import { accountOf, type Trade } from './parts/account';
import { schedule, seeded } from './parts/random';
import { type RunReport, missedTargets, verdictOf } from './parts/report';
import { nakedTimes, type Spread, spreadOf } from './parts/spread';
import { transfersOf } from './parts/transfers';

const A = 1001;
const B = 1002;
const ROLES = { makerAccount: A, hedgeAccount: B };
const order = (time: number, lane = 10): OrderId => orderIdOf({ time: BigInt(time) as Tenths, lane });

let nextId = 1;
/** A trade of `account` under slice `slice` of `id`, against somebody else. */
function trade(atMs: number, account: number, id: OrderId, slice: number, lots: number): Trade {
  const ours = { accountIndex: account, clientIndex: clientOrderIndexOf(id, slice) };
  return {
    tradeId: nextId++,
    atUs: atMs * 1_000,
    lots: BigInt(lots),
    bid: ours,
    ask: { accountIndex: 7, clientIndex: 0n },
  };
}

describe('the account of a run', () => {
  test('S-01 fills of 5 and 15 against hedges of 12 and 8: nothing lost, naked times lot by lot, first in first out', () => {
    const id = order(1);
    const trades = [
      trade(1_000, A, id, 0, 5),
      trade(1_100, A, id, 0, 15),
      trade(1_200, B, id, 1, 12),
      trade(1_500, B, id, 2, 8),
    ];
    const account = accountOf([...trades].reverse(), ROLES);
    expect(account).toMatchObject({ lostLots: 0n, twiceLots: 0n, excesses: [], strangers: [] });
    expect(account.orders).toEqual([
      { orderId: id, filledLots: 20n, hedgedLots: 20n, closedLots: 0n, fills: 2, hedges: 2 },
    ]);
    expect(account.chunks.map(({ lots, filledUs, hedgedUs }) => [lots, filledUs, hedgedUs])).toEqual([
      [5n, 1_000_000, 1_200_000],
      [7n, 1_100_000, 1_200_000],
      [8n, 1_100_000, 1_500_000],
    ]);
  });

  test('a fill without a hedge is lost; half a hedge loses half', () => {
    const one = order(1);
    const two = order(2);
    const account = accountOf([trade(1, A, one, 0, 20), trade(2, A, two, 0, 20), trade(3, B, two, 1, 10)], ROLES);
    expect([account.lostLots, account.twiceLots]).toEqual([30n, 0n]);
    expect(account.chunks.filter(({ hedgedUs }) => hedgedUs === undefined).map(({ lots }) => lots)).toEqual([20n, 10n]);
  });

  test('S-14 a hedge executed twice is seen, although positions of two orders would cancel out', () => {
    const one = order(1);
    const two = order(2);
    const trades = [trade(1, A, one, 0, 20), trade(2, A, two, 0, 20), trade(3, B, one, 1, 20), trade(4, B, one, 2, 20)];
    const account = accountOf(trades, ROLES);
    expect([account.lostLots, account.twiceLots]).toEqual([20n, 20n]);
    expect(account.excesses).toEqual([{ orderId: one, atUs: 4_000, lots: 20n }]);
  });

  test('invariant 1 at every instant: a hedge before its fill is an excess even if the sums agree at the end', () => {
    const id = order(1);
    const account = accountOf([trade(1, A, id, 0, 5), trade(2, B, id, 1, 20), trade(3, A, id, 0, 15)], ROLES);
    expect([account.lostLots, account.twiceLots]).toEqual([0n, 0n]);
    expect(account.excesses).toEqual([{ orderId: id, atUs: 2_000, lots: 15n }]);
  });

  test('P-17 slices of A close, they never fill; a ticket under a fresh id belongs to its order', () => {
    const id = order(1);
    const fresh = order(9, 30);
    const trades = [trade(1, A, id, 0, 20), trade(2, A, id, 1, 5), trade(3, B, fresh, 1, 15)];
    expect(accountOf(trades, ROLES, new Map([[fresh, id]]))).toMatchObject({
      orders: [{ filledLots: 20n, hedgedLots: 15n, closedLots: 5n }],
      lostLots: 0n,
      strangers: [],
    });
    expect(accountOf(trades, ROLES).strangers).toHaveLength(1);
  });

  test('S-19 a trade between our two accounts is told', () => {
    const id = order(1);
    const self: Trade = {
      ...trade(1, A, id, 0, 20),
      ask: { accountIndex: B, clientIndex: clientOrderIndexOf(id, 1) },
    };
    expect(accountOf([self], ROLES).strangers[0]).toContain('between our own accounts');
  });
});

describe('naked time', () => {
  const chunk = (filledMs: number, hedgedMs: number | undefined, lots = 1, id = order(1)) => ({
    orderId: id,
    lots: BigInt(lots),
    filledUs: filledMs * 1_000,
    hedgedUs: hedgedMs === undefined ? undefined : hedgedMs * 1_000,
  });

  test('quantiles count lots, not fills; what is lost is not late', () => {
    const spread = spreadOf([chunk(0, 10, 98), chunk(0, 500, 1), chunk(0, 900, 1), chunk(0, undefined, 50)]);
    expect(spread).toEqual({ lots: 100, fills: 3, p50Ms: 10, p99Ms: 500, maxMs: 900 });
    expect(spreadOf([])).toBeUndefined();
  });

  test('a lot belongs to the first fault that met it naked; other lanes than the aimed one are bystanders', () => {
    const faults = [
      { kind: 'hedge lost', startUs: 100_000, endUs: 200_000, lane: 10 },
      { kind: 'later', startUs: 250_000, endUs: 260_000 },
    ];
    const times = nakedTimes(
      [
        chunk(50, 90), // over before it began
        chunk(50, 300), // naked throughout, and still when the next one came
        chunk(150, 160, 1, order(1, 11)),
        chunk(201, 202),
      ],
      faults,
    );
    expect(times.quiet?.fills).toBe(2);
    expect(times.byKind.get('hedge lost')?.maxMs).toBe(250);
    expect(times.byKind.has('later')).toBe(false);
    expect(times.bystanders).toMatchObject({ fills: 1, maxMs: 10 });
  });
});

/** A run in which nothing happened. */
const report = (change: Partial<RunReport>): RunReport => ({
  ...{ seed: 1, minutes: 1, slots: 1, faults: [], unended: [], differences: [], upExitCode: 0 },
  ...{ silent: [], alerts: new Map() },
  account: accountOf([], ROLES),
  naked: nakedTimes([], []),
  transfers: transfersOf([], [], ROLES),
  ...change,
});

describe('verdict', () => {
  test('0, 1 for a wrong account, 2 for an order that did not end, 4 for what was naked in silence', () => {
    const lost = accountOf([trade(1, A, order(1), 0, 1)], ROLES);
    expect(verdictOf(report({}))).toBe(0);
    expect(verdictOf(report({ account: lost }))).toBe(1);
    expect(verdictOf(report({ differences: ['x'] }))).toBe(1);
    expect(verdictOf(report({ transfers: transfersOf([], [{ runId: 'x' }], ROLES) }))).toBe(1);
    expect(verdictOf(report({ silent: ['x'] }))).toBe(4);
    expect(verdictOf(report({ account: lost, silent: ['x'] }))).toBe(1);
    const second = { account: accountOf([], ROLES), differences: [], naked: undefined };
    expect(verdictOf(report({ second }))).toBe(0);
    expect(verdictOf(report({ second: { ...second, account: lost } }))).toBe(1);
    expect(verdictOf(report({ account: lost, unended: ['x'] }))).toBe(2);
  });

  test('the target of five seconds holds per kind, but not for what is beyond a single fault', () => {
    const slow = { lots: 1, fills: 1, p50Ms: 9_000, p99Ms: 9_000, maxMs: 9_000 };
    const naked = { ...nakedTimes([], []), byKind: new Map([['kill', slow]]) };
    const fault = { kind: 'kill', blind: false, startUs: 0, endUs: 1 };
    expect(missedTargets(report({ naked, faults: [{ ...fault, reach: 'system' }] }))).toHaveLength(1);
    expect(missedTargets(report({ naked, faults: [{ ...fault, reach: 'beyond' }] }))).toEqual([]);
  });
});

describe('bystanders', () => {
  const spread = (fills: number, p50Ms: number, p99Ms: number) => ({ lots: fills, fills, p50Ms, p99Ms, maxMs: p99Ms });
  const missed = (bystanders: Spread): readonly string[] =>
    missedTargets(report({ naked: { ...nakedTimes([], []), quiet: spread(1_000, 250, 460), bystanders } }));

  test('P-02 50 ms later than in quiet times is too late, at the median and, with enough fills to tell, at p99', () => {
    expect(missed(spread(1_000, 299, 509))).toEqual([]);
    expect(missed(spread(1_000, 301, 460))).toEqual(['bystanders: p50 51 ms later']);
    expect(missed(spread(1_000, 250, 520))).toEqual(['bystanders: p99 60 ms later']);
    expect(missed(spread(50, 250, 520))).toEqual([]);
  });
});

describe('schedule', () => {
  test('every kind once before any comes again; the seed decides', () => {
    const items = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const first = (seed: number, count: number): string[] => {
      const run = schedule(items, seeded(seed));
      return Array.from({ length: count }, () => run.next().value);
    };
    expect([...first(3, 8)].sort()).toEqual(items);
    expect(first(3, 30)).toEqual(first(3, 30));
    expect(first(3, 30)).not.toEqual(first(4, 30));
  });
});
