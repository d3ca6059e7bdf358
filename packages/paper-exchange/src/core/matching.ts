/**
 * Price-time priority matching (LP §2.4): what an incoming order does to the book, trade by trade.
 *
 * Trades happen at the maker's price. Keeps: no lot is executed twice, no order trades more than it had, and money only moves
 * between the two sides and the fee account.
 */
import { feeOf, mayTrade } from './margin';
import { finish, rest, shrinkResting } from './orders';
import { tiers } from './tiers';
import { memory, oppositeOf, remember } from './world';
import type { Market, World } from './world';
import type { Account, Order, OrderStatus, Position, Trade, TradeLeg, TradeSide } from './types';

/** LP §3.3 keys 6 and 7, of the taker. */
export interface SelfTradePolicy {
  readonly behaviour: 'expire-maker' | 'expire-taker' | 'cancel-both' | 'reduce';
  readonly compare: 'account' | 'master';
}

export const defaultSelfTrade: SelfTradePolicy = { behaviour: 'expire-maker', compare: 'account' };

/** The first trade of an order and the resting order that it met. */
export interface FirstTrade {
  readonly trade: Trade;
  readonly maker: Order;
}

/** Runs an order against the book, then rests or ends what is left. */
export function match(world: World, market: Market, taker: Order, selfTrade: SelfTradePolicy): FirstTrade | undefined {
  const opposite = oppositeOf(market, taker.side);
  const best = opposite.best();
  if (taker.timeInForce === 'post-only') {
    if (best !== undefined && opposite.crosses(best, taker.priceTicks)) {
      finish(world, market, taker, 'canceled-post-only');
    } else if (taker.reduceOnly && reducibleLots(taker) === 0) {
      finish(world, market, taker, 'canceled-reduce-only');
    } else {
      rest(world, market, taker);
    }
    return undefined;
  }
  const { end, first } = takeFromBook(world, market, taker, selfTrade);
  settle(world, market, taker, end);
  return first;
}

/** Loops over makers until the taker is done. `end` is the status it must end with, undefined when nothing more crosses. */
function takeFromBook(
  world: World,
  market: Market,
  taker: Order,
  selfTrade: SelfTradePolicy,
): { readonly end: OrderStatus | undefined; readonly first: FirstTrade | undefined } {
  let first: FirstTrade | undefined;
  const ends = (end?: OrderStatus) => ({ end, first });
  const opposite = oppositeOf(market, taker.side);
  while (taker.remainingLots > 0) {
    if (taker.reduceOnly && reducibleLots(taker) === 0) return ends('canceled-reduce-only');
    const level = opposite.best();
    const maker = level?.head;
    if (level === undefined || maker === undefined) break;
    if (!isMarketLike(taker) && !opposite.crosses(level, taker.priceTicks)) break;
    const stale = staleStatus(world, maker);
    if (stale !== undefined) {
      finish(world, market, maker, stale);
      continue;
    }
    if (isSelfTrade(taker.account, maker.account, selfTrade)) {
      const end = resolveSelfTrade(world, market, taker, maker, selfTrade);
      if (end !== undefined) return ends(end);
      continue;
    }
    const lots = Math.min(
      taker.remainingLots,
      maker.remainingLots,
      taker.reduceOnly ? reducibleLots(taker) : taker.remainingLots,
      maker.reduceOnly ? reducibleLots(maker) : maker.remainingLots,
    );
    if (isMarketLike(taker) && worsensAverage(taker, lots, maker.priceTicks)) return ends('canceled-too-much-slippage');
    const sign = taker.side === 'bid' ? 1 : -1;
    const takerFee = feeTicksOf(taker.account, 'taker');
    const makerFee = feeTicksOf(maker.account, 'maker');
    const price = maker.priceTicks;
    if (!mayTrade(world, taker.account, market, { signedLots: sign * lots, priceTicks: price, feeTicks: takerFee })) {
      return ends('canceled-margin-not-allowed');
    }
    if (!mayTrade(world, maker.account, market, { signedLots: -sign * lots, priceTicks: price, feeTicks: makerFee })) {
      finish(world, market, maker, 'canceled-margin-not-allowed');
      continue;
    }
    const record = trade(world, market, taker, maker, lots);
    first ??= { trade: record, maker };
  }
  return ends();
}

