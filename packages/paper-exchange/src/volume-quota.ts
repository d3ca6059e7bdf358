/**
 * The volume quota of Plus and Premium (LP §6.5): one counter per L1 address, whatever account and transport; earned by trading. One send
 * every 15 s is free: it spends nothing and shows nothing. Numbers that pages disagree on are settings.
 */
import { refuse } from './core/codes';
import type { Refusal } from './core/codes';
import type { Account } from './core/types';
import type { World } from './core/world';
import type { SubmissionInput } from './submissions';
import { factsOf } from './submissions';

export const freeEveryMs = 15_000;
const quotaMax = 5_000_000;

export interface QuotaSettings {
  quota: 'off' | 'tier';
  /** What an owner begins with. */
  start: number;
  /** USD traded for one more. */
  usdEach: number;
  /** Transaction types that cost one each. */
  costs: readonly number[];
  /** HTTP status of a refusal. */
  status: 400 | 429;
}

export const quotaDefaults: Omit<QuotaSettings, 'quota'> = {
  start: 1_000,
  usdEach: 10,
  costs: [14, 16, 17, 28],
  status: 400,
};

interface Counter {
  left: number;
  /** Of all the owner's accounts, when `left` was last brought up to date. */
  tradedMicro: number;
  freeAtMs: number;
}

/** `left`: undefined when nothing was spent. */
export interface Spent {
  readonly message: string;
  readonly left?: number;
}

export class VolumeQuota {
  readonly #counters = new Map<string, Counter>();

  constructor(
    readonly settings: QuotaSettings,
    private readonly world: World,
    private readonly nowMs: () => number,
  ) {}

  /** From now on; every owner begins anew. */
  change(settings: Partial<QuotaSettings>): void {
    Object.assign(this.settings, settings);
    this.#counters.clear();
  }

  /** Whether the transactions may be sent at all; nothing is spent yet. */
  refusal(inputs: readonly SubmissionInput[]): Refusal | undefined {
    const counter = this.#counterOf(inputs);
    const cost = this.#costOf(inputs);
    if (counter === undefined || cost <= counter.left || this.#isFree(counter, cost)) return undefined;
    return refuse(23000, 'Too Many Requests!:  Not enough volume quota'); // two blanks, as recorded
  }

  /** They were accepted: what the answer says about it. */
  spend(inputs: readonly SubmissionInput[]): Spent {
    if (this.settings.quota === 'off') return { message: 'Ratelimit is off', left: 1_000_000 };
    const counter = this.#counterOf(inputs);
    const cost = this.#costOf(inputs);
    if (counter === undefined || cost === 0) return { message: "didn't use volume quota" };
    if (this.#isFree(counter, cost)) {
      counter.freeAtMs = this.nowMs();
      return { message: "didn't use volume quota" };
    }
    counter.left -= cost;
    return { message: `${counter.left} volume quota remaining.`, left: counter.left };
  }

  owners(): readonly { readonly owner: string; readonly left: number }[] {
    return [...this.#counters.keys()].map((owner) => ({ owner, left: this.#broughtUpToDate(owner).left }));
  }

  #costOf(inputs: readonly SubmissionInput[]): number {
    return inputs.filter(({ txType }) => this.settings.costs.includes(txType)).length;
  }

  #isFree({ freeAtMs }: Counter, cost: number): boolean {
    return cost === 1 && this.nowMs() - freeAtMs >= freeEveryMs;
  }

  /** Undefined where no quota is counted. */
  #counterOf([first]: readonly SubmissionInput[]): Counter | undefined {
    const account = this.world.accounts.get(factsOf('', first).accountIndex ?? -1);
    if (this.settings.quota === 'off' || account === undefined || account.tier === 'standard') return undefined;
    return this.#broughtUpToDate(account.l1Address.toLowerCase());
  }

  #broughtUpToDate(owner: string): Counter {
    const tradedMicro = (this.world.byL1Address.get(owner) ?? []).reduce(
      (sum: number, account: Account) => sum + account.tradedQuoteMicro,
      0,
    );
    let counter = this.#counters.get(owner);
    if (counter === undefined) {
      counter = { left: this.settings.start, tradedMicro, freeAtMs: Number.NEGATIVE_INFINITY };
      this.#counters.set(owner, counter);
    }
    const earned = Math.floor((tradedMicro - counter.tradedMicro) / (this.settings.usdEach * 1_000_000));
    counter.tradedMicro += earned * this.settings.usdEach * 1_000_000;
    counter.left = Math.min(quotaMax, counter.left + earned);
    return counter;
  }
}
