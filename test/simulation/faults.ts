/**
 * What may go wrong, and when it does in this run.
 *
 * Swarm testing: every seed draws its own rate for each kind, many of them zero, so that a seed is hostile in its own way. Each kind
 * has a random stream of its own: switching one kind off (to shrink a failure) leaves the others' choices as they were.
 */
import { hashOf, Random } from '../../packages/paper-exchange/src/core/random';

export const FAULT_KINDS = [
  // network: each leg of each request
  'request-lost',
  'request-late',
  'request-twice',
  'reply-lost',
  'reply-late',
  'read-fails',
  'lists-lag',
  'rows-lag',
  'busy-account',
  // streams, notices, signals
  'frame-lost',
  'frame-twice',
  'frame-late',
  'stream-cut',
  'notice-lost',
  'notice-twice',
  'notice-late',
  'signal-lost',
  'signal-unanswered',
  'signal-twice',
  // processes and engine
  'crash',
  'pause',
  'temporal-down',
  'task-stalls',
  'answer-lost',
  'cut-off',
  'clock-skew',
  // for minutes
  'makers-away',
  'hedgers-away',
  'temporal-away',
  'suspend',
  // at the worst moment: just after a transaction left
  'crash-mid',
  'pause-mid',
  'operator-mid',
  'foreign-mid',
  'stranger-mid',
  // the exchange
  'exchange-away',
  'api-refuses',
  'sequencer-refuses',
  'sequencer-drops',
  'slow-sequencer',
  'thin-book',
  'market-runs',
  'market-halted',
  'upgrade',
  'self-cross',
  'no-margin',
  'maker-cancelled',
  'maker-margin',
  'foreign-nonce',
  'foreign-jump',
  'foreign-cancel',
  'limits',
  'key-revoked',
  'channel-rejected',
  'small-margin',
  'maker-only',
  'no-quota',
  'stranger-trades',
  // people
  'operator-cancel',
  'operator-close',
  'operator-retry',
  'strange-status',
  // a pair and its accounts' margin; drawn apart, so that seeds without a pair stay what they were
  'margin-scare',
  'margin-unshown',
  'operator-pair',
  // transfers between both accounts
  'money-terminated',
  'money-lag',
  'terms-unread',
] as const;
const PAIR_KINDS: readonly FaultKind[] = ['margin-scare', 'margin-unshown', 'operator-pair'];
const MONEY_KINDS: readonly FaultKind[] = ['money-terminated', 'money-lag', 'terms-unread'];
export type FaultKind = (typeof FAULT_KINDS)[number];

