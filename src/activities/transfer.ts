/** `transfer`: collateral from the account of this process to the other one, or the proof that it is not moved and never will be. */
import type { Clock } from '../clock';
import { invariant } from '../domain/assert';
import { parseOrderId } from '../domain/ids-and-nonces';
import { notional, type Notional } from '../domain/lots';
import type { Accounts } from '../domain/messages';
import type { TransferInput, TransferResult } from '../domain/rebalance-messages';
import type { SealRequest } from '../hedging/seals';
import type { AccountPort, ExchangePort } from '../exchange/port';
import { sendTransfer } from '../transfers/send';
import { onlyFor, type Rejected } from './accounts';
import { freshness } from './freshness';
import { withHeartbeat } from './heartbeat';

export interface TransferDeps {
  readonly accounts: Accounts;
  /** A step was not for our accounts. */
  readonly onRejected: (rejected: Rejected) => void;
  readonly account: AccountPort;
  readonly exchange: Pick<ExchangePort, 'markets'>;
  readonly sealBy: SealRequest;
  readonly clock: Clock;
  /** Keeps what is about to leave from being promised to an order; undefined when it is not free any more. */
  readonly setAside?: (amount: Notional) => Promise<(() => void) | undefined>;
}

export interface TransferActivities {
  /** Repeatable: the same transfer always, at one nonce. Fails, and concludes nothing, where it cannot be found out. */
  transfer(input: TransferInput): Promise<TransferResult>;
}

export const NOT_FREE = 'not-free';

export function createTransferActivities(deps: TransferDeps): TransferActivities {
  const steps: TransferActivities = {
    transfer: (input) => withHeartbeat((signal, _, scheduledAtMs) => transfer(deps, input, { signal, scheduledAtMs })),
  };
  return onlyFor(deps.accounts, steps, deps.onRejected);
}

async function transfer(
  { account, exchange, sealBy, clock, setAside }: TransferDeps,
  input: TransferInput,
  attempt: { readonly signal: AbortSignal; readonly scheduledAtMs: number },
): Promise<TransferResult> {
  const { accounts, transfer_id, amount, stale_at_ms } = input;
  const id = parseOrderId(transfer_id);
  invariant(id !== undefined, 'a transfer has the id of an order');
  const freshMs = freshness(clock, stale_at_ms, attempt.scheduledAtMs);
  const markets = await exchange.markets();
  const [market] = markets.ok ? markets.value : [];
  if (market === undefined) throw new Error('no market is known: a seal names one');
  const terms = {
    toAccountIndex: account.accountIndex === accounts.maker ? accounts.hedge : accounts.maker,
    amount: notional(BigInt(amount)),
  };
  // What an attempt before this one has moved is not free any more either: then this one sends nothing, and finds it.
  const giveBack = setAside === undefined ? () => undefined : await setAside(terms.amount);
  try {
    const isFree = giveBack !== undefined;
    const end = await sendTransfer(
      { account, sealBy, clock },
      { id, terms, marketId: market.marketId, freshMs: isFree ? freshMs : () => 0 },
      attempt.signal,
    );
    if (end.moved) return { moved: true, tx_hash: end.txHash };
    const { code, message } = end;
    if (!isFree && code === 'stale')
      return {
        moved: false,
        code: NOT_FREE,
        message: 'open orders are promised what it would take, or the margin could not be read',
      };
    return { moved: false, code, message };
  } finally {
    giveBack?.();
  }
}
