/**
 * Cross margin: what an account is worth, what its positions and resting orders bind, and what a trade may do to it (LP §10.10).
 *
 * Open orders bind what the official app says (LP §2.4): each at its own price, the greater of the side that adds to the position
 * and of the other side beyond twice the position.
 */
import type { Market, World } from './world';
import type { Account, Position } from './types';

export interface MarginSummary {
  readonly unrealizedMicro: number;
  /** Collateral plus unrealised profit. */
  readonly valueMicro: number;
  /** Initial margin of the positions alone. */
  readonly initialMicro: number;
  /** Initial margin with the resting orders. */
  readonly boundMicro: number;
  readonly maintenanceMicro: number;
  readonly availableMicro: number;
  readonly notionalMicro: number;
}

export function unrealizedPnl(position: Position, markTicks: number): number {
  const value = Math.abs(position.lots) * markTicks;
  return position.lots >= 0 ? value - position.entryQuoteMicro : position.entryQuoteMicro - value;
}

export function summarize(world: World, account: Account): MarginSummary {
  let unrealizedMicro = 0;
  let initialMicro = 0;
  let boundMicro = 0;
  let maintenanceMicro = 0;
  let notionalMicro = 0;
  for (const position of account.positions.values()) {
    const market = world.markets.get(position.marketId);
    if (market === undefined) continue;
    const value = Math.abs(position.lots) * market.markTicks;
    unrealizedMicro += unrealizedPnl(position, market.markTicks);
    const initial = marginOf(value, position.marginFraction);
    initialMicro += initial;
    boundMicro += initial + openOrderMargin(position, market.markTicks);
    maintenanceMicro += marginOf(value, market.spec.maintenanceMarginFraction);
    notionalMicro += value;
  }
  const valueMicro = account.collateralMicro + unrealizedMicro;
  const availableMicro = Math.max(0, valueMicro - boundMicro);
  return { unrealizedMicro, valueMicro, initialMicro, boundMicro, maintenanceMicro, availableMicro, notionalMicro };
}

/** Pre-check of a resting order (LP §3.9: 21739 at the API for maker orders). */
export function mayRest(
  world: World,
  account: Account,
  market: Market,
  side: 'bid' | 'ask',
  quoteMicro: number,
): boolean {
  if (account.synthetic) return true;
  const { markTicks, spec } = market;
  const before = account.positions.get(spec.marketId) ?? flat(spec.defaultMarginFraction);
  const after = {
    ...before,
    restingBidMicro: before.restingBidMicro + (side === 'bid' ? quoteMicro : 0),
    restingAskMicro: before.restingAskMicro + (side === 'ask' ? quoteMicro : 0),
  };
  const added = openOrderMargin(after, markTicks) - openOrderMargin(before, markTicks);
  if (added <= 0) return true;
  const summary = summarize(world, account);
  return summary.boundMicro + added <= summary.valueMicro;
}

type Exposure = Pick<Position, 'lots' | 'marginFraction' | 'restingBidMicro' | 'restingAskMicro'>;

function flat(marginFraction: number): Exposure {
  return { lots: 0, marginFraction, restingBidMicro: 0, restingAskMicro: 0 };
}

function openOrderMargin(
  { lots, marginFraction, restingBidMicro, restingAskMicro }: Exposure,
  markTicks: number,
): number {
  const [same, opposite] = lots < 0 ? [restingAskMicro, restingBidMicro] : [restingBidMicro, restingAskMicro];
  return marginOf(Math.max(same, opposite - 2 * Math.abs(lots) * markTicks), marginFraction);
}

/**
 * May this account trade `signedLots` at this price? Reducing a position is always allowed; anything else must leave the account
 * above its initial margin (LP §2.4 "invalid risk state").
 */
export function mayTrade(
  world: World,
  account: Account,
  market: Market,
  trade: { readonly signedLots: number; readonly priceTicks: number; readonly feeTicks: number },
): boolean {
  if (account.synthetic) return true;
  const position = account.positions.get(market.spec.marketId);
  const before = position?.lots ?? 0;
  const after = before + trade.signedLots;
  if (Math.abs(after) <= Math.abs(before) && before * after >= 0) return true;
  const summary = summarize(world, account);
  const fraction = position?.marginFraction ?? market.spec.defaultMarginFraction;
  const change = trade.signedLots * (market.markTicks - trade.priceTicks);
  const fee = feeOf(Math.abs(trade.signedLots) * trade.priceTicks, trade.feeTicks);
  const initial =
    summary.initialMicro -
    marginOf(Math.abs(before) * market.markTicks, fraction) +
    marginOf(Math.abs(after) * market.markTicks, fraction);
  return summary.valueMicro + change - fee >= initial;
}

export function feeOf(quoteMicro: number, feeTicks: number): number {
  return feeTicks === 0 ? 0 : Math.round((quoteMicro * feeTicks) / 1_000_000);
}

/** Price at which the account's value would equal its maintenance margin, moving this market only; 0 = none. */
export function liquidationTicks(world: World, account: Account, position: Position): number {
  if (position.lots === 0) return 0;
  const market = world.markets.get(position.marketId);
  if (market === undefined) return 0;
  const summary = summarize(world, account);
  const cushion = summary.valueMicro - summary.maintenanceMicro;
  const fraction = market.spec.maintenanceMarginFraction / 10_000;
  const perTick = position.lots - Math.abs(position.lots) * fraction;
  const ticks = market.markTicks - cushion / perTick;
  return ticks > 0 ? ticks : 0;
}

function marginOf(valueMicro: number, fraction: number): number {
  return Math.ceil((valueMicro * fraction) / 10_000);
}
