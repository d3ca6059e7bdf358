/** Whether a market takes an order now (LP §1.4): the exchange's upgrade, the market's status, and the switches beside it. */
import { refuse } from './codes';
import type { Refusal } from './codes';
import { forceTrade } from './forced';
import { finish } from './orders';
import type { Account, OrderRequest } from './types';
import type { Market, World } from './world';

export function isUpgrading({ upgrade, nowMs }: World): boolean {
  return upgrade !== undefined && nowMs >= upgrade.fromMs && nowMs < upgrade.untilMs;
}

/** No order is placed in it at all; cancels are taken. The code of an upgrade is not recorded. */
export function isHalted(world: World, market: Market): boolean {
  return market.status !== 'active' || market.isFrozen || isUpgrading(world);
}

/** What a market that trades refuses all the same: resting orders at the API, taking ones in the sequencer. */
export function refusalByRules(
  account: Account,
  market: Market,
  order: Pick<OrderRequest, 'reduceOnly'>,
): Refusal | undefined {
  if (account.synthetic) return undefined;
  if (market.forceReduceOnly && order.reduceOnly !== 1) return refuse(21740);
  const mode = account.positions.get(market.spec.marketId)?.marginMode ?? 'cross';
  return market.isolatedOnly && mode === 'cross' ? refuse(21613) : undefined;
}

/** The end of a delisting: nothing rests any more, and every position is closed at the mark price. */
export function settleMarket(world: World, market: Market): void {
  for (const order of [...market.orders.values(), ...market.waiting]) finish(world, market, order, 'canceled');
  const held = (sign: 1 | -1) =>
    [...world.accounts.values()].filter(
      (account) => sign * (account.positions.get(market.spec.marketId)?.lots ?? 0) > 0,
    );
  for (const long of held(1)) {
    for (const short of held(-1)) {
      const lotsOf = (account: Account): number => account.positions.get(market.spec.marketId)?.lots ?? 0;
      const lots = Math.min(lotsOf(long), -lotsOf(short));
      if (lots <= 0) continue;
      forceTrade(world, market, long, short, {
        signedLots: -lots,
        priceTicks: market.markTicks,
        kind: 'market-settlement',
      });
    }
  }
  market.status = 'settled';
}
