/**
 * Brings the newest state of each order to its workflow: one call in flight per order, newest wins, until delivered.
 *
 * Two calls at once have no order between them (TF §3), so there is never a second. A state that was overtaken while it waited is
 * never sent: amounts are cumulative. A state is given up only when no such workflow runs (`onOrphan`; the next state of the order is
 * tried again) and at a stop, which delivers for `CLOSE_MS` what is left.
 */
import { stampOf, type Clock } from '../clock';
import { orderWorkflowId, type OrderId } from '../domain/ids-and-nonces';
import type { OrderUpdate } from '../domain/messages';
import { noteTrades, tradeReports, type Traded } from '../domain/naked';
import { isTerminal, supersedes } from '../domain/records';
import type { MakerUpdate } from './translate';

/** Where signals go; the real one is `TemporalSignalSink`. */
export interface SignalSink {
  /** Resolves once the signal is durable, or when there is no such running workflow. Rejects within about `deadlineMs`. */
  signal(workflowId: string, update: OrderUpdate, deadlineMs: number): Promise<'delivered' | 'not-found'>;
}

export interface SenderEvents {
  /** From the frame's arrival to the signal being durable. */
  readonly onSignal?: (latencyMs: number, orderId: OrderId) => void;
  readonly onSignalFailed?: (error: unknown, orderId: OrderId) => void;
  /** An order of ours that no running workflow answers for. */
  readonly onOrphan?: (makerUpdate: MakerUpdate) => void;
}

export const SIGNAL_DEADLINE_MS = 1_000;
export const SIGNAL_RETRY_MS = 50;
/** How long a stop goes on delivering: a call that gets no answer and the next one. */
export const CLOSE_MS = 2 * SIGNAL_DEADLINE_MS;
/** Orders kept to recognise repeats. Only finished ones are forgotten. */
const ORDERS_KEPT = 4_096;

type Phase = 'idle' | 'in-flight' | 'waiting';

interface OutboxEntry {
  newest: MakerUpdate;
  /** The state of the last call. */
  sent: MakerUpdate | undefined;
  /** The state last delivered, or last found orphaned. */
  resolved: MakerUpdate | undefined;
  /** Trades that no delivered state has told of: a state that overtakes another one tells of both. */
  trades: Traded[];
  phase: Phase;
  cancelWait: (() => void) | undefined;
}

export class SignalSender {
  readonly #outboxEntries = new Map<OrderId, OutboxEntry>();
  readonly #makerAccount: number;
  readonly #sink: SignalSink;
  readonly #clock: Clock;
  readonly #events: SenderEvents;
  /** Takes nothing more. */
  #closing = false;
  /** Calls nobody any more. */
  #closed = false;
  #onResolved: () => void = () => undefined;

  constructor(input: {
    readonly makerAccount: number;
    readonly sink: SignalSink;
    readonly clock: Clock;
    readonly events: SenderEvents;
  }) {
    this.#makerAccount = input.makerAccount;
    this.#sink = input.sink;
    this.#clock = input.clock;
    this.#events = input.events;
  }