/** The most a kind may be: chance per opportunity. Kinds drawn once per tick of the chaos have small ones. */
const RATE_MAX: Readonly<Record<FaultKind, number>> = {
  'request-lost': 0.4,
  'request-late': 0.3,
  'request-twice': 0.3,
  'reply-lost': 0.5,
  'reply-late': 0.3,
  'read-fails': 0.5,
  'lists-lag': 0.2,
  'rows-lag': 0.2,
  'busy-account': 0.3,
  'frame-lost': 0.5,
  'frame-twice': 0.3,
  'frame-late': 0.4,
  'stream-cut': 0.08,
  'notice-lost': 0.9,
  'notice-twice': 0.5,
  'notice-late': 0.5,
  'signal-lost': 0.5,
  'signal-unanswered': 0.5,
  'signal-twice': 0.5,
  crash: 0.06,
  pause: 0.08,
  'temporal-down': 0.03,
  'task-stalls': 0.2,
  'answer-lost': 0.3,
  'cut-off': 0.05,
  'clock-skew': 1,
  'makers-away': 0.02,
  'hedgers-away': 0.02,
  'temporal-away': 0.02,
  suspend: 0.03,
  'crash-mid': 0.15,
  'pause-mid': 0.15,
  'operator-mid': 0.15,
  'foreign-mid': 0.04,
  'stranger-mid': 0.7,
  'exchange-away': 0.02,
  'api-refuses': 0.3,
  'sequencer-refuses': 0.4,
  'sequencer-drops': 0.4,
  'slow-sequencer': 0.2,
  'thin-book': 0.3,
  'market-runs': 0.05,
  'market-halted': 0.03,
  upgrade: 0.5,
  'self-cross': 0.3,
  'no-margin': 0.06,
  'maker-cancelled': 0.05,
  'maker-margin': 0.05,
  'foreign-nonce': 0.06,
  'foreign-jump': 0.02,
  'foreign-cancel': 0.04,
  limits: 0.02,
  'key-revoked': 0.01,
  'channel-rejected': 1,
  'small-margin': 1,
  'maker-only': 1,
  'no-quota': 1,
  'stranger-trades': 0.03,
  'operator-cancel': 0.04,
  'operator-close': 0.06,
  'operator-retry': 0.06,
  'strange-status': 0.5,
  'margin-scare': 0.05,
  'margin-unshown': 0.03,
  'operator-pair': 0.03,
  'money-terminated': 0.1,
  'money-lag': 0.2,
  'terms-unread': 0.1,
};
/** In how many of those seeds that run a pair. */
const PAIR_SHARE: Readonly<Partial<Record<FaultKind, number>>> = { 'margin-scare': 0.9, 'margin-unshown': 0.25 };
/** Of a hundred seeds so many run a pair in place of its stand-in. */
const PAIRS_PERCENT = 8;
/** And so many make rebalances beside it. */
const MONEY_PERCENT = 6;

/**
 * What a seed is mainly about. `siege`: hedges that cannot land, and people who meddle. `zombies`: processes that die, sleep, return.
 * `desertion`: hedges that cannot land, and people who give up. `absence`: one thing is missing for minutes, and hardly anything else
 * goes wrong: what then happens, and when, is judged by the clock (clocks.ts).
 */
export const THEMES = ['swarm', 'swarm', 'siege', 'zombies', 'desertion', 'absence', 'absence'] as const;
export type Theme = (typeof THEMES)[number];

const THEME_KINDS: Readonly<Record<Theme, readonly FaultKind[]>> = {
  swarm: [],
  siege: [
    'market-runs',
    'market-halted',
    'maker-only',
    'no-quota',
    'no-margin',
    'thin-book',
    'operator-mid',
    'operator-close',
    'operator-retry',
    'request-late',
    'sequencer-drops',
    'sequencer-refuses',
    'pause-mid',
  ],
  zombies: [
    'pause-mid',
    'crash-mid',
    'request-late',
    'request-twice',
    'reply-lost',
    'frame-lost',
    'slow-sequencer',
    'lists-lag',
    'busy-account',
    'sequencer-refuses',
  ],
  desertion: [
    'market-runs',
    'no-margin',
    'thin-book',
    'operator-cancel',
    'operator-mid',
    'request-late',
    'sequencer-refuses',
    'task-stalls',
    'answer-lost',
  ],
  absence: [
    'makers-away',
    'hedgers-away',
    'temporal-away',
    'stream-cut',
    'crash',
    'no-margin',
    'thin-book',
    'key-revoked',
    'channel-rejected',
    'small-margin',
    'market-halted',
    'upgrade',
    'maker-only',
    'no-quota',
    'stranger-trades',
    'rows-lag',
    'limits',
  ],
};

/** In a calm run what happens by the clock happens now and then, each time with room to watch what comes of it. */
function calmRate(kind: FaultKind, rate: number): number {
  return RATE_MAX[kind] < 0.1 ? Math.min(4 * rate, 0.05) : rate;
}

export interface FaultLimits {
  readonly off: ReadonlySet<FaultKind>;
  /** No fault strikes after so many have. */
  readonly strikesMax: number;
  /** Every seed is about this. */
  readonly theme?: Theme | undefined;
  /** Every seed runs a pair. */
  readonly isPaired?: boolean | undefined;
  /** Every seed makes rebalances. */
  readonly isMoney?: boolean | undefined;
}

