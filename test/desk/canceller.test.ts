/** A's cancels: a key and nonces of their own, one at a time, and an answer that is a claim (S-30, P-01). */
import { beforeEach, expect, test } from '@jest/globals';
import { Canceller } from '../../src/desk/canceller';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids';
import type { Read } from '../../src/domain/records';
import type { SignedTx } from '../../src/exchange/port';
import { FakeAccount } from './port';

let account: FakeAccount;
let nowMs: number;
let canceller: Canceller;
const index = 640n as ClientOrderIndex;

beforeEach(() => {
  account = new FakeAccount();
  nowMs = 1_000.7;
  canceller = new Canceller({ account, lane: 9, now: () => nowMs });
});
const nonces = (): bigint[] => account.sent.map(({ request }) => request.nonce);

test('a cancel goes out on its own key, skipping to the millisecond clock', async () => {
  expect(await canceller.cancel(1, index)).toMatchObject({ kind: 'accepted' });
  expect(account.last.request).toEqual({
    kind: 'cancel-order',
    marketId: 1,
    index,
    lane: 9,
    nonce: 1_000n,
    skipNonce: true,
  });
});

test('nonces rise within one millisecond, and when the clock is set back', async () => {
  await canceller.cancel(1, index);
  await canceller.cancel(1, index);
  nowMs = 10;
  await canceller.setSwitch(5);
  expect(nonces()).toEqual([1_000n, 1_001n, 1_002n]);
});

test('a nonce that another process took: again with one that the exchange says is free', async () => {
  account.sends.push({ kind: 'refuse', code: 21104 });
  account.nextNonce = (): Promise<Read<Nonce>> => Promise.resolve({ ok: true, value: 5_000n as Nonce });
  expect(await canceller.cancel(1, index)).toMatchObject({ kind: 'accepted' });
  expect(nonces()).toEqual([1_000n, 5_001n]);
});

test('it does not try for ever, and another refusal is passed on at once', async () => {
  account.sends.push(...Array.from({ length: 9 }, () => ({ kind: 'refuse', code: 21104 }) as const));
  expect(await canceller.cancel(1, index)).toMatchObject({ kind: 'refused', code: 21104 });
  expect(account.sent).toHaveLength(5);
  account.sends.splice(0);
  account.sends.push({ kind: 'refuse', code: 21715 });
  expect(await canceller.cancel(1, index)).toMatchObject({ kind: 'refused', code: 21715 });
  expect(account.sent).toHaveLength(6);
});

test('one at a time: a second one waits for the first’s answer, also when the first fails', async () => {
  const send = account.send.bind(account);
  let fail: (error: Error) => void = () => undefined;
  account.send = (tx: SignedTx) => {
    account.send = send;
    account.sent.push(tx);
    return new Promise((_, reject) => (fail = reject));
  };
  const first = canceller.cancel(1, index);
  const second = canceller.setSwitch(7_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(account.sent).toHaveLength(1);
  fail(new Error('the socket is gone'));
  await expect(first).rejects.toThrow('the socket is gone');
  expect(await second).toMatchObject({ outcome: { kind: 'accepted' }, nonce: 1_001n });
  expect(account.last.request).toMatchObject({ kind: 'cancel-all-at', atMs: 7_000 });
});
