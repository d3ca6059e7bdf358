/** What rests is withdrawn when its edge is gone or it has drifted; never more often, nor for less, than its pair asked for. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { clientOrderIndexOf, nextOrderId } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { Market, OrderRecord } from '../../src/domain/records';
import type { OrderBook } from '../../src/exchange/port';
import { rulesOf } from '../../src/quoting/quote';
import { QuoteWatch, type Asked } from '../../src/quoting/quote-watch';
import { clockOf } from '../clock';

const market = { marketId: 1, symbol: 'BTC' } as Market;
const FEES = { maker: 0n, taker: 100n }; // 1 bp
const level = (price: number, size: number) => ({ priceTicks: ticks(price), lots: lots(size) });

let book: OrderBook | undefined;
let orders: OrderRecord[];
let mayQuote: boolean;
let asked: bigint[];
let told: string[];
let watch: QuoteWatch;

function rest(price: number, change: Partial<OrderRecord> = {}): void {
  const id = nextOrderId({ epochMs: Date.now(), lane: 5 });
  const side = 'buy' as const;
  const record = { side, priceTicks: ticks(price), initialLots: lots(20), filledLots: lots(0), ...change };
  orders.push({ ...record, clientOrderIndex: clientOrderIndexOf(id, 0) } as OrderRecord);
}

const bid = (best: number): void =>
  void (book = { marketId: 1, bids: [level(best, 100)], asks: [level(best + 50, 9)], updatedAtUs: 0 });

function begin(terms: Parameters<typeof rulesOf>[0] | object, change: Partial<Asked> = {}): void {
  const rules = rulesOf({ depth: 1, max_position_lots: '100', ...terms }, FEES);
  watch.asked({ ...rules, market, positionLots: lots(0), minRestMs: 1_000, ...change });
}

beforeEach(() => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 27, 9) });
  [orders, mayQuote, asked, told] = [[], true, [], []];
  bid(100_000);
  watch = new QuoteWatch({
    exchange: { book: () => book, exchangeNowMs: () => Date.now() },
    own: { open: () => orders },
    mayQuote: () => ({ ok: mayQuote }),
    withdraw: (_, index) => {
      asked.push(index);
      return asked.indexOf(index) === asked.length - 1;
    },
    onWithdrawn: ({ why, what }) => void told.push(`${why}: ${what}`),
    clock: clockOf(),
  });
});
afterEach(() => {
  watch.close();
  jest.useRealTimers();
});

test('without such terms it does nothing, and no timer runs', () => {
  rest(99_000);
  begin({});
  expect(jest.getTimerCount()).toBe(0);
  begin({ min_edge_bps: '5' });
  begin({});
  jest.advanceTimersByTime(1_000);
  expect([jest.getTimerCount(), asked]).toEqual([0, []]);
});

describe('the edge', () => {
  test('while it is there the quote rests; once it is gone a cancel is asked for, told once, and the market waits', () => {
    rest(99_970); // sold at 100 000: 3 bps, less 1 of fees
    begin({ min_edge_bps: '2' });
    jest.advanceTimersByTime(10_000);
    expect(asked).toEqual([]);
    bid(99_999);
    jest.advanceTimersByTime(200);
    expect(new Set(asked)).toEqual(new Set(orders.map(({ clientOrderIndex }) => clientOrderIndex)));
    expect(told).toEqual(['edge: a buy at this price would leave 1.9 bps after fees, min_edge_bps is 2']);
    expect(watch.waitMs(1)).toBe(1_000);
    orders = [];
    jest.advanceTimersByTime(1_000);
    expect(watch.waitMs(1)).toBe(0);
  });

  test('counts for what is left of the order, and needs no room in the budget', () => {
    rest(99_970, { filledLots: lots(15) });
    mayQuote = false;
    book = { marketId: 1, bids: [level(100_000, 5), level(90_000, 100)], asks: [], updatedAtUs: 0 };
    begin({ min_edge_bps: '1' });
    jest.advanceTimersByTime(200);
    expect(asked).toEqual([]);
    rest(99_970); // 20 lots go down to 90 000
    jest.advanceTimersByTime(100);
    expect(asked).toHaveLength(1);
  });

  test('without a book for five seconds nobody knows it', () => {
    rest(99_000);
    begin({ min_edge_bps: '1' });
    book = undefined;
    jest.advanceTimersByTime(5_000);
    expect(asked).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(told).toEqual(['edge: there has been no book for 5 s, and nobody knows its edge']);
  });
});

describe('drift', () => {
  const drift = { ticks: 10n };

  test('so far from where it would be placed now, and not before it has rested', () => {
    rest(100_000);
    begin({}, { drift });
    bid(100_010);
    jest.advanceTimersByTime(900);
    expect(asked).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(told).toEqual(['drift: it rests 10 ticks from where it would be placed now']);
    expect(watch.waitMs(1)).toBe(0);
  });

  test.each([
    ['nearer than that', () => bid(100_009)],
    ['no room in the budget to place it anew', () => (bid(100_050), (mayQuote = false))],
    ['no price now', () => (book = { marketId: 1, bids: [], asks: [], updatedAtUs: 0 })],
    ['no book', () => (book = undefined)],
  ])('%s: it stays', (_, change) => {
    rest(100_000);
    begin({}, { drift });
    change();
    jest.advanceTimersByTime(20_000);
    expect(asked).toEqual([]);
  });

  test('it is not moved to where its edge would be gone', () => {
    rest(99_900);
    begin({ price_buy: 'join', min_edge_bps: '1' }, { drift });
    jest.advanceTimersByTime(5_000);
    expect(asked).toEqual([]);
  });

  test('hedges and closes of ours are no quotes', () => {
    rest(99_000);
    orders = orders.map((order) => ({ ...order, clientOrderIndex: (order.clientOrderIndex + 1n) as never }));
    begin({}, { drift });
    jest.advanceTimersByTime(5_000);
    expect(asked).toEqual([]);
  });
});
