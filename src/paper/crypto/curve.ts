/**
 * ECgFp5: y² = x(x² + 2x + 263z) over GF(p^5), as a group of prime order n ≈ 2^319 with a canonical encoding of a point as
 * one field element w = y/x (https://github.com/pornin/ecgfp5).
 *
 * A point is (x, u) = (X/Z, U/T) with u = x/y; the neutral element is (0, 0), and the addition formulas have no special
 * cases. Scalars are integers in [0, n). Nothing here is constant-time: the paper exchange holds no secrets worth timing.
 */
import * as fp5 from './quintic';
import type { Quintic } from './quintic';

export interface Point {
  readonly x: Quintic;
  readonly z: Quintic;
  readonly u: Quintic;
  readonly t: Quintic;
}

/** n, the number of points. */
export const GROUP_ORDER =
  1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241n;

/** The curve's b is this times z. */
const B = 263;

const ONE = fp5.quintic(1n);
const TWO = fp5.quintic(2n);
const HALF = fp5.inverseOrZero(TWO);
const FOUR_B = fp5.scaleByZ(ONE, 4 * B, fp5.zero());

export const NEUTRAL: Point = { x: fp5.zero(), z: ONE, u: fp5.zero(), t: ONE };

export const GENERATOR: Point = {
  x: fp5.quintic(
    12883135586176881569n,
    4356519642755055268n,
    5248930565894896907n,
    2165973894480315022n,
    2448410071095648785n,
  ),
  z: ONE,
  u: ONE,
  t: fp5.quintic(4n),
};

/** The canonical encoding w = y/x = T/U as five integers; the neutral element encodes as zero. */
export function encode(point: Point): bigint[] {
  return fp5.canonical(fp5.mul(point.t, fp5.inverseOrZero(point.u), fp5.zero()));
}

/** The point with encoding w, or nothing if there is none; zero is the neutral element. */
export function decode(coefficients: readonly bigint[]): Point | undefined {
  const w = fp5.quintic(...coefficients);
  if (fp5.isZero(w)) return NEUTRAL;
  // Dividing the curve equation by x gives x² − (w² − 2)x + 263z = 0; of its two roots exactly one is no square.
  const e = fp5.carry(fp5.sub(fp5.square(w, fp5.zero()), TWO, fp5.zero()));
  const delta = fp5.carry(fp5.sub(fp5.square(e, fp5.zero()), FOUR_B, fp5.zero()));
  const root = fp5.findSquareRoot(delta);
  if (root === undefined) return undefined;
  const first = fp5.mul(fp5.add(e, root, fp5.zero()), HALF, fp5.zero());
  const second = fp5.mul(fp5.sub(e, root, fp5.zero()), HALF, fp5.zero());
  return { x: fp5.isNonZeroSquare(first) ? second : first, z: ONE, u: ONE, t: w };
}

/** P + Q in ten multiplications. Units in brackets; 25 is the limit for a product. */
export function add(p: Point, q: Point): Point {
  const t1 = fp5.mul(p.x, q.x, fp5.zero());
  const t2 = fp5.mul(p.z, q.z, fp5.zero());
  const t3 = fp5.mul(p.u, q.u, fp5.zero());
  const t4 = fp5.mul(p.t, q.t, fp5.zero());
  const t5 = crossSum(p.x, p.z, q.x, q.z, t1, t2); // [1]
  const t6 = crossSum(p.u, p.t, q.u, q.t, t3, t4); // [1]
  const bt2 = fp5.scaleByZ(t2, B, fp5.zero());
  const t7 = fp5.add(t1, bt2, fp5.zero()); // [2]
  const t8 = fp5.mul(t4, t7, fp5.zero());
  const inner = fp5.scaleByZ(t5, 2 * B, fp5.zero());
  fp5.add(inner, t7, inner);
  fp5.add(inner, t7, inner); // [5]
  const t9 = fp5.mul(t3, inner, fp5.zero());
  const left = fp5.add(t4, fp5.scale(t3, 2, fp5.zero()), fp5.zero()); // [3]
  const t10 = fp5.mul(left, fp5.add(t5, t7, fp5.zero()), fp5.zero()); // [3]·[3]
  return {
    x: fp5.scaleByZ(fp5.sub(t10, t8, t10), B, fp5.zero()),
    z: fp5.carry(fp5.sub(t8, t9, fp5.zero())),
    u: fp5.mul(t6, fp5.sub(bt2, t1, bt2), fp5.zero()),
    t: fp5.carry(fp5.add(t8, t9, fp5.zero())),
  };
}

/** −P: u changes its sign. */
export function negate(p: Point): Point {
  return { x: p.x, z: p.z, u: fp5.scale(p.u, -1, fp5.zero()), t: p.t };
}

export function isNeutral(p: Point): boolean {
  return fp5.isZero(p.u);
}

/** (a + b)(c + d) − ac − bd = ad + bc, one unit. */
function crossSum(a: Quintic, b: Quintic, c: Quintic, d: Quintic, ac: Quintic, bd: Quintic): Quintic {
  const product = fp5.mul(fp5.add(a, b, fp5.zero()), fp5.add(c, d, fp5.zero()), fp5.zero());
  return fp5.carry(fp5.sub(fp5.sub(product, ac, product), bd, product));
}

const WINDOW_BITS = 4;
const WINDOWS = 80; // 320 bits; a scalar below 2^319 has a top digit of at most 7 + 1, so nothing is carried out
const DIGITS = 8; // signed digits: −7…8, so 1…8 are stored

/** The multiples d·16^i·P for d in 1…8 and every window i: makes a multiplication 80 additions and no doubling. */
export class Multiples {
  readonly #rows: Point[][] = [];

  constructor(point: Point) {
    let base = point;
    for (let row = 0; row < WINDOWS; row++) {
      const multiples = [base];
      while (multiples.length < DIGITS) multiples.push(add(multiples.at(-1) ?? NEUTRAL, base));
      this.#rows.push(multiples);
      const eighth = multiples.at(-1) ?? NEUTRAL;
      base = add(eighth, eighth);
    }
  }

  /** start + scalar·P, for a scalar in [0, n). */
  addMultiple(start: Point, scalar: bigint): Point {
    let result = start;
    let carried = 0;
    let rest = scalar;
    for (const row of this.#rows) {
      let digit = Number(rest & 15n) + carried;
      rest >>= BigInt(WINDOW_BITS);
      carried = digit > DIGITS ? 1 : 0;
      if (carried === 1) digit -= 16;
      const multiple = row[Math.abs(digit) - 1];
      if (multiple !== undefined) result = add(result, digit < 0 ? negate(multiple) : multiple);
    }
    return result;
  }
}
