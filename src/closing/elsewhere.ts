/** What both accounts hold in the markets that `close-all` does not touch. It is named, since flat is said of the accounts. */
import { formatDecimal } from '../domain/lots';
import { positionIn, type Market } from '../domain/records';
import { leftOf, type CloseAllOptions, type Holding } from './close-all';

export interface ElsewhereOptions extends Pick<CloseAllOptions, 'accounts' | 'markets'> {
  /** All that the exchange has. */
  readonly listed: readonly Market[];
}

/** Markets without anything are left out. An account that cannot be read is unread in the markets that are closed, too. */
export async function elsewhere({ accounts, markets, listed }: ElsewhereOptions): Promise<Holding[]> {
  const others = listed.filter(({ marketId }) => markets.every(({ market }) => market.marketId !== marketId));
  const found = accounts.map(async ({ name, account }) => {
    const [state, orders] = await Promise.all([account.account(), account.activeOrders()]);
    const rows = others.map(({ marketId, symbol, sizeDecimals }): Holding => {
      const held = state.ok ? positionIn(state.value, marketId) : undefined;
      return {
        account: name,
        market: symbol,
        position: held?.ok === false ? undefined : formatDecimal(held?.value?.lots ?? 0n, sizeDecimals),
        orders: orders.ok ? orders.value.filter((order) => order.marketId === marketId).length : 0,
      };
    });
    const unread: Holding[] = orders.ok
      ? []
      : [{ account: name, market: 'elsewhere', position: '0', orders: undefined }];
    return [...rows.filter(({ position, orders: count }) => Number(position ?? 1) !== 0 || count !== 0), ...unread];
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
