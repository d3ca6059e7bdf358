/**
 * A small venue for one lane, driven by a seeded adversary: the truth that the execution machine is judged by.
 *
 * Nonces as LP §3.6 (exact, skip, booked before the answer), executions of any part of a slice, sequencer rejections, drops without
 * consuming the nonce, replies lost, requests lost / late / repeated, lists that lag. Pure: randomness is an argument.
 */
import {
  clientOrderIndexOf,
  laneOf,
  nonceOf,
  splitClientOrderIndex,
  type ClientOrderIndex,
  type Nonce,
} from '../../src/domain/ids-and-nonces';
import { lots, notional, ticks, type Lots } from '../../src/domain/lots';
import type { NonceStatus, OrderRecord, SendOutcome, TxRecord } from '../../src/domain/records';
import type { SliceSend } from '../../src/domain/execution';

export type Send = SliceSend;

export interface Executed {
  readonly nonce: Nonce;
  readonly tx: TxRecord;
  readonly order?: OrderRecord;
  readonly atStep: number;
}

export class Lane {
  /** Booked, not executed yet. */
  private readonly queue: Send[] = [];
  readonly log: Executed[] = [];
  private executedNext = 0n;
  step = 0;

  constructor(
    readonly accountIndex: number,
    readonly lane: number,
    readonly marketId: number,
  ) {}

  get bookedNext(): bigint {
    return this.queue.reduce((next, send) => (send.nonce + 1n > next ? send.nonce + 1n : next), this.executedNext);
  }

  /** The exchange's API: books, or rejects the nonce. */
  submit(send: Send): SendOutcome {
    const ok = send.skipNonce ? send.nonce >= this.bookedNext : send.nonce === this.bookedNext;
    if (!ok) return { kind: 'rejected', txHash: hash(send), code: 21104, message: 'invalid nonce' };
    this.queue.push(send);
    return { kind: 'accepted', txHash: hash(send), predictedExecutionMs: 0 };
  }

  get pending(): number {
    return this.queue.length;
  }

  /** The sequencer takes the head: executes `part` lots of it, rejects it (`ae`), or drops it without consuming the nonce. */
  run(
    how: { kind: 'execute'; part: (most: Lots) => Lots; sealLots?: Lots } | { kind: 'refuse' } | { kind: 'drop' },
  ): void {
    const head = this.queue.shift();
    if (!head) return;
    if (how.kind === 'drop') {
      // What was booked behind becomes a gap and is dropped too, unless it skips.
      const rest = this.queue.splice(0);
      let next = this.executedNext;
      for (const send of rest) {
        if (send.skipNonce ? send.nonce >= next : send.nonce === next) {
          this.queue.push(send);
          next = send.nonce + 1n;
        }
      }
      return;
    }
    this.executedNext = head.nonce + 1n;
    const tx: TxRecord = {
      hash: hash(head),
      type: head.form === 'seal-cancel' ? 16 : 14,
      accountIndex: this.accountIndex,
      apiKeyIndex: this.lane,
      nonce: head.nonce,
      status: 'executed',
      executedAtMs: this.step,
      ...(head.form === 'seal-cancel' ? {} : { clientOrderIndex: head.clientOrderIndex }),
      ...(how.kind === 'refuse' ? { rejection: { code: 21739, message: 'not enough margin' } } : {}),
    };
    if (how.kind === 'refuse' || head.form === 'seal-cancel') {
      this.log.push({ nonce: head.nonce, tx, atStep: this.step });
      return;
    }
    const executed = head.form === 'order' ? how.part(head.lots) : (how.sealLots ?? lots(0));
    const order = orderRecord(this.accountIndex, this.marketId, head, executed);
    this.log.push({ nonce: head.nonce, tx, order, atStep: this.step });
  }

  /** A transaction that is not ours takes a nonce, now. */
  foreign(nonce: Nonce): void {
    this.queue.length = 0;
    this.executedNext = nonce + 1n;
    const tx: TxRecord = {
      hash: `foreign-${nonce}`,
      type: 14,
      accountIndex: this.accountIndex,
      apiKeyIndex: this.lane,
      nonce,
      status: 'executed',
      executedAtMs: this.step,
      clientOrderIndex: 77n as ClientOrderIndex,
    };
    this.log.push({ nonce, tx, atStep: this.step });
  }

  /** Lists, as they were `lagSteps` ago. */
  findOrders(indexes: readonly ClientOrderIndex[], lagSteps: number): OrderRecord[] {
    return this.visible(lagSteps).flatMap((entry) =>
      entry.order && indexes.includes(entry.order.clientOrderIndex) ? [entry.order] : [],
    );
  }

  nonceStatus(nonce: Nonce, lagSteps: number): NonceStatus {
    const visible = this.visible(lagSteps);
    const own = visible.find((entry) => entry.nonce === nonce);
    if (own) return { kind: 'consumed', tx: own.tx };
    const later = visible.find((entry) => entry.nonce > nonce);
    return later
      ? { kind: 'passed', by: later.tx, isContested: false }
      : { kind: 'unseen', isComplete: true, isContested: false };
  }

  visible(lagSteps: number): Executed[] {
    return this.log.filter((entry) => entry.atStep <= this.step - lagSteps);
  }

  executedOf(id: bigint): bigint {
    return this.log.reduce((sum, entry) => {
      const order = entry.order;
      return order && splitClientOrderIndex(order.clientOrderIndex).id === id ? sum + order.filledLots : sum;
    }, 0n);
  }
}

export function orderRecord(accountIndex: number, marketId: number, send: Send, executed: Lots): OrderRecord {
  return {
    accountIndex,
    marketId,
    orderIndex: 1n,
    clientOrderIndex: send.clientOrderIndex,
    side: 'sell',
    status: executed === send.lots ? 'filled' : 'canceled-not-enough-liquidity',
    initialLots: send.lots,
    filledLots: executed,
    filledQuote: notional(executed * 100n),
    priceTicks: ticks(send.priceTicks),
    transactionTimeUs: 0,
  };
}

function hash(send: Send): string {
  return `${send.form}-${send.nonce}-${send.lots}`;
}

export { clientOrderIndexOf, laneOf, nonceOf };
