/** Which order a trade belongs to, and how much of what was quoted was filled. */
import { parseDecimal } from '../domain/lots';
import { splitClientOrderIndex } from '../domain/ids-and-nonces';
import type { JournalOrder, JournalTrade } from './rows';

/** More than any market's sizes have (LP §2.1). */
export const SIZE_DECIMALS = 12;

export interface Accounts {
  readonly maker: number;
  readonly hedge: number;
}

type Owned = Pick<JournalTrade, 'account' | 'clientOrderIndex'>;

/** Undefined: none of ours. */
export function orderOf({ clientOrderIndex }: Pick<Owned, 'clientOrderIndex'>): string | undefined {
  return clientOrderIndex === 0n ? undefined : splitClientOrderIndex(clientOrderIndex).id.toString();
}

export function isQuote({ account, clientOrderIndex }: Owned, { maker }: Accounts): boolean {
  return account === maker && clientOrderIndex > 0n && splitClientOrderIndex(clientOrderIndex).slice === 0;
}

export interface OrderFigures {
  /** Quotes that ended. */
  readonly quoted: number;
  readonly filled: number;
  /** Of the lots that were quoted, each at its price; undefined when nothing was. */
  readonly fillRate: number | undefined;
  /** Orders of both accounts: each costs one of the volume quota where there is one (LP §6.5). */
  readonly quotaUsed: number;
}

export function orderFigures(orders: readonly JournalOrder[], accounts: Accounts): OrderFigures {
  const quotes = orders.filter((order) => isQuote(order, accounts));
  const value = (of: 'size' | 'filled'): number =>
    quotes.reduce((sum, quote) => sum + Number(quote[of]) * Number(quote.price), 0);
  const quoted = value('size');
  return {
    quoted: quotes.length,
    filled: quotes.filter(({ filled }) => parseDecimal(filled, SIZE_DECIMALS) > 0n).length,
    fillRate: quoted === 0 ? undefined : value('filled') / quoted,
    quotaUsed: orders.length,
  };
}

export function groupBy<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
