/** Exactness of amounts (S-16) and the brands that keep amounts, prices and ids apart. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addLots,
  formatDecimal,
  lots,
  maxLots,
  minLots,
  parseDecimal,
  parseLots,
  parseNotional,
  notional,
  QUOTE_DECIMALS,
  subLots,
  type Lots,
  type Notional,
  type Ticks,
} from '../../src/domain/lots';
import {
  nonceOf,
  orderIdOf,
  type ClientOrderIndex,
  type Nonce,
  type OrderId,
  type Tenths,
} from '../../src/domain/ids-and-nonces';

/** Size and price decimals seen on the exchange's markets lie within these (LP §2.1). */
const DECIMALS = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const scaled = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const decimals = fc.integer({ min: 0, max: 18 });

describe('amounts as text', () => {
  test.each(DECIMALS)('S-16 every size from 1 to 100 000 lots is exact at %i decimals', (places) => {
    for (let size = 1n; size <= 100_000n; size++) {
      const text = formatDecimal(size, places);
      if (parseLots(text, places) !== size) throw new Error(`${size} became ${text}`);
    }
  });

  test('S-16 format and parse are inverse for any integer and any decimals', () => {
    fc.assert(
      fc.property(scaled, decimals, (value, places) => {
        expect(parseDecimal(formatDecimal(value, places), places)).toBe(value);
      }),
    );
  });

  test('the text always has exactly the decimals of its market', () => {
    fc.assert(
      fc.property(scaled, decimals, (value, places) => {
        expect(formatDecimal(value, places)).toMatch(
          places === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${places}}$`),
        );
      }),
    );
  });

  test('adding zeros changes nothing, any other digit too many is rejected and never rounded', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 20n }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 9 }),
        (value, places, digit) => {
          const text = formatDecimal(value, places);
          expect(parseDecimal(`${text}000`, places)).toBe(value);
          expect(() => parseDecimal(`${text}00${digit}`, places)).toThrow(RangeError);
        },
      ),
    );
  });

  test('order is kept: a larger amount is never a smaller text value', () => {
    fc.assert(
      fc.property(scaled, scaled, decimals, (a, b, places) => {
        const back = (value: bigint): bigint => parseDecimal(formatDecimal(value, places), places);
        expect(back(a) < back(b)).toBe(a < b);
      }),
    );
  });

  test.each([
    ['the recorded size of LP §1.4', '0.00100', 5, 100n],
    ['the recorded price of LP §1.4', '56608.2', 1, 566_082n],
    ['a trailing point', '5.', 2, 500n],
    ['a negative amount', '-0.5', 1, -5n],
    ['more digits than a double holds', '9007199254740993.00001', 5, 900719925474099300001n],
  ])('%s', (_name, text, places, value) => {
    expect(parseDecimal(text, places)).toBe(value);
  });

  test.each(['', ' ', '1e5', '.5', '+1', '1,5', '0x10', 'NaN', '1.2.3', '- 1', '1 '])('%j is no amount', (text) => {
    expect(() => parseDecimal(text, 8)).toThrow(RangeError);
  });

  test('an error quotes at most 40 characters of what it was given', () => {
    expect(() => parseDecimal('x'.repeat(10_000), 2)).toThrow(/^not a decimal number: "x{40}"$/);
  });

  test('a quote amount has the decimals of USDC', () => {
    expect(parseNotional('21.88')).toBe(notional(21_880_000));
    expect(() => parseNotional(`0.${'0'.repeat(QUOTE_DECIMALS)}1`)).toThrow(RangeError);
  });
});

describe('amounts as numbers', () => {
  test.each([0.1, NaN, Infinity, 2 ** 53])('%d is rejected where an integer is wanted', (value) => {
    expect(() => lots(value)).toThrow(RangeError);
  });

  test('sums and bounds are those of the integers', () => {
    fc.assert(
      fc.property(scaled, scaled, (a, b) => {
        expect(subLots(addLots(lots(a), lots(b)), lots(b))).toBe(a);
        expect(minLots(lots(a), lots(b)) <= maxLots(lots(a), lots(b))).toBe(true);
        expect(addLots(minLots(lots(a), lots(b)), maxLots(lots(a), lots(b)))).toBe(a + b);
      }),
    );
  });
});

/**
 * Compile-time: each line that must not type-check carries an expectation, and `tsc` fails where the expectation is wrong.
 * Never called.
 */
export function brandsDoNotMix(
  size: Lots,
  price: Ticks,
  money: Notional,
  id: OrderId,
  nonce: Nonce,
  index: ClientOrderIndex,
  time: Tenths,
): void {
  // @ts-expect-error a plain bigint is no amount
  const raw: Lots = 1n;
  // @ts-expect-error a price is no amount
  const swapped: Lots = price;
  // @ts-expect-error a quote amount is no price
  const swappedAgain: Ticks = money;
  // @ts-expect-error arithmetic on lots is plain until a constructor says what it is
  const sum: Lots = size + size;
  // @ts-expect-error lots and ticks are not added
  addLots(size, price);
  // @ts-expect-error a nonce is no client order index
  const nonceAsIndex: ClientOrderIndex = nonce;
  // @ts-expect-error a client order index may be a slice's: it is not yet an order id
  const indexAsOrder: OrderId = index;
  // @ts-expect-error an amount is no order id
  nonceOf(size, 1);
  // @ts-expect-error milliseconds are not tenths
  orderIdOf({ time: 5n, lane: 1 });
  // @ts-expect-error tenths are no nonce
  const timeAsNonce: Nonce = time;
  // Every brand is a bigint, so it can be read as one.
  const readable: readonly bigint[] = [size, price, money, id, nonce, index, time];
  void [raw, swapped, swappedAgain, sum, nonceAsIndex, indexAsOrder, timeAsNonce, readable];
}
