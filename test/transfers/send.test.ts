/** A transfer is made once, or proven not to be made, whatever becomes of answers, frames and processes (S-60). */
import { clockOf } from '../clock';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { nonceOf, orderIdOf, tenthsAt, type OrderId } from '../../src/domain/ids-and-nonces';
import { notional } from '../../src/domain/lots';
import { TX_TRANSFER } from '../../src/domain/records';
import type { TransferEnd } from '../../src/domain/transfer';
import type { SignedTx } from '../../src/exchange/port';
import { sealByCancelAll } from '../../src/hedging/seals';
import { sendTransfer } from '../../src/transfers/send';
import { FakeAccount, type SendFault } from '../hedging/port';

const START_MS = Date.UTC(2026, 5, 1);
const LANE = 9;
const terms = { toAccountIndex: 8, amount: notional(250_000_000n) };
const id = orderIdOf({ time: tenthsAt(START_MS), lane: LANE });
let account: FakeAccount;

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
});
afterEach(() => {
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const moved = (): number =>
  account.txs.filter(({ type, rejection }) => type === TX_TRANSFER && rejection === undefined).length;
const FRESH_MS = 20_000;

function send(of: OrderId = id, signal?: AbortSignal): Promise<TransferEnd> {
  const untilMs = START_MS + FRESH_MS;
  const transfer = { id: of, terms, marketId: 1, freshMs: () => untilMs - Date.now() };
  return sendTransfer({ account, sealBy: sealByCancelAll, clock: clockOf() }, transfer, signal);
}

test('at the nonce of its id; a 200 is not yet a transfer, its executed transaction is', async () => {
  let end: TransferEnd | undefined;
  const sending = send().then((found) => (end = found));
  await pass(1);
  expect(account.last.request).toMatchObject({ kind: 'transfer', lane: LANE, nonce: nonceOf(id, 0), ...terms });
  expect(end).toBeUndefined();
  account.execute(account.last);
  expect(await sending).toEqual({ moved: true, txHash: account.last.txHash });
});

test.each(['throw', 'lost', 'booked-unknown'] as const)(
  'S-60 a submission that ends as %s: moved once',
  async (kind) => {
    account.sends.push({ kind });
    account.auto = () => ({ lots: 0n as never });
    const sending = send();
    await pass(10_000);
    expect(await sending).toMatchObject({ moved: true });
    expect(moved()).toBe(1);
  },
);

test('S-60 the machine sleeps, and its monotonic clock with it: what is late by then is sealed, not sent again', async () => {
  account.sends.push({ kind: 'lost' });
  account.auto = () => ({ lots: 0n as never });
  let freshMs = FRESH_MS;
  const transfer = { id, terms, marketId: 1, freshMs: () => freshMs };
  const sending = sendTransfer({ account, sealBy: sealByCancelAll, clock: clockOf() }, transfer);
  await pass(1);
  freshMs = 0;
  await pass(10_000);
  expect(await sending).toMatchObject({ moved: false, code: 'stale' });
  expect(moved()).toBe(0);
});

test('S-60 executed, and every frame and answer of it lost: read back, and not made again', async () => {
  account.sends.push({ kind: 'booked-unknown' });
  const sending = send();
  await pass(1);
  account.execute(account.last, { silently: true });
  await pass(10_000);
  expect(await sending).toMatchObject({ moved: true, txHash: account.sent[0]?.txHash });
  expect(moved()).toBe(1);
  expect(account.looks).toBe(0);
});

test('S-60 the process dies between the signature and the answer: the next one finds out, or makes it', async () => {
  const dying = new AbortController();
  account.sends.push({ kind: 'booked-unknown' });
  const first = send(id, dying.signal);
  await pass(1);
  const bytes = account.last;
  dying.abort();
  await expect(first).rejects.toThrow('abandoned');
  const second = send();
  await pass(50);
  account.execute(bytes);
  await pass(5_000);
  expect(await second).toEqual({ moved: true, txHash: bytes.txHash });
  expect(moved()).toBe(1);
});

test('too late to be sent: its nonce is sealed, so that no older copy of it is made either', async () => {
  await pass(FRESH_MS);
  account.auto = () => ({ lots: 0n as never });
  const sending = send();
  await pass(5_000);
  expect(await sending).toMatchObject({ moved: false, code: 'stale' });
  expect(account.sent.map(({ request }) => request.kind)).toEqual(['cancel-all-now']);
});

test('rejected by the exchange, or by its sequencer: not moved, with its words', async () => {
  account.sends.push({ kind: 'refuse', code: 21301 });
  const rejected = send();
  await pass(2_000);
  account.execute(account.last); // the seal
  expect(await rejected).toEqual({ moved: false, code: '21301', message: 'code 21301' });
  const later = orderIdOf({ time: tenthsAt(START_MS + 5_000), lane: LANE });
  const second = send(later);
  await pass(1);
  account.execute(account.last, { rejection: 21301 });
  expect(await second).toEqual({ moved: false, code: '21301', message: 'code 21301' });
  expect(moved()).toBe(0);
});

test("another transfer that has this nonce is not ours: its amount is another's", async () => {
  const sending = send();
  await pass(1);
  const { request } = account.last;
  account.execute({ ...account.last, request: { ...request, amount: notional(1n) } as SignedTx['request'] });
  expect(await sending).toMatchObject({ moved: false, code: 'foreign-nonce' });
});

/** What befalls the submissions, the executions and the processes of one transfer. */
const storms = fc.record({
  sends: fc.array(fc.constantFrom<SendFault['kind']>('book', 'throw', 'booked-unknown', 'lost'), { maxLength: 6 }),
  executeMs: fc.array(fc.integer({ min: 0, max: 25_000 }), { minLength: 1, maxLength: 6 }),
  silent: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  // When each process begins, and when it dies, if it does.
  processes: fc.array(
    fc.record({ fromMs: fc.integer({ min: 0, max: 30_000 }), livesMs: fc.option(fc.integer({ min: 0, max: 5_000 })) }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Executes what is booked after a while, in the order of the lane's nonces. */
class StormyAccount extends FakeAccount {
  #dueMs = 0;
  #sent = 0;

  constructor(private readonly storm: { readonly executeMs: number[]; readonly silent: boolean[] }) {
    super();
  }

  override async send(tx: SignedTx): ReturnType<FakeAccount['send']> {
    const fault = this.sends[0]?.kind ?? 'book';
    const answered = super.send(tx);
    const [n, { executeMs, silent }] = [this.#sent++, this.storm];
    const outcome = await answered.catch((error: unknown) => {
      throw error;
    });
    const isBooked = outcome.kind === 'accepted' || (fault === 'booked-unknown' && outcome.kind === 'unknown');
    if (!isBooked) return outcome;
    this.#dueMs = Math.max(this.#dueMs, Date.now() + (executeMs[n % executeMs.length] ?? 0));
    setTimeout(() => this.execute(tx, { silently: silent[n % silent.length] ?? false }), this.#dueMs - Date.now());
    return outcome;
  }
}

test('S-60 never twice, and every process that ends says what happened', async () => {
  await fc.assert(
    fc.asyncProperty(storms, async (storm) => {
      jest.setSystemTime(START_MS);
      account = new StormyAccount(storm);
      account.sends.push(...storm.sends.map((kind) => ({ kind }) as SendFault));
      const ends: TransferEnd[] = [];
      // The last one lives until it knows.
      const processes = [...storm.processes, { fromMs: 31_000, livesMs: null }];
      for (const { fromMs, livesMs } of processes) {
        const life = new AbortController();
        setTimeout(() => {
          send(id, life.signal).then(
            (end) => ends.push(end),
            () => undefined,
          );
          if (livesMs !== null) setTimeout(() => life.abort(), livesMs);
        }, fromMs);
      }
      await pass(200_000);
      expect(moved()).toBeLessThanOrEqual(1);
      expect(ends.length).toBeGreaterThan(0);
      for (const end of ends) expect(end.moved).toBe(moved() === 1);
    }),
    { numRuns: 60 },
  );
});
