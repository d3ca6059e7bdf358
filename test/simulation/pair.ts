/**
 * The pair of a run, where it is the workflow itself: started with a position on both accounts, meddled with by its operators, stopped when the
 * faults are over. What it must not do in an unwind is in unwind-rules.ts.
 */
import type { PairInput } from '../../src/domain/messages';
import { pairWorkflowId } from '../../src/domain/ids-and-nonces';
import { pair } from '../../src/workflows/pair';
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { MarketActors } from './market';
import { policyOf } from './policy';
import type { World } from './processes';
import type { Run, Workflow } from './temporal';
import type { UnwindRules } from './unwind-rules';
import { ACCOUNT_A, ACCOUNT_B, LANES, MARKET, SPARE_LANES } from './venue';

const PAIR_ID = pairWorkflowId(ACCOUNT_A, MARKET.symbol);
/** Then it quotes no more; its unwind goes on. */
const QUOTES_MAX = 5;
/** After the faults: a person resumes, and stops the pair in the end. */
const RESUME_MS = 1_000;
const DRY_MS = { from: 5_000, until: 90_000 };
const SCARE_MS = { from: 20_000, until: 220_000 };

export class PairActor {
  readonly rules: UnwindRules;
  #quotes = 0;

  constructor(
    private readonly world: World,
    private readonly market: MarketActors,
    private readonly random: Random,
    rules: UnwindRules,
  ) {
    this.rules = rules;
    market.keepsScare = random.chance(0.2);
  }

  start(): void {
    const { world, random } = this;
    const isSmall = world.faults.counts.has('small-margin');
    const held = random.chance(0.85) ? random.between(5, isSmall ? 40 : 150) : 0;
    this.#hold(random.chance(0.5) ? held : -held);
    world.time.after(random.logUniform(1_000, 20_000), undefined, () => {
      if (world.faults.strike('margin-scare', true)) this.market.scare();
    });
    world.temporal.start(PAIR_ID, pair as Workflow, { input: this.#input(), attributes: {} });
  }

  tick(): void {
    const { faults, time } = this.world;
    if (!faults.strike('operator-pair')) return;
    const random = faults.random('operator-pair');
    const choice = random.next();
    if (choice < 0.4) {
      this.#ask('pause');
      time.after(random.logUniform(500, 40_000), undefined, () => this.#resume());
    } else if (choice < 0.7) this.#ask('set', { lots: random.between(1, 20).toString(), by: 'an operator' });
    else this.#resume();
  }

  /** An order has been started. */
  onQuote(): void {
    this.#quotes += 1;
    if (this.#quotes === QUOTES_MAX) this.#ask('pause');
  }

  /** In some runs a book without orders, and then a scare, come when everything else is well: nothing excuses silence. */
  heal(): void {
    const { time } = this.world;
    const { market } = this;
    const at = (ms: number, act: () => void): void => void time.after(ms, undefined, act);
    const stop = (): void => {
      this.rules.isStopped = true;
      this.#ask('stop');
    };
    this.#quotes = 0;
    at(RESUME_MS, () => this.#resume());
    if (!market.keepsScare) {
      at(2 * RESUME_MS, () => this.#ask('pause'));
      at(20_000, stop);
      return;
    }
    if (this.random.chance(0.5)) {
      at(DRY_MS.from, () => market.dry(true));
      at(DRY_MS.until, () => market.dry(false));
    }
    at(SCARE_MS.from, () => market.scare(Infinity));
    at(SCARE_MS.until, () => market.endScare());
    at(SCARE_MS.until + 20_000, stop);
  }

  get isOver(): boolean {
    return this.#run?.end !== undefined;
  }

  get #run(): Run | undefined {
    return this.world.temporal.runs.get(PAIR_ID);
  }

  #resume(): void {
    if (this.#quotes >= QUOTES_MAX) return;
    this.#ask('resume');
  }

  #ask(what: 'pause' | 'resume' | 'set' | 'stop', input?: unknown): void {
    const run = this.#run;
    if (run === undefined || this.world.temporal.isDown) return;
    if (what === 'resume') this.rules.onResume();
    this.world.temporal.update(run, what, input);
  }

  /** Both accounts hold it the other way round before anything begins. */
  #hold(lots: number): void {
    const { exchange } = this.world.venue;
    for (const [index, sign] of [
      [ACCOUNT_A, 1],
      [ACCOUNT_B, -1],
    ] as const) {
      const position = exchange.world.position(this.world.venue.account(index), exchange.market(MARKET.marketId));
      position.lots = sign * lots;
      position.entryQuoteMicro = Math.abs(lots) * MARKET.startTicks;
    }
  }

  #input(): PairInput {
    const { random } = this;
    const strategies = ['buy', 'sell', 'round-trip'] as const;
    return {
      ...{ market: MARKET.symbol, maker_account: ACCOUNT_A, hedge_account: ACCOUNT_B, depth: 1 },
      strategy: strategies[random.between(0, 2)] ?? 'buy',
      lots: random.between(1, 20).toString(),
      size_decimals: MARKET.sizeDecimals,
      max_position_lots: '200',
      lanes: LANES.slice(0, random.between(1, 2)),
      spare_lanes: [...SPARE_LANES],
      time_out_ms: Math.round(random.logUniform(1_000, 30_000)),
      expiry_ms: 360_000,
      policy: policyOf(random),
      max_consecutive_failures: 5,
      ...(random.chance(0.3) ? { history_events_max: random.between(100, 400) } : {}),
    };
  }
}
