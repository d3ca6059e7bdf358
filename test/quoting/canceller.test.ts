/** A's cancels: a key and nonces of their own, many in flight, and an answer that is a claim (S-30, P-01). */
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { Canceller } from '../../src/quoting/canceller';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import type { Read, SendOutcome } from '../../src/domain/records';
import type { SignedTx } from '../../src/exchange/port';
import { FakeAccount } from '../hedging/port';

let account: FakeAccount;
let nowMs: number;
let canceller: Canceller;
const index = 640n as ClientOrderIndex;

beforeEach(() => {
  account = new FakeAccount();
  nowMs = 1_000.7;
  canceller = new Canceller({ account, lane: 9, clock: clockOf(() => nowMs) });
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

test('S-44 all that rests is cancelled in one transaction, on the same key', async () => {
  await canceller.cancelAll();
  expect(account.last.request).toEqual({ kind: 'cancel-all-now', lane: 9, nonce: 1_000n, skipNonce: true });
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

test('it does not try for ever, and another rejection is passed on at once', async () => {
  account.sends.push(...Array.from({ length: 9 }, () => ({ kind: 'refuse', code: 21104 }) as const));
  expect(await canceller.cancel(1, index)).toMatchObject({ kind: 'rejected', code: 21104 });
  expect(account.sent).toHaveLength(5);
  account.sends.splice(0);
  account.sends.push({ kind: 'refuse', code: 21715 });
  expect(await canceller.cancel(1, index)).toMatchObject({ kind: 'rejected', code: 21715 });
  expect(account.sent).toHaveLength(6);
});

test('what another one of ours overtook goes again with a fresh nonce, without asking', async () => {
  account.sends.push({ kind: 'refuse', code: 21104 }); // the first is processed after the second
  const asked = jest.spyOn(account, 'nextNonce');
  const outcomes = await Promise.all([canceller.cancel(1, index), canceller.cancel(1, 768n as ClientOrderIndex)]);
  expect(outcomes).toMatchObject([{ kind: 'accepted' }, { kind: 'accepted' }]);
  expect(nonces()).toEqual([1_000n, 1_001n, 1_002n]);
  expect(asked).not.toHaveBeenCalled();
});

describe('with answers that take their time', () => {
  let answers: Map<bigint, (outcome: SendOutcome) => void>;

  beforeEach(() => {
    answers = new Map();
    account.send = (tx: SignedTx) => {
      account.sent.push(tx);
      return new Promise((resolve) => answers.set(tx.request.nonce, resolve));
    };
  });
  const accept = (nonce: bigint): void => {
    answers.get(nonce)?.({ kind: 'accepted', txHash: '', predictedExecutionMs: 0 });
    answers.delete(nonce);
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const cancels = (count: number): Promise<SendOutcome>[] =>
    Array.from({ length: count }, (_, i) => canceller.cancel(1, BigInt(128 * (i + 1)) as ClientOrderIndex));

  test('many leave together, so many at once, and an answer that is lost holds up nobody else', async () => {
    const all = cancels(50);
    await turn();
    expect(account.sent).toHaveLength(20);
    let most = 20;
    for (let rounds = 0; rounds < 50 && account.sent.length < 50; rounds += 1) {
      const [, next] = [...answers.keys()]; // never the first one
      if (next !== undefined) accept(next);
      await turn();
      most = Math.max(most, answers.size);
    }
    expect(account.sent).toHaveLength(50);
    expect(most).toBe(20);
    for (const nonce of [...answers.keys()]) accept(nonce);
    expect(await Promise.all(all)).toHaveLength(50);
    expect(nonces()).toEqual([...nonces()].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(nonces()).size).toBe(50);
  });

  test("a renewal of the dead-man's switch does not queue behind them", async () => {
    void cancels(50);
    await turn();
    const renewal = canceller.setSwitch(7_000);
    await turn();
    expect(account.last.request).toMatchObject({ kind: 'cancel-all-at', atMs: 7_000 });
    accept(account.last.request.nonce);
    expect(await renewal).toMatchObject({ outcome: { kind: 'accepted' } });
  });

  test('they leave in the order of their nonces, whatever signing takes', async () => {
    let signed = 0;
    account.signing = async () => {
      signed += 1;
      if (signed === 1) for (let turns = 0; turns < 5; turns += 1) await turn();
    };
    const two = cancels(2);
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(nonces()).toEqual([1_000n, 1_001n]);
    accept(1_000n);
    accept(1_001n);
    await Promise.all(two);
  });

  test('one that cannot be signed or sent fails alone', async () => {
    const send = account.send.bind(account);
    account.send = () => {
      account.send = send;
      throw new Error('the socket is gone');
    };
    const [first, second] = cancels(2);
    await expect(first).rejects.toThrow('the socket is gone');
    await turn();
    accept(account.last.request.nonce);
    expect(await second).toMatchObject({ kind: 'accepted' });
  });
});
