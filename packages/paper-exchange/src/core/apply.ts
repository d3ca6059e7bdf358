/**
 * What each transaction type does when the sequencer executes it. Returns the `event_info` text, or the refusal that goes into its
 * `ae` (LP §0.1 (6), §3.7).
 */
import { assertNever, refuse } from './codes';
import type { Refusal } from './codes';
import { checkSwitch, isConditional } from './checks';
import { cancelInfo, executionInfo, modifyInfo, orderInfo, plainInfo } from './event-info';
import { mayRest, summarize } from './margin';
import { transferMoney } from './money';
import { isHalted, refusalByRules } from './market-rules';
import { defaultSelfTrade, match } from './matching';
import type { SelfTradePolicy } from './matching';
import { bearOrder, findLive, finish, leaveBook, takeBookNonce, wait } from './orders';
import { tiers } from './tiers';
import { attributeKeys } from './tx';
import type { Market, World } from './world';
import type { Account, Order, OrderRequest, Tx } from './types';

export function applyBody(world: World, account: Account, tx: Tx): Refusal | string {
  const { body } = tx;
  switch (body.kind) {
    case 'create':
      return create(world, account, tx, body.order);
    case 'cancel': {
      const market = world.markets.get(body.marketId);
      const order = market === undefined ? undefined : findLive(account, market, body.index);
      // A cancel of an order that is gone executes and does nothing (LP §2.8).
      if (market === undefined || order === undefined) return plainInfo;
      finish(world, market, order, 'canceled');
      return cancelInfo(order);
    }
    case 'cancel-all':
      return cancelAll(world, account, tx, body.timeInForce, body.atMs);
    case 'modify':
      return modify(world, account, tx, body);
    case 'grouped':
      return group(world, account, tx, body.orders);
    case 'update-leverage':
      return updateLeverage(world, account, body.marketId, body.marginFraction);
    case 'update-margin':
      return refuse(21613);
    case 'change-pub-key': {
      const key = account.keys.get(tx.head.apiKeyIndex);
      if (key !== undefined) key.publicKey = body.publicKey;
      return plainInfo;
    }
    case 'create-sub-account':
      return createSubAccount(world, account);
    case 'transfer':
      return transfer(world, account, body);
    case 'approve-integrator':
      account.integrators.set(body.integratorIndex, body.expiryMs);
      return plainInfo;
    default:
      return assertNever(body);
  }
}

function create(world: World, account: Account, tx: Tx, request: OrderRequest): Refusal | string {
  const market = world.markets.get(request.marketId);
  if (market === undefined) return refuse(21602);
  const refusal = mayEnter(world, account, market, request);
  if (refusal !== undefined) return refusal;
  const order = bearOrder(world, account, market, request, integratorOf(tx));
  if (isConditional(request)) {
    wait(world, market, order);
    market.waiting.add(order);
    return executionInfo(order, undefined);
  }
  return run(world, market, order, selfTradeOf(tx));
}

/** What only the sequencer sees: the state of the account at the moment of execution. */
function mayEnter(world: World, account: Account, market: Market, request: OrderRequest): Refusal | undefined {
  if (isHalted(world, market)) return refuse(21605);
  const ruled = refusalByRules(account, market, request);
  if (ruled !== undefined) return ruled;
  if (account.byClientIndex.has(request.clientIndex)) return refuse(21728);
  const due = checkSwitch(world, account);
  if (due !== undefined) return due;
  if (request.timeInForce === 0 || request.reduceOnly === 1 || isConditional(request)) return undefined;
  const side = request.isAsk === 1 ? 'ask' : 'bid';
  return mayRest(world, account, market, side, request.baseLots * request.priceTicks) ? undefined : refuse(21739);
}

function run(world: World, market: Market, order: Order, selfTrade: SelfTradePolicy): string {
  return executionInfo(order, match(world, market, order, selfTrade));
}

function cancelAll(world: World, account: Account, tx: Tx, timeInForce: number, atMs: number): string {
  switch (timeInForce) {
    case 0: {
      const only = tx.head.attributes.get(attributeKeys.cancelAllMarket) ?? 255;
      for (const order of [...account.liveOrders.values()]) {
        const market = world.markets.get(order.marketId);
        if (market === undefined || (only !== 255 && only !== order.marketId)) continue;
        if (account.liveOrders.has(order.indexText)) finish(world, market, order, 'canceled');
      }
      break;
    }
    case 1:
      account.cancelAllAtMs = atMs;
      world.switches.add(account);
      break;
    default:
      account.cancelAllAtMs = 0;
      world.switches.delete(account);
  }
  return plainInfo;
}

interface Modification {
  readonly marketId: number;
  readonly index: bigint;
  readonly baseLots: number;
  readonly priceTicks: number;
  readonly triggerTicks: number;
}

