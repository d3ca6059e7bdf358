/** Every lane shows that its key executes, with a nonce that no order needs (S-49). */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { isFree, KeyProofs } from '../../src/hedging/key-proofs';
import { nextSpareId, nonceOf, orderIdOf, tenthsAt, type Nonce, type OrderId } from '../../src/domain/ids-and-nonces';
import { FakeAccount } from './port';

const START_MS = Date.UTC(2026, 5, 1);
const at = (ms: number, lane: number): OrderId => orderIdOf({ time: tenthsAt(START_MS + ms), lane });
const DAY = 86_400_000;

let account: FakeAccount;
let running: OrderId[];
let rejected: string[];
let proofs: KeyProofs;

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  account.auto = () => ({ lots: 0n as never });
  [running, rejected] = [[], []];
  proofs = new KeyProofs({
    account,
    marketId: () => 1,
    otherForm: () => ({ kind: 'cancel-all-now' }),
    makerOnlyKeys: () => account.makerOnlyKeys(),
    running: () => Promise.resolve(running),
    onRejected: (lane, reason) => rejected.push(`${lane} ${reason}`),
    clock: clockOf(),
  });
});
afterEach(() => {
  proofs.close();
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test('at the start each lane executes one cancel of an order that nobody has, at exactly its next nonce', async () => {
  void proofs.start();
  await pass(5_000);
  expect(account.sent.map(({ request }) => request)).toEqual(
    account.lanes.map((lane) => expect.objectContaining({ kind: 'cancel-order', lane, skipNonce: false })),
  );
  expect(account.lanes.every((lane) => proofs.isProven(lane))).toBe(true);
  await pass(120_000);
  expect(account.sent).toHaveLength(account.lanes.length);
});

test('an accepted request is no proof; the transaction is asked for when no frame shows it', async () => {
  account.auto = undefined;
  const proof = proofs.demand(at(0, 5));
  await pass(100);
  expect(proofs.isProven(5)).toBe(false);
  account.execute(account.last, { silently: true });
  await pass(2_000);
  expect(await proof).toEqual({ proven: true });
});

test('never seen executed: not proven, and no key is accused', async () => {
  account.auto = undefined;
  const proof = proofs.demand(at(0, 5));
  await pass(2_000);
  expect(await proof).toMatchObject({ proven: false });
  expect(rejected).toEqual([]);
});

test('a rejection by the sequencer has consumed the nonce: the key executes', async () => {
  account.auto = undefined;
  const proof = proofs.demand(at(0, 5));
  await pass(100);
  account.execute(account.last, { rejection: 21600 });
  await pass(100);
  expect(await proof).toEqual({ proven: true });
});

test('where the cancel of a missing order is rejected, another form at the same nonce does it', async () => {
  account.sends.push({ kind: 'refuse', code: 21600 });
  const proof = proofs.demand(at(0, 5));
  await pass(100);
  expect(await proof).toEqual({ proven: true });
  expect(account.sent.map(({ request }) => [request.kind, request.nonce])).toEqual([
    ['cancel-order', nonceOf(at(0, 5), 0)],
    ['cancel-all-now', nonceOf(at(0, 5), 0)],
  ]);
});

test('an order about to be armed: slice 0 of its own, past whatever the lane did before; below its first slice', async () => {
  expect(await Promise.race([proofs.demand(at(0, 5)), pass(100).then(() => undefined)])).toEqual({ proven: true });
  expect(account.last.request).toMatchObject({ lane: 5, nonce: nonceOf(at(0, 5), 0), skipNonce: true });
  expect(await proofs.demand(at(1_000, 5))).toEqual({ proven: true });
  expect(account.sent).toHaveLength(1);
});

test('a rejected key is told with its lane, tried again by itself, and proven once it is repaired', async () => {
  const codes = account.lanes.map((): { kind: 'refuse'; code: number } => ({ kind: 'refuse', code: 21120 }));
  account.sends.push(...codes);
  void proofs.start();
  await pass(2_000);
  expect(rejected).toEqual(account.lanes.map((lane) => `${lane} code 21120 (21120)`));
  expect(proofs.rejection(5)).toContain('21120');
  await pass(10_000);
  expect(account.lanes.every((lane) => proofs.isProven(lane))).toBe(true);
  expect(proofs.rejection(5)).toBeUndefined();
});

test('a maker-only key is no hedging key, although its cancel executes; it is one once the mark is gone', async () => {
  account.makerOnly.push(5);
  expect(await proofs.demand(at(0, 5))).toMatchObject({ proven: false, reason: expect.stringContaining('maker-only') });
  expect(rejected).toEqual([expect.stringMatching(/^5 it is maker-only/)]);
  account.makerOnly.length = 0;
  expect(await Promise.race([proofs.demand(at(0, 5)), pass(100).then(() => undefined)])).toEqual({ proven: true });
});

test('a rejection later puts the lane in doubt: proven anew', async () => {
  void proofs.start();
  await pass(2_000);
  proofs.doubt(5, 'API key not found (21109)');
  expect(proofs.isProven(5)).toBe(false);
  await pass(6_000);
  expect(proofs.isProven(5)).toBe(true);
});

describe('which nonces are free', () => {
  const free = (nonce: Nonce, lane: number, ...orders: OrderId[]): boolean =>
    isFree({ lane, nonce, running: orders, nowMs: START_MS });

  test("a fresh key's, and any that is older than all that runs", () => {
    expect(free(1n as Nonce, 5, at(-DAY, 5))).toBe(true);
    expect(free(nonceOf(at(-DAY - 100, 5), 3), 5, at(-DAY, 5))).toBe(true);
  });

  test('not one in the block of an order that runs, whatever the slice', () => {
    const order = at(-DAY, 5);
    for (const slice of [0, 1, 2, 126, 127]) expect(free(nonceOf(order, slice), 5, order)).toBe(false);
  });

  test('not one of a later ticket of it, on its own lane or on a spare', () => {
    const order = at(-DAY, 5);
    const spare = nextSpareId({ epochMs: START_MS - DAY + 3_600_000, lane: 9, last: order, ownLane: 5 });
    expect(free(nonceOf(at(-DAY + 3_600_000, 5), 1), 5, order)).toBe(false);
    expect(free(nonceOf(spare, 2), 9, order)).toBe(false);
  });

  test('one of another lane that an order of this time cannot have', () => {
    const time = START_MS - DAY + 3_600_000;
    const other = nextSpareId({ epochMs: time, lane: 9, last: at(-DAY, 6), ownLane: 6 });
    expect(free(nonceOf(other, 2), 9, at(-DAY, 5))).toBe(true);
  });

  test('not a young one: an order may not be listed yet', () => {
    expect(free(nonceOf(at(-30_000, 5), 2), 5)).toBe(false);
    expect(free(nonceOf(at(20_000, 5), 2), 5)).toBe(false);
    expect(free(nonceOf(at(-61_000, 5), 2), 5)).toBe(true);
  });
});
