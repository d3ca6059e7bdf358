/**
 * Positions that their account's money no longer carries are taken away: off unless asked for (`/_paper/rules`). The order in which
 * the real exchange does so is not recorded (LP §11).
 */
import { forceTrade } from './forced';
import { summarize, unrealizedPnl } from './margin';
import { finish, isLive } from './orders';
import type { Account, Position } from './types';
import type { Market, World } from './world';

/** Inside an event: every account below its maintenance margin loses its orders, then its largest position. */
export function liquidateDue(world: World, insurer: Account): void {
  for (const account of world.accounts.values()) {
    if (account.synthetic || account.positions.size === 0) continue;
    const { valueMicro, maintenanceMicro } = summarize(world, account);
    if (maintenanceMicro > 0 && valueMicro < maintenanceMicro) liquidate(world, account, valueMicro, insurer);
  }
}

function liquidate(world: World, account: Account, valueMicro: number, insurer: Account): void {
  for (const order of [...account.liveOrders.values()]) {
    const market = world.markets.get(order.marketId);
    if (market !== undefined && isLive(order)) finish(world, market, order, 'canceled-liquidation');
  }
  const [largest] = heldBy(world, account).sort((left, right) => right.value - left.value);
  if (largest === undefined) return;
  const { market, position } = largest;
  const isBankrupt = valueMicro < 0;
  const winner = isBankrupt ? richestAgainst(world, market, position) : undefined;
  const against = winner?.positions.get(market.spec.marketId)?.lots ?? position.lots;
  const lots = Math.min(Math.abs(position.lots), Math.abs(against));
  const kind = isBankrupt ? 'deleverage' : 'liquidation';
  const signedLots = position.lots > 0 ? -lots : lots;
  forceTrade(world, market, account, winner ?? insurer, { signedLots, priceTicks: market.markTicks, kind });
}

function heldBy(world: World, account: Account): { market: Market; position: Position; value: number }[] {
  return [...account.positions.values()].flatMap((position) => {
    const market = world.markets.get(position.marketId);
    if (market === undefined || position.lots === 0) return [];
    return [{ market, position, value: Math.abs(position.lots) * market.markTicks }];
  });
}

/** Whose opposite position has the most unrealised profit: it is deleveraged first. */
function richestAgainst(world: World, market: Market, position: Position): Account | undefined {
  const profitOf = (account: Account): number => {
    const theirs = account.positions.get(market.spec.marketId);
    const isOpposite = theirs !== undefined && theirs.lots * position.lots < 0 && !account.synthetic;
    return isOpposite ? unrealizedPnl(theirs, market.markTicks) : -Infinity;
  };
  let [richest, most]: [Account | undefined, number] = [undefined, -Infinity];
  for (const account of world.accounts.values()) {
    const profit = profitOf(account);
    if (profit > most) [richest, most] = [account, profit];
  }
  return richest;
}
