/**
 * When admitted transactions execute: one queue in due order, keys in nonce order (LP §10.4, docs/paper-exchange.md "Latency").
 *
 * A cancel overtakes a taker order of another key; on one key nonces are consumed in order, so the later one waits. With no
 * latency a transaction executes on the next macrotask.
 */
import type { Exchange } from './core/exchange';
import { MinHeap } from './core/heap';
import { tiers } from './core/tiers';
import type { ApiKey, TxRecord } from './core/types';
import type { Changes } from './core/world';
import type { ExchangeClock } from './clock';
import type { LatencySetting, Settings } from './options';

const noLatency: LatencySetting = { takerMs: 0, makerMs: 0, cancelMs: 0 };

export class Sequencer {
  readonly #queue = new MinHeap<TxRecord>();
  readonly #lastDueMs = new WeakMap<ApiKey, number>();
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Infinity;

  constructor(
    private readonly exchange: Exchange,
    private readonly clock: ExchangeClock,
    private readonly latency: Settings['latency'],
    private readonly publish: (changes: Changes) => void,
  ) {}

  /** Epoch ms at which it will execute, whole (LP §1.4 predicted_execution_time_ms). */
  enqueue(record: TxRecord, key: ApiKey, extraMs: number): number {
    const ownDueMs = this.clock.hostMs() + (key.makerOnly ? 0 : this.#latencyMs(record)) + extraMs;
    const dueMs = key.pending.length > 1 ? Math.max(ownDueMs, this.#lastDueMs.get(key) ?? 0) : ownDueMs;
    this.#lastDueMs.set(key, dueMs);
    this.#queue.push(dueMs, record);
    this.#arm();
    return Math.floor(dueMs + this.clock.offsetMs);
  }

  close(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #arm(): void {
    const nextMs = this.#queue.peekKey();
    if (nextMs === undefined) return;
    const waitMs = nextMs - this.clock.hostMs();
    if (waitMs < 1) {
      this.#immediate ??= setImmediate(() => {
        this.#immediate = undefined;
        this.#drain();
      });
    } else if (nextMs < this.#timerDueMs) {
      if (this.#timer !== undefined) clearTimeout(this.#timer);
      this.#timerDueMs = nextMs;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#timerDueMs = Infinity;
        this.#drain();
      }, waitMs);
    }
  }

  #drain(): void {
    for (;;) {
      const nextMs = this.#queue.peekKey();
      if (nextMs === undefined || nextMs >= this.clock.hostMs() + 1) break;
      const record = this.#queue.pop();
      if (record === undefined) break;
      this.publish(this.exchange.execute(record, this.clock.nowUs()));
    }
    this.#arm();
  }

  #latencyMs(record: TxRecord): number {
    const setting = this.#settingOf(record);
    const { body } = record.tx;
    switch (body.kind) {
      case 'create':
        // Post-only cannot take; a plain limit might, but rests unless it crosses: priced as a maker (LP §6.4).
        return body.order.timeInForce === 0 ? setting.takerMs : setting.makerMs;
      case 'cancel':
      case 'cancel-all':
      case 'modify':
        return setting.cancelMs;
      case 'grouped':
      case 'update-leverage':
      case 'update-margin':
      case 'change-pub-key':
      case 'create-sub-account':
      case 'transfer':
      case 'approve-integrator':
        return setting.makerMs;
    }
  }

  #settingOf(record: TxRecord): LatencySetting {
    if (this.latency === 'zero') return noLatency;
    return this.latency === 'tier' ? tiers[record.account.tier].latency : this.latency;
  }
}
