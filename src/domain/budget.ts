/**
 * The request budget of one process: a token bucket that quoting asks and hedging does not (P-04). Reposts therefore stop while there
 * is still a reserve for hedges and cancels. Pure: time is an argument.
 */
export interface BudgetTerms {
  /** Requests that this process may make per minute. */
  readonly perMinute: number;
  /** Part of a burst that only hedges and cancels may use, 0…1. */
  readonly reserve: number;
}

/** A quiet process may spend this much of a minute at once. */
const BURST_SHARE = 1 / 6;

export class RequestBudget {
  readonly #terms: BudgetTerms;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(terms: BudgetTerms, nowMs: number) {
    this.#terms = terms;
    this.#burst = Math.max(terms.perMinute * BURST_SHARE, 1);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /** Takes `cost` if that leaves the reserve; else says when to ask again. */
  tryTake(cost: number, nowMs: number): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number } {
    this.#refill(nowMs);
    const missing = cost + this.#burst * this.#terms.reserve - this.#tokens;
    if (missing > 0) return { ok: false, retryAfterMs: Math.ceil((missing * 60_000) / this.#terms.perMinute) };
    this.#tokens -= cost;
    return { ok: true };
  }

  /** Counts a request that was sent without asking; may go below zero. */
  spend(cost: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= cost;
  }

  #refill(nowMs: number): void {
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#terms.perMinute) / 60_000;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}
