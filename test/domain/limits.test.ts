/** Relations between the bounds of src/domain/limits.ts: each limit alone may look right while two of them contradict. */
import { expect, test } from '@jest/globals';
import {
  EPOCH_TENTHS,
  LANE_BITS,
  NONCE_LIMIT,
  ORDER_EXPIRY_MS_MIN,
  ORDER_ID_BITS,
  ORDER_TIME_BITS,
  SEAL_SLICE,
  SIGNED_BYTES_LIFE_MS,
  SLICE_BITS,
  SLICE_MAX,
  SLICES_BEFORE_RENEWAL,
} from '../../src/domain/limits';

test('time, lane and slice fill the client order index exactly', () => {
  expect(ORDER_TIME_BITS + LANE_BITS + SLICE_BITS).toBe(ORDER_ID_BITS);
});

test('the largest client order index is the largest that the exchange takes (LP §2.2)', () => {
  expect((1n << ORDER_ID_BITS) - 1n).toBe(281_474_976_710_655n);
});

test('lanes 0…254 fit', () => {
  expect(1n << LANE_BITS).toBeGreaterThan(254n);
});

test('the seal is the last slice, after every slice that trades', () => {
  expect(BigInt(SEAL_SLICE)).toBe((1n << SLICE_BITS) - 1n);
  expect(SEAL_SLICE).toBe(SLICE_MAX + 1);
});

test('a ticket is renewed while there is room for seals that lose their nonce', () => {
  expect(SLICE_MAX - SLICES_BEFORE_RENEWAL).toBeGreaterThanOrEqual(5);
});

test('the epoch is 2026-01-01T00:00:00Z', () => {
  expect(EPOCH_TENTHS).toBe(BigInt(Date.UTC(2026, 0, 1) / 100));
});

test('T lasts until 2053', () => {
  const end = Number((EPOCH_TENTHS + (1n << ORDER_TIME_BITS) - 1n) * 100n);
  expect(new Date(end).getUTCFullYear()).toBe(2053);
});

test('the last possible nonce is below the limit of skip-nonce transactions (LP §3.6)', () => {
  const last = ((EPOCH_TENTHS + (1n << ORDER_TIME_BITS) - 1n) << SLICE_BITS) + BigInt(SEAL_SLICE);
  expect(last).toBeLessThan(NONCE_LIMIT);
});

test('a nonce is above any millisecond clock, so that cancels with such nonces never pass a lane', () => {
  expect(EPOCH_TENTHS << SLICE_BITS).toBeGreaterThan(EPOCH_TENTHS * 100n);
});

test('an order expiry is accepted although our clock is a minute slow (LP §2.3)', () => {
  expect(ORDER_EXPIRY_MS_MIN - 60_000).toBeGreaterThanOrEqual(5 * 60_000);
});

test('signed bytes die before the ten minutes that the exchange allows (LP §3.5)', () => {
  expect(SIGNED_BYTES_LIFE_MS).toBeLessThan(10 * 60_000);
});
