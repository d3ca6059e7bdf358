/**
 * Request budgets by tier and per address (LP §6.1, §6.2). Off by default: the gate then lets everything pass.
 * Rolling minutes; a refusal costs nothing.
 */
import { refuse } from './core/codes';
import type { Refusal } from './core/codes';
import { tiers } from './core/tiers';
import type { Tier } from './core/types';
import type { World } from './core/world';
import type { SubmissionInput } from './submissions';
import { factsOf } from './submissions';

const minuteMs = 60_000;

/** The newer of the reported values (LP §6.2). */
const streamLimits = {
  connections: 255,
  newPerMinute: 255,
  subscriptions: 500,
  accounts: 500,
  messages: 200,
  inFlight: 50,
} as const;

/** LP §6.1. Everything else weighs 300. */
const weights: Readonly<Record<string, number>> = {
  sendTx: 6,
  sendTxBatch: 6,
  nextNonce: 6,
  accountInactiveOrders: 100,
  accountActiveOrders: 100,
  accountOrders: 100,
  apikeys: 150,
  trades: 200,
  recentTrades: 200,
  changeAccountTier: 3_000,
  tokens: 3_000,
};

/**
 * A minute's transactions of one type and owner (LP §6.1), by type number. Orders and cancels are left to the limit of all sends:
 * the documented default of 40 would contradict the thousands that the tiers allow.
 */
const typeLimits: Readonly<Record<number, number>> = { 8: 300, 20: 40, 29: 40, 45: 40 };

class RollingBudget {
  readonly #spent: { readonly atMs: number; readonly weight: number }[] = [];
  #sum = 0;

  spend(weight: number, limit: number, nowMs: number): boolean {
    while (this.#spent.length > 0 && (this.#spent[0]?.atMs ?? nowMs) <= nowMs - minuteMs) {
      this.#sum -= this.#spent.shift()?.weight ?? 0;
    }
    if (this.#sum + weight > limit) return false;
    this.#spent.push({ atMs: nowMs, weight });
    this.#sum += weight;
    return true;
  }
}

export class RequestGate {
  readonly #requests = new Map<string, RollingBudget>();
  readonly #sends = new Map<string, RollingBudget>();
  readonly #types = new Map<string, RollingBudget>();
  readonly #connects = new Map<string, RollingBudget>();

  constructor(
    private readonly mode: 'off' | 'tier',
    private readonly world: World,
    private readonly nowMs: () => number,
  ) {}

  /** One REST call. The address's tier is that of the account that asks, Standard when nobody is named. */
  mayRequest(address: string, endpoint: string, accountIndex: number | undefined): Refusal | undefined {
    if (this.mode === 'off') return undefined;
    const terms = tiers[this.#tierOf(accountIndex)];
    const weight = terms.weighted === 'weighted' ? (weights[endpoint] ?? 300) : 1;
    const budget = budgetOf(this.#requests, `${address}/${this.#tierOf(accountIndex)}`);
    return budget.spend(weight, terms.restPerMinute, this.nowMs()) ? undefined : refuse(23000);
  }

  /** One sendTx or batch, counted per L1 address; rare types also by themselves. */
  maySubmit(inputs: readonly SubmissionInput[]): Refusal | undefined {
    if (this.mode === 'off') return undefined;
    const [first] = inputs;
    const account = this.world.accounts.get(factsOf('', first).accountIndex ?? -1);
    if (account === undefined) return undefined;
    const owner = account.l1Address.toLowerCase();
    const budget = budgetOf(this.#sends, owner);
    if (!budget.spend(1, tiers[account.tier].sendPerMinute, this.nowMs())) return refuse(23000);
    for (const { txType } of inputs) {
      const limit = typeLimits[txType];
      if (limit === undefined) continue;
      if (!budgetOf(this.#types, `${owner}/${txType}`).spend(1, limit, this.nowMs())) return refuse(23000);
    }
    return undefined;
  }

  /** `open` counts the address's streams; it is asked only when limits are on. */
  mayConnect(address: string, open: () => number): boolean {
    if (this.mode === 'off') return true;
    if (open() >= streamLimits.connections) return false;
    return budgetOf(this.#connects, address).spend(1, streamLimits.newPerMinute, this.nowMs());
  }

  maySubscribe(subscriptions: number, accounts: number): Refusal | undefined {
    if (this.mode === 'off') return undefined;
    if (subscriptions >= streamLimits.subscriptions) return refuse(23001);
    return accounts > streamLimits.accounts ? refuse(23002) : undefined;
  }

  mayMessage(withinMinute: number): boolean {
    return this.mode === 'off' || withinMinute <= streamLimits.messages;
  }

  /** `inFlight`: transactions of a connection that are not answered yet. */
  mayWait(inFlight: number): boolean {
    return this.mode === 'off' || inFlight < streamLimits.inFlight;
  }

  #tierOf(accountIndex: number | undefined): Tier {
    return this.world.accounts.get(accountIndex ?? -1)?.tier ?? 'standard';
  }
}

function budgetOf(budgets: Map<string, RollingBudget>, name: string): RollingBudget {
  let budget = budgets.get(name);
  if (budget === undefined) {
    budget = new RollingBudget();
    budgets.set(name, budget);
  }
  return budget;
}
