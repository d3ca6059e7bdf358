/**
 * The official signer through koffi, checked by an independent implementation of its arithmetic: what it signed is what we asked for,
 * under the hash it says, with the key we gave.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import {
  parseTxInfo,
  publicKeyOf,
  txHash,
  verifyAuthToken,
  verifySignature,
} from '../../packages/paper-exchange/src/crypto';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import { signCallOf, verifySigned } from '../../src/exchange/lighter/sign-request';
import { checkLayout } from '../../src/exchange/lighter/signer-check';
import { loadSigner, SignerError, type ApiKeyPair, type Signer } from '../../src/exchange/lighter/signer';
import type { TxRequest } from '../../src/exchange/port';
import { signerPath } from '../helpers/tools';

const CHAIN = 304;
const ACCOUNT = 516;
const nonce = 2_300_000_000_001n as Nonce;
const clientOrderIndex = 140_737_488_355_329n as ClientOrderIndex;
const base = { lane: 5, nonce, skipNonce: true } as const;
const order = { ...base, marketId: 1, clientOrderIndex, side: 'sell', lots: lots(20) } as const;

/** An order of slot 36 (LP §2.2); JSON.parse makes ...456 of it. */
const BEYOND = 14_355_223_812_243_457n as ClientOrderIndex;
const requests: Record<string, TxRequest> = {
  'market order, skip-nonce, masters compared': {
    ...order,
    kind: 'market-order',
    boundTicks: ticks(1_094_500),
    reduceOnly: false,
    selfTrade: { behaviour: 'expire-maker', compare: 'master' },
  },
  'market order, exact nonce, reduce-only': {
    ...order,
    kind: 'market-order',
    skipNonce: false,
    side: 'buy',
    boundTicks: ticks(1),
    reduceOnly: true,
    selfTrade: { behaviour: 'expire-maker', compare: 'account' },
  },
  'market order at the largest price and size': {
    ...order,
    kind: 'market-order',
    lots: lots((1n << 48n) - 1n),
    boundTicks: ticks((1n << 32n) - 1n),
    reduceOnly: false,
  },
  'post-only order in market 0': {
    ...order,
    kind: 'post-only-order',
    marketId: 0,
    priceTicks: ticks(1_094_500),
    expiryMs: 1_800_000_000_000,
  },
  'seal: limit, immediate-or-cancel': { ...order, kind: 'limit-ioc-order', priceTicks: ticks(1_000_000) },
  'cancel by client index': { ...base, kind: 'cancel-order', marketId: 36, index: clientOrderIndex },
  'cancel by exchange index, beyond 2^53': { ...base, kind: 'cancel-order', marketId: 36, index: BEYOND },
  'cancel all now': { ...base, kind: 'cancel-all-now' },
  'cancel all at a time': { ...base, kind: 'cancel-all-at', atMs: 1_800_000_000_000 },
  'cancel all, taken back': { ...base, kind: 'cancel-all-abort' },
  transfer: { ...base, kind: 'transfer', toAccountIndex: 281_474_976_710_600, amount: notional(123_456_789n) },
};

let signer: Signer;
let key: ApiKeyPair;
beforeAll(async () => {
  signer = loadSigner(signerPath());
  key = await signer.generateKey();
  signer.register({ accountIndex: ACCOUNT, lane: 5, chainId: CHAIN, privateKey: key.privateKey });
});

test('a library with another call layout is refused when it is loaded', () => {
  const answer = (fields: object) => ({ txInfo: JSON.stringify(fields), err: null });
  // As measured with an older layout (LP §8.3): it signs, with nonce 0.
  expect(() => checkLayout(({ expected }) => answer({ ...numbers(expected), Nonce: 0 }))).toThrow(
    /SignCreateOrder takes other arguments/,
  );
  expect(() => checkLayout(() => ({ txInfo: null, err: 'MarketIndex is not valid' }))).toThrow(
    /MarketIndex is not valid/,
  );
});
const numbers = (fields: Readonly<Record<string, bigint>>) =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Number(value)]));

