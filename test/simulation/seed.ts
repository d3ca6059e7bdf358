/**
 * One run: everything follows from its seed. Faults rage for a while, then stop; afterwards every order must end with nothing naked,
 * or as an abandonment that its operator asked for and its result states.
 */
import { nextOrderId, orderWorkflowId, parseOrderId, timeOf, type OrderId } from '../../src/domain/ids-and-nonces';
import type { ArmResult, ExecuteInput, OrderInput, OrderResult, OrderState } from '../../src/domain/messages';
import { MAKER_ONLY } from '../../src/domain/rejections';
import { hashOf, Random } from '../../packages/paper-exchange/src/core/random';
import { makerOrder } from '../../src/workflows/maker-order';
import { Chaos, isOrder } from './chaos';
import { Clocks } from './clocks';
import { Faults, type FaultKind, type FaultLimits } from './faults';
import { Halts } from './halts';
import { MarketActors } from './market';
import { MoneyActor } from './money';
import { Network } from './network';
import { PairActor } from './pair';
import { policyOf } from './policy';
import type { World } from './processes';
import { TemporalServer, type Run, type Workflow } from './temporal';
import { installTimers, START_MS, Time } from './time';
import { Truth } from './truth';
import { UnwindRules } from './unwind-rules';
import { useWires } from './watch-wire';
import { ACCOUNT_A, ACCOUNT_B, LANES, MARKET, SPARE_LANES, Venue } from './venue';

export interface Outcome {
  readonly kind: 'ok' | 'safety' | 'clock' | 'liveness' | 'crash';
  readonly what: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly strikes: number;
  readonly strikesByKind: ReadonlyMap<FaultKind, number>;
  /** `fault × state of an order`, each pair that occurred. */
  readonly coverage: ReadonlySet<string>;
  readonly orders: {
    readonly filled: number;
    readonly unfilled: number;
    readonly abandoned: number;
    readonly closedLots: number;
    /** Of unwinds, that traded. */
    readonly steps: number;
    readonly transfers: number;
  };
  readonly timeline: readonly string[];
  /** A digest of everything that executed and when: equal runs have equal ones. */
  readonly digest: number;
}

/** Kinds drawn before any order, and there for the whole run. */
const DRAWN_ONCE: readonly FaultKind[] = [
  'clock-skew',
  'channel-rejected',
  'small-margin',
  'maker-only',
  'no-quota',
  'upgrade',
];
/** The pair does not quote below it. */
const QUOTA_FLOOR = 4;
const TICK_MS = 500;
/** One order in so many takes from the book and reduces what A holds. */
const UNWIND_EACH = 8n;
/** Longest pause of the small pair between two orders that were not placed. */
const PAUSE_MS_MAX = 5_000;
/**
 * From the end of the faults, or of the order before, to an order's end: back-offs of 30 s, a lane given up after 160 s on either
 * account, an operator's help after four and eight minutes.
 */
const LIVENESS_MS = 12 * 60_000;

export function runSeed(seed: number, limits: FaultLimits, isTraced: 'traced' | 'silent' = 'silent'): Outcome {
  const run = new Simulation(seed, limits, isTraced);
  const restore = installTimers(run.time);
  try {
    return run.run();
  } finally {
    restore();
  }
}

interface Slot {
  readonly lane: number;
  last: OrderId | undefined;
  /** Orders still to start. */
  left: number;
  /** Consecutive orders that were not placed: the next one waits longer, as a pair's does. */
  rejections: number;
  startsAtMs: number;
  isBusy: boolean;
}

class Simulation {
  readonly time = new Time();
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #truth = new Truth(this.time);
  readonly #world: World;
  readonly #chaos: Chaos;
  readonly #market: MarketActors;
  readonly #clocks: Clocks;
  readonly #timeline: string[] = [];
  readonly #defects: string[] = [];
  readonly #coverage = new Set<string>();
  readonly #healMs: number;
  #lastEndMs = 0;
  readonly #slots: Slot[];
  readonly #pair: PairActor | undefined;
  readonly #money: MoneyActor | undefined;
  #digest = 0;

