/** Where a fill becomes a hedge: what the maker account bought is sold on the hedge account, and the other way round. */
import type { OrderId } from '../domain/ids';
import type { Lots } from '../domain/lots';
import { opposite, type Side } from '../domain/records';
import type { Desk } from './desk';

/** What a notice says: the cumulative fill of one maker order, and the side of that order. */
export interface Fill {
  readonly orderId: OrderId;
  readonly marketId: number;
  readonly side: Side;
  readonly filledLots: Lots;
}

/** Only an armed order is hedged from here. The rest is the business of its workflow, which covers whatever the fill. */
export function onFill(desk: Pick<Desk, 'raise'>, fill: Fill): 'raised' | 'not-armed' {
  const { orderId, marketId, side, filledLots } = fill;
  return desk.raise({ orderId, marketId, side: opposite(side), fillLots: filledLots });
}
