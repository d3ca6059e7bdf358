/** What must hold of the core for every sequence of transactions: lots, money, priority, nonces, replay. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BookSide } from '../src/core/book';
import { Exchange } from '../src/core/exchange';
import { Flow } from '../src/core/flow';
import { defaultMarkets } from '../src/core/markets';
import { parseTx } from '../src/core/tx';
import type { Account, Order, Tx, TxRecord } from '../src/core/types';
import type { World } from '../src/core/world';

const startMs = 1_800_000_000_000;
const setup = defaultMarkets.find((market) => market.spec.symbol === 'BTC')!;
const marketId = setup.spec.marketId;

function newExchange(collateralMicro = 10_000_000_000): { exchange: Exchange; accounts: Account[] } {
  const exchange = new Exchange([setup.spec], startMs, { duplicateCheck: 'sequencer', missingOrders: 'accept' });
  const accounts = [1, 2, 3].map((accountIndex) =>
    exchange.world.addAccount({
      accountIndex,
      l1Address: `0x${accountIndex}`,
      tier: accountIndex === 1 ? 'premium' : 'standard',
      collateralMicro,
      keys: new Map([[5, '']]),
      synthetic: false,
    }),
  );
  return { exchange, accounts };
}

interface Step {
  readonly account: number;
  readonly kind: 'create' | 'cancel' | 'modify' | 'cancel-all';
  readonly isAsk: number;
  readonly lots: number;
  readonly offset: number;
  readonly style: 'post-only' | 'resting' | 'ioc' | 'market';
  readonly reduceOnly: number;
  readonly clientIndex: number;
  readonly selfTrade: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  account: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('create', 'create', 'create', 'create', 'cancel', 'modify', 'cancel-all'),
  isAsk: fc.integer({ min: 0, max: 1 }),
  lots: fc.integer({ min: 20, max: 4_000 }),
  offset: fc.integer({ min: -8, max: 8 }),
  style: fc.constantFrom('post-only', 'resting', 'ioc', 'market'),
  reduceOnly: fc.constantFrom(0, 0, 0, 1),
  clientIndex: fc.integer({ min: 0, max: 12 }),
  selfTrade: fc.integer({ min: 0, max: 3 }),
});

function txOf(step: Step, nonce: number, nowMs: number, skip: boolean): Tx {
  const head = { AccountIndex: step.account, ApiKeyIndex: 5, Nonce: nonce, ExpiredAt: nowMs + 500_000, Sig: '' };
  const attributes = { ...(skip ? { '4': 1 } : {}), ...(step.selfTrade === 0 ? {} : { '6': step.selfTrade }) };
  const common = { ...head, MarketIndex: marketId, L2TxAttributes: attributes };
  const Price = setup.spec.startTicks + step.offset;
  const immediate = step.style === 'ioc' || step.style === 'market';
  const bodies = {
    create: {
      ClientOrderIndex: step.clientIndex,
      BaseAmount: step.lots,
      Price,
      IsAsk: step.isAsk,
      Type: step.style === 'market' ? 1 : 0,
      TimeInForce: immediate ? 0 : step.style === 'post-only' ? 2 : 1,
      ReduceOnly: step.reduceOnly,
      TriggerPrice: 0,
      OrderExpiry: immediate ? 0 : nowMs + 600_000,
    },
    cancel: { Index: Math.max(1, step.clientIndex) },
    modify: { Index: Math.max(1, step.clientIndex), BaseAmount: step.lots, Price, TriggerPrice: 0 },
    'cancel-all': { TimeInForce: 0, Time: 0 },
  };
  const types = { create: 14, cancel: 15, modify: 17, 'cancel-all': 16 };
  const parsed = parseTx(types[step.kind], { ...common, ...bodies[step.kind] });
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.tx;
}

function submit(exchange: Exchange, tx: Tx, nowUs: number): TxRecord | undefined {
  const located = exchange.locate(tx);
  if ('code' in located) return undefined;
  const hash = `${tx.head.accountIndex}/${tx.head.nonce}/${nowUs}`;
  const admission = exchange.admit(located, { tx, info: '{}', hash, nowUs, priceProtection: 'on' });
  return admission.ok ? admission.record : undefined;
}

/** Runs all steps in order; calls back after each executed one. */
function run(
  exchange: Exchange,
  steps: readonly Step[],
  after: (before: Map<Order, number>) => void = () => undefined,
): void {
  let nowUs = startMs * 1000;
  for (const one of steps) {
    nowUs += 1_000;
    const key = exchange.world.accounts.get(one.account)!.keys.get(5)!;
    const record = submit(exchange, txOf(one, key.bookedNext, Math.floor(nowUs / 1000), false), nowUs);
    if (record === undefined) continue;
    const before = new Map<Order, number>();
    for (const order of exchange.market(marketId).orders.values()) before.set(order, order.filledLots);
    exchange.execute(record, nowUs + 1);
    after(before);
  }
}

