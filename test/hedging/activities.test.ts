import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { clockOf } from '../clock';
import type { Clock } from '../../src/clock';
import { onlyFor, type Rejected } from '../../src/activities/accounts';
import { createExecuteActivities } from '../../src/activities/execute';
import { withHeartbeat } from '../../src/activities/heartbeat';
import { Arming, type ArmingDeps } from '../../src/activities/arming';
import { createHedgeActivities, type HedgeActivities, type HedgeDeps } from '../../src/activities/hedge-activities';
import { createMakerActivities } from '../../src/activities/maker-activities';
import type { Canceller } from '../../src/quoting/canceller';
import type { DeadMan } from '../../src/quoting/dead-man';
import { Executor } from '../../src/hedging/executor';
import { sealByCancelAll } from '../../src/hedging/seals';
import {
  clientOrderIndexOf,
  laneOf,
  nextOrderId,
  nonceOf,
  orderIdOf,
  orderWorkflowId,
  tenthsAt,
  type OrderId,
} from '../../src/domain/ids-and-nonces';
import { lots, ticks, type Lots } from '../../src/domain/lots';
import {
  WRONG_ACCOUNTS,
  type Addressed,
  type ExecuteInput,
  type LaneOrder,
  type OrderInput,
  type OrderResult,
  type TicketMessage,
} from '../../src/domain/messages';
import type { QuoteInput } from '../../src/domain/quote-messages';
import type { Market } from '../../src/domain/records';
import type { ExchangePort, StreamState } from '../../src/exchange/port';
import { FakeAccount, type Placed } from './port';

const START_MS = Date.UTC(2026, 5, 1);
const id = orderIdOf({ time: tenthsAt(START_MS), lane: 5 });
/** Of the fake account, and of its A. */
const accounts = { maker: 1, hedge: 7 };
const market = { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 };

const ticket: TicketMessage = {
  ticket_id: id.toString(),
  order_id: id.toString(),
  market,
  side: 'sell',
  max_lots: '20',
  prior_lots: '0',
  anchor_ticks: '1000000',
  slippage_bps: 50,
  max_slippage_bps: 300,
  start: 'opens-lane',
};

const openOrders = { running: () => Promise.resolve([]), promiseOf: () => Promise.resolve(undefined) };
const hedgeExchange = {
  clockSkewMs: () => 0,
  initialMarginBps: () => Promise.resolve({ ok: true, value: 500 }),
} as unknown as ExchangePort;

let account: FakeAccount;
let executor: Executor;

beforeEach(() => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ['queueMicrotask', 'nextTick'] });
  account = new FakeAccount();
  account.auto = (request) => ({ lots: request.kind === 'market-order' ? request.lots : lots(0) });
  executor = new Executor({
    account,
    sealBy: sealByCancelAll,
    clock: clockOf(),
    exchangeNow: () => Date.now(),
    events: { alert: () => undefined },
  });
});

