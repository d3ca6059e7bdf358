/** Which slices are signed ahead when: behind what is needed now, one at a time, never without bounds. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { AheadSigner, HELD_MAX, LOOK_AGAIN_MS } from '../../src/hedging/ahead-signer';
import { SignedAhead, type OrderRequest } from '../../src/hedging/signed-ahead';
import { lots } from '../../src/domain/lots';

const SIGNING_MS = 5;
let signer: AheadSigner;
let isBusy: boolean;
let begun: string[];
let under: number;
let most: number;
let times: number[];
const opened: SignedAhead[] = [];

/** A ticket that may send these amounts. */
function ticket(name: string, amounts: number[]): SignedAhead & { amounts: number[] } {
  const it: SignedAhead & { amounts: number[] } = Object.assign(
    new SignedAhead({
      expected: () => it.amounts.map((amount) => ({ nonce: 1n, lots: lots(amount) }) as OrderRequest),
      sign: async (request) => {
        begun.push(`${name}${request.lots}`);
        most = Math.max(most, (under += 1));
        await new Promise((resolve) => setTimeout(resolve, SIGNING_MS));
        under -= 1;
        if (request.lots === 13n) throw new Error('it cannot be signed');
        return { request, txHash: '', expiresAtMs: Date.now() + 599_000 };
      },
      onStale: () => signer.changed(it),
      exchangeNow: () => Date.now(),
    }),
    { amounts },
  );
  opened.push(it);
  return it;
}
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  jest.useFakeTimers({ now: 0, doNotFake: ['queueMicrotask', 'nextTick'] });
  isBusy = false;
  begun = [];
  times = [];
  under = most = 0;
  signer = new AheadSigner({
    isBusy: () => isBusy,
    onSigned: (tookMs) => times.push(tookMs),
    clock: clockOf(),
  });
});
afterEach(async () => {
  for (const ahead of opened.splice(0)) signer.forget(ahead);
  await pass(SIGNING_MS);
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test('one at a time; each is told', async () => {
  signer.changed(ticket('a', [3, 2, 1]));
  await pass(SIGNING_MS);
  expect(begun).toEqual(['a3']);
  await pass(1_000);
  expect(begun).toEqual(['a3', 'a2', 'a1']);
  expect(times).toEqual([5, 5, 5]);
});

test('nothing in the very call that tells of a change', () => {
  signer.changed(ticket('a', [3]));
  expect(begun).toEqual([]);
});

test('the likeliest of every ticket first; then the ticket that changed last', async () => {
  const [a, b] = [ticket('a', [3, 2]), ticket('b', [30, 20, 10])];
  signer.changed(a);
  signer.changed(b);
  await pass(100);
  expect(begun).toEqual(['a3', 'b30', 'b20', 'b10', 'a2']);
  expect(most).toBe(1);
});

test('while the processors are busy the likeliest alone, the rest afterwards', async () => {
  isBusy = true;
  signer.changed(ticket('a', [3, 2, 1]));
  await pass(1_000);
  expect(begun).toEqual(['a3']);
  isBusy = false;
  await pass(LOOK_AGAIN_MS + 30);
  expect(begun).toEqual(['a3', 'a2', 'a1']);
});

test('while a fill waits for a signature none is begun', async () => {
  let done: (() => void) | undefined;
  signer.changed(ticket('a', [3]));
  const needed = signer.needed(new Promise<void>((resolve) => (done = resolve)));
  signer.changed(ticket('b', [7]));
  await pass(1_000);
  expect(begun).toEqual([]);
  done?.();
  await needed;
  await pass(1);
  expect(begun).toEqual(['a3']);
  await pass(100);
  expect(begun).toEqual(['a3', 'b7']);
});

test('orders that are armed are signed for one at a time, before all that is merely likely, and behind a fill', async () => {
  let done: (() => void) | undefined;
  signer.changed(ticket('likely', [9]));
  const armed = ['a', 'b', 'c'].map((name) => signer.first(ticket(name, [3])));
  expect(begun).toEqual(['a3']);
  const needed = signer.needed(new Promise<void>((resolve) => (done = resolve)));
  await pass(1_000);
  expect(begun).toEqual(['a3']);
  done?.();
  await needed;
  await pass(100);
  await Promise.all(armed);
  expect(begun).toEqual(['a3', 'b3', 'c3', 'likely9']);
  expect(most).toBe(1);
});

test('an order whose slice cannot be signed is not armed, and the next one is', async () => {
  const failed = expect(signer.first(ticket('a', [13]))).rejects.toThrow('it cannot be signed');
  const armed = signer.first(ticket('b', [3]));
  await pass(100);
  await Promise.all([failed, armed]);
  expect(begun.slice(0, 2)).toEqual(['a13', 'b3']);
});

test('who waits for its turn gets it, even when all tickets are forgotten meanwhile', async () => {
  const [a, b] = [ticket('a', [3]), ticket('b', [3])];
  const armed = [signer.first(a), signer.first(b)];
  for (const it of [a, b]) signer.forget(it);
  await pass(100);
  await Promise.all(armed);
});

test('one that is begun before it is needed holds nobody up', async () => {
  signer.changed(ticket('a', [3, 2]));
  await pass(1);
  await signer.needed(Promise.resolve());
  expect(under).toBe(1);
});

test('a process keeps so many and no more; what is thrown away makes room', async () => {
  const many = Array.from({ length: HELD_MAX - 1 }, (_, i) => 20_000 - i);
  const full = ticket('full', many);
  for (const amount of many) void full.sign({ nonce: 1n, lots: lots(amount) } as OrderRequest);
  await pass(SIGNING_MS);
  begun.length = 0;
  signer.changed(full);
  const a = ticket('a', [3, 2, 1]);
  signer.changed(a);
  await pass(1_000);
  expect(begun).toEqual(['a3']);
  signer.forget(full);
  await pass(1_000);
  expect(begun).toEqual(['a3', 'a2', 'a1']);
});

test('a ticket whose slice cannot be signed is left alone until it changes, and the others go on', async () => {
  const [a, b] = [ticket('a', [13, 1]), ticket('b', [2, 1])];
  for (const it of [a, b]) signer.changed(it);
  await pass(1_000);
  expect(begun).toEqual(['a13', 'b2', 'b1']);
  signer.changed(a);
  await pass(1_000);
  expect(begun.slice(3)).toEqual(['a13']);
});

test('what is forgotten is neither kept nor signed', async () => {
  const a = ticket('a', [3, 2, 1]);
  signer.changed(a);
  await pass(1);
  signer.forget(a);
  await pass(1_000);
  expect(begun).toEqual(['a3']);
  expect(a.size).toBe(0);
});
