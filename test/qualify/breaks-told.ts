/** Exchanges that tell, list and match otherwise. */
import { A } from './harness';
import { filled, ordersFrame, ordersList, type Break } from './break';
import { ACCEPTED, bodyOf, eachRow, frameOf, refused, replyTo, type Fields } from './lies';

const deadlineOf = (token: string | undefined): number => Number(token?.split(':')[0]) - Date.now() / 1_000;

export const INDEX_BREAKS: Readonly<Record<string, Break>> = {
  'index-in-frames': {
    how: 'frames carry no client order index',
    lie: (bench) => ordersFrame(bench, (row) => ({ ...row, client_order_index: 0 })),
  },
  'index-in-lists': {
    how: 'ended orders carry no client order index',
    lie: (bench) => ordersList(bench, 'accountInactiveOrders', (row) => ({ ...row, client_order_index: 0 })),
  },
  'index-in-transactions': {
    how: "a transaction's event names another order",
    lie: (bench) =>
      bodyOf(bench, 'accountTxs', (body) =>
        eachRow(body, 'txs', (row) => ({ ...row, event_info: String(row['event_info']).replace(/"u":\d+/, '"u":1') })),
      ),
  },
  'index-in-trades': {
    how: 'listed trades carry no client order index',
    lie: (bench) => bodyOf(bench, 'trades', (body) => eachRow(body, 'trades', (row) => ({ ...row, bid_client_id: 0 }))),
  },
  'index-48-bits': {
    how: 'a large index is not found',
    lie: (bench) =>
      bodyOf(bench, 'accountOrders', (body, query) =>
        Number(query.get('client_order_indexes')) >= 2 ** 47 ? { ...body, orders: [] } : body,
      ),
  },
};

export const STREAM_BREAKS: Readonly<Record<string, Break>> = {
  'stream-orders': {
    how: 'the end is told twice',
    lie: ({ middle }) => {
      middle.onFrame = ({ direction, text }) =>
        direction === 'in' && text.includes('update/account_all_orders') && text.includes('"canceled"')
          ? [text, text]
          : undefined;
    },
  },
  'stream-filled': {
    how: 'a cancelled order shows its whole amount as filled',
    lie: (bench) =>
      ordersFrame(bench, (row) => (row['status'] === 'canceled' ? { ...filled(row), status: 'canceled' } : row)),
  },
  'stream-snapshot': {
    how: 'the first frame is empty',
    lie: (bench) => frameOf(bench, 'subscribed/account_all_orders', (body) => ({ ...body, orders: {} })),
  },
  'stream-trades': {
    how: 'no trade is told',
    lie: (bench) => frameOf(bench, 'update/account_all_trades', () => undefined),
  },
  'stream-tx': {
    how: 'the channel does not exist',
    lie: async ({ control }) => {
      await control('faults', {
        on: 'subscribe',
        action: 'refuse',
        code: 30005,
        match: { channel: 'account_tx' },
        count: 0,
      });
    },
  },
  'stream-outlives-token': {
    how: 'a stream is silent once its token is over',
    lie: ({ middle }) => {
      const brief = new Set<number>();
      middle.onFrame = ({ direction, text, stream }) => {
        const auth = direction === 'out' ? /"auth":"([^"]+)"/.exec(text)?.[1] : undefined;
        if (auth !== undefined && deadlineOf(auth) < 60) brief.add(stream);
        return direction === 'in' && brief.has(stream) && text.includes('update/account_all_orders') ? [] : undefined;
      };
    },
  },
  'token-life': {
    how: 'tokens of four hours are refused',
    lie: ({ middle }) => {
      middle.onRequest = ({ path, headers }) =>
        path.endsWith('accountLimits') && Math.abs(deadlineOf(headers.authorization) - 4 * 3_600) < 600
          ? { status: 401, body: '{"code":20013,"message":"invalid auth: invalid deadline"}' }
          : undefined;
    },
  },
  'token-bounds': {
    how: 'tokens of nine hours are taken',
    lie: ({ middle }) => {
      middle.onRequest = ({ path, headers }) =>
        path.endsWith('accountLimits') && deadlineOf(headers.authorization) > 8.5 * 3_600
          ? { status: 200, body: '{"code":200}' }
          : undefined;
    },
  },
};