afterEach(() => {
  executor.close();
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

function run<T>(work: () => Promise<T>): Promise<T> {
  return new MockActivityEnvironment().run<[], T, () => Promise<T>>(work);
}

describe('closing on A', () => {
  const close: ExecuteInput = { accounts, ticket, fill_lots: '5', retry_now: false, purpose: 'close' };
  const activities = () => createExecuteActivities({ executor, account });

  test('S-17 after a partial fill: 5 of 20 lots are closed reduce-only, so that nothing can flip', async () => {
    account.position = lots(5);
    expect(await run(() => activities().execute(close))).toMatchObject({ state: 'executed', executed_lots: '5' });
    expect(account.last.request).toMatchObject({ lots: 5n, side: 'sell', reduceOnly: true });
  });

  test('a position of the other sign is not reduced by this trade: reduce-only would never execute', async () => {
    account.position = lots(-5);
    await run(() => activities().execute(close));
    expect(account.last.request).toMatchObject({ reduceOnly: false });
  });

  test('S-20 a position that cannot be read is not a flat one: nothing is sent', async () => {
    account.reading = 'fail';
    await expect(run(() => activities().execute(close))).rejects.toThrow(/could not be read/);
    expect(account.sent).toHaveLength(0);
  });

  test('P-10 a slow read of the position is under heartbeats too: the attempt is not given up while it waits', async () => {
    const read = account.account.bind(account);
    account.account = () => new Promise((resolve) => setTimeout(resolve, 3_000)).then(read);
    account.position = lots(5);
    const environment = new MockActivityEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    const answer = environment.run(() => activities().execute(close));
    await pass(2_900);
    expect(beats).toBeGreaterThanOrEqual(10);
    await pass(200);
    expect(await answer).toMatchObject({ state: 'executed', executed_lots: '5' });
  });

  test('a step that ends at once sends no heartbeat: each is a write of the engine', async () => {
    const environment = new MockActivityEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    await environment.run(() => withHeartbeat(() => Promise.resolve()));
    expect(beats).toBe(0);
    const slow = environment.run(() => withHeartbeat(() => new Promise((resolve) => setTimeout(resolve, 500))));
    await pass(500);
    await slow;
    expect(beats).toBe(2);
  });

  test('a hedge is not reduce-only where it need not be, a flatten always', async () => {
    await run(() => activities().execute({ ...close, purpose: 'hedge' }));
    expect(account.last.request).toMatchObject({ reduceOnly: false });
    await run(() => activities().execute({ ...close, fill_lots: '9', purpose: 'flatten' }));
    expect(account.last.request).toMatchObject({ reduceOnly: true, lots: 4n });
  });
});

describe('H-46 hedging in a market that takes only what is flagged reduce-only', () => {
  const hedge: ExecuteInput = { accounts, ticket, fill_lots: '20', retry_now: false, purpose: 'hedge' };
  const activities = () => createExecuteActivities({ executor, account });
  const flags = (): boolean[] =>
    account.sent.map(({ request }) => request.kind === 'market-order' && request.reduceOnly);

  /** As the sequencer does it; `reduces`: how many lots a flagged order finds to reduce. */
  function onlyReduces(reduces: () => Lots): void {
    account.auto = undefined;
    const send = account.send.bind(account);
    account.send = async (tx) => {
      const answer = await send(tx);
      if (answer.kind !== 'accepted' || tx.request.kind !== 'market-order') return answer;
      const { reduceOnly, lots: amount } = tx.request;
      const traded = reduces() < amount ? reduces() : amount;
      if (!reduceOnly) account.execute(tx, { rejection: 21740 });
      else account.execute(tx, { lots: traded, ...(traded < amount ? { status: 'canceled-reduce-only' } : {}) });
      return answer;
    };
  }

  test('one that reduces B goes again at once, flagged, at the next nonce; what comes later is flagged from the first', async () => {
    account.position = lots(50);
    onlyReduces(() => lots(50));
    const first = { ...hedge, fill_lots: '5' };
    expect(await run(() => activities().execute(first))).toMatchObject({ state: 'executed', executed_lots: '5' });
    expect(await run(() => activities().execute(hedge))).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(flags()).toEqual([false, true, true]);
    expect(account.sent.map(({ request }) => request.nonce)).toEqual([1, 2, 3].map((k) => nonceOf(id, k)));
  });

  test('rejected before it is booked, it goes again at the same nonce', async () => {
    account.position = lots(50);
    account.sends.push({ kind: 'refuse', code: 21740 });
    expect(await run(() => activities().execute(hedge))).toMatchObject({ state: 'executed', executed_lots: '20' });
    expect(account.sent.map(({ request }) => request.nonce)).toEqual([nonceOf(id, 1), nonceOf(id, 1)]);
    expect(flags()).toEqual([false, true]);
  });

  test.each([
    ['B holds nothing', () => (account.position = lots(0))],
    ['it would enlarge B', () => (account.position = lots(-5))],
    ['B cannot be read', () => (account.reading = 'fail')],
  ])('%s: unflagged as before, and told as blocked', async (_, given) => {
    given();
    onlyReduces(() => lots(0));
    const blocked = { state: 'blocked', executed_lots: '0', blocked: { code: 'rejected 21740' } };
    expect(await run(() => activities().execute(hedge))).toMatchObject(blocked);
    expect(flags()).toEqual([false]);
  });

  test('what is left once B is flat goes unflagged: the market may take it again', async () => {
    account.position = lots(8);
    onlyReduces(() => lots(8));
    const answer = await run(() => activities().execute(hedge));
    expect(answer).toMatchObject({ state: 'blocked', executed_lots: '8', blocked: { code: 'canceled-reduce-only' } });
    await pass(1_100);
    expect(flags()).toEqual([false, true, false]);
  });
});

const watch = { asked: () => undefined, waitMs: () => 0 };
const gate = { closedBecause: () => undefined, rules: (market: Market) => market, rejected: () => undefined };

/** Of a market that takes only what reduces. */
const reducing = {
  ...gate,
  closedBecause: (_: unknown, order?: string) => (order === 'unwind' ? undefined : 'closed'),
};

describe('P-25 a market whose decimals have changed', () => {
  const after = { sizeDecimals: 4, priceDecimals: 1 };

  test.each(['execute', 'seal'] as const)(
    'a process that reads the new ones can say nothing of an old ticket: %s',
    async (step) => {
      account.known = { ours: after, now: after };
      const input = { accounts, ticket, fill_lots: '5', retry_now: false, purpose: 'hedge' } as const;
      const result = await run(() => createExecuteActivities({ executor, account })[step](input));
      expect(result).toMatchObject({ state: 'blocked', executed_lots: '0', blocked: { code: 'decimals-changed' } });
      expect(account.sent).toEqual([]);
    },
  );
});

/** A's activities, with what a test names. */
function makerWith(
  change: Partial<Parameters<typeof createMakerActivities>[0]> & { readonly exchange: ExchangePort },
): ReturnType<typeof createMakerActivities> {
  return createMakerActivities({
    ...{ executor, account, accounts, gate, watch, clock: clockOf(), clockSkewMsMax: 1_000 },
    ...{ onRejected: () => undefined, onDeadLane: () => undefined },
    ...{ hear: () => undefined, keyRejection: () => undefined, mayQuote: () => ({ ok: true }) },
    canceller: {} as Canceller,
    hedger: { hedges: () => Promise.resolve(true) },
    deadMan: { nextAtMs: () => 0, isSet: () => true, renew: () => Promise.resolve() } as unknown as DeadMan,
    ...change,
  });
}

describe('what a lane of A has open (P-19)', () => {
  const terms = { sizeDecimals: 5, priceDecimals: 1, marketId: 1, symbol: 'BTC' } as Market;

  function laneOrders(orderId?: string) {
    const other = { sizeDecimals: 4, priceDecimals: 2, marketId: 0, symbol: 'ETH' };
    const exchange = { markets: () => Promise.resolve({ ok: true, value: [terms, other] }) } as unknown as ExchangePort;
    const maker = makerWith({ exchange });
    return run(() =>
      maker.laneOrders({ accounts, lane: 5, market: 'BTC', ...(orderId === undefined ? {} : { order_id: orderId }) }),
    );
  }

  const placement: Placed = {
    kind: 'post-only-order',
    lane: 5,
    nonce: nonceOf(id, 0),
    skipNonce: true,
    marketId: 1,
    clientOrderIndex: clientOrderIndexOf(id, 0),
    side: 'buy',
    lots: lots(20),
    priceTicks: ticks(1_000_000),
    expiryMs: 0,
  };

  test('an order that no list shows is not "none": its nonce is asked, and the record that turns up counts', async () => {
    account.executed(placement, { lots: lots(12), status: 'canceled' });
    const [record] = account.orders.splice(0);
    const answer = laneOrders(id.toString());
    await pass(200);
    if (record) account.stream.orders(record); // the lists lag, the frame comes
    await pass(200);
    expect(await answer).toMatchObject({ open: [], latest: { order_id: id.toString(), filled_lots: '12' } });
    expect(account.sent.every(({ request }) => request.kind !== 'post-only-order')).toBe(true);
  });

  test('one that never reached the exchange is sealed out of it, so that it never will', async () => {
    const answer = laneOrders(id.toString());
    await pass(10);
    expect(account.last.request).toMatchObject({ kind: 'cancel-order', nonce: nonceOf(id, 0), skipNonce: true });
    account.execute(account.last);
    await pass(10);
    expect(await answer).toEqual({ open: [], market });
  });

  test('S-21 lists that cannot be read are not empty', async () => {
    account.reading = 'fail';
    await expect(laneOrders()).rejects.toThrow(/nothing was concluded/);
  });

  test('an open order that is the lane’s first is named with its market, so that it can be cancelled', async () => {
    account.executed(placement, { lots: lots(0), status: 'open' });
    expect(await laneOrders()).toEqual({ open: [id.toString()], market });
  });

  test('what the lane did in another market has the terms of that market', async () => {
    account.executed({ ...placement, marketId: 0 }, { lots: lots(7), status: 'open' });
    expect((await laneOrders(id.toString())).market?.symbol).toBe('ETH');
    account.executed({ ...placement, marketId: 0 }, { lots: lots(7), status: 'canceled' });
    const { latest } = await laneOrders(id.toString());
    expect(latest).toMatchObject({ filled_lots: '7', market: { market_id: 0, symbol: 'ETH', size_decimals: 4 } });
  });

  test('P-17 slices of a close on A share the index range and are no orders of the lane', async () => {
    const slice = {
      ...placement,
      kind: 'market-order',
      clientOrderIndex: clientOrderIndexOf(id, 3),
      boundTicks: ticks(1),
      reduceOnly: true,
    } as const;
    account.orders.push(account.orderOf(slice, lots(5), 'filled'), account.orderOf(slice, lots(5), 'open'));
    expect(await laneOrders()).toEqual({ open: [], market });
  });
});

describe('placing', () => {
  interface How {
    readonly isHedged?: boolean;
    readonly unheard?: string;
    readonly clock?: Clock;
    readonly scheduledAtMs?: number;
    readonly unwind?: boolean;
  }
  const placing = (state: StreamState, how: How = {}) => {
    const { isHedged = true, unheard, clock = clockOf(), scheduledAtMs = START_MS, unwind } = how;
    account.stream.state = state;
    const maker = makerWith({
      exchange: { exchangeNowMs: () => Date.now() } as ExchangePort,
      hedger: { hedges: () => Promise.resolve(isHedged) },
      gate: unwind === undefined ? gate : reducing,
      hear: () => unheard,
      clock,
    });
    const order = {
      order_id: id.toString(),
      market,
      side: 'buy',
      lots: '20',
      price_ticks: '1000000',
      expiry_ms: 600_000,
      ...(unwind === undefined ? {} : { unwind, policy: { max_slippage_bps: 300 } }),
    };
    const stale_at_ms = START_MS + 60_000;
    const attempt = new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: scheduledAtMs });
    return attempt.run(() => maker.place({ accounts, order: order as OrderInput, stale_at_ms }));
  };

  const sealed = async (): Promise<void> => {
    await pass(10);
    expect(account.last.request).toMatchObject({ kind: 'cancel-order', nonce: nonceOf(id, 0) });
    account.execute(account.last);
    await pass(10);
  };

  test('goes out while the stream is live', async () => {
    account.auto = () => ({ lots: lots(0), status: 'open' });
    expect(await placing('live')).toMatchObject({ placed: true });
  });

  test('H-47 a step of an unwind goes out where quotes are held up', async () => {
    expect(await placing('live', { unwind: true })).toMatchObject({ placed: true, filled_lots: '20' });
    expect(account.last.request).toMatchObject({ kind: 'market-order', reduceOnly: true });
  });

  test('a quote is sealed there, and says why', async () => {
    const answer = placing('live', { unwind: false });
    await sealed();
    expect(await answer).toMatchObject({ placed: false, code: 'market-closed' });
  });

  test.each([
    ['the host', { clock: { ...clockOf(), epochMs: () => Date.now() + 60_000 } }],
    ['the server', { scheduledAtMs: START_MS + 60_000 }],
  ])('S-40 a quote that is stale by the clock of %s alone is sealed instead', async (_, how) => {
    const answer = placing('live', how);
    await sealed();
    expect(await answer).toMatchObject({ placed: false, code: 'stale' });
  });

  test('S-44 while no hedger is known it is sealed instead, and says why', async () => {
    const answer = placing('live', { isHedged: false });
    await sealed();
    expect(await answer).toMatchObject({ placed: false, code: 'no-hedger' });
  });

  test('S-53 where its fill would not be heard it is sealed instead, and says why', async () => {
    const answer = placing('live', { unheard: 'fills on API key 5 are heard for BTC' });
    await sealed();
    expect(await answer).toMatchObject({ placed: false, message: 'fills on API key 5 are heard for BTC' });
  });

  test('P-25 with decimals that the market no longer has it is sealed instead, and says so', async () => {
    account.known = { ours: { sizeDecimals: 5, priceDecimals: 1 }, now: { sizeDecimals: 4, priceDecimals: 1 } };
    const answer = placing('live');
    await sealed();
    expect(await answer).toMatchObject({ placed: false, code: 'decimals-changed' });
  });

  test('P-25 what is found of it in other decimals is the same amount', async () => {
    account.known = { ours: { sizeDecimals: 6, priceDecimals: 1 }, now: { sizeDecimals: 6, priceDecimals: 1 } };
    account.executed(
      {
        ...{ kind: 'post-only-order', lane: 5, nonce: nonceOf(id, 0), skipNonce: true, marketId: 1, expiryMs: 0 },
        ...{ clientOrderIndex: clientOrderIndexOf(id, 0), side: 'buy', lots: lots(200), priceTicks: ticks(1_000_000) },
      },
      { lots: lots(50), status: 'open' },
    );
    const [record] = account.orders;
    if (record) account.stream.orders(record);
    expect(await placing('live')).toMatchObject({ placed: true, filled_lots: '5' });
  });

  test('S-19 a nonce that something else used is told as that, whatever else speaks against the order', async () => {
    account.auto = undefined;
    const answer = placing('live', { isHedged: false });
    await pass(10);
    const { nonce } = account.last.request;
    account.stream.txs({ ...account.foreign(9, nonce), apiKeyIndex: 5 });
    await pass(10);
    expect(await answer).toMatchObject({ placed: false, code: 'foreign-nonce' });
  });

  test.each(['connecting', 'stale'] as const)(
    'S-51 with a stream that is %s, which would not tell its fill, it is sealed instead',
    async (state) => {
      const answer = placing(state);
      await sealed();
      expect(await answer).toMatchObject({ placed: false, code: 'stale' });
    },
  );
});

