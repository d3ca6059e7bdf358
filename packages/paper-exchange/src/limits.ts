/**
 * Request budgets by tier and per address (LP §6.1, §6.2). Off by default: the gate then lets everything pass, and only counts.
 *
 * Rolling minutes of the host's clock: moving the exchange's own forgives nothing. Whether a refused request counts too, and whether
 * a breach closes the address for a minute, is not recorded; both are settings, and all of them may change while it runs.
 */
import { refuse } from './core/codes';
import type { Refusal } from './core/codes';
import { tiers } from './core/tiers';
import type { Account, Tier } from './core/types';
import type { World } from './core/world';
import { RequestLog } from './request-log';
import type { SubmissionInput } from './submissions';
import { factsOf } from './submissions';
import type { VolumeQuota } from './volume-quota';

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
  recentTrades: 600,
  changeAccountTier: 3_000,
  tokens: 3_000,
};

/**
 * A minute's transactions of one type and owner (LP §6.1), by type number. Orders and cancels are left to the limit of all sends:
 * the documented default of 40 would contradict the thousands that the tiers allow.
 */
const typeLimits: Readonly<Record<number, number>> = { 8: 300, 12: 120, 20: 40, 29: 40, 45: 40 };

export interface LimitSettings {
  mode: 'off' | 'tier';
  /** Refused requests use the budget like any other, as firewalls count. */
  refusedCount: boolean;
  /** A breach closes the address for a minute: HTTP 405 to all, sends on its streams refused. */
  firewall: boolean;
}

/** What is used of one budget now. */
export interface BudgetUse {
  readonly of: string;
  readonly used: number;
  readonly limit: number;
}

class RollingBudget {
  readonly #spent: { readonly atMs: number; readonly weight: number }[] = [];
  #sum = 0;

  constructor(readonly limit: number) {}

  /** False when it was not enough; `refused` says whether that costs too. */
  spend(weight: number, nowMs: number, refused: 'counts' | 'free'): boolean {
    const isEnough = this.used(nowMs) + weight <= this.limit;
    if (!isEnough && refused === 'free') return false;
    this.#spent.push({ atMs: nowMs, weight });
    this.#sum += weight;
    return isEnough;
  }

  used(nowMs: number): number {
    while (this.#spent.length > 0 && (this.#spent[0]?.atMs ?? nowMs) <= nowMs - minuteMs) {
      this.#sum -= this.#spent.shift()?.weight ?? 0;
    }
    return this.#sum;
  }
}

export class RequestGate {
  readonly log: RequestLog;
  readonly #budgets = new Map<string, RollingBudget>();
  /** Until when the firewall keeps an address out. */
  readonly #closedUntilMs = new Map<string, number>();

  constructor(
    readonly settings: LimitSettings,
    readonly quota: VolumeQuota,
    private readonly world: World,
    private readonly nowMs: () => number,
  ) {
    this.log = new RequestLog(nowMs);
  }

  /** Changes what is demanded from now on; what was used before is forgiven. */
  change(settings: Partial<LimitSettings>): void {
    Object.assign(this.settings, settings);
    this.#budgets.clear();
    this.#closedUntilMs.clear();
  }

  /** One REST call. The address's tier is that of the account that asks, Standard when nobody is named. */
  mayRequest(address: string, endpoint: string, accountIndex: number | undefined): Limited | undefined {
    const tier = this.#tierOf(accountIndex);
    const terms = tiers[tier];
    const weight = terms.weighted === 'weighted' ? (weights[endpoint] ?? 300) : 1;
    const limited = this.#limit(address, `requests of ${address}, ${tier}`, weight, terms.restPerMinute);
    this.log.note({ address, accountIndex, endpoint, weight, refused: limited !== undefined });
    return limited;
  }

  /** One sendTx or batch, counted per L1 address; rare types also by themselves. `stream`: the address of a WebSocket. */
  maySubmit(inputs: readonly SubmissionInput[], stream?: string): Refusal | undefined {
    const [first] = inputs;
    const account = this.world.accounts.get(factsOf('', first).accountIndex ?? -1);
    if (account === undefined) return undefined;
    const refusal = this.#limitSend(account, inputs, stream);
    if (stream !== undefined) {
      const { accountIndex } = account;
      this.log.note({ address: stream, accountIndex, endpoint: 'jsonapi', weight: 0, refused: refusal !== undefined });
    }
    return refusal;
  }

