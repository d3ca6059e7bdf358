/**
 * Fills by the clock (open loop): each at its moment, however late the answers of the ones before it are, with floor samples of the
 * fast path in the same period.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { listOrders } from '../../src/cli/order-list';
import type { OrderResult } from '../../src/domain/messages';
import type { Fleet } from './fleet';
import type { Floor } from './floor';

const FLOOR_EVERY_MS = 100;
const ORDERS_MAX = 50_000;

export interface LoadRun {
  /** Fills sent by the clock; those that met no order of ours. */
  readonly sent: number;
  readonly missed: number;
  /** When the clock said that each was to come, epoch milliseconds; those that met no order left out. */
  readonly due: readonly { readonly marketId: number; readonly atMs: number }[];
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly floorMs: readonly number[];
}

export interface Load {
  readonly fleet: Fleet;
  readonly perSecond: number;
  readonly seconds: number;
  /** Market ids, in turn. */
  readonly markets: readonly number[];
  readonly floor?: Floor;
}

export async function fillByClock(load: Load): Promise<LoadRun> {
  const { fleet, markets } = load;
  const stepMs = 1_000 / load.perSecond;
  const steps = Math.max(1, Math.round(load.seconds * load.perSecond));
  const floorMs: number[] = [];
  let filling = true;
  const measuring = (async () => {
    while (filling && load.floor) {
      await sleep(FLOOR_EVERY_MS * Math.random() * 2);
      floorMs.push(await load.floor.sample());
    }
  })();
  const fromMs = performance.timeOrigin + performance.now();
  const due: { marketId: number; atMs: number }[] = [];
  let last: Promise<void> = Promise.resolve();
  for (let i = 0; i < steps; i++) {
    const atMs = fromMs + i * stepMs;
    await sleep(Math.max(0, atMs - performance.timeOrigin - performance.now()));
    const marketId = markets[i % markets.length] ?? 1;
    // One sale at a time on the wire: each is three requests that nothing may come between.
    last = last.then(async () => {
      if ((await fleet.fill(marketId)) > 0) due.push({ marketId, atMs });
    });
  }
  await last;
  filling = false;
  await measuring;
  const toMs = performance.timeOrigin + performance.now();
  return { sent: steps, missed: steps - due.length, due, fromMs, toMs, floorMs };
}

/** Ended orders that were filled in that period, of all pairs of accounts; waits until they have all ended. */
export async function ordersFilledIn(fleet: Fleet, run: LoadRun, timeoutMs = 30_000): Promise<OrderResult[]> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const found: OrderResult[] = [];
    for (const { client, config } of fleet.pairs) {
      const makerAccount = config.accounts.maker.index;
      const filter = { makerAccount, state: 'closed', closedAfterMs: run.fromMs, limit: ORDERS_MAX } as const;
      for (const { result } of await listOrders(client, filter)) {
        const filledMs = result?.timings['fill_frame_ms'];
        if (result && filledMs !== undefined && filledMs >= run.fromMs && filledMs <= run.toMs + 1_000)
          found.push(result);
      }
    }
    if (found.length >= run.sent - run.missed || performance.now() > until) return found;
    await sleep(1_000);
  }
}

/** Fill frame on A → hedge written to B's socket. */
export function fastPathMs(orders: readonly OrderResult[]): number[] {
  return orders.flatMap(({ timings }) => {
    const { fill_frame_ms: from, hedge_submitted_ms: to } = timings;
    return from === undefined || to === undefined ? [] : [to - from];
  });
}