export const LIST_BREAKS: Readonly<Record<string, Break>> = {
  'lists-lag': {
    how: 'a list lags for long',
    lie: async ({ control }) => {
      await control('faults', {
        on: 'lists',
        action: 'lag',
        ms: 5_000,
        match: { path: 'accountInactiveOrders' },
        count: 0,
      });
    },
  },
  'lists-rows': {
    how: 'a row is visible later than the ones after it',
    lie: (bench) => {
      let readings = 0;
      bodyOf(bench, 'accountTxs', (body, query) => {
        if (query.get('limit') !== '50' || ++readings > 2) return body;
        return { ...body, txs: (body['txs'] as Fields[]).filter((_row, i) => i !== 3) };
      });
    },
  },
  'lists-paging': {
    how: 'index is not understood',
    lie: (bench) => bodyOf(bench, 'accountTxs', (body, query) => (query.has('index') ? { ...body, txs: [] } : body)),
  },
  'lists-nonce': {
    how: 'rows show other nonces',
    lie: (bench) =>
      bodyOf(bench, 'accountTxs', (body, query) =>
        query.get('limit') === '100'
          ? eachRow(body, 'txs', (row) => ({ ...row, nonce: Number(row['nonce']) + 1 }))
          : body,
      ),
  },
  'lists-next-nonce': {
    how: 'it stays behind by one',
    lie: (bench) => bodyOf(bench, 'nextNonce', (body) => ({ ...body, nonce: Math.max(0, Number(body['nonce']) - 1) })),
  },
  'lists-trades': {
    how: 'a trade is listed with another size',
    lie: (bench) =>
      bodyOf(bench, 'trades', (body, query) =>
        query.get('limit') === '100' ? eachRow(body, 'trades', (row) => ({ ...row, size: '0.00002' })) : body,
      ),
  },
};

const ioc = (row: Fields): boolean => row['time_in_force'] === 'immediate-or-cancel';
const hasEnded = (row: Fields, status: string): boolean => row['status'] === status;

export const ORDER_BREAKS: Readonly<Record<string, Break>> = {
  'order-post-only': {
    how: 'it trades',
    lie: (bench) => ordersFrame(bench, (row) => (hasEnded(row, 'canceled-post-only') ? filled(row) : row)),
  },
  'order-below-minimum': {
    how: 'one lot is refused',
    lie: (bench) =>
      replyTo(bench, ({ info, txType }) => (txType === 14 && info['BaseAmount'] === 1 ? refused(21706) : undefined)),
  },
  'order-bound': {
    how: 'it executes beyond its price',
    lie: (bench) => ordersFrame(bench, (row) => (hasEnded(row, 'canceled-too-much-slippage') ? filled(row) : row)),
  },
  'order-far-bound': {
    how: 'a market order bounded far off is refused',
    lie: (bench) =>
      replyTo(bench, ({ info }) =>
        info['Type'] === 1 && info['IsAsk'] === 0 && Number(info['Price']) > 1.05 * 1_094_000
          ? refused(21734)
          : undefined,
      ),
  },
  'order-seal': {
    how: 'the seal trades',
    lie: (bench) =>
      ordersFrame(bench, (row) =>
        row['type'] === 'limit' && ioc(row) && hasEnded(row, 'canceled-not-enough-liquidity') ? filled(row) : row,
      ),
  },
  'order-reduce-only': {
    how: 'more is filled than the position',
    lie: (bench) =>
      ordersFrame(bench, (row) =>
        row['reduce_only'] === true && row['initial_base_amount'] === '0.00005' ? filled(row) : row,
      ),
  },
  'order-self-trade': {
    how: "A's own order is traded with",
    lie: (bench) => {
      ordersFrame(bench, (row) => (hasEnded(row, 'canceled-self-trade') ? filled(row) : row));
      frameOf(bench, 'update/account_all_trades', (body) =>
        eachRow(body, 'trades', (row) => ({ ...row, ask_account_id: A })),
      );
    },
  },
  'order-expiry': {
    how: 'another expiry is kept',
    lie: (bench) =>
      ordersList(bench, 'accountOrders', (row) => ({ ...row, order_expiry: Number(row['order_expiry']) + 60_000 })),
  },
  'order-expiry-bounds': {
    how: 'four minutes are taken',
    lie: (bench) =>
      replyTo(bench, ({ info }) => {
        const aheadMs = Number(info['OrderExpiry']) - Date.now();
        return aheadMs > 0 && aheadMs < 290_000 ? ACCEPTED : undefined;
      }),
  },
  'order-cancel-race': {
    how: 'the list tells another amount than the frame',
    lie: (bench) => ordersList(bench, 'accountInactiveOrders', (row) => ({ ...row, filled_base_amount: '0.00001' })),
  },
};
