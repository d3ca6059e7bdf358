/**
 * The invariants with a clock in them: how long anything may be naked, in silence, or at rest.
 *
 * Each rule has a bound, counted from the moment it began to apply or from the last thing that explains a delay, whichever is later.
 * What explains one is a fault that struck, for a while after it, or a condition that lasts. What does not explain it is the point of
 * the rule: a fill may stay naked while a margin is short, but not in silence; a quote may outlive a hedger, but not its time-out.
 */
import { laneOf, nonceOf, orderWorkflowId, parseOrderId, type OrderId } from '../../src/domain/ids-and-nonces';
import type { OrderResult } from '../../src/domain/messages';
import type { AlertKind } from '../../src/observability';
import { FAULT_KINDS, type FaultKind } from './faults';
import type { MarketActors } from './market';
import { summarize } from '../../packages/paper-exchange/src/core/margin';
import type { Armed, Hedger, Maker, Told, World } from './processes';
import type { OrderTruth, Truth } from './truth';
import type { UnwindRules } from './unwind-rules';
import { ACCOUNT_A, ACCOUNT_B, MARKET } from './venue';

/**
 * `naked`: a fill is hedged while B can trade. `fast`: also while the engine is away, by the executor that armed the order. `told`: a
 * person hears of exposure from whatever lives. `patience`: an order that stays naked calls itself stuck when its policy says so.
 * `stuck`: then it says so in an alert. `trouble`: and has nothing at rest. `quote`: no quote outlives its time-out while anything of
 * ours lives. `closing`: none rests where the exchange has announced that it closes. `unwind`: near to a liquidation both accounts reduce, or a
 * person hears why not. `enlarging`: nothing rests then that enlarges a position.
 */
const RULES = [
  ...(['naked', 'fast', 'told', 'stuck', 'patience', 'quote', 'trouble', 'closing'] as const),
  ...(['unwind', 'enlarging'] as const),
];
type Rule = (typeof RULES)[number];

const BOUND_MS: Readonly<Record<Rule, number>> = {
  naked: 5_000,
  fast: 5_000,
  told: 10_000,
  stuck: 5_000,
  patience: 2_000,
  quote: 10_000,
  trouble: 4_000,
  closing: 10_000,
  unwind: 75_000,
  enlarging: 20_000,
};

/** How long a fault goes on explaining after it struck: back-offs reach 30 s, twice that when another executor takes over; lost activities 5 s. */
const TAIL_MS: Readonly<Record<Rule, number>> = {
  naked: 75_000,
  fast: 75_000,
  told: 20_000,
  stuck: 20_000,
  patience: 20_000,
  quote: 30_000,
  trouble: 30_000,
  closing: 45_000,
  unwind: 75_000,
  enlarging: 45_000,
};
/** A lane's key that is rejected: two proofs of 20 s, each with a seal's pauses, 90 s apart. */
const TAIL_KEY_MS = 180_000;
/** Of faults that are conditions: these explain for as long as they last, see `#weigh`. */
const LASTING =
  'crash pause suspend makers-away hedgers-away temporal-away temporal-down stream-cut cut-off exchange-away crash-mid pause-mid';

const HARMLESS = 'busy-account notice-twice frame-twice signal-twice request-twice lists-lag rows-lag channel-rejected';
const NO_TRADE =
  'thin-book no-margin small-margin maker-margin market-runs market-halted upgrade maker-only no-quota self-cross key-revoked';
const REJECTS = 'foreign-nonce foreign-cancel api-rejects sequencer-rejects sequencer-drops slow-sequencer';
const HANDS = 'stranger-trades stranger-mid';
const NOTICES = 'notice-lost notice-late';
const PAIR = 'margin-scare operator-pair';

