/**
 * Nonces of one API key (LP §3.6): booked when the API accepts, consumed when the sequencer includes, rolled back when it drops.
 * At most one transaction per (key, nonce) is ever executed; that is the promise everything else leans on.
 */
import { isSkipNonce } from './tx';
import type { ApiKey, TxHead, TxRecord } from './types';

/** Exclusive bound of a skip-nonce (LP §3.6 (2)): microsecond clocks do not fit, millisecond clocks do. */
const skipNonceBound = 2 ** 47 - 1;
const nonceMax = 2 ** 48 - 1;

export function mayBook(key: ApiKey, head: TxHead): boolean {
  return fits(head, key.bookedNext);
}

export function book(key: ApiKey, record: TxRecord): void {
  key.bookedNext = record.nonce + 1;
  key.pending.push(record);
}

/** Is it this record's turn? False once an earlier drop left a gap before it. */
export function isTurn(key: ApiKey, record: TxRecord): boolean {
  return fits(record.tx.head, key.executedNext);
}

/** The sequencer included it, successful or not (LP §3.6 (3)). */
export function consume(key: ApiKey, record: TxRecord): void {
  key.executedNext = record.nonce + 1;
  unqueue(key, record);
}

/**
 * The sequencer dropped it without using its nonce (LP §3.6 (5)). Later transactions that now leave a gap are dropped with it;
 * returns them.
 */
export function drop(key: ApiKey, record: TxRecord): readonly TxRecord[] {
  unqueue(key, record);
  const kept: TxRecord[] = [];
  const lost: TxRecord[] = [];
  let next = key.executedNext;
  for (const pending of key.pending) {
    if (fits(pending.tx.head, next)) {
      kept.push(pending);
      next = pending.nonce + 1;
    } else {
      lost.push(pending);
    }
  }
  key.pending.splice(0, key.pending.length, ...kept);
  key.bookedNext = next;
  return lost;
}

function fits(head: TxHead, next: number): boolean {
  if (isSkipNonce(head)) return head.nonce >= next && head.nonce < skipNonceBound;
  return head.nonce === next && head.nonce <= nonceMax;
}

function unqueue(key: ApiKey, record: TxRecord): void {
  // Executed in order of acceptance, so it is the first one except after a drop.
  const index = key.pending.indexOf(record);
  if (index >= 0) key.pending.splice(index, 1);
}
