/**
 * Fills by the clock, with floor samples in the same period: both come at random times, independent of each other and of what the
 * system is doing, so that the same noise hits both.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { listOrders } from '../../src/cli/order-list';
import type { OrderResult } from '../../src/domain/messages';
import type { Floor } from './floor';
import { fillHalf, fillWhole, refill, restingOrders, type Resting } from './market';
import type { RunningSystem } from './running-system';

/** How long a fill waits for an order that rests. */
const RESTING_MS = 20_000;
/** How long the end of all filled orders is waited for after the last fill. */
const ENDED_MS = 20_000;
const ORDERS_MAX = 20_000;

export interface FillPlan {
  readonly system: RunningSystem;
  readonly floor?: Floor;
  readonly fills: number;
  /** Average time between two fills; the times between are exponentially distributed. */
  readonly intervalMs: number;
  readonly how: 'whole' | 'half';
}

export interface FillRun {
  /** Of the filled orders, oldest first. */
  readonly orders: readonly OrderResult[];
  readonly floorMs: readonly number[];
}

export async function fillAndCollect(plan: FillPlan): Promise<FillRun> {
  let filling = true;
  const floorMs: number[] = [];
  const { floor } = plan;
  const measuring =
    floor === undefined
      ? Promise.resolve()
      : (async () => {
          while (filling) {
            await sleep(exponential(plan.intervalMs));
            floorMs.push(await floor.sample());
          }
        })();
  const before = (await filledOrders(plan.system)).length;
  const taken = new Set<string>();
  for (let i = 0; i < plan.fills; i++) {
    await sleep(exponential(plan.intervalMs));
    const order = await nextResting(plan.system, taken, i);
    taken.add(order.orderIndex);
    if (plan.how === 'whole') await fillWhole(plan.system, order);
    else {
      await fillHalf(plan.system, order);
      setTimeout(() => void refill(plan.system, order.marketId), plan.intervalMs / 2);
    }
  }
  filling = false;
  await measuring;
  return { orders: await ended(plan.system, before + plan.fills), floorMs };
}

/** All filled orders, once there are so many, or no more come. */
async function ended(system: RunningSystem, count: number): Promise<OrderResult[]> {
  const deadlineMs = performance.now() + ENDED_MS;
  for (;;) {
    const orders = await filledOrders(system);
    if (orders.length >= count || performance.now() > deadlineMs) return orders;
    await sleep(250);
  }
}

/** In turn from all markets, so that every market's order has had time to come to rest. */
async function nextResting(system: RunningSystem, taken: ReadonlySet<string>, turn: number): Promise<Resting> {
  const deadlineMs = performance.now() + RESTING_MS;
  for (let i = turn; performance.now() < deadlineMs; i++) {
    const market = system.markets[i % system.markets.length];
    if (market === undefined) break;
    const order = (await restingOrders(system, market.marketId)).find(({ orderIndex }) => !taken.has(orderIndex));
    if (order !== undefined) return order;
    await sleep(5);
  }
  throw new Error(`no order of account ${system.makerAccount} came to rest within ${RESTING_MS} ms`);
}

/** Oldest first. */
export async function filledOrders(system: RunningSystem): Promise<OrderResult[]> {
  const { client, makerAccount } = system;
  const orders = await listOrders(client, { makerAccount, state: 'closed', limit: ORDERS_MAX });
  return orders
    .sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
    .flatMap(({ result }) => (result !== undefined && /[1-9]/.test(result.maker.filled_base_amount) ? [result] : []))
    .sort((a, b) => (a.timings['fill_frame_ms'] ?? 0) - (b.timings['fill_frame_ms'] ?? 0));
}

/** Between two stages of each order, where both are known. */
export function between(orders: readonly OrderResult[], from: string, to: string): number[] {
  return orders.flatMap(({ timings }) => {
    const [start, end] = [timings[from], timings[to]];
    return start === undefined || end === undefined ? [] : [end - start];
  });
}

export const FRAME = 'fill_frame_ms';
export const SUBMITTED = 'hedge_submitted_ms';
export const EXECUTED = 'hedge_executed_ms';

function exponential(meanMs: number): number {
  return -Math.log(1 - Math.random()) * meanMs;
}
