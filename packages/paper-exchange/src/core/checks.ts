/**
 * What the API checks before it books a nonce (LP §10.3): static rules of the fields, then the pre-checks of resting orders.
 * A refusal here is HTTP 400 and costs no nonce. Taker orders pass to the sequencer unchecked (LP §3.9).
 */
import { refuse } from './codes';
import type { Refusal } from './codes';
import { mayRest } from './margin';
import { isHalted, isUpgrading, refusalByRules } from './market-rules';
import { findLive } from './orders';
import { tiers } from './tiers';
import { attributeKeys } from './tx';
import { bestTicks } from './world';
import type { Market, World } from './world';
import type { Account, ApiKey, OrderRequest, Tx } from './types';

const amountMax = 2 ** 48 - 1;
const priceMax = 2 ** 32 - 1;
const usdcAsset = 3;
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** The server refuses bytes that would stay alive longer (LP §3.5). */
const expiredAtAheadMaxMs = 10 * minuteMs;

/** OrderType numbers (LP §2.3). */
const type = {
  limit: 0,
  market: 1,
  stopLoss: 2,
  stopLossLimit: 3,
  takeProfit: 4,
  takeProfitLimit: 5,
  twap: 6,
} as const;
const tif = { ioc: 0, gtt: 1, postOnly: 2 } as const;

export interface CheckOptions {
  /** The `price_protection` field of sendTx (LP §1.4). */
  readonly priceProtection: 'on' | 'off';
  /** Where a duplicate client order index is noticed: recorded in the sequencer, documented at the API (LP §11.1). */
  readonly duplicateCheck: 'api' | 'sequencer';
  /** Cancels and modifies of orders that are gone: both behaviours are reported (LP §11.10). */
  readonly missingOrders: 'accept' | 'refuse';
  /** LP §2.8: whether a queued dead-man's switch may be overwritten. */
  switchRenewal?: 'overwrite' | 'refuse';
}

export function checkExpiredAt(tx: Tx, nowMs: number): Refusal | undefined {
  const { expiredAtMs } = tx.head;
  if (expiredAtMs <= nowMs) return refuse(21501, 'invalid tx info: transaction is expired');
  if (expiredAtMs > nowMs + expiredAtAheadMaxMs) return refuse(21501, 'invalid tx info: ExpiredAt is too far ahead');
  return undefined;
}

/** A maker-only key takes post-only orders, modifies of them, and cancels; all else is refused and keeps the nonce (LP §3.6 (9)). */
export function checkMakerOnly(world: World, account: Account, key: ApiKey, tx: Tx): Refusal | undefined {
  return !key.makerOnly || isQuoting(world, account, tx) ? undefined : refuse(62007);
}

function isQuoting(world: World, account: Account, { body }: Tx): boolean {
  switch (body.kind) {
    case 'create':
      return body.order.type === type.limit && body.order.timeInForce === tif.postOnly;
    case 'modify': {
      const market = world.markets.get(body.marketId);
      const order = market === undefined ? undefined : findLive(account, market, body.index);
      return order === undefined || order.timeInForce === 'post-only';
    }
    case 'cancel':
    case 'cancel-all':
      return true;
    case 'grouped':
    case 'update-leverage':
    case 'update-margin':
    case 'change-pub-key':
    case 'create-sub-account':
    case 'transfer':
    case 'approve-integrator':
      return false;
  }
}

