/**
 * What an account submits: over its connection, else HTTP. Resends nothing and concludes nothing; what is not sent is answered as unknown,
 * with the reason.
 */
import { pause, type Clock } from '../../clock';
import type { Nonce } from '../../domain/ids-and-nonces';
import { keepNewest } from '../../domain/keep-newest';
import type { Read, SendOutcome } from '../../domain/records';
import type { SignedTx } from '../port';
import type { AccountAnswers } from './account-answers';
import type { LighterAccountStream } from './account-stream';
import type { ClockSkew } from './clock-skew';
import { earlyMs, untilTaken } from './early-bytes';
import { unknown, type Unlisted } from './errors';
import type { HostLimit } from './host-limit';
import type { Markets } from './markets';
import type { Rest } from './rest';
import { LighterSignedTx } from './signer';
import { resolveUnlisted } from './unlisted';

/** More than can be in doubt at once. */
const SENT_KEPT = 4_096;

export class Submissions {
  /** (lane, nonce) of the newest. */
  readonly #sent = new Set<string>();

  constructor(
    private readonly deps: {
      readonly stream: Pick<LighterAccountStream, 'session' | 'state'>;
      readonly rest: Pick<Rest, 'sendTx'>;
      readonly clock: Clock;
      readonly skew: ClockSkew;
      readonly limit: HostLimit;
      readonly markets: Pick<Markets, 'isRescaled'>;
      readonly answers: AccountAnswers;
      readonly nextNonce: (lane: number) => Promise<Read<Nonce>>;
    },
  ) {}

  /** Not async: with an open connection the bytes are in the socket before this returns. */
  send(tx: SignedTx, onLeft?: () => void): Promise<SendOutcome> {
    if (!(tx instanceof LighterSignedTx)) {
      return Promise.reject(new TypeError('only what sign() of this adapter returned can be sent'));
    }
    if (earlyMs(tx.expiresAtMs, this.deps.skew.provenNowMs()) > 0) return this.#sendEarly(tx, onLeft);
    return this.#sendTaken(tx, onLeft);
  }

  #sendTaken(tx: LighterSignedTx, onLeft?: () => void): Promise<SendOutcome> {
    const { request } = tx;
    if ('lots' in request && this.deps.markets.isRescaled(request.marketId))
      return Promise.resolve(notSent(tx, `the decimals of market ${request.marketId} have changed`));
    if (this.deps.limit.remainingMs() > 0) return this.#sendLimited(tx, onLeft);
    return this.#sendNow(tx, onLeft);
  }

  #sendNow(tx: LighterSignedTx, onLeft?: () => void): Promise<SendOutcome> {
    const sending = this.deps.stream.session.send(tx) ?? this.deps.rest.sendTx(tx);
    onLeft?.();
    this.#sent.add(slotOf(tx));
    keepNewest(this.#sent, SENT_KEPT);
    return sending.then((answer) => {
      if (answer.kind === 'unlisted') return this.#resolveUnlisted(tx, answer);
      this.deps.answers.note(answer);
      return answer;
    });
  }

  #resolveUnlisted({ request: { lane, nonce } }: LighterSignedTx, answer: Unlisted): Promise<SendOutcome> {
    return resolveUnlisted(answer, nonce, {
      pause: (ms) => pause(this.deps.clock, ms),
      nextNonce: () => this.deps.nextNonce(lane),
    });
  }

  /** A quote does not wait: the book moves on meanwhile. */
  async #sendEarly(tx: LighterSignedTx, onLeft?: () => void): Promise<SendOutcome> {
    const { clock, skew, stream } = this.deps;
    const why =
      tx.request.kind === 'post-only-order'
        ? "this host's clock is ahead of the exchange's"
        : await untilTaken(tx.expiresAtMs, {
            clock,
            provenNowMs: () => skew.provenNowMs(),
            isClosed: () => stream.state === 'closed',
          });
    return why === undefined ? this.#sendTaken(tx, onLeft) : notSent(tx, why);
  }

  /** A hedge or a cancel goes at once; the same nonce again in its turn, because that is what never ends; a quote not at all. */
  async #sendLimited(tx: LighterSignedTx, onLeft?: () => void): Promise<SendOutcome> {
    const { limit } = this.deps;
    const isQuote = tx.request.kind === 'post-only-order';
    const held = isQuote ? limit.reason() : this.#sent.has(slotOf(tx)) ? await limit.turn() : undefined;
    return held === undefined ? this.#sendNow(tx, onLeft) : notSent(tx, held);
  }
}

function notSent({ txHash }: SignedTx, why: string): SendOutcome {
  return unknown(txHash, `not sent: ${why}`);
}

function slotOf({ request: { lane, nonce } }: SignedTx): string {
  return `${lane}/${nonce}`;
}