export class Faults {
  readonly rates = new Map<FaultKind, number>();
  readonly counts = new Map<FaultKind, number>();
  strikes = 0;
  healed = false;
  /** Before the first quote rests, in most seeds: otherwise half of all orders would end before anything could be at stake. */
  isAsleep = false;
  readonly theme: Theme;
  /** The pair workflow runs, not its stand-in. */
  readonly isPaired: boolean;
  /** Collateral is moved between both accounts. */
  readonly isMoney: boolean;
  onStrike: (kind: FaultKind) => void = () => undefined;
  readonly #streams = new Map<FaultKind, Random>();

  constructor(
    seed: number,
    private readonly limits: FaultLimits,
  ) {
    const draw = new Random(hashOf(seed, 1));
    const drawn = THEMES[draw.between(0, THEMES.length - 1)] ?? 'swarm';
    this.theme = limits.theme ?? drawn;
    this.isPaired = limits.isPaired ?? hashOf(seed, 9) % 100 < PAIRS_PERCENT;
    this.isMoney = limits.isMoney ?? hashOf(seed, 11) % 100 < MONEY_PERCENT;
    // Some seeds are calm in most ways, some hostile in most; every seed has a few kinds it insists on.
    const isCalm = this.theme === 'absence';
    const share = isCalm ? 0 : draw.next() * (this.theme === 'swarm' ? 1 : 0.4);
    const last = FAULT_KINDS.length - PAIR_KINDS.length - MONEY_KINDS.length - 1;
    const insists = new Set(isCalm ? [] : [0, 1, 2].map(() => draw.between(0, last)));
    FAULT_KINDS.forEach((kind, index) => {
      const mild = draw.chance(share) ? RATE_MAX[kind] * draw.next() ** 2 : 0;
      const strong = RATE_MAX[kind] * (0.5 + 0.5 * draw.next());
      const themed = THEME_KINDS[this.theme].includes(kind) && draw.chance(isCalm ? 0.15 : 0.7);
      const rate = themed || insists.has(index) ? strong : mild;
      this.rates.set(kind, limits.off.has(kind) ? 0 : isCalm ? calmRate(kind, rate) : rate);
      this.#streams.set(kind, new Random(hashOf(seed, 100 + index)));
    });
    const drawPair = new Random(hashOf(seed, 10));
    if (this.isPaired && drawPair.chance(0.25) && !limits.off.has('maker-only')) this.rates.set('maker-only', 1);
    if (this.isPaired && drawPair.chance(0.3) && !limits.off.has('slow-sequencer'))
      this.rates.set('slow-sequencer', 0.3);
    for (const kind of [...PAIR_KINDS, ...MONEY_KINDS]) {
      const rate = drawPair.chance(PAIR_SHARE[kind] ?? 0.4) ? RATE_MAX[kind] * (0.3 + 0.7 * drawPair.next()) : 0;
      const isOn = PAIR_KINDS.includes(kind) ? this.isPaired : this.isMoney;
      this.rates.set(kind, isOn && !limits.off.has(kind) ? rate : 0);
    }
  }

  /** Whether this fault happens here and now; `certain`: if it ever does in this run. */
  strike(kind: FaultKind, certain = false): boolean {
    const rate = this.rates.get(kind) ?? 0;
    if (rate === 0 || this.healed) return false;
    if (!certain && (this.isAsleep || !this.random(kind).chance(rate))) return false;
    if (this.strikes >= this.limits.strikesMax) return false;
    this.strikes += 1;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.onStrike(kind);
    return true;
  }

  /** The stream of a kind, for the details of a strike. */
  random(kind: FaultKind): Random {
    const stream = this.#streams.get(kind);
    if (stream === undefined) throw new Error(`no such fault kind: ${kind}`);
    return stream;
  }
}