function settle(world: World, market: Market, taker: Order, end: OrderStatus | undefined): void {
  if (taker.remainingLots === 0) {
    finish(world, market, taker, end ?? 'filled');
  } else if (end !== undefined) {
    finish(world, market, taker, end);
  } else if (taker.timeInForce === 'immediate-or-cancel') {
    finish(world, market, taker, 'canceled-not-enough-liquidity');
  } else {
    rest(world, market, taker);
  }
}

/** Bounded by its average price, not per fill; a triggered stop or take-profit is one too. */
function isMarketLike(order: Order): boolean {
  return order.type === 'market' || order.type === 'stop-loss' || order.type === 'take-profit';
}

/** The slippage accumulator of market orders: would the running average be worse than the bound? (LP §2.4) */
function worsensAverage(taker: Order, lots: number, priceTicks: number): boolean {
  const quote = taker.filledQuoteMicro + lots * priceTicks;
  const bound = (taker.filledLots + lots) * taker.priceTicks;
  return taker.side === 'bid' ? quote > bound : quote < bound;
}

/** Expired makers, and makers whose dead-man's switch is due, are cancelled when they would trade (LP §2.4). */
function staleStatus(world: World, maker: Order): OrderStatus | undefined {
  if (maker.expiryMs <= world.nowMs) return 'canceled-expired';
  const switchAt = maker.account.cancelAllAtMs;
  if (switchAt !== 0 && switchAt <= world.nowMs) return 'canceled';
  if (maker.reduceOnly && reducibleLots(maker) === 0) return 'canceled-reduce-only';
  return undefined;
}

function isSelfTrade(taker: Account, maker: Account, policy: SelfTradePolicy): boolean {
  if (taker === maker) return true;
  return policy.compare === 'master' && taker.l1Address.toLowerCase() === maker.l1Address.toLowerCase();
}

/** Returns the taker's end when it has to stop. */
function resolveSelfTrade(
  world: World,
  market: Market,
  taker: Order,
  maker: Order,
  policy: SelfTradePolicy,
): OrderStatus | undefined {
  const ended = 'canceled-self-trade';
  switch (policy.behaviour) {
    case 'expire-maker':
      finish(world, market, maker, ended);
      return undefined;
    case 'expire-taker':
      return ended;
    case 'cancel-both':
      finish(world, market, maker, ended);
      return ended;
    case 'reduce': {
      const lots = Math.min(taker.remainingLots, maker.remainingLots);
      shrinkResting(world, market, maker, lots);
      maker.remainingLots -= lots;
      taker.remainingLots -= lots;
      world.touch(maker);
      if (maker.remainingLots === 0) finish(world, market, maker, ended);
      return taker.remainingLots === 0 ? ended : undefined;
    }
  }
}

/** How many lots of its position a reduce-only order may still close. */
export function reducibleLots(order: Order): number {
  const lots = order.account.positions.get(order.marketId)?.lots ?? 0;
  return order.side === 'bid' ? Math.max(0, -lots) : Math.max(0, lots);
}

function feeTicksOf(account: Account, role: 'maker' | 'taker'): number {
  if (account.synthetic) return 0;
  const terms = tiers[account.tier];
  return role === 'maker' ? terms.makerFeeTicks : terms.takerFeeTicks;
}

function trade(world: World, market: Market, taker: Order, maker: Order, lots: number): Trade {
  const quoteMicro = lots * maker.priceTicks;
  const sign = taker.side === 'bid' ? 1 : -1;
  const interestBefore = openLots(taker.account, market) + openLots(maker.account, market);
  shrinkResting(world, market, maker, lots);
  for (const order of [maker, taker]) {
    order.remainingLots -= lots;
    order.filledLots += lots;
    order.filledQuoteMicro += quoteMicro;
    world.touch(order);
  }
  const takerSide = applyToPosition(
    world,
    market,
    taker.account,
    sign * lots,
    quoteMicro,
    feeTicksOf(taker.account, 'taker'),
  );
  const makerSide = applyToPosition(
    world,
    market,
    maker.account,
    -sign * lots,
    quoteMicro,
    feeTicksOf(maker.account, 'maker'),
  );
  market.openInterestLots += (openLots(taker.account, market) + openLots(maker.account, market) - interestBefore) / 2;
  const [ask, bid] = taker.side === 'ask' ? [taker, maker] : [maker, taker];
  world.engineSequence += 1;
  const record: Trade = {
    tradeId: world.nextTradeId++,
    kind: 'trade',
    marketId: market.spec.marketId,
    lots,
    priceTicks: maker.priceTicks,
    quoteMicro,
    ask: legOf(ask),
    bid: legOf(bid),
    txHash: world.takeFillHash(),
    makerSide: maker.side,
    maker: makerSide,
    taker: takerSide,
    blockHeight: world.blockHeight,
    timestampMs: world.blockTimeMs,
    transactionUs: world.nowUs,
    sequence: world.engineSequence,
  };
  noteTrade(world, market, record, taker.account, maker.account);
  if (maker.remainingLots === 0) finish(world, market, maker, 'filled');
  return record;
}

