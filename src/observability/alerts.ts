/**
 * Alerts: what happened, what is exposed, what to do next.
 *
 * Each goes to the log, the metric and the configured channels. Raising never waits and never throws: each channel has a queue of its own,
 * bounded; repeats of one kind, order and market are folded into one message per window, unless more is exposed than was told. Alerts hold no
 * secret.
 */
import { systemClock, type Clock } from '../clock';
import { hand, type AlertMessage, type Channel } from './alert-channels';
import type { Logger } from './logger';

/** What it is worth to whoever is woken by it. `money`: something may be lost now. */
export type AlertWeight = 'money' | 'attention' | 'information';

/**
 * What shows that its state is over. `hedged`: orders and positions, read after it; `quoting`: an order that rests and was started after it;
 * `margin`: no pair says that it is near; `limits`: its limit does not stand and is known; `well`: the process that told it, all its parts; `redis`: that process is connected; `silence`: it
 * is told again and again while it lasts. `once`: it happened, and has no end. `unseen`: nothing shows it.
 */
export type AlertEnd = 'hedged' | 'quoting' | 'margin' | 'limits' | 'well' | 'redis' | 'silence' | 'once' | 'unseen';

/** Each has its section in docs/operations.md; a test holds the two together. */
const KINDS = {
  'hedge-stuck': ['money', 'hedged'],
  'exposure-left': ['money', 'hedged'],
  'no-hedger': ['money', 'quoting'],
  'no-maker': ['money', 'hedged'],
  'fill-unacknowledged': ['money', 'hedged'],
  'foreign-nonce': ['attention', 'once'],
  'lane-jumped': ['attention', 'once'],
  'orphan-fill': ['money', 'hedged'],
  'books-differ': ['money', 'hedged'],
  'margin-low': ['attention', 'margin'],
  'margin-critical': ['money', 'margin'],
  'margin-unread': ['attention', 'margin'],
  unwinding: ['attention', 'margin'],
  unwound: ['information', 'once'],
  'cannot-unwind': ['money', 'margin'],
  'books-differ-money': ['attention', 'once'],
  'journal-gap': ['information', 'once'],
  'journal-behind': ['attention', 'well'],
  'limit-daily-loss': ['attention', 'limits'],
  'limit-cost': ['attention', 'limits'],
  'limit-naked': ['attention', 'limits'],
  'limits-unread': ['attention', 'limits'],
  rebalanced: ['information', 'once'],
  'rebalance-failed': ['attention', 'unseen'],
  'rebalance-in-doubt': ['attention', 'unseen'],
  'clock-skew': ['attention', 'quoting'],
  'stream-stale': ['attention', 'quoting'],
  'channel-missing': ['information', 'unseen'],
  unreadable: ['attention', 'unseen'],
  'rate-limited': ['attention', 'quoting'],
  'quota-low': ['attention', 'quoting'],
  'path-blocked': ['attention', 'unseen'],
  'quoting-stopped': ['attention', 'quoting'],
  'market-closed': ['information', 'quoting'],
  'redis-refused': ['attention', 'redis'],
  'switch-not-renewed': ['attention', 'quoting'],
  'key-rejected': ['attention', 'unseen'],
  'cannot-close': ['attention', 'unseen'],
  'signer-outdated': ['money', 'quoting'],
  'run-failing': ['money', 'silence'],
  'wrong-accounts': ['money', 'unseen'],
  'invariant-broken': ['money', 'hedged'],
} as const satisfies Record<string, readonly [AlertWeight, AlertEnd]>;
export type AlertKind = keyof typeof KINDS;
export const ALERT_KINDS = Object.keys(KINDS) as readonly AlertKind[];

/** One that is not in the list comes from a newer process. */
export function alertKind(kind: string): { readonly weight: AlertWeight; readonly end: AlertEnd } {
  const [weight, end] = Object.hasOwn(KINDS, kind) ? KINDS[kind as AlertKind] : (['attention', 'unseen'] as const);
  return { weight, end };
}

export interface Alert {
  readonly kind: AlertKind;
  /** What happened. */
  readonly what: string;
  /** What is naked now, e.g. `0.0002 BTC`. Absent: nothing. */
  readonly exposed?: string;
  /** The API key it is about. */
  readonly lane?: number;
  /** The path or channel of the exchange it is about. */
  readonly path?: string;
  /** How bad it is, where that changes: another one is told at once. */
  readonly level?: string;
  /** What the operator should do. */
  readonly next: string;
  readonly orderId?: string;
  /** Symbol, where it is about a market and not about one order. */
  readonly market?: string;
}

export type RaiseAlert = (alert: Alert) => void;

export interface AlertsOptions {
  readonly logger: Pick<Logger, 'error' | 'warn'>;
  /** Counts per kind. */
  readonly count: (kind: AlertKind) => void;
  /** A channel did not take an alert. */
  readonly onFailure: (channel: Channel['name']) => void;
  /** Name of the process, shown in the message. */
  readonly process: string;
  /** Of the page, where people reach one; holds no token. */
  readonly pageUrl?: string;
  readonly channels: readonly Channel[];
  readonly fetch?: typeof fetch;
  readonly clock?: Pick<Clock, 'monotonicMs' | 'epochMs'>;
  readonly foldWindowMs?: number;
}

