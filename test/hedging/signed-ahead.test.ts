/** Bytes that were signed before they are needed: given away once, and only for exactly the request that they sign. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { SignedAhead } from '../../src/hedging/signed-ahead';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { TxRequest } from '../../src/exchange/port';

const request: TxRequest & { kind: 'market-order' } = {
  kind: 'market-order',
  lane: 5,
  nonce: 7n as Nonce,
  skipNonce: true,
  marketId: 1,
  clientOrderIndex: 8n as ClientOrderIndex,
  side: 'sell',
  lots: lots(20),
  boundTicks: ticks(100),
  reduceOnly: false,
  selfTrade: { behaviour: 'expire-maker', compare: 'master' },
};
const same = (): TxRequest => ({ ...request, selfTrade: { behaviour: 'expire-maker', compare: 'master' } });
let ahead: SignedAhead;

beforeEach(async () => {
  jest.useFakeTimers({ now: 0 });
  const sign = () => Promise.resolve({ request, txHash: 'h', expiresAtMs: 599_000 });
  ahead = new SignedAhead({ sign, isWanted: () => false, exchangeNow: () => Date.now() });
  await ahead.sign();
});
afterEach(() => {
  ahead.stop();
  jest.useRealTimers();
});

test('the bytes of the same request, once', () => {
  expect(ahead.take(same())).toMatchObject({ txHash: 'h' });
  expect(ahead.take(same())).toBeUndefined();
});

test('bytes that die within a second are not sent', () => {
  jest.setSystemTime(598_500);
  expect(ahead.take(same())).toBeUndefined();
});

test.each(Object.keys(request) as (keyof typeof request)[])('a request that differs in %s is not theirs', (key) => {
  const other: TxRequest = { ...request, [key]: 'another' };
  expect(ahead.take(other)).toBeUndefined();
});

test('nor is one that lacks a field, or has one more', async () => {
  const { selfTrade, ...without } = request;
  expect(ahead.take(without)).toBeUndefined();
  await ahead.sign();
  expect(selfTrade && ahead.take({ ...request, extra: 1 } as TxRequest)).toBeUndefined();
});
