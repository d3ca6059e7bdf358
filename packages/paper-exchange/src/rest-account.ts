/** Endpoints about accounts, their orders, trades, transactions and keys (LP §1.4). */
import type { FastifyInstance } from 'fastify';
import { refuse } from './core/codes';
import type { Account, Order, Trade, TxRecord } from './core/types';
import { orderAsOf } from './core/world';
import {
  addEndpoint,
  authorize,
  badRequest,
  cursorOf,
  cursorParam,
  integerParam,
  invalidParam,
  limitParam,
  listView,
} from './rest';
import type { ListView, RestAnswer, RestCall, RestContext } from './rest';
import { accountLimitsJson, detailedAccountJson, subAccountJson } from './wire/accounts';
import { encode, RawJson } from './wire/json';
import { orderJson, tradeJson, txJson } from './wire/orders';

const allMarkets = 255;
const nilAccount = 281_474_976_710_655;
const emptyKey = '0'.repeat(80);
const firstFreeKey = 4;
/** accountOrders looks this far back (LP §1.4). */
const lookBack = { inactive: 1_000, windowMs: 86_400_000, ids: 20 } as const;

export function addAccountEndpoints(app: FastifyInstance, context: RestContext): void {
  const get = (path: string, endpoint: (call: RestCall) => RestAnswer): void =>
    addEndpoint(app, context, 'GET', `/api/v1/${path}`, endpoint);
  get('account', (call) => account(context, call));
  get('accountsByL1Address', (call) => accountsByL1Address(context, call));
  get('apikeys', (call) => apiKeys(context, call));
  get('getMakerOnlyApiKeys', (call) => makerOnlyKeys(context, call));
  addEndpoint(app, context, 'POST', '/api/v1/setMakerOnlyApiKeys', (call) => setMakerOnlyKeys(context, call));
  get('nextNonce', (call) => nextNonce(context, call));
  get('accountLimits', (call) => {
    const allowed = authorize(context, call, integerParam(call, 'account_index'));
    return 'denied' in allowed ? allowed.denied : accountLimitsJson(allowed.account);
  });
  get('accountActiveOrders', (call) => activeOrders(context, call));
  get('accountInactiveOrders', (call) => inactiveOrders(context, call));
  get('accountOrders', (call) => ordersByClientIndex(context, call));
  get('accountTxs', (call) => accountTxs(context, call));
  get('trades', (call) => trades(context, call));
}

function account(context: RestContext, call: RestCall): RestAnswer {
  const { world } = context.exchange;
  const value = call.query.get('value');
  const by = call.query.get('by');
  if (value === undefined || (by !== 'index' && by !== 'l1_address')) return invalidParam();
  if (by === 'index' && integerParam(call, 'value') === undefined) return invalidParam();
  const byIndex = world.accounts.get(Number(value));
  const found =
    by === 'index' ? (byIndex === undefined ? [] : [byIndex]) : (world.byL1Address.get(value.toLowerCase()) ?? []);
  if (found.length === 0) return badRequest(refuse(by === 'index' ? 29404 : 21100));
  const rows = found.map((one) => new RawJson(detailedAccountJson(world, one)));
  return encode({ code: 200, total: rows.length, accounts: rows });
}

function accountsByL1Address(context: RestContext, call: RestCall): RestAnswer {
  const { world } = context.exchange;
  const address = call.query.get('l1_address');
  if (address === undefined) return invalidParam();
  const found = world.byL1Address.get(address.toLowerCase());
  if (found === undefined) return badRequest(refuse(21100));
  const rows = found.map((one) => new RawJson(subAccountJson(one)));
  return encode({ code: 200, l1_address: found[0]?.l1Address ?? address, sub_accounts: rows });
}

/** 255 (default) lists all slots ever used; a revoked one shows 80 zeros (LP §1.4). */
function apiKeys(context: RestContext, call: RestCall): RestAnswer {
  const accountIndex = integerParam(call, 'account_index');
  if (accountIndex === undefined) return invalidParam();
  const found = context.exchange.world.accounts.get(accountIndex);
  const wanted = call.query.has('api_key_index') ? integerParam(call, 'api_key_index') : allMarkets;
  if (wanted === undefined) return invalidParam();
  const listed = [...(found?.keys.values() ?? [])].filter((key) => wanted === allMarkets || key.index === wanted);
  if (listed.length === 0) return badRequest(refuse(21109));
  const rows = listed.map((key) => ({
    account_index: accountIndex,
    api_key_index: key.index,
    nonce: key.bookedNext,
    public_key: key.publicKey === '' ? emptyKey : key.publicKey,
    transaction_time: key.updatedAtUs,
  }));
  return encode({ code: 200, api_keys: rows });
}