const FOLD_WINDOW_MS = 60_000;
/** Beyond this a channel is not keeping up, and the log is the record. */
const QUEUE_MAX = 100;
/** Distinct (kind, order, market) remembered for folding. */
const FOLDED_MAX = 1000;
/** Of those that were raised, folded ones left out, so many can be read at `/alerts`. */
const RECENT_MAX = 50;

export interface RecentAlert extends Alert {
  /** Epoch ms. */
  readonly atMs: number;
  /** When it was raised last: a repeat that is folded is not listed by itself. */
  lastMs: number;
}

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'epochMs'>;
  readonly #recent: RecentAlert[] = [];
  readonly #folded = new Map<string, { untilMs: number; repeats: number; recent: RecentAlert }>();
  readonly #queues: Queue[];

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queues = options.channels.map((channel) => ({ channel, messages: [], sending: undefined }));
  }

  readonly raise: RaiseAlert = (alert) => {
    this.#options.count(alert.kind);
    const key = `${subjectOf(alert)} ${alert.level ?? ''}`;
    const nowMs = this.#clock.monotonicMs();
    const fold = this.#folded.get(key);
    if (fold !== undefined && nowMs < fold.untilMs && !isMore(alert.exposed, fold.recent.exposed)) {
      fold.repeats++;
      fold.recent.lastMs = this.#clock.epochMs();
      return;
    }
    if (this.#folded.size >= FOLDED_MAX) this.#folded.clear();
    const atMs = this.#clock.epochMs();
    const recent: RecentAlert = { ...alert, atMs, lastMs: atMs };
    this.#folded.set(key, { untilMs: nowMs + (this.#options.foldWindowMs ?? FOLD_WINDOW_MS), repeats: 0, recent });
    const repeated = fold?.repeats ?? 0;
    this.#recent.push(recent);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    this.#options.logger.error({ alert: { ...alert, repeated } }, `ALERT ${alert.kind}: ${alert.what}`);
    const { process, pageUrl } = this.#options;
    const message = messageOf(alert, { repeated, process, ...(pageUrl === undefined ? {} : { pageUrl }) });
    for (const queue of this.#queues) this.#enqueue(queue, message);
  };

  /** Oldest first. */
  get recent(): readonly RecentAlert[] {
    return this.#recent;
  }

  /** Waits for the channels to take what is queued. */
  async resolved(): Promise<void> {
    await Promise.all(
      this.#queues.map(async (queue) => {
        while (queue.sending !== undefined) await queue.sending;
      }),
    );
  }

  #enqueue(queue: Queue, message: AlertMessage): void {
    if (queue.messages.length >= QUEUE_MAX) {
      this.#options.onFailure(queue.channel.name);
      return;
    }
    queue.messages.push(message);
    queue.sending ??= this.#drain(queue).finally(() => (queue.sending = undefined));
  }

  async #drain({ channel, messages }: Queue): Promise<void> {
    for (let message = messages.shift(); message !== undefined; message = messages.shift()) {
      const why = await hand(channel, message, this.#options.fetch ?? fetch);
      if (why === undefined) continue;
      this.#options.onFailure(channel.name);
      this.#options.logger.warn(
        {},
        `the alert channel ${channel.name} did not take an alert (${why}); it is in this log`,
      );
    }
  }
}

/** What an alert is about: repeats share it. */
export function subjectOf({
  kind,
  orderId,
  market,
  lane,
  path,
}: Omit<Alert, 'kind'> & { readonly kind: string }): string {
  return [kind, orderId, market, lane, path].map((part) => part ?? '').join(' ');
}

/** Whether `exposed` names more of any market than `told` does. Both as in Alert; `0.2 BTC, 3 ETH`, where it is about several. */
function isMore(exposed: string | undefined, told: string | undefined): boolean {
  const amounts = (text = ''): Map<string, number> =>
    new Map(text.split(', ').map((one) => [one.replace(/^\S+ /, ''), Number.parseFloat(one)]));
  const before = amounts(told);
  return [...amounts(exposed)].some(([market, amount]) => amount > (before.get(market) ?? 0));
}

interface Queue {
  readonly channel: Channel;
  readonly messages: AlertMessage[];
  sending: Promise<void> | undefined;
}

export function messageOf(
  { kind, what, next, exposed, orderId, market }: Omit<Alert, 'kind'> & { readonly kind: string },
  from: { readonly repeated: number; readonly process: string; readonly pageUrl?: string },
): AlertMessage {
  const { repeated, process, pageUrl } = from;
  const page = pageUrl === undefined ? undefined : pageUrl + (orderId === undefined ? '#alerts' : `#order-${orderId}`);
  const lines = [
    `[counterleg ${process}] ${kind}: ${what}`,
    ...(exposed === undefined ? [] : [`Exposed: ${exposed}`]),
    ...(orderId === undefined ? [] : [`Order: ${orderId}`]),
    `Next: ${next}`,
    ...(page === undefined ? [] : [`Page: ${page}`]),
    ...(repeated === 0 ? [] : [`(raised ${repeated} more times since the last message)`]),
  ];
  return { text: lines.join('\n'), fields: { kind, what, next, exposed, order_id: orderId, market, repeated, page } };
}
