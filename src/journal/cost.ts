/**
 * What a span of time cost: what an account is worth less than when it began, but for what was moved in or out, and for a credit that nothing
 * explains. Only a balance tells what an account is worth, its open profit with it: so the cost is of the time between two of them.
 */
import { compare, type Comparison } from './adds-up';
import type { BalanceRead } from './rows';
import type { Span, Store } from './store';

export interface Edges {
  readonly opening: BalanceRead | undefined;
  readonly closing: BalanceRead | undefined;
}

/**
 * The balances read at the ends of the span: the last one before it began, however old, since what was lost while nobody read counts rather
 * than nowhere; else the first one in it. And the last one in it.
 */
export async function edgesOf(store: Store, account: number, { fromUs, untilUs }: Span): Promise<Edges> {
  const opening =
    (await store.balance(account, { before: fromUs })) ?? (await store.balance(account, { after: fromUs }));
  return { opening, closing: await store.balance(account, { before: untilUs }) };
}

export async function comparedOf(store: Store, { opening, closing }: Edges): Promise<Comparison | undefined> {
  return opening === undefined || closing === undefined ? undefined : compare(store, { opening, closing });
}

export function costOf({ opening, closing, sums, differenceMicro }: Comparison): bigint {
  const worth = ({ collateralMicro, openPnlMicro }: BalanceRead): bigint => collateralMicro + openPnlMicro;
  // A credit that nothing explains hides no loss.
  return worth(opening) + sums.transfersMicro - worth(closing) + (differenceMicro > 0n ? differenceMicro : 0n);
}

export interface SpanCost extends Span {
  readonly micro: bigint;
}

/** Of both accounts. Undefined without balances that were read at the same moments: the market's way in between is no cost. */
export function costOfBoth([a, b]: readonly (Comparison | undefined)[]): SpanCost | undefined {
  if (a?.opening.answeredUs !== b?.opening.answeredUs || a?.closing.answeredUs !== b?.closing.answeredUs)
    return undefined;
  if (a === undefined || b === undefined) return undefined;
  return { fromUs: a.opening.answeredUs, untilUs: a.closing.askedUs, micro: costOf(a) + costOf(b) };
}
