/**
 * The request budget of one process: a token bucket that quoting asks and hedging does not (P-04). Reposts therefore stop while there
 * is still a reserve for hedges and cancels. Pure: time is an argument.
 */
export interface BudgetTerms {
  /** Requests, or their weights, that this process may use up per minute. */
  readonly perMinute: number;
  /** Part of a burst that only hedges and cancels may use, 0…1. */
  readonly reserve: number;
}

/** In what the account's tier counts (LP §6.1): Standard in requests, Plus and Premium in weights. */
export type Counting = 'requests' | 'weights';

/** A quiet process may spend this much of a minute at once. */
const BURST_SHARE = 1 / 6;

/** What a quote asks of the exchange, each with its weight: the position, the placement, a cancel, a look at the order. */
const QUOTE_WEIGHTS: readonly number[] = [300, 6, 6, 100];

export function quoteCost(counting: Counting): number {
  return counting === 'requests' ? QUOTE_WEIGHTS.length : QUOTE_WEIGHTS.reduce((sum, weight) => sum + weight, 0);
}

/** What can be spent at once, and what of it is left to quotes: with less than one's cost left there is never one. */
export function roomForQuotes({ perMinute, reserve }: BudgetTerms): {
  readonly burst: number;
  readonly reserved: number;
  readonly left: number;
} {
  const burst = Math.max(perMinute * BURST_SHARE, 1);
  const reserved = burst * reserve;
  return { burst, reserved, left: burst - reserved };
}

export class RequestBudget {
  readonly #terms: BudgetTerms;
  readonly #burst: number;
  readonly #reserved: number;
  #tokens: number;
  #atMs: number;

  constructor(terms: BudgetTerms, nowMs: number) {
    this.#terms = terms;
    const { burst, reserved } = roomForQuotes(terms);
    this.#burst = burst;
    this.#reserved = reserved;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes `cost` if that leaves the reserve; else says when to ask again. */
  tryTake(cost: number, nowMs: number): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number } {
    this.#refill(nowMs);
    const missing = cost + this.#reserved - this.#tokens;
    if (missing > ROUNDING) return { ok: false, retryAfterMs: Math.ceil((missing * 60_000) / this.#terms.perMinute) };
    this.#tokens -= cost;
    return { ok: true };
  }

  #refill(nowMs: number): void {
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#terms.perMinute) / 60_000;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}

/** Shares are decimals: a quote that fits exactly must not fail for the last bit. */
const ROUNDING = 1e-9;
