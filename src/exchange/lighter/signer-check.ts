/**
 * Known answers, asked for once when the library is loaded: one with another call layout signs something else without a complaint
 * (LP §8.3). Each kind of call that the product makes, with arguments that all differ, under a key that is nobody's.
 */
import { reasonOf } from '../../domain/reason';
import type { ClientOrderIndex, Nonce } from '../../domain/ids-and-nonces';
import { lots, notional, ticks } from '../../domain/lots';
import type { TxRequest } from '../port';
import { signCallOf, verifySigned, type SignCall } from './sign-request';

/** An account that no user can have (LP §1.1). */
export const PROBE = {
  accountIndex: 2 ** 48 - 2,
  lane: 254,
  chainId: 304,
  privateKey: '7'.padStart(80, '0'),
} as const;

const NONCE = 1_234_567 as const;
const bare = { lane: PROBE.lane, nonce: BigInt(NONCE) as Nonce, skipNonce: true } as const;
const base = { ...bare, marketId: 3 } as const;
const order = { ...base, clientOrderIndex: 77n as ClientOrderIndex, side: 'sell', lots: lots(55) } as const;
const REQUESTS: readonly TxRequest[] = [
  {
    ...order,
    kind: 'market-order',
    boundTicks: ticks(444),
    reduceOnly: true,
    selfTrade: { compare: 'master' } as never,
  },
  { ...order, kind: 'post-only-order', priceTicks: ticks(333), expiryMs: 4_000_000_000_000 },
  { ...base, kind: 'cancel-order', index: 99n as ClientOrderIndex },
  { ...base, kind: 'cancel-all-at', atMs: 4_000_000_000_000 },
  { ...bare, kind: 'transfer', toAccountIndex: 2 ** 48 - 3, amount: notional(11n) },
];

/** Throws what the library made of which call. */
export function checkLayout(
  sign: (call: SignCall) => { readonly txInfo: string | null; readonly err: string | null },
): void {
  for (const request of REQUESTS) {
    const call = signCallOf(PROBE.accountIndex, request);
    const { txInfo, err } = sign(call);
    const wrong = (why: string): Error => new Error(`${call.fn} takes other arguments than it is given: ${why}`);
    if (err !== null || txInfo === null) throw wrong(err ?? 'no answer');
    try {
      verifySigned(call, txInfo);
    } catch (error) {
      throw wrong(reasonOf(error));
    }
  }
}
