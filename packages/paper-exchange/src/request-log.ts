/** Who asked what in the last minute, counted whether limits are on or not: second by second, so that a crowd costs nothing. */

export interface Request {
  readonly address: string;
  readonly accountIndex: number | undefined;
  readonly endpoint: string;
  readonly weight: number;
  readonly refused: boolean;
}

export interface Usage {
  requests: number;
  weight: number;
  refused: number;
}

/** What one address asked on behalf of one account; `accountIndex` is absent when it named none. */
export interface Asker extends Usage {
  readonly address: string;
  readonly accountIndex: number | undefined;
  readonly byEndpoint: ReadonlyMap<string, Usage>;
}

interface Second {
  readonly second: number;
  readonly byEndpoint: Map<string, Usage>;
}

const seconds = 60;

export class RequestLog {
  readonly #askers = new Map<string, { readonly of: Request; readonly lately: Second[] }>();

  constructor(private readonly nowMs: () => number) {}

  note(request: Request): void {
    const name = `${request.address}/${request.accountIndex}`;
    let asker = this.#askers.get(name);
    if (asker === undefined) this.#askers.set(name, (asker = { of: request, lately: [] }));
    const second = Math.floor(this.nowMs() / 1000);
    let last = asker.lately.at(-1);
    if (last?.second !== second) {
      asker.lately.push((last = { second, byEndpoint: new Map() }));
      while ((asker.lately[0]?.second ?? second) <= second - seconds) asker.lately.shift();
    }
    add(last.byEndpoint, request.endpoint, { ...request, requests: 1, refused: request.refused ? 1 : 0 });
  }

  /** Those who asked within the last minute. */
  askers(): readonly Asker[] {
    const oldest = Math.floor(this.nowMs() / 1000) - seconds;
    const found: Asker[] = [];
    for (const { of, lately } of this.#askers.values()) {
      const byEndpoint = new Map<string, Usage>();
      for (const one of lately) {
        if (one.second > oldest) for (const [name, usage] of one.byEndpoint) add(byEndpoint, name, usage);
      }
      const sum = { requests: 0, weight: 0, refused: 0 };
      for (const usage of byEndpoint.values()) {
        sum.requests += usage.requests;
        sum.weight += usage.weight;
        sum.refused += usage.refused;
      }
      if (sum.requests > 0) found.push({ address: of.address, accountIndex: of.accountIndex, ...sum, byEndpoint });
    }
    return found;
  }
}

function add(to: Map<string, Usage>, name: string, more: Usage): void {
  const usage = to.get(name);
  if (usage === undefined) {
    to.set(name, { requests: more.requests, weight: more.weight, refused: more.refused });
    return;
  }
  usage.requests += more.requests;
  usage.weight += more.weight;
  usage.refused += more.refused;
}
