/** The benchmark as the market: sees A's resting orders in the public book and fills them, wholly or in part. */
import { post, type RunningSystem } from './running-system';

export interface Resting {
  readonly marketId: number;
  /** The exchange's id. */
  readonly orderIndex: string;
  readonly isAsk: boolean;
  readonly price: string;
  readonly base: number;
  /** Base that trades before it when somebody takes this side of the book. */
  readonly aheadBase: number;
}

interface BookRow {
  readonly order_id: string;
  readonly owner_account_index: number;
  readonly remaining_base_amount: string;
  readonly price: string;
}

/** A's orders of a market, the next to trade first; from a public endpoint, so that reading costs the system nothing. */
export async function restingOrders(system: RunningSystem, marketId: number): Promise<Resting[]> {
  const response = await fetch(`${system.paperUrl}/api/v1/orderBookOrders?market_id=${marketId}&limit=250`);
  const book = (await response.json()) as { readonly asks: BookRow[]; readonly bids: BookRow[] };
  return [...ownRows(system, marketId, book.bids, false), ...ownRows(system, marketId, book.asks, true)];
}

function ownRows(system: RunningSystem, marketId: number, rows: readonly BookRow[], isAsk: boolean): Resting[] {
  let aheadBase = 0;
  const own: Resting[] = [];
  for (const row of rows) {
    const base = Number(row.remaining_base_amount);
    const { order_id: orderIndex, price } = row;
    if (row.owner_account_index === system.makerAccount)
      own.push({ marketId, orderIndex, isAsk, price, base, aheadBase });
    aheadBase += base;
  }
  return own;
}

/** The price jumps onto the order: all that rests there or better is taken, and the book stands around the new price at once. */
export async function fillWhole(system: RunningSystem, order: Resting): Promise<void> {
  await post(`${system.paperUrl}/_paper/market`, { market_id: order.marketId, mid_price: order.price });
}

/** Somebody takes half of it. What stood before it is gone, so its other half is what the hedge meets first. */
export async function fillHalf(system: RunningSystem, order: Resting): Promise<void> {
  const market = system.markets.find(({ marketId }) => marketId === order.marketId);
  await post(`${system.paperUrl}/_paper/orders`, {
    market_id: order.marketId,
    is_ask: !order.isAsk,
    base_amount: (order.aheadBase + order.base / 2).toFixed(market?.sizeDecimals ?? 0),
    price: order.price,
    type: 'ioc',
  });
}

/** The book stands around its price again. */
export async function refill(system: RunningSystem, marketId: number): Promise<void> {
  const { paperUrl } = system;
  const answer = (await (await fetch(`${paperUrl}/_paper/market?market_id=${marketId}`)).json()) as {
    readonly markets: readonly { readonly mid_price: string }[];
  };
  await post(`${paperUrl}/_paper/market`, { market_id: marketId, mid_price: answer.markets[0]?.mid_price });
}
