import type { ClientOrderIndex } from '../src/domain/ids-and-nonces';
import { lots, notional, ticks } from '../src/domain/lots';
import type { OrderRecord, OrderStatus } from '../src/domain/records';

export const indexOf = (n: number): ClientOrderIndex => BigInt(n) as ClientOrderIndex;

/** A bid of account 7 for 20 lots, by its client order index. */
export const orderRecordOf = (n: number, filled: number, status: OrderStatus = 'open'): OrderRecord => ({
  accountIndex: 7,
  marketId: 1,
  orderIndex: BigInt(n),
  clientOrderIndex: indexOf(n),
  side: 'buy',
  status,
  initialLots: lots(20),
  filledLots: lots(filled),
  filledQuote: notional(0n),
  priceTicks: ticks(1n),
  transactionTimeUs: 0,
});
