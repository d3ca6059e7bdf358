/**
 * The official TypeScript client as a stranger: its generated REST classes (npm `zklighter-perps`) and the stream as the web and
 * mobile apps open it (LP §5.1, §7.4): MessagePack frames, read-only, the app's own channels, transactions over REST.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import type { PaperServer } from '../src';
import { startPaper } from '../src';
import { officialSigner } from './crypto/official-signer';
import { Frames, type Row } from './helpers';

/** What is used of the package, typed by hand: it ships sources that our compiler settings refuse. */
interface Official {
  readonly Configuration: new (options: { basePath: string }) => object;
  readonly OrderApi: new (
    configuration: object,
  ) => Record<
    'orderBooks' | 'accountActiveOrders' | 'accountInactiveOrders' | 'trades',
    (request: Row) => Promise<Row>
  >;
  readonly AccountApi: new (
    configuration: object,
  ) => Record<'account' | 'accountLimits', (request: Row) => Promise<Row>>;
  readonly TransactionApi: new (
    configuration: object,
  ) => Record<'nextNonce' | 'sendTx' | 'tx', (request: Row) => Promise<Row>>;
}
/* eslint-disable @typescript-eslint/no-require-imports -- see Official; the decoder's types are for ES modules */
const official = require('zklighter-perps') as Official;
const { decode } = require('@msgpack/msgpack') as { readonly decode: (bytes: Uint8Array, options: object) => unknown };
/* eslint-enable @typescript-eslint/no-require-imports */

const [chainId, apiKeyIndex, accountIndex] = [304, 5, 100];
/** The official library takes 64 bits as bigint. */
const account64 = BigInt(accountIndex);
let server: PaperServer;
let token: string;

beforeAll(async () => {
  server = await startPaper({ flow: 'off', bookIntervalMs: 5 });
  const { publicKey } = officialSigner().createClient(chainId, apiKeyIndex, account64);
  token = officialSigner().authToken(Math.floor(Date.now() / 1_000) + 3_600, apiKeyIndex, account64);
  await control('accounts', {
    account_index: accountIndex,
    collateral: '10000',
    api_keys: { [apiKeyIndex]: publicKey },
  });
});
afterAll(() => server.close());

async function control(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/_paper/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}

class AppStream extends Frames {
  readonly kinds = new Set<boolean>();

  private constructor(readonly socket: WebSocket) {
    super();
    socket.on('message', (data: Buffer, isBinary) => {
      this.kinds.add(isBinary);
      this.take(decode(data, { useBigInt64: true }) as Row);
    });
  }

  static async open(query: string): Promise<AppStream> {
    const stream = new AppStream(new WebSocket(`${server.wsUrl}?encoding=msgpack&readonly=true${query}`));
    await stream.next((frame) => frame['type'] === 'connected');
    return stream;
  }

  /** Client frames stay JSON text. */
  say(message: Row): void {
    this.socket.send(JSON.stringify(message));
  }

  async subscribe(channel: string, more: Row = {}): Promise<Row> {
    const from = this.frames.length;
    this.say({ type: 'subscribe', channel, ...more });
    return this.next((frame) => frame['error'] !== undefined || String(frame['type']).startsWith('subscribed/'), from);
  }
}

const appChannels = [
  'market_stats/all',
  'spot_market_stats/all',
  'asset_stats/all',
  'trade_fe/36',
  'order_book@tier2/36',
  `account_all_orders/${accountIndex}`,
  `account_all_positions_fe/${accountIndex}`,
  `account_all_trades/${accountIndex}`,
  `account_all_assets/${accountIndex}`,
  `account_spot_avg_entry_prices/${accountIndex}`,
  `user_stats/${accountIndex}`,
  `notification/${accountIndex}`,
] as const;

