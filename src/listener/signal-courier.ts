/**
 * Brings the newest state of each order to its workflow: one call in flight per order, newest wins, until delivered.
 *
 * Two calls at once have no order between them (TF §3), so there is never a second. A state that was overtaken while it waited is
 * never sent: amounts are cumulative. A state is given up only when no such workflow runs (`onOrphan`; the next state of the order is
 * tried again) and at a stop, which delivers for `CLOSE_MS` what is left.
 */
import { stampOf, type Clock } from '../clock';
import { orderWorkflowId, type OrderId } from '../domain/ids';
import type { OrderUpdate } from '../domain/messages';
import { isTerminal, supersedes } from '../domain/records';
import type { Sighting } from './translate';

/** Where signals go; the real one is `TemporalSignalSink`. */
export interface SignalSink {
  /** Resolves once the signal is durable, or when there is no such running workflow. Rejects within about `deadlineMs`. */
  signal(workflowId: string, update: OrderUpdate, deadlineMs: number): Promise<'delivered' | 'not-found'>;
}

export interface CourierEvents {
  /** From the frame's arrival to the signal being durable. */
  readonly onSignal?: (latencyMs: number, orderId: OrderId) => void;
  readonly onSignalFailed?: (error: unknown, orderId: OrderId) => void;
  /** An order of ours that no running workflow answers for. */
  readonly onOrphan?: (sighting: Sighting) => void;
}

export const SIGNAL_DEADLINE_MS = 1_000;
export const SIGNAL_RETRY_MS = 50;
/** How long a stop goes on delivering: a call that gets no answer and the next one. */
export const CLOSE_MS = 2 * SIGNAL_DEADLINE_MS;
/** Orders kept to recognise repeats. Only finished ones are forgotten. */
const ORDERS_KEPT = 4_096;

type Phase = 'idle' | 'in-flight' | 'waiting';

interface Parcel {
  newest: Sighting;
  /** The state of the last call. */
  sent: Sighting | undefined;
  /** The state last delivered, or last found orphaned. */
  settled: Sighting | undefined;
  phase: Phase;
  cancelWait: (() => void) | undefined;
}

export class SignalCourier {
  readonly #parcels = new Map<OrderId, Parcel>();
  readonly #makerAccount: number;
  readonly #sink: SignalSink;
  readonly #clock: Clock;
  readonly #events: CourierEvents;
  /** Takes nothing more. */
  #closing = false;
  /** Calls nobody any more. */
  #closed = false;
  #onSettled: () => void = () => undefined;

  constructor(input: {
    readonly makerAccount: number;
    readonly sink: SignalSink;
    readonly clock: Clock;
    readonly events: CourierEvents;
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
  offer(sighting: Sighting, holdMs = 0): void {
    if (this.#closing) return;
    const known = this.#parcels.get(sighting.orderId);
    if (known && !supersedes(sighting.record, known.newest.record)) return;
    const parcel = known ?? this.#newParcel(sighting);
    parcel.newest = known ? timedByTheFirst(known, sighting) : sighting;
    if (parcel.phase !== 'idle') return;
    if (holdMs > 0) this.#wait(parcel, holdMs);
    else this.#send(parcel);
  }

  /** Orders whose newest state is not delivered yet. */
  get undelivered(): number {
    return this.#left().length;
  }

  /** Orders held in memory: the open ones, and a bounded number of finished ones. */
  get remembered(): number {
    return this.#parcels.size;
  }

  /** Takes nothing more, and delivers what is held or waiting at once; answers what was not delivered within `CLOSE_MS`. */
  close(): Promise<readonly Sighting[]> {
    this.#closing = true;
    return new Promise((resolve) => {
      const end = (): void => {
        this.#closed = true;
        cancelEnd();
        for (const parcel of this.#parcels.values()) parcel.cancelWait?.();
        resolve(this.#left());
      };
      const cancelEnd = this.#clock.after(CLOSE_MS, end);
      this.#onSettled = () => {
        if (this.#left().length === 0) end();
      };
      for (const parcel of this.#parcels.values()) {
        if (parcel.phase !== 'waiting') continue;
        parcel.cancelWait?.();
        this.#send(parcel);
      }
      this.#onSettled();
    });
  }

  #left(): Sighting[] {
    return [...this.#parcels.values()].flatMap(({ newest, settled }) => (newest === settled ? [] : [newest]));
  }

  #newParcel(sighting: Sighting): Parcel {
    const parcel: Parcel = {
      newest: sighting,
      sent: undefined,
      settled: undefined,
      phase: 'idle',
      cancelWait: undefined,
    };
    this.#parcels.set(sighting.orderId, parcel);
    if (this.#parcels.size > ORDERS_KEPT) this.#forgetOneFinished();
    return parcel;
  }

  #send(parcel: Parcel): void {
    const sent = parcel.newest;
    parcel.phase = 'in-flight';
    parcel.sent = sent;
    const workflowId = orderWorkflowId(this.#makerAccount, sent.orderId);
    this.#call(workflowId, this.#updateOf(sent)).then(
      (answer) => this.#settle(parcel, sent, answer),
      (error: unknown) => {
        this.#wait(parcel, SIGNAL_RETRY_MS);
        tell(() => this.#events.onSignalFailed?.(error, sent.orderId));
      },
    );
  }

  #settle(parcel: Parcel, sent: Sighting, answer: 'delivered' | 'not-found'): void {
    parcel.phase = 'idle';
    parcel.settled = sent;
    if (parcel.newest !== sent && !this.#closed) this.#send(parcel);
    this.#onSettled();
    tell(() => {
      if (answer === 'not-found') this.#events.onOrphan?.(sent);
      else this.#events.onSignal?.(this.#clock.monotonicMs() - sent.receivedAtMs, sent.orderId);
    });
  }

  /** A sink that throws instead of rejecting must not break the frame handler. */
  async #call(workflowId: string, update: OrderUpdate): Promise<'delivered' | 'not-found'> {
    return this.#sink.signal(workflowId, update, SIGNAL_DEADLINE_MS);
  }

  #wait(parcel: Parcel, delayMs: number): void {
    if (this.#closed) return;
    parcel.phase = 'waiting';
    parcel.cancelWait = this.#clock.after(delayMs, () => {
      parcel.cancelWait = undefined;
      this.#send(parcel);
    });
  }

  #updateOf(sighting: Sighting): OrderUpdate {
    const { record, parsedAtMs, noticedAtMs } = sighting;
    return {
      order_id: sighting.orderId.toString(),
      status: record.status,
      filled_lots: record.filledLots.toString(),
      filled_quote: record.filledQuote.toString(),
      transaction_time_us: record.transactionTimeUs,
      received_at_ms: stampOf(this.#clock, sighting.receivedAtMs),
      ...(parsedAtMs === undefined ? {} : { parsed_at_ms: stampOf(this.#clock, parsedAtMs) }),
      ...(noticedAtMs === undefined ? {} : { noticed_at_ms: stampOf(this.#clock, noticedAtMs) }),
    };
  }

  #forgetOneFinished(): void {
    for (const [orderId, parcel] of this.#parcels) {
      if (parcel.settled === parcel.newest && isTerminal(parcel.newest.record.status)) {
        this.#parcels.delete(orderId);
        return;
      }
    }
  }
}

/** A fill that was never sent gives its times to the state that overtakes it: they say when the fill was first seen. */
function timedByTheFirst({ newest, sent, settled }: Parcel, next: Sighting): Sighting {
  const unheard = newest !== sent && newest.record.filledLots > (settled?.record.filledLots ?? 0n);
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
