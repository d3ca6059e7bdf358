/**
 * Auth tokens of one account (LP §4): minted locally, cached, renewed long before their deadline.
 *
 * A token is a bearer secret for reads: it goes into a header or a subscribe frame and nowhere else.
 */
import type { Clock } from './clock';
import type { Signer } from './signer';

/** The server refuses more than 8 h ahead; four leave room for any plausible clock error. */
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

  constructor(
    private readonly options: {
      readonly signer: Signer;
      readonly clock: Clock;
      readonly accountIndex: number;
      readonly lane: number;
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
      if (token !== undefined && this.options.clock.wallMs() < token.renewAtMs) return token;
      if (this.#current === present) this.#current = undefined;
    }
    this.#current ??= this.#mint();
    return this.#current;
  }

  /** Forgets the cached token: the exchange did not like it. */
  drop(): void {
    this.#current = undefined;
  }

  async #mint(): Promise<Token> {
    const { signer, clock, accountIndex, lane, lifeMs, skewMs } = this.options;
    const now = clock.wallMs();
    const deadlineS = Math.ceil((now + (skewMs() ?? 0) + lifeMs) / 1000);
    const text = await signer.authToken({ accountIndex, lane, deadlineS });
    return { text, renewAtMs: now + lifeMs * TOKEN_RENEW_AT };
  }
}
