/**
 * What the exchange's limits leave us (LP §6.1): after a 429, a 405 or code 23000 everything but hedges and cancels stays away from the
 * host for a minute, because rejected requests may count too and a reader that tries again would keep the limit spent for good.
 *
 * One per process, shared by reads, submissions and handshakes. Hedges and cancels are not asked. What a hedge in doubt needs (reads
 * of its order and nonce, the same nonce again) goes in turns. Nothing here waits while all is well.
 */
import type { Clock } from '../../clock';
import { BlockedPaths } from './blocked-paths';
import type { TellTrouble } from './trouble';

export const BACK_OFF_MS = 60_000;
/** A longer `Retry-After` is taken for nonsense. */
const BACK_OFF_MS_MAX = 15 * 60_000;
/** 20 a minute: two processes of ours stay below the 60 of the slowest tier, so that the limit's window can empty. */
export const TURN_EVERY_MS = 3_000;
/** Who would wait longer is answered at once and comes again: so nobody is always the last. */
const TURN_WAIT_MS_MAX = 15_000;

export interface Limited {
  /** Where it happened: a path, `WebSocket`, … */
  readonly where: string;
  readonly httpStatus?: number;
  readonly code?: number | undefined;
  /** Value of the header `Retry-After`. */
  readonly retryAfter?: string | string[] | undefined;
  /** A firewall's page came in place of an answer. */
  readonly isPage?: boolean;
}

export class HostLimit {
  #untilMs = Number.NEGATIVE_INFINITY;
  #nextTurnMs = Number.NEGATIVE_INFINITY;
  #after = '';
  #closed = false;
  readonly #waiting = new Set<() => void>();
  readonly #paths: BlockedPaths;

  constructor(
    private readonly clock: Clock,
    private readonly tell: TellTrouble,
    /** Counts: a request goes out; the last part of its path. */
    readonly onRequest: (endpoint: string) => void = () => undefined,
  ) {
    this.#paths = new BlockedPaths(tell);
  }

  /** Takes an answer; one that limits nothing changes nothing. */
  saw({ where, httpStatus = 200, code, retryAfter, isPage = false }: Limited): void {
    if (isPage && this.#paths.page(where, httpStatus)) return;
    if (!isPage) this.#paths.answered(where);
    if (httpStatus !== 429 && httpStatus !== 405 && !(code !== undefined && isLimitCode(code))) return;
    const wasActive = this.remainingMs() > 0;
    const waitMs = Math.max(BACK_OFF_MS, retryAfterMsOf(retryAfter));
    this.#untilMs = Math.max(this.#untilMs, this.clock.monotonicMs() + waitMs);
    if (wasActive) return;
    this.#after = httpStatus === 200 || httpStatus === 400 ? `code ${code}` : `HTTP ${httpStatus}`;
    this.tell({
      kind: 'rate-limited',
      what: `the exchange rejects requests of this host (${this.#after} on ${where}): ${this.reason()}. Nothing is quoted; hedges and cancels go on`,
      next: 'Nothing, if it ends by itself. If it comes back: look what else uses this address or these accounts, and compare request_budget with the tier.',
    });
  }

  /** Milliseconds until the host is asked again; 0 when nothing is held back. */
  remainingMs(): number {
    return Math.max(0, this.#untilMs - this.clock.monotonicMs());
  }

  /** Why everything but hedges and cancels stays away just now; undefined when it need not. */
  reason(): string | undefined {
    const leftMs = this.remainingMs();
    if (leftMs === 0) return undefined;
    const until = new Date(Math.ceil((this.clock.epochMs() + leftMs) / 1000) * 1000).toISOString().slice(11, 19);
    return `backing off until ${until} UTC after ${this.#after}`;
  }

  /** For what a hedge in doubt needs. Answers undefined when it may go, at once while all is well; else why it may not. */
  async turn(): Promise<string | undefined> {
    if (this.remainingMs() === 0) return undefined;
    const nowMs = this.clock.monotonicMs();
    const atMs = Math.max(nowMs, this.#nextTurnMs);
    if (atMs - nowMs > TURN_WAIT_MS_MAX) return this.reason();
    this.#nextTurnMs = atMs + TURN_EVERY_MS;
    if (atMs > nowMs) await this.#pause(atMs - nowMs);
    return this.#closed ? 'closed' : undefined;
  }

  /** Lets everyone go who waits. */
  close(): void {
    this.#closed = true;
    for (const wake of [...this.#waiting]) wake();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.clock.after(delayMs, wake);
      this.#waiting.add(wake);
    });
  }
}

/** 0 when nothing is asked for that can be read. */
export function retryAfterMsOf(header: Limited['retryAfter']): number {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, BACK_OFF_MS_MAX) : 0;
}

/** Too many requests, subscriptions, accounts, connections, messages (LP §3.9). */
export function isLimitCode(code: number): boolean {
  return (code >= 23_000 && code <= 23_003) || code === 30_009;
}
