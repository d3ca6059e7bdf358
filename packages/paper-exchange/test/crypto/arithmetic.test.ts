/**
 * Goal: the floating-point arithmetic is exact wherever its comments say so, up to the very bounds they state. A rounding
 * error of one unit would show on one transaction in millions, so the extremes are tried, not only random elements.
 * Method: the same sums in BigInt.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as curve from '../../src/crypto/curve';
import * as field from '../../src/crypto/goldilocks';
import * as fp5 from '../../src/crypto/quintic';

const P = field.ORDER;
const mod = (value: bigint): bigint => ((value % P) + P) % P;

/** Limbs up to `units` units, extremes included: one unit is |limb| < 1.01·2^21. */
const limb = (units: number): fc.Arbitrary<number> => {
  const max = Math.floor(1.01 * 2 ** 21 * units);
  return fc.oneof(fc.constantFrom(-max, max, 0), fc.integer({ min: -max, max }));
};
const element = (units: number): fc.Arbitrary<Float64Array> =>
  fc.array(limb(units), { minLength: 3, maxLength: 3 }).map((limbs) => Float64Array.from(limbs));
const quintic = (units: number): fc.Arbitrary<Float64Array> =>
  fc.array(limb(units), { minLength: 15, maxLength: 15 }).map((limbs) => Float64Array.from(limbs));
const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

function isOneUnit(limbs: Float64Array): boolean {
  return limbs.every((value) => Number.isInteger(value) && Math.abs(value) < 1.01 * 2 ** 21);
}

/** The product in GF(p^5), from the definition. */
function referenceProduct(a: Float64Array, b: Float64Array): bigint[] {
  const x = fp5.canonical(a);
  const y = fp5.canonical(b);
  const out = [0n, 0n, 0n, 0n, 0n];
  x.forEach((left, i) => {
    y.forEach((right, j) => {
      out[(i + j) % 5] = mod(out[(i + j) % 5]! + left * right * (i + j >= 5 ? 3n : 1n));
    });
  });
  return out;
}

test('an integer survives the way into limbs and back', () => {
  fc.assert(
    fc.property(fc.oneof(word, fc.constantFrom(0n, P - 1n, P, P + 1n, 2n ** 64n - 1n, -1n)), (value) => {
      const out = new Float64Array(3);
      field.fromBigInt(value, out, 0);
      expect(field.toCanonical(out, 0)).toBe(mod(value));
      field.carryAt(out, 0);
      expect([field.toCanonical(out, 0), isOneUnit(out)]).toEqual([mod(value), true]);
    }),
  );
});

test('five coefficients just below 2^52 reduce exactly to one unit', () => {
  const bound = 2 ** 52 - 1;
  const coefficient = fc.oneof(fc.constantFrom(-bound, bound), fc.integer({ min: -bound, max: bound }));
  fc.assert(
    fc.property(fc.array(coefficient, { minLength: 5, maxLength: 5 }), (coefficients) => {
      const out = new Float64Array(3);
      field.reduceAt(Float64Array.from(coefficients), 0, out, 0);
      const expected = coefficients.reduce((sum, value, index) => sum + (BigInt(value) << BigInt(22 * index)), 0n);
      expect([field.toCanonical(out, 0), isOneUnit(out)]).toEqual([mod(expected), true]);
    }),
    { numRuns: 1000 },
  );
});

test('a sum of 10 000 units carries exactly to one unit', () => {
  fc.assert(
    fc.property(element(10_000), (limbs) => {
      const expected = field.toCanonical(limbs, 0);
      field.carryAt(limbs, 0);
      expect([field.toCanonical(limbs, 0), isOneUnit(limbs)]).toEqual([expected, true]);
    }),
  );
});

test('base field: a product of 18 by 18 units is exact', () => {
  fc.assert(
    fc.property(element(18), element(18), (a, b) => {
      const expected = mod(field.toCanonical(a, 0) * field.toCanonical(b, 0));
      const out = new Float64Array(3);
      field.mulAt(a, 0, b, 0, out, 0);
      expect([field.toCanonical(out, 0), isOneUnit(out)]).toEqual([expected, true]);
    }),
    { numRuns: 1000 },
  );
});

test('base field: inverse, squares and square roots', () => {
  fc.assert(
    fc.property(fc.oneof(word, fc.constantFrom(1n, P - 1n, 2n ** 32n)), (value) => {
      const a = field.constant(value);
      if (mod(value) === 0n) return;
      expect(mod(field.toCanonical(field.inverse(a), 0) * value)).toBe(1n);
      const squared = field.squareTimesMul(a, 1, field.constant(1n));
      const root = field.findSquareRoot(squared);
      expect(root && field.toCanonical(field.squareTimesMul(root, 1, field.constant(1n)), 0)).toBe(mod(value * value));
      expect([field.isNonZeroSquare(a), field.findSquareRoot(a) !== undefined]).toEqual(
        field.isNonZeroSquare(a) ? [true, true] : [false, false],
      );
    }),
  );
  expect(field.isNonZeroSquare(field.constant(7n))).toBe(false); // 7 generates the field
  expect(field.findSquareRoot(field.constant(7n))).toBeUndefined();
  expect(field.toCanonical(field.inverse(field.constant(0n)), 0)).toBe(0n);
});

