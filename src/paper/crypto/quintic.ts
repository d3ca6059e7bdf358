/**
 * GF(p^5) = GF(p)[z]/(z^5 − 3) over the Goldilocks field: the coordinate field of ECgFp5.
 *
 * An element is fifteen doubles, three limbs for each of the five coefficients. Sums are not reduced; the units (see
 * goldilocks.ts) of two factors multiplied together may reach 25, because the widest coefficient of a product collects
 * 39 limb products. Every function that takes `out` may be given one of its inputs as `out`.
 */
import * as field from './goldilocks';

export type Quintic = Float64Array;

export const DEGREE = 5;
const SIZE = DEGREE * field.LIMBS;

export function zero(): Quintic {
  return new Float64Array(SIZE);
}

/** Many zeroes in one block of memory: a typed array of its own costs ten times an addition on the curve's field. */
export function zeroes(count: number): Quintic[] {
  const block = new ArrayBuffer(count * SIZE * 8);
  return Array.from({ length: count }, (_, index) => new Float64Array(block, index * SIZE * 8, SIZE));
}

/** A reduced element with the given coefficients, lowest first; missing ones are zero. */
export function quintic(...coefficients: readonly bigint[]): Quintic {
  const out = zero();
  coefficients.forEach((value, index) => field.fromBigInt(value, out, index * field.LIMBS));
  return carry(out);
}

/** The five canonical coefficients, lowest first: the form that is hashed, encoded and compared. */
export function canonical(a: Quintic): bigint[] {
  return Array.from({ length: DEGREE }, (_, index) => field.toCanonical(a, index * field.LIMBS));
}

export function isZero(a: Quintic): boolean {
  return canonical(a).every((value) => value === 0n);
}

export function equals(a: Quintic, b: Quintic): boolean {
  return isZero(sub(a, b, zero()));
}

/** Units add up. */
export function add(a: Quintic, b: Quintic, out: Quintic): Quintic {
  for (let at = 0; at < SIZE; at++) out[at] = a[at]! + b[at]!;
  return out;
}

/** Units add up. */
export function sub(a: Quintic, b: Quintic, out: Quintic): Quintic {
  for (let at = 0; at < SIZE; at++) out[at] = a[at]! - b[at]!;
  return out;
}

/** Units are multiplied by the factor's size. */
export function scale(a: Quintic, factor: number, out: Quintic): Quintic {
  for (let at = 0; at < SIZE; at++) out[at] = a[at]! * factor;
  return out;
}

/** a·factor·z, one unit. The factor is a small integer: the curve's constant b is 263·z. */
export function scaleByZ(a: Quintic, factor: number, out: Quintic): Quintic {
  const f0 = 3 * factor * a[12]!;
  const f1 = 3 * factor * a[13]!;
  const f2 = 3 * factor * a[14]!;
  for (let at = SIZE - 1; at >= field.LIMBS; at--) out[at] = factor * a[at - field.LIMBS]!;
  out[0] = f0;
  out[1] = f1;
  out[2] = f2;
  return carry(out);
}

/** Brings a sum back to one unit, in place. */
export function carry(a: Quintic): Quintic {
  for (let at = 0; at < SIZE; at += field.LIMBS) field.carryAt(a, at);
  return a;
}

const wrapped = new Float64Array((2 * DEGREE - 1) * field.LIMBS);
const sums = new Float64Array(DEGREE * 5);

