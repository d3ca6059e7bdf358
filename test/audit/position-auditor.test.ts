/** The position auditor with a world of its own: positions, Temporal's list, and a clock, each as the test says. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { clockOf } from '../clock';
import { PositionAuditor } from '../../src/audit/position-auditor';
import { formatDecimal } from '../../src/domain/lots';
import type { Market } from '../../src/domain/records';
import { Alerts, type Alert } from '../../src/observability';

const BTC = { marketId: 1, symbol: 'BTC', sizeDecimals: 5, priceDecimals: 1 } as Market;
const ETH = { marketId: 2, symbol: 'ETH', sizeDecimals: 4, priceDecimals: 2 } as Market;
const SOL = { marketId: 3, symbol: 'SOL', sizeDecimals: 3, priceDecimals: 3 } as Market;
/** Listed while we run. */
const NEW = { marketId: 4, symbol: 'NEW', sizeDecimals: 1, priceDecimals: 3 } as Market;
const [A, B] = [1, 2];
const FORCE_CLOSE_MS = 30_000;
const RUNNING = 1;
const TERMINATED = 5;

interface Run {
  readonly id: string;
  readonly status?: number;
  readonly state: string;
  readonly exposure: number;
  readonly market?: string;
}

let nowMs: number;
let lots: Record<number, Record<number, bigint>>;
let runs: Run[];
let temporal: 'answers' | 'refuses' | 'hangs';
let unread: Set<number>;
let unreadMarkets: number[];
let reads: number[];
let raised: Alert[];
let told: string[];
let healthy: number;
let exposure: Map<string, number | undefined>;

const client = {
  options: { namespace: 'n' },
  withDeadline: (_: number, call: () => Promise<unknown>) => call(),
  workflowService: {
    listWorkflowExecutions: () => {
      if (temporal === 'hangs') return new Promise(() => undefined);
      if (temporal === 'refuses') return Promise.reject(new Error('14 UNAVAILABLE'));
      const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
      return Promise.resolve({
        executions: runs.map(({ id, status = RUNNING, state, exposure: naked, market = 'BTC' }) => ({
          execution: { workflowId: id, runId: 'r' },
          status,
          searchAttributes: {
            indexedFields: { HedgeState: payload(state), Exposure: payload(naked), Market: payload(market) },
          },
        })),
      });
    },
  },
} as unknown as Client;

function auditorOf(raiseAlert: (alert: Alert) => void = (alert) => void raised.push(alert)): PositionAuditor {
  return new PositionAuditor({
    exchange: {
      accountState: (accountIndex) => {
        reads.push(nowMs);
        if (unread.has(accountIndex)) return Promise.resolve({ ok: false, reason: '429' });
        const positions = [1, 2, 3, 4].map((marketId) => ({
          marketId,
          lots: lots[accountIndex]?.[marketId] ?? 0n,
          avgEntryTicks: '0',
        }));
        return Promise.resolve({
          ok: true,
          value: { accountIndex, availableBalance: 0n, collateral: 0n, positions, unreadMarkets },
        } as never);
      },
      markets: () => Promise.resolve({ ok: true, value: [BTC, ETH, SOL, NEW] }),
    },
    client,
    makerAccount: A,
    hedgeAccount: B,
    markets: [BTC, ETH],
    allMarkets: [BTC, ETH, SOL],
    onBooks: ({ symbol }, { state, lots: off }) => void told.push(`${symbol} ${state} ${off}`),
    raiseAlert,
    health: { ok: () => void (healthy += 1), stopped: () => undefined },
    onExposure: (market, amount) => void exposure.set(market, amount),
    clock: clockOf(() => nowMs),
    everyMs: 5_000,
    hedgeMsMax: FORCE_CLOSE_MS + 10_000,
  });
}

beforeEach(() => {
  nowMs = 1_000_000;
  lots = { [A]: {}, [B]: {} };
  runs = [];
  temporal = 'answers';
  unread = new Set();
  unreadMarkets = [];
  reads = [];
  raised = [];
  told = [];
  healthy = 0;
  exposure = new Map();
});

async function lookEvery(auditor: PositionAuditor, everyMs: number, forMs: number): Promise<void> {
  for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += everyMs) await auditor.audit().catch(() => undefined);
}