test('P-25 a pair whose amounts were made with other decimals is quoted nothing', async () => {
  const known = { sizeDecimals: 4, priceDecimals: 1 };
  account.known = { ours: known, now: known };
  const terms = { ...known, marketId: 1, symbol: 'BTC' } as Market;
  const maker = makerWith({
    exchange: {
      clockSkewMs: () => 0,
      markets: () => Promise.resolve({ ok: true, value: [terms] }),
    } as unknown as ExchangePort,
  });
  const answer = await run(() => maker.quote({ accounts, market: 'BTC', lots: '20', size_decimals: 5 } as QuoteInput));
  expect(answer).toMatchObject({ quote: false, code: 'decimals-changed' });
});

test('H-47 where quotes are held up a step of an unwind is not', async () => {
  const terms = { sizeDecimals: 5, priceDecimals: 1, marketId: 1, symbol: 'BTC' } as Market;
  const level = { priceTicks: ticks(1_000_000), lots: lots(9) };
  account.position = lots(30);
  const maker = makerWith({
    gate: reducing,
    exchange: {
      clockSkewMs: () => 0,
      markets: () => Promise.resolve({ ok: true, value: [terms] }),
      book: () => ({ marketId: 1, bids: [level], asks: [level], updatedAtUs: 0 }),
    } as unknown as ExchangePort,
  });
  const input = {
    ...{ accounts, lane: 5, market: 'BTC', depth: 1, lots: '20', size_decimals: 5 },
    ...{ strategy: 'round-trip' as const, max_position_lots: '100', open_lots: '0' },
  };
  expect(await run(() => maker.quote(input))).toMatchObject({ quote: false, code: 'market-closed' });
  const step = await run(() => maker.quote({ ...input, unwind: { spare_lanes: [] } }));
  expect(step).toMatchObject({ quote: true, side: 'sell', lots: '20' });
});