function legOf({ indexText, clientIndex, account, version }: Order): TradeLeg {
  return { indexText, clientIndex, accountIndex: account.accountIndex, version };
}

/** Statistics, histories and changes of a trade that has happened. */
export function noteTrade(world: World, market: Market, record: Trade, taker: Account, maker: Account): void {
  market.lastTradeTicks = record.priceTicks;
  market.daily.trades += 1;
  market.daily.baseLots += record.lots;
  market.daily.quoteMicro += record.quoteMicro;
  market.daily.lowTicks = Math.min(market.daily.lowTicks, record.priceTicks);
  market.daily.highTicks = Math.max(market.daily.highTicks, record.priceTicks);
  market.candles.add(world.nowMs, record.priceTicks, record.lots, record.quoteMicro, record.tradeId);
  remember(market.trades, record, memory.marketTrades);
  world.changes.trades.push(record);
  for (const account of new Set([taker, maker])) {
    if (account.synthetic) continue;
    remember(account.trades, record, world.historyMax);
    const changes = world.changes.of(account);
    changes.trades.push(record);
    changes.markets.add(market.spec.marketId);
  }
}

/** Moves position, entry cost, realised profit, collateral and fee of one side. */
export function applyToPosition(
  world: World,
  market: Market,
  account: Account,
  signedLots: number,
  quoteMicro: number,
  feeTicks: number,
): TradeSide {
  const position = world.position(account, market);
  const before = { lots: position.lots, entry: position.entryQuoteMicro };
  const pnlMicro = movePosition(position, signedLots, quoteMicro);
  const fee = feeOf(quoteMicro, feeTicks);
  account.collateralMicro += pnlMicro - fee;
  account.feesPaidMicro += fee;
  account.tradeCount += 1;
  account.tradedQuoteMicro += quoteMicro;
  account.updatedAtUs = world.nowUs;
  return {
    account,
    positionBeforeLots: before.lots,
    entryQuoteBeforeMicro: before.entry,
    marginFraction: position.marginFraction,
    feeTicks,
    signChanged: before.lots * position.lots < 0,
    pnlMicro,
  };
}

/** Adds signed lots bought or sold for `quoteMicro`; returns the profit realised. Exported for the property tests. */
export function movePosition(position: Position, signedLots: number, quoteMicro: number): number {
  const size = Math.abs(signedLots);
  const open = Math.abs(position.lots);
  if (position.lots === 0 || Math.sign(position.lots) === Math.sign(signedLots)) {
    position.lots += signedLots;
    position.entryQuoteMicro += quoteMicro;
    return 0;
  }
  const closed = Math.min(size, open);
  const closedQuote = closed === size ? quoteMicro : Math.round((quoteMicro * closed) / size);
  const closedEntry =
    closed === open ? position.entryQuoteMicro : Math.round((position.entryQuoteMicro * closed) / open);
  const pnlMicro = position.lots > 0 ? closedQuote - closedEntry : closedEntry - closedQuote;
  position.entryQuoteMicro -= closedEntry;
  position.lots += signedLots;
  if (size > open) position.entryQuoteMicro = quoteMicro - closedQuote;
  position.realizedPnlMicro += pnlMicro;
  return pnlMicro;
}

function openLots(account: Account, market: Market): number {
  return Math.abs(account.positions.get(market.spec.marketId)?.lots ?? 0);
}
