/** The simulated traders of every market and the timer that lets them live. */
import type { ExchangeClock } from './clock';
import type { Exchange } from './core/exchange';
import { Flow, stepMs } from './core/flow';
import { isHalted } from './core/market-rules';
import type { MarketSetup } from './core/markets';
import type { Account } from './core/types';
import type { Changes } from './core/world';

/** Account indexes of the simulated traders; real accounts may not use them. */
export const simulatedAccounts = { maker: 700_001, taker: 700_002, other: 700_003 } as const;

export class Simulation {
  readonly flows = new Map<number, Flow>();
  /** Acts for `/_paper/orders` without an account. */
  readonly other: Account;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly exchange: Exchange,
    private readonly clock: ExchangeClock,
    private readonly publish: (changes: Changes) => void,
    setups: readonly MarketSetup[],
    seed: number,
    flow: 'on' | 'off',
  ) {
    const maker = this.#trader(simulatedAccounts.maker);
    const taker = this.#trader(simulatedAccounts.taker);
    this.other = this.#trader(simulatedAccounts.other);
    for (const setup of setups) {
      const market = exchange.market(setup.spec.marketId);
      const settings = { ...setup.flow, flow: flow === 'off' ? 'off' : setup.flow.flow };
      this.flows.set(setup.spec.marketId, new Flow(exchange, market, maker, taker, seed, settings));
    }
  }

  start(): void {
    for (const flow of this.flows.values())
      this.publish(this.exchange.act(this.clock.nowUs(), (world) => flow.refill(world)));
    this.#timer = setInterval(() => this.#step(), stepMs);
  }

  close(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
  }

  #step(): void {
    for (const flow of this.flows.values()) {
      if (flow.settings.flow === 'off') continue;
      if (isHalted(this.exchange.world, flow.market)) continue;
      this.publish(this.exchange.act(this.clock.nowUs(), (world) => flow.step(world)));
    }
  }

  #trader(accountIndex: number): Account {
    return this.exchange.world.addAccount({
      accountIndex,
      l1Address: `0x${accountIndex.toString(16).padStart(40, '0')}`,
      tier: 'standard',
      collateralMicro: 0,
      keys: new Map(),
      synthetic: true,
    });
  }
}
