/** Bytes that were signed before they are needed: of each nonce once, and only for exactly the request that they sign. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { SignedAhead, type OrderRequest } from '../../src/hedging/signed-ahead';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { SignedTx, TxRequest } from '../../src/exchange/port';

const request: OrderRequest = {
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
const same = (change: Partial<OrderRequest> = {}): OrderRequest => ({
  ...request,
  selfTrade: { behaviour: 'expire-maker', compare: 'master' },
  ...change,
});
let ahead: SignedAhead;
let expected: OrderRequest[];
let stale: number;
let sign: (request: OrderRequest) => Promise<SignedTx>;

async function signAll(): Promise<void> {
  for (let next = ahead.wanted(); next; next = ahead.wanted()) await ahead.sign(next);
}

beforeEach(async () => {
  jest.useFakeTimers({ now: 0 });
  expected = [20, 7, 5].map((amount) => same({ lots: lots(amount) }));
  stale = 0;
  sign = (it) => Promise.resolve({ request: it, txHash: `${it.lots}`, expiresAtMs: Date.now() + 599_000 });
  ahead = new SignedAhead({
    expected: () => expected,
    sign: (it) => sign(it),
    onStale: () => (stale += 1),
    exchangeNow: () => Date.now(),
  });
  await signAll();
});
afterEach(() => {
  ahead.drop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test('the bytes of the same request, whichever amount; then none of that nonce any more', () => {
  expect(ahead.size).toBe(3);
  expect(ahead.take(same({ lots: lots(7) }))).toMatchObject({ txHash: '7' });
  for (const amount of [20, 7, 5]) expect(ahead.take(same({ lots: lots(amount) }))).toBeUndefined();
});

test('an amount that is not there gives the nonce away all the same', () => {
  expect(ahead.take(same({ lots: lots(6) }))).toBeUndefined();
  expect(ahead.size).toBe(0);
});

test('bytes of the next nonce stay when this one is sent once more', async () => {
  expected = [same({ nonce: 8n as Nonce, skipNonce: false })];
  await signAll();
  expect(ahead.take(same())).toBeUndefined();
  expect(ahead.take(same({ nonce: 8n as Nonce, skipNonce: false }))).toMatchObject({ txHash: '20' });
});

test('bytes that die within a second are not sent', () => {
  jest.setSystemTime(598_500);
  expect(ahead.take(same())).toBeUndefined();
});

test.each(Object.keys(request) as (keyof OrderRequest)[])('a request that differs in %s is not theirs', (key) => {
  expect(ahead.take({ ...request, [key]: 'another' })).toBeUndefined();
});

test('nor is one that lacks a field, or has one more', async () => {
  const { selfTrade, ...without } = request;
  expect(ahead.take(without)).toBeUndefined();
  await signAll();
  expect(selfTrade && ahead.take({ ...request, extra: 1 } as TxRequest)).toBeUndefined();
});

test.each([
  ['another price', { boundTicks: ticks(99) }],
  ['another nonce', { nonce: 8n as Nonce }],
  ['reduce-only', { reduceOnly: true }],
])('what is no longer expected is thrown away: %s', async (_, change) => {
  expected = expected.map((it) => ({ ...it, ...change }));
  expect(ahead.wanted()).toEqual(expected[0]);
  expect(ahead.size).toBe(0);
  await signAll();
  expect(ahead.take(same())).toBeUndefined();
});

test('what is being signed is waited for, not signed twice; thrown away meanwhile, it is not kept', async () => {
  let finish: (() => void) | undefined;
  sign = (it) =>
    new Promise((resolve) => (finish = () => resolve({ request: it, txHash: 'late', expiresAtMs: 599_000 })));
  expected = [same({ lots: lots(9) })];
  const signing = ahead.sign(same({ lots: lots(9) }));
  expect(ahead.wanted()).toBeUndefined();
  const taken = ahead.take(same({ lots: lots(9) }));
  finish?.();
  await signing;
  expect(await taken).toMatchObject({ txHash: 'late' });
  expect(ahead.size).toBe(0);
});

test('what cannot be signed is wanted again', async () => {
  ahead.drop();
  sign = () => Promise.reject(new Error('no'));
  await expect(ahead.sign(same())).rejects.toThrow('no');
  expect(ahead.wanted()).toEqual(expected[0]);
});

test('a minute before the first of them die they are wanted anew, and go on to be given until then', async () => {
  await jest.advanceTimersByTimeAsync(539_000);
  expect(stale).toBe(1);
  expect(ahead.wanted()).toEqual(expected[0]);
  await signAll();
  await jest.advanceTimersByTimeAsync(100_000);
  expect(ahead.take(same())).toMatchObject({ txHash: '20' });
});
