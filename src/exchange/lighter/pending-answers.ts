/**
 * The submissions of one connection whose answers are out (LP §3.7), and which of them a frame answers.
 *
 * Each ends once: by its answer, by its deadline, or with the connection. The last two leave it unknown.
 */
import type { Clock } from '../../clock';
import {
  field,
  isAboutSubscriptions,
  isAboutTransactions,
  isQuotaRefusal,
  numberField,
  outcomeOf,
  shorten,
  speaksOfTheRequest,
  stringField,
  unknown,
  type Answered,
} from './errors';
import type { HostLimit } from './host-limit';

interface Pending {
  readonly txHash: string;
  readonly finish: (outcome: Answered) => void;
}

/** May as well be about a subscription's token (LP §5.3). */
const INVALID_PARAMETER = 20_001;
/** After so long no answer is expected any more. */
const ANSWERS_LATE_MS = 10_000;

export class PendingAnswers {
  readonly #pending = new Map<string, Pending>();
  /** Submissions whose answers came not in time, and when they were given up: the answers may still come. */
  readonly #givenUp = new Map<string, number>();

  constructor(
    private readonly options: { readonly clock: Clock; readonly limit: HostLimit; readonly sendMs: number },
  ) {}

  get size(): number {
    return this.#pending.size;
  }

  wait(id: string, txHash: string): Promise<Answered> {
    const { clock, sendMs } = this.options;
    return new Promise((resolve) => {
      const cancelDeadline = clock.after(sendMs, () => {
        this.#giveUp(id);
        this.#finish(id, unknown(txHash, `no answer within ${sendMs} ms`));
      });
      const finish = (outcome: Answered): void => {
        cancelDeadline();
        resolve(outcome);
      };
      this.#pending.set(id, { txHash, finish });
    });
  }

  answered(id: string, body: unknown): void {
    this.#givenUp.delete(id);
    const pending = this.#pending.get(id);
    if (pending === undefined) return; // after its deadline: already reported as unknown
    const error = field(body, 'error');
    const { txHash } = pending;
    if (!isQuotaRefusal(error)) this.options.limit.saw({ where: 'a submission', code: numberField(error, 'code') });
    this.#finish(
      id,
      error === undefined
        ? outcomeOf({ httpStatus: 200, body, txHash })
        : outcomeOf({ httpStatus: 400, body: error, txHash }),
    );
  }

  /**
   * With exactly one submission whose answer is out it is that one's, unless its code speaks of something else. Answers the error when it
   * may be about something other than that submission.
   */
  errorWithoutId(body: unknown): { readonly code: number; readonly message: string } | undefined {
    const inner = field(body, 'error') ?? body;
    const code = numberField(inner, 'code') ?? 0;
    const message = shorten(stringField(inner, 'message') ?? '');
    const isQuota = isQuotaRefusal(inner);
    if (!isQuota) this.options.limit.saw({ where: 'the WebSocket', code });
    const [only, ...others] = [...this.#pending.keys(), ...this.#givenUpLately()];
    const pending = others.length === 0 && only !== undefined ? this.#pending.get(only) : undefined;
    if (only !== undefined && pending !== undefined && !isAboutSubscriptions(code)) {
      const { txHash } = pending;
      if (isQuota || isAboutTransactions(code)) {
        this.#finish(only, { kind: 'rejected', txHash, code, message });
        return undefined;
      }
      if (speaksOfTheRequest(code) && code !== INVALID_PARAMETER) {
        this.#finish(only, { kind: 'unlisted', txHash, code, message });
        return { code, message };
      }
      this.#finish(only, unknown(txHash, `error frame without id: code ${code} ${message}`));
    }
    return { code, message };
  }

  /** The connection is gone: whatever was out on it is unknown from here on. */
  lose(reason: string): void {
    this.#givenUp.clear();
    for (const [id, { txHash }] of [...this.#pending]) this.#finish(id, unknown(txHash, `connection lost: ${reason}`));
  }

  #giveUp(id: string): void {
    const lately = this.#givenUpLately();
    for (const old of this.#givenUp.keys()) if (!lately.includes(old)) this.#givenUp.delete(old);
    this.#givenUp.set(id, this.options.clock.monotonicMs());
  }

  #givenUpLately(): string[] {
    const sinceMs = this.options.clock.monotonicMs() - ANSWERS_LATE_MS;
    return [...this.#givenUp].flatMap(([id, atMs]) => (atMs >= sinceMs ? [id] : []));
  }

  #finish(id: string, outcome: Answered): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.finish(outcome);
  }
}
