/** What consumes a nonce and trades nothing, on either account. Which form is tried is the machine's word (domain/nonce.ts). */
import type { ClientOrderIndex } from '../domain/ids-and-nonces';
import type { NonceSend } from '../domain/nonce';
import type { TxRequest } from '../exchange/port';

export type TxBase = Pick<TxRequest, 'lane' | 'nonce' | 'skipNonce'>;

export type SealRequest = (
  form: Exclude<NonceSend['form'], 'order'>,
  base: TxBase,
  /** An order that nobody has. */
  order: { readonly marketId: number; readonly index: ClientOrderIndex },
) => TxRequest;

/** On B, where nothing rests: everything may be cancelled, which is never rejected for a missing order. */
export const sealByCancelAll: SealRequest = (_form, base) => ({ ...base, kind: 'cancel-all-now' });

/** On A: `switchAtMs` is when a dead-man's switch renewed now would fire, epoch ms in exchange time. */
export function sealByCancelOrder(switchAtMs: () => number): SealRequest {
  return (form, base, order) =>
    form === 'seal-renewal'
      ? { ...base, kind: 'cancel-all-at', atMs: switchAtMs() }
      : { ...base, kind: 'cancel-order', ...order };
}
