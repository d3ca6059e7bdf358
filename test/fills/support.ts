/** What the listener tests share: records of our orders, frames, a clock and a sink in the test's hands. */
import type { Clock } from '../../src/clock';
import { clientOrderIndexOf, nextOrderId, type OrderId } from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { OrderUpdate } from '../../src/domain/messages';
import type { OrderRecord } from '../../src/domain/records';
import type { AccountStreamEvents, OrdersFrame } from '../../src/exchange/port';
import type { SignalSink } from '../../src/fills/signal-sender';
import type { LaneTerms, Registry } from '../../src/fills/translate';

export const MAKER = 65;
export const LANE = 5;
/** Where the test clock starts. */
export const NOW_MS = Date.UTC(2026, 10, 23, 8);

export const BTC: LaneTerms = { marketId: 1, sizeDecimals: 5, priceDecimals: 1 };
/** Market index 0 (S-25), quoted on one side only. */
export const ETH: LaneTerms = { marketId: 0, sizeDecimals: 4, priceDecimals: 2 };
export const registry: Registry = {
  makerAccount: MAKER,
  lanes: new Map([
    [LANE, BTC],
    [6, ETH],
  ]),
};

/** The `n`-th order of a lane, one tenth of a second after another. */
export function orderAt(n: number, lane = LANE): OrderId {
  return nextOrderId({ epochMs: NOW_MS + 100 * n, lane });
}

export function record(change: Partial<OrderRecord> = {}): OrderRecord {
  return {
    accountIndex: MAKER,
    marketId: BTC.marketId,
    orderIndex: 562_949_953_421_313n,
    clientOrderIndex: clientOrderIndexOf(orderAt(0), 0),
    side: 'buy',
    status: 'open',
    initialLots: lots(20),
    filledLots: lots(0),
    filledQuote: notional(0),
    priceTicks: ticks(1_094_500),
    transactionTimeUs: NOW_MS * 1_000,
    ...change,
  };
}

/** A record of order `id` with `filled` lots, `atUs` microseconds after the start. */
export function filled(id: OrderId, filledLots: number, atUs = filledLots): OrderRecord {
  return record({
    clientOrderIndex: clientOrderIndexOf(id, 0),
    filledLots: lots(filledLots),
    filledQuote: notional(filledLots * 1_094_500),
    status: filledLots === 20 ? 'filled' : 'open',
    transactionTimeUs: NOW_MS * 1_000 + atUs,
  });
}

export function frame(orders: readonly OrderRecord[], kind: OrdersFrame['kind'] = 'change'): OrdersFrame {
  return { kind, orders, receivedAtMs: 1_000 };
}

/** A's stream, pushed by hand. */
export class HandStream {
  #listeners: ((frame: OrdersFrame) => void)[] = [];

  on<E extends keyof AccountStreamEvents>(event: E, listener: AccountStreamEvents[E]): () => void {
    if (event !== 'orders') return () => undefined;
    const handle = listener as AccountStreamEvents['orders'];
    this.#listeners.push(handle);
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== handle);
    };
  }

  push(pushed: OrdersFrame): void {
    for (const listener of this.#listeners) listener(pushed);
  }
}

/** Time moves only when told to. Monotonic time starts at 1 000, the `receivedAtMs` of `frame`. */
export class HandClock implements Clock {
  #elapsedMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  monotonicMs(): number {
    return 1_000 + this.#elapsedMs;
  }

  epochMs(): number {
    return NOW_MS + this.#elapsedMs;
  }

  random(): number {
    return 0.5;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
    const due = this.#timers.filter((timer) => timer.atMs <= this.#elapsedMs);
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.#elapsedMs);
    for (const timer of due) timer.callback();
  }
}

interface Call {
  readonly workflowId: string;
  readonly update: OrderUpdate;
  readonly deadlineMs: number;
  /** Ends the call and lets everything that follows from it happen. */
  answer(how: 'delivered' | 'not-found' | Error): Promise<void>;
}

/** A sink whose calls stay open until the test answers them. */
export class HandSink implements SignalSink {
  readonly calls: Call[] = [];
  readonly open = new Map<string, number>();

  signal(workflowId: string, update: OrderUpdate, deadlineMs: number): Promise<'delivered' | 'not-found'> {
    this.open.set(workflowId, (this.open.get(workflowId) ?? 0) + 1);
    return new Promise((resolve, reject) => {
      const answer = async (how: 'delivered' | 'not-found' | Error): Promise<void> => {
        this.open.set(workflowId, (this.open.get(workflowId) ?? 0) - 1);
        if (how instanceof Error) reject(how);
        else resolve(how);
        await new Promise<void>((done) => setImmediate(done));
      };
      this.calls.push({ workflowId, update, deadlineMs, answer });
    });
  }

  get last(): Call {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('no call was made');
    return call;
  }
}
