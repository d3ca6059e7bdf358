import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { Executor, type ExecutorOptions } from '../../src/hedging/executor';
import type { ExecutorEvents, LateExecution } from '../../src/hedging/executor-events';
import { LATE_MS } from '../../src/hedging/late-watch';
import { sealByCancelAll, sealByCancelOrder } from '../../src/hedging/seals';
import { clientOrderIndexOf, nonceOf, orderIdOf, tenthsAt, type OrderId } from '../../src/domain/ids-and-nonces';
import { lots, ticks, type Lots } from '../../src/domain/lots';
import type { Ticket } from '../../src/domain/ticket';
import type { TxRequest } from '../../src/exchange/port';
import { FakeAccount } from './port';

const START_MS = Date.UTC(2026, 5, 1);
const id = orderIdOf({ time: tenthsAt(START_MS), lane: 5 });
const otherId = orderIdOf({ time: tenthsAt(START_MS), lane: 9 });

function ticketOf(change: Partial<Ticket> = {}): Ticket {
  return {
    id,
    orderId: change.id ?? id,
    market: { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 },
    side: 'sell',
    maxLots: lots(20),
    priorLots: lots(0),
    anchorTicks: ticks(1_000_000),
    slippageBps: 50,
    slippageBpsMax: 300,
    start: 'opens-lane',
    ...change,
  };
}

let account: FakeAccount;
let executor: Executor;
let alerts: string[];

function open(change: Partial<ExecutorOptions> = {}, events: Partial<ExecutorEvents> = {}): Executor {
  return new Executor({
    account,
    sealBy: sealByCancelAll,
    clock: clockOf(),
    exchangeNow: () => Date.now(),
    events: { alert: ({ kind, what }) => alerts.push(`${kind}: ${what}`), ...events },
    ...change,
  });
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const notice = (fill: number, orderId: OrderId = id) =>
  executor.raise({ orderId, marketId: 1, side: 'sell', fillLots: lots(fill) });
const execution = (fill: number, ticket = ticketOf(), signal?: AbortSignal) =>
  executor.execute({
    ticket,
    fillLots: lots(fill),
    reduceOnly: 'never',
    retryNow: false,
    ...(signal ? { signal } : {}),
  });
const arm = (ticket = ticketOf()) => executor.arm({ ticket, keepUntilMs: Date.now() + 900_000 });
const fillAll = (): void => {
  account.auto = (request) => ({ lots: request.kind === 'market-order' ? request.lots : lots(0) });
};

/** 5 lots of an armed order, then all of it. */
const fillInTwo = async (): Promise<void> => {
  fillAll();
  await arm();
  notice(5);
  await pass(1);
  notice(20);
  await pass(1);
};

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  alerts = [];
  executor = open();
});

