/**
 * A rejection whose code nobody lists: new ones come every month (LP §3.7). Most likely nothing was booked, and the lane's next nonce says
 * whether it was: one that has not moved after a pause makes it a rejection. Anything else leaves the submission unknown.
 */
import type { Nonce } from '../../domain/ids-and-nonces';
import type { Read, SendOutcome } from '../../domain/records';
import { unknown, type Unlisted } from './errors';

/** The next nonce lags behind by as much as an execution takes (LP §1.4). */
export const UNLISTED_PAUSE_MS = 500;

export async function resolveUnlisted(
  { txHash, code, message }: Unlisted,
  nonce: Nonce,
  ask: { readonly pause: (ms: number) => Promise<void>; readonly nextNonce: () => Promise<Read<Nonce>> },
): Promise<SendOutcome> {
  await ask.pause(UNLISTED_PAUSE_MS);
  const next = await ask.nextNonce();
  if (next.ok && next.value <= nonce) return { kind: 'rejected', txHash, code, message };
  const why = next.ok ? `the lane's next nonce is ${next.value}` : next.reason;
  return unknown(txHash, `code ${code} ${message}, which nobody lists, and ${why}`);
}
