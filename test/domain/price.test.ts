/** What amounts are worth, and the one rounding rule of every average price. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lots, notional, ticks } from '../../src/domain/lots';
import { averagePriceTicks, quoteOf } from '../../src/domain/price';

const BTC = { sizeDecimals: 5, priceDecimals: 1 };
const scale = fc.record({ sizeDecimals: fc.nat(8), priceDecimals: fc.nat(6) });
const amount = fc.bigInt(1n, 1n << 40n).map(lots);
const price = fc.bigInt(1n, 1n << 32n).map(ticks);

describe('an average price', () => {
  test('is rounded half up', () => {
    expect(averagePriceTicks(notional(5n), lots(10n), BTC)).toBe(1n);
    expect(averagePriceTicks(notional(4n), lots(10n), BTC)).toBe(0n);
    expect(averagePriceTicks(notional(21_888_713n), lots(20n), BTC)).toBe(1_094_436n);
  });

  test('of nothing is zero', () => {
    expect(averagePriceTicks(notional(0n), lots(0n), BTC)).toBe(0n);
  });

  test('of one trade is its price, unless the quote was too small to say', () => {
    fc.assert(
      fc.property(amount, price, scale, (size, at, of) => {
        fc.pre(of.sizeDecimals + of.priceDecimals <= 6);
        expect(averagePriceTicks(quoteOf(size, at, of), size, of)).toBe(at);
      }),
    );
  });
});

test('what lots are worth never exceeds the exact product, and misses less than a millionth of a USDC', () => {
  fc.assert(
    fc.property(amount, price, scale, (size, at, of) => {
      const power = 10n ** BigInt(of.sizeDecimals + of.priceDecimals);
      const exact = size * at * 1_000_000n;
      const cut = exact - quoteOf(size, at, of) * power;
      expect(cut >= 0n && cut < power).toBe(true);
    }),
  );
});