describe('what is told', () => {
  test('S-56 two markets differ: each is told once a minute, for as long as it lasts', async () => {
    const told: string[] = [];
    const alerts = new Alerts({
      logger: { error: (_: unknown, text: string) => void told.push(text), warn: () => undefined } as never,
      process: 'hedger',
      count: () => undefined,
      onFailure: () => undefined,
      channels: [],
      clock: clockOf(() => nowMs),
    });
    lots[A] = { 1: 20n, 2: 5_000n };
    await lookEvery(auditorOf(alerts.raise), 2_000, 600_000);
    for (const market of ['0.00020 BTC', '0.5000 ETH'])
      expect(told.filter((text) => text.includes(market)).length).toBeGreaterThanOrEqual(9);
  });

  test('S-56 the operator does what the alert says: it ends, and does not come back', async () => {
    const auditor = auditorOf();
    lots[A] = { 1: 20n };
    runs = [{ id: 'order/1/128', status: 2, state: 'abandoned', exposure: 0.0002 }];
    await lookEvery(auditor, 2_000, 20_000);
    expect(raised.length).toBeGreaterThan(0);
    lots[B] = { 1: -20n };
    await lookEvery(auditor, 2_000, 4_000);
    raised.length = 0;
    await lookEvery(auditor, 5_000, 3_600_000);
    expect(raised).toEqual([]);
  });

  test.each(['hedging', 'stuck'])(
    'S-47 a difference that an order explains by `%s` is told once that is older than a hedge may take',
    async (state) => {
      lots[A] = { 1: 20n };
      runs = [{ id: 'order/1/128', state, exposure: 0.0002 }];
      const auditor = auditorOf();
      await lookEvery(auditor, 2_000, FORCE_CLOSE_MS + 8_000);
      expect(raised).toEqual([]);
      await lookEvery(auditor, 2_000, 6_000);
      expect(raised[0]).toMatchObject({ kind: 'books-differ', exposed: '0.00020 BTC', market: 'BTC' });
      expect(raised[0]?.what).toMatch(/order 128/);
    },
  );

  test('S-47 orders that hedge one after the other are each late only', async () => {
    const auditor = auditorOf();
    for (let i = 0; i < 60; i++) {
      const naked = i % 2 === 0 ? 20 : 0;
      lots = { [A]: { 1: BigInt(20 * i + naked) }, [B]: { 1: BigInt(-20 * i) } };
      runs = [{ id: `order/1/${i * 128}`, state: 'hedging', exposure: 0.0002 }];
      await lookEvery(auditor, 2_000, 2_000);
    }
    expect(raised).toEqual([]);
  });

  test.each(['refuses', 'hangs'] as const)(
    'S-46 Temporal %s: positions are compared all the same, the alert says so, and the exposure shown is theirs',
    async (how) => {
      const auditor = auditorOf();
      await auditor.audit();
      expect([healthy, exposure.get('BTC')]).toEqual([1, 0]);
      temporal = how;
      lots[A] = { 1: 20n };
      for (let i = 0; i < 4; i++) {
        nowMs += 2_000;
        const look = auditor.audit();
        await jest.advanceTimersByTimeAsync(3_000);
        await look;
      }
      expect(raised[0]?.what).toMatch(/the orders cannot be read/);
      expect(exposure.get('BTC')).toBe(0.0002);
      expect(healthy).toBe(1);
    },
  );
  beforeEach(() => void jest.useFakeTimers());

  test('the exposure shown is never an old one: the orders’ word without positions, none without both', async () => {
    const auditor = auditorOf();
    runs = [{ id: 'order/1/128', state: 'hedging', exposure: 0.0002 }];
    unread.add(A);
    await auditor.audit().catch(() => undefined);
    expect(exposure.get('BTC')).toBe(0.0002);
    temporal = 'refuses';
    await auditor.audit().catch(() => undefined);
    expect(exposure.get('BTC')).toBeUndefined();
  });

  test('P-23 a position that could not be read is not flat: nothing is concluded in its market, the others are compared', async () => {
    const auditor = auditorOf();
    unreadMarkets = [1];
    lots[A] = { 1: 20n, 2: 30n };
    for (let n = 0; n < 6; n += 1, nowMs += 5_000) await auditor.audit();
    expect(raised.map(({ market }) => market)).not.toContain('BTC');
    expect(raised.map(({ market }) => market)).toContain('ETH');
    expect(auditor.state('BTC')).toEqual({ state: 'unknown' });
  });

  test('H-33 what either account holds in a market that nobody configured is compared, from the first reading that shows it', async () => {
    const auditor = auditorOf();
    await lookEvery(auditor, 2_000, 4_000);
    expect(told.filter((text) => /SOL|NEW/.test(text))).toEqual([]);
    lots = { [A]: { 3: 1_000n, 4: 7n }, [B]: { 4: -7n } };
    await lookEvery(auditor, 2_000, 8_000);
    expect(raised[0]).toMatchObject({ kind: 'books-differ', exposed: '1.000 SOL', market: 'SOL' });
    expect(raised[0]?.what).toContain('the configuration has no pair there');
    expect(new Set(raised.map(({ market }) => market))).toEqual(new Set(['SOL']));
    expect(told).toEqual(expect.arrayContaining(['SOL off 1000', 'NEW even 0']));
    expect(exposure.get('SOL')).toBe(0); // as the orders say
    lots[B] = { 3: -1_000n, 4: -7n };
    await lookEvery(auditor, 2_000, 2_000);
    expect(told.at(-2)).toBe('SOL even 0');
  });

  test('H-33 an order that hedges there explains it, as anywhere', async () => {
    lots[A] = { 3: 1_000n };
    runs = [{ id: 'order/1/128', state: 'hedging', exposure: 1, market: 'SOL' }];
    await lookEvery(auditorOf(), 2_000, FORCE_CLOSE_MS);
    expect(raised).toEqual([]);
    expect(exposure.get('SOL')).toBe(1);
  });

  test('H-33 a position there that could not be read is no flat one: the auditor does not say that it is well', async () => {
    unreadMarkets = [3];
    await lookEvery(auditorOf(), 5_000, 20_000);
    expect([healthy, raised]).toEqual([0, []]);
  });

  test('an order that was terminated is told', async () => {
    runs = [{ id: 'order/1/128', status: TERMINATED, state: 'quoting', exposure: 0 }];
    await auditorOf().audit();
    expect(raised).toMatchObject([{ kind: 'orphan-fill', orderId: '128' }]);
  });

  test('a run whose attributes are not ours changes nothing for the others', async () => {
    runs = [
      { id: 'order/1/junk', state: 'hedging', exposure: 'much' as never },
      { id: 'order/1/128', state: 'hedging', exposure: 0.0002 },
    ];
    await auditorOf().audit();
    expect(exposure.get('BTC')).toBe(0.0002);
  });
});

