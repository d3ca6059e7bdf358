/**
 * Alerts: what happened, what is exposed, what to do next.
 *
 * Each goes to the log, the metric and the configured channels. Raising never waits and never throws: each channel has a queue of its own,
 * bounded; repeats of one kind, order and market are folded into one message per window. Alerts hold no secret.
 */
import { systemClock, type Clock } from '../clock';
import { hand, type AlertMessage, type Channel } from './alert-channels';
import type { Logger } from './logger';

/** Each has its section in docs/operations.md; a test holds the two together. */
export const ALERT_KINDS = [
  'hedge-stuck',
  'exposure-left',
  'no-hedger',
  'no-maker',
  'fill-unacknowledged',
  'foreign-nonce',
  'lane-jumped',
  'orphan-fill',
  'books-differ',
  'margin-low',
  'margin-critical',
  'margin-unread',
  'unwinding',
  'unwound',
  'cannot-unwind',
  'books-differ-money',
  'journal-gap',
  'journal-behind',
  'rebalanced',
  'rebalance-failed',
  'rebalance-in-doubt',
  'clock-skew',
  'stream-stale',
  'channel-missing',
  'unreadable',
  'rate-limited',
  'quota-low',
  'path-blocked',
  'quoting-stopped',
  'market-closed',
  'redis-refused',
  'switch-not-renewed',
  'key-rejected',
  'cannot-close',
  'signer-outdated',
  'run-failing',
  'wrong-accounts',
  'invariant-broken',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

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
}

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'epochMs'>;
  readonly #recent: RecentAlert[] = [];
  readonly #folded = new Map<string, { untilMs: number; repeats: number }>();
  readonly #queues: Queue[];

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queues = options.channels.map((channel) => ({ channel, messages: [], sending: undefined }));
  }

  readonly raise: RaiseAlert = (alert) => {
    this.#options.count(alert.kind);
    const key = `${alert.kind} ${alert.orderId ?? ''} ${alert.market ?? ''} ${alert.lane ?? ''} ${alert.path ?? ''}`;
    const nowMs = this.#clock.monotonicMs();
    const fold = this.#folded.get(key);
    if (fold !== undefined && nowMs < fold.untilMs) {
      fold.repeats++;
      return;
    }
    if (this.#folded.size >= FOLDED_MAX) this.#folded.clear();
    this.#folded.set(key, { untilMs: nowMs + (this.#options.foldWindowMs ?? FOLD_WINDOW_MS), repeats: 0 });
    const repeated = fold?.repeats ?? 0;
    this.#recent.push({ ...alert, atMs: this.#clock.epochMs() });
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
