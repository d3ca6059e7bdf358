/**
 * Lighter's Schnorr signatures (LP §3.4): (s, e) with e = H(encode(s·G + e·P) ‖ m), 80 bytes s‖e, little-endian.
 *
 * Verifies and derives public keys; it never signs and keeps no private key. The tables of the last public keys stay in
 * memory, because making one costs ten times a verification.
 */
import { littleEndian, wordsOf, wordsToHex } from './bytes';
import * as curve from './curve';
import { hashToQuintic } from './poseidon2';

/** Bounds the memory of the tables, 77 kB each. */
const KEYS_REMEMBERED_MAX = 1_024;

/** The generator's table is made once, so it may be large (0.6 MB); a key's must be made quickly. */
const GENERATOR_WINDOW_BITS = 8;
const KEY_WINDOW_BITS = 4;

const ELEMENT_BYTES = 40;

/** Whether `signature` (80 bytes) is one of `message` (a hash of five words) under `publicKey` (40 bytes). */
export function verify(publicKey: Uint8Array, message: readonly bigint[], signature: Uint8Array): boolean {
  if (publicKey.length !== ELEMENT_BYTES || signature.length !== 2 * ELEMENT_BYTES || message.length !== 5)
    return false;
  const s = littleEndian(signature.subarray(0, ELEMENT_BYTES));
  const e = littleEndian(signature.subarray(ELEMENT_BYTES));
  // One signature, one form: the scalars must be reduced, or anyone could restate a signature in other bytes.
  if (s >= curve.GROUP_ORDER || e >= curve.GROUP_ORDER) return false;
  const key = findKey(wordsOf(publicKey));
  if (key === undefined) return false;
  const commitment = generatorTimes(s);
  key.addMultiple(e, commitment);
  return challenge(curve.encode(commitment), message) === e;
}

/** The public key of a private key (40 bytes, little-endian), as 80 hex digits. */
export function derivePublicKey(privateKey: Uint8Array): string | undefined {
  if (privateKey.length !== ELEMENT_BYTES) return undefined;
  const scalar = littleEndian(privateKey) % curve.GROUP_ORDER;
  return wordsToHex(curve.encode(generatorTimes(scalar)));
}

function challenge(commitment: readonly bigint[], message: readonly bigint[]): bigint {
  const words = hashToQuintic([...commitment, ...message]);
  return words.reduceRight((value, word) => (value << 64n) | word, 0n) % curve.GROUP_ORDER;
}

let generatorMultiples: curve.Multiples | undefined;

function generatorTimes(scalar: bigint): curve.Point {
  generatorMultiples ??= new curve.Multiples(curve.GENERATOR, GENERATOR_WINDOW_BITS);
  const sum = curve.place();
  curve.add(curve.NEUTRAL, curve.NEUTRAL, sum);
  generatorMultiples.addMultiple(scalar, sum);
  return sum;
}

const remembered = new Map<string, curve.Multiples>();

/** The table of a public key; nothing for bytes that are no point, and for the neutral point, for which all could sign. */
function findKey(words: readonly bigint[]): curve.Multiples | undefined {
  const name = words.join();
  let multiples = remembered.get(name);
  if (multiples === undefined) {
    const point = curve.decode(words);
    if (point === undefined || curve.isNeutral(point)) return undefined;
    multiples = new curve.Multiples(point, KEY_WINDOW_BITS);
  }
  // Re-inserting keeps the map in order of last use, so that the first entry is the one to forget.
  remembered.delete(name);
  remembered.set(name, multiples);
  const oldest = remembered.keys().next();
  if (remembered.size > KEYS_REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value);
  return multiples;
}
