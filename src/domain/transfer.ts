/**
 * The transfer machine: slice 0 of a transfer's id, on a lane that nothing else uses. Ends with what the exchange's record of that nonce
 * says: it was moved, or it was not and never will be (single.ts).
 */
import { resolutionOf } from './evidence';
import type { NonceEvent, NonceQuestion, NonceSend } from './nonce';
import { TX_TRANSFER, type TransferTerms } from './records';
import { advanceSingle, newSingle, type Kind, type Reason, type SingleState } from './single';

export interface TransferState extends SingleState<TransferEnd> {
  readonly terms: TransferTerms;
}

export type TransferEnd = { readonly moved: true; readonly txHash: string } | ({ readonly moved: false } & Reason);

export function newTransfer(input: Parameters<typeof newSingle>[0] & { readonly terms: TransferTerms }): TransferState {
  return { ...newSingle(input, 'the transfer'), terms: input.terms };
}

export function advanceTransfer(state: TransferState, event: NonceEvent, nowMs: number): (NonceSend | NonceQuestion)[] {
  const commands = advanceSingle(transfer, state, event, nowMs);
  // No list of orders tells of a transfer: the lane's transactions are read at once.
  if (commands[0]?.do === 'look') return advanceSingle(transfer, state, { type: 'looked', k: 0 }, nowMs);
  return commands;
}

const transfer: Kind<TransferEnd, TransferState> = {
  noun: 'transfer',
  stale: 'it could not be sent in time',
  endOf: transferOf,
  never: (reason) => ({ moved: false, ...reason }),
};

function transferOf({ evidence, reason, terms }: TransferState): TransferEnd | undefined {
  const tx = evidence.txs.get(0);
  if (tx?.type === TX_TRANSFER && tx.transfer !== undefined && isSame(tx.transfer, terms)) {
    if (tx.rejection === undefined) return { moved: true, txHash: tx.hash };
    return { moved: false, code: tx.rejection.code.toString(), message: tx.rejection.message };
  }
  const resolved = resolutionOf(evidence, 0);
  if (resolved === undefined) return undefined;
  if (resolved.kind === 'seal') return { moved: false, ...reason };
  const message = `the lane's nonce was used by ${resolved.txHash}: something else uses this API key`;
  return { moved: false, code: 'foreign-nonce', message };
}

function isSame(one: TransferTerms, other: TransferTerms): boolean {
  return one.toAccountIndex === other.toAccountIndex && one.amount === other.amount;
}
