/**
 * Goal: for every transaction type that a client can sign, our hash is the official signer's, our verification accepts its
 * signatures, and rejects anything altered. Method: random fields, signed by the real library, read back from the very
 * tx_info it emits. The seed is printed on failure by fast-check, with the counter-example.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTxInfo, publicKeyOf, txHash, verifyAuthToken, verifySignature } from '../../src/crypto';
import { wordsOf } from '../../src/crypto/bytes';
import { hashToQuintic } from '../../src/crypto/poseidon2';
import { officialSigner } from './official-signer';

const CHAIN = 304;
const KEY = 5;
const ACCOUNT = 140737488355000n; // a master account: only those may create sub-accounts and pools
const signer = officialSigner();
const keys = signer.createClient(CHAIN, KEY, ACCOUNT);

const natural = (max: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 1n, max });
const market = fc.oneof(fc.integer({ min: 0, max: 254 }), fc.integer({ min: 2048, max: 4094 }));
const perpMarket = fc.integer({ min: 0, max: 254 });
const price = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const baseAmount = natural(2n ** 48n - 1n);
const clientIndex = natural(2n ** 48n - 1n);
const anyOrderIndex = natural(2n ** 60n - 1n);
const flag = fc.constantFrom(0, 1);
const tail = fc.record({ skipNonce: flag, nonce: fc.bigInt({ min: 0n, max: 2n ** 47n - 2n }) });
const expiry = fc.bigInt({ min: 1_900_000_000_000n, max: 2n ** 46n });
/** An integrator with fees, or a self-trade rule, or neither; the signer refuses fees together with a rule. */
const attributes = fc.oneof(
  fc.constant([0, 0, 0, 0, 0]),
  fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.nat(1000), fc.nat(1000), fc.constant(0), fc.constant(0)),
  fc.tuple(fc.constant(0), fc.constant(0), fc.constant(0), fc.nat(2), flag),
);

/** Signs with the official library, hashes its tx_info, verifies its signature. */
function check(signed: { txType: number; txInfo: string; txHash: string }): void {
  const info = parseTxInfo(signed.txInfo) ?? {};
  expect(txHash(CHAIN, signed.txType, info)).toBe(signed.txHash);
  expect(verifySignature(keys.publicKey, signed.txHash, String(info['Sig']))).toBe(true);
}

/** 30 random cases each; signing costs about a millisecond, so the whole file stays within seconds. */
function property<T extends [unknown, ...unknown[]]>(
  arbitraries: { [Index in keyof T]: fc.Arbitrary<T[Index]> },
  body: (...values: T) => void,
): void {
  fc.assert(fc.property(...arbitraries, body), { numRuns: 30 });
}

test('create order (14), with and without attributes', () => {
  property(
    [market, clientIndex, baseAmount, price, flag, fc.constantFrom(0, 1, 2), flag, expiry, attributes, tail],
    (m, index, base, ticks, isAsk, tif, reduceOnly, until, attribute, { skipNonce, nonce }) => {
      const last = [...attribute, skipNonce, nonce, KEY, ACCOUNT] as const;
      const orderExpiry = tif === 0 ? 0n : until; // the signer wants none for immediate-or-cancel
      check(signer.sign('SignCreateOrder', m, index, base, ticks, isAsk, 0, tif, reduceOnly, 0, orderExpiry, ...last));
    },
  );
});

test('cancel (15), by client index and by order index', () => {
  property([market, fc.oneof(clientIndex, anyOrderIndex), tail], (m, index, { skipNonce, nonce }) => {
    check(signer.sign('SignCancelOrder', m, index, skipNonce, nonce, KEY, ACCOUNT));
  });
});

test('cancel all (16): now, scheduled and aborted, in one market or in all', () => {
  property(
    [fc.constantFrom(0, 1, 2), expiry, fc.oneof(perpMarket, fc.constant(255)), tail],
    (tif, time, m, { skipNonce, nonce }) => {
      const at = tif === 1 ? time : 0n;
      const where = tif === 0 ? m : 255; // a single market can only be cancelled at once
      check(signer.sign('SignCancelAllOrders', tif, at, where, skipNonce, nonce, KEY, ACCOUNT));
    },
  );
});

test('modify (17), with attributes and with an order version', () => {
  property(
    [market, anyOrderIndex, baseAmount, price, fc.nat(2 ** 31), attributes, fc.nat(1000), tail],
    (m, index, base, ticks, trigger, attribute, version, { skipNonce, nonce }) => {
      const room = attribute.filter((value) => value !== 0).length + skipNonce < 4; // four attributes at most
      const last = [...attribute, skipNonce, nonce, room ? version : 0, KEY, ACCOUNT] as const;
      check(signer.sign('SignModifyOrder', m, index, base, ticks, trigger, ...last));
    },
  );
});

