/** Which keys of an account the exchange rejects, found by one signed read for each. */
import type { Clock } from '../../clock';
import type { Read } from '../../domain/records';
import { KEYS_CHECKED_MAX, type RejectedKey } from '../port';
import type { ClockSkew } from './clock-skew';
import type { Rest } from './rest';
import type { Signer } from './signer';
import { Tokens } from './tokens';

const KEY_CHECK_LIFE_MS = 60_000;

export async function rejectedKeys(
  deps: { readonly clock: Clock; readonly rest: Rest; readonly signer: Signer; readonly skew: ClockSkew },
  accountIndex: number,
  lanes: readonly number[],
): Promise<Read<readonly RejectedKey[]>> {
  const { clock, rest, signer, skew } = deps;
  const checks = lanes.slice(0, KEYS_CHECKED_MAX).map(async (lane): Promise<Read<RejectedKey | undefined>> => {
    const tokens = new Tokens({
      ...{ signer, clock, accountIndex, lanes: [lane] },
      lifeMs: KEY_CHECK_LIFE_MS,
      skewMs: () => skew.estimateMs(),
    });
    const { text } = await tokens.token();
    const query = { account_index: accountIndex, market_id: 255 };
    const rejection = await rest.tokenRejection('/api/v1/accountActiveOrders', query, text);
    if (!rejection.ok) return rejection;
    return { ok: true, value: rejection.value === undefined ? undefined : { lane, reason: rejection.value } };
  });
  const found = await Promise.all(checks);
  const rejected = found.flatMap((read) => (read.ok && read.value !== undefined ? [read.value] : []));
  const unread = found.find((read) => !read.ok);
  // One clear rejection is enough to know; no rejection is only known once every key was heard of.
  return rejected.length === 0 && unread && !unread.ok ? unread : { ok: true, value: rejected };
}