/** LP §2.7: the base amount is the new total; the order keeps its index and loses its place in the queue. */
function modify(world: World, account: Account, tx: Tx, change: Modification): Refusal | string {
  const market = world.markets.get(change.marketId);
  const order = market === undefined ? undefined : findLive(account, market, change.index);
  if (market === undefined || order === undefined) return plainInfo;
  if (order.expiryMs <= world.nowMs) return refuse(21711);
  const due = checkSwitch(world, account);
  if (due !== undefined) return due;
  // Strictly greater, or none (LP §2.7); the code of the refusal is not recorded.
  const version = tx.head.attributes.get(attributeKeys.orderVersion) ?? order.version;
  if (tx.head.attributes.has(attributeKeys.orderVersion) && version <= order.version) return refuse(21743);
  const before = orderInfo(order);
  if (order.status === 'pending') {
    order.version = version;
    order.initialLots = change.baseLots;
    order.remainingLots = change.baseLots;
    order.priceTicks = change.priceTicks;
    world.touch(order);
    return modifyInfo(before, order);
  }
  if (change.triggerTicks !== 0) return refuse(21729);
  order.version = version;
  leaveBook(world, market, order);
  order.initialLots = change.baseLots;
  order.priceTicks = change.priceTicks;
  order.remainingLots = Math.max(0, change.baseLots - order.filledLots);
  order.bookNonce = takeBookNonce(market, order.side);
  if (order.remainingLots === 0) {
    finish(world, market, order, 'filled');
  } else if (
    !order.reduceOnly &&
    !mayRest(world, account, market, order.side, order.remainingLots * order.priceTicks)
  ) {
    finish(world, market, order, 'canceled-margin-not-allowed');
  } else {
    match(world, market, order, selfTradeOf(tx));
  }
  return modifyInfo(before, order);
}

/** LP §2.6: 1 one-triggers-other, 2 one-cancels-other, 3 both. */
function group(world: World, account: Account, tx: Tx, requests: readonly OrderRequest[]): Refusal | string {
  const [first] = requests;
  const market = first === undefined ? undefined : world.markets.get(first.marketId);
  if (first === undefined || market === undefined) return refuse(21743);
  for (const request of requests) {
    const refusal = mayEnter(world, account, market, request);
    if (refusal !== undefined) return refusal;
  }
  const orders = requests.map((request) => bearOrder(world, account, market, request, integratorOf(tx)));
  const parent = isConditional(first) ? undefined : orders[0];
  const legs = parent === undefined ? orders : orders.slice(1);
  const [left, right] = legs;
  if (left !== undefined && right !== undefined) {
    left.links.sibling = right;
    right.links.sibling = left;
  }
  for (const leg of legs) {
    wait(world, market, leg);
    if (parent === undefined) market.waiting.add(leg);
    else {
      leg.links.parent = parent;
      parent.links.children.push(leg);
    }
  }
  return parent === undefined ? plainInfo : run(world, market, parent, defaultSelfTrade);
}

function updateLeverage(world: World, account: Account, marketId: number, fraction: number): Refusal | string {
  const market = world.markets.get(marketId);
  if (market === undefined) return refuse(21602);
  const position = world.position(account, market);
  const before = position.marginFraction;
  position.marginFraction = fraction;
  const summary = summarize(world, account);
  if (fraction > before && summary.boundMicro > summary.valueMicro) {
    position.marginFraction = before;
    return refuse(21133);
  }
  world.changes.of(account).markets.add(marketId);
  return plainInfo;
}

/** What neither positions nor orders bind may leave (LP §2.4). */
function transfer(
  world: World,
  from: Account,
  body: { readonly toAccountIndex: number; readonly amountMicro: number; readonly feeMicro: number },
): Refusal | string {
  const to = world.accounts.get(body.toAccountIndex);
  if (to === undefined) return refuse(21102);
  const leavingMicro = body.amountMicro + body.feeMicro;
  const free = Math.min(from.collateralMicro, summarize(world, from).availableMicro);
  if (leavingMicro > free) return refuse(21301);
  transferMoney(world, from, to, body.amountMicro, body.feeMicro);
  return plainInfo;
}

/** Empty, without a key, of the same owner and tier; as many as the tier allows (LP §6.5). */
function createSubAccount(world: World, master: Account): Refusal | string {
  const { l1Address, tier } = master;
  const owned = world.byL1Address.get(l1Address.toLowerCase()) ?? [];
  if (master.accountType !== 0 || owned.length > tiers[tier].subAccounts) return refuse(21511);
  const accountIndex = Math.max(...world.accounts.keys()) + 1;
  world.addAccount({ accountIndex, l1Address, tier, collateralMicro: 0, keys: new Map(), synthetic: false });
  return plainInfo;
}

function integratorOf(tx: Tx): Order['integrator'] {
  const { attributes } = tx.head;
  const account = attributes.get(attributeKeys.integrator) ?? 0;
  if (account === 0) return undefined;
  return {
    account,
    takerFee: attributes.get(attributeKeys.integratorTakerFee) ?? 0,
    makerFee: attributes.get(attributeKeys.integratorMakerFee) ?? 0,
  };
}

function selfTradeOf(tx: Tx): SelfTradePolicy {
  const behaviours = ['expire-maker', 'expire-taker', 'cancel-both', 'reduce'] as const;
  const { attributes } = tx.head;
  return {
    behaviour: behaviours[attributes.get(attributeKeys.selfTradeBehaviour) ?? 0] ?? 'expire-maker',
    compare: attributes.get(attributeKeys.selfTradeEquality) === 1 ? 'master' : 'account',
  };
}
