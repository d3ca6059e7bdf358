/**
 * Proves that the exchange takes what our keys sign: one harmless transaction per lane, seen executed (S-49).
 *
 * A wrong chain id, a revoked key or another's key pass every read and fail at the first fill. So each lane executes one cancel of an order
 * that nobody has, before anything rests on it; where the exchange rejects that (LP §11 (10)), a form that it never rejects. An accepted
 * request is no proof (LP §3.7); a rejection by the sequencer is one: it consumed the nonce.
 *
 * Nonces. Between orders a proof takes exactly the lane's next nonce, so it can jump over nothing, and only a nonce that no living ticket
 * can still need (`isFree`). For an order that is about to be armed it takes slice 0 of that order, which on B is nobody else's: above
 * everything earlier on the lane, below the order's first slice. Never inside a living ticket's slices, where a cancel reads as a seal.
 */
import type { Clock } from '../clock';
import {
  epochMsOf,
  laneOf,
  nonceOf,
  timeOf,
  timeOfNonce,
  type ClientOrderIndex,
  type Nonce,
  type OrderId,
} from '../domain/ids-and-nonces';
import type { Read, SendOutcome, TxRecord } from '../domain/records';
import { findRejection } from '../domain/rejections';
import type { AccountPort, SignedTx, TxRequest } from '../exchange/port';

export interface KeyProofsOptions {
  readonly account: Pick<AccountPort, 'lanes' | 'sign' | 'send' | 'nonceStatus' | 'nextNonce'> & {
    readonly stream: Pick<AccountPort['stream'], 'on'>;
  };
  /** Any market, as soon as one is known: a cancel names one. */
  readonly marketId: () => number | undefined;
  /** The form that is never rejected for a missing order: B rests nothing; on A a renewal of the switch, which cancels no quote. */
  readonly otherForm: () =>
    { readonly kind: 'cancel-all-now' } | { readonly kind: 'cancel-all-at'; readonly atMs: number };
  /** Orders that run, whichever process looks after them; rejects when nobody can say. */
  readonly running: () => Promise<readonly OrderId[]>;
  /** A lane's key was rejected, or is taken again. */
  readonly onRejected: (lane: number, reason: string) => void;
  readonly onProven?: (lane: number) => void;
  /** Keys that may only quote and cancel, where the lanes have to trade (B): a cancel proves nothing of those. */
  readonly makerOnlyKeys?: () => Promise<Read<readonly number[]>>;
  readonly clock: Pick<Clock, 'epochMs'>;
}

export type Proof = { readonly proven: true } | { readonly proven: false; readonly reason: string };

/** 2^48 − 1: far beyond every id of ours, and the highest that the exchange takes (LP §2.2). */
const NOBODYS = ((1n << 48n) - 1n) as ClientOrderIndex;
const FRAME_MS = 1_500;
const PAUSE_MS = 250;
const RETRY_MS_MIN = 5_000;
const RETRY_MS_MAX = 60_000;
/** Lists lag, and ids of spare lanes run ahead of the clock (IDS_AHEAD_MS_MAX): a younger nonce may be of an order that is not listed yet. */
const YOUNG_MS = 60_000;

export class KeyProofs {
  readonly #options: KeyProofsOptions;
  readonly #proven = new Set<number>();
  readonly #rejected = new Map<number, string>();
  readonly #underway = new Map<number, Promise<Proof>>();
  #timer: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MS_MIN;
  #isClosed = false;

  constructor(options: KeyProofsOptions) {
    this.#options = options;
  }

  isProven(lane: number): boolean {
    return this.#proven.has(lane);
  }

  /** Why the exchange rejected the lane's key, the last time it was asked. */
  rejection(lane: number): string | undefined {
    return this.#rejected.get(lane);
  }

  /** A rejection puts the lane in doubt: it is proven anew before the next order, and by itself. */
  doubt(lane: number, reason: string): void {
    this.#proven.delete(lane);
    this.#rejected.set(lane, reason);
    this.#options.onRejected(lane, reason);
    this.#schedule();
  }

  /** Proves every lane whose next nonce nobody needs, one after the other, and tries again what is left. Resolves after the first round. */
  async start(): Promise<void> {
    await this.#round();
  }

