/** What the auditor's readings of both accounts make of the margin: levels told to pairs, alerts, answers to who asks. */
import { beforeEach, expect, test } from '@jest/globals';
import { MarginWatch } from '../../src/audit/margin-watch';
import type { AccountReadings } from '../../src/audit/position-auditor';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { AccountState, Market } from '../../src/domain/records';
import type { Alert } from '../../src/observability';
import { clockOf } from '../clock';

const BTC = { marketId: 1, symbol: 'BTC', sizeDecimals: 5, priceDecimals: 1 } as Market;
const EVERY_MS = 5_000;

let nowMs: number;
let raised: Alert[];
let told: string[];
let shown: unknown[];
let watch: MarginWatch;

beforeEach(() => {
  nowMs = 1_000_000;
  raised = [];
  told = [];
  shown = [];
  watch = new MarginWatch({
    limits: { warnBps: 1_000, stopQuotingBps: 700, unwindBps: 400 },
    markets: [BTC],
    raiseAlert: (alert) => void raised.push(alert),
    onMargin: (account, margin) => void shown.push([account, margin?.distanceBps]),
    tell: ({ level }, news) => void told.push(`${level}, ${news} holds`),
    clock: clockOf(() => nowMs),
    staleMs: 3 * EVERY_MS,
  });
});

/** 0.1 BTC at 100 000.0; all prices may move so far against the account. */
function account(distanceBps: number | undefined, side: 1n | -1n): AccountState {
  const value = 10_000_000_000n;
  const positions = [
    {
      ...{ marketId: 1, lots: lots(side * 10_000n), avgEntryTicks: '1', value: notional(value) },
      liquidationTicks: ticks(1_000_000n - (side * 1_000_000n * BigInt(distanceBps ?? 0)) / 10_000n),
    },
  ];
  const maintenance = notional(120_000_000n);
  const equity = notional(maintenance + (value * BigInt(distanceBps ?? 0)) / 10_000n);
  const margin = { equity, initial: notional(500_000_000n), maintenance };
  const state = { accountIndex: 7, availableBalance: notional(12_345_678n), collateral: equity, positions };
  return { ...state, unreadMarkets: [], ...(distanceBps === undefined ? {} : { margin }), begunMs: nowMs - 50 };
}

const readings = (a: number | undefined, b: number | undefined): AccountReadings => [account(a, 1n), account(b, -1n)];

/** Readings of B, one every five seconds. */
function take(...ofB: (number | undefined | 'failed')[]): void {
  for (const b of ofB) {
    watch.took(b === 'failed' ? undefined : readings(5_000, b));
    nowMs += EVERY_MS;
  }
}

test('the nearer of the two counts; a level that was reached holds until the next milder limit is left, too', () => {
  take(1_200, 900, 600, 350, 500, 800, 1_200);
  expect(told).toEqual([
    ...['ok, ok holds', 'warn, warn holds', 'stop-quoting, stop-quoting holds', 'unwind, unwind holds'],
    ...['stop-quoting, unwind holds', 'warn, stop-quoting holds', 'ok, ok holds'],
  ]);
  expect(raised.map(({ kind, level }) => `${kind}: ${level}`)).toEqual([
    ...[
      'margin-low: warn',
      'margin-critical: stop-quoting',
      'margin-critical: unwind',
      'margin-critical: stop-quoting',
    ],
  ]);
  expect(raised[0]).toMatchObject({
    what:
      'A is 50.0 % from its liquidation (12.34 USDC free, 9.8 % used; BTC at 100000.0, liquidated at 50000.0); ' +
      'B is 9.0 % from its liquidation (12.34 USDC free, 49.0 % used; BTC at 100000.0, liquidated at 109000.0)',
    next: expect.stringContaining('Nearer than 7 %, nothing is quoted'),
  });
  expect(raised[2]?.what).toMatch(/B is 3\.5 % .* each running pair reduces both accounts together/);
  expect(shown.slice(0, 4)).toEqual([
    ['maker', 5_000],
    ['hedge', 1_200],
    ['maker', 5_000],
    ['hedge', 900],
  ]);
});

test('a level that stays is told again, a warning every half hour, the others every five minutes', () => {
  take(...Array.from({ length: 730 }, () => 900)); // an hour and five seconds
  expect(raised).toHaveLength(3);
  take(...Array.from({ length: 121 }, () => 600)); // ten minutes
  expect(raised).toHaveLength(6);
});

test('a reading that failed, or shows no margin, is unknown: neither safe nor near; after a minute a person is told', async () => {
  take(1_200, 'failed', 'failed');
  expect(await watch.state({ fresh: false })).toMatchObject({ level: 'ok' }); // 15 s old
  take('failed', 'failed');
  expect(await watch.state({ fresh: false })).toMatchObject({ level: 'unknown' });
  expect(told).toEqual(['ok, ok holds', 'unknown, unknown holds']);
  expect(shown.at(-1)).toEqual(['hedge', undefined]);
  take(1_200, undefined);
  expect(await watch.state({ fresh: false })).toEqual({
    level: 'unknown',
    what: 'the margin of account 7 could not be read',
  });
  expect(raised).toEqual([]);
  take(...Array.from({ length: 13 }, () => undefined));
  expect(raised).toEqual([expect.objectContaining({ kind: 'margin-unread' })]);
  take(1_200);
  expect(await watch.state({ fresh: false })).toMatchObject({ level: 'ok' });
});

test('who needs to know of now waits for a reading that begins after the question', async () => {
  const answers: string[] = [];
  take(1_200);
  const asked = watch.state({ fresh: true }).then(({ level }) => answers.push(level));
  watch.took(readings(5_000, 1_200)); // it had begun before
  await Promise.resolve();
  expect(answers).toEqual([]);
  nowMs += EVERY_MS;
  take(350);
  await asked;
  expect(answers).toEqual(['unwind']);
  const failing = watch.state({ fresh: true });
  take('failed');
  expect(await failing).toMatchObject({ level: 'unknown' });
});

test('who asks hears what holds, too: a pair that has just begun takes it over', async () => {
  take(350, 500);
  expect(await watch.state({ fresh: false })).toMatchObject({ level: 'stop-quoting', held: 'unwind' });
  take(800);
  expect(await watch.state({ fresh: false })).toMatchObject({ level: 'warn', held: 'stop-quoting' });
});
