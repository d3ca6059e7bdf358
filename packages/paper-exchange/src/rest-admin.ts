/** Facts about the exchange that never change here, and the two things an account may do outside of transactions (LP §1.4). */
import type { FastifyInstance } from 'fastify';
import { refuse } from './core/codes';
import { formatScaled } from './core/decimal';
import { summarize } from './core/margin';
import { bringMoney } from './core/money';
import type { Tier } from './core/types';
import { addEndpoint, authorize, badRequest, integerParam, invalidParam } from './rest';
import type { RestAnswer, RestCall, RestContext } from './rest';
import { encode } from './wire/json';

const dayMs = 86_400_000;
const faucetMicro = 500_000_000;
/** Richer accounts get nothing (LP §1.4 faucet). */
const faucetBelowMicro = 100_000_000;
const tierNames: readonly Tier[] = ['standard', 'plus', 'premium'];

/** Fees in 1e-6, and the LIT to be staked for them (LP §6.5). */
const userTiers = (
  [
    ['standard', 0, 0, 0],
    ['plus', 50, 50, 0],
    ['premium', 40, 280, 0],
    ['premium_1', 39, 273, 1_000],
    ['premium_2', 38, 266, 3_000],
    ['premium_3', 36, 252, 10_000],
    ['premium_4', 34, 238, 30_000],
    ['premium_5', 32, 224, 100_000],
    ['premium_6', 30, 210, 300_000],
    ['premium_7', 28, 196, 500_000],
  ] as const
).map(([name, makerFeeTicks, takerFeeTicks, stakes], level) => ({
  name,
  level,
  maker_fee_ticks: makerFeeTicks,
  taker_fee_ticks: takerFeeTicks,
  required_lit_stakes: `${stakes}.00000000`,
  required_volume: '0.000000',
}));

export function addAdministrationEndpoints(app: FastifyInstance, context: RestContext): void {
  const get = (path: string, endpoint: (call: RestCall) => RestAnswer): void =>
    addEndpoint(app, context, 'GET', `/api/v1/${path}`, endpoint);
  get('exchangeStats', () => exchangeStats(context));
  get('assetDetails', () =>
    encode({ code: 200, asset_details: [asset(3, 'USDC', 6, 'enabled'), asset(1, 'ETH', 8, 'disabled')] }),
  );
  get('systemConfig', () =>
    encode({
      code: 200,
      liquidity_pool_index: 281_474_976_710_654,
      staking_pool_index: 281_474_976_710_653,
      funding_fee_rebate_account_index: 0,
      fee_collector_account_index: 4,
      market_maker_incentive_account_index: 0,
      liquidity_pool_cooldown_period: 300_000,
      staking_pool_lockup_period: 259_200_000,
      max_integrator_spot_taker_fee: 10_000,
      max_integrator_spot_maker_fee: 10_000,
      max_integrator_perps_taker_fee: 1_000,
      max_integrator_perps_maker_fee: 1_000,
    }),
  );
  get('layer1BasicInfo', () =>
    encode({
      code: 200,
      l1_providers: [],
      l1_providers_health: true,
      validator_info: [],
      contract_addresses: [],
      latest_l1_generic_block: 0,
      latest_l1_governance_block: 0,
      latest_l1_desert_block: 0,
    }),
  );
  get('announcement', () =>
    encode({
      code: 200,
      announcements: context.exchange.world.announcements.map(({ title, content, createdAtS, expiredAtS }) => ({
        ...{ title, content, created_at: createdAtS },
        ...(expiredAtS === undefined ? {} : { expired_at: expiredAtS }),
      })),
    }),
  );
  // No `code` in the next two, as recorded (LP §1.2).
  get('withdrawalDelay', () => encode({ seconds: 1_060 }));
  get('feeTiers', () => encode({ user_tiers: userTiers, bo_tiers: [], staking_tiers: [] }));
  get('transferFeeInfo', (call) => {
    const allowed = authorize(context, call, integerParam(call, 'account_index'));
    return 'denied' in allowed ? allowed.denied : encode({ code: 200, transfer_fee_usdc: 1_000_000 });
  });
  get('faucet', (call) => faucet(context, call));
  addEndpoint(app, context, 'POST', '/api/v1/changeAccountTier', (call) => changeTier(context, call));
}

function asset(assetId: number, symbol: string, decimals: number, marginMode: string): Record<string, string | number> {
  const zero = '0.000000';
  return {
    asset_id: assetId,
    symbol,
    l1_decimals: assetId === 3 ? 6 : 18,
    decimals,
    min_transfer_amount: '1.000000',
    min_withdrawal_amount: '1.000000',
    margin_mode: marginMode,
    index_price: '1.000000',
    price_decimals: 6,
    l1_address: `0x${'0'.repeat(40)}`,
    loan_to_value: zero,
    liquidation_threshold: zero,
    liquidation_factor: zero,
    liquidation_fee: zero,
    global_supply_cap: zero,
    user_supply_cap: zero,
    total_supplied: zero,
    multiplier: '1.000000000000000000',
  };
}

function exchangeStats(context: RestContext): RestAnswer {
  const markets = [...context.exchange.world.markets.values()];
  const rows = markets.map(({ spec, daily, lastTradeTicks }) => ({
    symbol: spec.symbol,
    last_trade_price: Number(formatScaled(lastTradeTicks, spec.priceDecimals)),
    daily_trades_count: daily.trades,
    daily_base_token_volume: Number(formatScaled(daily.baseLots, spec.sizeDecimals)),
    daily_quote_token_volume: daily.quoteMicro / 1e6,
    daily_price_change: Number(((100 * (lastTradeTicks - spec.startTicks)) / spec.startTicks).toFixed(4)),
  }));
  return encode({
    code: 200,
    total: rows.length,
    order_book_stats: rows,
    daily_usd_volume: rows.reduce((sum, row) => sum + row.daily_quote_token_volume, 0),
    daily_trades_count: rows.reduce((sum, row) => sum + row.daily_trades_count, 0),
  });
}

function faucet(context: RestContext, call: RestCall): RestAnswer {
  const address = call.query.get('l1_address');
  if (address === undefined) return invalidParam();
  const account = context.exchange.world.byL1Address.get(address.toLowerCase())?.[0];
  if (account === undefined || account.synthetic) return badRequest(refuse(21100));
  if (summarize(context.exchange.world, account).valueMicro >= faucetBelowMicro) return badRequest(refuse(23201));
  const { world } = context.exchange;
  world.setTime(context.clock.nowUs());
  bringMoney(world, account, faucetMicro);
  return encode({ code: 200 });
}

/** Needs no positions, no orders, and a day since the last change (62001–62006). */
function changeTier(context: RestContext, call: RestCall): RestAnswer {
  const { account_index: index, new_tier: wanted } = call.body;
  const allowed = authorize(context, call, Number(index));
  if ('denied' in allowed) return allowed.denied;
  const { account } = allowed;
  const tier = tierNames.find((name) => name === wanted);
  const nowMs = context.clock.nowMs();
  if (tier === undefined) return badRequest(refuse(62002));
  if (tier === account.tier) return badRequest(refuse(62003));
  if ([...account.positions.values()].some((position) => position.lots !== 0)) return badRequest(refuse(62004));
  if (account.liveOrders.size > 0) return badRequest(refuse(62005));
  if (account.tierChangedAtMs !== 0 && nowMs - account.tierChangedAtMs < dayMs) return badRequest(refuse(62006));
  account.tier = tier;
  account.tierChangedAtMs = nowMs;
  return encode({ code: 200 });
}