afterEach(() => {
  executor.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('S-46 a hedge that does not come is told by the executor itself, whoever else is away', () => {
  let told: LateExecution[];
  beforeEach(async () => {
    executor.close();
    told = [];
    executor = open({}, { late: (at) => told.push(at) });
    await arm();
  });

  test('refused again and again: told after 5 s, with the lots, since when and why; reminded; silent once it executed', async () => {
    account.auto = () => ({ lots: lots(0), status: 'canceled-margin-not-allowed' });
    notice(7);
    await pass(LATE_MS - 10);
    expect(told).toEqual([]);
    await pass(20);
    expect(told).toMatchObject([{ missingLots: 7n, sinceMs: START_MS, forMs: LATE_MS }]);
    expect(told[0]?.why).toContain('canceled-margin-not-allowed');
    await pass(4 * 60_000);
    expect(told).toHaveLength(1);
    await pass(61_000);
    expect(told).toHaveLength(2);
    fillAll();
    await pass(60 * 60_000);
    expect(told).toHaveLength(2);
  });

  test('a rejection or a doubt without a record is the reason that is told', async () => {
    account.sends.push(...Array.from({ length: 50 }, () => ({ kind: 'refuse', code: 23000 }) as const));
    notice(7);
    await pass(LATE_MS + 10);
    expect(told[0]?.why).toContain('23000');
  });

  test('S-27 the clock starts with the first naked lot, a further fill does not start it anew', async () => {
    account.sends.push(...Array.from({ length: 50 }, () => ({ kind: 'lost' }) as const));
    notice(7);
    await pass(4_000);
    notice(20);
    await pass(1_010);
    expect(told).toMatchObject([{ missingLots: 20n, sinceMs: START_MS }]);
  });

  test('one that has grown since it was told is told again', async () => {
    account.sends.push(...Array.from({ length: 50 }, () => ({ kind: 'lost' }) as const));
    notice(1);
    await pass(LATE_MS + 1_000);
    for (const fill of [7, 20]) notice(fill);
    await pass(LATE_MS + 10);
    expect(told).toMatchObject([{ missingLots: 1n }, { missingLots: 20n, sinceMs: START_MS }]);
    await pass(LATE_MS * 2);
    expect(told).toHaveLength(2);
  });

  test('one that the workflow asked for is told like one that a notice asked for', async () => {
    account.sends.push(...Array.from({ length: 50 }, () => ({ kind: 'lost' }) as const));
    void execution(7);
    await pass(LATE_MS + 10);
    expect(told).toHaveLength(1);
  });

  test('nothing is told of a ticket that its workflow ends, nor of one that executed in time', async () => {
    account.sends.push(...Array.from({ length: 50 }, () => ({ kind: 'lost' }) as const));
    notice(7);
    await pass(100);
    void executor.seal({ ticket: ticketOf() });
    await pass(10 * 60_000);
    expect(told).toEqual([]);
  });

  test('a process that slept concludes nothing from its sleep before it has read what came meanwhile', async () => {
    notice(7);
    await pass(1_000);
    jest.setSystemTime(Date.now() + 30_000);
    await pass(LATE_MS - 500);
    expect(told).toEqual([]);
    account.execute(account.last);
    await pass(60_000);
    expect(told).toEqual([]);
  });
});

describe('the fast path', () => {
  test('the signed-ahead bytes of an armed ticket leave in the very call of the notice', async () => {
    await arm();
    expect(account.signed).toHaveLength(1);
    expect(notice(20)).toBe('raised');
    expect(account.sent.map((tx) => tx.request)).toEqual([account.signed[0]]);
    expect(account.last.request).toMatchObject({
      nonce: nonceOf(id, 1),
      skipNonce: true,
      lots: 20n,
      reduceOnly: false,
    });
  });

  test('S-14 a notice five times, and the durable path after it: one execution', async () => {
    fillAll();
    await arm();
    for (let i = 0; i < 5; i++) notice(20);
    expect(await execution(20)).toMatchObject({ state: 'executed', executed_lots: '20', slices: [{ path: 'fast' }] });
    expect(account.sent).toHaveLength(1);
  });

  test('S-15, S-37 only an armed ticket of that market and side listens', async () => {
    expect(notice(20)).toBe('not-armed');
    await arm();
    expect(executor.raise({ orderId: id, marketId: 2, side: 'sell', fillLots: lots(20) })).toBe('not-armed');
    expect(executor.raise({ orderId: id, marketId: 1, side: 'buy', fillLots: lots(20) })).toBe('not-armed');
    const finer = { orderId: id, marketId: 1, side: 'sell', fillLots: lots(20), sizeDecimals: 6 } as const;
    expect(executor.raise(finer)).toBe('not-armed');
    expect(account.sent).toHaveLength(0);
  });

  test('a notice beyond the maximum trades the maximum', async () => {
    await arm();
    notice(1_000_000);
    expect(account.last.request).toMatchObject({ lots: 20n });
  });

  test('S-01 5, then 15: the second slice carries exactly the rest, after the first', async () => {
    await fillInTwo();
    expect(account.sent.map(({ request }) => 'lots' in request && request.lots)).toEqual([5n, 15n]);
    expect(await execution(20)).toMatchObject({ state: 'executed', executed_lots: '20' });
  });

  test('a first hedge that is not signed ahead is signed here; what follows it shortly holds nobody up', async () => {
    await fillInTwo();
    expect(account.threads).toEqual(['beside', 'here', 'beside']);
  });

  test('of many first hedges at once one is signed here, and again one some time later', async () => {
    const [first, second, later] = [5, 6, 7].map((lane) => {
      const each = orderIdOf({ time: tenthsAt(START_MS), lane });
      return ticketOf({ id: each, orderId: each });
    }) as [Ticket, Ticket, Ticket];
    const raised = ({ orderId, side }: Ticket): unknown =>
      executor.raise({ orderId, marketId: 1, side, fillLots: lots(5) });
    for (const ticket of [first, second, later]) await executor.arm({ ticket, keepUntilMs: START_MS + 60_000 });
    account.threads.length = 0;
    raised(first);
    raised(second);
    await pass(20);
    raised(later);
    expect(account.threads).toEqual(['here', 'beside', 'here']);
  });

  test('the time of submission is that of the bytes on the socket: signing at fill time counts', async () => {
    fillAll();
    await arm();
    account.signing = () => new Promise((resolve) => setTimeout(resolve, 3));
    const answer = execution(5);
    await pass(5);
    expect((await answer).timings.first_submitted_ms).toBe(START_MS + 3);
  });

  test('signed-ahead bytes are renewed before they die', async () => {
    await arm();
    await pass(600_000);
    expect(account.signed).toHaveLength(2);
    notice(20);
    expect(account.sent[0]?.txHash).toBe('hash-2');
  });

  test('S-40 bytes that died while the machine slept are signed anew: they expire by the clock of the exchange', async () => {
    let sleptMs = 0;
    executor.close();
    executor = open({ clock: clockOf(() => Date.now() - sleptMs) }); // nobody has set the host's clock yet
    await arm();
    sleptMs = account.signedLifeMs;
    jest.setSystemTime(START_MS + sleptMs + 1);
    notice(20);
    await pass(0);
    expect(account.sent.map((tx) => tx.txHash)).toEqual(['hash-2']);
  });

  test('P-08 signed-ahead bytes that are rejected are not sent again: the next try is signed anew', async () => {
    await arm();
    account.sends.push({ kind: 'refuse', code: 21501 });
    notice(20);
    await pass(1_100);
    expect(account.sent.map((tx) => tx.txHash)).toEqual(['hash-1', 'hash-2']);
  });

  test('arming twice signs once and changes nothing (P-13)', async () => {
    await arm();
    await arm();
    expect(account.signed).toHaveLength(1);
    expect(executor.size).toBe(1);
  });

  test('a notice for an order whose ticket was sealed trades nothing', async () => {
    fillAll();
    await arm();
    await executor.seal({ ticket: ticketOf() });
    const sent = account.sent.length;
    notice(20);
    await pass(5_000);
    expect(account.sent).toHaveLength(sent);
  });

  test('a second ticket of an order is the one that later notices raise, and it trades fill minus covered', async () => {
    fillAll();
    await arm();
    notice(5);
    await pass(1);
    await executor.seal({ ticket: ticketOf() });
    const next = ticketOf({
      id: orderIdOf({ time: tenthsAt(START_MS + 1_000), lane: 5 }),
      orderId: id,
      priorLots: lots(5),
      maxLots: lots(15),
    });
    await arm(next);
    notice(8);
    await pass(1);
    expect(account.last.request).toMatchObject({ nonce: nonceOf(next.id, 1), lots: 3n });
  });
});

describe('doubt', () => {
  test.each(['throw', 'lost', 'booked-unknown'] as const)(
    'S-12 a send that ends as %s: one execution',
    async (kind) => {
      fillAll();
      account.sends.push({ kind });
      const done = execution(20);
      await pass(2_000);
      expect(await done).toMatchObject({ state: 'executed', executed_lots: '20' });
      expect(account.orders.reduce((sum, order) => sum + order.filledLots, 0n)).toBe(20n);
    },
  );

  test('every frame lost: the order is looked up, and nothing is sent twice', async () => {
    const done = execution(20);
    await pass(1);
    account.execute(account.last, { silently: true });
    await pass(3_000);
    expect(await done).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(account.orders).toHaveLength(1);
    expect(account.looks).toBeGreaterThan(0);
  });

  test('P-06 accepted, then rejected by the sequencer: found from the transaction, classified, told as blocked', async () => {
    const done = execution(20);
    await pass(1);
    account.execute(account.last, { rejection: 21739 });
    expect(await done).toMatchObject({ state: 'blocked', executed_lots: '0', blocked: { code: 'rejected 21739' } });
    fillAll();
    await pass(2_000);
    expect(await execution(20)).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(account.sent.map(({ request }) => request.nonce)).toEqual([nonceOf(id, 1), nonceOf(id, 2)]);
  });

  test('frames and transactions in any order, repeated: counted once', async () => {
    const done = execution(20);
    await pass(1);
    const tx = account.last;
    if (tx.request.kind !== 'market-order') throw new Error('a trade was expected');
    const record = account.orderOf(tx.request, lots(20), 'filled');
    account.stream.orders(account.orderOf(tx.request, lots(8), 'in-progress'));
    account.stream.txs(account.txOf(tx));
    account.stream.orders(record);
    account.stream.orders(record, record);
    account.stream.txs(account.txOf(tx), account.txOf(tx));
    account.stream.orders(account.orderOf(tx.request, lots(8), 'in-progress'));
    expect(await done).toMatchObject({ state: 'executed', executed_lots: '20' });
  });

  test('another machine won the nonce with other bytes: its amount counts, the rest is the next slice', async () => {
    const request = {
      kind: 'market-order',
      lane: 5,
      nonce: nonceOf(id, 1),
      skipNonce: true,
      marketId: 1,
      clientOrderIndex: clientOrderIndexOf(id, 1),
      side: 'sell',
      lots: lots(5),
      boundTicks: ticks(1),
      reduceOnly: false,
    } as const;
    account.execute(account.contender(id, 1, request), { silently: true });
    fillAll();
    const done = execution(20);
    await pass(3_000);
    expect(await done).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(account.orders.map((order) => order.filledLots)).toEqual([5n, 15n]);
  });

  test.each([
    ['until-flat', [true, false]],
    ['always', [true, true]],
  ] as const)('S-17 reduce-only %s, and the exchange reduced what there was: %j', async (reduceOnly, sent) => {
    let left = 15n;
    account.auto = (request) => {
      const { lots: amount, reduceOnly: only } = request as TxRequest & { lots: Lots; reduceOnly: boolean };
      const traded = only && amount > left ? left : amount;
      left -= traded;
      return { lots: lots(traded), ...(traded < amount ? { status: 'canceled-reduce-only' } : {}) };
    };
    const done = executor.execute({ ticket: ticketOf(), fillLots: lots(20), reduceOnly, retryNow: false });
    await pass(1_500);
    await done;
    expect(account.sent.map(({ request }) => request)).toMatchObject(sent.map((only) => ({ reduceOnly: only })));
  });

  test.each(['fail', 'throw'] as const)('S-21 reads that %s conclude nothing, and stop nothing', async (how) => {
    account.reading = how;
    account.sends.push({ kind: 'booked-unknown' });
    const done = execution(20);
    await pass(1);
    const tx = account.last;
    await pass(10_000);
    expect(await done).toMatchObject({ state: 'blocked', executed_lots: '0' });
    account.reading = 'ok';
    account.execute(tx, { silently: true });
    await pass(6_000);
    expect(await execution(20)).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(account.orders).toHaveLength(1);
  });

  test('why nothing moves is said: a key that does not sign is named, not "slice 1 is not resolved yet"', async () => {
    account.signing = () => Promise.reject(new Error('no private key for API key 5'));
    const done = execution(20);
    await pass(10_100);
    expect(await done).toMatchObject({
      state: 'blocked',
      blocked: { message: expect.stringContaining('no private key for API key 5') },
    });
  });

  test('listeners of the executor that throw cost nothing', async () => {
    executor.close();
    const boom = (): never => {
      throw new Error('a metric with a bug');
    };
    executor = open({}, { submitted: boom, answered: boom, resolved: boom });
    const done = execution(20);
    await pass(1);
    account.execute(account.last);
    expect(await done).toMatchObject({ state: 'executed', executed_lots: '20' });
  });

  test('P-07 a foreign transaction on our nonce counts nothing, is alerted, and the ticket goes on', async () => {
    fillAll();
    account.sends.push({ kind: 'refuse', code: 21104 });
    account.foreign(5, nonceOf(id, 1));
    const done = execution(20);
    await pass(1_000);
    expect(await done).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(alerts).toEqual([expect.stringMatching(/^foreign-nonce: /)]);
  });

  test('P-18 a lane that was jumped over ends the ticket, with an alert', async () => {
    account.foreign(5, nonceOf(id, 1) + 1_000n);
    const early = execution(20);
    await pass(15_000);
    expect(await early).toMatchObject({ state: 'blocked', blocked: { code: 'waiting' } });
    const done = execution(20);
    await pass(15_000);
    expect(await done).toMatchObject({ state: 'jumped', executed_lots: '0' });
    expect(alerts).toEqual([expect.stringMatching(/^lane-jumped: /)]);
  });
});

describe('price', () => {
  test('a hedge that the market rejects for its price widens its bound', async () => {
    account.auto = (request) => ({ lots: lots(0), status: 'canceled-too-much-slippage', ...(request && {}) });
    void execution(20);
    await pass(400);
    const bounds = account.sent.map(({ request }) => 'boundTicks' in request && request.boundTicks);
    expect(bounds.slice(0, 4)).toEqual([995_000n, 990_000n, 980_000n, 970_000n]);
  });

  test.each([21733, 21734])('%i says that the bound is too far: it comes nearer, never wider', async (code) => {
    for (let i = 0; i < 10; i++) account.sends.push({ kind: 'refuse', code });
    const done = execution(20);
    await pass(10_000);
    const bounds = account.sent.map(({ request }) => 'boundTicks' in request && request.boundTicks);
    expect(bounds.slice(0, 6)).toEqual([995_000n, 997_500n, 998_800n, 999_400n, 999_700n, 999_900n]);
    expect(await done).toMatchObject({ state: 'blocked', blocked: { code: String(code) } });
  });
});

describe('sealing', () => {
  test('S-49 where the host slept and its clocks have parted, the second finding of a dead lane counts', async () => {
    executor.close();
    executor = open({ clock: { ...clockOf(), monotonicMs: () => Date.now() - 600_000 } });
    account.sends.push(...Array.from({ length: 60 }, () => ({ kind: 'refuse', code: 21109 }) as const));
    const ticket = ticketOf();
    const first = executor.seal({ ticket });
    await pass(30_000);
    await first;
    expect(await executor.seal({ ticket })).toMatchObject({ state: 'dead' });
    const deadAfterMs = Date.now() + 1;
    await pass(1_000);
    const second = executor.seal({ ticket, deadAfterMs });
    await pass(30_000);
    expect(await second).toMatchObject({ state: 'blocked' });
    expect(await executor.seal({ ticket, deadAfterMs })).toMatchObject({ state: 'dead' });
  });

  test('P-14 a trade in doubt and a seal contend for one nonce: whoever wins is resolved', async () => {
    account.sends.push({ kind: 'booked-unknown' });
    void execution(20);
    await pass(1);
    const trade = account.last;
    const sealed = executor.seal({ ticket: ticketOf() });
    await pass(100);
    account.execute(trade, { lots: lots(12) });
    await pass(100);
    account.execute(account.last);
    expect(await sealed).toMatchObject({ state: 'sealed', executed_lots: '12' });
    await pass(60_000);
    expect(account.orders.reduce((sum, order) => sum + order.filledLots, 0n)).toBe(12n);
  });

  test('a seal that the exchange rejects takes its other form', async () => {
    account.sends.push({ kind: 'refuse', code: 21739 }, { kind: 'refuse', code: 21706 });
    void execution(20);
    await pass(1);
    const sealed = executor.seal({ ticket: ticketOf() });
    await pass(50);
    expect(account.sent.map(({ request }) => request.kind)).toEqual([
      'market-order',
      'limit-ioc-order',
      'cancel-all-now',
    ]);
    account.execute(account.last);
    expect(await sealed).toMatchObject({ state: 'sealed', executed_lots: '0' });
  });

  test('on A a seal never cancels everything: it cancels an order that does not exist', async () => {
    executor.close();
    executor = open({ sealBy: sealByCancelOrder(() => START_MS + 360_000) });
    const sealed = executor.seal({ ticket: ticketOf() });
    await pass(1);
    expect(account.last.request).toMatchObject({ kind: 'cancel-order', index: clientOrderIndexOf(id, 127) });
    account.execute(account.last);
    expect(await sealed).toMatchObject({ state: 'sealed' });
  });

  test('what a seal ended a cover is told', async () => {
    account.auto = (request) => ({ lots: request.kind === 'market-order' ? lots(5) : lots(0) });
    account.sends.push({ kind: 'book' }, { kind: 'refuse', code: 21739 });
    const first = execution(20);
    await pass(500);
    expect(await first).toMatchObject({ state: 'blocked', executed_lots: '5' });
    const second = execution(20);
    void executor.seal({ ticket: ticketOf() });
    await pass(500);
    expect(await second).toMatchObject({ state: 'sealed', executed_lots: '5' });
  });
});

describe('one ticket and the others', () => {
  test('P-02 a ticket in doubt delays no other', async () => {
    account.sends.push({ kind: 'lost' });
    void execution(20);
    await pass(1);
    fillAll();
    expect(await execution(20, ticketOf({ id: otherId }))).toMatchObject({ state: 'executed' });
  });

  test('a parked ticket trades no more, says so at once, and stops no other', async () => {
    const done = execution(20);
    await pass(1);
    account.execute(account.last, { lots: lots(21) });
    expect(await done).toMatchObject({ state: 'blocked', blocked: { code: 'invariant' } });
    expect(alerts).toEqual([expect.stringMatching(/^ticket-parked: /)]);
    const sent = account.sent.length;
    notice(20);
    expect(await execution(20)).toMatchObject({ state: 'blocked' });
    await pass(60_000);
    expect(account.sent).toHaveLength(sent);
    fillAll();
    expect(await execution(20, ticketOf({ id: otherId }))).toMatchObject({ state: 'executed' });
  });

  test('abandoning the wait abandons nothing else', async () => {
    const abort = new AbortController();
    const waiting = execution(20, ticketOf(), abort.signal);
    await pass(1);
    abort.abort();
    expect(await waiting).toMatchObject({ state: 'blocked', blocked: { code: 'waiting' } });
    account.execute(account.last);
    expect(await execution(20)).toMatchObject({ state: 'executed', executed_lots: '20' });
  });

  test('a wait that was abandoned before it began does not begin', async () => {
    const waiting = execution(20, ticketOf(), AbortSignal.abort());
    await pass(0);
    expect(await Promise.race([waiting, pass(50).then(() => 'still waiting')])).toMatchObject({ state: 'blocked' });
  });
});

describe('memory', () => {
  test('a ticket that can trade no more is forgotten within two minutes, however long it was armed for', async () => {
    fillAll();
    await arm();
    await execution(20);
    await pass(50_000);
    expect(executor.size).toBe(1);
    await pass(90_000);
    expect(executor.size).toBe(0);
  });

  test('one that may still trade is kept for as long as it is armed, and a while after the last word about it', async () => {
    fillAll();
    await arm(ticketOf({ id: otherId }));
    await execution(8);
    expect(executor.size).toBe(2);
    await pass(14 * 60_000);
    expect(executor.size).toBe(2);
    await pass(3 * 60_000);
    expect(executor.size).toBe(0);
  });

  test('a forgotten ticket that is asked for again is resolved again, not traded again', async () => {
    fillAll();
    await execution(20);
    await pass(20 * 60_000);
    expect(executor.size).toBe(0);
    const again = execution(20);
    await pass(2_000);
    expect(await again).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(account.orders).toHaveLength(1);
  });

  test('a closed executor lets its waiters go and sends nothing more, whatever still comes back', async () => {
    account.sends.push({ kind: 'lost' }, { kind: 'lost' });
    const waiting = execution(20);
    executor.close();
    expect(await waiting).toMatchObject({ state: 'blocked' });
    await pass(60_000);
    expect(account.sent).toHaveLength(1);
    expect(account.stream.listeners).toBe(0);
  });
});

describe('stages of a slice', () => {
  const at = (ms: number): number => START_MS + ms;

  test('each is stamped where it happens: noticed, submitted once signed, accepted, shown, resolved', async () => {
    const seen: unknown[] = [];
    executor.close();
    const clock = { ...clockOf(), monotonicMs: () => Date.now() - START_MS };
    executor = open({ clock }, { submitted: ({ k, sinceNoticeMs }) => seen.push([k, sinceNoticeMs]) });
    await arm();
    await pass(10);
    account.signing = () => pass(2); // a partial fill is signed when it happens
    notice(5);
    await pass(0);
    await pass(300);
    account.execute(account.last, { silently: true });
    await pass(1);
    const record = account.orders.at(-1);
    if (!record) throw new Error('nothing was executed');
    account.stream.ordersAt(310, record);
    const result = await execution(5);
    const times = { submitted_ms: at(12), accepted_ms: at(12), executed_ms: at(310), resolved_ms: at(313) };
    expect(result.slices[0]?.times).toEqual(times);
    expect(result.timings).toEqual({
      notice_received_ms: at(10),
      first_submitted_ms: times.submitted_ms,
      first_accepted_ms: times.accepted_ms,
      last_executed_ms: times.executed_ms,
      last_resolved_ms: times.resolved_ms,
    });
    expect(seen).toEqual([[1, 2]]);
  });
});
