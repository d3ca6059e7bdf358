/**
 * The request budget of one process: a token bucket that every request is taken from, and that quoting alone asks (P-04). Reposts therefore stop
 * while there is still a reserve for hedges and cancels. Pure: time is an argument.
 */
export interface BudgetTerms {
  /** Requests, or their weights, that this process may use up per minute. */
  readonly perMinute: number;
  /** Part of a burst that only hedges and cancels may use, 0…1. */
  readonly reserve: number;
  /** Of a minute, that may be spent at once after quiet; a sixth unless said. */
  readonly burstShare?: number;
}

/** In what the account's tier counts (LP §6.1): Standard in requests, Plus and Premium in weights. */
export type Counting = 'requests' | 'weights';

/** A quiet process may spend this much of a minute at once. */
const BURST_SHARE = 1 / 6;

/** LP §6.1, October 2026. */
const WEIGHTS: Readonly<Record<string, number>> = {
  sendTx: 6,
  nextNonce: 6,
  accountActiveOrders: 100,
  accountInactiveOrders: 100,
  accountOrders: 100,
  apikeys: 150,
  trades: 200,
  recentTrades: 600,
};
const OTHER_WEIGHT = 300;

/** What one request costs; `endpoint` is the last part of its path. */
export function costOf(endpoint: string, counting: Counting): number {
  return counting === 'requests' ? 1 : (WEIGHTS[endpoint] ?? OTHER_WEIGHT);
}

function sumOf(endpoints: readonly string[], counting: Counting): number {
  return endpoints.reduce((sum, endpoint) => sum + costOf(endpoint, counting), 0);
}

/** What a quote asks of the exchange: the position, the placement, a cancel, a look at the order. */
export function quoteCost(counting: Counting): number {
  return sumOf(['account', 'sendTx', 'sendTx', 'accountOrders'], counting);
}

/**
 * What a process asks in a minute, quoting or not, and as often as these are asked for. Both look at live orders twice and read four ledgers. The
 * maker reads the announcements and its maker-only keys every five minutes, what each market takes every two. The hedger reads both positions every
 * 5 s, or every 10 where requests are counted, and each market's margin every ten minutes.
 */
export function backgroundPerMinute(role: 'maker' | 'hedge', counting: Counting, markets: number): number {
  const a = (times: number, endpoint: string): number => times * costOf(endpoint, counting);
  const both = a(6, 'accountOrders');
  if (role === 'hedge')
    return both + a(2 * (counting === 'requests' ? 6 : 12), 'account') + a(markets / 10, 'orderBookDetails');
  return both + a(1 / 5, 'announcement') + a(1 / 5, 'getMakerOnlyApiKeys') + a(markets / 2, 'orderBookDetails');
}

/** Of what the tier allows, for the process that keeps the journal; it comes out of the hedger's part. */
export const JOURNAL_SHARE = 0.05;

/** What can be spent at once, and what of it is left to quotes: with less than one's cost left there is never one. */
export function roomForQuotes({ perMinute, reserve, burstShare = BURST_SHARE }: BudgetTerms): {
  readonly burst: number;
  readonly reserved: number;
  readonly left: number;
} {
  const burst = Math.max(perMinute * burstShare, 1);
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

  /** A request has gone out, whatever it was for. */
  spend(cost: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens = Math.max(this.#tokens - cost, -this.#terms.perMinute);
  }

  /** Whether what costs `cost` leaves the reserve; else when to ask again. Its requests are taken as they go out. */
  hasRoom(cost: number, nowMs: number): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number } {
    this.#refill(nowMs);
    const missing = cost + this.#reserved - this.#tokens;
    if (missing <= ROUNDING) return { ok: true };
    return { ok: false, retryAfterMs: Math.ceil((missing * 60_000) / this.#terms.perMinute) };
  }

  /** When a request of this cost fits in, for who waits its turn; one that is more than a burst goes when the burst is full. */
  waitMs(cost: number, nowMs: number): number {
    const room = this.hasRoom(Math.min(cost, this.#burst - this.#reserved), nowMs);
    return room.ok ? 0 : room.retryAfterMs;
  }

  #refill(nowMs: number): void {
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#terms.perMinute) / 60_000;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}

/** Shares are decimals: a quote that fits exactly must not fail for the last bit. */
const ROUNDING = 1e-9;
