/**
 * First frames against recorded ones: the same keys in the same order (LP §5.5, §5.6; mainnet and testnet, July to August 2026).
 * What changed since then is held by shapes.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestExchange, TestSocket } from './helpers';
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
    'user_stats/100',
    '{"channel":"user_stats:100","stats":{"account_trading_mode":0,"available_balance":"1","buying_power":"0","collateral":"1",' +
      '"leverage":"0","margin_usage":"0","portfolio_value":"1","cross_stats":{"available_balance":"1","buying_power":"0",' +
      '"collateral":"1","leverage":"0","margin_usage":"0","portfolio_value":"1"},"total_stats":{"available_balance":"1",' +
      '"buying_power":"0","collateral":"1","leverage":"0","margin_usage":"0","portfolio_value":"1"}},"timestamp":1,' +
      '"type":"subscribed/user_stats"}',
  ],
];

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
});