describe('the core, for every sequence of transactions', () => {
  it('conserves lots and money', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
        const { exchange, accounts } = newExchange();
        run(exchange, steps, () => {
          const lots = accounts.reduce((sum, account) => sum + (account.positions.get(marketId)?.lots ?? 0), 0);
          must(lots === 0, 'lots are conserved');
          // Cash that moved: realised profit minus the signed cost of what is open; nothing may appear or vanish.
          let cash = 0;
          for (const account of accounts) {
            const position = account.positions.get(marketId);
            const realized = position?.realizedPnlMicro ?? 0;
            cash += realized - Math.sign(position?.lots ?? 0) * (position?.entryQuoteMicro ?? 0);
            const due = account.depositedMicro + realized - account.feesPaidMicro;
            must(account.collateralMicro === due, 'collateral = deposits + profit − fees');
          }
          must(cash === 0, 'money is conserved');
        });
      }),
      { numRuns: 200 },
    );
  });

  it('keeps book, orders and counts in agreement, and never fills beyond the size', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
        const { exchange, accounts } = newExchange();
        run(exchange, steps, () => {
          const market = exchange.market(marketId);
          const live = accounts.flatMap((account) => [...account.liveOrders.values()]);
          for (const side of [market.bids, market.asks]) expectSound(side, live);
          const [bid, ask] = [market.bids.best(), market.asks.best()];
          if (bid !== undefined && ask !== undefined) must(bid.priceTicks < ask.priceTicks, 'not crossed');
          for (const account of accounts) {
            const position = account.positions.get(marketId);
            if (position === undefined) continue;
            const mine = [...account.liveOrders.values()];
            must(position.openOrderCount === mine.length, 'open order count');
            const bids = mine.filter((order) => order.side === 'bid');
            const quote = bids.reduce((sum, order) => sum + order.remainingLots * order.priceTicks, 0);
            must(position.restingBidMicro === quote, 'quote of resting bids');
          }
          for (const order of [...live, ...accounts.flatMap((account) => account.inactiveOrders)]) {
            const most = Math.max(order.initialLots, order.filledLots);
            must(order.filledLots + order.remainingLots <= most, 'never more than its size');
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  it('fills by price, then by time', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
        const { exchange } = newExchange();
        run(exchange, steps, (before) => {
          const { trades } = exchange.world.changes;
          const [first] = trades;
          if (first === undefined) return;
          const sign = first.makerSide === 'ask' ? 1 : -1;
          // Prices of one taker only get worse.
          trades.reduce((last, trade) => {
            must(sign * trade.priceTicks >= sign * last.priceTicks, 'prices of one taker only get worse');
            return trade;
          }, first);
          // Whoever waited at the same price with an older place was served, or gone, before a younger one traded.
          const served = new Set(trades.map((trade) => (first.makerSide === 'ask' ? trade.ask : trade.bid).indexText));
          for (const [order] of before) {
            if (order.side !== first.makerSide || order.level === undefined || served.has(order.indexText)) continue;
            for (const [other] of before) {
              if (!served.has(other.indexText) || other.priceTicks !== order.priceTicks || other.side !== order.side)
                continue;
              const olderIsServed =
                order.side === 'ask' ? other.bookNonce < order.bookNonce : other.bookNonce > order.bookNonce;
              must(olderIsServed, 'first come, first served');
            }
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  it('reduce-only and margin: no account ends below its initial margin by a trade that grew its position', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const { exchange, accounts } = newExchange(20_000_000);
        run(exchange, steps, () => {
          for (const account of accounts) {
            const position = account.positions.get(marketId);
            const notional = Math.abs(position?.lots ?? 0) * exchange.market(marketId).markTicks;
            must(notional * 0.05 <= 20_000_000 * 1.01, 'initial margin holds');
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  it('replays to the same state', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const [one, two] = [newExchange(), newExchange()];
        run(one.exchange, steps);
        run(two.exchange, steps);
        expect(fingerprint(one.exchange.world)).toBe(fingerprint(two.exchange.world));
      }),
      { numRuns: 60 },
    );
  });
});

describe('nonces, for every schedule', () => {
  /** Several senders draw nonces at will; some of what they send is dropped by the sequencer. */
  const attempt = fc.record({
    nonce: fc.integer({ min: 1, max: 25 }),
    skip: fc.boolean(),
    fate: fc.constantFrom('executes', 'executes', 'executes', 'dropped'),
    wait: fc.integer({ min: 0, max: 3 }),
  });

  it('at most one transaction per nonce executes, in rising order, and nothing is booked below', () => {
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 60, size: 'max' }), (attempts) => {
        const { exchange } = newExchange();
        const key = exchange.world.accounts.get(1)!.keys.get(5)!;
        const queue: TxRecord[] = [];
        const executed: number[] = [];
        let nowUs = startMs * 1000;
        const executeOne = (): void => {
          const record = queue.shift();
          if (record === undefined) return;
          nowUs += 1;
          exchange.execute(record, nowUs);
          if (record.state === 'executed') executed.push(record.nonce);
          expect(record.state).not.toBe('queued');
        };
        for (const one of attempts) {
          nowUs += 1_000;
          const cancelAll: Step = { ...blank, kind: 'cancel-all' };
          const expected = one.skip ? one.nonce >= key.bookedNext : one.nonce === key.bookedNext;
          const record = submit(exchange, txOf(cancelAll, one.nonce, Math.floor(nowUs / 1000), one.skip), nowUs);
          expect(record !== undefined).toBe(expected);
          if (record !== undefined) {
            if (one.fate === 'dropped') record.fault = { kind: 'expire', code: 0, message: '', consumeNonce: false };
            queue.push(record);
          }
          for (let count = 0; count < one.wait; count += 1) executeOne();
          expect(key.bookedNext).toBeGreaterThanOrEqual(key.executedNext);
        }
        while (queue.length > 0) executeOne();
        expect(executed).toEqual([...new Set(executed)].sort((left, right) => left - right));
        expect([key.bookedNext, key.pending.length]).toEqual([key.executedNext, 0]);
        expect(key.executedNext).toBe((executed[executed.length - 1] ?? 0) + 1);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the simulated market', () => {
  const live = (seed: number, steps: number, disturb: boolean): { exchange: Exchange; flow: Flow; mids: number[] } => {
    const { exchange, accounts } = newExchange();
    const trader = (accountIndex: number): Account =>
      exchange.world.addAccount({
        accountIndex,
        l1Address: `0x${accountIndex}`,
        tier: 'standard',
        collateralMicro: 0,
        keys: new Map(),
        synthetic: true,
      });
    const settings = { ...setup.flow };
    const flow = new Flow(exchange, exchange.market(marketId), trader(701), trader(702), seed, settings);
    let nowUs = startMs * 1000;
    exchange.act(nowUs, (world) => flow.refill(world));
    const mids: number[] = [];
    for (let count = 0; count < steps; count += 1) {
      nowUs += 50_000;
      exchange.act(nowUs, (world) => flow.step(world));
      mids.push(flow.midTicks);
      if (disturb && count % 7 === 0)
        run(exchange, [{ ...blank, account: 1 + (count % 3), lots: 20 + count, offset: 40_000 }]);
    }
    void accounts;
    return { exchange, flow, mids };
  };

  it('is the same for the same seed, another for another', () => {
    const [one, two, other] = [live(5, 200, false), live(5, 200, false), live(6, 200, false)];
    expect(fingerprint(one.exchange.world)).toBe(fingerprint(two.exchange.world));
    expect(fingerprint(one.exchange.world)).not.toBe(fingerprint(other.exchange.world));
  });

  it('keeps its price path whoever else trades', () => {
    expect(live(5, 200, true).mids).toEqual(live(5, 200, false).mids);
  });

  it('has at least 30 levels a side, is never crossed, and trades several times a second', () => {
    const { exchange } = live(7, 400, false);
    const market = exchange.market(marketId);
    expect([market.bids.depth >= 30, market.asks.depth >= 30]).toEqual([true, true]);
    expect(market.bids.best()!.priceTicks).toBeLessThan(market.asks.best()!.priceTicks);
    expect(market.daily.trades / 20).toBeGreaterThan(3);
  });

  it('fills a maker order at depth 20 within seconds, often in pieces', () => {
    let pieces = 0;
    const waitedSteps: number[] = [];
    for (let seed = 1; seed <= 9; seed += 1) {
      const { exchange, flow } = live(seed, 20, false);
      const market = exchange.market(marketId);
      const price = [...market.bids.levels()][19]!.priceTicks;
      let nowUs = startMs * 1000 + 10_000_000;
      const request = txOf({ ...blank, lots: 20, style: 'post-only' }, 1, nowUs / 1000, false).body;
      if (request.kind !== 'create') throw new Error('unreachable');
      const account = exchange.world.accounts.get(1)!;
      exchange.act(nowUs, () => exchange.place(account, { ...request.order, priceTicks: price }));
      const order = [...account.liveOrders.values()][0]!;
      let steps = 0;
      for (; order.status === 'open' && steps < 2_000; steps += 1) {
        nowUs += 50_000;
        exchange.act(nowUs, (world) => flow.step(world));
      }
      waitedSteps.push(steps);
      if (account.trades.length > 1) pieces += 1;
    }
    waitedSteps.sort((left, right) => left - right);
    // 20 steps a second.
    expect(waitedSteps[4]! / 20).toBeLessThan(8);
    expect(pieces).toBeGreaterThanOrEqual(2);
  });
});

const blank: Step = {
  account: 1,
  kind: 'create',
  isAsk: 0,
  lots: 20,
  offset: -5,
  style: 'ioc',
  reduceOnly: 0,
  clientIndex: 0,
  selfTrade: 0,
};

/** `expect` is too slow for the inner loops. */
function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`must hold: ${rule}`);
}

function expectSound(side: BookSide, live: readonly Order[]): void {
  const listed: Order[] = [];
  let last: number | undefined;
  for (const level of side.levels()) {
    const better = side.side === 'bid' ? -1 : 1;
    must(last === undefined || better * level.priceTicks > better * last, 'levels are sorted');
    last = level.priceTicks;
    let lots = 0;
    for (let order = level.head; order !== undefined; order = order.next) {
      lots += order.remainingLots;
      must(order.status === 'open' && order.remainingLots > 0 && order.level === level, 'queued orders are open');
      listed.push(order);
    }
    must(level.lots === lots, 'a level shows the sum of its orders');
  }
  const expected = live.filter((order) => order.side === side.side);
  must(
    listed.length === expected.length && expected.every((order) => listed.includes(order)),
    'live orders are in the book',
  );
  must(side.orderCount === listed.length, 'order count of the side');
}

function fingerprint(world: World): string {
  const market = world.markets.get(marketId)!;
  const levels = [market.bids, market.asks].map((side) =>
    [...side.levels()].map((level) => [level.priceTicks, level.lots]),
  );
  const trades = market.trades.map((trade) => [trade.tradeId, trade.priceTicks, trade.lots, trade.transactionUs]);
  const accounts = [...world.accounts.values()].map((account) => [
    account.accountIndex,
    account.collateralMicro,
    account.inactiveOrders.map((order) => [order.indexText, order.status, order.filledLots]),
  ]);
  return JSON.stringify({ levels, trades, accounts });
}
