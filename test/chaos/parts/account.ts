/**
 * The account of a run, from the exchange's own trades: what filled, what covered it, when, lot by lot. Pure.
 *
 * Owns attribution by client order index (design §2), first-in-first-out matching of fills and covers, and the replay of
 * invariant 1 at every instant. Never looks at our own books: those are on trial.
 */
import { type OrderId, splitClientOrderIndex } from '../../../src/domain/ids-and-nonces';

export interface TradeLeg {
  readonly accountIndex: number;
  readonly clientIndex: bigint;
}

export interface Trade {
  /** Rises with every trade of a market: the order of events where two have the same time. */
  readonly tradeId: number;
  readonly atUs: number;
  readonly lots: bigint;
  readonly ask: TradeLeg;
  readonly bid: TradeLeg;
}

export interface Roles {
  readonly makerAccount: number;
  readonly hedgeAccount: number;
}

/** Lots that were filled together and covered together. `coveredUs` is absent when nothing ever covered them. */
export interface Chunk {
  readonly orderId: OrderId;
  readonly lots: bigint;
  readonly filledUs: number;
  readonly hedgedUs: number | undefined;
}

export interface OrderAccount {
  readonly orderId: OrderId;
  readonly filledLots: bigint;
  readonly hedgedLots: bigint;
  readonly closedLots: bigint;
  readonly fills: number;
  readonly hedges: number;
}

/** An instant at which more was covered than had filled. */
export interface Excess {
  readonly orderId: OrderId;
  readonly atUs: number;
  readonly lots: bigint;
}

export interface Account {
  readonly orders: readonly OrderAccount[];
  readonly chunks: readonly Chunk[];
  readonly excesses: readonly Excess[];
  /** Trades of our accounts that belong to no maker order, and trades between the two. */
  readonly strangers: readonly string[];
  readonly lostLots: bigint;
  readonly twiceLots: bigint;
}

interface Open {
  readonly orderId: OrderId;
  filledLots: bigint;
  hedgedLots: bigint;
  closedLots: bigint;
  fills: number;
  hedges: number;
  readonly naked: { lots: bigint; readonly filledUs: number }[];
  aheadLots: bigint;
}

/** `owners`: ticket id → maker order, for tickets that went on under a fresh id (design §4.2). */
export function accountOf(
  trades: readonly Trade[],
  roles: Roles,
  owners: ReadonlyMap<bigint, OrderId> = new Map(),
): Account {
  const orders = new Map<OrderId, Open>();
  const chunks: Chunk[] = [];
  const excesses: Excess[] = [];
  const strangers: string[] = [];
  for (const trade of [...trades].sort((a, b) => a.atUs - b.atUs || a.tradeId - b.tradeId)) {
    const legs = [trade.ask, trade.bid].filter((leg) => isOurs(leg, roles));
    if (legs.length === 2) strangers.push(`trade ${trade.tradeId} is between our own accounts`);
    for (const leg of legs) {
      // Nobody's order: somebody else changed our position past the book.
      if (leg.clientIndex === 0n) continue;
      const { id, slice } = splitClientOrderIndex(leg.clientIndex);
      if (leg.accountIndex === roles.makerAccount && slice === 0) {
        fill(openOf(orders, id), trade, chunks);
        continue;
      }
      const order = orders.get(owners.get(id) ?? id);
      if (order === undefined) {
        strangers.push(`trade ${trade.tradeId} of account ${leg.accountIndex} (${leg.clientIndex}) covers no order`);
        continue;
      }
      execution(order, { trade, by: leg.accountIndex === roles.makerAccount ? 'close' : 'hedge' }, chunks);
      if (order.aheadLots > 0n) {
        excesses.push({ orderId: order.orderId, atUs: trade.atUs, lots: order.aheadLots });
      }
    }
  }
  return { ...totals([...orders.values()], chunks), excesses, strangers };
}

function isOurs(leg: TradeLeg, roles: Roles): boolean {
  return leg.accountIndex === roles.makerAccount || leg.accountIndex === roles.hedgeAccount;
}

function openOf(orders: Map<OrderId, Open>, orderId: OrderId): Open {
  const known = orders.get(orderId);
  if (known !== undefined) return known;
  const zero = { filledLots: 0n, hedgedLots: 0n, closedLots: 0n, fills: 0, hedges: 0 };
  const opened: Open = { orderId, ...zero, naked: [], aheadLots: 0n };
  orders.set(orderId, opened);
  return opened;
}

function fill(order: Open, trade: Trade, chunks: Chunk[]): void {
  order.filledLots += trade.lots;
  order.fills += 1;
  // What was covered too early is no longer too much now; the instant of it stays on record.
  const early = trade.lots < order.aheadLots ? trade.lots : order.aheadLots;
  order.aheadLots -= early;
  if (early > 0n) chunks.push({ orderId: order.orderId, lots: early, filledUs: trade.atUs, hedgedUs: trade.atUs });
  if (trade.lots > early) order.naked.push({ lots: trade.lots - early, filledUs: trade.atUs });
}

function execution(order: Open, how: { readonly trade: Trade; readonly by: 'hedge' | 'close' }, chunks: Chunk[]): void {
  const { trade, by } = how;
  if (by === 'hedge') {
    order.hedgedLots += trade.lots;
    order.hedges += 1;
  } else order.closedLots += trade.lots;
  let left = trade.lots;
  for (let oldest = order.naked[0]; left > 0n && oldest !== undefined; oldest = order.naked[0]) {
    const lots = left < oldest.lots ? left : oldest.lots;
    chunks.push({ orderId: order.orderId, lots, filledUs: oldest.filledUs, hedgedUs: trade.atUs });
    left -= lots;
    oldest.lots -= lots;
    if (oldest.lots === 0n) order.naked.shift();
  }
  order.aheadLots += left;
}

function totals(
  orders: readonly Open[],
  chunks: Chunk[],
): Pick<Account, 'orders' | 'chunks' | 'lostLots' | 'twiceLots'> {
  let lostLots = 0n;
  let twiceLots = 0n;
  for (const { orderId, naked, aheadLots } of orders) {
    twiceLots += aheadLots;
    for (const { lots, filledUs } of naked) {
      lostLots += lots;
      chunks.push({ orderId, lots, filledUs, hedgedUs: undefined });
    }
  }
  const shown = orders.map(({ orderId, filledLots, hedgedLots, closedLots, fills, hedges }) => ({
    ...{ orderId, filledLots, hedgedLots, closedLots, fills, hedges },
  }));
  return { orders: shown, chunks, lostLots, twiceLots };
}