describe('what an order says is naked is read exactly', () => {
  const explains = async (nakedLots: bigint, naked: number): Promise<boolean> => {
    raised = [];
    lots = { [A]: { 1: nakedLots }, [B]: {} };
    runs = [{ id: 'order/1/128', state: 'hedging', exposure: naked }];
    await lookEvery(auditorOf(), 5_000, 10_000);
    return raised.length === 0;
  };

  test('every amount, to the lot', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(1n, (1n << 50n) - 1n), async (amount) => {
        const naked = Number(formatDecimal(amount, BTC.sizeDecimals));
        expect(await explains(amount, naked)).toBe(true);
        expect(await explains(amount + 1n, naked)).toBe(false);
      }),
    );
  });

  test('a number that no amount of lots gives explains nothing; it is not rounded to one', async () => {
    expect(await explains(20n, 0.000204)).toBe(false);
    expect(await explains(20n, 0.0002)).toBe(true);
  });
});

describe('S-55 what pairs are told', () => {
  test('even, off by how much, even again; what may only be late is nothing to tell, and unknown to who asks', async () => {
    const auditor = auditorOf();
    expect(auditor.state('BTC')).toEqual({ state: 'unknown' });
    await auditor.audit();
    expect(auditor.state('BTC')).toEqual({ state: 'even', lots: '0', what: '' });
    lots[B] = { 1: -50n };
    await auditor.audit();
    expect(auditor.state('BTC')).toEqual({ state: 'unknown' });
    nowMs += 4_000;
    await auditor.audit();
    expect(auditor.state('BTC')).toEqual({ state: 'off', lots: '-50', what: 'A 0.00000 BTC, B -0.00050 BTC' });
    lots[B] = {};
    await auditor.audit();
    expect(told.filter((text) => text.startsWith('BTC'))).toEqual(['BTC even 0', 'BTC off -50', 'BTC even 0']);
    unread.add(A);
    nowMs += 20_000;
    await auditor.audit().catch(() => undefined);
    expect(auditor.state('BTC')).toEqual({ state: 'unknown' });
  });

  test('a market of another configuration is compared from the first question on', async () => {
    const auditor = auditorOf();
    await auditor.audit();
    expect(auditor.state('SOL')).toEqual({ state: 'unknown' });
    await auditor.audit();
    expect(auditor.state('SOL')).toMatchObject({ state: 'even' });
    expect(auditor.state('none')).toEqual({ state: 'unknown' });
  });
});

