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
/** Doubles per element. */
export const SIZE = DEGREE * field.LIMBS;

export function zero(): Quintic {
  return new Float64Array(SIZE);
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

const s = new Float64Array(DEGREE * 5);

/**
 * a·b, one unit. Written out, because a loop costs half as much again and nearly all of a verification is spent here. w stands
 * for b where the power of z has passed 5 (z^5 = 3); five sums, of the weights 2^0 … 2^88, for each of the five coefficients.
 */
// prettier-ignore
export function mul(a: Quintic, b: Quintic, out: Quintic): Quintic {
  const a0 = a[0]!, a1 = a[1]!, a2 = a[2]!, b0 = b[0]!, b1 = b[1]!, b2 = b[2]!;
  const a3 = a[3]!, a4 = a[4]!, a5 = a[5]!, b3 = b[3]!, b4 = b[4]!, b5 = b[5]!;
  const a6 = a[6]!, a7 = a[7]!, a8 = a[8]!, b6 = b[6]!, b7 = b[7]!, b8 = b[8]!;
  const a9 = a[9]!, a10 = a[10]!, a11 = a[11]!, b9 = b[9]!, b10 = b[10]!, b11 = b[11]!;
  const a12 = a[12]!, a13 = a[13]!, a14 = a[14]!, b12 = b[12]!, b13 = b[13]!, b14 = b[14]!;
  const w3 = 3 * b3, w4 = 3 * b4, w5 = 3 * b5, w6 = 3 * b6, w7 = 3 * b7, w8 = 3 * b8;
  const w9 = 3 * b9, w10 = 3 * b10, w11 = 3 * b11, w12 = 3 * b12, w13 = 3 * b13, w14 = 3 * b14;
  s[0] = a0*b0 + a3*w12 + a6*w9 + a9*w6 + a12*w3;
  s[1] = a0*b1 + a1*b0 + a3*w13 + a4*w12 + a6*w10 + a7*w9 + a9*w7 + a10*w6 + a12*w4 + a13*w3;
  s[2] = a0*b2 + a1*b1 + a2*b0 + a3*w14 + a4*w13 + a5*w12 + a6*w11 + a7*w10 + a8*w9 + a9*w8 + a10*w7 + a11*w6 + a12*w5
    + a13*w4 + a14*w3;
  s[3] = a1*b2 + a2*b1 + a4*w14 + a5*w13 + a7*w11 + a8*w10 + a10*w8 + a11*w7 + a13*w5 + a14*w4;
  s[4] = a2*b2 + a5*w14 + a8*w11 + a11*w8 + a14*w5;
  s[5] = a0*b3 + a3*b0 + a6*w12 + a9*w9 + a12*w6;
  s[6] = a0*b4 + a1*b3 + a3*b1 + a4*b0 + a6*w13 + a7*w12 + a9*w10 + a10*w9 + a12*w7 + a13*w6;
  s[7] = a0*b5 + a1*b4 + a2*b3 + a3*b2 + a4*b1 + a5*b0 + a6*w14 + a7*w13 + a8*w12 + a9*w11 + a10*w10 + a11*w9 + a12*w8
    + a13*w7 + a14*w6;
  s[8] = a1*b5 + a2*b4 + a4*b2 + a5*b1 + a7*w14 + a8*w13 + a10*w11 + a11*w10 + a13*w8 + a14*w7;
  s[9] = a2*b5 + a5*b2 + a8*w14 + a11*w11 + a14*w8;
  s[10] = a0*b6 + a3*b3 + a6*b0 + a9*w12 + a12*w9;
  s[11] = a0*b7 + a1*b6 + a3*b4 + a4*b3 + a6*b1 + a7*b0 + a9*w13 + a10*w12 + a12*w10 + a13*w9;
  s[12] = a0*b8 + a1*b7 + a2*b6 + a3*b5 + a4*b4 + a5*b3 + a6*b2 + a7*b1 + a8*b0 + a9*w14 + a10*w13 + a11*w12 + a12*w11
    + a13*w10 + a14*w9;
  s[13] = a1*b8 + a2*b7 + a4*b5 + a5*b4 + a7*b2 + a8*b1 + a10*w14 + a11*w13 + a13*w11 + a14*w10;
  s[14] = a2*b8 + a5*b5 + a8*b2 + a11*w14 + a14*w11;
  s[15] = a0*b9 + a3*b6 + a6*b3 + a9*b0 + a12*w12;
  s[16] = a0*b10 + a1*b9 + a3*b7 + a4*b6 + a6*b4 + a7*b3 + a9*b1 + a10*b0 + a12*w13 + a13*w12;
  s[17] = a0*b11 + a1*b10 + a2*b9 + a3*b8 + a4*b7 + a5*b6 + a6*b5 + a7*b4 + a8*b3 + a9*b2 + a10*b1 + a11*b0 + a12*w14
    + a13*w13 + a14*w12;
  s[18] = a1*b11 + a2*b10 + a4*b8 + a5*b7 + a7*b5 + a8*b4 + a10*b2 + a11*b1 + a13*w14 + a14*w13;
  s[19] = a2*b11 + a5*b8 + a8*b5 + a11*b2 + a14*w14;
  s[20] = a0*b12 + a3*b9 + a6*b6 + a9*b3 + a12*b0;
  s[21] = a0*b13 + a1*b12 + a3*b10 + a4*b9 + a6*b7 + a7*b6 + a9*b4 + a10*b3 + a12*b1 + a13*b0;
  s[22] = a0*b14 + a1*b13 + a2*b12 + a3*b11 + a4*b10 + a5*b9 + a6*b8 + a7*b7 + a8*b6 + a9*b5 + a10*b4 + a11*b3 + a12*b2
    + a13*b1 + a14*b0;
  s[23] = a1*b14 + a2*b13 + a4*b11 + a5*b10 + a7*b8 + a8*b7 + a10*b5 + a11*b4 + a13*b2 + a14*b1;
  s[24] = a2*b14 + a5*b11 + a8*b8 + a11*b5 + a14*b2;
  for (let k = 0; k < DEGREE; k++) field.reduceAt(s, k * 5, out, k * 3);
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

/** out[i] = 1/list[i], none of them zero, at the price of one inversion and three products each (Montgomery). */
export function invertAll(list: readonly Quintic[], out: readonly Quintic[]): void {
  let running = ONE;
  list.forEach((a, index) => (running = mul(running, a, out[index]!)));
  const rest = inverseOrZero(running);
  for (let index = list.length - 1; index >= 0; index--) {
    mul(rest, out[index - 1] ?? ONE, out[index]!);
    mul(rest, list[index]!, rest);
  }
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

const ONE = quintic(1n);

/** 3^((p−1)/5): z^p = z·(z^5)^((p−1)/5). */
const FROBENIUS = 1041288259238279555n;
const FROBENIUS_1 = frobeniusFactors(FROBENIUS);
const FROBENIUS_2 = frobeniusFactors((FROBENIUS * FROBENIUS) % field.ORDER);

function frobeniusFactors(base: bigint): Quintic {
  const powers = [1n];
  while (powers.length < DEGREE) powers.push(((powers.at(-1) ?? 1n) * base) % field.ORDER);
  return quintic(...powers);
}