  /** For an order that is about to be armed: its lane is proven, or is now, at the order's slice 0. */
  async demand(order: OrderId): Promise<Proof> {
    const lane = laneOf(order);
    const first = await this.#underway.get(lane);
    if (first?.proven === true || this.#proven.has(lane)) return { proven: true };
    return this.#prove(lane, nonceOf(order, 0), true);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    for (const lane of this.#options.account.lanes) {
      if (this.#isClosed) return;
      if (this.#proven.has(lane) || this.#underway.has(lane)) continue;
      await this.#proveBetweenOrders(lane).catch(() => undefined); // tried again
      await new Promise((resolve) => setTimeout(resolve, this.#proven.has(lane) ? 0 : PAUSE_MS));
    }
    this.#schedule();
  }

  #schedule(): void {
    const isDone = this.#options.account.lanes.every((lane) => this.#proven.has(lane));
    if (isDone) this.#retryMs = RETRY_MS_MIN;
    if (this.#isClosed || isDone || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#round();
    }, this.#retryMs);
    this.#timer.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  /** The nonce first, then the list: an order that begins after the list was read uses later nonces than this one. */
  async #proveBetweenOrders(lane: number): Promise<void> {
    const { account, running, clock } = this.#options;
    const next = await account.nextNonce(lane);
    if (!next.ok) return;
    if (!isFree({ lane, nonce: next.value, running: await running(), nowMs: clock.epochMs() })) return;
    await this.#prove(lane, next.value, false);
  }

  #prove(lane: number, nonce: Nonce, skipNonce: boolean): Promise<Proof> {
    const proof = (this.#underway.get(lane) ?? Promise.resolve()).then(() => this.#proveNow(lane, nonce, skipNonce));
    const kept = proof.finally(() => {
      if (this.#underway.get(lane) === kept) this.#underway.delete(lane);
    });
    this.#underway.set(lane, kept);
    return kept;
  }

  async #proveNow(lane: number, nonce: Nonce, skipNonce: boolean): Promise<Proof> {
    if (this.#proven.has(lane)) return { proven: true };
    // What cannot be read forbids nothing: the first hedge would be rejected, and say so.
    const makerOnly = await this.#options.makerOnlyKeys?.();
    if (makerOnly?.ok === true && makerOnly.value.includes(lane))
      return this.#reject(lane, 'it is maker-only, so it may quote and cancel, and hedge nothing');
    const base = { lane, nonce, skipNonce };
    const marketId = this.#options.marketId();
    const other: TxRequest = { ...base, ...this.#options.otherForm() };
    const first = await this.#execute(
      marketId === undefined ? other : { ...base, kind: 'cancel-order', marketId, index: NOBODYS },
    );
    const isUnwanted = first.kind === 'rejected' && !['key', 'nonce'].includes(findRejection(first.code)?.class ?? '');
    const seen = isUnwanted ? await this.#execute(other) : first;
    switch (seen.kind) {
      case 'executed':
        this.#proven.add(lane);
        this.#rejected.delete(lane);
        this.#options.onProven?.(lane);
        return { proven: true };
      case 'rejected': {
        const reason = `${seen.message} (${seen.code})`;
        if (findRejection(seen.code)?.class !== 'key')
          return { proven: false, reason: `its proof was rejected: ${reason}` };
        return this.#reject(lane, reason);
      }
      case 'unseen':
        return { proven: false, reason: 'the exchange has not shown its proof as executed yet' };
    }
  }

  #reject(lane: number, reason: string): Proof {
    this.#rejected.set(lane, reason);
    this.#options.onRejected(lane, reason);
    return { proven: false, reason: `the exchange rejects its key: ${reason}` };
  }

  async #execute(request: TxRequest): Promise<Seen> {
    const { account, clock } = this.#options;
    const signed = await account.sign(request);
    const frame = this.#frameOf(signed);
    try {
      const outcome: SendOutcome = await account.send(signed);
      const isTaken = outcome.kind === 'rejected' && findRejection(outcome.code)?.class === 'nonce';
      if (outcome.kind === 'rejected' && !isTaken)
        return { kind: 'rejected', code: outcome.code, message: outcome.message };
      if (!isTaken && (await frame.seen)) return { kind: 'executed' };
      // An earlier try may have taken the nonce without being seen.
      const { lane, nonce } = request;
      const nonceStatus = await account.nonceStatus({ lane, nonce, sinceMs: clock.epochMs() - 60_000 });
      const consumed = nonceStatus.ok && nonceStatus.value.kind === 'consumed' ? nonceStatus.value.tx : undefined;
      const isOurs = consumed?.hash === signed.txHash || consumed?.clientOrderIndex === NOBODYS;
      return { kind: isOurs ? 'executed' : 'unseen' };
    } finally {
      frame.stop();
    }
  }

  #frameOf(signed: SignedTx): { readonly seen: Promise<boolean>; stop(): void } {
    let stop = (): void => undefined;
    const seen = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), FRAME_MS);
      const off = this.#options.account.stream.on('txs', (txs: readonly TxRecord[]) => {
        if (txs.some(({ hash, status }) => hash === signed.txHash && status === 'executed')) resolve(true);
      });
      stop = () => {
        clearTimeout(timer);
        off();
        resolve(false);
      };
    });
    return { seen, stop };
  }
}

type Seen =
  | { readonly kind: 'executed' | 'unseen' }
  | { readonly kind: 'rejected'; readonly code: number; readonly message: string };

/**
 * Whether no living ticket can need this nonce of the lane: it is older than everything that runs, or cannot be one of theirs. An order
 * has tickets of its own time or later, on its own lane, or on a spare lane with a time that ends in its own lane (ids-and-nonces.ts).
 */
export function isFree(at: {
  readonly lane: number;
  readonly nonce: bigint;
  readonly running: readonly OrderId[];
  readonly nowMs: number;
}): boolean {
  const time = timeOfNonce(at.nonce);
  if (epochMsOf(time) > at.nowMs - YOUNG_MS) return false;
  return at.running.every((order) => {
    if (time < timeOf(order)) return true;
    const own = laneOf(order);
    return own !== at.lane && (time & 255n) !== BigInt(own);
  });
}