export function checkBody(world: World, account: Account, tx: Tx, options: CheckOptions): Refusal | undefined {
  const { body } = tx;
  switch (body.kind) {
    case 'create':
      return checkCreate(world, account, tx, body.order, options);
    case 'cancel':
      return checkMarket(world, body.marketId, 'any') ?? checkTarget(world, account, body, options);
    case 'cancel-all':
      if (body.timeInForce === 1 && account.cancelAllAtMs !== 0 && options.switchRenewal === 'refuse')
        return refuse(21712);
      return (
        checkCancelAllMarket(world, tx, body.timeInForce) ?? checkCancelAll(body.timeInForce, body.atMs, world.nowMs)
      );
    case 'modify':
      return (
        checkMarket(world, body.marketId, 'any') ??
        checkTarget(world, account, body, options) ??
        (isUpgrading(world) ? refuse(21605) : undefined) ??
        checkAmounts(body.baseLots, body.priceTicks) ??
        checkSwitch(world, account)
      );
    case 'grouped':
      return checkGroup(world, account, tx, body.groupingType, body.orders);
    case 'update-leverage':
      return checkLeverage(world, body.marketId, body.marginFraction, body.marginMode);
    case 'update-margin':
      return checkMarket(world, body.marketId, 'any') ?? (body.direction > 1 ? refuse(21615) : undefined);
    case 'approve-integrator':
      return body.integratorIndex < 1 || body.integratorIndex > amountMax - 1 ? refuse(21501) : undefined;
    case 'transfer':
      return checkTransfer(world, account, body);
    case 'change-pub-key':
      return account.collateralMicro > 0 ? undefined : refuse(21126);
    case 'create-sub-account':
      return undefined;
  }
}

function checkCreate(
  world: World,
  account: Account,
  tx: Tx,
  order: OrderRequest,
  options: CheckOptions,
): Refusal | undefined {
  const refusal =
    checkMarket(world, order.marketId, 'active') ??
    checkOrderFields(order, world.nowMs) ??
    checkIntegrator(world, account, tx) ??
    checkSwitch(world, account);
  if (refusal !== undefined) return refusal;
  const market = world.markets.get(order.marketId)!;
  if (options.duplicateCheck === 'api' && account.byClientIndex.has(order.clientIndex)) return refuse(21728);
  if (options.priceProtection === 'on' && order.type === type.limit) {
    const insane = checkPriceSanity(market, order);
    if (insane !== undefined) return insane;
  }
  if (isConditional(order)) return checkPendingCounts(account, order);
  return order.timeInForce === tif.ioc ? undefined : checkResting(world, account, market, order);
}

/** LP §2.3, field by field. */
export function checkOrderFields(order: OrderRequest, nowMs: number): Refusal | undefined {
  if (order.isAsk !== 0 && order.isAsk !== 1) return refuse(21703);
  if (order.reduceOnly !== 0 && order.reduceOnly !== 1) return refuse(21740);
  if (order.clientIndex < 0 || order.clientIndex > amountMax) return refuse(21727);
  if (order.type < 0 || order.type > type.twap) return refuse(21704);
  if (order.type === type.twap) return refuse(21710);
  if (order.timeInForce < tif.ioc || order.timeInForce > tif.postOnly) return refuse(21705);
  const positionTied = order.baseLots === 0 && order.reduceOnly === 1 && isConditional(order);
  const amounts = checkAmounts(positionTied ? 1 : order.baseLots, order.priceTicks);
  if (amounts !== undefined) return amounts;
  const iocOnly = order.type === type.market || order.type === type.stopLoss || order.type === type.takeProfit;
  if (iocOnly && order.timeInForce !== tif.ioc) return refuse(21705);
  if (isConditional(order) ? order.triggerTicks <= 0 || order.triggerTicks > priceMax : order.triggerTicks !== 0) {
    return refuse(21729);
  }
  const immediate = !isConditional(order) && order.timeInForce === tif.ioc;
  if (immediate) return order.expiryMs === 0 ? undefined : refuse(21711);
  const aheadMs = order.expiryMs - nowMs;
  return aheadMs < 5 * minuteMs || aheadMs > 30 * dayMs ? refuse(21711) : undefined;
}

export function isConditional(order: Pick<OrderRequest, 'type'>): boolean {
  return order.type >= type.stopLoss && order.type <= type.takeProfitLimit;
}

function checkAmounts(baseLots: number, priceTicks: number): Refusal | undefined {
  if (baseLots < 1 || baseLots > amountMax) return refuse(21701);
  if (priceTicks < 1 || priceTicks > priceMax) return refuse(21702);
  // order_quote_limit, 281474976.710655 USDC (LP §2.1).
  return baseLots * priceTicks > amountMax ? refuse(21706) : undefined;
}

