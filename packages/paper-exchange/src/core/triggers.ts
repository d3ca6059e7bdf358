/** Conditional orders (LP §2.3, §2.4): they wait outside the book until the mark price reaches their trigger. */
import { finish } from './orders';
import { defaultSelfTrade, match } from './matching';
import type { Market, World } from './world';
import type { Order } from './types';

/** Triggers every waiting order whose condition the current mark price meets. */
export function triggerDue(world: World, market: Market): void {
  if (market.waiting.size === 0) return;
  for (const order of [...market.waiting]) {
    if (market.waiting.has(order) && isDue(order, market.markTicks)) trigger(world, market, order);
  }
}

function isDue(order: Order, markTicks: number): boolean {
  const stop = order.type === 'stop-loss' || order.type === 'stop-loss-limit';
  const falling = (order.side === 'ask') === stop;
  return falling ? markTicks <= order.triggerTicks : markTicks >= order.triggerTicks;
}

function trigger(world: World, market: Market, order: Order): void {
  market.waiting.delete(order);
  order.triggeredAtMs = world.nowMs;
  if (order.initialLots === 0) {
    // "Position tied" (LP §2.4): the whole position as it is now.
    order.initialLots = Math.abs(world.position(order.account, market).lots);
    order.remainingLots = order.initialLots;
  }
  if (order.remainingLots === 0) {
    finish(world, market, order, 'canceled-reduce-only');
    return;
  }
  const { sibling } = order.links;
  delete order.links.sibling;
  if (sibling !== undefined) {
    delete sibling.links.sibling;
    finish(world, market, sibling, 'canceled-oco');
  }
  match(world, market, order, defaultSelfTrade);
}
