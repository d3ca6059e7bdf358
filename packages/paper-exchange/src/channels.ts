/** The channels a client may subscribe to: their names, who may read them, and their first frame (LP §5.4). */
import { refuse } from './core/codes';
import type { Refusal } from './core/codes';
import { resolutionsMs } from './core/candles';
import { formatMicro } from './core/decimal';
import type { Exchange } from './core/exchange';
import type { Account } from './core/types';
import type { Market } from './core/world';
import type { BookFeed } from './book-feed';
import type { ExchangeClock } from './clock';
import type { ChannelKey } from './hub';
import { positionsFrame, statsFrame, tickerFrame, tradeFrame } from './publisher';
import type { Publisher } from './publisher';
import { isRefusal } from './submissions';
import { assetsJson, positionJson, positionsJson } from './wire/accounts';
import { marketStatsJson } from './wire/markets';
import { ordersByMarket } from './wire/orders';

export interface Channel {
  readonly key: ChannelKey;
  /** Name in acknowledgements and errors: the name and the first id (LP §5.3). */
  readonly shownAs: string;
  /** Set when a token is needed: the account it must belong to. */
  readonly owner: number | undefined;
  readonly accountIndex: number | undefined;
  readonly first: () => string | undefined;
}

const publicNames = new Set([
  'account_all',
  'user_stats',
  'account_all_positions',
  'account_all_positions_fe',
  'account_all_trades',
]);

export class Channels {
  constructor(
    private readonly exchange: Exchange,
    private readonly books: BookFeed,
    private readonly publisher: Publisher,
    private readonly clock: ExchangeClock,
  ) {}

  /** `order_book/0`, `account_orders/1/516`… */
  resolve(request: string): Channel | Refusal {
    const [name = '', first = '', second = ''] = request.split('/');
    switch (name) {
      case 'order_book':
      case 'order_book@tier2':
        return this.#ofMarket(name, first, (market) => this.books.snapshotFrame(market, name));
      case 'ticker':
        return this.#ofMarket(name, first, (market) => tickerFrame(market, this.clock.nowMs(), 'subscribed'));
      case 'trade':
      case 'trade_fe':
        return this.#ofMarket(name, first, (market) => lastTrades(name, market));
      case 'market_stats':
        return first === 'all' ? this.#allStats() : this.#ofMarket(name, first, (market) => this.#stats(market));
      case 'candle':
      case 'mark_price_candle':
        return this.#ofCandles(name, first, second);
      case 'spot_market_stats':
        return ofAll(name, first, () => `"spot_market_stats":{},"timestamp":${this.clock.nowMs()}`);
      case 'asset_stats':
        return ofAll(name, first, () => `"asset_stats":{"3":${this.#usdcStats()}}`);
      case 'height':
        return {
          key: name,
          shownAs: name,
          owner: undefined,
          accountIndex: undefined,
          first: () => this.publisher.heightFrame('subscribed'),
        };
      case 'account_all':
      case 'account_all_orders':
      case 'account_all_positions':
      case 'account_all_positions_fe':
      case 'account_all_trades':
      case 'account_spot_avg_entry_prices':
      case 'account_all_assets':
      case 'account_tx':
      case 'user_stats':
      case 'notification':
        return this.#ofAccount(name, first);
      case 'account_orders':
      case 'account_market':
        return this.#ofAccountMarket(name, first, second);
      default:
        return refuse(30005);
    }
  }

