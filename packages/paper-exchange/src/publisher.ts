/**
 * Turns what an event changed into frames (LP §5.5, §5.6): one per transaction, account and channel, orders first, because that is
 * what a hedger waits for. Renders nothing that nobody listens to.
 */
import { resolutionsMs } from './core/candles';
import type { Exchange } from './core/exchange';
import type { Account, MarketSpec, Trade } from './core/types';
import type { AccountChanges, Changes, Market } from './core/world';
import type { BookFeed } from './book-feed';
import type { ExchangeClock } from './clock';
import type { Hub } from './hub';
import { assetsJson, positionJson, positionsJson, statsJson } from './wire/accounts';
import { candleJson, marketStatsJson, tickerJson } from './wire/markets';
import { orderJson, ordersByMarket, tradeJson, txJson } from './wire/orders';

/** The second of each is the official app's name for the same rows (LP §5.4). */
const tradeNames = ['trade', 'trade_fe'] as const;
const positionNames = ['account_all_positions', 'account_all_positions_fe'] as const;
export type TradeName = (typeof tradeNames)[number];
export type PositionsName = (typeof positionNames)[number];

export class Publisher {
  readonly #lastTicker = new Map<Market, string>();
  readonly #statsDue = new Set<Market>();

  constructor(
    private readonly exchange: Exchange,
    private readonly hub: Hub,
    private readonly books: BookFeed,
    private readonly clock: ExchangeClock,
    /** Frames follow the execution after this time (LP §6.4: 30–70 ms on the real exchange). */
    private readonly frameMs: number,
  ) {}

  publish(changes: Changes): void {
    for (const [account, change] of changes.accounts) this.#publishAccount(account, change);
    if (changes.trades.length > 0) this.#publishTrades(changes.trades);
    for (const market of changes.markets) {
      this.books.touch(market);
      this.#statsDue.add(market);
      this.#publishTicker(market);
    }
  }

  /** Market statistics of everything that moved since the last call. */
  publishStats(): void {
    const nowMs = this.clock.nowMs();
    const changed: string[] = [];
    for (const market of this.#statsDue) {
      const id = market.spec.marketId;
      if (!this.hub.has(`market_stats:${id}`) && !this.hub.has('market_stats:all')) continue;
      const stats = marketStatsJson(market, nowMs);
      this.hub.publish(`market_stats:${id}`, statsFrame(String(id), stats, nowMs, 'update'));
      changed.push(`"${id}":${stats}`);
    }
    this.#statsDue.clear();
    if (changed.length > 0)
      this.hub.publish('market_stats:all', statsFrame('all', `{${changed.join(',')}}`, nowMs, 'update'));
  }

  /** Balances move with the mark price (LP §5.6 user_stats). */
  publishUserStats(): void {
    for (const channel of this.hub.channelsNow()) {
      if (!channel.startsWith('user_stats:')) continue;
      const account = this.exchange.world.accounts.get(Number(channel.slice('user_stats:'.length)));
      if (account !== undefined) this.hub.publish(channel, this.userStats(account, 'update'));
    }
  }

  /** Candles being built, twice a second, to those who watch (LP §5.5). */
  publishCandles(): void {
    for (const channel of this.hub.channelsNow()) {
      if (channel.startsWith('candle:') || channel.startsWith('mark_price_candle:')) {
        this.hub.publish(channel, this.candleFrame(channel, 'update'));
      }
    }
  }

  /** Up to two candles, oldest first. */
  candleFrame(channel: string, kind: 'subscribed' | 'update'): string {
    const [name = '', id = '', resolution = ''] = channel.split(':');
    const market = this.exchange.market(Number(id));
    const lengthMs = resolutionsMs[resolution] ?? 60_000;
    const nowMs = this.clock.nowMs();
    const series = name === 'candle' ? market.candles : market.markCandles;
    const rows = series.read(lengthMs, nowMs - 2 * lengthMs, nowMs, 2);
    const list = rows.map((candle) => candleJson(market.spec, candle, name === 'candle' ? 'trades' : 'mark')).join(',');
    return `{"candles":[${list}],"channel":"${channel}","timestamp":${nowMs},"type":"${kind}/${name}"}`;
  }

  /** Every half second to those who watch, and first of all (LP §5.4). */
  publishHeight(): void {
    if (this.hub.has('height')) this.hub.publish('height', this.heightFrame('update'));
  }

  heightFrame(kind: 'subscribed' | 'update'): string {
    const { world } = this.exchange;
    world.setTime(this.clock.nowUs());
    return `{"channel":"height","height":${world.blockHeight},"timestamp":${world.nowMs},"type":"${kind}/height"}`;
  }

