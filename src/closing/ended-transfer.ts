/**
 * What became of the transfer of a rebalance that was ended before it knew. Nothing is sent but a seal of the transfer's own nonce; the
 * exchange's record of that nonce says the rest.
 */
import type { Clock } from '../clock';
import type { OrderId } from '../domain/ids-and-nonces';
import type { Notional } from '../domain/lots';
import { reasonOf } from '../domain/reason';
import type { Role } from '../domain/rebalance';
import type { TransferEnd } from '../domain/transfer';
import { sendTransfer } from '../transfers/send';
import type { ClosingAccount } from './fence';

export interface EndedTransfer {
  readonly id: OrderId;
  readonly from: Role;
  readonly amount: Notional;
}

/** That a nonce was passed is told by two readings, 20 s apart. */
const PATIENCE_MS = 60_000;

/** A text says why it is not known. */
export async function becameOf(
  { id, from, amount }: EndedTransfer,
  [a, b]: readonly [ClosingAccount, ClosingAccount],
  { marketId, clock }: { readonly marketId: number; readonly clock: Clock },
): Promise<TransferEnd | string> {
  const [sender, receiver] = from === 'maker' ? [a, b] : [b, a];
  const { account, sealBy } = sender;
  const terms = { toAccountIndex: receiver.account.accountIndex, amount };
  const transfer = { id, terms, marketId, freshMs: () => 0 };
  return sendTransfer({ account, sealBy, clock }, transfer, AbortSignal.timeout(PATIENCE_MS)).catch(reasonOf);
}