test('S-44 while no hedger is known a quote is rejected with the reason, before anything is asked of the exchange', async () => {
  const maker = makerWith({ exchange: hedgeExchange, hedger: { hedges: () => Promise.resolve(false) } });
  const answer = await run(() => maker.quote({ accounts, market: 'BTC' } as QuoteInput));
  expect(answer).toMatchObject({ quote: false, code: 'no-hedger' });
});

describe('S-43 steps of other accounts', () => {
  test('are rejected for good, whatever they are, and told; nothing is done', async () => {
    const rejected: Rejected[] = [];
    const own = { maker: 1, hedge: 7 };
    let done = 0;
    const steps = onlyFor(own, { step: (_: Addressed) => Promise.resolve((done += 1)) }, (what) => rejected.push(what));
    for (const given of [{ maker: 1, hedge: 8 }, { maker: 2, hedge: 7 }, undefined]) {
      const input = given ? { accounts: given } : ({} as Addressed);
      await expect(steps.step(input)).rejects.toMatchObject({ type: WRONG_ACCOUNTS, nonRetryable: true });
    }
    expect(done).toBe(0);
    expect(rejected.map(({ given }) => given)).toEqual(['1 and 8', '2 and 7', 'unnamed']);
    await steps.step({ accounts: { maker: 1, hedge: 7 } });
    expect(done).toBe(1);
  });

  test('reach no executor of the hedger; an alert is told whosever it is', async () => {
    const told: string[] = [];
    const activities = hedgerWith({
      executor,
      account,
      exchange: hedgeExchange,
      client: {} as Client,
      accounts,
      onRejected: ({ step }) => told.push(step),
      openOrders,
      clockSkewMsMax: 1_000,
      acknowledge: () => undefined,
      alert: ({ what }) => told.push(what),
      books: () => ({ state: 'unknown' }),
      margin: () => Promise.resolve({ level: 'unknown', what: '' }),
      clock: clockOf(),
    });
    const strange = { maker: 1, hedge: 8 };
    await expect(run(() => activities.arm({ accounts: strange, ticket, keep_ms: 1_000 }))).rejects.toThrow(
      'nothing was done',
    );
    const execution: ExecuteInput = { accounts: strange, ticket, fill_lots: '20', retry_now: false, purpose: 'hedge' };
    await expect(run(() => activities.execute(execution))).rejects.toThrow('serves 1 and 7');
    expect([executor.size, account.signed.length]).toEqual([0, 0]);
    await activities.alert({ order_id: '128', kind: 'stuck', what: 'stuck', next: '' });
    expect(told).toEqual(['arm', 'execute', 'stuck']);
  });
});