describe('how often it reads', () => {
  /** Runs the auditor by its own timer; answers how many requests it made. */
  async function run(forMs: number): Promise<number> {
    const startMs = nowMs;
    const auditor = auditorOf();
    auditor.start();
    for (let ms = 0; ms < forMs; ms += 100) {
      nowMs = startMs + ms;
      await jest.advanceTimersByTimeAsync(100);
    }
    auditor.close();
    return reads.length;
  }
  beforeEach(() => void jest.useFakeTimers());

  test('all even: two requests every five seconds', async () => {
    expect(await run(60_000)).toBeLessThanOrEqual(26);
  });

  test('a difference that is told and stays costs no more than none; one that an order explains a little more', async () => {
    lots[A] = { 1: 20n };
    expect(await run(60_000)).toBeLessThanOrEqual(32);
    expect(raised.length).toBeGreaterThan(8);
    reads = [];
    runs = [{ id: 'order/1/128', state: 'hedging', exposure: 0.0002 }];
    expect(await run(36_000)).toBeLessThanOrEqual(26);
  });

  test('the same difference, excused by one order after the other, is told: no hedge takes that long', async () => {
    const auditor = auditorOf();
    auditor.start();
    const startMs = nowMs;
    lots[A] = { 1: 20n };
    for (let ms = 0; ms < 25_000; ms += 100) {
      nowMs = startMs + ms;
      runs = [{ id: `order/1/${Math.floor(ms / 2_500) * 128}`, state: 'hedging', exposure: 0.0002 }];
      await jest.advanceTimersByTimeAsync(100);
    }
    auditor.close();
    expect(raised[0]?.kind).toBe('books-differ');
  });

  test('what grows after it was told is told within ten seconds too', async () => {
    const auditor = auditorOf();
    auditor.start();
    const startMs = nowMs;
    lots[A] = { 1: 20n };
    for (let ms = 0; ms < 23_100; ms += 100) {
      nowMs = startMs + ms;
      if (ms === 13_100) lots[A] = { 1: 70n };
      await jest.advanceTimersByTimeAsync(100);
    }
    auditor.close();
    expect(raised.at(-1)?.exposed).toBe('0.00070 BTC');
  });

  test('S-54 a reading that fails is never repeated faster, and slower each time', async () => {
    unread.add(A).add(B);
    expect(await run(60_000)).toBeLessThanOrEqual(12);
  });

  test('a difference is told within ten seconds of its beginning, whenever it begins', async () => {
    for (const beginsMs of [100, 1_500, 4_900]) {
      raised.length = 0;
      lots = { [A]: {}, [B]: {} };
      const auditor = auditorOf();
      auditor.start();
      const startMs = nowMs;
      for (let ms = 0; ms < beginsMs + 10_000; ms += 100) {
        nowMs = startMs + ms;
        if (ms >= beginsMs) lots[A] = { 1: 20n };
        await jest.advanceTimersByTimeAsync(100);
      }
      auditor.close();
      expect(raised[0]?.kind).toBe('books-differ');
    }
  });

  test('S-46 so it is while Temporal hangs', async () => {
    temporal = 'hangs';
    const auditor = auditorOf();
    auditor.start();
    const startMs = nowMs;
    for (let ms = 0; ms < 10_100; ms += 100) {
      nowMs = startMs + ms;
      if (ms >= 100) lots[A] = { 1: 20n };
      await jest.advanceTimersByTimeAsync(100);
    }
    auditor.close();
    expect(raised[0]?.kind).toBe('books-differ');
  });
});