/** Faults that explain nothing to a rule, which it is about. */
const NO_EXCUSE: Readonly<Record<Rule, string>> = {
  naked: `${HARMLESS} ${NOTICES} stream-cut maker-cancelled`,
  fast: `${HARMLESS} stream-cut temporal-away temporal-down signal-lost signal-unanswered maker-cancelled`,
  told: `${HARMLESS} ${HANDS} ${NOTICES} ${NO_TRADE} ${REJECTS} foreign-jump maker-cancelled makers-away hedgers-away temporal-away operator-close operator-retry`,
  stuck: `${HARMLESS} ${HANDS} ${NOTICES} ${NO_TRADE} ${REJECTS} foreign-jump frame-lost frame-late stream-cut request-lost request-late reply-lost reply-late read-fails signal-lost signal-unanswered exchange-away limits maker-cancelled makers-away operator-close operator-retry operator-mid`,
  patience: `${HARMLESS} ${HANDS} ${NOTICES} ${NO_TRADE} ${REJECTS} request-lost request-late reply-lost reply-late read-fails maker-cancelled limits`,
  trouble: `${HARMLESS} ${HANDS} ${NOTICES} ${NO_TRADE} foreign-nonce operator-close operator-retry operator-cancel`,
  quote: `${HARMLESS} ${HANDS} ${NOTICES} ${NO_TRADE} foreign-nonce operator-close operator-retry operator-cancel hedgers-away temporal-away`,
  closing: `${HARMLESS} ${HANDS} ${NOTICES} ${NO_TRADE} foreign-nonce operator-close operator-retry operator-cancel hedgers-away temporal-away temporal-down signal-lost signal-unanswered answer-lost task-stalls`,
  unwind: `${HARMLESS} ${NOTICES} ${NO_TRADE} ${PAIR} maker-cancelled`,
  enlarging: `${HARMLESS} ${NOTICES} ${PAIR} thin-book self-cross maker-cancelled`,
};

/** Where nobody watches over the other: these excuse too. */
const UNWATCHED: Readonly<Partial<Record<Rule, string>>> = {
  told: 'makers-away hedgers-away temporal-away',
  quote: 'hedgers-away',
};
/** What the product does not meet: time-outs are the engine's, and quotes outlive them while it is away and B can hedge. */
const NOT_YET: Readonly<Partial<Record<Rule, string>>> = { quote: 'temporal-away' };

const IS_LASTING = kindsOf(LASTING);
/** A lane that something else uses takes a minute or an operator: two readings, 20 or 60 s apart. What others traded no close can reduce. */
const LASTS_LONG = kindsOf(`foreign-nonce foreign-jump foreign-cancel foreign-mid ${HANDS}`);

const TAKES_MARGIN = [
  'no-margin',
  'margin-scare',
  'market-runs',
  'market-halted',
  'stranger-trades',
  'stranger-mid',
  'foreign-jump',
] as const;

/** Which rules a fault excuses. */
function excuses(isWatched: boolean): ReadonlyMap<FaultKind, readonly Rule[]> {
  const isExcused = (rule: Rule, kind: FaultKind): boolean =>
    !kindsOf(NO_EXCUSE[rule]).has(kind) ||
    kindsOf(NOT_YET[rule] ?? '').has(kind) ||
    (!isWatched && kindsOf(UNWATCHED[rule] ?? '').has(kind));
  return new Map(FAULT_KINDS.map((kind) => [kind, RULES.filter((rule) => isExcused(rule, kind))]));
}
const EXCUSES = { watched: excuses(true), unwatched: excuses(false) };

/** News that got lost is found when the order's own time-out reads its record: until then that order is excused. */
const LOSES_NEWS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'frame-lost',
  'frame-late',
  'signal-lost',
  'signal-unanswered',
  'answer-lost',
]);

/** Alerts that tell of exposure. */
const TELLS: ReadonlySet<string> = new Set<AlertKind>([
  'hedge-stuck',
  'exposure-left',
  'books-differ',
  'orphan-fill',
  'lane-jumped',
  'no-hedger',
  'no-maker',
  'fill-unacknowledged',
]);