test('a generated pair belongs together', () => {
  expect(publicKeyOf(key.privateKey)).toBe(key.publicKey);
});

const onBothThreads = Object.entries(requests).flatMap(([name, request]) =>
  (['beside', 'here'] as const).map((where) => [name, where, request] as const),
);

test.each(onBothThreads)('%s, signed %s', async (_name, where, request) => {
  const before = Date.now();
  const tx = await signer.sign(ACCOUNT, request, where);
  const info = JSON.parse(tx.txInfo()) as Record<string, unknown>;
  const from = request.kind === 'transfer' ? 'FromAccountIndex' : 'AccountIndex';
  expect(info).toMatchObject({ [from]: ACCOUNT, ApiKeyIndex: 5, Nonce: Number(nonce) });
  expect(tx.txHash).toBe(txHash(CHAIN, tx.txType, parseTxInfo(tx.txInfo()) ?? {}));
  expect(verifySignature(key.publicKey, tx.txHash, String(info['Sig']))).toBe(true);
  expect(tx.expiresAtMs).toBe(info['ExpiredAt']);
  expect(tx.expiresAtMs - before).toBeGreaterThan(590_000);
});

test('the attributes are those asked for, nil ones absent (LP §3.3)', async () => {
  const attributes = async (name: string): Promise<unknown> => {
    const request = requests[name];
    if (request === undefined) throw new Error(name);
    const tx = await signer.sign(ACCOUNT, request);
    return (JSON.parse(tx.txInfo()) as Record<string, unknown>)['L2TxAttributes'];
  };
  expect(await attributes('market order, skip-nonce, masters compared')).toEqual({ 4: 1, 7: 1 });
  expect(await attributes('market order, exact nonce, reduce-only')).toBeNull();
  expect(await attributes('cancel all now')).toEqual({ 4: 1 });
});

test('several accounts and lanes in one process each sign with their own key', async () => {
  const lanes = [
    { accountIndex: 516, lane: 6 },
    { accountIndex: 517, lane: 5 },
    { accountIndex: 517, lane: 6 },
  ];
  const pairs = await Promise.all(lanes.map(() => signer.generateKey()));
  lanes.forEach((lane, i) => signer.register({ ...lane, chainId: CHAIN, privateKey: pairs[i]?.privateKey ?? '' }));
  await Promise.all(
    lanes.map(async ({ accountIndex, lane }, i) => {
      const tx = await signer.sign(accountIndex, { ...base, lane, kind: 'cancel-all-now' });
      const info = JSON.parse(tx.txInfo()) as { Sig: string; AccountIndex: number; ApiKeyIndex: number };
      expect([info.AccountIndex, info.ApiKeyIndex]).toEqual([accountIndex, lane]);
      expect(verifySignature(pairs[i]?.publicKey ?? '', tx.txHash, info.Sig)).toBe(true);
      expect(verifySignature(key.publicKey, tx.txHash, info.Sig)).toBe(false);
    }),
  );
});

test('a lane in use accepts no second key; a lane given free does', async () => {
  const lane = { accountIndex: 600, lane: 5, chainId: CHAIN };
  const [one, two] = await Promise.all([signer.generateKey(), signer.generateKey()]);
  const release = signer.register({ ...lane, privateKey: one.privateKey });
  const again = signer.register({ ...lane, privateKey: one.privateKey });
  expect(() => signer.register({ ...lane, privateKey: two.privateKey })).toThrow(SignerError);
  release();
  release();
  expect(() => signer.register({ ...lane, privateKey: two.privateKey })).toThrow(SignerError);
  again();
  signer.register({ ...lane, privateKey: two.privateKey })();
});