describe('the hedger', () => {
  const order: LaneOrder = {
    order_id: id.toString(),
    market,
    side: 'buy',
    lots: '20',
    price_ticks: '1000000',
    filled_lots: '20',
  };
  let activities: HedgeActivities;

  beforeEach(() => {
    activities = hedgerWith({ ...depsOf(), executor });
  });

  const prove = (change: Partial<LaneOrder> = {}) =>
    run(() =>
      activities.proveHedged({ accounts, order: { ...order, ...change }, slippage_bps: 50, max_slippage_bps: 300 }),
    );

  test('P-19 an order that nobody looks after: what B executed is found, what is left is told, nothing can follow', async () => {
    await executor.execute({ ticket: executorTicket(), fillLots: lots(12), reduceOnly: 'never', retryNow: false });
    executor.close();
    executor = new Executor({
      account,
      sealBy: sealByCancelAll,
      clock: clockOf(),
      exchangeNow: () => Date.now(),
      events: { alert: () => undefined },
    });
    activities = hedgerWith({ ...depsOf(), executor });
    const proof = prove();
    await pass(3_000);
    expect(await proof).toEqual({ exposure_lots: '8' });
  });

  test('a ticket that is parked fails the proof; it does not spin and starve the process', async () => {
    account.auto = () => ({ lots: lots(21) });
    await executor.execute({ ticket: executorTicket(), fillLots: lots(20), reduceOnly: 'never', retryNow: false });
    await expect(prove()).rejects.toThrow(/could not be sealed: Invariant/);
  });

  test('S-21 an exchange that cannot be read proves nothing', async () => {
    account.reading = 'fail';
    account.sends.push({ kind: 'lost' }, ...Array.from({ length: 99 }, () => ({ kind: 'lost' as const })));
    const proof = expect(prove()).rejects.toThrow(/could not be sealed/);
    await pass(10_500);
    await proof;
  });

  test('a confirmation that runs again with its workflow task is said and counted once', async () => {
    const said: string[] = [];
    const acknowledge = ({ order_id }: OrderResult): unknown => said.push(order_id);
    activities = hedgerWith({ ...depsOf(), executor, acknowledge });
    for (const order_id of ['128', '256', '128'])
      await activities.confirm({ accounts, result: { order_id } as OrderResult });
    expect(said).toEqual(['128', '256']);
  });

  const decimals = (size: number) => ({ sizeDecimals: size, priceDecimals: 1 });
  test.each([
    ['while we run', { ours: decimals(5), now: decimals(4) }],
    ['before this process started', { ours: decimals(4), now: decimals(4) }],
  ])('P-25 a market whose decimals have changed %s: nothing is armed', async (_, known) => {
    account.known = known;
    const armed = await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }));
    expect(armed).toMatchObject({ armed: false, code: 'decimals-changed', message: expect.stringContaining('BTC') });
    expect(account.sent).toEqual([]);
  });

  test('S-49 no order is armed on a lane that is not proven', async () => {
    const answers = [{ proven: false, reason: 'invalid signature (21120)' }, { proven: true }] as const;
    for (const answer of answers) {
      activities = hedgerWith({ ...depsOf(), executor, proofs: { demand: () => Promise.resolve(answer) } });
      const armed = await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }));
      expect(armed).toMatchObject(answer.proven ? { armed: true } : { armed: false, code: 'no-key' });
    }
  });

  test('a transaction that failed consumed no nonce: it does not put the lane ahead of the next order', async () => {
    account.stream.txs({ ...account.foreign(9, nonceOf(id, 1) + 500n), apiKeyIndex: 5, status: 'failed' });
    expect(await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }))).toEqual({ armed: true });
  });

  test('an internal transaction under our key carries no nonce of the lane, however big its number', async () => {
    for (const type of [1, 7, 21, 27, 30, 32, 37, 38])
      account.stream.txs({ ...account.foreign(9, nonceOf(id, 1) + 500n), apiKeyIndex: 5, type });
    expect(await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }))).toEqual({ armed: true });
  });

  test('S-51 what has to be known first speaks against arming, and not against covers', async () => {
    let missing: string | undefined = 'it is not known yet who owns the two accounts';
    activities = hedgerWith({ ...depsOf(), executor, notReady: () => missing });
    expect(await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }))).toMatchObject({
      armed: false,
      message: missing,
    });
    const execution = activities.execute.bind(activities, {
      accounts,
      ticket,
      fill_lots: '5',
      retry_now: false,
      purpose: 'hedge',
    });
    expect(await run(execution)).toMatchObject({ state: 'executed' });
    missing = undefined;
    expect(await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }))).toMatchObject({ code: 'lane-ahead' });
  });

  test("a new lane's proof walks no further back than an order can matter", async () => {
    const asked: string[] = [];
    activities = hedgerWith({ ...depsOf(), executor, client: engineWith([], asked) });
    expect(await activities.laneHistory({ accounts, lane: 5 })).toEqual({});
    expect(asked).toEqual([expect.stringContaining('(ExecutionStatus = "Running" OR (CloseTime > "2026-05-30T')]);
  });

  test('a run whose memo cannot be decoded holds up no proof, and does not count as even', async () => {
    const workflowId = orderWorkflowId(accounts.maker, id);
    const memo = {
      fields: { result: { metadata: { encoding: Buffer.from('binary/nonsense') }, data: Buffer.from('?') } },
    };
    const garbled = { execution: { workflowId }, status: 2, memo };
    activities = hedgerWith({ ...depsOf(), executor, client: engineWith([garbled]) });
    expect(await activities.laneHistory({ accounts, lane: 5 })).toEqual({
      newest: { order_id: id.toString(), flat: false },
    });
  });

  test.each([
    ['flat', '0.00000', { flat: true }],
    ['abandoned', '0.00004', { flat: false, exposure: '0.00004' }],
    ['stuck', '0.00010', { flat: false }], // terminated: it may have gone on after this
  ])(
    'an order that says %s, %s naked, leaves the proof of its lane with its word',
    async (hedge_state, exposure, word) => {
      const result: Omit<OrderResult, 'hedge_state' | 'naked_times'> = {
        ...{ order_id: id.toString(), market: 'BTC', side: 'buy', closed_base_amount: '0.00006', exposure, reason: '' },
        maker: { status: 'filled', filled_base_amount: '0.00010', avg_price: '100000.0' },
        hedge: { executed_base_amount: '0.00000', executed_quote_amount: '0.000000', avg_price: '0.0', slices: [] },
        ...{ timings: {}, last_id: id.toString() },
      };
      const data = Buffer.from(JSON.stringify({ ...result, hedge_state }));
      const memo = { fields: { result: { metadata: { encoding: Buffer.from('json/plain') }, data } } };
      const ended = { execution: { workflowId: orderWorkflowId(accounts.maker, id) }, status: 2, memo };
      activities = hedgerWith({ ...depsOf(), executor, client: engineWith([ended]) });
      expect((await activities.laneHistory({ accounts, lane: 5 })).newest).toEqual({
        order_id: id.toString(),
        ...word,
      });
    },
  );

  test('S-10 the running orders of a market are told apart from those of others; of which nobody knows the market, counts', async () => {
    const running = (lane: number, market?: string) => ({
      execution: { workflowId: orderWorkflowId(accounts.maker, nextOrderId({ epochMs: 1.8e12, lane })) },
      status: 1,
      ...(market !== undefined && {
        searchAttributes: {
          indexedFields: {
            Market: { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(`"${market}"`) },
          },
        },
      }),
    });
    const asked: string[] = [];
    activities = hedgerWith({
      ...depsOf(),
      executor,
      client: engineWith([running(5, 'BTC'), running(6, 'ETH'), running(7)], asked),
    });
    const { order_ids } = await activities.runningOrders({ accounts, market: 'BTC' });
    expect(order_ids.map((text) => laneOf(BigInt(text) as OrderId))).toEqual([5, 7]);
    expect(asked).toEqual([expect.stringContaining('ExecutionStatus = "Running"')]);
  });

  function engineWith(executions: readonly unknown[], asked: string[] = []): Client {
    const listWorkflowExecutions = ({ query }: { query: string }) => {
      asked.push(query);
      return Promise.resolve({ executions });
    };
    return { options: { namespace: 'n' }, workflowService: { listWorkflowExecutions } } as unknown as Client;
  }

  test('what the stream showed of a lane outlives the answer of an older read', async () => {
    const arm = () => activities.arm({ accounts, ticket, keep_ms: 1_000 });
    await run(() => {
      const answer = arm(); // it asks for the lane's next nonce, of which this hedger has seen nothing
      account.stream.txs({ ...account.foreign(5, nonceOf(id, 1) + 500n) });
      return answer;
    });
    expect(await run(arm)).toMatchObject({ armed: false, code: 'lane-ahead' });
  });

  test('a lane that is ahead of the order rejects it', async () => {
    account.stream.txs({ ...account.foreign(5, nonceOf(id, 1) + 500n) });
    expect(await run(() => activities.arm({ accounts, ticket, keep_ms: 1_000 }))).toMatchObject({
      armed: false,
      code: 'lane-ahead',
    });
  });

  function depsOf() {
    return {
      account,
      exchange: hedgeExchange,
      client: {} as Client,
      accounts,
      onRejected: () => undefined,
      openOrders,
      clockSkewMsMax: 1_000,
      acknowledge: () => undefined,
      alert: () => undefined,
      books: () => ({ state: 'unknown' }) as const,
      margin: () => Promise.resolve({ level: 'unknown' as const, what: '' }),
      clock: clockOf(),
    };
  }

  function executorTicket() {
    return {
      id,
      orderId: id,
      market,
      side: 'sell' as const,
      maxLots: lots(20),
      priorLots: lots(0),
      anchorTicks: 1_000_000n as never,
      slippageBps: 50,
      slippageBpsMax: 300,
      start: 'opens-lane' as const,
    };
  }
});

function hedgerWith(deps: Omit<HedgeDeps, 'arming'> & ArmingDeps): HedgeActivities {
  return createHedgeActivities({ ...deps, arming: new Arming(deps) });
}
