/** The dead-man's switch counts as set only when the exchange has executed the renewal, and only while enough of it is left (S-31). */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { Canceller } from '../../src/quoting/canceller';
import { DeadMan } from '../../src/quoting/dead-man';
import { lots } from '../../src/domain/lots';
import { FakeAccount } from '../hedging/port';

const START_MS = Date.UTC(2026, 5, 1);
const AHEAD_MS = 6 * 60_000;
let account: FakeAccount;
let deadMan: DeadMan;
let renewals: string[];

const open = (change: Partial<ConstructorParameters<typeof DeadMan>[0]>): DeadMan =>
  new DeadMan({
    account,
    canceller: new Canceller({ account, lane: 9, clock: clockOf() }),
    lane: 9,
    aheadMs: AHEAD_MS,
    exchangeNow: () => Date.now(),
    ...change,
  });

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  renewals = [];
  deadMan = open({
    exchangeNow: () => Date.now() + 40_000, // the host's clock is slow (S-40)
    onRenewal: (result) => renewals.push(result),
  });
});
afterEach(() => {
  deadMan.stop();
  jest.useRealTimers();
});
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test('one that was stopped is not renewed, even if its start comes late', async () => {
  let may = false;
  deadMan = open({ mayRenew: () => may });
  deadMan.stop();
  deadMan.start();
  await pass(1_000);
  may = true;
  await pass(60_000);
  expect(account.sent).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a 200 sets nothing; the executed transaction does, in exchange time', async () => {
  const renewing = deadMan.renew();
  await pass(1);
  expect(account.last.request).toMatchObject({ kind: 'cancel-all-at', atMs: START_MS + 40_000 + AHEAD_MS });
  expect(deadMan.isSet()).toBe(false);
  account.execute(account.last);
  await renewing;
  expect(deadMan.isSet()).toBe(true);
  await pass(AHEAD_MS - 60_002);
  expect(deadMan.isSet()).toBe(true);
  await pass(2);
  expect(deadMan.isSet()).toBe(false);
});

test('the frame is lost: the transaction itself is read', async () => {
  const renewing = deadMan.renew();
  await pass(1);
  account.execute(account.last, { silently: true });
  await pass(3_000);
  await renewing;
  expect(deadMan.isSet()).toBe(true);
});

const failures: [string, () => void][] = [
  ['refused by the exchange', () => void account.sends.push({ kind: 'refuse', code: 21714 })],
  ['lost', () => void account.sends.push({ kind: 'lost' })],
  ['unreadable', () => void (account.reading = 'fail')],
];
test.each(failures)('a renewal that is %s sets nothing, and says so', async (_, fail) => {
  fail();
  const renewing = expect(deadMan.renew()).rejects.toThrow();
  await pass(3_100);
  await renewing;
  expect(deadMan.isSet()).toBe(false);
  expect(renewals).toEqual(['failed']);
});

test('a renewal that the sequencer rejects sets nothing', async () => {
  const renewing = expect(deadMan.renew()).rejects.toThrow('(21714)');
  await pass(1);
  account.execute(account.last, { rejection: 21714 });
  await pass(3_100);
  await renewing;
  expect(deadMan.isSet()).toBe(false);
});

test.each(['answer', 'ae'] as const)(
  'P-29 one is queued and may not be overwritten (21712 in its %s): taken back, set again, and not set in between',
  async (where) => {
    const first = deadMan.renew();
    await pass(1);
    account.execute(account.last);
    await first;
    if (where === 'answer') account.sends.push({ kind: 'refuse', code: 21712 });
    const renewing = deadMan.renew();
    await pass(1);
    if (where === 'ae') account.execute(account.last, { rejection: 21712 });
    await pass(1);
    expect(account.last.request.kind).toBe('cancel-all-abort');
    expect(deadMan.isSet()).toBe(false);
    account.execute(account.last);
    await pass(1);
    expect(account.last.request.kind).toBe('cancel-all-at');
    expect(deadMan.isSet()).toBe(false);
    account.execute(account.last);
    await renewing;
    expect(deadMan.isSet()).toBe(true);
    expect(renewals).toEqual(['confirmed', 'confirmed']);
  },
);