  userStats(account: Account, kind: 'subscribed' | 'update'): string {
    const stats = statsJson(this.exchange.world, account);
    const channel = `user_stats:${account.accountIndex}`;
    return `{"channel":"${channel}","stats":${stats},"timestamp":${this.clock.nowMs()},"type":"${kind}/user_stats"}`;
  }

  #publishAccount(account: Account, change: AccountChanges): void {
    const id = account.accountIndex;
    const { world } = this.exchange;
    if (change.orders.size > 0) {
      const all = `account_all_orders:${id}`;
      if (this.hub.has(all)) {
        const orders = ordersByMarket(world.markets, change.orders, 'update');
        this.#send(all, `{"channel":"${all}","orders":${orders},"type":"update/account_all_orders"}`);
      }
      for (const marketId of change.markets) this.#publishMarketOrders(account, marketId, change);
    }
    const txs = `account_tx:${id}`;
    if (change.txs.length > 0 && this.hub.has(txs)) {
      const list = change.txs.map((record) => txJson(record, 'listed')).join(',');
      this.#send(txs, `{"channel":"${txs}","txs":[${list}],"type":"update/account_tx"}`);
    }
    const trades = `account_all_trades:${id}`;
    if (change.trades.length > 0 && this.hub.has(trades)) {
      const map = this.#tradesByMarket(change.trades);
      this.#send(trades, `{"channel":"${trades}","trades":${map},"type":"update/account_all_trades"}`);
    }
    if (change.markets.size > 0) this.#publishPositions(account, change);
    this.#publishBalances(account, change);
    for (const trade of change.trades) if (trade.kind !== 'trade') this.#notify(account, trade);
  }

  #publishMarketOrders(account: Account, marketId: number, change: AccountChanges): void {
    const id = account.accountIndex;
    const market = this.exchange.world.markets.get(marketId);
    const ordersKey = `account_orders:${marketId}:${id}`;
    const marketKey = `account_market:${marketId}:${id}`;
    if (market === undefined || (!this.hub.has(ordersKey) && !this.hub.has(marketKey))) return;
    const mine = [...change.orders].filter((order) => order.marketId === marketId);
    const list = mine.map((order) => orderJson(market.spec, order, 'update')).join(',');
    if (mine.length > 0 && this.hub.has(ordersKey)) {
      const head = `{"account":${id},"channel":"account_orders:${marketId}","nonce":${market.bookNonce}`;
      this.#send(ordersKey, `${head},"orders":{"${marketId}":[${list}]},"type":"update/account_orders"}`);
    }
    if (this.hub.has(marketKey)) {
      const position = account.positions.get(marketId);
      const text = position === undefined ? 'null' : positionJson(this.exchange.world, account, position);
      const trades = change.trades.filter((trade) => trade.marketId === marketId);
      const rows = trades.map((trade) => tradeJson(market.spec, trade, 'public')).join(',');
      const head = `{"account":${id},"channel":"account_market/${marketId}/${id}","orders":[${list}]`;
      this.#send(marketKey, `${head},"position":${text},"trades":[${rows}],"type":"update/account_market"}`);
    }
  }

  #publishPositions(account: Account, change: AccountChanges): void {
    const id = account.accountIndex;
    const { world } = this.exchange;
    const all = `account_all:${id}`;
    if (this.hub.has(all)) {
      const touched: string[] = [];
      for (const marketId of change.markets) {
        const position = account.positions.get(marketId);
        if (position !== undefined) touched.push(`"${marketId}":${positionJson(world, account, position)}`);
      }
      const trades = this.#tradesByMarket(change.trades);
      const head = `{"account":${id},"assets":null,"bo_positions":{},"channel":"${all}","funding_histories":{}`;
      const tail = `"shares":[],"trades":${trades},"transaction_time":${world.nowUs},"type":"update/account_all"}`;
      this.#send(all, `${head},"positions":{${touched.join(',')}},${tail}`);
    }
    for (const name of positionNames) {
      const channel = `${name}:${id}`;
      if (!this.hub.has(channel)) continue;
      this.#send(channel, positionsFrame(name, id, positionsJson(world, account), world.nowUs, 'update'));
    }
  }

  #publishBalances(account: Account, change: AccountChanges): void {
    const id = account.accountIndex;
    const stats = `user_stats:${id}`;
    if ((change.markets.size > 0 || change.moneyMoved) && this.hub.has(stats))
      this.#send(stats, this.userStats(account, 'update'));
    const assets = `account_all_assets:${id}`;
    if ((change.trades.length > 0 || change.moneyMoved) && this.hub.has(assets)) {
      const head = `{"assets":${assetsJson(account)},"channel":"${assets}"`;
      this.#send(assets, `${head},"timestamp":${this.clock.nowMs()},"type":"update/account_all_assets"}`);
    }
  }

  /** What befell the account without its doing (LP §5.6 notification; `content` is not recorded). */
  #notify(account: Account, trade: Trade): void {
    const channel = `notification:${account.accountIndex}`;
    if (!this.hub.has(channel)) return;
    const atSeconds = Math.floor(trade.timestampMs / 1000);
    const spec = this.exchange.market(trade.marketId).spec;
    const notification =
      `{"id":"${trade.tradeId}","created_at":${atSeconds},"updated_at":${atSeconds},"kind":"${trade.kind}",` +
      `"account_index":${account.accountIndex},"content":${tradeJson(spec, trade, 'public')},"ack":false,"acked_at":null}`;
    this.#send(channel, `{"channel":"${channel}","notifs":[${notification}],"type":"update/notification"}`);
  }

  #publishTrades(trades: readonly Trade[]): void {
    const byMarket = new Map<number, Trade[]>();
    for (const trade of trades) {
      const list = byMarket.get(trade.marketId);
      if (list === undefined) byMarket.set(trade.marketId, [trade]);
      else list.push(trade);
    }
    for (const [marketId, list] of byMarket) {
      const spec = this.exchange.world.markets.get(marketId)?.spec;
      for (const name of tradeNames) {
        const channel = `${name}:${marketId}`;
        if (spec === undefined || !this.hub.has(channel)) continue;
        this.#send(channel, tradeFrame(name, spec, list, 'update'));
      }
    }
  }

  #publishTicker(market: Market): void {
    const channel = `ticker:${market.spec.marketId}`;
    if (!this.hub.has(channel)) return;
    const bid = market.bids.best();
    const ask = market.asks.best();
    const touch = `${bid?.priceTicks}/${bid?.lots}/${ask?.priceTicks}/${ask?.lots}`;
    if (this.#lastTicker.get(market) === touch) return;
    this.#lastTicker.set(market, touch);
    this.#send(channel, tickerFrame(market, this.clock.nowMs(), 'update'));
  }

  #tradesByMarket(trades: readonly Trade[]): string {
    const groups = new Map<number, string[]>();
    for (const trade of trades) {
      const spec = this.exchange.world.markets.get(trade.marketId)?.spec;
      if (spec === undefined) continue;
      const text = tradeJson(spec, trade, 'public');
      const group = groups.get(trade.marketId);
      if (group === undefined) groups.set(trade.marketId, [text]);
      else group.push(text);
    }
    return `{${[...groups].map(([id, rows]) => `"${id}":[${rows.join(',')}]`).join(',')}}`;
  }

  #send(channel: string, text: string): void {
    if (this.frameMs === 0) this.hub.publish(channel, text);
    else setTimeout(() => this.hub.publish(channel, text), this.frameMs);
  }
}