describe('the official TypeScript client', () => {
  it('subscribes all that the app does, with one token in the address', async () => {
    const stream = await AppStream.open(`&auth=${encodeURIComponent(token)}&server=auth`);
    for (const channel of appChannels) {
      const [name = ''] = channel.split('/');
      const frame = await stream.subscribe(channel, { flush_interval: '500' });
      const type = name === 'order_book@tier2' ? 'order_book' : name;
      expect([channel, frame['type']]).toEqual([channel, `subscribed/${type}`]);
      expect(frame['channel']).toBe(channel.replaceAll('/', ':'));
    }
    stream.say({ type: 'ping' });
    expect(await stream.next((frame) => frame['type'] === 'pong')).toEqual({ type: 'pong' });
    expect([...stream.kinds]).toEqual([true]);
    stream.socket.close();
  });

  it('quotes, takes, cancels over REST; sees it all in its stream, order indexes of 17 digits exact', async () => {
    const configuration = new official.Configuration({ basePath: server.url });
    const [orders, accounts] = [new official.OrderApi(configuration), new official.AccountApi(configuration)];
    const transactions = new official.TransactionApi(configuration);
    const stream = await AppStream.open(`&auth=${encodeURIComponent(token)}&server=auth`);
    for (const name of ['account_all_orders', 'account_all_trades', 'account_all_positions_fe'])
      await stream.subscribe(`${name}/${accountIndex}`);
    await stream.subscribe('trade_fe/36');
    await stream.subscribe('order_book@tier2/36');

    const books = (await orders.orderBooks({}))['order_books'] as Row[];
    expect(books.find((row) => row['symbol'] === 'CRV')).toMatchObject({ market_id: 36, status: 'active' });
    const place = async (clientIndex: number, price: number, isAsk: 0 | 1, timeInForce: 0 | 2): Promise<Row> => {
      const { nonce } = await transactions.nextNonce({ account_index: accountIndex, api_key_index: apiKeyIndex });
      const expiry = timeInForce === 0 ? 0 : Date.now() + 3_600_000;
      const values = [36, clientIndex, 600, price, isAsk, 0, timeInForce, 0, 0, expiry, 0, 0, 0, 0, 0];
      const signed = officialSigner().sign('SignCreateOrder', ...values, 0, nonce as number, apiKeyIndex, accountIndex);
      const answer = await transactions.sendTx({ tx_type: signed.txType, tx_info: signed.txInfo });
      expect([answer['code'], answer['tx_hash']]).toEqual([200, signed.txHash]);
      return answer;
    };

    await place(7, 20_000, 0, 2);
    const opened = await stream.next((frame) => frame['type'] === 'update/account_all_orders');
    const [order] = opened['orders']['36'] as Row[];
    expect(order).toMatchObject({ client_order_index: 7, status: 'open', market_symbol: 'CRV', order_version: 0 });
    expect(String(order!['order_index'])).toBe(order!['order_id']);
    expect(order!['order_index']).toBeGreaterThan(2n ** 53n);
    const live = await orders.accountActiveOrders({ account_index: accountIndex, market_id: 36, auth: token });
    expect(live['orders']).toHaveLength(1);

    const taken = await place(8, 21_000, 0, 0);
    const traded = await stream.next((frame) => frame['type'] === 'update/account_all_trades');
    expect((traded['trades']['36'] as Row[])[0]!['tx_hash']).toBe(taken['tx_hash']);
    await stream.next((frame) => frame['type'] === 'update/trade_fe');
    await stream.next((frame) => frame['type'] === 'update/order_book' && frame['channel'] === 'order_book@tier2:36');
    await stream.next((frame) => frame['type'] === 'update/account_all_positions_fe');
    const account = await accounts.account({ by: 'index', value: String(accountIndex) });
    expect(account['accounts'][0]['positions'][0]).toMatchObject({ position: '60.0', sign: 1 });
    expect(await accounts.accountLimits({ account_index: accountIndex, auth: token })).toMatchObject({ code: 200 });

    const { nonce } = await transactions.nextNonce({ account_index: accountIndex, api_key_index: apiKeyIndex });
    const cancel = officialSigner().sign('SignCancelOrder', 36, 7, 0, nonce as number, apiKeyIndex, accountIndex);
    await transactions.sendTx({ tx_type: cancel.txType, tx_info: cancel.txInfo });
    await stream.next((frame) => JSON.stringify(frame['orders'] ?? {}, asText).includes('"canceled"'));
    const ended = await orders.accountInactiveOrders({ account_index: accountIndex, limit: 10, auth: token });
    const statuses = (ended['orders'] as Row[]).map((row) => [row['client_order_index'], row['status']]);
    expect(statuses).toEqual([
      [7, 'canceled'],
      [8, 'filled'],
    ]);
    const tx = await transactions.tx({ by: 'hash', value: taken['tx_hash'] as string });
    expect(tx).toMatchObject({ status: 2, type: 14 });
    stream.socket.close();
  });

  it('a read-only stream takes no transaction; a channel needs its token', async () => {
    const stream = await AppStream.open('');
    stream.say({ type: 'jsonapi/sendtx', data: { id: 'a', tx_type: 14, tx_info: {} } });
    const refused = await stream.next((frame) => frame['error'] !== undefined);
    expect(refused).toEqual({ error: { code: 30006, message: "Operation isn't supported" }, id: 'a' });
    expect((await stream.subscribe(`account_all_orders/${accountIndex}`))['error']['code']).toBe(20001);
    expect((await stream.subscribe('bo_market_stats/all'))['error']).toEqual({
      code: 30005,
      message: 'Invalid Channel',
    });
    stream.socket.close();
  });
});

function asText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
