/** From flat to flat: which trades of both accounts belong to one round trip of A's position in a market. */
import { parseDecimal } from '../domain/lots';
import { groupBy, orderOf, SIZE_DECIMALS, type Accounts } from './orders';
import type { JournalTrade } from './rows';

/** Trade → the trip's name: its market and when it began. Oldest trades first. B's follow their order. */
export function roundTrips(trades: readonly JournalTrade[], { maker }: Accounts): ReadonlyMap<JournalTrade, string> {
  const names = new Map<JournalTrade, string>();
  const ofOrder = new Map<string, string>();
  for (const own of groupBy(
    trades.filter(({ account }) => account === maker),
    ({ marketId }) => marketId,
  ).values()) {
    let name: string | undefined;
    for (const trade of own) {
      const before = signed(trade.positionBefore);
      const size = parseDecimal(trade.size, SIZE_DECIMALS);
      if (name === undefined || before === 0n) {
        name = `${trade.market} ${new Date(Number(trade.timeUs / 1000n)).toISOString().slice(0, 23)}`;
      }
      names.set(trade, name);
      const order = orderOf(trade);
      if (order !== undefined && !ofOrder.has(order)) ofOrder.set(order, name);
      if (before + (trade.side === 'buy' ? size : -size) === 0n) name = undefined;
    }
  }
  for (const trade of trades) {
    const name = trade.account === maker ? undefined : ofOrder.get(orderOf(trade) ?? '');
    if (name !== undefined) names.set(trade, name);
  }
  return names;
}

function signed(text: string): bigint {
  return text.startsWith('-') ? -parseDecimal(text.slice(1), SIZE_DECIMALS) : parseDecimal(text, SIZE_DECIMALS);
}
