/** Authentication tokens of reads and subscriptions (LP §1.3, §4). Tokens are compared and forgotten; they are never logged. */
import { refuse } from './core/codes';
import type { Refusal } from './core/codes';
import { unregisteredKey } from './core/exchange';
import type { World } from './core/world';
import { parseAuthToken, verifyAuthToken } from './crypto';

/** Up to and including eight hours ahead (LP §4). */
const deadlineAheadMaxSeconds = 8 * 3600;

export type Authentication =
  | { readonly ok: true; readonly accountIndex: number; readonly apiKeyIndex: number }
  | { readonly ok: false; readonly httpStatus: number; readonly refusal: Refusal };

export class Authenticator {
  constructor(
    private readonly world: World,
    private readonly signatures: 'verify' | 'accept',
    private readonly nowMs: () => number,
  ) {}

  check(token: string | undefined, missing: string): Authentication {
    if (token === undefined || token === '') {
      return { ok: false, httpStatus: 400, refusal: refuse(20001, `invalid param : ${missing}`) };
    }
    const parsed = parseAuthToken(token);
    if (parsed === undefined) return denied('invalid auth string');
    const { deadlineSeconds, accountIndex, apiKeyIndex } = parsed;
    const nowSeconds = this.nowMs() / 1000;
    // The client's and our second may tick at different moments; an exact eight hours is accepted (LP §1.3).
    if (deadlineSeconds <= nowSeconds || deadlineSeconds > Math.ceil(nowSeconds) + deadlineAheadMaxSeconds) {
      return denied('invalid deadline');
    }
    const key = this.world.accounts.get(accountIndex)?.keys.get(apiKeyIndex);
    if (key === undefined || key.publicKey === unregisteredKey) return denied('invalid auth string');
    if (this.signatures === 'verify' && key.publicKey !== '' && !verifyAuthToken(token, key.publicKey)) {
      return denied('invalid auth string');
    }
    return { ok: true, accountIndex, apiKeyIndex };
  }

  /** A token reads its own account and the other accounts of the same owner. */
  mayRead(tokenAccount: number, accountIndex: number): boolean {
    if (tokenAccount === accountIndex) return true;
    const owner = this.world.accounts.get(tokenAccount)?.l1Address.toLowerCase();
    return owner !== undefined && owner === this.world.accounts.get(accountIndex)?.l1Address.toLowerCase();
  }
}

function denied(reason: string): Authentication {
  return { ok: false, httpStatus: 401, refusal: refuse(20013, `invalid auth: ${reason}`) };
}