test('leverage (20) and isolated margin (29), whose amount may exceed 32 bits', () => {
  property(
    [perpMarket, fc.integer({ min: 1, max: 10000 }), flag, natural(2n ** 59n), tail],
    (m, fraction, mode, amount, { skipNonce, nonce }) => {
      const last = [skipNonce, nonce, KEY, ACCOUNT] as const;
      check(signer.sign('SignUpdateLeverage', m, fraction, mode, ...last));
      check(signer.sign('SignUpdateMargin', m, amount, mode, ...last));
    },
  );
});

test('grouped orders (28), two and three', () => {
  property(
    [perpMarket, baseAmount, price, flag, fc.constantFrom(1, 2, 3), expiry, attributes, tail],
    (m, base, ticks, isAsk, grouping, until, attribute, { skipNonce, nonce }) => {
      const common = { MarketIndex: m, ClientOrderIndex: 0, Price: ticks, OrderExpiry: until };
      const entry = {
        ...common,
        BaseAmount: base,
        IsAsk: isAsk,
        Type: 0,
        TimeInForce: 1,
        ReduceOnly: 0,
        TriggerPrice: 0,
      };
      const exit = (type: number): object => ({
        ...common,
        BaseAmount: grouping === 2 ? base : 0n,
        IsAsk: 1 - isAsk,
        Type: type,
        TimeInForce: 0,
        ReduceOnly: 1,
        TriggerPrice: ticks,
      });
      const orders = { 1: [entry, exit(2)], 2: [exit(2), exit(4)], 3: [entry, exit(2), exit(4)] }[grouping] ?? [];
      const last = [...attribute, skipNonce, nonce, KEY, ACCOUNT] as const;
      check(signer.sign('SignCreateGroupedOrders', grouping, orders, orders.length, ...last));
    },
  );
});

test('the account and money transactions (8, 9, 12, 13, 41, 42, 45)', () => {
  const other = signer.createClient(CHAIN, KEY + 1, ACCOUNT).publicKey;
  property(
    [natural(2n ** 47n), natural(2n ** 59n), natural(2n ** 40n), flag, expiry, tail],
    (account, amount, fee, route, until, { skipNonce, nonce }) => {
      const last = [skipNonce, nonce, KEY, ACCOUNT] as const;
      const memo = 'counterleg'.padEnd(32, '.');
      check(signer.sign('SignChangePubKey', other, ...last));
      check(signer.sign('SignCreateSubAccount', ...last));
      check(signer.sign('SignTransfer', account, 3, route, 1 - route, amount, fee, memo, ...last));
      check(signer.sign('SignWithdraw', 3, route, amount, ...last));
      check(signer.sign('SignUpdateAccountConfig', route, ...last));
      check(signer.sign('SignUpdateAccountAssetConfig', 3, route, ...last));
      check(signer.sign('SignApproveIntegrator', account, 1000, 900, 800, 700, until, ...last));
    },
  );
});

test('the pool and staking transactions (10, 11, 18, 19, 35, 36)', () => {
  property(
    [natural(2n ** 47n - 2n), natural(2n ** 59n), fc.nat(10000), tail],
    (pool, shares, rate, { skipNonce, nonce }) => {
      const last = [skipNonce, nonce, KEY, ACCOUNT] as const;
      const poolIndex = 2n ** 47n + pool;
      for (const name of ['SignMintShares', 'SignBurnShares', 'SignStakeAssets', 'SignUnstakeAssets'] as const) {
        check(signer.sign(name, poolIndex, shares, ...last));
      }
      check(signer.sign('SignCreatePublicPool', rate * 100, 1_000_000_000, rate, ...last));
      check(signer.sign('SignUpdatePublicPool', poolIndex, 0, rate * 100, rate, ...last));
    },
  );
});

test('the public key of a private key is the signer’s', () => {
  for (let turn = 0; turn < 10; turn++) {
    const pair = signer.createClient(CHAIN, KEY + 2, ACCOUNT);
    expect(`0x${publicKeyOf(pair.privateKey)}`).toBe(pair.publicKey);
  }
});

