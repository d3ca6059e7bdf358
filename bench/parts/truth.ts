/** What the paper exchange itself saw of our orders, in its own time: the outside view that none of our stamps can flatter. */
import type { OrderResult } from '../../src/domain/messages';
import type { RunningSystem } from './running-system';

export interface ExchangeTimes {
  /** The maker order's last fill, epoch ms. */
  readonly filledMs: number;
  /** The first hedge transaction: taken in, executed. */
  readonly hedgeArrivedMs: number;
  readonly hedgeExecutedMs: number;
}

interface Truth {
  readonly orders: readonly { readonly client_order_index: number; readonly transaction_time: number }[];
  readonly transactions: readonly {
    readonly client_order_index?: number;
    readonly queued_at_us: number;
    readonly executed_at_us: number;
  }[];
}

/** Of the orders whose fill and first hedge the exchange knows. */
export async function exchangeTimes(
  system: RunningSystem,
  orders: readonly OrderResult[],
): Promise<readonly ExchangeTimes[]> {
  const makerOrders = new Map(
    (await truthOf(system, system.makerAccount)).orders.map((order) => [String(order.client_order_index), order]),
  );
  const hedges = new Map(
    (await truthOf(system, system.hedgeAccount)).transactions.map((tx) => [String(tx.client_order_index), tx]),
  );
  return orders.flatMap(({ order_id }) => {
    const filled = makerOrders.get(order_id);
    const hedge = hedges.get(String(BigInt(order_id) + 1n));
    if (filled === undefined || hedge === undefined) return [];
    return [
      {
        filledMs: filled.transaction_time / 1_000,
        hedgeArrivedMs: hedge.queued_at_us / 1_000,
        hedgeExecutedMs: hedge.executed_at_us / 1_000,
      },
    ];
  });
}

async function truthOf(system: RunningSystem, accountIndex: number): Promise<Truth> {
  return (await (await fetch(`${system.paperUrl}/_paper/truth?account_index=${accountIndex}`)).json()) as Truth;
}
