/**
 * A position changed without an order of its owner: liquidated, deleveraged against another account (LP §1.4 trades), or traded by
 * somebody else past the book. Shows as a trade of that type whose two orders nobody placed; positions and money move as in any trade.
 */
import { applyToPosition, noteTrade } from './matching';
import { slotOf } from './markets';
import { takeBookNonce } from './orders';
import type { Market, World } from './world';
import type { Account, Trade, TradeKind } from './types';

/** 1 %, as `liquidation_fee` of the market says; a recorded liquidation shows 10000 (LP §1.4). Deleveraging costs nothing. */
const liquidationFeeTicks = 10_000;

/** Inside an event: `counterparty` sells `signedLots` to `account`, or buys them when negative. Checks nothing. */
export function forceTrade(
  world: World,
  market: Market,
  account: Account,
  counterparty: Account,
  how: { readonly signedLots: number; readonly priceTicks: number; readonly kind: TradeKind },
): Trade {
  const { signedLots, priceTicks, kind } = how;
  const side = signedLots < 0 ? 'ask' : 'bid';
  const lots = Math.abs(signedLots);
  const quoteMicro = lots * priceTicks;
  const feeTicks = kind === 'liquidation' ? liquidationFeeTicks : 0;
  const taker = applyToPosition(world, market, account, signedLots, quoteMicro, feeTicks);
  const maker = applyToPosition(world, market, counterparty, -signedLots, quoteMicro, 0);
  const legOf = (of: Account, on: 'bid' | 'ask') => ({
    indexText: ((BigInt(slotOf(market.spec.marketId) + 1) << 48n) + BigInt(takeBookNonce(market, on))).toString(),
    clientIndex: 0,
    accountIndex: of.accountIndex,
    version: 0,
  });
  const [asker, bidder] = side === 'ask' ? [account, counterparty] : [counterparty, account];
  world.engineSequence += 1;
  const record: Trade = {
    tradeId: world.nextTradeId++,
    kind,
    marketId: market.spec.marketId,
    lots,
    priceTicks,
    quoteMicro,
    ask: legOf(asker, 'ask'),
    bid: legOf(bidder, 'bid'),
    txHash: undefined,
    makerSide: side === 'ask' ? 'bid' : 'ask',
    maker,
    taker,
    blockHeight: world.blockHeight,
    timestampMs: world.blockTimeMs,
    transactionUs: world.nowUs,
    sequence: world.engineSequence,
  };
  noteTrade(world, market, record, account, counterparty);
  return record;
}
