/**
 * The fault plan: which planned misbehaviour applies to what happens now (`/_paper/faults`).
 * Knows nothing about sockets; the places where faults bite ask `take` and carry the answer out themselves.
 */
export type FaultOn = 'request' | 'response' | 'subscribe' | 'stream' | 'frame' | 'lists' | 'sequencer';

export interface FaultFacts {
  readonly path?: string | undefined;
  readonly channel?: string | undefined;
  readonly accountIndex?: number | undefined;
  readonly apiKeyIndex?: number | undefined;
  readonly txType?: number | undefined;
}

export interface Fault {
  readonly id: number;
  readonly on: FaultOn;
  readonly action: string;
  readonly match: FaultFacts;
  /** Times left; 0 = until removed. */
  left: number;
  readonly endless: boolean;
  readonly ms: number;
  readonly status: number;
  readonly code: number;
  readonly consumeNonce: boolean;
  /** How often it applied. */
  hits: number;
}

export class FaultPlan {
  #faults: Fault[] = [];
  #nextId = 1;
  /** Which kinds are present: asking for an absent kind must cost nothing, it happens for every frame. */
  readonly #present = new Set<FaultOn>();

  add(fault: Omit<Fault, 'id' | 'hits'>): Fault {
    const added = { ...fault, id: this.#nextId++, hits: 0 };
    this.#faults.push(added);
    this.#present.add(added.on);
    return added;
  }

  clear(): void {
    this.#faults = [];
    this.#present.clear();
  }

  list(): readonly Fault[] {
    return this.#faults;
  }

  has(on: FaultOn): boolean {
    return this.#present.has(on);
  }

  /** The first fault that applies, counted as used. */
  take(on: FaultOn, facts: FaultFacts): Fault | undefined {
    if (!this.#present.has(on)) return undefined;
    const fault = this.#faults.find((candidate) => candidate.on === on && matches(candidate.match, facts));
    if (fault !== undefined) this.use(fault);
    return fault;
  }

  use(fault: Fault): void {
    fault.hits += 1;
    if (fault.endless) return;
    fault.left -= 1;
    if (fault.left > 0) return;
    this.#faults = this.#faults.filter((other) => other !== fault);
    this.#present.clear();
    for (const other of this.#faults) this.#present.add(other.on);
  }
}

export function matches(match: FaultFacts, facts: FaultFacts): boolean {
  if (match.accountIndex !== undefined && match.accountIndex !== facts.accountIndex) return false;
  if (match.apiKeyIndex !== undefined && match.apiKeyIndex !== facts.apiKeyIndex) return false;
  if (match.txType !== undefined && match.txType !== facts.txType) return false;
  if (match.path !== undefined && !(facts.path ?? '').toLowerCase().endsWith(match.path.toLowerCase())) return false;
  // "account_all_orders" matches every account's; "account_all_orders:5" or "account_all_orders/5" only that one's.
  if (match.channel !== undefined) {
    const wanted = match.channel.replaceAll('/', ':');
    const channel = (facts.channel ?? '').replaceAll('/', ':');
    if (channel !== wanted && !channel.startsWith(`${wanted}:`)) return false;
  }
  return true;
}