test('P-29 what is taken back and cannot be set again is not set, and says so', async () => {
  account.sends.push({ kind: 'refuse', code: 21712 }, { kind: 'book' }, { kind: 'refuse', code: 21714 });
  const renewing = expect(deadMan.renew()).rejects.toThrow('(21714)');
  await pass(1);
  account.execute(account.last);
  await pass(1);
  await renewing;
  expect(deadMan.isSet()).toBe(false);
  expect(renewals).toEqual(['failed']);
  expect(account.last.request.kind).toBe('cancel-all-now'); // what rests would rest without one
});

test('P-29 what was taken back is withdrawn after each further try that fails, and no more once one is set', async () => {
  account.sends.push({ kind: 'refuse', code: 21712 }, { kind: 'refuse', code: 21104 });
  for (let i = 0; i < 2; i++) {
    if (i > 0) account.sends.push({ kind: 'refuse', code: 21714 });
    await Promise.all([expect(deadMan.renew()).rejects.toThrow(), pass(3_100)]);
    expect(account.last.request.kind).toBe('cancel-all-now');
  }
  const renewing = deadMan.renew();
  await pass(1);
  account.execute(account.last);
  await renewing;
  account.sends.push({ kind: 'refuse', code: 21714 });
  await Promise.all([expect(deadMan.renew()).rejects.toThrow(), pass(3_100)]);
  expect(account.sent.filter(({ request }) => request.kind === 'cancel-all-now')).toHaveLength(2);
});

test('a renewal once more is none after a stop, nor while it is to be left to fire', async () => {
  let may = true;
  deadMan = open({ mayRenew: () => may });
  deadMan.renewOnceMore(1_000);
  await pass(1_100);
  expect(account.sent).toHaveLength(1);
  may = false;
  deadMan.renewOnceMore(1_000);
  await pass(10_000);
  expect(account.sent).toHaveLength(1);
  may = true;
  deadMan.renewOnceMore(1_000);
  deadMan.stop();
  deadMan.renewOnceMore(1_000);
  await pass(10_000);
  expect(account.sent).toHaveLength(1);
});

test('a transaction of another lane with that nonce confirms nothing', async () => {
  const renewing = expect(deadMan.renew()).rejects.toThrow('did not confirm');
  await pass(1);
  account.stream.txs({ ...account.txOf(account.last), apiKeyIndex: 5 });
  await pass(3_100);
  await renewing;
});

test('two who ask at once share one renewal', async () => {
  const both = [deadMan.renew(), deadMan.renew()];
  await pass(1);
  account.execute(account.last);
  await Promise.all(both);
  expect(account.sent).toHaveLength(1);
});

test('S-54 a renewal that fails for long is tried ever more slowly, and as soon as ever after a success', async () => {
  account.sends.push(...Array.from({ length: 20 }, () => ({ kind: 'refuse', code: 21714 }) as const));
  deadMan.start();
  await pass(59_000);
  expect(account.sent).toHaveLength(5); // after 0, 2, 6, 14 and 30 seconds
  await pass(60_000);
  expect(account.sent).toHaveLength(7);
  account.sends.splice(0);
  await pass(1_001);
  account.execute(account.last);
  await pass(1);
  expect(deadMan.isSet()).toBe(true);
});

test('it beats five times in its time; after a failure every two seconds; stopped it beats no more', async () => {
  account.sends.push({ kind: 'refuse', code: 21714 });
  deadMan.start();
  await pass(1);
  expect(renewals).toEqual(['failed']);
  await pass(2_000);
  account.execute(account.last);
  await pass(1);
  expect(renewals).toEqual(['failed', 'confirmed']);
  await pass(AHEAD_MS / 5);
  expect(account.sent).toHaveLength(3);
  deadMan.stop(); // while a renewal is under way
  account.execute(account.last);
  await pass(AHEAD_MS);
  expect(account.sent).toHaveLength(3);
  expect(jest.getTimerCount()).toBe(0);
});

test('S-44 it is not renewed while nobody hedges, and at once when somebody does', async () => {
  let mayRenew = false;
  deadMan = open({ mayRenew: () => mayRenew });
  account.auto = () => ({ lots: lots(0) });
  deadMan.start();
  await pass(60_000);
  expect(account.sent).toHaveLength(0);
  mayRenew = true;
  await pass(300);
  expect(deadMan.isSet()).toBe(true);
  mayRenew = false;
  await pass(AHEAD_MS);
  expect(deadMan.isSet()).toBe(false);
  expect(account.sent).toHaveLength(1);
});