test('a signature with any byte altered, of another hash, or under another key, is rejected', () => {
  const signed = signer.sign('SignCancelOrder', 1, 123n, 0, 42n, KEY, ACCOUNT);
  const sig = String(parseTxInfo(signed.txInfo)?.['Sig']);
  const alter = (encoding: 'base64' | 'hex', text: string, at: number, bit: number): string => {
    const bytes = Buffer.from(text.replace(/^0x/, ''), encoding);
    bytes[at % bytes.length]! ^= 1 << bit;
    return bytes.toString(encoding);
  };
  expect(verifySignature(keys.publicKey, signed.txHash, sig)).toBe(true);
  property([fc.nat(79), fc.nat(7)], (at, bit) => {
    expect(verifySignature(keys.publicKey, signed.txHash, alter('base64', sig, at, bit))).toBe(false);
    expect(verifySignature(keys.publicKey, alter('hex', signed.txHash, at, bit), sig)).toBe(false);
    expect(verifySignature(alter('hex', keys.publicKey, at, bit), signed.txHash, sig)).toBe(false);
  });
  expect(verifySignature(signer.createClient(CHAIN, KEY + 3, ACCOUNT).publicKey, signed.txHash, sig)).toBe(false);
});

/** Group order n, and a scalar as 40 little-endian bytes. */
const ORDER = 1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241n;
const scalarBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(80, '0'), 'hex').reverse();
const scalarOf = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);

test('a signature restated with s + n, which is the same scalar in other bytes, is rejected', () => {
  // Only with s below 2^315 do s + n and s multiply alike (the top digit is then 8); one signature in 16 is such.
  for (let nonce = 0; ; nonce++) {
    const signed = signer.sign('SignCancelOrder', 1, 123n, 0, nonce, KEY, ACCOUNT);
    const sig = Buffer.from(String(parseTxInfo(signed.txInfo)?.['Sig']), 'base64');
    const s = scalarOf(sig.subarray(0, 40));
    if (s >= 2n ** 315n) continue;
    const restated = Buffer.concat([scalarBytes(s + ORDER), sig.subarray(40)]).toString('base64');
    expect(verifySignature(keys.publicKey, signed.txHash, sig.toString('base64'))).toBe(true);
    expect(verifySignature(keys.publicKey, signed.txHash, restated)).toBe(false);
    return;
  }
});

test('the neutral point is no public key: anyone could sign for it', () => {
  // With P neutral, s·G + e·P is s·G whatever e is, so that e can simply be computed.
  const s = scalarBytes(12345n);
  const commitment = wordsOf(Buffer.from(publicKeyOf(s.toString('hex')) ?? '', 'hex'));
  const hash = 'ab'.repeat(5).padEnd(80, '0');
  const e = hashToQuintic([...commitment, ...wordsOf(Buffer.from(hash, 'hex'))]).reduceRight(
    (v, w) => (v << 64n) | w,
    0n,
  );
  const forged = Buffer.concat([s, scalarBytes(e % ORDER)]).toString('base64');
  expect(verifySignature('00'.repeat(40), hash, forged)).toBe(false);
});

test('what is no signature, key or hash is rejected', () => {
  const signed = signer.sign('SignCancelOrder', 1, 123n, 0, 42n, KEY, ACCOUNT);
  const sig = Buffer.from(String(parseTxInfo(signed.txInfo)?.['Sig']), 'base64');
  expect(verifySignature(keys.publicKey, signed.txHash, Buffer.alloc(80).toString('base64'))).toBe(false);
  for (const text of ['', 'AAAA', sig.toString('hex'), `${sig.toString('base64')}AAAA`]) {
    expect(verifySignature(keys.publicKey, signed.txHash, text)).toBe(false);
  }
  expect(verifySignature('zz', signed.txHash, sig.toString('base64'))).toBe(false);
  expect(verifySignature(keys.publicKey, 'abcd', sig.toString('base64'))).toBe(false);
});

test('auth tokens verify under their key only, and only as signed', () => {
  property([fc.integer({ min: 1_700_000_000, max: 2_000_000_000 })], (deadline) => {
    const token = signer.authToken(deadline, KEY, ACCOUNT);
    expect(token.startsWith(`${deadline}:${ACCOUNT}:${KEY}:`)).toBe(true);
    expect(verifyAuthToken(token, keys.publicKey)).toBe(true);
    expect(verifyAuthToken(token.replace(/^\d/, '9'), keys.publicKey)).toBe(false);
    expect(verifyAuthToken(token.slice(0, -1), keys.publicKey)).toBe(false);
    expect(verifyAuthToken(`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`, keys.publicKey)).toBe(false);
  });
  const token = signer.authToken(1_900_000_000, KEY, ACCOUNT);
  expect(verifyAuthToken(token, signer.createClient(CHAIN, KEY + 4, ACCOUNT).publicKey)).toBe(false);
});
