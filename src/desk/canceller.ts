/**
 * A's cancels and its dead-man's switch, sent with a key of their own that is never a lane: a cancel must not wait behind a
 * placement's nonce, nor take one (the lanes stay exact). Nonces skip: the larger of the millisecond clock and the last one + 1.
 */
import type { ClientOrderIndex, Nonce } from '../domain/ids';
import type { SendOutcome } from '../domain/records';
import { INVALID_NONCE } from '../domain/refusals';
import type { AccountPort, TxRequest } from '../exchange/port';

export interface CancellerOptions {
  readonly account: AccountPort;
  readonly lane: number;
  readonly now: () => number;
}

type Body =
  | { readonly kind: 'cancel-order'; readonly marketId: number; readonly index: ClientOrderIndex }
  | { readonly kind: 'cancel-all-at'; readonly atMs: number };

/** Two processes may pick the same millisecond; a second try picks another. */
const TRIES = 5;

export class Canceller {
  readonly #options: CancellerOptions;
  #last = 0n;
  /** One at a time: two requests in flight on one key may be processed in the wrong order (LP §0.1 (5)). */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: CancellerOptions) {
    this.#options = options;
  }

  /** A claim, not a fact: whatever it answers, only the order's record says that it is over (invariant 6). */
  cancel(marketId: number, index: ClientOrderIndex): Promise<SendOutcome> {
    return this.#send({ kind: 'cancel-order', marketId, index }).then((sent) => sent.outcome);
  }

  /** Sets the dead-man's switch; answers the nonce whose execution confirms it. */
  setSwitch(atMs: number): Promise<{ readonly outcome: SendOutcome; readonly nonce: Nonce }> {
    return this.#send({ kind: 'cancel-all-at', atMs });
  }

  #send(body: Body): Promise<{ readonly outcome: SendOutcome; readonly nonce: Nonce }> {
    const sent = this.#queue.then(() => this.#sendNow(body));
    this.#queue = sent.catch(() => undefined);
    return sent;
  }

  async #sendNow(body: Body): Promise<{ readonly outcome: SendOutcome; readonly nonce: Nonce }> {
    const { account, lane, now } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const clock = BigInt(Math.floor(now()));
      this.#last = clock > this.#last ? clock : this.#last + 1n;
      const nonce = this.#last as Nonce;
      const request: TxRequest = { ...body, lane, nonce, skipNonce: true };
      const outcome = await account.send(await account.sign(request));
      if (outcome.kind !== 'refused' || outcome.code !== INVALID_NONCE || attempt >= TRIES) return { outcome, nonce };
      const next = await account.nextNonce(lane);
      if (next.ok && next.value > this.#last) this.#last = next.value;
    }
  }
}