function makerOnlyKeys(context: RestContext, call: RestCall): RestAnswer {
  const allowed = authorize(context, call, integerParam(call, 'account_index'));
  if ('denied' in allowed) return allowed.denied;
  const marked = [...allowed.account.keys.values()].filter((key) => key.makerOnly);
  return encode({ code: 200, api_key_indexes: marked.map((key) => key.index) });
}

/** Replaces the whole list; 0 to 3 belong to the exchange's own apps (LP §1.4, §3.6). */
function setMakerOnlyKeys(context: RestContext, call: RestCall): RestAnswer {
  const allowed = authorize(context, call, Number(call.body['account_index']));
  if ('denied' in allowed) return allowed.denied;
  const { keys, tier } = allowed.account;
  if (tier !== 'premium') return badRequest(refuse(62002));
  const listed = /^\[(\d+(?:,\d+)*)?\]$/.exec(String(call.body['api_key_indexes']).replaceAll(' ', ''));
  if (listed === null) return invalidParam();
  const wanted = (listed[1] ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map(Number);
  if (wanted.some((index) => index < firstFreeKey || !keys.has(index))) return badRequest(refuse(21110));
  for (const key of keys.values()) key.makerOnly = wanted.includes(key.index);
  return encode({ code: 200 });
}

/** Counts what was accepted; under a `lists` fault, only what had executed by then (LP §10.5). */
function nextNonce(context: RestContext, call: RestCall): RestAnswer {
  const accountIndex = integerParam(call, 'account_index');
  const apiKeyIndex = integerParam(call, 'api_key_index');
  if (accountIndex === undefined || apiKeyIndex === undefined) return invalidParam();
  const found = context.exchange.world.accounts.get(accountIndex);
  const key = found?.keys.get(apiKeyIndex);
  if (found === undefined || key === undefined) return encode({ code: 200, nonce: 0 });
  const atUs = listView(context, call)(`key ${accountIndex}/${apiKeyIndex}`);
  if (atUs === Infinity) return encode({ code: 200, nonce: key.bookedNext });
  for (let index = found.txs.length - 1; index >= 0; index -= 1) {
    const record = found.txs[index]!;
    if (record.apiKeyIndex === apiKeyIndex && record.state === 'executed' && record.executedAtUs <= atUs) {
      return encode({ code: 200, nonce: record.nonce + 1 });
    }
  }
  return encode({ code: 200, nonce: 1 });
}

function activeOrders(context: RestContext, call: RestCall): RestAnswer {
  const accountIndex = integerParam(call, 'account_index');
  if (accountIndex === undefined) return invalidParam();
  const allowed = authorize(context, call, accountIndex);
  if ('denied' in allowed) return allowed.denied;
  const marketId = integerParam(call, 'market_id') ?? allMarkets;
  const rows: Order[] = [];
  for (const order of ordersAsOf(allowed.account, listView(context, call))) {
    if (isLiveStatus(order) && (marketId === allMarkets || order.marketId === marketId)) rows.push(order);
  }
  return orderList(context, rows, undefined);
}

function inactiveOrders(context: RestContext, call: RestCall): RestAnswer {
  const accountIndex = integerParam(call, 'account_index');
  const limit = limitParam(call, 100);
  const cursor = cursorParam(call);
  if (accountIndex === undefined || limit === undefined || cursor === undefined) return invalidParam();
  const allowed = authorize(context, call, accountIndex);
  if ('denied' in allowed) return allowed.denied;
  const marketId = integerParam(call, 'market_id') ?? allMarkets;
  const askFilter = integerParam(call, 'ask_filter') ?? -1;
  const view = listView(context, call);
  const [fromMs, untilMs] = (call.query.get('between_timestamps') ?? '').split('-').map(Number);
  const list = allowed.account.inactiveOrders;
  let start = list.length - 1;
  if (cursor !== 'first') {
    while (start >= 0 && list[start]?.indexText !== cursor) start -= 1;
    start -= 1;
  }
  const rows: Order[] = [];
  let index = start;
  for (; index >= 0 && rows.length < limit; index -= 1) {
    const order = list[index]!;
    if (order.transactionUs > view(order.indexText)) continue;
    if (marketId !== allMarkets && order.marketId !== marketId) continue;
    if (askFilter !== -1 && (order.side === 'ask') !== (askFilter === 1)) continue;
    if (fromMs !== undefined && untilMs !== undefined && (order.updatedAtMs < fromMs || order.updatedAtMs > untilMs))
      continue;
    rows.push(order);
  }
  const last = rows[rows.length - 1];
  return orderList(context, rows, index >= 0 && last !== undefined ? cursorOf(last.indexText) : undefined);
}

/** Look-up by client order indexes, at most 20; those not found are simply absent. */
function ordersByClientIndex(context: RestContext, call: RestCall): RestAnswer {
  const named = integerParam(call, 'account_index');
  const allowed = authorize(context, call, named === nilAccount ? undefined : named);
  if ('denied' in allowed) return allowed.denied;
  const texts = (call.query.get('client_order_indexes') ?? '').split(',').filter((text) => text !== '');
  if (texts.length === 0 || texts.length > lookBack.ids || texts.some((text) => !/^\d+$/.test(text)))
    return invalidParam();
  const wanted = new Set(texts.map(Number));
  const oldestMs = context.clock.nowMs() - lookBack.windowMs;
  const rows: Order[] = [];
  for (const order of ordersAsOf(allowed.account, listView(context, call), lookBack.inactive)) {
    if (wanted.has(order.clientIndex) && (isLiveStatus(order) || order.updatedAtMs >= oldestMs)) rows.push(order);
  }
  return orderList(context, rows, undefined);
}

function orderList(context: RestContext, rows: readonly Order[], nextCursor: string | undefined): RestAnswer {
  const list = rows
    .map((order) => orderJson(context.exchange.market(order.marketId).spec, order, 'snapshot'))
    .join(',');
  return `{"code":200${nextCursor === undefined ? '' : `,"next_cursor":"${nextCursor}"`},"orders":[${list}]}`;
}

/** Live and (the newest) finished orders as the list shows them. */
function* ordersAsOf(owner: Account, view: ListView, inactiveMax = 1_000): Generator<Order> {
  for (const order of owner.liveOrders.values()) {
    const then = orderAsOf(order, view(order.indexText));
    if (then !== undefined) yield then;
  }
  const list = owner.inactiveOrders;
  for (let index = list.length - 1; index >= Math.max(0, list.length - inactiveMax); index -= 1) {
    const order = list[index]!;
    const then = orderAsOf(order, view(order.indexText));
    if (then !== undefined) yield then;
  }
}

function isLiveStatus(order: Order): boolean {
  return order.status === 'open' || order.status === 'pending';
}

/** Newest first. `index` pages back: only transactions with a smaller sequence index. */
function accountTxs(context: RestContext, call: RestCall): RestAnswer {
  const value = integerParam(call, 'value');
  const limit = limitParam(call, 100);
  if (call.query.get('by') !== 'account_index' || value === undefined || limit === undefined) return invalidParam();
  const allowed = authorize(context, call, value);
  if ('denied' in allowed) return allowed.denied;
  const before = integerParam(call, 'index') ?? 0;
  const typesText = call.query.get('types');
  const types = typesText === undefined ? undefined : new Set(typesText.split(',').map(Number));
  const view = listView(context, call);
  const rows: TxRecord[] = [];
  const { txs } = allowed.account;
  for (let index = txs.length - 1; index >= 0 && rows.length < limit; index -= 1) {
    const record = txs[index]!;
    if (before > 0 && record.sequence >= before) continue;
    if (types !== undefined && !types.has(record.txType)) continue;
    const then = txAsOf(record, view(record.hash));
    if (then !== undefined) rows.push(then);
  }
  return `{"code":200,"txs":[${rows.map((record) => txJson(record, 'listed')).join(',')}]}`;
}

/** The transaction as it was at an instant: not there before it was accepted, queued until it was executed. */
function txAsOf(record: TxRecord, atUs: number): TxRecord | undefined {
  if (record.queuedAtUs > atUs) return undefined;
  if (record.state !== 'executed' || record.executedAtUs <= atUs) return record;
  return { ...record, state: 'queued', eventInfo: '{}', executedAtUs: 0, blockHeight: 0, blockTimeMs: 0 };
}

const tradeKinds = ['all', 'trade', 'liquidation', 'deleverage', 'market-settlement'];

function trades(context: RestContext, call: RestCall): RestAnswer {
  const limit = limitParam(call, 100);
  const sortBy = call.query.get('sort_by') ?? '';
  const cursor = cursorParam(call);
  if (limit === undefined || cursor === undefined || !['block_height', 'timestamp', 'trade_id'].includes(sortBy))
    return invalidParam();
  const kind = call.query.get('type') ?? 'all';
  if (!tradeKinds.includes(kind)) return invalidParam();
  const accountIndex = integerParam(call, 'account_index') ?? -1;
  const marketId = integerParam(call, 'market_id') ?? allMarkets;
  let source: readonly Trade[];
  if (accountIndex >= 0) {
    const allowed = authorize(context, call, accountIndex);
    if ('denied' in allowed) return allowed.denied;
    source = allowed.account.trades;
  } else {
    const market = context.exchange.world.markets.get(marketId);
    if (market === undefined && marketId !== allMarkets) return badRequest(refuse(21602));
    source = market?.trades ?? allTrades(context);
  }
  // Everything that happens here is a trade of a perpetual.
  if (call.query.get('market_type') === 'spot') source = [];
  const wanted = tradeFilter(context, call, {
    accountIndex,
    marketId,
    sortBy,
    kind,
    before: cursor === 'first' ? Infinity : Number(cursor),
  });
  const rows: Trade[] = [];
  let index = source.length - 1;
  for (; index >= 0 && rows.length < limit; index -= 1) {
    const trade = source[index]!;
    if (wanted(trade)) rows.push(trade);
  }
  const last = rows[rows.length - 1];
  const list = rows
    .map((trade) =>
      tradeJson(context.exchange.market(trade.marketId).spec, trade, accountIndex >= 0 ? 'own' : 'public'),
    )
    .join(',');
  return `{"code":200${index >= 0 && last !== undefined ? `,"next_cursor":"${cursorOf(last.tradeId)}"` : ''},"trades":[${list}]}`;
}

function allTrades(context: RestContext): readonly Trade[] {
  const all = [...context.exchange.world.markets.values()].flatMap((market) => market.trades);
  return all.sort((left, right) => left.tradeId - right.tradeId);
}

function tradeFilter(
  context: RestContext,
  call: RestCall,
  fixed: {
    readonly accountIndex: number;
    readonly marketId: number;
    readonly sortBy: string;
    readonly kind: string;
    readonly before: number;
  },
): (trade: Trade) => boolean {
  const { accountIndex, marketId, sortBy, kind, before } = fixed;
  const from = integerParam(call, 'from') ?? -1;
  const askFilter = integerParam(call, 'ask_filter') ?? -1;
  const role = call.query.get('role') ?? 'all';
  const orderIndex = call.query.get('order_index');
  const view = listView(context, call);
  const keyOf = (trade: Trade): number =>
    sortBy === 'timestamp' ? trade.timestampMs : sortBy === 'trade_id' ? trade.tradeId : trade.blockHeight;
  return (trade) => {
    if (kind !== 'all' && trade.kind !== kind) return false;
    if (trade.tradeId >= before || trade.transactionUs > view(`trade ${trade.tradeId}`)) return false;
    // `from` is an upper bound (LP §1.4).
    if (from >= 0 && keyOf(trade) > from) return false;
    if (marketId !== allMarkets && trade.marketId !== marketId) return false;
    if (orderIndex !== undefined && trade.ask.indexText !== orderIndex && trade.bid.indexText !== orderIndex)
      return false;
    const isAsk = trade.ask.accountIndex === accountIndex;
    if (accountIndex >= 0 && askFilter !== -1 && isAsk !== (askFilter === 1)) return false;
    const isMaker = isAsk === (trade.makerSide === 'ask');
    return accountIndex < 0 || role === 'all' || isMaker === (role === 'maker');
  };
}
