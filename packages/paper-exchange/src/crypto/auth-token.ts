/**
 * Authentication tokens of the form `deadline:account:key:signature` (LP §4).
 *
 * Reads and verifies; whether a deadline is acceptable, or the account and key exist, is for the caller to decide.
 */
import { hexToBytes, wordsOf } from './bytes';
import { hashToQuintic } from './poseidon2';
import { verify } from './schnorr';

export interface AuthToken {
  readonly deadlineSeconds: number;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
}

/** What a token claims, unverified; nothing for any other text. */
export function parseAuthToken(token: string): AuthToken | undefined {
  const match = TOKEN.exec(token);
  if (match === null) return undefined;
  const claims = {
    deadlineSeconds: Number(match[2]),
    accountIndex: Number(match[3]),
    apiKeyIndex: Number(match[4]),
  };
  return Object.values(claims).every(Number.isSafeInteger) ? claims : undefined;
}

/** Whether the token's signature is one of its text under the public key. Says nothing about its deadline. */
export function verifyAuthToken(token: string, publicKeyHex: string): boolean {
  const match = TOKEN.exec(token);
  const publicKey = hexToBytes(publicKeyHex);
  const signature = hexToBytes(match?.[5] ?? '');
  if (match === null || publicKey === undefined || signature === undefined) return false;
  const text = Uint8Array.from(match[1] ?? '', (character) => character.charCodeAt(0));
  return verify(publicKey, hashToQuintic(wordsOf(text)), signature);
}

const TOKEN = /^((\d{1,16}):(\d{1,16}):(\d{1,3})):([0-9a-fA-F]{160})$/;
