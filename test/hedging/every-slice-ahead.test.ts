/** An executor that signs ahead every slice that may come: what leaves at once, and that of a nonce only one amount ever does. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { Executor } from '../../src/hedging/executor';
import { sealByCancelAll } from '../../src/hedging/seals';
import { laneOf, nonceOf, orderIdOf, tenthsAt } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { Ticket } from '../../src/domain/ticket';
import { FakeAccount } from './port';

const START_MS = Date.UTC(2026, 5, 1);
const idAt = (ms: number, lane = 5) => orderIdOf({ time: tenthsAt(START_MS + ms), lane });

function ticketOf(id = idAt(0), maxLots = 20): Ticket {
  return {
    id,
    orderId: id,
    market: { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 },
    side: 'sell',
    maxLots: lots(maxLots),
    priorLots: lots(0),
    anchorTicks: ticks(1_000_000),
    slippageBps: 50,
    slippageBpsMax: 300,
    start: 'opens-lane',
  };
}

let account: FakeAccount;
let executor: Executor;
let signed: string[];
let tookMs: number[];

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const arm = (ticket = ticketOf()) => executor.arm({ ticket, keepUntilMs: Date.now() + 900_000 });
const notice = (fill: number, { orderId } = ticketOf()) =>
  executor.raise({ orderId, marketId: 1, side: 'sell', fillLots: lots(fill) });
const amounts = (): unknown[] => account.sent.map(({ request }) => 'lots' in request && Number(request.lots));
const armed = async (ticket = ticketOf()): Promise<void> => {
  await arm(ticket);
  await pass(1_000);
};

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  account.auto = (request) => ({ lots: request.kind === 'market-order' ? request.lots : lots(0) });
  signed = [];
  tookMs = [];
  executor = new Executor({
    account,
    sealBy: sealByCancelAll,
    clock: clockOf(),
    exchangeNow: () => Date.now(),
    events: {
      alert: () => undefined,
      submitted: (at) => signed.push(at.signed),
      signedAhead: (at) => tookMs.push(at.tookMs),
    },
    signAhead: { isBusy: () => false },
  });
});
afterEach(() => {
  executor.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test('every amount of the first slice is signed once it is armed, the whole before it is', async () => {
  await arm();
  expect(account.signed).toMatchObject([{ lots: 20n }]);
  await pass(1_000);
  expect(account.signed.map((it) => 'lots' in it && Number(it.lots))).toEqual(
    Array.from({ length: 20 }, (_, i) => 20 - i),
  );
  expect(tookMs).toHaveLength(19);
  expect(new Set(account.threads)).toEqual(new Set(['beside']));
});

test.each([1, 7, 20])('a fill of %i lots: its hedge leaves in the very call of the notice', async (fill) => {
  await armed();
  notice(fill);
  expect(amounts()).toEqual([fill]);
  expect(signed).toEqual(['ahead']);
});

test('S-01 later slices leave in the very call too, of whatever amount, each at the nonce behind', async () => {
  await armed();
  for (const fill of [5, 6, 14, 20]) {
    notice(fill);
    expect(account.last.request).toMatchObject({ nonce: nonceOf(idAt(0), account.sent.length) });
    await pass(1_000);
  }
  expect(amounts()).toEqual([5, 1, 8, 6]);
  expect(signed).toEqual(['ahead', 'ahead', 'ahead', 'ahead']);
});

test('what fills while a slice is under way waits for it, then leaves at once', async () => {
  account.auto = undefined;
  await armed();
  notice(5);
  notice(8);
  await pass(1);
  notice(11);
  await pass(50);
  expect(amounts()).toEqual([5]);
  account.execute(account.last);
  expect(amounts()).toEqual([5, 6]);
  expect(signed).toEqual(['ahead', 'ahead']);
});

test('of an order of many lots the rest, and what has filled meanwhile, are signed behind the slice under way', async () => {
  account.auto = undefined;
  await armed(ticketOf(idAt(0), 1_000));
  notice(300);
  await pass(20);
  notice(450);
  await pass(20);
  account.execute(account.last);
  await pass(20);
  expect(amounts()).toEqual([300, 150]);
  expect(signed).toEqual(['when-needed', 'ahead']);
  expect(account.signed.map((it) => 'lots' in it && Number(it.lots))).toEqual([1_000, 300, 700, 150, 550]);
});

test('a hedge is signed before all that is signed ahead, however many orders are armed and filled at once', async () => {
  account.auto = undefined;
  const many = Array.from({ length: 20 }, (_, lane) => ticketOf(idAt(0, 10 + lane), 1_000));
  const order: string[] = [];
  const answers: (() => void)[] = [];
  const sign = account.sign.bind(account);
  account.sign = async (request, where) => {
    order.push(`${request.lane}${'lots' in request ? ` ${request.lots}` : ''}`);
    await new Promise<void>((answer) => answers.push(answer));
    return sign(request, where);
  };
  const answer = async (count: number): Promise<void> => {
    for (const it of answers.splice(0, count)) it();
    await pass(5);
  };
  const arming = Promise.all(many.map((ticket) => arm(ticket)));
  await pass(5);
  expect(order).toEqual(['10 1000']);
  for (const ticket of many.slice(10, 13)) notice(300, ticket);
  // Their signatures are asked for in the very call, beside the one that is under way.
  expect(order.splice(0)).toEqual(['10 1000', '20 300', '21 300', '22 300']);
  await answer(1);
  await answer(2);
  expect(order).toEqual([]); // one hedge is still being signed
  notice(700, many[11]);
  await answer(1);
  expect(order).toEqual(['11 1000']);
  while (answers.length > 0) await answer(1);
  await arming;
  expect(order.slice(0, 19).map((it) => Number(it.split(' ')[0]))).toEqual(many.slice(1).map(({ id }) => laneOf(id)));
  expect(account.sent.map(({ request }) => request.lane)).toEqual([20, 21, 22]);
});

test('P-08 of one nonce one of the signed amounts leaves, whatever comes of it: the next try is signed anew', async () => {
  await armed();
  const before = account.signed.length;
  account.sends.push({ kind: 'refuse', code: 21501 });
  notice(5);
  notice(9);
  await pass(1_100);
  expect(amounts()).toEqual([5, 9]);
  expect(signed).toEqual(['ahead', 'when-needed']);
  expect(account.signed.slice(before)).toContainEqual(account.last.request);
});

test('bytes at an old price are not sent: a bound that has widened is signed anew', async () => {
  account.auto = undefined;
  await armed();
  notice(5);
  await pass(50);
  account.execute(account.last, { lots: lots(0), status: 'canceled-not-enough-liquidity' });
  await pass(500);
  const [first, second] = account.sent.map(({ request }) => request);
  expect(first).toMatchObject({ lots: 5n, boundTicks: 995_000n });
  expect(second).toMatchObject({ lots: 5n, boundTicks: 990_000n, nonce: nonceOf(idAt(0), 2) });
});

test('what is left of an order that ended, or of the lane’s last one, is thrown away, and is hedged all the same', async () => {
  const [first, second, third] = [0, 1_000, 2_000].map((ms) => ticketOf(idAt(ms))) as [Ticket, Ticket, Ticket];
  await armed(first);
  await armed(second);
  notice(5, first);
  await pass(0);
  await armed(third);
  executor.ended(third.orderId);
  notice(5, third);
  await pass(0);
  expect(signed).toEqual(['when-needed', 'when-needed']);
});

test('an order that is armed late takes nothing from the lane’s newer one', async () => {
  await armed(ticketOf(idAt(1_000)));
  await armed(ticketOf(idAt(0)));
  notice(5, ticketOf(idAt(1_000)));
  expect(signed).toEqual(['ahead']);
});

test('a ticket that nobody armed, and one whose time is over, are not signed ahead', async () => {
  await executor.execute({ ticket: ticketOf(), fillLots: lots(5), reduceOnly: 'never', retryNow: false });
  await pass(1_000);
  expect(account.signed).toHaveLength(1);
  await executor.arm({ ticket: ticketOf(idAt(1_000)), keepUntilMs: Date.now() - 1 });
  await pass(1_000);
  expect(account.signed).toHaveLength(1);
});