test('an auth token verifies and has the deadline asked for', async () => {
  const deadlineS = Math.floor(Date.now() / 1000) + 3600;
  const token = await signer.authToken({ accountIndex: ACCOUNT, lane: 5, deadlineS });
  expect(token).toMatch(new RegExp(`^${deadlineS}:516:5:[0-9a-f]{160}$`));
  expect(verifyAuthToken(token, key.publicKey)).toBe(true);
});

test('no secret shows in a signed transaction or an error', async () => {
  const tx = await signer.sign(ACCOUNT, requests['cancel all now'] as TxRequest);
  const sig = (JSON.parse(tx.txInfo()) as { Sig: string }).Sig;
  const shown = `${inspect(tx, { depth: 9, showHidden: true })}${JSON.stringify({ ...tx, nonce: undefined }, (_k, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`;
  expect(shown).not.toContain(sig.slice(0, 20));
  const badKey = 'ab'.repeat(39);
  expect(() => signer.register({ accountIndex: 601, lane: 5, chainId: CHAIN, privateKey: badKey })).toThrow(
    SignerError,
  );
  try {
    signer.register({ accountIndex: 601, lane: 5, chainId: CHAIN, privateKey: badKey });
  } catch (error) {
    expect(inspect(error)).not.toContain(badKey.slice(0, 16));
  }
});

test('what cannot be signed is rejected before the library or by it, with a reason', async () => {
  const market = requests['market order, skip-nonce, masters compared'] as TxRequest & { kind: 'market-order' };
  await expect(signer.sign(ACCOUNT, { ...market, lots: lots(0) })).rejects.toThrow(RangeError);
  await expect(signer.sign(ACCOUNT, { ...market, boundTicks: ticks(1n << 32n) })).rejects.toThrow(RangeError);
  await expect(signer.sign(ACCOUNT, { ...market, lane: 77 })).rejects.toThrow(/client is not created/);
  expect(() => loadSigner('/nonexistent/signer.so')).toThrow(/nonexistent/);
});

describe('a library with another argument layout is found out (LP §8.3)', () => {
  const call = signCallOf(ACCOUNT, requests['market order, skip-nonce, masters compared'] as TxRequest);
  const honest = {
    ...Object.fromEntries(Object.entries(call.expected).map(([name, value]) => [name, Number(value)])),
    ExpiredAt: 1_800_000_000_000,
    Sig: 'A'.repeat(108),
    L2TxAttributes: { 4: 1, 7: 1 },
  };
  test('the honest answer passes', () => {
    expect(verifySigned(call, JSON.stringify(honest)).expiresAtMs).toBe(1_800_000_000_000);
  });
  test.each([...Object.keys(call.expected)])('another %s is refused', (name) => {
    expect(() => verifySigned(call, JSON.stringify({ ...honest, [name]: 3 }))).toThrow(name);
    expect(() => verifySigned(call, JSON.stringify({ ...honest, [name]: undefined }))).toThrow(name);
  });
  test.each([[null], [{ 4: 1 }], [{ 4: 1, 7: 1, 6: 3 }], [{}]])('attributes %j are refused', (L2TxAttributes) => {
    expect(() => verifySigned(call, JSON.stringify({ ...honest, L2TxAttributes }))).toThrow(/attributes/);
  });
  test('the index of an order is compared to its last digit, beyond 2^53 too', () => {
    const cancel = signCallOf(ACCOUNT, requests['cancel by exchange index, beyond 2^53'] as TxRequest);
    const rest = { ...numbers(cancel.expected), ExpiredAt: 1_800_000_000_000, Sig: 'A'.repeat(108) };
    const shown = (index: bigint): string =>
      JSON.stringify({ ...rest, L2TxAttributes: { 4: 1 }, Index: 'index' }).replace('"index"', String(index));
    expect(() => verifySigned(cancel, shown(BEYOND))).not.toThrow();
    for (const off of [-1n, 1n]) expect(() => verifySigned(cancel, shown(BEYOND + off))).toThrow(/signed Index/);
  });
});