/** a·b, one unit. */
export function mul(a: Quintic, b: Quintic, out: Quintic): Quintic {
  // wrapped[m + 4] is b[m], or 3·b[m + 5] where the power of z has passed 5: then every sum is one straight convolution.
  for (let at = 0; at < 12; at++) wrapped[at] = 3 * b[at + 3]!;
  for (let at = 0; at < SIZE; at++) wrapped[at + 12] = b[at]!;
  for (let k = 0; k < DEGREE; k++) {
    let c0 = 0;
    let c1 = 0;
    let c2 = 0;
    let c3 = 0;
    let c4 = 0;
    let bAt = (k + 4) * 3;
    for (let aAt = 0; aAt < SIZE; aAt += 3, bAt -= 3) {
      const a0 = a[aAt]!;
      const a1 = a[aAt + 1]!;
      const a2 = a[aAt + 2]!;
      const b0 = wrapped[bAt]!;
      const b1 = wrapped[bAt + 1]!;
      const b2 = wrapped[bAt + 2]!;
      c0 += a0 * b0;
      c1 += a0 * b1 + a1 * b0;
      c2 += a0 * b2 + a1 * b1 + a2 * b0;
      c3 += a1 * b2 + a2 * b1;
      c4 += a2 * b2;
    }
    const at = k * 5;
    sums[at] = c0;
    sums[at + 1] = c1;
    sums[at + 2] = c2;
    sums[at + 3] = c3;
    sums[at + 4] = c4;
  }
  for (let k = 0; k < DEGREE; k++) field.reduceAt(sums, k * 5, out, k * 3);
  return out;
}

export function square(a: Quintic, out: Quintic): Quintic {
  return mul(a, a, out);
}

/** a^(p^times): linear, because z^p = z·FROBENIUS. */
export function frobenius(a: Quintic, times: 1 | 2): Quintic {
  const out = Float64Array.from(a);
  const factors = times === 1 ? FROBENIUS_1 : FROBENIUS_2;
  for (let at = 0; at < SIZE; at += field.LIMBS) field.mulAt(a, at, factors, at, out, at);
  return out;
}

/** 1/a, or zero for zero: with f = a^(p + p² + p³ + p⁴), a·f is the norm, which lies in the base field. */
export function inverseOrZero(a: Quintic): Quintic {
  const cofactor = normCofactor(a);
  const scalar = field.inverse(mul(a, cofactor, zero()).slice(0, field.LIMBS));
  return scaleByBase(cofactor, scalar);
}

/** Whether a is a non-zero square; a is one exactly if its norm is one in the base field. */
export function isNonZeroSquare(a: Quintic): boolean {
  return field.isNonZeroSquare(mul(a, normCofactor(a), zero()).slice(0, field.LIMBS));
}

/** A square root of a, or nothing if a is no square. Which of the two is not specified. */
export function findSquareRoot(a: Quintic): Quintic | undefined {
  // With d = a^((p+1)/2) and e = d^(p + p³), a·e² is a^(1 + p + p² + p³ + p⁴): the norm, which lies in the base field.
  const v = power(a, 31);
  const d = mul(mul(a, power(v, 32), zero()), inverseOrZero(v), zero());
  const e = frobenius(mul(d, frobenius(d, 2), zero()), 1);
  const inBase = mul(a, square(e, zero()), zero()).slice(0, field.LIMBS);
  const root = field.findSquareRoot(inBase);
  if (root === undefined) return undefined;
  return scaleByBase(inverseOrZero(e), root);
}

/** a^(2^exponent). */
function power(a: Quintic, exponent: number): Quintic {
  const out = Float64Array.from(a);
  for (let turn = 0; turn < exponent; turn++) square(out, out);
  return out;
}

function normCofactor(a: Quintic): Quintic {
  const d = frobenius(a, 1);
  const e = mul(d, frobenius(d, 1), zero());
  return mul(e, frobenius(e, 2), zero());
}

function scaleByBase(a: Quintic, scalar: Float64Array): Quintic {
  const out = zero();
  for (let at = 0; at < SIZE; at += field.LIMBS) field.mulAt(a, at, scalar, 0, out, at);
  return out;
}

/** 3^((p−1)/5): z^p = z·(z^5)^((p−1)/5). */
const FROBENIUS = 1041288259238279555n;
const FROBENIUS_1 = frobeniusFactors(FROBENIUS);
const FROBENIUS_2 = frobeniusFactors((FROBENIUS * FROBENIUS) % field.ORDER);

function frobeniusFactors(base: bigint): Quintic {
  const powers = [1n];
  while (powers.length < DEGREE) powers.push(((powers.at(-1) ?? 1n) * base) % field.ORDER);
  return quintic(...powers);
}
