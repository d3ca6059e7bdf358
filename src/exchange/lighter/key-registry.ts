/**
 * The slots of one account's API keys: which public key each holds, and the change of one (LP §3.10).
 *
 * What is sent is held against what was asked, as for every transaction: the signer's text for the owner too, since a person or a
 * wallet signs it unseen. Resends nothing.
 */
import type { Clock } from '../../clock';
import type { Nonce } from '../../domain/ids-and-nonces';
import type { Read, SendOutcome } from '../../domain/records';
import { TX_CHANGE_KEY } from '../../domain/records';
import type { ClockSkew } from './clock-skew';
import { untilTaken } from './early-bytes';
import { unknown } from './errors';
import { parseKeySlots, parseNextNonce } from './parse';
import type { Rest } from './rest';
import { SignerError, type ApiKeyPair, type SignedKeyChange, type Signer } from './signer';
import { Tokens } from './tokens';

export interface KeyChange {
  readonly lane: number;
  readonly nonce: Nonce;
  readonly pair: ApiKeyPair;
}

/** No slot of the account was ever used. */
const NO_KEYS = /\bcode 21109\b/;
const TOKEN_LIFE_MS = 60_000;

export class KeyRegistry {
  constructor(
    private readonly deps: {
      readonly rest: Rest;
      readonly signer: Signer;
      readonly clock: Clock;
      readonly skew: ClockSkew;
      readonly chainId: number;
      readonly accountIndex: number;
    },
  ) {}

  /** API key index → the public key registered there; slots that hold none are left out. */
  async slots(): Promise<Read<ReadonlyMap<number, string>>> {
    const { rest, accountIndex } = this.deps;
    const read = await rest.read('/api/v1/apikeys', { account_index: accountIndex, api_key_index: 255 }, parseKeySlots);
    if (!read.ok) return NO_KEYS.test(read.reason) ? { ok: true, value: new Map() } : read;
    const held = [...read.value].flatMap(([lane, key]): [number, string][] => (key === undefined ? [] : [[lane, key]]));
    return { ok: true, value: new Map(held) };
  }

  nextNonce(lane: number): Promise<Read<Nonce>> {
    const query = { account_index: this.deps.accountIndex, api_key_index: lane };
    return this.deps.rest.read('/api/v1/nextNonce', query, (body) => parseNextNonce(body) as Nonce);
  }

  /** What the owner signs. */
  async message(change: KeyChange): Promise<string> {
    return (await this.#sign(change)).message;
  }

  async change(change: KeyChange, ownersSignature: string): Promise<SendOutcome> {
    const { clock, skew } = this.deps;
    const { txInfo, txHash } = await this.#sign(change);
    const info = JSON.parse(txInfo) as { readonly ExpiredAt: number };
    const signed = JSON.stringify({ ...info, L1Sig: ownersSignature });
    const why = await untilTaken(info.ExpiredAt, { clock, provenNowMs: () => skew.provenNowMs() });
    if (why !== undefined) return unknown(txHash, `not sent: ${why}`);
    const answered = await this.deps.rest.sendTx({ txType: TX_CHANGE_KEY, txHash, txInfo: () => signed });
    return answered.kind === 'unlisted' ? { ...answered, kind: 'rejected' } : answered;
  }

  /** Exactly these keys of the account may only quote and cancel from now on; `signedBy` is a lane that is registered with the signer. */
  setMakerOnly(lanes: readonly number[], signedBy: number): Promise<Read<undefined>> {
    const { rest, signer, clock, skew, accountIndex } = this.deps;
    const tokens = new Tokens({
      ...{ signer, clock, accountIndex, lanes: [signedBy], lifeMs: TOKEN_LIFE_MS },
      skewMs: () => skew.estimateMs(),
    });
    const form = { account_index: String(accountIndex), api_key_indexes: JSON.stringify(lanes) };
    return rest.post('/api/v1/setMakerOnlyApiKeys', form, tokens);
  }

  close(): Promise<void> {
    return this.deps.rest.close();
  }

  async #sign({ lane, nonce, pair }: KeyChange): Promise<SignedKeyChange> {
    const { signer, accountIndex, chainId } = this.deps;
    const release = signer.register({ accountIndex, lane, chainId, privateKey: pair.privateKey });
    try {
      const { publicKey } = pair;
      const signed = await signer.signKeyChange({ accountIndex, lane, nonce, publicKey });
      const info = JSON.parse(signed.txInfo) as Readonly<Record<string, unknown>>;
      const isAsked =
        info['AccountIndex'] === accountIndex &&
        info['ApiKeyIndex'] === lane &&
        info['Nonce'] === Number(nonce) &&
        info['PubKey'] === Buffer.from(publicKey, 'hex').toString('base64') &&
        signed.message === keyChangeText({ publicKey, nonce, accountIndex, lane });
      if (!isAsked) throw new SignerError('the signer signed another key change than asked for: nothing was sent');
      return signed;
    } finally {
      release();
    }
  }
}

export function keyChangeText(change: {
  readonly publicKey: string;
  readonly nonce: bigint;
  readonly accountIndex: number;
  readonly lane: number;
}): string {
  const hex = (value: bigint | number): string => `0x${value.toString(16).padStart(16, '0')}`;
  return (
    `Register Lighter Account\n\npubkey: 0x${change.publicKey}\nnonce: ${hex(change.nonce)}\n` +
    `account index: ${hex(change.accountIndex)}\napi key index: ${hex(change.lane)}\n` +
    'Only sign this message for a trusted client!'
  );
}
