/** Where a side is quoted, and what a fill there leaves: by example, and for any book. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lots, ticks } from '../../src/domain/lots';
import { bpsText, centiBpsOf, distanceOf, priceRuleOf, type PriceRule } from '../../src/domain/price-rule';
import type { OrderRecord, Side } from '../../src/domain/records';
import type { BookLevel } from '../../src/exchange/port';
import { edgeObstacle, priceFor, type PriceQuestion } from '../../src/quoting/quote-price';

const level = (price: number, size: number): BookLevel => ({ priceTicks: ticks(price), lots: lots(size) });
const bids = [level(100_000, 10), level(99_990, 30)];
const asks = [level(100_010, 10), level(100_030, 30)];
const bookOf = (b: readonly BookLevel[], a: readonly BookLevel[]) => ({
  marketId: 1,
  bids: b,
  asks: a,
  updatedAtUs: 0,
});
const own = (side: Side, price: number, initial: number): OrderRecord =>
  ({ side, priceTicks: ticks(price), initialLots: lots(initial), filledLots: lots(0) }) as OrderRecord;

function ruleOf(text: string): PriceRule {
  const rule = priceRuleOf(text);
  if (rule === undefined) throw new Error(`${text} is no rule`);
  return rule;
}

const at = (side: Side, rule: string, change: Partial<PriceQuestion> = {}) =>
  priceFor({
    ...{ symbol: 'BTC', side, rule: ruleOf(rule), depth: 1, lots: lots(20) },
    ...{ book: bookOf(bids, asks), ownOrders: [] },
    ...change,
  });

describe('by rule', () => {
  test.each([
    ['buy', 'level', 100_000n],
    ['buy', 'level 2', 99_990n],
    ['sell', 'level 2', 100_030n],
    ['buy', 'join', 100_000n],
    ['sell', 'join', 100_010n],
    ['buy', 'improve 3', 100_003n],
    ['sell', 'improve 3', 100_007n],
    ['buy', 'improve 50', 100_009n], // a tick before the other side
    ['sell', 'improve 50', 100_001n],
    ['buy', 'mid 1', 99_994n], // of 100 005: 99 994.9995, down
    ['sell', 'mid 1', 100_016n], // up
    ['buy', 'mid 0', 100_005n],
    ['buy', 'hedge 2', 99_975n], // 20 lots sell at 99 995: 99 975.001
    ['sell', 'hedge 2', 100_041n], // 20 lots buy at 100 020: 100 040.004
  ] as const)('%s %s', (side, rule, priceTicks) => {
    expect(at(side, rule)).toEqual({ ok: true, priceTicks });
  });

  test('our own orders are not what is joined, improved or measured', () => {
    const ownOrders = [own('buy', 100_000, 10), own('sell', 100_010, 4)];
    expect(at('buy', 'join', { ownOrders })).toMatchObject({ priceTicks: 99_990n });
    expect(at('buy', 'improve 1', { ownOrders })).toMatchObject({ priceTicks: 99_991n });
    expect(at('sell', 'join', { ownOrders })).toMatchObject({ priceTicks: 100_010n }); // others are there too
    expect(at('buy', 'mid 0', { ownOrders })).toMatchObject({ priceTicks: 100_000n });
    expect(at('buy', 'hedge 0', { ownOrders })).toMatchObject({ priceTicks: 99_990n });
  });

  test.each([
    ['level 3', 'has only 2 levels'],
    ['hedge 1', 'lacks 61 lots for the hedge'],
  ])('%s: a book that does not show it is no price', (rule, what) => {
    const message = expect.stringContaining(what) as unknown;
    expect(at('buy', rule, { lots: lots(101) })).toEqual({ ok: false, code: 'thin-book', message });
  });

  test.each(['join', 'improve 1', 'mid 1', 'hedge 1'])('%s: an empty side is no price', (rule) => {
    expect(at('buy', rule, { book: bookOf([], asks) })).toMatchObject({ ok: false, code: 'thin-book' });
  });

  test('a position moves both sides against it, a full one by the whole skew', () => {
    const skewed = (side: Side, held: bigint, full = '10 ticks') =>
      at(side, 'level 2', { skew: { full: distanceOf(full) ?? { ticks: 0n }, held, max: 100n } });
    expect(skewed('buy', 50n)).toMatchObject({ priceTicks: 99_985n });
    expect(skewed('sell', 50n)).toMatchObject({ priceTicks: 100_025n });
    expect(skewed('buy', -500n)).toMatchObject({ priceTicks: 100_000n });
    expect(skewed('sell', 100n, '2 bps')).toMatchObject({ priceTicks: 100_010n });
    expect(skewed('sell', 100n, '50 bps')).toMatchObject({ priceTicks: 100_001n });
  });
});

describe('for any book', () => {
  const side = fc.constantFrom<Side>('buy', 'sell');
  const bps = fc.integer({ min: 0, max: 99_999 }).map((centi) => bpsText(BigInt(centi)));
  const rule = fc.oneof(
    fc.constantFrom('level', 'join'),
    fc.integer({ min: 1, max: 100 }).map((n) => `level ${n}`),
    fc.integer({ min: 1, max: 999 }).map((n) => `improve ${n}`),
    fc.tuple(fc.constantFrom('mid', 'hedge'), bps).map((two) => two.join(' ')),
  );
  const sizes = fc.array(fc.record({ step: fc.integer({ min: 1, max: 40 }), size: fc.integer({ min: 1, max: 50 }) }), {
    maxLength: 6,
  });
  const book = fc
    .record({
      best: fc.integer({ min: 300, max: 5_000 }),
      spread: fc.integer({ min: 1, max: 30 }),
      down: sizes,
      up: sizes,
    })
    .map(({ best, spread, down, up }) => {
      let [bid, ask] = [best, best + spread - 1];
      const b = down.map(({ step, size }, i) => level((bid -= i === 0 ? 0 : step), size));
      const a = up.map(({ step, size }, i) => level((ask += i === 0 ? 1 : step), size));
      return bookOf(b, a);
    });
  const skew = fc.option(
    fc.record({
      held: fc.bigInt(-200n, 200n),
      full: fc.bigInt(1n, 500n).map((n) => ({ ticks: n })),
      max: fc.bigInt(0n, 100n),
    }),
    { nil: undefined },
  );

  test('a price never crosses, is a whole tick, and where a rule needs what is not there it says so', () => {
    fc.assert(
      fc.property(side, rule, book, skew, fc.integer({ min: 1, max: 80 }), (of, text, shown, skewed, size) => {
        const change = { book: shown, lots: lots(size), ...(skewed === undefined ? {} : { skew: skewed }) };
        const answer = at(of, text, change);
        if (!answer.ok) return void expect(answer.message).not.toBe('');
        const { priceTicks } = answer;
        expect(typeof priceTicks).toBe('bigint');
        expect(priceTicks >= 1n).toBe(true);
        const [bid, ask] = [shown.bids[0]?.priceTicks, shown.asks[0]?.priceTicks];
        if (of === 'buy' && ask !== undefined) expect(priceTicks < ask).toBe(true);
        if (of === 'sell' && bid !== undefined) expect(priceTicks > bid).toBe(true);
      }),
    );
  });

  test('what passes the edge leaves it: no fee is forgotten, nothing is rounded in our favour', () => {
    const fee = fc.bigInt(0n, 1_000n);
    fc.assert(
      fc.property(
        side,
        book,
        fee,
        fee,
        fc.bigInt(-2_000n, 2_000n),
        fc.integer({ min: 1, max: 5_400 }),
        (of, shown, maker, taker, min, price) => {
          const [paid, fees] = [
            { priceTicks: ticks(price), lots: lots(7) },
            { maker, taker },
          ];
          const obstacle = edgeObstacle({ symbol: 'BTC', side: of, book: shown, ownOrders: [], fees, min, ...paid });
          let [left, sum] = [7n, 0n];
          for (const { priceTicks, lots: here } of of === 'buy' ? shown.bids : shown.asks) {
            const taken = here < left ? here : left;
            [left, sum] = [left - taken, sum + taken * priceTicks];
          }
          if (left > 0n) return void expect(obstacle).toContain('lacks');
          const value = 7 * price;
          const gross = of === 'buy' ? Number(sum) - value : value - Number(sum);
          const net = gross - (value * Number(maker)) / 1e6 - (Number(sum) * Number(taker)) / 1e6;
          const [edge, wanted] = [(net / value) * 1e6, Number(min)];
          if (Math.abs(edge - wanted) > 1e-3) expect(obstacle === undefined).toBe(edge > wanted);
        },
      ),
    );
  });
});

test('the edge names what would be left', () => {
  const quote = { symbol: 'BTC', side: 'buy', priceTicks: ticks(99_990), lots: lots(10), ownOrders: [] } as const;
  const edge = (min: bigint) =>
    edgeObstacle({ ...quote, book: bookOf(bids, asks), fees: { maker: 40n, taker: 0n }, min });
  expect(edge(60n)).toBeUndefined(); // sold at 100 000: 1.0001 bps, less 0.4 of fees
  expect(edge(61n)).toBe('a buy at this price would leave 0.6 bps after fees, min_edge_bps is 0.61');
});

test.each([
  'level 0',
  'level 101',
  'level 1.5',
  'join 1',
  'improve',
  'improve 0',
  'mid',
  'mid 1.234',
  'hedge -1',
  'best',
  '',
])('%j is no rule', (text) => expect(priceRuleOf(text)).toBeUndefined());
test.each(['0 ticks', '0 bps', '5', '1.5 ticks', '1.234 bps', 'x bps'])('%j is no distance', (text) =>
  expect(distanceOf(text)).toBeUndefined(),
);
test('basis points as text', () => {
  expect(['-1.25', '0.5', '3', '10.10'].map(centiBpsOf)).toEqual([-125n, 50n, 300n, 1_010n]);
  expect([-125n, 50n, 300n, 1_010n].map(bpsText)).toEqual(['-1.25', '0.5', '3', '10.1']);
});
