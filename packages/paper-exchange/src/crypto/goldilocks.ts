/**
 * The Goldilocks field, p = 2^64 − 2^32 + 1, in floating-point registers.
 *
 * An element is three *signed* limbs of 22 bits, l0 + l1·2^22 + l2·2^44, in a Float64Array. Doubles hold integers exactly
 * up to 2^53, so the product of two limbs (2^42) leaves room to add many products before anything is reduced, and signed
 * limbs make a subtraction as cheap as an addition. BigInt would need about 100 ns for what takes about 15 ns here; that
 * is the difference between verifying every transaction and not.
 *
 * The bound everything rests on: a *reduced* element has |limb| < 1.01·2^21 ("one unit"). A sum of n reduced elements has
 * n units. `reduceAt` accepts coefficients below 2^52; each caller shows that it stays below.
 * Representations are redundant: compare elements only after `toCanonical`.
 */

export const ORDER = 0xffffffff00000001n;

/** Doubles per field element. */
export const LIMBS = 3;

/** Adding and subtracting 1.5·2^74 rounds a double to the nearest multiple of 2^22: the carry of a signed limb. */
const ROUND = 1.5 * 2 ** 74;
const LIMB = 2 ** 22;
const PER_LIMB = 2 ** -22;

/** Writes any integer, taken modulo p, as two units. */
export function fromBigInt(value: bigint, out: Float64Array, at: number): void {
  let rest = value % ORDER;
  if (rest < 0n) rest += ORDER;
  const low = Number(rest & 0xfffffffffffn);
  const middle = Math.floor(low * PER_LIMB);
  out[at] = low - middle * LIMB;
  out[at + 1] = middle;
  out[at + 2] = Number(rest >> 44n);
}

/** The one integer in [0, p) that the limbs stand for. */
export function toCanonical(limbs: Float64Array, at: number): bigint {
  const value = BigInt(limbs[at] ?? 0) + (BigInt(limbs[at + 1] ?? 0) << 22n) + (BigInt(limbs[at + 2] ?? 0) << 44n);
  const rest = value % ORDER;
  return rest < 0n ? rest + ORDER : rest;
}

/**
 * Reduces the five coefficients c[from…from+4] (weights 2^0, 2^22, 2^44, 2^66, 2^88; each below 2^52) to one unit.
 * Uses 2^66 ≡ 2^34 − 2^2, 2^88 ≡ 2^56 − 2^24 and 2^110 ≡ −2^14.
 */
export function reduceAt(c: Float64Array, from: number, out: Float64Array, at: number): void {
  const c0 = c[from]!;
  let high = c0 + ROUND - ROUND;
  const d0 = c0 - high;
  const c1 = c[from + 1]! + high * PER_LIMB;
  high = c1 + ROUND - ROUND;
  const d1 = c1 - high;
  const c2 = c[from + 2]! + high * PER_LIMB;
  high = c2 + ROUND - ROUND;
  const d2 = c2 - high;
  const c3 = c[from + 3]! + high * PER_LIMB;
  high = c3 + ROUND - ROUND;
  const d3 = c3 - high;
  const c4 = c[from + 4]! + high * PER_LIMB;
  high = c4 + ROUND - ROUND;
  const d4 = c4 - high;
  const d5 = high * PER_LIMB;

  // |l0| < 2^45, |l1| and |l2| < 2^34.
  const l0 = d0 - 4 * d3 - 16384 * d5;
  high = l0 + ROUND - ROUND;
  const e0 = l0 - high;
  const l1 = d1 + 4096 * d3 - 4 * d4 + high * PER_LIMB;
  high = l1 + ROUND - ROUND;
  const e1 = l1 - high;
  const l2 = d2 + 4096 * d4 + high * PER_LIMB;
  high = l2 + ROUND - ROUND;
  const top = high * PER_LIMB; // weight 2^66 again, |top| ≤ 2^12

  const f1 = e1 + 4096 * top;
  const carry = f1 + ROUND - ROUND;
  out[at] = e0 - 4 * top;
  out[at + 1] = f1 - carry;
  out[at + 2] = l2 - high + carry * PER_LIMB;
}

/** Brings a sum of up to 10 000 units back to one unit, in place: what is carried past the top comes back four times. */
export function carryAt(a: Float64Array, at: number): void {
  const l0 = a[at]!;
  let high = l0 + ROUND - ROUND;
  const e0 = l0 - high;
  const l1 = a[at + 1]! + high * PER_LIMB;
  high = l1 + ROUND - ROUND;
  const e1 = l1 - high;
  const l2 = a[at + 2]! + high * PER_LIMB;
  high = l2 + ROUND - ROUND;
  const top = high * PER_LIMB;

  const f1 = e1 + 4096 * top;
  const carry = f1 + ROUND - ROUND;
  a[at] = e0 - 4 * top;
  a[at + 1] = f1 - carry;
  a[at + 2] = l2 - high + carry * PER_LIMB;
}

