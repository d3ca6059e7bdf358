/**
 * The hash of a transaction (LP §3.4): a pure function of its signed fields, known to the client before it sends, and
 * therefore the name under which both sides speak of it. The signature is not part of it.
 *
 * Never throws: what cannot be hashed is `undefined`, and the exchange answers 21501 or 21505.
 */
import { base64ToBytes, wordsOf, wordsToHex } from './bytes';
import { hashToFour, hashToQuintic } from './poseidon2';
import { findFields, GROUPED_ORDER_FIELDS, isRecord, readInteger, type Field, type TxInfo } from './tx-info';

/** The transaction hash as five words, or nothing for an unsupported type or malformed fields. */
export function hashTransaction(chainId: number, txType: number, info: TxInfo): bigint[] | undefined {
  const fields = findFields(txType);
  if (fields === undefined || !Number.isSafeInteger(chainId)) return undefined;
  const head = elementsOf(info, HEAD_FIELDS);
  const body = elementsOf(info, fields);
  if (head === undefined || body === undefined) return undefined;
  const plain = hashToQuintic([BigInt(chainId), BigInt(txType), ...head, ...body]);
  const attributes = readAttributes(info['L2TxAttributes']);
  if (attributes === undefined) return undefined;
  return attributes.length === 0 ? plain : hashToQuintic([...plain, ...hashToQuintic(attributes)]);
}

/** The same as 80 lowercase hex digits, as sendTx returns it. */
export function txHash(chainId: number, txType: number, info: TxInfo): string | undefined {
  const words = hashTransaction(chainId, txType, info);
  return words && wordsToHex(words);
}

const HEAD_FIELDS: readonly Field[] = [
  ['Nonce', 'i64'],
  ['ExpiredAt', 'i64'],
];

const PUBLIC_KEY_BYTES = 40;

/** LP §2.6: a group has two or three orders. */
const GROUPED_ORDERS_MAX = 3;

/** The field elements of the named fields, in order; nothing as soon as one is unfit. */
function elementsOf(info: TxInfo, fields: readonly Field[]): bigint[] | undefined {
  const elements: bigint[] = [];
  for (const field of fields) {
    const part = elementsOfField(info, field);
    if (part === undefined) return undefined;
    elements.push(...part);
  }
  return elements;
}

function elementsOfField(info: TxInfo, [name, kind]: Field): bigint[] | undefined {
  switch (kind) {
    case 'public key':
      return publicKeyElements(info[name]);
    case 'orders':
      return orderGroupElements(info[name]);
    case 'two words': {
      const amount = readInteger(info, name, kind);
      return amount === undefined ? undefined : [amount & 0xffffffffn, amount >> 32n];
    }
    case 'u8':
    case 'u16':
    case 'u32':
    case 'i16':
    case 'i64': {
      // Go converts a signed field to its 64-bit two's complement before the field reduces it.
      const value = readInteger(info, name, kind);
      return value === undefined ? undefined : [BigInt.asUintN(64, value)];
    }
  }
}

function publicKeyElements(value: unknown): bigint[] | undefined {
  const bytes = typeof value === 'string' ? base64ToBytes(value) : undefined;
  return bytes?.length === PUBLIC_KEY_BYTES ? wordsOf(bytes) : undefined;
}

/** The first order's digest, folded with each further one. */
function orderGroupElements(value: unknown): bigint[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > GROUPED_ORDERS_MAX) return undefined;
  let folded: bigint[] | undefined;
  for (const order of value as unknown[]) {
    const elements = isRecord(order) ? elementsOf(order, GROUPED_ORDER_FIELDS) : undefined;
    if (elements === undefined) return undefined;
    const digest = hashToFour(elements);
    folded = folded === undefined ? digest : hashToFour([...folded, ...digest]);
  }
  return folded;
}

const ATTRIBUTES_MAX = 4;

/**
 * The value that stands for "absent" of each attribute (LP §3.3). 8 is the order version of a modify: seen in signer 1.1.8,
 * which emits it for a version other than 0.
 */
const ABSENT_VALUES: ReadonlyMap<number, bigint> = new Map([
  [1, 0n],
  [2, 0n],
  [3, 0n],
  [4, 0n],
  [5, 255n],
  [6, 0n],
  [7, 0n],
  [8, 0n],
]);

/** (type, value) pairs sorted by type and padded with zeroes to four; empty if no attribute says anything. */
function readAttributes(value: unknown): bigint[] | undefined {
  if (value === null || value === undefined) return [];
  if (!isRecord(value)) return undefined;
  const pairs: [number, bigint][] = []; // ascending, because that is how an object lists keys that are integers
  for (const key of Object.keys(value)) {
    const type = /^[1-9]\d*$/.test(key) ? Number(key) : -1;
    const absent = ABSENT_VALUES.get(type);
    const attribute = readInteger(value, key, 'i64');
    if (absent === undefined || attribute === undefined || attribute < 0n) return undefined;
    if (attribute !== absent) pairs.push([type, attribute]);
  }
  if (pairs.length > ATTRIBUTES_MAX) return undefined;
  if (pairs.length === 0) return [];
  const elements = pairs.flatMap(([type, attribute]) => [BigInt(type), attribute]);
  while (elements.length < 2 * ATTRIBUTES_MAX) elements.push(0n);
  return elements;
}
