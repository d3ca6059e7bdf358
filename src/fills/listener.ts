/**
 * The listener: A's order frames → notices (fast path) and signals (durable path).
 *
 * Wiring only: `translate` decides what is ours, the signal sender delivers. Both paths get cumulative states, so snapshots after a
 * reconnect are treated as any frame (S-07). The handler is synchronous, never awaits and never throws: Redis or Temporal being
 * slow or away must not delay the next frame (S-05, S-39), and a poison frame must not end the listening (S-33).
 */
import type { Clock } from '../clock';
import type { OrderId } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import type { Lots } from '../domain/lots';
import { isTerminal } from '../domain/records';
import type { AccountStream, OrdersFrame } from '../exchange/port';
import type { OutgoingNotice } from '../notices/notice';
import type { Publication } from '../notices/publisher';
import { SignalSender, type SenderEvents, type SignalSink } from './signal-sender';
import { translate, type IgnoreReason, type Registry, type MakerUpdate } from './translate';

/** The part of `NoticePublisher` that the listener uses. */
export interface FillSink {
  publishFills(fills: readonly OutgoingNotice[]): Publication;
}

export interface ListenerEvents extends SenderEvents {
  /** Fills of one frame were offered to Redis. */
  readonly onNotice?: (notice: {
    readonly fills: number;
    readonly publication: Publication;
    /** From the frame's arrival until its records had been read. */
    readonly parsedMs: number;
    /** From the frame's arrival until now. */
    readonly tookMs: number;
  }) => void;
  /** A fill that is news here, after its notice has left. */
  readonly onFill?: (fill: MakerUpdate) => void;
  readonly onIgnored?: (reason: IgnoreReason) => void;
  /** Newest states of orders that a stop could not deliver. */
  readonly onUndelivered?: (left: readonly MakerUpdate[]) => void;
  /** Part of a frame could not be handled: a bug of ours. The other parts were. */
  readonly onPoison?: (error: unknown) => void;
}

export interface ListenerOptions extends ListenerEvents {
  readonly stream: Pick<AccountStream, 'on'>;
  readonly registry: Registry;
  readonly notices: FillSink;
  readonly signals: SignalSink;
  readonly clock: Clock;
  /** How long a signal waits when its notice has left; default: not at all. If the notice is lost, the hedge is so much later. */
  readonly signalHoldMs?: number;
}

/** Orders whose noticed amount is remembered. Forgetting one costs a repeated notice. */
const ORDERS_KEPT = 4_096;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #clock: Clock;
  readonly #sender: SignalSender;
  /** What Redis was told, not what is known (that is `AccountStream.own`): a fill whose notice failed is not in it. */
  readonly #noticed = new Map<OrderId, Lots>();
  readonly #unsubscribe: () => void;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#sender = new SignalSender({
      makerAccount: options.registry.makerAccount,
      sink: options.signals,
      clock: this.#clock,
      events: options,
    });
    this.#unsubscribe = options.stream.on('orders', (frame) => this.#handle(frame));
  }

  /** Orders whose newest state Temporal has not confirmed yet. */
  get undelivered(): number {
    return this.#sender.undelivered;
  }

  /** Hears no frame more; what could not be delivered in time is told by `onUndelivered`. */
  async close(): Promise<void> {
    this.#unsubscribe();
    const left = await this.#sender.close();
    if (left.length > 0) this.#options.onUndelivered?.(left);
  }

  #handle(frame: OrdersFrame): void {
    const { registry, onIgnored } = this.#options;
    this.#guard(() => {
      const parsedAtMs = this.#clock.monotonicMs();
      const { makerUpdates, ignored } = translate(frame, registry, this.#clock.epochMs());
      let noticedAtMs: number | undefined;
      this.#guard(() => (noticedAtMs = this.#notify(frame, makerUpdates, parsedAtMs)));
      const holdMs = noticedAtMs === undefined ? 0 : this.#options.signalHoldMs;
      for (const makerUpdate of makerUpdates.filter(isNews))
        this.#guard(() => this.#sender.offer({ ...makerUpdate, parsedAtMs, noticedAtMs }, holdMs));
      for (const { reason } of ignored) onIgnored?.(reason);
    });
  }

  /** Each part on its own: what goes wrong with a notice must not cost the signal, nor one order another's (invariant 10). */
  #guard(part: () => void): void {
    try {
      part();
    } catch (error) {
      this.#options.onPoison?.(error);
    }
  }

  /**
   * A snapshot repeats the notice of every filled order in it: the first may have been dropped while Redis was away. Answers when the
   * notices had been handed over, if they were.
   */
  #notify(frame: OrdersFrame, makerUpdates: readonly MakerUpdate[], parsedAtMs: number): number | undefined {
    const fills = makerUpdates.filter(({ orderId, record }) => {
      const noticedLots = this.#noticed.get(orderId) ?? 0n;
      return record.filledLots > noticedLots || (frame.kind === 'snapshot' && record.filledLots > 0n);
    });
    if (fills.length === 0) return undefined;
    const publication = this.#options.notices.publishFills(fills.map(noticeOf));
    const doneAtMs = this.#clock.monotonicMs();
    for (const fill of fills) {
      this.#remember(fill);
      this.#guard(() => this.#options.onFill?.(fill));
    }
    const { receivedAtMs } = frame;
    this.#options.onNotice?.({
      fills: fills.length,
      publication,
      parsedMs: parsedAtMs - receivedAtMs,
      tookMs: doneAtMs - receivedAtMs,
    });
    return publication === 'sent' ? doneAtMs : undefined;
  }

  #remember({ orderId, record }: MakerUpdate): void {
    const noticedLots = this.#noticed.get(orderId);
    if (noticedLots !== undefined && noticedLots >= record.filledLots) return;
    this.#noticed.delete(orderId); // re-inserted last: the Map's order is "longest unheard of first"
    this.#noticed.set(orderId, record.filledLots);
    keepNewest(this.#noticed, ORDERS_KEPT);
  }
}

/** That an order rests, its workflow learns from `place`, which is asked until it answers. */
function isNews({ record: { filledLots, status } }: MakerUpdate): boolean {
  return filledLots > 0n || isTerminal(status);
}

function noticeOf({ orderId, terms, record }: MakerUpdate): OutgoingNotice {
  return {
    accountIndex: record.accountIndex,
    marketId: record.marketId,
    orderIndex: record.orderIndex,
    orderId,
    side: record.side,
    status: record.status,
    filledLots: record.filledLots,
    filledQuote: record.filledQuote,
    sizeDecimals: terms.sizeDecimals,
    priceDecimals: terms.priceDecimals,
  };
}
