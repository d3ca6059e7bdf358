/**
 * A's cancels and its dead-man's switch, sent with a key of their own that is never a lane: a cancel must not wait behind a
 * placement's nonce, nor take one (the lanes stay exact). Nonces skip: the larger of the millisecond clock and the last one + 1. Many
 * are in flight together; one that is overtaken on the way is rejected for its nonce (LP §0.1 (5)) and goes again with a fresh one.
 */
import type { Clock } from '../clock';
import type { ClientOrderIndex, Nonce } from '../domain/ids-and-nonces';
import type { SendOutcome } from '../domain/records';
import { INVALID_NONCE } from '../domain/rejections';
import type { AccountPort, TxRequest } from '../exchange/port';

export interface CancellerOptions {
  readonly account: AccountPort;
  readonly lane: number;
  readonly clock: Pick<Clock, 'epochMs'>;
}

type Body =
  | { readonly kind: 'cancel-order'; readonly marketId: number; readonly index: ClientOrderIndex }
  | { readonly kind: 'cancel-all-now' }
  | { readonly kind: 'cancel-all-at'; readonly atMs: number }
  | { readonly kind: 'cancel-all-abort' };

/** Two processes may pick the same millisecond, and what leaves together may arrive in another order; a further try picks another. */
const TRIES = 5;
/** The exchange takes 50 unanswered submissions on a connection (LP §6.2). */
const IN_FLIGHT_MAX = 20;

export interface Sent {
  readonly outcome: SendOutcome;
  readonly nonce: Nonce;
}

export class Canceller {
  readonly #options: CancellerOptions;
  #last = 0n;
  /** Signing and writing, one after the other: so they leave in the order of their nonces. Nobody waits here for an answer. */
  #leaving: Promise<unknown> = Promise.resolve();
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: CancellerOptions) {
    this.#options = options;
  }

  /** A claim, not a fact: whatever it answers, only the order's record says that it is over (invariant 6). */
  async cancel(marketId: number, index: ClientOrderIndex): Promise<SendOutcome> {
    if (this.#inFlight >= IN_FLIGHT_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inFlight += 1;
    try {
      return (await this.#send({ kind: 'cancel-order', marketId, index })).outcome;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight -= 1;
      else next(); // takes the place over
    }
  }

  /** Everything that rests on the account, at once, past all cancels that wait. As much a claim. */
  cancelAll(): Promise<SendOutcome> {
    return this.#send({ kind: 'cancel-all-now' }).then((sent) => sent.outcome);
  }

  /** Sets the dead-man's switch, past all cancels that wait; answers the nonce whose execution confirms it. */
  setSwitch(atMs: number): Promise<Sent> {
    return this.#send({ kind: 'cancel-all-at', atMs });
  }

  /** Takes a queued switch back. */
  abortSwitch(): Promise<Sent> {
    return this.#send({ kind: 'cancel-all-abort' });
  }

  async #send(body: Body): Promise<Sent> {
    const { account, lane } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const { nonce, answer } = await this.#leave(body);
      const outcome = await answer;
      if (outcome.kind !== 'rejected' || outcome.code !== INVALID_NONCE || attempt >= TRIES) return { outcome, nonce };
      if (nonce !== this.#last) continue; // a later one of ours has overtaken it
      const next = await account.nextNonce(lane);
      if (next.ok && next.value > this.#last) this.#last = next.value;
    }
  }

  /** Resolves when the bytes have left; the answer comes later. */
  #leave(body: Body): Promise<{ readonly nonce: Nonce; readonly answer: Promise<SendOutcome> }> {
    const left = this.#leaving.then(async () => {
      const { account, lane } = this.#options;
      const nonce = this.#nextNonce();
      const request: TxRequest = { ...body, lane, nonce, skipNonce: true };
      const signed = await account.sign(request);
      return { nonce, answer: account.send(signed) };
    });
    this.#leaving = left.catch(() => undefined);
    return left;
  }

  #nextNonce(): Nonce {
    const nowMs = BigInt(Math.floor(this.#options.clock.epochMs()));
    this.#last = nowMs > this.#last ? nowMs : this.#last + 1n;
    return this.#last as Nonce;
  }
}