function checkMarket(world: World, marketId: number, need: 'active' | 'any'): Refusal | undefined {
  const market = world.markets.get(marketId);
  if (market === undefined) return refuse(21602);
  return need === 'active' && isHalted(world, market) ? refuse(21605) : undefined;
}

function checkTarget(
  world: World,
  account: Account,
  target: { readonly marketId: number; readonly index: bigint },
  options: CheckOptions,
): Refusal | undefined {
  if (target.index < 1n || target.index >= 1n << 60n) return refuse(21700);
  const market = world.markets.get(target.marketId);
  if (options.missingOrders === 'accept' || market === undefined) return undefined;
  return findLive(account, market, target.index) === undefined ? refuse(21715) : undefined;
}

/** Attribute 5 goes with an immediate cancel-all of a perpetual only (LP §3.3). */
function checkCancelAllMarket(world: World, tx: Tx, timeInForce: number): Refusal | undefined {
  const marketId = tx.head.attributes.get(attributeKeys.cancelAllMarket);
  if (marketId === undefined) return undefined;
  return timeInForce === 0 ? checkMarket(world, marketId, 'any') : refuse(21501);
}

function checkCancelAll(timeInForce: number, atMs: number, nowMs: number): Refusal | undefined {
  if (timeInForce < 0 || timeInForce > 2) return refuse(21713);
  if (timeInForce !== 1) return atMs === 0 ? undefined : refuse(21714);
  const aheadMs = atMs - nowMs;
  return aheadMs < 5 * minuteMs || aheadMs > 15 * dayMs ? refuse(21714) : undefined;
}

/** While a due dead-man's switch has not been carried out: no new orders (LP §2.8). */
export function checkSwitch(world: World, account: Account): Refusal | undefined {
  return account.cancelAllAtMs !== 0 && account.cancelAllAtMs <= world.nowMs ? refuse(21122) : undefined;
}

function checkIntegrator(world: World, account: Account, tx: Tx): Refusal | undefined {
  const { attributes } = tx.head;
  const integrator = attributes.get(attributeKeys.integrator) ?? 0;
  const behaviour = attributes.get(attributeKeys.selfTradeBehaviour) ?? 0;
  const equality = attributes.get(attributeKeys.selfTradeEquality) ?? 0;
  // Reduce compares accounts only (LP §2.4).
  if (behaviour === 3 && equality === 1) return refuse(21501);
  if (integrator === 0) return undefined;
  if (behaviour !== 0 || equality !== 0) return refuse(21501);
  const approvedUntil = account.integrators.get(integrator);
  return approvedUntil !== undefined && approvedUntil <= world.nowMs ? refuse(21149) : undefined;
}

/** LP §2.4 "price sanity": known from one page of the documentation only. */
function checkPriceSanity(market: Market, order: OrderRequest): Refusal | undefined {
  const price = order.priceTicks;
  const mark = market.markTicks;
  if (order.isAsk === 0) {
    if (price > 1.05 * mark) return refuse(21734);
    const ask = bestTicks(market.asks);
    return ask !== undefined && price > 1.05 * ask ? refuse(21733) : undefined;
  }
  if (price < 0.95 * mark) return refuse(21734);
  const bid = bestTicks(market.bids);
  return bid !== undefined && price < 0.95 * bid ? refuse(21733) : undefined;
}

/** Minimum amounts, order counts and margin apply to resting orders only (LP §2.1, §3.9, §6.3). */
function checkResting(world: World, account: Account, market: Market, order: OrderRequest): Refusal | undefined {
  const { minBaseLots, minQuoteMicro } = market.spec;
  if (order.baseLots < minBaseLots || order.baseLots * order.priceTicks < minQuoteMicro) return refuse(21706);
  const terms = tiers[account.tier];
  if (account.liveOrders.size >= terms.activeOrders) return refuse(21717);
  const position = account.positions.get(order.marketId);
  if ((position?.openOrderCount ?? 0) >= terms.activeOrdersPerMarket) return refuse(21718);
  const ruled = refusalByRules(account, market, order);
  if (ruled !== undefined || order.reduceOnly === 1) return ruled;
  const side = order.isAsk === 1 ? 'ask' : 'bid';
  return mayRest(world, account, market, side, order.baseLots * order.priceTicks) ? undefined : refuse(21739);
}

