/**
 * First and later frames against the recorded ones: the same keys in the same order (LP §5.5, §5.6; recorded on mainnet and
 * testnet, July to August 2026, `user_stats` and `market_stats` as captured by nautilus). Values differ, shapes may not.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Row, TestExchange, TestSocket } from './helpers';
import { quietExchange } from './helpers';

const recorded: readonly (readonly [channel: string, frame: string])[] = [
  [
    'order_book/36',
    '{"channel":"order_book:36","last_updated_at":1,"offset":1,"order_book":{"code":0,"asks":[{"price":"0.20382","size":"7816.7"}],' +
      '"bids":[{"price":"0.20351","size":"7673.9"}],"offset":1,"nonce":1,"last_updated_at":1,"begin_nonce":0},"timestamp":1,' +
      '"type":"subscribed/order_book"}',
  ],
  [
    'ticker/1',
    '{"channel":"ticker:1","last_updated_at":1,"nonce":1,"ticker":{"s":"BTC","a":{"price":"63777.3","size":"0.00020"},' +
      '"b":{"price":"63777.2","size":"2.49220"},"last_updated_at":1},"timestamp":1,"type":"subscribed/ticker"}',
  ],
  ['trade/36', '{"channel":"trade:36","liquidation_trades":[],"nonce":1,"trades":[],"type":"subscribed/trade"}'],
  [
    'account_all_trades/100',
    '{"channel":"account_all_trades:100","daily_volume":0,"monthly_volume":0,"total_volume":0,"trades":{},' +
      '"type":"subscribed/account_all_trades","weekly_volume":0}',
  ],
  [
    'account_all_positions/100',
    '{"channel":"account_all_positions:100","positions":{},"shares":[],"type":"subscribed/account_all_positions"}',
  ],
  [
    'account_all/100',
    '{"account":100,"assets":{"3":{"symbol":"USDC","asset_id":3,"balance":"0.000000","locked_balance":"0.000000",' +
      '"margin_mode":"disabled","margin_balance":"40.000000"}},"channel":"account_all:100","daily_trades_count":0,' +
      '"daily_volume":0,"funding_histories":{},"monthly_trades_count":0,"monthly_volume":0,"positions":{},"shares":[],' +
      '"total_trades_count":0,"total_volume":0,"trades":{},"type":"subscribed/account_all","weekly_trades_count":0,' +
      '"weekly_volume":0}',
  ],
  [
    'user_stats/100',
    '{"channel":"user_stats:100","stats":{"account_trading_mode":0,"available_balance":"1","buying_power":"0","collateral":"1",' +
      '"leverage":"0","margin_usage":"0","portfolio_value":"1","cross_stats":{"available_balance":"1","buying_power":"0",' +
      '"collateral":"1","leverage":"0","margin_usage":"0","portfolio_value":"1"},"total_stats":{"available_balance":"1",' +
      '"buying_power":"0","collateral":"1","leverage":"0","margin_usage":"0","portfolio_value":"1"}},"timestamp":1,' +
      '"type":"subscribed/user_stats"}',
  ],
  [
    'account_all_assets/100',
    '{"assets":{"3":{"symbol":"USDC","asset_id":3,"balance":"10.000000","locked_balance":"0.000000","margin_mode":"disabled",' +
      '"margin_balance":"40.000000"}},"channel":"account_all_assets:100","timestamp":1,"type":"subscribed/account_all_assets"}',
  ],
];

/** A trade of `update/trade`, both fees zero, taker and maker without a position before (LP §1.4, Trade). */
const recordedTrade =
  'trade_id trade_id_str tx_hash type market_id size price usd_amount ask_id ask_id_str bid_id bid_id_str ask_client_id ' +
  'ask_client_id_str bid_client_id bid_client_id_str ask_account_id bid_account_id is_maker_ask block_height timestamp ' +
  'taker_initial_margin_fraction_before maker_initial_margin_fraction_before transaction_time';

const recordedStats =
  'symbol market_id index_price mark_price mid_price open_interest open_interest_limit funding_clamp_small funding_clamp_big ' +
  'last_trade_price current_funding_rate funding_rate funding_timestamp base_interest_rate daily_base_token_volume ' +
  'daily_quote_token_volume daily_price_low daily_price_high daily_price_change';

let exchange: TestExchange;
let socket: TestSocket;
beforeAll(async () => {
  exchange = await quietExchange();
  socket = await exchange.open();
});
afterAll(() => exchange.close());

/** Keys, nesting and types; of lists only the first element, of numbers and texts only the kind. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value === 'bigint') return 'number';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, member]) => [key, shape(member)]);
}

describe('frames have the recorded shape', () => {
  it.each(recorded)('%s', async (channel, text) => {
    const frame = await socket.subscribe(channel, exchange.token(100));
    expect(shape(frame)).toEqual(shape(JSON.parse(text)));
  });

  it('market_stats holds every recorded key', async () => {
    const frame = await socket.subscribe('market_stats/1');
    expect(Object.keys(frame)).toEqual(['channel', 'market_stats', 'timestamp', 'type']);
    expect(Object.keys(frame['market_stats'] as Row)).toEqual(expect.arrayContaining(recordedStats.split(' ')));
  });

  it('update/trade', async () => {
    await exchange.post('/_paper/market', { market_id: 36, levels: 0 });
    const traders = { MarketIndex: 36, Price: 20_000, BaseAmount: 600 };
    await exchange.create({ Nonce: 1, ...traders });
    await exchange.create({ Nonce: 1, ...traders, IsAsk: 1, TimeInForce: 0 }, 200);
    const frame = await socket.next((one) => one['type'] === 'update/trade');
    expect(Object.keys(frame)).toEqual(['channel', 'liquidation_trades', 'nonce', 'trades', 'type']);
    const [trade] = frame['trades'] as Row[];
    expect(Object.keys(trade!)).toEqual(recordedTrade.split(' '));
    expect(String(trade!['tx_hash'])).toMatch(/^[0-9a-f]{32}0{48}$/);
  });
});
