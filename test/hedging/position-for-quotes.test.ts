/** A's position when a quote is asked for: one reading for those that ask together, and never one that began before a fill was heard. */
import { EventEmitter } from 'node:events';
import { beforeEach, expect, test } from '@jest/globals';
import { positionForQuotes } from '../../src/activities/position';
import { lots, notional } from '../../src/domain/lots';
import { SharedReadings } from '../../src/domain/shared-readings';
import type { AccountPort } from '../../src/exchange/port';

let nowMs: number;
let held: bigint;
let reads: number;
let heard: EventEmitter;
let unread: boolean;
let lotsNow: () => Promise<bigint | string>;

beforeEach(() => {
  [nowMs, held, reads, heard, unread] = [1_000, 0n, 0, new EventEmitter(), false];
  const readings = new SharedReadings(
    (accountIndex) => {
      reads += 1;
      if (unread) return Promise.resolve({ ok: false as const, reason: '503' });
      const positions = [{ marketId: 1, lots: lots(held), avgEntryTicks: '1' }];
      const value = {
        accountIndex,
        availableBalance: notional(0n),
        collateral: notional(0n),
        positions,
        unreadMarkets: [],
      };
      return Promise.resolve({ ok: true as const, value });
    },
    () => nowMs,
  );
  const account = {
    stream: { on: (event: string, listener: () => void) => heard.on(event, listener) },
    account: async (sinceMs?: number) => {
      const read = await readings.read(7, sinceMs);
      return read.ok ? { ok: true, value: { ...read.value.value, begunMs: read.value.begunMs } } : read;
    },
  } as unknown as AccountPort;
  const heldIn = positionForQuotes(account, { monotonicMs: () => nowMs });
  lotsNow = async () => {
    const read = await heldIn(1);
    return read.ok ? (read.value?.lots ?? 0n) : read.reason;
  };
});

test('two lanes that quote together are answered by one reading, for a second', async () => {
  expect(await Promise.all([lotsNow(), lotsNow()])).toEqual([0n, 0n]);
  nowMs += 900;
  await lotsNow();
  expect(reads).toBe(1);
  nowMs += 200;
  await lotsNow();
  expect(reads).toBe(2);
});

test.each([
  ['a fill', 'orders', { orders: [{ filledLots: 0n }, { filledLots: 20n }] }],
  ['the stream that was away', 'state', 'live'],
])('a reading that began before %s answers no quote after it', async (_, event, body) => {
  expect(await lotsNow()).toBe(0n);
  const before = lotsNow();
  held = 20n;
  nowMs += 100;
  heard.emit(event, body);
  nowMs += 1;
  expect([await before, await lotsNow()]).toEqual([0n, 20n]);
});

test('an order that rests changes no position', async () => {
  await lotsNow();
  nowMs += 100;
  heard.emit('orders', { orders: [{ filledLots: 0n }] });
  await lotsNow();
  expect(reads).toBe(1);
});

test('P-23 one that cannot be read is not flat', async () => {
  unread = true;
  expect(await lotsNow()).toMatch(/could not be read: 503/);
});
