/** Bytes of a transaction that is expected, signed before it is needed and renewed before they die. */
import type { SignedTx, TxRequest } from '../exchange/port';

/** Signed-ahead bytes are renewed this long before they die. */
const RENEW_AHEAD_MS = 60_000;

export class SignedAhead {
  readonly #options: SignedAheadOptions;
  #signed: SignedTx | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SignedAheadOptions) {
    this.#options = options;
  }

  get isThere(): boolean {
    return this.#signed !== undefined;
  }

  async sign(): Promise<void> {
    const { sign, isWanted, exchangeNow } = this.#options;
    const signed = await sign();
    this.#signed = signed;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        if (isWanted()) this.sign().catch(() => (this.#signed = undefined)); // signed when it is needed instead
      },
      Math.max(1_000, signed.expiresAtMs - exchangeNow() - RENEW_AHEAD_MS),
    );
    this.#timer.unref();
  }

  /**
   * The bytes, if they are those of this request in every field and live on for a second. Given away once: bytes that were rejected must not
   * come back for ever because our clock still believes in them (P-08).
   */
  take(request: TxRequest): SignedTx | undefined {
    const ahead = this.#signed;
    this.#signed = undefined;
    if (!ahead || ahead.expiresAtMs <= this.#options.exchangeNow() + 1_000) return undefined;
    return isSame(ahead.request, request) ? ahead : undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** In every field. By hand: a fill waits for it, and `isDeepStrictEqual` takes five microseconds. */
function isSame<T extends object>(a: T, b: T): boolean {
  const keys = Object.keys(a) as (keyof T)[];
  return keys.length === Object.keys(b).length && keys.every((key) => isSameValue(a[key], b[key]));
}

function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && isSame(a, b);
}

interface SignedAheadOptions {
  readonly sign: () => Promise<SignedTx>;
  readonly isWanted: () => boolean;
  /** The exchange's clock: by it the bytes expire. */
  readonly exchangeNow: () => number;
}
