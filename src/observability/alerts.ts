/**
 * Alerts: what happened, what is exposed, what to do next.
 *
 * Each goes to the log, the metric and, if configured, a webhook. Raising never waits and never throws: the webhook has a queue of
 * its own, bounded; repeats of one kind, order and market are folded into one message per window. Alerts hold no secret, and the webhook's
 * address is one: it is never shown.
 */
import { systemClock, type Clock } from '../clock';
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
  readonly onWebhookFailure: () => void;
  /** Name of the process, shown in the message. */
  readonly process: string;
  readonly webhookUrl?: string;
  readonly fetch?: typeof fetch;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
  readonly foldWindowMs?: number;
}

const FOLD_WINDOW_MS = 60_000;
const WEBHOOK_TIMEOUT_MS = 5000;
/** Beyond this the webhook is not keeping up, and the log is the record. */
const QUEUE_MAX = 100;
/** Distinct (kind, order, market) remembered for folding. */
const FOLDED_MAX = 1000;

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #folded = new Map<string, { untilMs: number; repeats: number }>();
  readonly #queue: string[] = [];
  #sending: Promise<void> | undefined;

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
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
    this.#options.logger.error({ alert: { ...alert, repeated } }, `ALERT ${alert.kind}: ${alert.what}`);
    this.#enqueue(alert, repeated);
  };

  /** Waits for the webhook to take what is queued; at most one time-out per message. */
  async resolved(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  #enqueue(alert: Alert, repeated: number): void {
    if (this.#options.webhookUrl === undefined) return;
    if (this.#queue.length >= QUEUE_MAX) {
      this.#options.onWebhookFailure();
      return;
    }
    this.#queue.push(JSON.stringify(this.#body(alert, repeated)));
    this.#sending ??= this.#drain().finally(() => (this.#sending = undefined));
  }

  /** `text` is what Slack, Mattermost and Telegram's sendMessage read; the fields are for programs. */
  #body(alert: Alert, repeated: number): Record<string, unknown> {
    const { kind, what, next, exposed, orderId, market } = alert;
    const lines = [
      `[counterleg ${this.#options.process}] ${kind}: ${what}`,
      ...(exposed === undefined ? [] : [`Exposed: ${exposed}`]),
      ...(orderId === undefined ? [] : [`Order: ${orderId}`]),
      `Next: ${next}`,
      ...(repeated === 0 ? [] : [`(raised ${repeated} more times since the last message)`]),
    ];
    return { text: lines.join('\n'), kind, what, next, exposed, order_id: orderId, market, repeated };
  }

  async #drain(): Promise<void> {
    for (let body = this.#queue.shift(); body !== undefined; body = this.#queue.shift()) {
      try {
        const response = await (this.#options.fetch ?? fetch)(this.#options.webhookUrl ?? '', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
        });
        if (!response.ok) throw new Error(`status ${response.status}`);
      } catch {
        // The error may quote the address, which is a secret: only the fact is recorded.
        this.#options.onWebhookFailure();
        this.#options.logger.warn({}, 'the alert webhook did not take an alert; it is in this log');
      }
    }
  }
}