const CHECK_MS = 1_000;
/** After a process, a stream or the engine came back. */
const BACK_MS = 10_000;
const CLOCK_MS_MAX = 900;
/** Configured: `arm` and `quote` reject beyond it. */
const CLOCK_SKEW_MS_MAX = 1_000;
/** A reading of the margin serves for 5 s, and may take as long; a process that sleeps between reading and answer knows no better. */
const MARGIN_READ_MS = 12_000;

export class Clocks {
  readonly violations: string[] = [];
  readonly #explainedUntilMs: Record<Rule, number> = {
    naked: 0,
    fast: 0,
    told: 0,
    stuck: 0,
    patience: 0,
    quote: 0,
    trouble: 0,
    closing: 0,
    unwind: 0,
    enlarging: 0,
  };
  /** Orders of which some news was lost. */
  readonly #unheard = new Set<OrderTruth>();
  /** Orders that filled while no maker's stream was live. */
  readonly #missed = new Set<OrderTruth>();
  /** Hedgers that armed an order, by name. */
  readonly #arming = new Set<string>();
  /** No maker lives, and a hedger has begun since: it counts the public trades from its start, and the rest is found by the books only. */
  #isMakerless = false;
  #hasMissedTrades = false;
  /** Somebody was told of the accounts' difference as such. */
  #toldOfAllMs = -Infinity;

  constructor(
    private readonly world: World,
    private readonly truth: Truth,
    private readonly processes: ReadonlySet<Maker | Hedger>,
    private readonly market: MarketActors,
    private readonly unwinds: UnwindRules | undefined,
  ) {}

  start(): void {
    const { time } = this.world;
    const check = (): void => {
      this.#assess();
      this.#check();
      time.after(CHECK_MS, undefined, check);
    };
    time.after(CHECK_MS, undefined, check);
  }

  onStrike(kind: FaultKind): void {
    if (this.#isMakerless && ['crash', 'crash-mid', 'hedgers-away', 'pause', 'pause-mid'].includes(kind))
      this.#hasMissedTrades = true;
    for (const rule of EXCUSES[this.world.isWatched ? 'watched' : 'unwatched'].get(kind) ?? []) {
      const tailMs = kind === 'key-revoked' ? Math.max(TAIL_KEY_MS, TAIL_MS[rule]) : TAIL_MS[rule];
      const forMs = IS_LASTING.has(kind) ? BACK_MS : tailMs;
      this.#explain(rule, LASTS_LONG.has(kind) ? Infinity : forMs);
    }
    // What ended while a stream was away is found in lists, when they show it.
    if (LOSES_NEWS.has(kind) || (this.#isLagging && IS_LASTING.has(kind))) this.#loseNews();
  }

  get #isLagging(): boolean {
    const { listLagMs, rowLagMs } = this.world.venue;
    return listLagMs > 0 || rowLagMs > 0;
  }

  #loseNews(): void {
    for (const order of this.truth.orders.values())
      if (order.end === undefined && (order.maker?.status === 'open' || order.nakedSinceMs !== undefined))
        this.#unheard.add(order);
  }

  onFill(order: OrderTruth): void {
    if (!this.#isHeard) this.#missed.add(order);
  }

  get #isHeard(): boolean {
    return [...this.processes].some(({ kind, host, account }) => {
      const isUp = host.state === 'up' && !host.isCutOff;
      return kind === 'maker' && isUp && account.stream.state === 'live';
    });
  }

  onAlert({ kind }: Told, order: OrderTruth | undefined): void {
    const { nowMs } = this.world.time;
    if (this.unwinds && (TELLS.has(kind) || kind === 'cannot-unwind' || kind === 'margin-unread'))
      this.unwinds.toldMs = nowMs;
    if (order) order.toldMs.set(kind, nowMs);
    else if (TELLS.has(kind)) this.#toldOfAllMs = nowMs;
  }

  /** Armed means that B can hedge it now, as far as the process that says so can know. */
  onArmed({ host, ticket, askedMs, isLive, skewMs, seen }: Armed): void {
    const order = this.truth.find(ticket.order_id);
    if (order) order.armedOn = host;
    this.#arming.add(host.name.split('.')[0] ?? '');
    const { venue } = this.world;
    const id = parseOrderId(ticket.order_id) as OrderId;
    const reject = (why: string): void =>
      void this.violations.push(`order ${id} was armed by ${host.name} although ${why}`);
    if (!isLive) reject("B's stream was away");
    if (Math.abs(skewMs) > CLOCK_SKEW_MS_MAX) reject(`its clock is ${Math.round(skewMs)} ms off`);
    if ((seen.get(laneOf(id)) ?? 0n) >= nonceOf(id, 1)) reject('its lane was seen beyond it');
    // Beside another order only what the worst outcome of both adds is asked for, which may be nothing.
    const others = [...this.truth.orders.values()].filter(({ end }) => end === undefined).length - 1;
    const changedMs = Math.max(this.truth.marginChangedMs, this.truth.endedMs);
    if (others > 0 || askedMs - changedMs < MARGIN_READ_MS) return;
    const { availableMicro } = summarize(venue.exchange.world, venue.account(ACCOUNT_B));
    const held = venue.account(ACCOUNT_B).positions.get(MARKET.marketId)?.lots ?? 0;
    const lots = Number(ticket.max_lots) * (ticket.side === 'buy' ? 1 : -1);
    const more = Math.max(0, Math.abs(held + lots) - Math.abs(held));
    const neededMicro = (more * Number(ticket.anchor_ticks) * MARKET.defaultMarginFraction) / 10_000;
    if (availableMicro < neededMicro) reject(`B has ${availableMicro} of the ${neededMicro} micro-USDC that it takes`);
  }

  /** B lacked margin for a hedge, and nothing had taken any from it since its orders were armed: more was promised than there was. */
  onMarginRejected(clientIndex: number): void {
    const { counts } = this.world.faults;
    // Two hedgers that arm at the same moment do not see each other's promise.
    if (this.#arming.size > 1) return;
    if (TAKES_MARGIN.some((kind) => counts.has(kind))) return;
    this.violations.push(`hedge ${clientIndex} was rejected for margin, which nothing but our own orders took`);
  }

  /** Everything has been quiet for a minute: what is shown is what is true. */
  finalCheck(): void {
    const { temporal, faults, gauges } = this.world;
    for (const [id, { filled, executed }] of this.truth.orders) {
      const run = temporal.runs.get(orderWorkflowId(ACCOUNT_A, id));
      if (run === undefined) continue;
      const { HedgeState, Exposure } = run.attributes;
      const shown = `order ${id} shows ${String(HedgeState)} and ${String(Exposure)}`;
      const exposure = (filled - executed) / 10 ** MARKET.sizeDecimals;
      if (Exposure !== exposure || HedgeState !== (exposure === 0 ? 'flat' : 'abandoned'))
        this.violations.push(`${shown}, true is ${exposure}`);
      const memo = run.memo['result'] as OrderResult | undefined;
      if (memo === undefined || Number(memo.exposure) !== exposure)
        this.violations.push(`${shown}, its memo says ${memo?.exposure}`);
    }
    // Without the orders' word, and after trades by hand, a gauge shows what A and B differ by.
    const isEven = [...this.truth.orders.values()].every(({ filled, executed }) => filled === executed);
    const isOwn =
      isEven && !temporal.isDown && !faults.counts.has('stranger-trades') && !faults.counts.has('stranger-mid');
    for (const [host, amount] of gauges)
      if (isOwn && host.state === 'up' && amount !== 0)
        this.violations.push(`${host.name} shows ${amount} as naked when all is quiet`);
  }

  #explain(rule: Rule, forMs: number): void {
    const untilMs = this.world.time.nowMs + forMs;
    if (untilMs > this.#explainedUntilMs[rule]) this.#explainedUntilMs[rule] = untilMs;
  }

  /** Conditions that last explain as long as they do, and a while longer. */
  #assess(): void {
    const { temporal, network, venue, time } = this.world;
    const isReached = !network.isAway && time.nowMs >= network.limitedUntilMs;
    let makers = 0;
    let hedgers = 0;
    let isWhole = true;
    for (const { host, kind, account } of this.processes) {
      const isUp = host.state === 'up';
      if (!isUp || host.isCutOff || Math.abs(host.skewMs) > CLOCK_MS_MAX || account.stream.state !== 'live')
        isWhole = false;
      if (!isUp || host.isCutOff) continue;
      if (kind === 'maker') makers += 1;
      else hedgers += 1;
    }
    const isHeard = this.#isHeard;
    // A stream that comes back reads what ended meanwhile, once: a list that lags does not show it.
    for (const order of this.#missed) {
      if (order.nakedSinceMs === undefined) this.#missed.delete(order);
      else if (this.#isLagging) this.#unheard.add(order);
    }
    if (!isHeard && this.#isLagging) this.#loseNews();
    const mayTrade = !this.market.isOff && venue.revoked.size === 0;
    const mayHedge = isReached && isHeard && isWhole && hedgers > 0;
    if (!mayHedge || temporal.isDown) this.#explain('naked', 0);
    if (!mayHedge) this.#explain('fast', 0);
    if (!isHeard || !isWhole || hedgers === 0 || temporal.isDown) this.#explain('patience', BACK_MS);
    // One send of both accounts passes in 15 s, and A's switch is renewed with it too.
    if (venue.isQuotaBelow(1)) for (const rule of ['naked', 'fast'] as const) this.#explain(rule, TAIL_MS[rule]);
    // What was rejected is tried again after up to 30 s, and an executor that takes over begins that pause anew.
    if (!mayTrade) for (const rule of ['naked', 'fast'] as const) this.#explain(rule, TAIL_MS[rule]);
    const { isWatched } = this.world;
    const isBlind = !isWatched && (makers === 0 || hedgers === 0 || temporal.isDown);
    this.#isMakerless = makers === 0;
    if (!this.#isMakerless) this.#hasMissedTrades = false;
    if (!isReached || makers + hedgers === 0 || isBlind || this.#hasMissedTrades) this.#explain('told', TAIL_MS.told);
    if (temporal.isDown || hedgers === 0) this.#explain('stuck', TAIL_MS.stuck);
    const mayEnd = isReached && makers > 0 && !temporal.isDown;
    if (!mayEnd || (hedgers === 0 && !isWatched)) this.#explain('quote', TAIL_MS.quote);
    if (!mayEnd || hedgers === 0) this.#explain('trouble', TAIL_MS.trouble);
    if (!isReached || makers === 0) this.#explain('closing', TAIL_MS.closing);
    const mayReduce = isReached && isHeard && isWhole && hedgers > 0 && !temporal.isDown;
    if (!mayReduce) for (const rule of ['unwind', 'enlarging'] as const) this.#explain(rule, TAIL_MS[rule]);
    if (venue.isQuotaBelow(1) || venue.unshown !== undefined) this.#explain('unwind', TAIL_MS.unwind);
  }

  #checkUnwind({ dueSinceMs, toldMs, isStopped, nearSinceMs }: UnwindRules): void {
    if (dueSinceMs !== undefined && toldMs < dueSinceMs && !isStopped)
      this.#demand(
        'unwind',
        dueSinceMs,
        () => 'an account is near to its liquidation, nothing is reduced, and nobody was told',
      );
    if (nearSinceMs === undefined) return;
    for (const [id, { maker, input }] of this.truth.orders) {
      if (maker?.status !== 'open' || (input.side === 'buy') !== this.truth.signOfA > 0) continue;
      this.#demand(
        'enlarging',
        Math.max(nearSinceMs, this.truth.signMs),
        () => `order ${id} rests and enlarges a position although an account is near to its liquidation`,
      );
    }
  }

  #check(): void {
    this.unwinds?.look();
    if (this.unwinds) this.#checkUnwind(this.unwinds);
    for (const [id, order] of this.truth.orders) {
      if (order.end !== undefined) continue;
      const { nakedSinceMs, maker, input } = order;
      if (nakedSinceMs !== undefined) {
        const lots = order.filled - order.executed;
        const isHeard = !this.#unheard.has(order);
        const isTradable = this.market.bpsFrom(Number(input.price_ticks)) < input.policy.max_slippage_bps;
        if (isHeard && isTradable)
          this.#demand('naked', nakedSinceMs, () => `${lots} lots of order ${id} are naked and nothing explains it`);
        if (isHeard) this.#checkPatience(id, order, nakedSinceMs);
        if (isHeard && isTradable && this.#isArmed(order))
          this.#demand(
            'fast',
            nakedSinceMs,
            () => `${lots} lots of order ${id} are naked although the executor that armed it lives`,
          );
        if (isHeard && !this.#isTold(order, nakedSinceMs))
          this.#demand('told', nakedSinceMs, () => `${lots} lots of order ${id} are naked and nobody was told`);
      }
      const { closesFromMs } = this.world.halts;
      if (maker?.status === 'open' && closesFromMs !== undefined)
        this.#demand(
          'closing',
          Math.max(closesFromMs, maker.createdAtMs),
          () => `the quote of order ${id} rests although an upgrade is announced`,
        );
      if (maker?.status === 'open')
        this.#demand(
          'quote',
          maker.createdAtMs + input.time_out_ms,
          () => `the quote of order ${id} outlives its time-out`,
        );
    }
    for (const run of this.world.temporal.runs.values()) {
      if (run.end !== undefined || run.state !== 'stuck') continue;
      const order = this.truth.find(run.id.split('/')[2]);
      if (order?.maker?.status === 'open')
        this.#demand('trouble', run.stateSinceMs, () => `${run.id} is stuck, and its quote still rests`);
      if ((order?.saidStuckMs ?? -Infinity) < run.stateSinceMs - 5_000)
        this.#demand('stuck', run.stateSinceMs, () => `${run.id} shows itself as stuck and has said it to nobody`);
    }
  }

  /** Counted from the last lot that was hedged: until then the order's own books may have been even. */
  #checkPatience(id: OrderId, { input, meddled, hedgedMs }: OrderTruth, nakedSinceMs: number): void {
    const run = this.world.temporal.runs.get(orderWorkflowId(ACCOUNT_A, id));
    if (meddled || run === undefined || run.state === 'stuck') return;
    const endsMs = Math.max(nakedSinceMs, hedgedMs) + input.policy.force_close_timeout_ms;
    this.#demand('patience', endsMs, () => `order ${id} is naked beyond its patience and does not call itself stuck`);
  }

  #demand(rule: Rule, sinceMs: number, what: () => string): void {
    const { nowMs } = this.world.time;
    const forMs = nowMs - Math.max(sinceMs, this.#explainedUntilMs[rule]);
    if (forMs > BOUND_MS[rule])
      this.violations.push(`${rule}: ${what()}, ${((nowMs - sinceMs) / 1_000).toFixed(1)} s by now`);
  }

  #isTold(order: OrderTruth, sinceMs: number): boolean {
    if (this.#toldOfAllMs >= sinceMs) return true;
    for (const [kind, atMs] of order.toldMs) if (TELLS.has(kind) && atMs >= sinceMs) return true;
    return false;
  }

  /** By an executor that lives on and whose ticket is still the first. */
  #isArmed({ armedOn, tickets, meddled }: OrderTruth): boolean {
    return armedOn !== undefined && armedOn.state === 'up' && tickets.size === 1 && !meddled;
  }
}

function kindsOf(words: string): ReadonlySet<FaultKind> {
  return new Set(
    words.split(' ').filter((word): word is FaultKind => (FAULT_KINDS as readonly string[]).includes(word)),
  );
}