  /** `open` counts the address's streams; it is asked only when limits are on. */
  mayConnect(address: string, open: () => number): boolean {
    if (this.settings.mode === 'off') return true;
    if (this.closedForMs(address) > 0 || open() >= streamLimits.connections) return false;
    return this.#spend(`new streams of ${address}`, 1, streamLimits.newPerMinute);
  }

  maySubscribe(subscriptions: number, accounts: number): Refusal | undefined {
    if (this.settings.mode === 'off') return undefined;
    if (subscriptions >= streamLimits.subscriptions) return refuse(23001);
    return accounts > streamLimits.accounts ? refuse(23002) : undefined;
  }

  mayMessage(withinMinute: number): boolean {
    return this.settings.mode === 'off' || withinMinute <= streamLimits.messages;
  }

  /** `inFlight`: transactions of a connection that are not answered yet. */
  mayWait(inFlight: number): boolean {
    return this.settings.mode === 'off' || inFlight < streamLimits.inFlight;
  }

  /** How long the firewall still keeps the address out; 0 when it does not. */
  closedForMs(address: string): number {
    return Math.max(0, (this.#closedUntilMs.get(address) ?? 0) - this.nowMs());
  }

  budgets(): readonly BudgetUse[] {
    const nowMs = this.nowMs();
    return [...this.#budgets].map(([of, budget]) => ({ of, used: budget.used(nowMs), limit: budget.limit }));
  }

  closed(): readonly { readonly address: string; readonly forMs: number }[] {
    const all = [...this.#closedUntilMs.keys()].map((address) => ({ address, forMs: this.closedForMs(address) }));
    return all.filter(({ forMs }) => forMs > 0);
  }

  #limit(address: string, budget: string, weight: number, limit: number): Limited | undefined {
    if (this.settings.mode === 'off') return undefined;
    const closedMs = this.closedForMs(address);
    const isEnough = this.#spend(budget, weight, limit);
    if (closedMs > 0) return { by: 'firewall', retryAfterSeconds: Math.ceil(closedMs / 1000) };
    if (isEnough) return undefined;
    if (this.settings.firewall) this.#closedUntilMs.set(address, this.nowMs() + minuteMs);
    // LP §6.1: the API's own cool-down.
    return { by: 'api', retryAfterSeconds: Math.ceil(weight / (limit / 60)) };
  }

  #limitSend(account: Account, inputs: readonly SubmissionInput[], stream: string | undefined): Refusal | undefined {
    if (this.settings.mode === 'off') return undefined;
    // A refusal on REST holds the stream too (LP §6.1).
    if (stream !== undefined && this.closedForMs(stream) > 0) return refuse(23000);
    const owner = account.l1Address.toLowerCase();
    if (!this.#spend(`sends of ${owner}`, 1, tiers[account.tier].sendPerMinute)) return refuse(23000);
    for (const { txType } of inputs) {
      const limit = typeLimits[txType];
      if (limit !== undefined && !this.#spend(`type ${txType} of ${owner}`, 1, limit)) return refuse(23000);
    }
    return undefined;
  }

  #spend(name: string, weight: number, limit: number): boolean {
    let budget = this.#budgets.get(name);
    // An account's tier may have changed.
    if (budget?.limit !== limit) this.#budgets.set(name, (budget = new RollingBudget(limit)));
    return budget.spend(weight, this.nowMs(), this.settings.refusedCount ? 'counts' : 'free');
  }

  #tierOf(accountIndex: number | undefined): Tier {
    return this.world.accounts.get(accountIndex ?? -1)?.tier ?? 'standard';
  }
}

/** Who refuses: the API with 429, or the firewall in front of it with its 405 page. */
export interface Limited {
  readonly by: 'api' | 'firewall';
  readonly retryAfterSeconds: number;
}
