/** What the owner of an account signs with the wallet, as an Ethereum personal message (EIP-191), and who signed it (LP §3.10). */
import type * as Ox from 'ox' with { 'resolution-mode': 'import' };

export interface KeyChangeTerms {
  /** 80 hex digits. */
  readonly publicKey: string;
  readonly nonce: number;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
}

export function keyChangeMessage({ publicKey, nonce, accountIndex, apiKeyIndex }: KeyChangeTerms): string {
  const hex = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
  return [
    'Register Lighter Account\n',
    `pubkey: 0x${publicKey}`,
    `nonce: ${hex(nonce)}`,
    `account index: ${hex(accountIndex)}`,
    `api key index: ${hex(apiKeyIndex)}`,
    'Only sign this message for a trusted client!',
  ].join('\n');
}

/** The signer's address in lower case; nothing for a text that is no signature. */
export function signerOf(message: string, signature: string): string | undefined {
  const { Hex, PersonalMessage, Secp256k1, Signature } = ethereum();
  try {
    const payload = PersonalMessage.getSignPayload(Hex.fromString(message));
    return Secp256k1.recoverAddress({
      payload,
      signature: Signature.fromHex(signature as `0x${string}`),
    }).toLowerCase();
  } catch {
    return undefined;
  }
}

/** Loaded on first use, a tenth of a second: hardly any exchange sees a key change. */
export function ethereum(): typeof Ox {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- see above; its declarations are ES-module only, its code is not
  return require('ox') as typeof Ox;
}