  constructor(seed: number, limits: FaultLimits, isTraced: 'traced' | 'silent') {
    const { time } = this;
    const faults = (this.#faults = new Faults(seed, limits));
    const random = (this.#random = new Random(hashOf(seed, 2)));
    const venue = new Venue(time, faults, hashOf(seed, 3));
    const halts = new Halts(time, venue, faults);
    const trace = (text: () => string): void => {
      if (isTraced === 'traced')
        this.#timeline.push(`${((time.nowMs - START_MS) / 1000).toFixed(4).padStart(10)}  ${text()}`);
    };
    const temporal = new TemporalServer(
      time,
      faults,
      new Random(hashOf(seed, 4)),
      {
        trace,
        onDefect: (what) => this.#defects.push(what),
        onScheduled: (name, input, by) => this.#learn(name, input, by),
        onAnswered: (name, input, result) => this.#hear(name, input, result),
        onSignalOut: (name, input) => this.#onOrderState(name, input as OrderState),
        onChild: (input) => this.#onChild(input as OrderInput),
        onEnd: (run) => this.#onEnd(run),
        onOperator: (run) => {
          const order = this.#truth.find(run.id.split('/')[2]);
          if (order) order.meddled = true;
        },
      },
      { makerOrder: makerOrder as Workflow },
    );
    const unwinds = faults.isPaired ? new UnwindRules(time, venue, this.#truth) : undefined;
    const network = new Network(time, faults, new Random(hashOf(seed, 5)));
    this.#world = {
      time,
      faults,
      random: new Random(hashOf(seed, 6)),
      network,
      venue,
      halts,
      trace,
      temporal,
      hedgers: new Set(),
      isWatched: random.chance(faults.theme === 'absence' ? 0.5 : 0.03),
      onSend: (host, accountIndex, request) => this.#chaos.onSend(host, accountIndex, request),
      onDefect: (what) => this.#defects.push(what),
      gauges: new Map(),
      onArmed: (armed) => this.#clocks.onArmed(armed),
      promiseOf: (id) => {
        const input = this.#truth.orders.get(id)?.input;
        return (
          input && {
            id,
            marketId: input.market.market_id,
            side: input.side === 'buy' ? 'sell' : 'buy',
            lots: BigInt(input.lots),
            priceTicks: BigInt(input.price_ticks),
            untilMs: Infinity,
          }
        );
      },
      onStuckSaid: (orderId) => {
        const order = this.#truth.find(orderId);
        if (order) order.saidStuckMs = this.time.nowMs;
      },
      onAlert: (told) => {
        const order = this.#truth.find(told.orderId);
        if (told.kind === 'exposure-left' && order) order.isAlerted = true;
        this.#clocks.onAlert(told, order);
      },
    };
    useWires(this.#world);
    venue.watchers.push((changes) => {
      this.#truth.onChanges(changes);
      unwinds?.look();
      for (const { orders, txs } of changes.accounts.values()) {
        for (const tx of txs) {
          trace(() => `exchange executes ${tx.hash}${tx.refusal ? ` rejected ${tx.refusal.code}` : ''}`);
          this.#digest = hashOf(this.#digest, tx.nonce, tx.executedAtUs, tx.refusal?.code ?? 0);
        }
        for (const order of orders) {
          if (order.status === 'open' && order.account.accountIndex === ACCOUNT_A) faults.isAsleep = false;
          if (order.status === 'canceled-margin-not-allowed' && order.account.accountIndex === ACCOUNT_B)
            this.#clocks.onMarginRejected(order.clientIndex);
          trace(
            () =>
              `exchange order ${order.account.accountIndex}/${order.clientIndex} ${order.side} ${order.status} ${order.filledLots}/${order.initialLots}`,
          );
          this.#digest = hashOf(this.#digest, order.clientIndex, order.filledLots, order.transactionUs);
        }
      }
    });
    this.#market = new MarketActors(time, venue, faults, new Random(hashOf(seed, 7)), this.#truth, halts);
    venue.onRejected = (tx, code) => {
      if (code === MAKER_ONLY) this.#truth.onKeyMisused(tx);
    };
    this.#chaos = new Chaos(this.#world, this.#truth, this.#market, new Random(hashOf(seed, 8)));
    this.#clocks = new Clocks(this.#world, this.#truth, this.#chaos.processes, this.#market, unwinds);
    this.#truth.onFill = (order) => {
      if (order.input.unwind === true) unwinds?.onStepFill();
      this.#clocks.onFill(order);
    };
    faults.onStrike = (kind) => {
      this.#clocks.onStrike(kind);
      for (const run of temporal.runs.values()) {
        if (run.end !== undefined || !isOrder(run)) continue;
        this.#coverage.add(`${kind} × ${run.state}`);
        for (const drawn of DRAWN_ONCE) if (faults.counts.has(drawn)) this.#coverage.add(`${drawn} × ${run.state}`);
      }
    };
    // The clocks are drawn by now: everything else waits, in most seeds, until something is at stake.
    faults.isAsleep = random.chance(0.6);
    this.#healMs =
      START_MS + (faults.theme === 'absence' ? random.logUniform(40_000, 200_000) : random.logUniform(3_000, 90_000));
    this.#pair = unwinds && new PairActor(this.#world, this.#market, new Random(hashOf(seed, 9)), unwinds);
    this.#money = faults.isMoney ? new MoneyActor(this.#world, new Random(hashOf(seed, 11))) : undefined;
    this.#slots = (unwinds ? [] : LANES).slice(0, random.between(1, 2)).map((lane) => ({
      lane,
      last: undefined,
      left: random.between(1, 4),
      rejections: 0,
      startsAtMs: 0,
      isBusy: false,
    }));
  }

  run(): Outcome {
    const { time } = this;
    this.#chaos.start();
    this.#market.start();
    this.#clocks.start();
    this.#pair?.start();
    const tick = (): void => {
      if (!this.#faults.healed) {
        this.#chaos.tick();
        this.#market.tick();
        this.#pair?.tick();
        this.#money?.tick();
        time.after(TICK_MS, undefined, tick);
      }
      for (const slot of this.#slots) this.#serve(slot);
    };
    time.after(TICK_MS, undefined, tick);
    this.#fillAgain();
    time.after(this.#healMs - time.nowMs, undefined, () => this.#heal());
    try {
      const reason = this.#runToTheEnd();
      if (reason === 'over' && this.#isDone()) {
        // Bytes that are still under way may arrive now; nothing may come of them.
        time.run(() => this.#isBroken(), time.nowMs + 60_000);
        if (this.#defects.length === 0) this.#finalCheck();
      }
      return this.#outcome(reason);
    } catch (error) {
      this.#defects.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return this.#outcome('over');
    }
  }

  /** A lane that stays dead costs each of its orders minutes, so the time counts anew from every end. */
  #runToTheEnd(): 'over' | 'deadline' {
    for (let fromMs = this.#healMs; ; fromMs = this.#lastEndMs) {
      const reason = this.time.run(() => this.#isBroken() || this.#isDone(), fromMs + LIVENESS_MS);
      if (reason === 'over' || this.#lastEndMs <= fromMs) return reason;
    }
  }

  // ---- the pair, in the small: one order after the other on each lane

  #serve(slot: Slot): void {
    if (this.#world.venue.isQuotaBelow(QUOTA_FLOOR)) return;
    if (slot.isBusy || slot.left === 0 || this.time.nowMs < slot.startsAtMs) return;
    slot.isBusy = true;
    slot.left -= 1;
    const id = nextOrderId({ epochMs: this.time.nowMs, lane: slot.lane, last: slot.last });
    slot.last = id;
    const input = this.#newInput(id);
    this.#truth.addOrder(input);
    this.#world.trace(
      () => `pair starts order ${id}: ${input.side} ${input.lots} at ${input.price_ticks}, ${input.policy.on_stuck}`,
    );
    this.#world.temporal.start(orderWorkflowId(ACCOUNT_A, id), makerOrder as (input: unknown) => Promise<unknown>, {
      input,
      attributes: { Market: MARKET.symbol, Side: input.side, HedgeState: 'arming', Exposure: 0 },
    });
  }

  #newInput(id: OrderId): OrderInput {
    const random = this.#random;
    const drawn = random.chance(0.5) ? 'buy' : 'sell';
    // Told by the id, so that what is drawn stays as it is: some orders are steps of an unwind.
    const unwinds = timeOf(id) % UNWIND_EACH === 0n && this.#truth.signOfA !== 0;
    const side = !unwinds ? drawn : this.#truth.signOfA > 0 ? 'sell' : 'buy';
    const { startTicks } = MARKET;
    const away = unwinds ? 0 : side === 'buy' ? -1_000 : 1_000;
    return {
      order_id: id.toString(),
      maker_account: ACCOUNT_A,
      hedge_account: ACCOUNT_B,
      market: {
        market_id: MARKET.marketId,
        symbol: MARKET.symbol,
        size_decimals: MARKET.sizeDecimals,
        price_decimals: MARKET.priceDecimals,
      },
      side,
      lots: random.between(1, 40).toString(),
      price_ticks: (startTicks + away).toString(),
      ...(unwinds ? { unwind: true } : {}),
      time_out_ms: Math.round(
        this.#faults.theme === 'absence' ? random.logUniform(5_000, 60_000) : random.logUniform(1_000, 40_000),
      ),
      expiry_ms: 360_000,
      policy: policyOf(random),
      pair_workflow_id: 'pair/101/BTC',
      spare_lanes: [...SPARE_LANES],
      // Runs that go on in others are as good as one.
      ...(random.chance(0.3) ? { history_events_max: random.between(20, 100) } : {}),
    };
  }

  #onChild(input: OrderInput): void {
    this.#truth.addOrder(input);
    this.#pair?.rules.onStart(input);
    if (input.unwind !== true) this.#pair?.onQuote();
  }

  #onOrderState(name: string, state: OrderState): void {
    if (name === 'orderState') this.#pair?.rules.onTold(state);
    if (name === 'orderState' && state.done) this.#onDone(state);
  }

  #onDone(state: Pick<OrderState, 'order_id' | 'last_id' | 'result'>): void {
    const id = parseOrderId(state.order_id);
    const last = parseOrderId(state.last_id);
    const slot = this.#slots.find(({ last: mine }) => mine === id);
    if (slot?.isBusy !== true || last === undefined) return;
    slot.last = last > (slot.last ?? 0n) ? last : slot.last;
    slot.isBusy = false;
    // An order that never rested has shown little: another one takes its turn.
    const isPlaced = state.result?.maker.status !== 'not-placed';
    if (!isPlaced && !this.#faults.healed) slot.left += 1;
    slot.rejections = isPlaced ? 0 : slot.rejections + 1;
    const pauseMs = Math.min(200 * 2 ** slot.rejections, PAUSE_MS_MAX);
    slot.startsAtMs = this.time.nowMs + pauseMs;
    this.time.after(pauseMs, undefined, () => this.#serve(slot));
  }

  #fillAgain(): void {
    if (!this.#isDone())
      this.time.after(
        this.#random.logUniform(
          this.#faults.theme === 'absence' ? 200 : 10,
          this.#faults.theme === 'absence' ? 12_000 : 1_500,
        ),
        undefined,
        () => this.#fillAgain(),
      );
    this.#market.fillOne();
  }

  #heal(): void {
    const { time } = this;
    this.#world.trace(() => 'the faults stop');
    this.#faults.healed = true;
    this.#market.healAll();
    this.#chaos.healAll();
    this.#pair?.heal();
    this.#money?.heal();
    // A lane that something else took for good is for the operator: close on A, and if that lane is gone too, give up.
    time.after(LIVENESS_MS / 3, undefined, () => this.#help((run) => this.#world.temporal.update(run, 'forceClose')));
    time.after((LIVENESS_MS * 2) / 3, undefined, () => this.#help((run) => this.#chaos.cancel(run)));
  }

  #help(act: (run: Run) => void): void {
    // So is what a pair quoted while the market was elsewhere: beyond every bound once it is back.
    const isLaneLost = this.#pair !== undefined || (this.#faults.counts.get('foreign-jump') ?? 0) > 0;
    if (isLaneLost) this.#chaos.runs().forEach(act);
  }

  #finalCheck(): void {
    this.#truth.finalCheck();
    this.#clocks.finalCheck();
    this.#money?.check();
  }

  #isBroken(): boolean {
    return (
      this.#truth.violations.length > 0 ||
      (this.#money?.violations.length ?? 0) > 0 ||
      this.#defects.length > 0 ||
      this.#clocks.violations.length > 0
    );
  }

  #isDone(): boolean {
    const isOver = this.#pair?.isOver ?? this.#slots.every(({ isBusy, left }) => !isBusy && left === 0);
    return isOver && (this.#money?.isOver ?? true) && this.#chaos.runs().length === 0;
  }

  // ---- what the truth hears

  #hear(name: string, input: unknown, result: unknown): void {
    if (name === 'place' && (result as { quotes_only?: number[] }).quotes_only !== undefined) {
      const placed = this.#truth.find((input as { order: OrderInput }).order.order_id);
      if (placed) placed.quotesOnlyMs ??= this.time.nowMs;
    }
    if (name !== 'arm' || !(result as ArmResult).armed) return;
    const id = parseOrderId((input as ExecuteInput).ticket.order_id);
    const order = id === undefined ? undefined : this.#truth.orders.get(id);
    if (order) order.isArmed = true;
  }

  #learn(name: string, input: unknown, by: { readonly run: Run; readonly queue: string } | undefined): void {
    this.#money?.onScheduled(name, input, by);
    this.#pair?.rules.onScheduled(name, input);
    if (name === 'execute' && (input as ExecuteInput).purpose === 'close')
      this.#truth.onCloseAsked((input as ExecuteInput).ticket.order_id);
    if (name === 'execute' || name === 'seal' || name === 'arm')
      this.#truth.learnTicket((input as ExecuteInput).ticket);
  }

  #onEnd(run: Run): void {
    this.#lastEndMs = this.time.nowMs;
    if (!isOrder(run)) return this.#money?.check();
    this.#pair?.rules.onEnd(this.#truth.find(run.id.split('/')[2]), run.result as OrderResult | undefined);
    const id = parseOrderId(run.id.split('/')[2] ?? '');
    if (id !== undefined && run.end !== undefined)
      this.#truth.onEnd(id, run.end, run.result as OrderResult | undefined);
    const result = run.end === 'completed' ? (run.result as OrderResult) : undefined;
    if (result) this.#onDone({ order_id: result.order_id, last_id: result.last_id, result });
  }

  #outcome(reason: 'over' | 'deadline'): Outcome {
    const { orders } = this.#truth;
    const violations = [...this.#truth.violations, ...(this.#money?.violations ?? [])];
    const ended = [...orders.values()];
    const unfinished = this.#chaos.runs().map((run) => `${run.id} is ${run.state}`);
    const [kind, what]: [Outcome['kind'], string] =
      violations.length > 0
        ? ['safety', violations.join('; ')]
        : this.#defects.length > 0
          ? ['crash', this.#defects.join('; ')]
          : this.#clocks.violations.length > 0
            ? ['clock', this.#clocks.violations.join('; ')]
            : reason === 'deadline'
              ? [
                  'liveness',
                  `no order ended for ${LIVENESS_MS / 60_000} min after the faults stopped: ${unfinished.join(', ') || 'a slot waits'}`,
                ]
              : ['ok', ''];
    return {
      kind,
      what,
      events: this.time.events,
      virtualMs: this.time.nowMs - START_MS,
      strikes: this.#faults.strikes,
      strikesByKind: this.#faults.counts,
      coverage: this.#coverage,
      orders: {
        filled: ended.filter(({ filled }) => filled > 0).length,
        transfers: this.#money?.moved ?? 0,
        steps: ended.filter(({ filled, input }) => filled > 0 && input.unwind === true).length,
        unfilled: ended.filter(({ filled }) => filled === 0).length,
        abandoned: ended.filter(({ result }) => result?.hedge_state === 'abandoned').length,
        closedLots: ended.reduce(
          (sum, { result }) => sum + Math.round(Number(result?.closed_base_amount ?? 0) * 1e5),
          0,
        ),
      },
      timeline: this.#timeline,
      digest: hashOf(this.#digest, this.time.events),
    };
  }
}
