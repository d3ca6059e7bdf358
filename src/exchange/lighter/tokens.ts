/**
 * Auth tokens of one account (LP §4): minted locally, cached, renewed long before their deadline.
 *
 * A token is a bearer secret for reads: it goes into a header or a subscribe frame and nowhere else. Any key of the account signs one,
 * so after a rejection it is the next key's turn: one revoked key must not make the account deaf and blind.
 */
import type { Clock } from '../../clock';
import { invariant } from '../../domain/assert';
import type { Signer } from './signer';

/** The server rejects more than 8 h ahead; four leave room for any plausible clock error. */
export const TOKEN_LIFE_MS = 4 * 3_600_000;
/** Share of its life after which a token is replaced. */
export const TOKEN_RENEW_AT = 0.75;

export interface Token {
  readonly text: string;
  /** Local wall time from which a new one is to be used. */
  readonly renewAtMs: number;
}

export class Tokens {
  #current: Promise<Token> | undefined;
  #minted: Token | undefined;
  #turn = 0;

  constructor(
    private readonly options: {
      readonly signer: Signer;
      readonly clock: Clock;
      readonly accountIndex: number;
      /** API keys to sign with, the first one first. At least one. */
      readonly lanes: readonly number[];
      readonly lifeMs: number;
      /** Exchange clock minus ours, if known: the deadline is read on the exchange's clock. */
      readonly skewMs: () => number | undefined;
    },
  ) {}

  /** A token with at least a quarter of its life left. */
  async token(): Promise<Token> {
    const present = this.#current;
    if (present !== undefined) {
      const token = await present.catch(() => undefined);
      if (token !== undefined && this.options.clock.epochMs() < token.renewAtMs) return token;
      if (this.#current === present) this.#current = undefined;
    }
    this.#current ??= this.#mint();
    return this.#current;
  }

  /** The exchange did not take `token`: the next one is signed with the next key. Many rejections of one token are one. */
  drop(token: Token): void {
    if (token !== this.#minted) return;
    this.#minted = undefined;
    this.#current = undefined;
    this.#turn += 1;
  }

  async #mint(): Promise<Token> {
    const { signer, clock, accountIndex, lanes, lifeMs, skewMs } = this.options;
    const lane = lanes[this.#turn % lanes.length];
    invariant(lane !== undefined, 'an account has at least one key');
    const now = clock.epochMs();
    const deadlineS = Math.ceil((now + (skewMs() ?? 0) + lifeMs) / 1000);
    const text = await signer.authToken({ accountIndex, lane, deadlineS });
    this.#minted = { text, renewAtMs: now + lifeMs * TOKEN_RENEW_AT };
    return this.#minted;
  }
}
