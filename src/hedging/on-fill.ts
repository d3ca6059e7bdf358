/** Where a notice of a fill becomes a hedge: what the maker account bought is sold on the hedge account, and the other way round. */
import type { OrderId } from '../domain/ids-and-nonces';
import type { Lots } from '../domain/lots';
import { opposite, type Side } from '../domain/records';
import type { Executor } from './executor';

/** What a notice says: the cumulative fill of one maker order, and the side of that order. */
export interface Fill {
  readonly orderId: OrderId;
  readonly marketId: number;
  readonly side: Side;
  readonly filledLots: Lots;
  readonly sizeDecimals: number;
}

/** Only an armed order is hedged from here. The rest is the business of its workflow, which hedges whatever the fill. */
export function onFill(executor: Pick<Executor, 'raise'>, fill: Fill): 'raised' | 'not-armed' {
  const { orderId, marketId, side, filledLots, sizeDecimals } = fill;
  return executor.raise({ orderId, marketId, side: opposite(side), fillLots: filledLots, sizeDecimals });
}
