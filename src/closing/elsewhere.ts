/** What both accounts hold in the markets that `close-all` does not touch. It is named, since flat is said of the accounts. */
import { formatDecimal } from '../domain/lots';
import type { Market } from '../domain/records';
import { leftOf, type CloseAllOptions, type Holding } from './close-all';

const ELSEWHERE = 'elsewhere';

export interface ElsewhereOptions extends Pick<CloseAllOptions, 'accounts' | 'markets'> {
  /** All that the exchange has. */
  readonly listed: readonly Market[];
}

/** Markets without anything are left out; what could not be read is `ELSEWHERE`. */
export async function elsewhere({ accounts, markets, listed }: ElsewhereOptions): Promise<Holding[]> {
  const others = listed.filter(({ marketId }) => markets.every(({ market }) => market.marketId !== marketId));
  const found = accounts.map(async ({ name, account }) => {
    const [state, orders] = await Promise.all([account.account(), account.activeOrders()]);
    const isClosed = (id: number | undefined): boolean => markets.some(({ market }) => market.marketId === id);
    const rows = others.map(({ marketId, symbol, sizeDecimals }): Holding => {
      const held = state.ok ? state.value.positions.find((position) => position.marketId === marketId) : undefined;
      return {
        account: name,
        market: symbol,
        position: formatDecimal(held?.lots ?? 0n, sizeDecimals),
        orders: orders.ok ? orders.value.filter((order) => order.marketId === marketId).length : 0,
      };
    });
    const unread: Holding = {
      account: name,
      market: ELSEWHERE,
      position: state.ok && state.value.unreadMarkets.every(isClosed) ? '0' : undefined,
      orders: orders.ok ? 0 : undefined,
    };
    return [...rows, unread].filter(({ position, orders: count }) => Number(position ?? 1) !== 0 || count !== 0);
  });
  return (await Promise.all(found)).flat();
}

export function leftElsewhere(found: readonly Holding[]): string[] {
  return leftOf(found).map(
    (what) =>
      `${what}; not touched, since the configuration has no pair there and none of ours runs. Put it under \`pairs\` and run close-all ` +
      'again, or close it by hand',
  );
}
