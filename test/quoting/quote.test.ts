/** Where to quote, and when not to: levels without our own orders, the side, the position limit, the market's minimum. */
import { describe, expect, test } from '@jest/globals';
import { quoteFor, unwindFor, type QuoteQuestion } from '../../src/quoting/quote';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { Market, OrderRecord } from '../../src/domain/records';

const market: Market = {
  marketId: 1,
  symbol: 'BTC',
  sizeDecimals: 5,
  priceDecimals: 1,
  minBaseLots: lots(5),
  minQuote: notional(10_000_000n),
};
const level = (price: number, size: number) => ({ priceTicks: ticks(price), lots: lots(size) });
const book = {
  marketId: 1,
  bids: [level(1_000_000, 3), level(999_990, 20), level(999_980, 7)],
  asks: [level(1_000_010, 4), level(1_000_020, 9)],
  updatedAtUs: 0,
};

const ask = (change: Partial<QuoteQuestion> = {}) =>
  quoteFor({
    market,
    book,
    ownOrders: [],
    positionLots: lots(0),
    strategy: 'buy',
    depth: 2,
    rules: {},
    lots: lots(20),
    maxPositionLots: lots(40),
    openLots: lots(0),
    ...change,
  });
const own = (price: number, initial: number, filled = 0): OrderRecord =>
  ({ side: 'buy', priceTicks: ticks(price), initialLots: lots(initial), filledLots: lots(filled) }) as OrderRecord;

test('the N-th level of the side', () => {
  expect(ask()).toEqual({ quote: true, side: 'buy', priceTicks: 999_990n });
  expect(ask({ strategy: 'sell', depth: 1 })).toEqual({ quote: true, side: 'sell', priceTicks: 1_000_010n });
});

test('a level that is only our own order does not count, one with others at it does', () => {
  expect(ask({ ownOrders: [own(999_990, 25, 5)] })).toMatchObject({ priceTicks: 999_980n });
  expect(ask({ ownOrders: [own(999_990, 25, 6)] })).toMatchObject({ priceTicks: 999_990n });
});

test('a book that is not that deep is no quote', () => {
  expect(ask({ depth: 4 })).toMatchObject({ quote: false, code: 'thin-book' });
});

test('a limit of one side counts for what goes through zero, too', () => {
  const both = { positionLots: lots(20), strategy: 'sell', openLots: lots(20), depth: 1 } as const;
  expect(ask({ ...both, maxShort: lots(1) })).toMatchObject({ quote: false, code: 'position-limit' });
  expect(ask({ ...both, openLots: lots(0), maxShort: lots(1) })).toMatchObject({ quote: true });
});

test.each([
  [0n, 'buy'],
  [1n, 'sell'],
  [-1n, 'buy'],
])('a round trip at a position of %s lots: %s', (position, side) => {
  expect(ask({ strategy: 'round-trip', positionLots: lots(position), depth: 1 })).toMatchObject({ side });
});

describe('the position limit', () => {
  const at = (position: number, open: number, strategy: 'buy' | 'sell' = 'buy') =>
    ask({ positionLots: lots(position), openLots: lots(open), strategy, depth: 1 }).quote;

  test('counts the position, this order and all other open ones', () => {
    expect(at(20, 0)).toBe(true);
    expect(at(21, 0)).toBe(false);
    expect(at(0, 20)).toBe(true);
    expect(at(0, 21)).toBe(false);
    expect(at(-20, 0, 'sell')).toBe(true);
    expect(at(-21, 0, 'sell')).toBe(false);
    expect(at(0, 21, 'sell')).toBe(false);
  });

  test('an order that makes the position smaller is always allowed', () => {
    expect(at(100, 0, 'sell')).toBe(true);
    expect(at(-100, 0, 'buy')).toBe(true);
  });
});

