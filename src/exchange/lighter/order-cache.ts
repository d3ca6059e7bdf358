/**
 * The newest record of each order of one account: of all that lived when last heard of, and of the last that ended. A process has no
 * other memory of them; `supersedes` says what is newer, and each record comes here once the listeners of its frame have had it.
 */
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import { isTerminal, supersedes, type OrderRecord } from '../../domain/records';
import type { OwnOrders } from '../port';

/** Ended orders that are remembered: more than can end while a list lags. */
const ENDED_KEPT = 4_096;

type Waiter = (record: OrderRecord) => void;

export class OrderCache implements OwnOrders {
  readonly #live = new Map<bigint, OrderRecord>();
  /** Oldest first. */
  readonly #ended = new Map<bigint, OrderRecord>();
  readonly #byClientIndex = new Map<ClientOrderIndex, OrderRecord>();
  readonly #waiters = new Map<ClientOrderIndex, Set<Waiter>>();

  /** The newest transaction time heard of, µs. */
  lastSeenUs = 0;

  /** `onThrown`: a waiter threw; the others are told all the same. */
  constructor(private readonly onThrown: (error: unknown) => void) {}

  find(index: ClientOrderIndex): OrderRecord | undefined {
    return this.#byClientIndex.get(index);
  }

  open(marketId: number): OrderRecord[] {
    return this.live.filter((order) => order.marketId === marketId && order.clientOrderIndex !== 0n);
  }

  on(index: ClientOrderIndex, waiter: Waiter): () => void {
    const set = this.#waiters.get(index) ?? new Set();
    set.add(waiter);
    this.#waiters.set(index, set);
    return () => {
      set.delete(waiter);
      if (set.size === 0) this.#waiters.delete(index);
    };
  }

  get live(): OrderRecord[] {
    return [...this.#live.values()];
  }

  /** False for a record that says nothing more than what is known of that order: lists lag behind frames. */
  isNews(order: OrderRecord): boolean {
    const known = this.#known(order.orderIndex);
    return known === undefined || supersedes(order, known);
  }

  /** Whether a record of that time (µs) or later was heard, or how the order ended. */
  shows(orderIndex: bigint, timeUs: number): boolean {
    const known = this.#known(orderIndex);
    if (known === undefined || isTerminal(known.status)) return known !== undefined;
    // A record without a time cannot be compared: that it shows a fill has to do.
    return known.transactionTimeUs === 0 ? known.filledLots > 0n : known.transactionTimeUs >= timeUs;
  }

  /** Known live before, and not among `present`. */
  missingFrom(present: readonly OrderRecord[]): OrderRecord[] {
    const seen = new Set(present.map(({ orderIndex }) => orderIndex));
    return this.live.filter(({ orderIndex }) => !seen.has(orderIndex));
  }

  note(order: OrderRecord): void {
    this.lastSeenUs = Math.max(this.lastSeenUs, order.transactionTimeUs);
    if (!this.isNews(order)) return;
    const { orderIndex, clientOrderIndex } = order;
    this.forget(orderIndex);
    (isTerminal(order.status) ? this.#ended : this.#live).set(orderIndex, order);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_KEPT) break;
      this.forget(oldest);
    }
    if (clientOrderIndex === 0n) return;
    this.#byClientIndex.set(clientOrderIndex, order);
    for (const waiter of [...(this.#waiters.get(clientOrderIndex) ?? [])]) {
      try {
        waiter(order);
      } catch (error) {
        this.onThrown(error);
      }
    }
  }

  forget(orderIndex: bigint): void {
    const known = this.#known(orderIndex);
    if (!known) return;
    this.#live.delete(orderIndex);
    this.#ended.delete(orderIndex);
    if (this.#byClientIndex.get(known.clientOrderIndex) === known) this.#byClientIndex.delete(known.clientOrderIndex);
  }

  #known(orderIndex: bigint): OrderRecord | undefined {
    return this.#live.get(orderIndex) ?? this.#ended.get(orderIndex);
  }
}
