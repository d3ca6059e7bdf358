/**
 * ECgFp5: y² = x(x² + 2x + 263z) over GF(p^5), as a group of prime order n ≈ 2^319 with a canonical encoding of a point as
 * one field element w = y/x (https://github.com/pornin/ecgfp5).
 *
 * A point is (x, u) = (X/Z, U/T) with u = x/y; the neutral element is (0, 0), and the addition formulas have no special
 * cases. Scalars are integers in [0, n). Nothing here is constant-time: the paper exchange holds no secrets worth timing.
 */
import * as fp5 from './quintic';
import type { Quintic } from './quintic';

/** x and u have one unit (see goldilocks.ts), z and t up to two. */
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

/** A place for a point, holding none yet. */
export function place(): Point {
  return placeIn(fp5.zeroes(4), 0);
}

/**
 * out = P + Q in ten multiplications; `out` may be P or Q. Units in brackets; 25 is the limit for a product. z and t are left
 * with two units, x and u with one, so that the widest factors below are [3]·[3].
 */
export function add(p: Point, q: Point, out: Point): void {
  fp5.mul(p.x, q.x, t1);
  fp5.mul(p.z, q.z, t2);
  fp5.mul(p.u, q.u, t3);
  fp5.mul(p.t, q.t, t4);
  crossSum(p.x, p.z, q.x, q.z, t1, t2, t5); // [1]
  crossSum(p.u, p.t, q.u, q.t, t3, t4, t6); // [1]
  fp5.scaleByZ(t2, B, t2); // t2·b from here on
  fp5.add(t1, t2, t7); // [2]
  fp5.mul(t4, t7, t8);
  fp5.scaleByZ(t5, 2 * B, t9);
  fp5.add(t9, t7, t9);
  fp5.add(t9, t7, t9); // [5]
  fp5.mul(t3, t9, t9);
  fp5.add(t4, fp5.scale(t3, 2, t3), t4); // [3]
  fp5.mul(t4, fp5.add(t5, t7, t5), t10); // [3]·[3]
  fp5.scaleByZ(fp5.sub(t10, t8, t10), B, out.x);
  fp5.sub(t8, t9, out.z);
  fp5.mul(t6, fp5.sub(t2, t1, t2), out.u);
  fp5.add(t8, t9, out.t);
}

export function isNeutral(p: Point): boolean {
  return fp5.isZero(p.u);
}

const WINDOW_BITS = 4;
const WINDOWS = 80; // 320 bits; a scalar below 2^319 has a top digit of at most 7 + 1, so nothing is carried out
const DIGITS = 8; // signed digits: −7…8, so 1…8 are stored

/** The multiples d·16^i·P for d in 1…8 and every window i: makes a multiplication 80 additions and no doubling. */
export class Multiples {
  readonly #points: readonly Point[];

  constructor(point: Point) {
    const block = fp5.zeroes(4 * WINDOWS * DIGITS);
    const points = Array.from({ length: WINDOWS * DIGITS }, (_, index) => placeIn(block, index));
    let base = point;
    for (let row = 0; row < WINDOWS; row++) {
      let last = NEUTRAL;
      for (const multiple of points.slice(row * DIGITS, (row + 1) * DIGITS)) {
        add(last, base, multiple);
        last = multiple;
      }
      base = place();
      add(last, last, base);
    }
    this.#points = points;
  }

  /** sum += scalar·P, for a scalar in [0, n). */
  addMultiple(scalar: bigint, sum: Point): void {
    let rest = scalar;
    let carried = 0;
    for (let row = 0; row < WINDOWS; row++) {
      const digit = Number(rest & 15n) + carried;
      rest >>= BigInt(WINDOW_BITS);
      carried = digit > DIGITS ? 1 : 0;
      const size = carried === 1 ? 16 - digit : digit;
      const multiple = this.#points[row * DIGITS + size - 1];
      if (size !== 0 && multiple !== undefined) add(sum, carried === 1 ? negate(multiple) : multiple, sum);
    }
  }
}

const [t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, cross, negated] = [
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
  fp5.zero(),
] as const;

function placeIn(block: readonly Quintic[], index: number): Point {
  const [x, z, u, t] = block.slice(4 * index, 4 * index + 4);
  if (x === undefined || z === undefined || u === undefined || t === undefined) throw new RangeError('block too short');
  return { x, z, u, t };
}

/** −P, valid until the next call: u changes its sign. */
function negate(p: Point): Point {
  return { x: p.x, z: p.z, u: fp5.scale(p.u, -1, negated), t: p.t };
}

/** out = (a + b)(c + d) − ac − bd = ad + bc, one unit. */
function crossSum(a: Quintic, b: Quintic, c: Quintic, d: Quintic, ac: Quintic, bd: Quintic, out: Quintic): void {
  fp5.mul(fp5.add(a, b, cross), fp5.add(c, d, out), out);
  fp5.carry(fp5.sub(fp5.sub(out, ac, out), bd, out));
}
