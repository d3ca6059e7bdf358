/**
 * Goal: the hash of a transaction recorded on the real venue, so that these tests mean something even where the official
 * signer is missing. Recorded by a third party on the testnet in July 2026 (LP §3.4).
 */
import { expect, test } from '@jest/globals';
import { parseAuthToken, parseTxInfo, txHash, verifyAuthToken, verifySignature } from '../../src/crypto';
import * as vectors from './vectors';

const recorded = {
  AccountIndex: 1,
  ApiKeyIndex: 2,
  MarketIndex: 1,
  ClientOrderIndex: 123456789,
  BaseAmount: 1000,
  Price: 6500000,
  IsAsk: 0,
  Type: 0,
  TimeInForce: 2,
  ReduceOnly: 0,
  TriggerPrice: 0,
  OrderExpiry: 1800000000000,
  ExpiredAt: 1785428437806,
  Nonce: 42,
  Sig: '',
  L2TxAttributes: null,
};
const RECORDED_HASH = '70eea35982e01dfc151534c05cef8eaf161dd0b8e4fd7ff5e84b7bb2efe17a0522027e5ffa6287c9';

test('the recorded order hashes to the recorded hash', () => {
  expect(txHash(300, 14, recorded)).toBe(RECORDED_HASH);
});

test('the hash covers the chain, the type and every hashed field, and not the signature', () => {
  expect(txHash(304, 14, recorded)).not.toBe(RECORDED_HASH);
  expect(txHash(300, 14, { ...recorded, Sig: 'other' })).toBe(RECORDED_HASH);
  for (const name of Object.keys(recorded).filter((key) => key !== 'Sig' && key !== 'L2TxAttributes')) {
    const other = { ...recorded, [name]: (recorded as Record<string, unknown>)[name] === 1 ? 3 : 1 };
    expect([name, txHash(300, 14, other)]).not.toEqual([name, RECORDED_HASH]);
  }
});

test('a transaction without attributes is the same as one with empty or absent-valued attributes', () => {
  const { L2TxAttributes: _, ...bare } = recorded;
  for (const attributes of [{}, { '5': 255 }, { '4': 0, '6': 0, '7': 0, '8': 0 }]) {
    expect(txHash(300, 14, { ...recorded, L2TxAttributes: attributes })).toBe(RECORDED_HASH);
  }
  expect(txHash(300, 14, bare)).toBe(RECORDED_HASH);
  expect(txHash(300, 14, { ...recorded, L2TxAttributes: { '4': 1 } })).not.toBe(RECORDED_HASH);
});

test.each([
  ['an unsupported type', 21, recorded],
  ['a missing field', 14, { ...recorded, Price: undefined }],
  ['a text for a number', 14, { ...recorded, Price: '6500000' }],
  ['a fraction', 14, { ...recorded, Price: 0.5 }],
  ['a number beyond its type', 14, { ...recorded, Price: 2 ** 32 }],
  ['a number that is no longer exact', 14, { ...recorded, BaseAmount: 2 ** 53 }],
  ['an unknown attribute', 14, { ...recorded, L2TxAttributes: { '9': 1 } }],
  ['an attribute that is no number', 14, { ...recorded, L2TxAttributes: { '4': true } }],
  ['an attribute key in another spelling', 14, { ...recorded, L2TxAttributes: { '04': 1 } }],
  ['five attributes', 14, { ...recorded, L2TxAttributes: { '1': 1, '2': 1, '3': 1, '4': 1, '8': 1 } }],
  ['attributes in a list', 14, { ...recorded, L2TxAttributes: [] }],
  ['a group without orders', 28, { ...recorded, GroupingType: 1, Orders: [] }],
  ['a public key that is none', 8, { ...recorded, PubKey: 'AAAA' }],
])('%s has no hash', (_name, type, info) => {
  expect(txHash(300, type, info)).toBeUndefined();
});

test('parseTxInfo keeps an order index beyond 2^53, which JSON.parse would change', () => {
  const text =
    '{"Index":1152921504606846975,"Price":9007199254740991,"Memo":"1234567890123456789 \\" 12","F":0.12345678901234567890}';
  const info = parseTxInfo(text);
  expect(info).toEqual({
    Index: 1152921504606846975n,
    Price: Number.MAX_SAFE_INTEGER,
    Memo: '1234567890123456789 " 12',
    F: 0.12345678901234568,
  });
  expect(parseTxInfo('[1]')).toBeUndefined();
  expect(parseTxInfo('{')).toBeUndefined();
});

test('a transaction and a token of the official signer, kept as text, hash and verify', () => {
  const info = parseTxInfo(vectors.TX_INFO) ?? {};
  expect(txHash(304, vectors.TX_TYPE, info)).toBe(vectors.TX_HASH);
  expect(verifySignature(vectors.PUBLIC_KEY, vectors.TX_HASH, String(info['Sig']))).toBe(true);
  expect(verifySignature(vectors.PUBLIC_KEY, RECORDED_HASH, String(info['Sig']))).toBe(false);
  expect(verifyAuthToken(vectors.AUTH_TOKEN, vectors.PUBLIC_KEY)).toBe(true);
  expect(parseAuthToken(vectors.AUTH_TOKEN)).toEqual({
    deadlineSeconds: 1900000000,
    accountIndex: 1234,
    apiKeyIndex: 5,
  });
  expect(parseAuthToken('1:2:3')).toBeUndefined();
});