const product = new Float64Array(5);

/** out = a·b, one unit. The units of a times the units of b may reach 340: three products of 2^42 stay below 2^52. */
export function mulAt(a: Float64Array, aAt: number, b: Float64Array, bAt: number, out: Float64Array, at: number): void {
  const a0 = a[aAt]!;
  const a1 = a[aAt + 1]!;
  const a2 = a[aAt + 2]!;
  const b0 = b[bAt]!;
  const b1 = b[bAt + 1]!;
  const b2 = b[bAt + 2]!;
  product[0] = a0 * b0;
  product[1] = a0 * b1 + a1 * b0;
  product[2] = a0 * b2 + a1 * b1 + a2 * b0;
  product[3] = a1 * b2 + a2 * b1;
  product[4] = a2 * b2;
  reduceAt(product, 0, out, at);
}

/** a[at] = a[at]·b[bAt] + (s0, s1, s2), one unit: the inner step of Poseidon2's linear layer. */
export function mulAddAt(a: Float64Array, at: number, b: Float64Array, bAt: number, s: Float64Array): void {
  const a0 = a[at]!;
  const a1 = a[at + 1]!;
  const a2 = a[at + 2]!;
  const b0 = b[bAt]!;
  const b1 = b[bAt + 1]!;
  const b2 = b[bAt + 2]!;
  product[0] = a0 * b0 + s[0]!;
  product[1] = a0 * b1 + a1 * b0 + s[1]!;
  product[2] = a0 * b2 + a1 * b1 + a2 * b0 + s[2]!;
  product[3] = a1 * b2 + a2 * b1;
  product[4] = a2 * b2;
  reduceAt(product, 0, a, at);
}

/** a^(2^times)·b for single elements (three doubles each); inputs reduced, result reduced and fresh. */
export function squareTimesMul(a: Float64Array, times: number, b: Float64Array): Float64Array {
  const out = Float64Array.from(a);
  for (let turn = 0; turn < times; turn++) mulAt(out, 0, out, 0, out, 0);
  mulAt(out, 0, b, 0, out, 0);
  return out;
}

/** 1/a = a^(p−2); zero stays zero. p − 2 is 31 ones, a zero, 32 ones in binary, hence the chain of runs of ones. */
export function inverse(a: Float64Array): Float64Array {
  const ones31 = power31Ones(a);
  return squareTimesMul(squareTimesMul(ones31, 1, constant(1n)), 32, squareTimesMul(ones31, 1, a));
}

/** A square root of a, or nothing if a is no square (Tonelli and Shanks; p − 1 = 2^32·(2^32 − 1)). */
export function findSquareRoot(a: Float64Array): Float64Array | undefined {
  if (toCanonical(a, 0) === 0n) return constant(0n);
  const w = power31Ones(a); // a^((t−1)/2) with t = 2^32 − 1
  const root = squareTimesMul(w, 0, a); // a^((t+1)/2)
  const rest = squareTimesMul(root, 0, w); // a^t, a 2^32-th root of unity
  let generator = ROOT_OF_UNITY;
  let order = 32;
  while (toCanonical(rest, 0) !== 1n) {
    let log = 0;
    for (let probe = rest; log < order && toCanonical(probe, 0) !== 1n; log++)
      probe = squareTimesMul(probe, 1, constant(1n));
    if (log >= order) return undefined;
    const step = squareTimesMul(generator, order - log - 1, constant(1n));
    generator = squareTimesMul(step, 1, constant(1n));
    order = log;
    mulAt(root, 0, step, 0, root, 0);
    mulAt(rest, 0, generator, 0, rest, 0);
  }
  return root;
}

/** Whether a is a non-zero square: a^((p−1)/2) = 1. */
export function isNonZeroSquare(a: Float64Array): boolean {
  const power = squareTimesMul(squareTimesMul(power31Ones(a), 1, a), 31, constant(1n));
  return toCanonical(power, 0) === 1n;
}

/** A fresh element with the value of an integer, reduced. */
export function constant(value: bigint): Float64Array {
  const out = new Float64Array(LIMBS);
  fromBigInt(value, out, 0);
  carryAt(out, 0);
  return out;
}

/** a^(2^31 − 1). */
function power31Ones(a: Float64Array): Float64Array {
  const ones2 = squareTimesMul(a, 1, a);
  const ones3 = squareTimesMul(ones2, 1, a);
  const ones6 = squareTimesMul(ones3, 3, ones3);
  const ones12 = squareTimesMul(ones6, 6, ones6);
  const ones24 = squareTimesMul(ones12, 12, ones12);
  const ones30 = squareTimesMul(ones24, 6, ones6);
  return squareTimesMul(ones30, 1, a);
}

/** 7^((p−1)/2^32), a primitive 2^32-th root of unity. */
const ROOT_OF_UNITY = constant(7277203076849721926n);
