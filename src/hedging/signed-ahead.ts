/** The slices that one ticket may send next, by amount: their bytes, signed before they are needed and renewed before they die. */
import type { Lots } from '../domain/lots';
import type { SignedTx, TxRequest } from '../exchange/port';

/** Signed-ahead bytes are renewed this long before they die. */
const RENEW_AHEAD_MS = 60_000;

export type OrderRequest = Extract<TxRequest, { readonly kind: 'market-order' }>;

interface SignedAheadOptions {
  /** What may be sent next, likeliest first, all of one nonce and one price; nothing once the ticket sends no more. */
  readonly expected: () => readonly OrderRequest[];
  readonly sign: (request: OrderRequest) => Promise<SignedTx>;
  /** Some of it is to be signed anew. */
  readonly onStale: () => void;
  /** The exchange's clock: by it the bytes expire. */
  readonly exchangeNow: () => number;
}

interface Entry {
  readonly request: OrderRequest;
  /** A promise while they are being signed. */
  readonly signed: SignedTx | Promise<SignedTx>;
  readonly expiresAtMs: number;
}

export class SignedAhead {
  readonly #options: SignedAheadOptions;
  /** All of one nonce. */
  readonly #held = new Map<Lots, Entry>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SignedAheadOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The likeliest of what is not here or dies soon; with `only` that one or none. What is no longer expected is thrown away. */
  wanted(only?: 'likeliest'): OrderRequest | undefined {
    const expected = this.#options.expected();
    const [likeliest] = expected;
    for (const [lots, { request }] of this.#held)
      if (!likeliest || !isSame({ ...likeliest, lots }, request)) this.#held.delete(lots);
    const fromMs = this.#options.exchangeNow() + RENEW_AHEAD_MS;
    const among = only === 'likeliest' ? expected.slice(0, 1) : expected;
    return among.find(({ lots }) => (this.#held.get(lots)?.expiresAtMs ?? 0) <= fromMs);
  }

  /** Of what `wanted` has just said. */
  async sign(request: OrderRequest): Promise<void> {
    const { lots } = request;
    const pending: Entry = { request, signed: this.#options.sign(request), expiresAtMs: Infinity };
    this.#held.set(lots, pending);
    const isHeld = (): boolean => this.#held.get(lots) === pending;
    try {
      const signed = await pending.signed;
      if (!isHeld()) return;
      this.#held.set(lots, { request, signed, expiresAtMs: signed.expiresAtMs });
      this.#watch();
    } catch (error) {
      if (isHeld()) this.#held.delete(lots);
      throw error;
    }
  }

  /**
   * The bytes, if they are those of this request in every field and live on for a second. A nonce is given bytes once, and the others of it
   * are thrown away: bytes that were rejected must not come back for ever because our clock still believes in them (P-08).
   */
  take(request: TxRequest): SignedTx | Promise<SignedTx> | undefined {
    const [any] = this.#held.values();
    if (any?.request.nonce !== request.nonce) return undefined;
    const entry = 'lots' in request ? this.#held.get(request.lots) : undefined;
    this.drop();
    if (!entry || entry.expiresAtMs <= this.#options.exchangeNow() + 1_000) return undefined;
    return isSame<TxRequest>(entry.request, request) ? entry.signed : undefined;
  }

  drop(): void {
    this.#held.clear();
    clearTimeout(this.#timer);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const soonestMs = Math.min(...[...this.#held.values()].map(({ expiresAtMs }) => expiresAtMs));
    const inMs = Math.max(1_000, soonestMs - this.#options.exchangeNow() - RENEW_AHEAD_MS);
    this.#timer = setTimeout(() => this.#options.onStale(), inMs);
    this.#timer.unref();
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
