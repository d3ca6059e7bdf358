/** Placing a quote: one maker order whatever becomes of the answer, or the proof that there is none (S-12, S-30). */
import { clockOf } from '../clock';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { placeOrder, type PlaceOrder } from '../../src/quoting/placer';
import { sealByCancelOrder } from '../../src/hedging/seals';
import type { PlacementEnd } from '../../src/domain/placement';
import { clientOrderIndexOf, nonceOf, orderIdOf, tenthsAt } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import { FakeAccount } from '../hedging/port';

const START_MS = Date.UTC(2026, 5, 1);
const id = orderIdOf({ time: tenthsAt(START_MS), lane: 5 });
let account: FakeAccount;
let renewals: number;

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  renewals = 0;
});
afterEach(() => {
  expect([jest.getTimerCount(), account.stream.listeners]).toEqual([0, 0]);
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const kinds = (): string[] => account.sent.map(({ request }) => request.kind);
const ours = () => account.orders.filter((order) => order.clientOrderIndex === clientOrderIndexOf(id, 0));

function place(change: Partial<PlaceOrder> = {}, signal?: AbortSignal): Promise<PlacementEnd> {
  return placeOrder(
    {
      account,
      renewSwitch: () => {
        renewals += 1;
        return Promise.resolve();
      },
      sealBy: sealByCancelOrder(() => START_MS + 360_000),
      clock: clockOf(),
    },
    {
      id,
      marketId: 1,
      side: 'buy',
      lots: lots(20),
      priceTicks: ticks(1_000_000),
      expiryMs: START_MS + 600_000,
      freshMs: () => START_MS + 10_000 - Date.now(),
      ...change,
    },
    signal,
  );
}

test('post-only, at the nonce and index of slice 0; a 200 is not yet an order, its record is', async () => {
  const placing = place();
  await pass(1);
  expect(account.last.request).toMatchObject({
    kind: 'post-only-order',
    nonce: nonceOf(id, 0),
    skipNonce: true,
    clientOrderIndex: clientOrderIndexOf(id, 0),
    expiryMs: START_MS + 600_000,
  });
  account.execute(account.last);
  expect(await placing).toMatchObject({ placed: true, record: { status: 'open' } });
});

test('a step of an unwind takes instead, reduce-only, at the same nonce and index: one order whatever becomes of the answer', async () => {
  account.sends.push({ kind: 'lost' });
  const placing = place({ takesTo: ticks(990_000) });
  await pass(1);
  expect(account.last.request).toMatchObject({
    ...{ kind: 'market-order', reduceOnly: true, boundTicks: 990_000n },
    ...{ nonce: nonceOf(id, 0), skipNonce: true, clientOrderIndex: clientOrderIndexOf(id, 0) },
  });
  account.auto = () => ({ lots: lots(20) });
  await pass(5_000);
  expect(await placing).toMatchObject({ placed: true, record: { filledLots: 20n } });
  expect(ours()).toHaveLength(1);
});

test.each(['throw', 'lost', 'booked-unknown'] as const)(
  'S-12 a submission that ends as %s: one order',
  async (kind) => {
    account.sends.push({ kind });
    account.auto = () => ({ lots: lots(0) });
    const placing = place();
    await pass(5_000);
    expect(await placing).toMatchObject({ placed: true });
    expect(ours()).toHaveLength(1);
  },
);

describe('S-50 the key of the lane is rejected for good', () => {
  test('not placed, once two readings 20 s apart show nothing of it', async () => {
    account.revoked.add(5);
    const placing = place();
    await pass(15_000);
    let isOver = false;
    void placing.then(() => (isOver = true));
    await pass(0);
    expect(isOver).toBe(false);
    await pass(15_000);
    expect(await placing).toMatchObject({
      placed: false,
      code: 'key-rejected',
      message: expect.stringContaining('API key 5'),
    });
  });

  test('it was booked before the key went: its record is the answer', async () => {
    account.sends.push({ kind: 'booked-unknown' });
    const placing = place();
    await pass(1);
    account.revoked.add(5);
    await pass(5_000);
    account.execute(account.sent[0]!, { silently: true });
    await pass(30_000);
    expect(await placing).toMatchObject({ placed: true });
  });
});

test('S-12 every frame is lost: the order is looked up, and not placed again', async () => {
  const placing = place();
  await pass(1);
  account.execute(account.last, { silently: true });
  await pass(5_000);
  expect(await placing).toMatchObject({ placed: true });
  expect(ours()).toHaveLength(1);
});

test('S-03 a fill whose frame comes before the answer ends the wait, with that fill', async () => {
  account.sends.push({ kind: 'booked-unknown' });
  const placing = place();
  await pass(0);
  account.execute(account.last, { lots: lots(7) });
  expect(await placing).toMatchObject({ placed: true, record: { filledLots: 7n } });
});

test('what the stream has shown before needs no submission: a retry on another machine finds it', async () => {
  const first = place();
  await pass(1);
  account.execute(account.last);
  await first;
  expect(await place()).toMatchObject({ placed: true });
  expect(account.sent).toHaveLength(1);
});

test('refused by the exchange: its nonce is sealed, and only then it is not placed', async () => {
  account.sends.push({ kind: 'refuse', code: 21734 });
  let end: PlacementEnd | undefined;
  const placing = place().then((found) => (end = found));
  await pass(1_000);
  expect(kinds().slice(0, 2)).toEqual(['post-only-order', 'cancel-order']);
  expect(end).toBeUndefined();
  account.execute(account.sent[1]!);
  await pass(1);
  expect(await placing).toEqual({ placed: false, code: '21734', message: 'code 21734' });
});

test('P-06 accepted, then rejected by the sequencer: not placed, with its code', async () => {
  const placing = place();
  await pass(1);
  account.execute(account.last, { rejection: 21739 });
  expect(await placing).toEqual({ placed: false, code: '21739', message: 'code 21739' });
});

test('a quote that has gone stale is never sent, not even later', async () => {
  account.auto = () => ({ lots: lots(0) });
  const placing = place({ freshMs: () => 0 });
  await pass(10);
  expect(await placing).toMatchObject({ placed: false, code: 'stale' });
  expect(kinds()).toEqual(['cancel-order']);
});

test('S-40 a quote that another clock finds stale earlier than was reckoned is sealed', async () => {
  account.sends.push({ kind: 'lost' });
  let steppedMs = 0;
  const placing = place({ freshMs: () => START_MS + 10_000 - Date.now() - steppedMs });
  await pass(1);
  steppedMs = 60_000;
  account.auto = () => ({ lots: lots(0) });
  await pass(3_000);
  expect(await placing).toMatchObject({ placed: false, code: 'stale' });
  expect(kinds()).toEqual(['post-only-order', 'cancel-order']);
});

test('S-30 a placement in doubt that wins its nonce against the seal is placed after all', async () => {
  account.sends.push({ kind: 'booked-unknown' });
  const placing = place({ freshMs: () => START_MS + 30 - Date.now() });
  await pass(1);
  const [quote] = account.sent;
  await pass(200);
  expect(kinds()).toContain('cancel-order');
  account.execute(quote!);
  expect(await placing).toMatchObject({ placed: true, record: { status: 'open' } });
});

test('a seal whose cancel is rejected renews the switch at that nonce instead', async () => {
  account.sends.push({ kind: 'refuse', code: 21734 }, { kind: 'refuse', code: 21700 });
  const placing = place();
  await pass(500);
  expect(kinds().slice(0, 3)).toEqual(['post-only-order', 'cancel-order', 'cancel-all-at']);
  account.execute(account.sent[2]!);
  expect(await placing).toMatchObject({ placed: false, code: '21734' });
});

test('21122: the dead-man’s switch is renewed first, then the same quote goes out again', async () => {
  account.sends.push({ kind: 'refuse', code: 21122 });
  const placing = place();
  await pass(500);
  expect([renewals, kinds().slice(0, 2)]).toEqual([1, ['post-only-order', 'post-only-order']]);
  account.execute(account.sent[1]!);
  expect(await placing).toMatchObject({ placed: true });
});

test('S-21 lists that cannot be read conclude nothing: it is neither placed nor not', async () => {
  account.reading = 'fail';
  account.sends.push({ kind: 'booked-unknown' });
  let end: PlacementEnd | undefined;
  const placing = place().then((found) => (end = found));
  await pass(9_000);
  expect(end).toBeUndefined();
  account.execute(account.sent[0]!);
  expect(await placing).toMatchObject({ placed: true });
});

test('abandoning the wait says that nothing is known, and stops waiting', async () => {
  const abort = new AbortController();
  const placing = expect(place({}, abort.signal)).rejects.toThrow('abandoned');
  await pass(1);
  abort.abort();
  await placing;
});

test('abandoned, it asks and sends nothing more, whatever still comes back', async () => {
  const abort = new AbortController();
  account.sends.push({ kind: 'refuse', code: 21104 });
  const placing = expect(place({}, abort.signal)).rejects.toThrow('abandoned');
  abort.abort();
  await placing;
  await pass(60_000);
  expect([account.sent.length, account.looks]).toEqual([1, 0]);
});
