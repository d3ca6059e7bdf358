/** Key changes (type 8) as the exchange takes them: the new key's signature and the owner's (LP §3.10); sub-accounts (type 9). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ethereum } from '../src/l1-signature';
import { officialSigner } from './crypto/official-signer';
import type { Answer, Row, TestExchange } from './helpers';
import { quietExchange } from './helpers';

const { Address, Hex, PersonalMessage, Secp256k1, Signature } = ethereum();
const chainId = 304;
const [account, empty] = [400, 401];
const ownerKey = `0x${'11'.repeat(32)}` as const;
const strangersKey = `0x${'22'.repeat(32)}` as const;
const owner = Address.fromPublicKey(Secp256k1.getPublicKey({ privateKey: ownerKey }));
const signer = officialSigner();
let exchange: TestExchange;

beforeEach(async () => {
  exchange = await quietExchange();
  await exchange.post('/_paper/accounts', { account_index: account, l1_address: owner, collateral: '10' });
  await exchange.post('/_paper/accounts', { account_index: empty, l1_address: owner });
});
afterEach(() => exchange.close());

interface Change {
  readonly of?: number;
  readonly apiKeyIndex?: number;
  readonly nonce?: number;
  readonly l1Key?: `0x${string}`;
  /** What the owner signs instead of the signer's own message. */
  readonly message?: (text: string) => string;
  /** Sent instead of what was signed. */
  readonly fields?: Row;
}

/** A fresh key for the slot, signed by itself and by the owner. */
async function change(how: Change = {}): Promise<Answer & { readonly publicKey: string }> {
  const { of = account, apiKeyIndex = 5, nonce = 0, l1Key = ownerKey, message = (text: string) => text, fields } = how;
  const { publicKey } = signer.createClient(chainId, apiKeyIndex, BigInt(of));
  const signed = signer.sign('SignChangePubKey', publicKey, 0, nonce, apiKeyIndex, BigInt(of));
  const payload = PersonalMessage.getSignPayload(Hex.fromString(message(signed.messageToSign ?? '')));
  const L1Sig = Signature.toHex(Secp256k1.sign({ payload, privateKey: l1Key }));
  const answer = await exchange.send(8, { ...(JSON.parse(signed.txInfo) as Row), L1Sig, ...fields });
  return { ...answer, publicKey: publicKey.replace(/^0x/, '') };
}

const listed = async (of = account): Promise<Row> =>
  (await exchange.get(`/api/v1/apikeys?account_index=${of}&api_key_index=255`)).body;

describe('a key change', () => {
  it('registers a slot, and replaces its key at its next nonce; the text is the one that the signer shows', async () => {
    const first = await change({
      message: (text) => {
        expect(text).toMatch(
          /^Register Lighter Account\n\npubkey: 0x[0-9a-f]{80}\nnonce: 0x0{16}\naccount index: 0x0{13}190\napi key index: 0x0{15}5\nOnly sign this message for a trusted client!$/,
        );
        return text;
      },
    });
    expect(first.body['code']).toBe(200);
    expect((await listed())['api_keys']).toEqual([
      expect.objectContaining({ api_key_index: 5, public_key: first.publicKey, nonce: 1 }),
    ]);
    const second = await change({ nonce: 1 });
    expect(second.body['code']).toBe(200);
    expect(((await listed())['api_keys'] as Row[])[0]).toMatchObject({ public_key: second.publicKey, nonce: 2 });
  });

  it.each<[string, Change, number]>([
    ['signed by a stranger', { l1Key: strangersKey }, 21504],
    ['of another text', { message: (text) => `${text} ` }, 21504],
    ['without the owner’s signature', { fields: { L1Sig: '' } }, 21504],
    ['with garbage in its place', { fields: { L1Sig: '0x1234' } }, 21504],
    ['for another slot than was signed', { fields: { ApiKeyIndex: 6 } }, 21120],
    ['not signed by the new key', { fields: { Sig: Buffer.alloc(80, 1).toString('base64') } }, 21120],
    ['at another nonce', { nonce: 1 }, 21104],
    ['of an account without money', { of: empty }, 21126],
  ])('%s is refused and leaves nothing', async (_what, how, code) => {
    const answer = await change(how);
    expect([answer.status, answer.body['code']]).toEqual([400, code]);
    expect([await listed(how.of), await exchange.get('/api/v1/nextNonce?account_index=400&api_key_index=5')]).toEqual([
      { code: 21109, message: 'api key not found' },
      expect.objectContaining({ body: { code: 200, nonce: 0 } }),
    ]);
  });
});

it('a sub-account of the owner: empty, as many as the tier allows', async () => {
  await change();
  const next = (nonce: number, of = account): Promise<Answer> => {
    const { txInfo } = signer.sign('SignCreateSubAccount', 0, nonce, 5, BigInt(of));
    return exchange.send(9, JSON.parse(txInfo) as Row);
  };
  for (const nonce of [1, 2, 3, 4]) expect((await next(nonce)).body['code']).toBe(200);
  const { sub_accounts: accounts } = (await exchange.get(`/api/v1/accountsByL1Address?l1_address=${owner}`)).body;
  expect((accounts as Row[]).map((row) => row['index'])).toEqual([account, empty, 700_004, 700_005, 700_006]);
  const { body } = await exchange.get('/api/v1/account?by=index&value=700006');
  expect((body['accounts'] as Row[])[0]).toMatchObject({ l1_address: owner, collateral: '0.000000' });
  // The fourth was one too many.
  const codes = ((await exchange.truth(account))['transactions'] as Row[]).map((row) => row['refusal_code'] as unknown);
  expect(codes.slice(-2)).toEqual([undefined, 21511]);
});