/** Liquidations stand apart from the other trades (LP §5.5). */
export function tradeFrame(
  name: TradeName,
  spec: MarketSpec,
  trades: readonly Trade[],
  kind: 'subscribed' | 'update',
): string {
  const rows = (which: 'liquidations' | 'others'): string =>
    trades
      .filter((trade) => (trade.kind === 'liquidation') === (which === 'liquidations'))
      .map((trade) => tradeJson(spec, trade, 'public'))
      .join(',');
  const nonce = Math.max(0, ...trades.map((trade) => trade.sequence));
  return (
    `{"channel":"${name}:${spec.marketId}","liquidation_trades":[${rows('liquidations')}],"nonce":${nonce},` +
    `"trades":[${rows('others')}],"type":"${kind}/${name}"}`
  );
}

export function positionsFrame(
  name: PositionsName,
  accountIndex: number,
  positions: string,
  transactionUs: number,
  kind: 'subscribed' | 'update',
): string {
  return (
    `{"bo_positions":{},"channel":"${name}:${accountIndex}","positions":${positions},"shares":[],` +
    `"transaction_time":${transactionUs},"type":"${kind}/${name}"}`
  );
}

export function tickerFrame(market: Market, nowMs: number, kind: 'subscribed' | 'update'): string {
  return (
    `{"channel":"ticker:${market.spec.marketId}","last_updated_at":${market.changedAtUs},"nonce":${market.bookNonce},` +
    `"ticker":${tickerJson(market)},"timestamp":${nowMs},"type":"${kind}/ticker"}`
  );
}

export function statsFrame(id: string, stats: string, nowMs: number, kind: 'subscribed' | 'update'): string {
  return `{"channel":"market_stats:${id}","market_stats":${stats},"timestamp":${nowMs},"type":"${kind}/market_stats"}`;
}
