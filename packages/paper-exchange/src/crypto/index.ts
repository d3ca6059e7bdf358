/**
 * The exchange's cryptography: transaction hashes, signatures and authentication tokens, the same as the official
 * signer's (LP §3.4, §4).
 *
 * Pure: no Node, no clock, no randomness, no private key beyond the call that is given one. Nothing here throws for what
 * came over the wire; malformed input is `undefined` or `false`.
 */
import { base64ToBytes, hexToBytes, wordsOf } from './bytes';
import { derivePublicKey, verify } from './schnorr';

export { parseAuthToken, verifyAuthToken, type AuthToken } from './auth-token';
export { txHash } from './tx-hash';
export { parseTxInfo, type TxInfo } from './tx-info';

/** Whether `sigBase64` (the `Sig` of a tx_info) signs the transaction hash under the public key. */
export function verifySignature(publicKeyHex: string, hashHex: string, sigBase64: string): boolean {
  const publicKey = hexToBytes(publicKeyHex);
  const message = hexToBytes(hashHex);
  const signature = base64ToBytes(sigBase64);
  if (publicKey === undefined || message === undefined || signature === undefined) return false;
  return verify(publicKey, wordsOf(message), signature);
}

/** The public key (80 lowercase hex digits) of a private key in hex; nothing for a text that is no key. */
export function publicKeyOf(privateKeyHex: string): string | undefined {
  const privateKey = hexToBytes(privateKeyHex);
  return privateKey && derivePublicKey(privateKey);
}
