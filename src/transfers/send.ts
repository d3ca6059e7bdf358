/**
 * Runs one transfer machine: moves collateral from this account to another of its owner, or proves that it was not moved and never will be.
 *
 * Repeatable anywhere: the nonce follows from the transfer's id, so however often and by how many processes it is sent, one executes.
 */
import type { Clock } from '../clock';
import { laneOf, nonceOf, type OrderId } from '../domain/ids-and-nonces';
import type { NonceEvent, NonceSend } from '../domain/nonce';
import type { TransferTerms } from '../domain/records';
import { singleWakeAtMs } from '../domain/single';
import { advanceTransfer, newTransfer, type TransferEnd } from '../domain/transfer';
import type { AccountPort } from '../exchange/port';
import { Driver } from '../hedging/driver';
import type { SealRequest } from '../hedging/seals';

export interface SendDeps {
  readonly account: Pick<
    AccountPort,
    'accountIndex' | 'stream' | 'sign' | 'send' | 'findOrders' | 'nonceStatus' | 'recall'
  >;
  readonly sealBy: SealRequest;
  readonly clock: Clock;
}

export interface Transfer {
  readonly id: OrderId;
  readonly terms: TransferTerms;
  /** Any: a cancel names one, and the seal of a transfer may be one. */
  readonly marketId: number;
  /** How long it may still be sent; then its nonce is sealed instead. */
  readonly freshMs: () => number;
}

/** Rejects when the wait is abandoned: whoever asks again finds what became of it. */
export async function sendTransfer(deps: SendDeps, transfer: Transfer, signal?: AbortSignal): Promise<TransferEnd> {
  const { account, clock, sealBy } = deps;
  const { id, terms, marketId, freshMs } = transfer;
  const nowMs = clock.monotonicMs();
  const { accountIndex } = account;
  const state = newTransfer({ id, accountIndex, marketId, staleAtMs: nowMs + freshMs(), nowMs, terms });
  const nonce = nonceOf(id, 0);
  const driver = new Driver<NonceEvent, NonceSend>(
    {
      id,
      advance(event, atMs) {
        state.staleAtMs = Math.min(state.staleAtMs, atMs + freshMs());
        return advanceTransfer(state, event, atMs);
      },
      wakeAtMs: () => singleWakeAtMs(state),
      requestOf({ form, clientOrderIndex: index }) {
        const base = { lane: laneOf(id), nonce, skipNonce: true };
        return form === 'order' ? { ...base, ...terms, kind: 'transfer' } : sealBy(form, base, { marketId, index });
      },
    },
    deps,
  );
  const stop = account.stream.on('txs', (txs) => {
    for (const tx of txs) if (tx.nonce === nonce) driver.feed({ type: 'tx', tx });
  });
  try {
    driver.feed({ type: 'tick' });
    await driver.until(() => state.end !== undefined, { signal });
  } finally {
    stop();
    driver.close();
  }
  if (state.end) return state.end;
  throw new Error(driver.parked ?? 'the wait for the transfer was abandoned; its nonce resolves it later');
}
