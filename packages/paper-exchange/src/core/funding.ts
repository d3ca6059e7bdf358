/** Funding of open positions: charged by hand, or every hour when that is switched on (`/_paper/rules`). */
import { remember } from './world';
import type { Market, World } from './world';

/** One hour's funding of a position. */
export interface Funding {
  readonly id: number;
  readonly marketId: number;
  readonly lots: number;
  /** Negative when received. */
  readonly paidMicro: number;
  /** 1e-8 of the value. */
  readonly rate: number;
  readonly atMs: number;
}

/** 1e-8 of the position's value in an hour; longs pay when positive. */
export const fundingRate = 1_200;
const rateScale = 100_000_000;

/** Inside an event: one hour's funding of a market, at the mark price. */
export function chargeFunding(world: World, market: Market, rate: number): void {
  for (const account of world.accounts.values()) {
    const position = account.positions.get(market.spec.marketId);
    if (account.synthetic || position === undefined || position.lots === 0) continue;
    const paidMicro = Math.round((position.lots * market.markTicks * rate) / rateScale);
    account.collateralMicro -= paidMicro;
    account.updatedAtUs = world.nowUs;
    position.fundingPaidMicro += paidMicro;
    const { marketId } = market.spec;
    const funding = { id: world.nextFundingId++, marketId, lots: position.lots, paidMicro, rate, atMs: world.nowMs };
    remember(account.fundings, funding, world.historyMax);
    const changes = world.changes.of(account);
    changes.moneyMoved = true;
    changes.markets.add(marketId);
  }
}
