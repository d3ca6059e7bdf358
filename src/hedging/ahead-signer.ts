/**
 * Signs ahead for all tickets of an executor, off the thread on which fills arrive and behind everything that is needed now: one at a time,
 * and none begun while a fill waits for a signature. What an order that is armed waits for comes first, then the likeliest slice of each
 * ticket, whatever the load; the rest only while processors are free and there is room, the ticket with the newest change first.
 */
import type { Clock } from '../clock';
import type { OrderRequest, SignedAhead } from './signed-ahead';

/** Signed bytes that a process keeps: a transaction takes less than two KiB. */
const HELD_BYTES_MAX = 8 * 1_024 * 1_024;
const TX_BYTES_MAX = 2 * 1_024;
export const HELD_MAX = HELD_BYTES_MAX / TX_BYTES_MAX;
/** So long after the processors were busy, or the room was full, it looks again. */
export const LOOK_AGAIN_MS = 100;

interface AheadSignerOptions {
  readonly isBusy: () => boolean;
  readonly onSigned: (tookMs: number) => void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface Turn {
  readonly ahead: SignedAhead;
  readonly request: OrderRequest;
}

export class AheadSigner {
  readonly #options: AheadSignerOptions;
  readonly #tickets = new Set<SignedAhead>();
  /** Orders that are being armed and wait for their turn. */
  readonly #arming: (() => void)[] = [];
  /** Whose likeliest slice may be missing. */
  readonly #changed = new Set<SignedAhead>();
  /** Whose other slices may be missing, the newest last. */
  #others: SignedAhead[] = [];
  #needed = 0;
  #isSigning = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AheadSignerOptions) {
    this.#options = options;
  }

  /** Something has changed for this ticket. It does nothing in this very call: a hedge may be about to leave. */
  changed(ahead: SignedAhead): void {
    this.#tickets.add(ahead);
    this.#changed.add(ahead);
    this.#plan();
  }

  /** Signs the likeliest slice of a ticket that is armed: at once, if nothing else is being signed. */
  async first(ahead: SignedAhead): Promise<void> {
    if (this.#isSigning || this.#needed > 0) await new Promise<void>((itsTurn) => this.#arming.push(itsTurn));
    clearTimeout(this.#timer);
    this.#isSigning = true;
    try {
      const request = ahead.wanted('likeliest');
      if (request) await ahead.sign(request);
    } finally {
      this.#isSigning = false;
      this.#plan();
    }
    this.changed(ahead);
  }

  forget(ahead: SignedAhead): void {
    this.#tickets.delete(ahead);
    this.#changed.delete(ahead);
    this.#others = this.#others.filter((other) => other !== ahead);
    ahead.drop();
    if (this.#tickets.size === 0 && this.#arming.length === 0) clearTimeout(this.#timer);
  }

  /** A signature that is needed now: until it is there none is begun ahead. */
  async needed<T>(signing: Promise<T>): Promise<T> {
    this.#needed += 1;
    clearTimeout(this.#timer);
    try {
      return await signing;
    } finally {
      this.#needed -= 1;
      this.#plan();
    }
  }

  #plan(afterMs = 0): void {
    clearTimeout(this.#timer);
    if (this.#isSigning || this.#needed > 0) return;
    if (this.#arming.length + this.#changed.size + this.#others.length === 0) return;
    this.#timer = setTimeout(() => void this.#turn(), afterMs);
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    const itsTurn = this.#arming.shift();
    if (itsTurn) {
      this.#isSigning = true;
      return itsTurn();
    }
    const { clock, onSigned } = this.#options;
    const sinceMs = clock.monotonicMs();
    const turn = this.#choose();
    if (!turn) return this.#plan(LOOK_AGAIN_MS);
    this.#isSigning = true;
    try {
      await turn.ahead.sign(turn.request);
      onSigned(clock.monotonicMs() - sinceMs);
    } catch {
      this.#others = this.#others.filter((other) => other !== turn.ahead); // signed when it is needed instead
    }
    this.#isSigning = false;
    this.#plan();
  }

  /** One ticket's trouble ends no other's: it is signed when it is needed instead. */
  #choose(): Turn | undefined {
    try {
      return this.#likeliest() ?? (this.#isFree() ? this.#other() : undefined);
    } catch {
      this.#others.pop();
      return undefined;
    }
  }

  #likeliest(): Turn | undefined {
    for (const ahead of this.#changed) {
      this.#changed.delete(ahead);
      this.#others = [...this.#others.filter((other) => other !== ahead), ahead];
      const request = ahead.wanted('likeliest');
      if (request) return { ahead, request };
    }
    return undefined;
  }

  #other(): Turn | undefined {
    for (let ahead = this.#others.at(-1); ahead; ahead = this.#others.at(-1)) {
      const request = ahead.wanted();
      if (request) return { ahead, request };
      this.#others.pop();
      if (ahead.size === 0) this.#tickets.delete(ahead);
    }
    return undefined;
  }

  #isFree(): boolean {
    let held = 0;
    for (const { size } of this.#tickets) held += size;
    return held < HELD_MAX && !this.#options.isBusy();
  }
}