test('GF(p^5): a product of 5 by 5 units is exact, also into one of its inputs', () => {
  fc.assert(
    fc.property(quintic(5), quintic(5), (a, b) => {
      const expected = referenceProduct(a, b);
      expect(fp5.canonical(fp5.mul(a, b, fp5.zero()))).toEqual(expected);
      expect(isOneUnit(fp5.mul(a, b, a))).toBe(true);
      expect(fp5.canonical(a)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('GF(p^5): multiplying by 526·z is multiplying by that element', () => {
  fc.assert(
    fc.property(quintic(3), (a) => {
      expect(fp5.canonical(fp5.scaleByZ(a, 526, fp5.zero()))).toEqual(referenceProduct(a, fp5.quintic(0n, 526n)));
    }),
  );
});

test('GF(p^5): inverses and square roots', () => {
  fc.assert(
    fc.property(quintic(1), (a) => {
      if (fp5.isZero(a)) return;
      expect(fp5.equals(fp5.mul(a, fp5.inverseOrZero(a), fp5.zero()), fp5.quintic(1n))).toBe(true);
      const squared = fp5.square(a, fp5.zero());
      const root = fp5.findSquareRoot(squared);
      expect(root && fp5.equals(fp5.square(root, fp5.zero()), squared)).toBe(true);
      expect(fp5.isNonZeroSquare(squared)).toBe(true);
      expect(fp5.findSquareRoot(a) !== undefined).toBe(fp5.isNonZeroSquare(a));
    }),
  );
});

test('GF(p^5): many inverses at once are the inverses of each', () => {
  fc.assert(
    fc.property(fc.array(quintic(1), { minLength: 1, maxLength: 9 }), (list) => {
      const units = list.filter((a) => !fp5.isZero(a));
      const expected = units.map((a) => fp5.canonical(fp5.inverseOrZero(a)));
      const inverses = units.map(() => fp5.zero());
      fp5.invertAll(units, inverses);
      expect(inverses.map((a) => fp5.canonical(a))).toEqual(expected);
    }),
  );
});

test('the curve: the group has order n, and a point survives its encoding', () => {
  const multiples = new curve.Multiples(curve.GENERATOR, 8);
  const times = (scalar: bigint): curve.Point => {
    const sum = curve.place();
    curve.add(curve.NEUTRAL, curve.NEUTRAL, sum);
    multiples.addMultiple(scalar, sum);
    return sum;
  };
  const last = times(curve.GROUP_ORDER - 1n);
  curve.add(last, curve.GENERATOR, last);
  expect(curve.isNeutral(last)).toBe(true);

  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: curve.GROUP_ORDER - 1n }), (scalar) => {
      const point = times(scalar);
      const code = curve.encode(point);
      const again = curve.decode(code);
      expect(again && curve.encode(again)).toEqual(code);
      // The decoded point is the same group element, not its opposite: adding G to both gives the same.
      const [one, other] = [curve.place(), curve.place()];
      curve.add(point, curve.GENERATOR, one);
      curve.add(again ?? curve.NEUTRAL, curve.GENERATOR, other);
      expect(curve.encode(one)).toEqual(curve.encode(other));
      expect(curve.encode(one)).toEqual(curve.encode(times((scalar + 1n) % curve.GROUP_ORDER)));
    }),
    { numRuns: 30 },
  );
});

test.each([4, 8] as const)('the curve: windows of %i bits multiply like repeated addition', (windowBits) => {
  const sum = curve.place();
  const counted = curve.place();
  curve.add(curve.NEUTRAL, curve.NEUTRAL, counted);
  const multiples = new curve.Multiples(curve.GENERATOR, windowBits);
  for (let scalar = 0n; scalar < 300n; scalar++) {
    curve.add(curve.NEUTRAL, curve.NEUTRAL, sum);
    multiples.addMultiple(scalar, sum);
    expect(curve.encode(sum)).toEqual(curve.encode(counted));
    curve.add(counted, curve.GENERATOR, counted);
  }
});

test('the curve: both window sizes agree, also where every digit carries', () => {
  const tables = [new curve.Multiples(curve.GENERATOR, 4), new curve.Multiples(curve.GENERATOR, 8)];
  const times = (table: curve.Multiples, scalar: bigint): bigint[] => {
    const sum = curve.place();
    curve.add(curve.NEUTRAL, curve.NEUTRAL, sum);
    table.addMultiple(scalar, sum);
    return curve.encode(sum);
  };
  const allNines = BigInt(`0x6${'9'.repeat(79)}`);
  const edges = fc.constantFrom(1n, 2n ** 318n, curve.GROUP_ORDER - 1n, allNines, allNines - 1n);
  fc.assert(
    fc.property(fc.oneof(edges, fc.bigInt({ min: 0n, max: curve.GROUP_ORDER - 1n })), (scalar) => {
      const [four, eight] = tables.map((table) => times(table, scalar));
      expect(four).toEqual(eight);
    }),
    { numRuns: 60 },
  );
});

test('the curve: about half of all field elements encode no point', () => {
  let decoded = 0;
  for (let w = 1n; w <= 40n; w++) if (curve.decode([w, 0n, 1n, 0n, 0n]) !== undefined) decoded++;
  expect(decoded).toBeGreaterThan(8);
  expect(decoded).toBeLessThan(32);
});
