/**
 * Poseidon2 over Goldilocks as Lighter uses it (LP §3.4): a sponge of width 12 and rate 8 that *overwrites* its first
 * elements with the input and does not pad. Inputs are integers; any integer is taken modulo p.
 *
 * Nothing here knows what a transaction is.
 */
import * as field from './goldilocks';
import {
  DIAGONAL,
  FULL_ROUND_CONSTANTS,
  FULL_ROUNDS,
  PARTIAL_ROUND_CONSTANTS,
  PARTIAL_ROUNDS,
  RATE,
  WIDTH,
} from './poseidon2-constants';

const SIZE = WIDTH * field.LIMBS;

/** The first `count` (at most 8) canonical outputs of the sponge over `inputs`. */
export function hash(inputs: readonly bigint[], count: number): bigint[] {
  const state = new Float64Array(SIZE);
  for (let from = 0; from < inputs.length; from += RATE) {
    const block = inputs.slice(from, from + RATE);
    block.forEach((value, index) => field.fromBigInt(value, state, index * field.LIMBS));
    permute(state);
  }
  return Array.from({ length: count }, (_, index) => field.toCanonical(state, index * field.LIMBS));
}

/** The hash as an element of GF(p^5), which is what gets signed and what a transaction hash prints. */
export function hashToQuintic(inputs: readonly bigint[]): bigint[] {
  return hash(inputs, 5);
}

/** The four-element digest used inside grouped orders. */
export function hashToFour(inputs: readonly bigint[]): bigint[] {
  return hash(inputs, 4);
}

const fullConstants = table(FULL_ROUND_CONSTANTS);
const partialConstants = table(PARTIAL_ROUND_CONSTANTS);
const diagonal = table(DIAGONAL);
const sum = new Float64Array(field.LIMBS);
const power = new Float64Array(field.LIMBS * 2);

function permute(state: Float64Array): void {
  mixFull(state);
  for (let round = 0; round < FULL_ROUNDS / 2; round++) fullRound(state, round);
  for (let round = 0; round < PARTIAL_ROUNDS; round++) partialRound(state, round);
  for (let round = FULL_ROUNDS / 2; round < FULL_ROUNDS; round++) fullRound(state, round);
}

function fullRound(state: Float64Array, round: number): void {
  const from = round * SIZE;
  for (let at = 0; at < SIZE; at++) state[at] = state[at]! + fullConstants[from + at]!;
  for (let at = 0; at < SIZE; at += field.LIMBS) seventhPower(state, at);
  mixFull(state);
}

function partialRound(state: Float64Array, round: number): void {
  for (let limb = 0; limb < field.LIMBS; limb++) state[limb] = state[limb]! + partialConstants[round * 3 + limb]!;
  seventhPower(state, 0);
  sum.fill(0);
  for (let at = 0; at < SIZE; at += field.LIMBS) {
    for (let limb = 0; limb < field.LIMBS; limb++) sum[limb] = sum[limb]! + state[at + limb]!;
  }
  for (let at = 0; at < SIZE; at += field.LIMBS) field.mulAddAt(state, at, diagonal, at, sum);
}

/** state[at]^7; the input may have a few units, the result has one. */
function seventhPower(state: Float64Array, at: number): void {
  field.mulAt(state, at, state, at, power, 0);
  field.mulAt(power, 0, state, at, power, 3);
  field.mulAt(power, 3, power, 3, power, 0);
  field.mulAt(power, 0, state, at, state, at);
}

/**
 * The full rounds' matrix: circ(2M, M, M) with the 4×4 block M = [2 3 1 1; 1 2 3 1; 1 1 2 3; 3 1 1 2]. Limb by limb, since
 * it is linear; a result has up to 28·2 units, carried back to one.
 */
function mixFull(state: Float64Array): void {
  for (let limb = 0; limb < field.LIMBS; limb++) {
    for (let block = limb; block < SIZE; block += 12) {
      const a = state[block]!;
      const b = state[block + 3]!;
      const c = state[block + 6]!;
      const d = state[block + 9]!;
      const all = a + b + c + d;
      state[block] = all + a + 2 * b;
      state[block + 3] = all + b + 2 * c;
      state[block + 6] = all + c + 2 * d;
      state[block + 9] = all + d + 2 * a;
    }
    for (let row = limb; row < 12; row += field.LIMBS) {
      const column = state[row]! + state[row + 12]! + state[row + 24]!;
      state[row] = state[row]! + column;
      state[row + 12] = state[row + 12]! + column;
      state[row + 24] = state[row + 24]! + column;
    }
  }
  for (let at = 0; at < SIZE; at += field.LIMBS) field.carryAt(state, at);
}

function table(values: readonly bigint[]): Float64Array {
  const out = new Float64Array(values.length * field.LIMBS);
  values.forEach((value, index) => {
    field.fromBigInt(value, out, index * field.LIMBS);
    field.carryAt(out, index * field.LIMBS);
  });
  return out;
}
