/** Accounts, positions and balances as the exchange writes them (LP §1.4 account, §5.6). */
import { formatMicro, formatScaled } from '../core/decimal';
import { liquidationTicks, summarize, unrealizedPnl } from '../core/margin';
import type { MarginSummary } from '../core/margin';
import { tiers } from '../core/tiers';
import type { Account, Position } from '../core/types';
import type { World } from '../core/world';
import { encode, RawJson } from './json';

export function positionJson(world: World, account: Account, position: Position): string {
  const market = world.markets.get(position.marketId);
  if (market === undefined) return '{}';
  const { spec } = market;
  const size = Math.abs(position.lots);
  const entryTicks = size === 0 ? 0 : position.entryQuoteMicro / size;
  const liquidation = liquidationTicks(world, account, position);
  const scale = 10 ** spec.priceDecimals;
  return (
    `{"market_id":${spec.marketId},"symbol":"${spec.symbol}",` +
    `"initial_margin_fraction":"${(position.marginFraction / 100).toFixed(2)}","open_order_count":${position.openOrderCount},` +
    `"pending_order_count":${position.pendingOrderCount},"position_tied_order_count":0,"sign":${position.lots < 0 ? -1 : 1},` +
    `"position":"${formatScaled(size, spec.sizeDecimals)}",` +
    `"avg_entry_price":"${formatScaled(Math.round(entryTicks), spec.priceDecimals)}",` +
    // A flat position is worth minus nothing on every recorded row (LP §1.4).
    `"position_value":"${size === 0 ? '-0.000000' : formatMicro(size * market.markTicks)}",` +
    `"unrealized_pnl":"${formatMicro(unrealizedPnl(position, market.markTicks))}",` +
    `"realized_pnl":"${formatMicro(position.realizedPnlMicro)}",` +
    `"liquidation_price":"${liquidation === 0 ? '0' : String(liquidation / scale)}",` +
    // Only where funding was paid (LP §1.4).
    (position.fundingPaidMicro === 0 ? '' : `"total_funding_paid_out":"${formatMicro(position.fundingPaidMicro)}",`) +
    `"margin_mode":${position.marginMode === 'cross' ? 0 : 1},"margin_set_flag":1,` +
    `"allocated_margin":"${formatMicro(position.allocatedMarginMicro)}"}`
  );
}

/** Every market the account ever touched, flat ones included (LP §1.4). */
export function positionsJson(world: World, account: Account): string {
  const parts: string[] = [];
  for (const position of account.positions.values()) {
    parts.push(`"${position.marketId}":${positionJson(world, account, position)}`);
  }
  return `{${parts.join(',')}}`;
}

export function assetsJson(account: Account): string {
  return `{"3":${assetJson(account)}}`;
}

function assetJson(account: Account): string {
  return (
    `{"symbol":"USDC","asset_id":3,"balance":"0.000000","locked_balance":"0.000000","margin_mode":"disabled",` +
    `"margin_balance":"${formatMicro(account.collateralMicro)}","multiplier":"1.000000000000000000"}`
  );
}

export function detailedAccountJson(world: World, account: Account): string {
  const summary = summarize(world, account);
  return encode({
    ...accountFields(account, summary),
    account_index: account.accountIndex,
    name: '',
    description: '',
    can_invite: false,
    referral_points_percentage: '',
    can_rfq: false,
    can_rfq_market_ids: [],
    agent_enabled: false,
    created_at: Math.floor(account.createdAtMs / 1000),
    metadata: { color: '' },
    positions: new RawJson(`[${positionList(world, account)}]`),
    bo_positions: [],
    assets: new RawJson(`[${assetJson(account)}]`),
    total_asset_value: formatMicro(summary.valueMicro),
    cross_asset_value: formatMicro(summary.valueMicro),
    cross_initial_margin_requirement: formatMicro(summary.initialMicro),
    cross_maintenance_margin_requirement: formatMicro(summary.maintenanceMicro),
    shares: [],
    pending_unlocks: [],
    approved_integrators: [],
  });
}

/** A row of accountsByL1Address: only the collateral is filled in (LP §1.4). */
export function subAccountJson(account: Account): string {
  return encode({
    ...identity(account),
    ...unfilled,
    collateral: formatMicro(account.collateralMicro),
    ...lastFields(0),
  });
}

export function accountLimitsJson(account: Account): string {
  const terms = tiers[account.tier];
  return encode({
    code: 200,
    max_llp_percentage: 100,
    max_llp_amount: '0.000000',
    user_tier: account.tier,
    can_create_public_pool: false,
    user_tier_name: account.tier,
    current_maker_fee_tick: terms.makerFeeTicks,
    current_taker_fee_tick: terms.takerFeeTicks,
    leased_lit: '0.00000000',
    effective_lit_stakes: '0.00000000',
    user_tier_last_update: account.tierChangedAtMs,
    bo_user_tier_name: 'standard',
    bo_fee_rate: 0,
  });
}

/** The `stats` object of user_stats (LP §5.6). */
export function statsJson(world: World, account: Account): string {
  const summary = summarize(world, account);
  const value = summary.valueMicro;
  const six = {
    available_balance: formatMicro(summary.availableMicro),
    buying_power: '0',
    collateral: formatMicro(account.collateralMicro),
    leverage: value > 0 ? (summary.notionalMicro / value).toFixed(2) : '0.00',
    margin_usage: value > 0 ? ((100 * summary.boundMicro) / value).toFixed(2) : '0.00',
    portfolio_value: formatMicro(value),
  };
  return encode({ account_trading_mode: 0, ...six, cross_stats: six, total_stats: six });
}

function positionList(world: World, account: Account): string {
  const parts: string[] = [];
  for (const position of account.positions.values()) parts.push(positionJson(world, account, position));
  return parts.join(',');
}

function accountFields(account: Account, summary: MarginSummary): Record<string, string | number> {
  let pending = 0;
  for (const position of account.positions.values()) pending += position.pendingOrderCount;
  return {
    ...identity(account),
    cancel_all_time: account.cancelAllAtMs,
    total_order_count: account.liveOrders.size,
    total_isolated_order_count: 0,
    pending_order_count: pending,
    available_balance: formatMicro(summary.availableMicro),
    status: 1,
    collateral: formatMicro(account.collateralMicro),
    ...lastFields(account.updatedAtUs),
  };
}

function identity({ accountType, accountIndex, l1Address }: Account): Record<string, string | number> {
  return { code: 0, account_type: accountType, index: accountIndex, l1_address: l1Address };
}

function lastFields(transactionTimeUs: number): Record<string, number> {
  return { transaction_time: transactionTimeUs, account_trading_mode: 0 };
}

const unfilled = {
  cancel_all_time: 0,
  total_order_count: 0,
  total_isolated_order_count: 0,
  pending_order_count: 0,
  available_balance: '',
  status: 0,
} as const;