function checkPendingCounts(account: Account, order: OrderRequest): Refusal | undefined {
  const terms = tiers[account.tier];
  let pending = 0;
  for (const position of account.positions.values()) pending += position.pendingOrderCount;
  if (pending >= terms.pendingOrders) return refuse(21719);
  const here = account.positions.get(order.marketId)?.pendingOrderCount ?? 0;
  return here >= terms.pendingOrdersPerMarket ? refuse(21720) : undefined;
}

/** LP §2.6. */
function checkGroup(
  world: World,
  account: Account,
  tx: Tx,
  groupingType: number,
  orders: readonly OrderRequest[],
): Refusal | undefined {
  if (groupingType < 1 || groupingType > 3) return refuse(21741);
  if (orders.length !== (groupingType === 3 ? 3 : 2)) return refuse(21742);
  const [first] = orders;
  const legs = groupingType === 2 ? orders : orders.slice(1);
  if (first === undefined || orders.some((order) => order.marketId !== first.marketId)) return refuse(21743);
  const ids = orders.map((order) => order.clientIndex).filter((id) => id !== 0);
  if (new Set(ids).size !== ids.length) return refuse(21727);
  if (groupingType !== 2 && isConditional(first)) return refuse(21743);
  const refusal =
    checkMarket(world, first.marketId, 'active') ?? checkIntegrator(world, account, tx) ?? checkSwitch(world, account);
  if (refusal !== undefined) return refusal;
  for (const leg of legs) {
    if (!isConditional(leg) || leg.reduceOnly !== 1) return refuse(21743);
    if (groupingType !== 2 && (leg.baseLots !== 0 || leg.isAsk === first.isAsk)) return refuse(21743);
  }
  const [left, right] = legs;
  if (left !== undefined && right !== undefined) {
    const same = left.baseLots === right.baseLots && left.isAsk === right.isAsk && left.expiryMs === right.expiryMs;
    if (!same || isStop(left) === isStop(right)) return refuse(21743);
  }
  for (const order of orders) {
    const wrong = checkOrderFields(order, world.nowMs);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function isStop(order: OrderRequest): boolean {
  return order.type === type.stopLoss || order.type === type.stopLossLimit;
}

function checkLeverage(world: World, marketId: number, fraction: number, mode: number): Refusal | undefined {
  const market = world.markets.get(marketId);
  if (market === undefined) return refuse(21602);
  if (fraction < market.spec.minMarginFraction || fraction > 10_000) return refuse(21113);
  // Isolated margin is not simulated.
  return mode === 0 ? undefined : refuse(21613);
}

/** Routes of a transfer (LP §3.2): perps, spot. */
const perps = 0;
/** LP §1.4, assetDetails. */
const transferMinMicro = 1_000_000;

/** Between accounts of one owner no L1 signature is needed (LP §3.1); with another owner's it would be, and is not checked here. */
function checkTransfer(
  world: World,
  from: Account,
  transfer: Extract<Tx['body'], { readonly kind: 'transfer' }>,
): Refusal | undefined {
  const to = world.accounts.get(transfer.toAccountIndex);
  if (to === undefined || to.synthetic || to === from) return refuse(21102);
  if (transfer.assetIndex !== usdcAsset) return refuse(21304);
  if (transfer.routes.some((route) => route !== perps)) return refuse(21304); // spot holds nothing here
  if (transfer.amountMicro < transferMinMicro || transfer.feeMicro < 0) return refuse(21501);
  return to.l1Address.toLowerCase() === from.l1Address.toLowerCase() ? undefined : refuse(21504);
}