test('P-05 an order below one of the market’s minimums is not quoted: the exchange would reject it', () => {
  expect(ask({ lots: lots(4) })).toMatchObject({ quote: false, code: 'below-minimum' });
  expect(ask({ lots: lots(9) })).toMatchObject({ quote: false, code: 'below-minimum' }); // worth 9 USDC
  expect(ask({ lots: lots(11) })).toMatchObject({ quote: true });
});

describe('S-55 the accounts differ: nothing that enlarges either position', () => {
  test.each([
    ['both flat but for what B has too much', 0, -50, 'buy'],
    ['both flat but for what B has too much', 0, -50, 'sell'],
    ['B was liquidated: a sale would close A and make B long', 20, 20, 'sell'],
    ['B was liquidated: a purchase would make A longer', 20, 20, 'buy'],
    ['A was liquidated: a purchase would make A long', 0, -20, 'buy'],
    ['the sale would go through zero', 10, -50, 'sell'],
  ] as const)('%s: A %s, A + B %s, %s: no quote', (_, position, off, strategy) => {
    const answer = ask({ positionLots: lots(position), offLots: lots(off), strategy, maxPositionLots: lots(1_000) });
    expect(answer).toMatchObject({ quote: false, code: 'books-differ' });
  });

  test('what shrinks both is quoted', () => {
    expect(ask({ positionLots: lots(40), offLots: lots(-30), strategy: 'sell' })).toMatchObject({ side: 'sell' });
    expect(ask({ positionLots: lots(-40), offLots: lots(15), strategy: 'buy' })).toMatchObject({ side: 'buy' });
  });

  test('open orders count: what all of them together would turn round is not quoted', () => {
    const both = { positionLots: lots(40), offLots: lots(-30), strategy: 'sell', openLots: lots(60) } as const;
    expect(ask({ ...both, maxPositionLots: lots(1_000) })).toMatchObject({ quote: false, code: 'books-differ' });
  });
});

describe('the margin runs out', () => {
  test('what enlarges a position is not quoted, what reduces it is', () => {
    const near = { noEnlarging: { code: 'margin-low', text: 'B is 6.0 % from its liquidation' }, depth: 1 } as const;
    expect(ask({ ...near, positionLots: lots(20) })).toMatchObject({
      ...{ quote: false, code: 'margin-low', message: expect.stringContaining('B is 6.0 %') },
    });
    expect(ask({ ...near, positionLots: lots(20), strategy: 'sell' })).toMatchObject({ side: 'sell' });
    expect(ask({ ...near, positionLots: lots(10), strategy: 'sell' })).toMatchObject({ code: 'margin-low' }); // through zero
    expect(ask({ ...near, positionLots: lots(30), strategy: 'sell', openLots: lots(20) })).toMatchObject({
      code: 'margin-low',
    });
  });

  test('a step of an unwind takes what reduces both, at the best price of the other side', () => {
    const step = (change: Partial<QuoteQuestion>) =>
      unwindFor({
        ...{ market, book, ownOrders: [], positionLots: lots(0), strategy: 'buy', depth: 20, lots: lots(20) },
        ...{ maxPositionLots: lots(0), openLots: lots(0), ...change },
      });
    expect(step({ positionLots: lots(1_000) })).toEqual({
      ...{ quote: true, side: 'sell', priceTicks: 1_000_000n, lots: 100n },
    });
    expect(step({ positionLots: lots(-50) })).toEqual({ quote: true, side: 'buy', priceTicks: 1_000_010n, lots: 20n });
    expect(step({ positionLots: lots(-7) })).toMatchObject({ lots: 7n });
    expect(step({ positionLots: lots(50), offLots: lots(45) })).toMatchObject({ lots: 5n }); // B holds -5
    expect(step({ positionLots: lots(50), offLots: lots(50) })).toMatchObject({ code: 'nothing-to-unwind' });
    expect(step({})).toMatchObject({ code: 'nothing-to-unwind' });
    expect(step({ positionLots: lots(5), book: { ...book, bids: [] } })).toMatchObject({ code: 'thin-book' });
  });
});