  #ofMarket(name: string, id: string, frame: (market: Market) => string): Channel | Refusal {
    const market = /^\d+$/.test(id) ? this.exchange.world.markets.get(Number(id)) : undefined;
    if (market === undefined) return refuse(30005, 'Invalid Channel:  (marketId)');
    const key = `${name}:${market.spec.marketId}`;
    return { key, shownAs: key, owner: undefined, accountIndex: undefined, first: () => frame(market) };
  }

  #stats(market: Market): string {
    const nowMs = this.clock.nowMs();
    return statsFrame(String(market.spec.marketId), marketStatsJson(market, nowMs), nowMs, 'subscribed');
  }

  #ofCandles(name: 'candle' | 'mark_price_candle', id: string, resolution: string): Channel | Refusal {
    const market = this.#ofMarket(name, id, () => '');
    if (isRefusal(market)) return market;
    if (resolutionsMs[resolution] === undefined) return refuse(30005, 'Invalid Channel:  (resolution)');
    const first = (): string => this.publisher.candleFrame(`${market.key}:${resolution}`, 'subscribed');
    return { ...market, key: `${market.key}:${resolution}`, first };
  }

  #usdcStats(): string {
    let suppliedMicro = 0;
    for (const account of this.exchange.world.accounts.values()) suppliedMicro += account.collateralMicro;
    return `{"asset_id":3,"index_price":"1.000000","total_supplied":"${formatMicro(suppliedMicro)}"}`;
  }

  #allStats(): Channel {
    const key = 'market_stats:all';
    const first = (): string => {
      const nowMs = this.clock.nowMs();
      const rows = [...this.exchange.world.markets.values()].map(
        (market) => `"${market.spec.marketId}":${marketStatsJson(market, nowMs)}`,
      );
      return statsFrame('all', `{${rows.join(',')}}`, nowMs, 'subscribed');
    };
    return { key, shownAs: key, owner: undefined, accountIndex: undefined, first };
  }

  #ofAccount(name: string, id: string): Channel | Refusal {
    const account = this.#account(id);
    if (account === undefined) return refuse(30005, 'Invalid Channel:  (accountId)');
    const key = `${name}:${account.accountIndex}`;
    const owner = publicNames.has(name) ? undefined : account.accountIndex;
    return {
      key,
      shownAs: key,
      owner,
      accountIndex: account.accountIndex,
      first: () => this.#firstOf(name, key, account),
    };
  }

  #ofAccountMarket(name: string, marketId: string, id: string): Channel | Refusal {
    const market = /^\d+$/.test(marketId) ? this.exchange.world.markets.get(Number(marketId)) : undefined;
    if (market === undefined) return refuse(30005, 'Invalid Channel:  (marketId)');
    const account = this.#account(id);
    if (account === undefined) return refuse(30005, 'Invalid Channel:  (accountId)');
    const { accountIndex } = account;
    const first = (): string =>
      name === 'account_orders' ? this.#firstOrders(account, market) : this.#firstMarket(account, market);
    return {
      key: `${name}:${market.spec.marketId}:${accountIndex}`,
      shownAs: `${name}:${market.spec.marketId}`,
      owner: accountIndex,
      accountIndex,
      first,
    };
  }

  #account(id: string): Account | undefined {
    return /^\d+$/.test(id) ? this.exchange.world.accounts.get(Number(id)) : undefined;
  }

  #firstOf(name: string, key: string, account: Account): string {
    const { world } = this.exchange;
    switch (name) {
      case 'account_all_orders': {
        const orders = ordersByMarket(world.markets, account.liveOrders.values(), 'snapshot');
        return `{"channel":"${key}","orders":${orders},"type":"subscribed/account_all_orders"}`;
      }
      case 'account_all_positions':
      case 'account_all_positions_fe':
        return positionsFrame(
          name,
          account.accountIndex,
          positionsJson(world, account),
          account.updatedAtUs,
          'subscribed',
        );
      case 'account_all_trades': {
        const { total } = volumes(account);
        return (
          `{"channel":"${key}","daily_volume":${total},"monthly_volume":${total},"total_volume":${total},` +
          `"trades":{},"type":"subscribed/account_all_trades","weekly_volume":${total}}`
        );
      }
      case 'account_all_assets':
        return (
          `{"assets":${assetsJson(account)},"channel":"${key}","timestamp":${this.clock.nowMs()},` +
          `"type":"subscribed/account_all_assets"}`
        );
      case 'account_all':
        return this.#firstAccountAll(key, account);
      case 'user_stats':
        return this.publisher.userStats(account, 'subscribed');
      case 'account_spot_avg_entry_prices':
        return `{"avg_entry_prices":{},"channel":"${key}","type":"subscribed/${name}"}`;
      case 'notification':
        return `{"channel":"${key}","notifs":[],"type":"subscribed/notification"}`;
      default:
        return `{"channel":"${key}","type":"subscribed/account_tx"}`;
    }
  }

  #firstAccountAll(key: string, account: Account): string {
    const { count, total } = volumes(account);
    return (
      `{"account":${account.accountIndex},"assets":${assetsJson(account)},"bo_positions":{},"channel":"${key}","daily_trades_count":${count},` +
      `"daily_volume":${total},"funding_histories":{},"monthly_trades_count":${count},"monthly_volume":${total},` +
      `"positions":${positionsJson(this.exchange.world, account)},"shares":[],"total_trades_count":${count},` +
      `"total_volume":${total},"trades":{},"transaction_time":${account.updatedAtUs},"type":"subscribed/account_all","weekly_trades_count":${count},` +
      `"weekly_volume":${total}}`
    );
  }

  #firstOrders(account: Account, market: Market): string {
    const live = [...account.liveOrders.values()].filter((order) => order.marketId === market.spec.marketId);
    const orders = ordersByMarket(this.exchange.world.markets, live, 'snapshot');
    return (
      `{"account":${account.accountIndex},"channel":"account_orders:${market.spec.marketId}","nonce":${market.bookNonce},` +
      `"orders":${orders},"type":"subscribed/account_orders"}`
    );
  }

  #firstMarket(account: Account, market: Market): string {
    const { marketId } = market.spec;
    const live = [...account.liveOrders.values()].filter((order) => order.marketId === marketId);
    const grouped = ordersByMarket(this.exchange.world.markets, live, 'snapshot');
    const orders = grouped === '{}' ? '[]' : grouped.slice(grouped.indexOf(':') + 1, -1);
    const position = account.positions.get(marketId);
    const text = position === undefined ? 'null' : positionJson(this.exchange.world, account, position);
    return (
      `{"account":${account.accountIndex},"channel":"account_market/${marketId}/${account.accountIndex}","orders":${orders},` +
      `"position":${text},"trades":[],"type":"subscribed/account_market"}`
    );
  }
}

/** A first frame and never an update: there are no spot markets, and the one asset does not move. */
function ofAll(name: string, id: string, content: () => string): Channel | Refusal {
  if (id !== 'all') return refuse(30005, 'Invalid Channel:  (marketId)');
  const key = `${name}:all`;
  const first = (): string => `{"channel":"${key}",${content()},"type":"subscribed/${name}"}`;
  return { key, shownAs: key, owner: undefined, accountIndex: undefined, first };
}

/** The last 50, newest first, on every subscription (LP §5.5). */
function lastTrades(name: 'trade' | 'trade_fe', market: Market): string {
  return tradeFrame(name, market.spec, market.trades.slice(-50).reverse(), 'subscribed');
}

function volumes(account: Account): { readonly count: number; readonly total: number } {
  return { count: account.tradeCount, total: account.tradedQuoteMicro / 1e6 };
}