  /**
   * Takes a state to deliver. A state that says nothing more than the newest known one is dropped. With `holdMs` it waits so long
   * before its call.
   */
  offer(makerUpdate: MakerUpdate, holdMs = 0): void {
    if (this.#closing) return;
    const known = this.#outboxEntries.get(makerUpdate.orderId);
    if (known && !supersedes(makerUpdate.record, known.newest.record)) return;
    const outboxEntry = known ?? this.#newOutboxEntry(makerUpdate);
    const { record, tradedAtUs } = makerUpdate;
    if (record.filledLots > (known?.newest.record.filledLots ?? 0n))
      noteTrades(outboxEntry.trades, [{ lots: record.filledLots, atUs: tradedAtUs }]);
    outboxEntry.newest = known ? timedByTheFirst(known, makerUpdate) : makerUpdate;
    if (outboxEntry.phase !== 'idle') return;
    if (holdMs > 0) this.#wait(outboxEntry, holdMs);
    else this.#send(outboxEntry);
  }

  /** Orders whose newest state is not delivered yet. */
  get undelivered(): number {
    return this.#left().length;
  }

  /** Orders held in memory: the open ones, and a bounded number of finished ones. */
  get remembered(): number {
    return this.#outboxEntries.size;
  }

  /** Takes nothing more, and delivers what is held or waiting at once; answers what was not delivered within `CLOSE_MS`. */
  close(): Promise<readonly MakerUpdate[]> {
    this.#closing = true;
    return new Promise((resolve) => {
      const end = (): void => {
        this.#closed = true;
        cancelEnd();
        for (const outboxEntry of this.#outboxEntries.values()) outboxEntry.cancelWait?.();
        resolve(this.#left());
      };
      const cancelEnd = this.#clock.after(CLOSE_MS, end);
      this.#onResolved = () => {
        if (this.#left().length === 0) end();
      };
      for (const outboxEntry of this.#outboxEntries.values()) {
        if (outboxEntry.phase !== 'waiting') continue;
        outboxEntry.cancelWait?.();
        this.#send(outboxEntry);
      }
      this.#onResolved();
    });
  }

  #left(): MakerUpdate[] {
    return [...this.#outboxEntries.values()].flatMap(({ newest, resolved }) => (newest === resolved ? [] : [newest]));
  }

  #newOutboxEntry(makerUpdate: MakerUpdate): OutboxEntry {
    const outboxEntry: OutboxEntry = {
      newest: makerUpdate,
      sent: undefined,
      resolved: undefined,
      trades: [],
      phase: 'idle',
      cancelWait: undefined,
    };
    this.#outboxEntries.set(makerUpdate.orderId, outboxEntry);
    if (this.#outboxEntries.size > ORDERS_KEPT) this.#forgetOneFinished();
    return outboxEntry;
  }

  #send(outboxEntry: OutboxEntry): void {
    const sent = outboxEntry.newest;
    outboxEntry.phase = 'in-flight';
    outboxEntry.sent = sent;
    const workflowId = orderWorkflowId(this.#makerAccount, sent.orderId);
    this.#call(workflowId, this.#updateOf(sent, outboxEntry.trades)).then(
      (answer) => this.#resolve(outboxEntry, sent, answer),
      (error: unknown) => {
        this.#wait(outboxEntry, SIGNAL_RETRY_MS);
        tell(() => this.#events.onSignalFailed?.(error, sent.orderId));
      },
    );
  }

  #resolve(outboxEntry: OutboxEntry, sent: MakerUpdate, answer: 'delivered' | 'not-found'): void {
    outboxEntry.phase = 'idle';
    outboxEntry.resolved = sent;
    outboxEntry.trades = outboxEntry.trades.filter(({ lots }) => lots > sent.record.filledLots);
    if (outboxEntry.newest !== sent && !this.#closed) this.#send(outboxEntry);
    this.#onResolved();
    tell(() => {
      if (answer === 'not-found') this.#events.onOrphan?.(sent);
      else this.#events.onSignal?.(this.#clock.monotonicMs() - sent.receivedAtMs, sent.orderId);
    });
  }

  /** A sink that throws instead of rejecting must not break the frame handler. */
  async #call(workflowId: string, update: OrderUpdate): Promise<'delivered' | 'not-found'> {
    return this.#sink.signal(workflowId, update, SIGNAL_DEADLINE_MS);
  }

  #wait(outboxEntry: OutboxEntry, delayMs: number): void {
    if (this.#closed) return;
    outboxEntry.phase = 'waiting';
    outboxEntry.cancelWait = this.#clock.after(delayMs, () => {
      outboxEntry.cancelWait = undefined;
      this.#send(outboxEntry);
    });
  }

  #updateOf(makerUpdate: MakerUpdate, trades: readonly Traded[]): OrderUpdate {
    const { record, parsedAtMs, noticedAtMs } = makerUpdate;
    return {
      order_id: makerUpdate.orderId.toString(),
      status: record.status,
      filled_lots: record.filledLots.toString(),
      filled_quote: record.filledQuote.toString(),
      transaction_time_us: record.transactionTimeUs,
      size_decimals: makerUpdate.terms.sizeDecimals,
      received_at_ms: stampOf(this.#clock, makerUpdate.receivedAtMs),
      ...(parsedAtMs === undefined ? {} : { parsed_at_ms: stampOf(this.#clock, parsedAtMs) }),
      ...(noticedAtMs === undefined ? {} : { noticed_at_ms: stampOf(this.#clock, noticedAtMs) }),
      ...(trades.length === 0 ? {} : { trades: tradeReports(trades) }),
    };
  }

  #forgetOneFinished(): void {
    for (const [orderId, outboxEntry] of this.#outboxEntries) {
      if (outboxEntry.resolved === outboxEntry.newest && isTerminal(outboxEntry.newest.record.status)) {
        this.#outboxEntries.delete(orderId);
        return;
      }
    }
  }
}

/** A fill that was never sent gives its times to the state that overtakes it: they say when the fill was first seen. */
function timedByTheFirst({ newest, sent, resolved }: OutboxEntry, next: MakerUpdate): MakerUpdate {
  const unheard = newest !== sent && newest.record.filledLots > (resolved?.record.filledLots ?? 0n);
  if (!unheard) return next;
  const { receivedAtMs, parsedAtMs, noticedAtMs } = newest;
  return { ...next, receivedAtMs, noticedAtMs, ...(parsedAtMs === undefined ? {} : { parsedAtMs }) };
}

/** A listener's error, say in a metric, must neither stop a delivery nor end the process as an unhandled rejection. */
function tell(callback: () => void): void {
  try {
    callback();
  } catch {
    // Its owner's bug; there is nobody here to tell.
  }
}
