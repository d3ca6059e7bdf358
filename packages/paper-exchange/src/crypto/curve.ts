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
  return { x: fp5.zero(), z: fp5.zero(), u: fp5.zero(), t: fp5.zero() };
}

/** out = P + Q in ten multiplications; `out` may be P or Q. Leaves x and u with one unit, z and t with two. */
export function add(p: Point, q: Point, out: Point): void {
  fp5.mul(p.x, q.x, t1);
  fp5.mul(p.z, q.z, t2);
  fp5.mul(p.u, q.u, t3);
  fp5.mul(p.t, q.t, t4);
  crossSum(p.x, p.z, q.x, q.z, t1, t2, t5);
  crossSum(p.u, p.t, q.u, q.t, t3, t4, t6);
  finishAdd(t2, t4, out);
}

/** The same for a Q with z = t = 1: eight multiplications. */
function addAffine(p: Point, x: Quintic, u: Quintic, out: Point): void {
  fp5.mul(p.x, x, t1);
  fp5.mul(p.u, u, t3);
  fp5.add(p.x, fp5.mul(p.z, x, t5), t5);
  fp5.add(p.u, fp5.mul(p.t, u, t6), t6);
  finishAdd(p.z, p.t, out);
}

/**
 * What both additions share, from t1 = xx, t2 = zz, t3 = uu, t4 = tt, t5 = xz + zx, t6 = ut + tu. Units in brackets; t1 and t3
 * come with one, the others with up to two. 25 is the limit for a product: the widest factors below are [4]·[4].
 */
function finishAdd(zz: Quintic, tt: Quintic, out: Point): void {
  fp5.scaleByZ(zz, B, t2); // b·zz [1]
  fp5.add(t1, t2, t7); // [2]
  fp5.mul(tt, t7, t8);
  fp5.scaleByZ(t5, 2 * B, t9);
  fp5.add(t9, t7, t9);
  fp5.add(t9, t7, t9); // [5]
  fp5.mul(t3, t9, t9);
  fp5.add(tt, fp5.scale(t3, 2, t3), t4); // [4]
  fp5.mul(t4, fp5.add(t5, t7, t5), t10); // [4]·[4]
  fp5.scaleByZ(fp5.sub(t10, t8, t10), B, out.x);
  fp5.sub(t8, t9, out.z);
  fp5.mul(t6, fp5.sub(t2, t1, t2), out.u);
  fp5.add(t8, t9, out.t);
}

export function isNeutral(p: Point): boolean {
  return fp5.isZero(p.u);
}

const SCALAR_BITS = 320;
const COORDINATE = fp5.SIZE;
const AFFINE_POINT = 2 * COORDINATE;

/**
 * The multiples d·2^(w·i)·P of one point, for d in 1…2^(w−1) and every window i of w bits: makes a multiplication 320/w additions
 * and no doubling. Kept with z = t = 1, as the 22-bit limbs they are: 120 bytes a point.
 *
 * Digits are signed, −2^(w−1) + 1 … 2^(w−1); a scalar below 2^319 carries nothing out at the top.
 */
export class Multiples {
  readonly #digits: number;
  readonly #rows: number;
  readonly #table: Int32Array;

  constructor(
    point: Point,
    private readonly windowBits: 4 | 8,
  ) {
    this.#digits = 2 ** (windowBits - 1);
    this.#rows = SCALAR_BITS / windowBits;
    this.#table = new Int32Array(this.#rows * this.#digits * AFFINE_POINT);
    const row = Array.from({ length: this.#digits }, place);
    const inverses = Array.from({ length: 2 * this.#digits }, fp5.zero);
    const base = place();
    add(NEUTRAL, point, base);
    for (let index = 0; index < this.#rows; index++) {
      let last = NEUTRAL;
      for (const multiple of row) {
        add(last, base, multiple);
        last = multiple;
      }
      add(last, last, base);
      this.#store(index, row, inverses);
    }
  }

  /** sum += scalar·P, for a scalar in [0, n). */
  addMultiple(scalar: bigint, sum: Point): void {
    const size = BigInt(this.windowBits);
    const mask = (1n << size) - 1n;
    let rest = scalar;
    let carried = 0;
    for (let row = 0; row < this.#rows; row++) {
      const digit = Number(rest & mask) + carried;
      rest >>= size;
      carried = digit > this.#digits ? 1 : 0;
      const steps = carried === 1 ? 2 * this.#digits - digit : digit;
      if (steps === 0) continue;
      const from = (row * this.#digits + steps - 1) * AFFINE_POINT;
      // −P is P with the other sign of u.
      const sign = carried === 1 ? -1 : 1;
      for (let at = 0; at < COORDINATE; at++) {
        loadedX[at] = this.#table[from + at]!;
        loadedU[at] = sign * this.#table[from + COORDINATE + at]!;
      }
      addAffine(sum, loadedX, loadedU, sum);
    }
  }

  /** Divides x by z and u by t, with one inversion for the whole row. */
  #store(index: number, row: readonly Point[], inverses: readonly Quintic[]): void {
    fp5.invertAll(
      row.flatMap((point) => [point.z, point.t]),
      inverses,
    );
    row.forEach((point, position) => {
      const at = (index * row.length + position) * AFFINE_POINT;
      this.#table.set(fp5.mul(point.x, inverses[2 * position]!, t1), at);
      this.#table.set(fp5.mul(point.u, inverses[2 * position + 1]!, t1), at + COORDINATE);
    });
  }
}

const [t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, cross, loadedX, loadedU] = [
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
  fp5.zero(),
] as const;

/** out = (a + b)(c + d) − ac − bd = ad + bc, one unit. */
function crossSum(a: Quintic, b: Quintic, c: Quintic, d: Quintic, ac: Quintic, bd: Quintic, out: Quintic): void {
  fp5.mul(fp5.add(a, b, cross), fp5.add(c, d, out), out);
  fp5.carry(fp5.sub(fp5.sub(out, ac, out), bd, out));
}
