/**
 * The life of an order outside matching: born, resting, finished. Every change of status goes through here, so that the live maps,
 * the margin sums and the list of changed orders can never disagree.
 */
import { assertNever } from './codes';
import { slotOf } from './markets';
import { remember, sideOf } from './world';
import type { Market, World } from './world';
import { orderTypes, timesInForce } from './types';
import type { Account, Order, OrderRequest, OrderStatus } from './types';

const nonceBits = 48n;
const nonceMask = (1n << nonceBits) - 1n;
/** Client indexes lie below, order indexes above (LP §2.2). */
const clientIndexMax = 2n ** 48n - 1n;

/** Creates an order. It takes one book nonce of its side, whatever becomes of it (LP §2.2). */
export function bearOrder(
  world: World,
  account: Account,
  market: Market,
  request: OrderRequest,
  integrator: Order['integrator'] = undefined,
): Order {
  const side = request.isAsk === 1 ? 'ask' : 'bid';
  const nonce = takeBookNonce(market, side);
  const order: Order = {
    marketId: market.spec.marketId,
    account,
    indexText: ((BigInt(slotOf(market.spec.marketId) + 1) << nonceBits) + BigInt(nonce)).toString(),
    indexNonce: nonce,
    history: [],
    bookNonce: nonce,
    clientIndex: request.clientIndex,
    side,
    type: orderTypes[request.type] ?? 'limit',
    timeInForce: timesInForce[request.timeInForce] ?? 'good-till-time',
    reduceOnly: request.reduceOnly === 1,
    triggerTicks: request.triggerTicks,
    expiryMs: request.expiryMs,
    version: 0,
    priceTicks: request.priceTicks,
    initialLots: request.baseLots,
    remainingLots: request.baseLots,
    filledLots: 0,
    filledQuoteMicro: 0,
    status: 'in-progress',
    triggeredAtMs: 0,
    createdAtMs: world.nowMs,
    updatedAtMs: world.nowMs,
    transactionUs: world.nowUs,
    blockHeight: world.blockHeight,
    links: { children: [] },
    integrator,
    level: undefined,
    previous: undefined,
    next: undefined,
  };
  world.position(account, market);
  world.touch(order);
  return order;
}

/** Puts what is left of the order into the book. */
export function rest(world: World, market: Market, order: Order): void {
  const position = world.position(order.account, market);
  if (order.status === 'pending') position.pendingOrderCount -= 1;
  order.status = 'open';
  sideOf(market, order.side).add(order);
  enlist(market, order);
  countResting(world, market, order, order.remainingLots);
  position.openOrderCount += 1;
  world.watchExpiry(order);
  world.touch(order);
  world.touchBook(market);
}

/** A conditional order, or a child of a group, starts to wait. */
export function wait(world: World, market: Market, order: Order): void {
  order.status = 'pending';
  enlist(market, order);
  world.position(order.account, market).pendingOrderCount += 1;
  world.watchExpiry(order);
  world.touch(order);
}

/** Ends an order for good. Safe for orders that rest, wait or were never listed. */
export function finish(world: World, market: Market, order: Order, status: OrderStatus): void {
  leaveBook(world, market, order);
  const { account } = order;
  const position = world.position(account, market);
  if (account.liveOrders.delete(order.indexText) && order.status === 'pending') position.pendingOrderCount -= 1;
  if (account.byClientIndex.get(order.clientIndex) === order) account.byClientIndex.delete(order.clientIndex);
  market.orders.delete(order.indexNonce);
  market.waiting.delete(order);
  world.unwatchExpiry(order);
  order.status = status;
  order.remainingLots = 0;
  if (!account.synthetic) remember(account.inactiveOrders, order, world.historyMax);
  world.touch(order);
  settleGroup(world, market, order);
}

/** Takes a resting order out of the book, keeping it alive (a modify puts it back). */
export function leaveBook(world: World, market: Market, order: Order): void {
  if (order.level === undefined) return;
  countResting(world, market, order, -order.remainingLots);
  sideOf(market, order.side).remove(order);
  world.position(order.account, market).openOrderCount -= 1;
  world.touchBook(market);
}

/** A resting order lost lots (executed or decremented). */
export function shrinkResting(world: World, market: Market, order: Order, lots: number): void {
  if (order.level === undefined) return;
  sideOf(market, order.side).shrink(order, lots);
  countResting(world, market, order, -lots);
  world.touchBook(market);
}

/** Finds a live order of the account by order index or client order index (LP §2.8). */
export function findLive(account: Account, market: Market, index: bigint): Order | undefined {
  if (index <= clientIndexMax) {
    const order = account.byClientIndex.get(Number(index));
    return order?.marketId === market.spec.marketId ? order : undefined;
  }
  if (index >> nonceBits !== BigInt(slotOf(market.spec.marketId) + 1)) return undefined;
  const order = market.orders.get(Number(index & nonceMask));
  return order?.account === account ? order : undefined;
}

export function takeBookNonce(market: Market, side: 'bid' | 'ask'): number {
  switch (side) {
    case 'ask':
      return market.nextAskNonce++;
    case 'bid':
      return market.nextBidNonce--;
    default:
      return assertNever(side);
  }
}

function enlist(market: Market, order: Order): void {
  market.orders.set(order.indexNonce, order);
  order.account.liveOrders.set(order.indexText, order);
  if (order.clientIndex !== 0) order.account.byClientIndex.set(order.clientIndex, order);
}

function countResting(world: World, market: Market, order: Order, lots: number): void {
  if (order.type !== 'limit') return;
  const position = world.position(order.account, market);
  if (order.side === 'bid') position.restingBidMicro += lots * order.priceTicks;
  else position.restingAskMicro += lots * order.priceTicks;
}

/** What the end of one order of a group does to the others (LP §2.6). */
function settleGroup(world: World, market: Market, order: Order): void {
  const { children, sibling } = order.links;
  for (const child of children) {
    if (!isLive(child)) continue;
    if (order.filledLots === 0) finish(world, market, child, 'canceled-child');
    else market.waiting.add(child);
  }
  if (sibling !== undefined && isLive(sibling)) finish(world, market, sibling, 'canceled-oco');
}

export function isLive(order: Order): boolean {
  return order.account.liveOrders.has(order.indexText);
}
