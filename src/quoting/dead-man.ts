/**
 * The dead-man's switch of account A: a scheduled cancel-all that the exchange keeps (LP §2.8), renewed by heartbeat. When everything
 * of ours is dead nothing of ours rests for longer than the switch is set ahead (S-31).
 *
 * Whether a queued one may be overwritten is not known (LP §2.8): where it is rejected with 21712 it is taken back and set again.
 *
 * `isSet` is true only for a renewal that the exchange has executed, with enough time left; a 200 alone proves nothing.
 */
import { reasonOf } from '../domain/reason';
import type { Nonce } from '../domain/ids-and-nonces';
import type { TxRecord } from '../domain/records';
import { SWITCH_QUEUED, VOLUME_QUOTA } from '../domain/rejections';
import type { AccountPort } from '../exchange/port';
import type { Canceller, Sent } from './canceller';

export interface DeadManOptions {
  readonly account: AccountPort;
  readonly canceller: Canceller;
  readonly lane: number;
  /** How far ahead it is set; the exchange takes 5 minutes … 15 days. */
  readonly aheadMs: number;
  /** Exchange time now, epoch ms. */
  readonly exchangeNow: () => number;
  /** Whether somebody can hedge what rests; without, the switch is left to fire. Default: always. */
  readonly mayRenew?: () => boolean;
  readonly onRenewal?: (result: 'confirmed' | 'failed', reason?: string) => void;
}

/** Quotes go out only while at least this much of the switch is left. */
const LEFT_MS_MIN = 60_000;
const CONFIRM_MS = 3_000;
/** Between two tries while it is not set, ever longer: a limited exchange is not asked faster because it does not answer. */
const AGAIN_MS_MIN = 2_000;
const AGAIN_MS_MAX = 30_000;
/** Without volume quota one transaction passes in so long (LP §6.5). */
const FREE_SLOT_MS = 15_000;
/** Between two looks at whether it may be renewed. */
const WAIT_MS = 250;

export class DeadMan {
  readonly #options: DeadManOptions;
  #confirmedAtMs = 0;
  /** When it was last rejected for want of quota. */
  #quotaAtMs = Number.NEGATIVE_INFINITY;
  #renewing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onceMore: NodeJS.Timeout | undefined;
  /** A queued one was taken back, and none is confirmed since: what rests may rest without. */
  #isTakenBack = false;
  #stopped = false;

  constructor(options: DeadManOptions) {
    this.#options = options;
  }

  start(): void {
    const everyMs = this.#options.aheadMs / 5;
    let failures = 0;
    const pauseMs = (): number => {
      if (this.isSet()) return everyMs;
      const againMs = Math.min(AGAIN_MS_MIN * 2 ** failures++, AGAIN_MS_MAX);
      return this.#options.exchangeNow() - this.#quotaAtMs < FREE_SLOT_MS ? Math.max(againMs, FREE_SLOT_MS) : againMs;
    };
    const beat = (): void => {
      clearTimeout(this.#timer);
      if (this.#stopped) return;
      if (this.#options.mayRenew?.() === false) {
        this.#timer = setTimeout(beat, WAIT_MS);
        return;
      }
      this.renew()
        .then(
          () => (failures = 0),
          () => undefined, // reported by onRenewal; the next beat comes sooner
        )
        .finally(() => {
          if (!this.#stopped) this.#timer = setTimeout(beat, pauseMs());
        });
    };
    beat();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#onceMore);
  }

  isSet(): boolean {
    return this.#confirmedAtMs - this.#options.exchangeNow() > LEFT_MS_MIN;
  }

  /** Sets it anew and waits for the exchange's confirmation. Rejects when there is none. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  /** Once more a little later, unless it is stopped, or to be left to fire, by then. */
  renewOnceMore(afterMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#onceMore);
    this.#onceMore = setTimeout(() => {
      if (this.#options.mayRenew?.() !== false) void this.renew().catch(() => undefined);
    }, afterMs);
    this.#onceMore.unref();
  }

  /** When a renewal sent now would fire, epoch ms in exchange time. */
  nextAtMs(): number {
    return Math.floor(this.#options.exchangeNow() + this.#options.aheadMs);
  }

  async #renew(): Promise<void> {
    const { canceller, onRenewal } = this.#options;
    const atMs = this.nextAtMs();
    try {
      await this.#execute(() => canceller.setSwitch(atMs)).catch(async (error: unknown) => {
        if (!(error instanceof Rejected) || error.code !== SWITCH_QUEUED) throw error;
        this.#confirmedAtMs = 0; // nothing is quoted until one is confirmed again
        this.#isTakenBack = true;
        await this.#execute(() => canceller.abortSwitch());
        await this.#execute(() => canceller.setSwitch(atMs));
      });
      this.#confirmedAtMs = atMs;
      this.#isTakenBack = false;
      onRenewal?.('confirmed');
    } catch (error) {
      if (error instanceof Rejected && error.code === VOLUME_QUOTA) this.#quotaAtMs = this.#options.exchangeNow();
      if (this.#isTakenBack) void canceller.cancelAll().catch(() => undefined); // again after each further try
      onRenewal?.('failed', reasonOf(error));
      throw error;
    }
  }

  /** Sends, and waits until the exchange shows it as executed. */
  async #execute(send: () => Promise<Sent>): Promise<void> {
    const { account, lane } = this.#options;
    const seen = new Map<Nonce, TxRecord>();
    let wake: (() => void) | undefined;
    const off = account.stream.on('txs', (txs) => {
      for (const tx of txs) if (tx.apiKeyIndex === lane && tx.status === 'executed') seen.set(tx.nonce, tx);
      wake?.();
    });
    try {
      const { outcome, nonce } = await send();
      if (outcome.kind === 'rejected') throw new Rejected(outcome);
      if (!seen.has(nonce)) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, CONFIRM_MS);
          wake = () => {
            if (!seen.has(nonce)) return;
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const tx = seen.get(nonce) ?? (await this.#ask(nonce));
      if (tx.rejection) throw new Rejected(tx.rejection);
    } finally {
      off();
    }
  }

  /** The frame did not come: read the transaction itself. */
  async #ask(nonce: Nonce): Promise<TxRecord> {
    const { account, lane, exchangeNow } = this.#options;
    const nonceStatus = await account.nonceStatus({ lane, nonce, sinceMs: exchangeNow() - 60_000, urgent: true });
    if (!nonceStatus.ok || nonceStatus.value.kind !== 'consumed')
      throw new Error('the exchange did not confirm the renewal');
    return nonceStatus.value.tx;
  }
}

class Rejected extends Error {
  readonly code: number;

  constructor({ code, message }: { readonly code: number; readonly message: string }) {
    super(`rejected: ${message} (${code})`);
    this.code = code;
  }
}
