/** The account stream: snapshot, changes, the gap after a cut (S-07), poison frames (S-33), tokens, lagging lists (S-11). */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import { systemClock, type Clock } from '../../src/clock';
import { openLighter, type Signer, type Trouble } from '../../src/exchange/lighter';
import { silentLog, type Log } from '../../src/exchange/lighter/log';
import type { AccountPort, ExchangePort, OrdersFrame, StreamState } from '../../src/exchange/port';
import type { ClientOrderIndex, Nonce } from '../../src/domain/ids-and-nonces';
import type { TxRecord } from '../../src/domain/records';
import { FakeLighter, FAST, fixture, HASH, signed, until, type FakeAnswer, type Message } from './support';

const INACTIVE = '/api/v1/accountInactiveOrders';
const BY_ID = '/api/v1/accountOrders';
const ACTIVE = '/api/v1/accountActiveOrders';
const template = fixture<{ orders: Record<string, unknown>[] }>('account-active-orders.json').orders[0] ?? {};

/** As it is recorded by third parties: without `txs` (LP §5.4). */
const TX_ACKNOWLEDGED = '{"type":"subscribed/account_tx","channel":"account_tx:516"}';
const TRADES_ACKNOWLEDGED = '{"type":"subscribed/account_all_trades","channel":"account_all_trades:516","trades":{}}';

interface OrderParts {
  readonly id: number;
  readonly client?: number;
  readonly filled?: string;
  readonly status?: string;
  readonly timeUs?: number;
}
const order = ({ id, client = 0, filled = '0.00000', status = 'open', timeUs = 1785542568396486 }: OrderParts) => ({
  ...template,
  order_index: id,
  order_id: String(id),
  client_order_index: client,
  client_order_id: String(client),
  filled_base_amount: filled,
  status,
  transaction_time: timeUs,
});
const snapshot = (...orders: unknown[]) => ({
  type: 'subscribed/account_all_orders',
  channel: 'account_all_orders:516',
  orders: orders.length === 0 ? {} : { '1': orders },
});
const change = (...orders: unknown[]) => ({ ...snapshot(...orders), type: 'update/account_all_orders' });

let lighter: FakeLighter;
let exchange: ExchangePort;
let account: AccountPort;
let frames: OrdersFrame[];
let txs: TxRecord[];
let states: StreamState[];
let malformed: string[];
let minted: string[];
let troubles: Trouble[];
let live: unknown[];
/** What the server does with the orders subscription; default: sends the snapshot of `live`. */
let subscribed: (socket: WebSocket, message: Message) => void;

const signer = {
  register: () => () => undefined,
  authToken: ({ deadlineS }: { deadlineS: number }) => {
    const token = `${deadlineS}:516:5:${minted.length}`;
    minted.push(token);
    return Promise.resolve(token);
  },
} as unknown as Signer;

interface Options {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly tokenLifeMs?: number;
  readonly lookMs?: number;
  readonly tradeGraceMs?: number;
  readonly quietMs?: number;
  readonly pongMs?: number;
}
function open({ tokenLifeMs, clock = systemClock, log = silentLog, ...times }: Options = {}): void {
  exchange = openLighter({
    baseUrl: lighter.url,
    ...{ signer, clock, log },
    sessionTimes: { ...FAST, ...times },
    restDeadlineMs: 5_000,
    onMalformed: (_what, reason) => malformed.push(reason),
    onTrouble: (trouble) => troubles.push(trouble),
    ...(tokenLifeMs === undefined ? {} : { tokenLifeMs }),
  });
  account = exchange.openAccount({ accountIndex: 516, keys: new Map([[5, 'key']]) });
  account.stream.on('orders', (frame) => frames.push(frame));
  account.stream.on('txs', (some) => txs.push(...some));
  account.stream.on('state', (state) => states.push(state));
}
const cut = (): void => lighter.sockets.at(-1)?.terminate();
const rows = (...orders: unknown[]): FakeAnswer => ({ body: { code: 200, orders } });
const shown = () =>
  frames.flatMap(({ kind, orders }) => orders.map((o) => `${kind} ${o.orderIndex} ${o.status} ${o.filledLots}`));
/** When this order frame has been seen, so has everything that was pushed before it. */
const changed = async (id: number): Promise<void> => {
  lighter.push(change(order({ id, client: 0 })));
  await until(() => shown().some((text) => text.startsWith(`change ${id} `)), 'the last frame');
};

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  frames = [];
  txs = [];
  states = [];
  malformed = [];
  minted = [];
  troubles = [];
  live = [];
  subscribed = (socket) => socket.send(JSON.stringify(snapshot(...live)));
  lighter.routes.set(INACTIVE, () => rows());
  lighter.routes.set(BY_ID, () => rows());
  lighter.onMessage = (message, socket) => {
    if (message['type'] === 'ping') socket.send('{"type":"pong"}');
    if (message['channel'] === 'account_all_orders/516') subscribed(socket, message);
    if (message['channel'] === 'account_tx/516') socket.send(TX_ACKNOWLEDGED);
    if (message['channel'] === 'account_all_trades/516') socket.send(TRADES_ACKNOWLEDGED);
  };
});
afterEach(async () => {
  await exchange.close();
  await lighter.close();
});

describe('S-07 a frame that is lost on a connection that lives', () => {
  const TIME = 1785542568396486;
  const ask = (id: number, client: number, timeUs: number) => ({
    ...{ trade_id: timeUs % 1e9, market_id: 1, size: '0.00100', price: '60000.0', timestamp: Math.floor(timeUs / 1e3) },
    ...{ ask_id: id, ask_id_str: String(id), ask_client_id: client, ask_client_id_str: String(client) },
    ...{ bid_id: 99, bid_id_str: '99', ask_account_id: 516, bid_account_id: 9, transaction_time: timeUs },
  });
  const trades = (...list: object[]) => ({
    ...{ type: 'update/account_all_trades', channel: 'account_all_trades:516', trades: { '1': list } },
  });
  const asked = (path: string): number => lighter.requests.filter((request) => request.path === path).length;
  const requests = (): number => lighter.requests.length;
  /** So long that our side asked twice whether the server is there. */
  const quiet = async (): Promise<void> => {
    const pings = (): number => lighter.messages.filter(({ type }) => type === 'ping').length;
    const before = pings();
    await until(() => pings() >= before + 2, 'two pings');
  };

  test("is missed as soon as the trades tell of the fill; the amount is the record's", async () => {
    live = [order({ id: 11, client: 1280 })];
    open({ tradeGraceMs: 10 });
    await account.stream.whenLive();
    const filled = order({ id: 11, client: 1280, filled: '0.00300', status: 'filled', timeUs: TIME + 1 });
    lighter.routes.set(BY_ID, ({ query }) => (query.get('client_order_indexes') === '1280' ? rows(filled) : rows()));
    lighter.push(trades(ask(11, 1280, TIME + 1)));
    await until(() => frames.length > 1, 'the fill');
    expect(shown()).toEqual(['snapshot 11 open 0', 'read 11 filled 300']);
    expect(asked(BY_ID)).toBe(1);
  });

  test('is missed too when it was the only one that spoke of the order', async () => {
    open({ tradeGraceMs: 10 });
    await account.stream.whenLive();
    lighter.routes.set(BY_ID, () => rows(order({ id: 11, client: 1280, filled: '0.00100', status: 'filled' })));
    lighter.push(trades(ask(11, 1280, TIME)));
    await until(() => shown().includes('read 11 filled 100'), 'the fill');
  });

  test('of a second partial fill is missed although the first was shown; the read is repeated until lists know it', async () => {
    live = [order({ id: 11, client: 1280 })];
    open({ tradeGraceMs: 10 });
    await account.stream.whenLive();
    const first = order({ id: 11, client: 1280, filled: '0.00100', timeUs: TIME + 1 });
    const second = order({ id: 11, client: 1280, filled: '0.00200', timeUs: TIME + 2 });
    lighter.routes.set(BY_ID, () => rows(asked(BY_ID) < 3 ? first : second));
    lighter.push(change(first));
    lighter.push(trades(ask(11, 1280, TIME + 1)));
    lighter.push(trades(ask(11, 1280, TIME + 2)));
    await until(() => shown().includes('read 11 open 200'), 'the second fill');
    expect(shown()).toEqual(['snapshot 11 open 0', 'change 11 open 100', 'read 11 open 200']);
  });

  test('with 250 orders open and nothing happening no order costs a request; all together cost the slow look', async () => {
    live = Array.from({ length: 250 }, (_, i) => order({ id: i + 1, client: (i + 1) * 128 }));
    lighter.routes.set(ACTIVE, () => rows(...(live as object[])));
    open({ lookMs: 20 });
    await account.stream.whenLive();
    const [all, looks] = [requests(), asked(ACTIVE)];
    await until(() => asked(ACTIVE) > looks + 3, 'some looks');
    expect(requests() - all).toBe(asked(ACTIVE) - looks);
    expect(frames).toHaveLength(1);
  });

  test('trades whose orders were shown, old ones told again, those of others and unreadable ones cost no request', async () => {
    live = [order({ id: 11, client: 1280 }), order({ id: 12, client: 1408 })];
    open({ tradeGraceMs: 1 });
    await account.stream.whenLive();
    const before = requests();
    lighter.push({ ...trades(ask(7, 896, TIME - 5)), type: 'subscribed/account_all_trades' });
    lighter.push(change(order({ id: 11, client: 1280, filled: '0.00100', status: 'filled', timeUs: TIME + 1 })));
    lighter.push(trades(ask(11, 1280, TIME + 1)));
    lighter.push(change(order({ id: 12, client: 1408, filled: '0.00100', timeUs: TIME + 2 })));
    lighter.push(trades(ask(12, 1408, TIME + 2)));
    lighter.push(change(order({ id: 17, client: 1920, filled: '0.00100', timeUs: 0 }))); // a record without a time
    lighter.push(trades(ask(17, 1920, TIME + 2)));
    lighter.push(trades({ ...ask(13, 1536, TIME + 3), ask_account_id: 9 }));
    lighter.push(trades(ask(14, 0, TIME + 3))); // without an index of ours it cannot be asked for
    lighter.push({ ...trades(ask(15, 1664, TIME + 3)), channel: 'account_all_trades:517' });
    for (const some of [null, [], {}]) lighter.push({ ...trades(), trades: some });
    lighter.push({ ...trades(), trades: 7 });
    lighter.push(trades({ ...ask(16, 1792, TIME + 3), ask_id: undefined, ask_id_str: undefined }));
    await changed(20);
    await until(() => malformed.length === 2, 'the unreadable ones, after their grace');
    expect(requests()).toBe(before);
    expect(lighter.connections).toBe(1);
  });

  test('the trades are heard again after a reconnect, and what was missed before it stays missed', async () => {
    open({ tradeGraceMs: 10 });
    await account.stream.whenLive();
    lighter.push(trades(ask(11, 1280, TIME)));
    cut();
    lighter.routes.set(BY_ID, ({ query }) =>
      rows(
        order({
          id: Number(query.get('client_order_indexes')) === 1280 ? 11 : 12,
          client: Number(query.get('client_order_indexes')),
          filled: '0.00100',
          status: 'filled',
        }),
      ),
    );
    await until(
      () => lighter.messages.filter(({ channel }) => channel === 'account_all_trades/516').length === 2,
      'again',
    );
    lighter.push(trades(ask(12, 1408, TIME)));
    await until(() => shown().includes('read 12 filled 100'), 'the fill after the reconnect');
    await until(() => shown().includes('read 11 filled 100'), 'the fill before the reconnect');
  });

  test('with the trade frame lost as well, one read of all that lives finds it, however many live', async () => {
    live = Array.from({ length: 50 }, (_, i) => order({ id: i + 1, client: (i + 1) * 128 }));
    const part = order({ id: 7, client: 7 * 128, filled: '0.00100', timeUs: TIME + 1 });
    const ended = order({ id: 9, client: 9 * 128, filled: '0.00100', status: 'filled', timeUs: TIME + 1 });
    const left = (live as ReturnType<typeof order>[]).filter(({ order_index: id }) => id !== 7 && id !== 9);
    lighter.routes.set(ACTIVE, () => rows(...left, part));
    lighter.routes.set(BY_ID, ({ query }) => (query.get('client_order_indexes') === '1152' ? rows(ended) : rows()));
    open({ lookMs: 20 });
    await account.stream.whenLive();
    await until(() => shown().includes('read 9 filled 100'), 'the order that ended');
    expect(shown().filter((text) => text.startsWith('read'))).toEqual(['read 7 open 100', 'read 9 filled 100']);
    await until(() => asked(ACTIVE) > 3, 'further looks');
    expect(asked(BY_ID)).toBe(1);
    expect(frames).toHaveLength(2);
  });

  test('nobody looks while nothing lives; an order that only a read has shown is looked after', async () => {
    lighter.routes.set(ACTIVE, () => rows());
    open({ lookMs: 20, quietMs: 100, pongMs: 3_500 });
    await account.stream.whenLive();
    await changed(20);
    lighter.push(change(order({ id: 20, client: 0, status: 'canceled' })));
    await until(() => shown().at(-1) === 'change 20 canceled 0', 'the end of it');
    const before = asked(ACTIVE);
    lighter.routes.set(BY_ID, () => rows(order({ id: 11, client: 1280 })));
    await account.findOrders([1280n as ClientOrderIndex]);
    lighter.routes.set(BY_ID, () => rows(order({ id: 11, client: 1280, filled: '0.00100', status: 'filled' })));
    await until(() => shown().includes('read 11 filled 100'), 'the fill');
    const after = asked(ACTIVE);
    expect(after - before).toBeGreaterThan(0);
    await quiet();
    expect(asked(ACTIVE)).toBe(after);
  });

  test('a list that lags does not bring back an order that has ended', async () => {
    live = [order({ id: 11, client: 1280 }), order({ id: 12, client: 1408 })];
    lighter.routes.set(ACTIVE, () => rows(...live.map((some) => some as object)));
    open({ lookMs: 20 });
    await account.stream.whenLive();
    lighter.push(change(order({ id: 11, client: 1280, filled: '0.00100', status: 'filled', timeUs: TIME + 1 })));
    await until(() => frames.length === 2, 'the end');
    const looks = asked(ACTIVE);
    await until(() => asked(ACTIVE) > looks + 1, 'two looks');
    expect(shown()).toEqual(['snapshot 11 open 0', 'snapshot 12 open 0', 'change 11 filled 100']);
  });
});

describe.each(['account_tx', 'account_all_trades'])('S-52 the channel %s', (channel) => {
  /** Deadlines of subscriptions and the pauses before the next one: they run when the test says so. */
  let due: Set<() => void>;
  const clock: Clock = {
    ...systemClock,
    after(delayMs, action) {
      if (delayMs !== 5_000 && delayMs !== 55_000) return systemClock.after(delayMs, action);
      due.add(action);
      return () => due.delete(action);
    },
  };
  const elapse = (): void => {
    for (const action of [...due]) if (due.delete(action)) action();
  };
  const asked = (): number => lighter.messages.filter((message) => message['channel'] === `${channel}/516`).length;
  const answers = (answer: string | undefined): void => {
    const { onMessage } = lighter;
    lighter.onMessage = (message, socket) => {
      if (message['channel'] !== `${channel}/516`) onMessage(message, socket);
      else if (answer !== undefined) socket.send(answer);
    };
  };
  beforeEach(() => {
    due = new Set();
  });

  test.each([
    ['rejected', '{"error":{"code":30005,"message":"Invalid Channel"}}'],
    ['refused for its token', '{"error":{"code":20001,"message":"invalid param : auth field is required: x"}}'],
    ['silent', undefined],
    ['renamed', `{"type":"subscribed/${channel}_v2","channel":"${channel}_v2:516","txs":[]}`],
  ])('%s: the stream lives on the one connection, and it is told once', async (_, answer) => {
    answers(answer);
    subscribed = (socket) => void setTimeout(() => socket.send(JSON.stringify(snapshot(...live))), 100);
    open({ clock });
    await account.stream.whenLive();
    await until(() => asked() === 1, 'asked for');
    await changed(20);
    elapse();
    expect(troubles).toEqual([
      expect.objectContaining({ kind: 'channel-missing', what: expect.stringMatching(channel) }),
    ]);
    elapse(); // a minute later
    await until(() => asked() === 2, 'asked for again');
    elapse();
    expect(troubles).toHaveLength(1);
    expect(account.stream.state).toBe('live');
    expect(lighter.connections).toBe(1);
    expect(minted).toHaveLength(1);
  });

  test('served, its acknowledgement lost: what it brings tells', async () => {
    answers(undefined);
    open({ clock });
    await account.stream.whenLive();
    await until(() => asked() === 1, 'asked for');
    lighter.push({ type: `update/${channel}`, channel: `${channel}:516`, trades: {}, txs: [] });
    await changed(20);
    elapse();
    expect(troubles).toEqual([]);
  });

  test('served: nothing is told', async () => {
    open({ clock });
    await account.stream.whenLive();
    await until(() => asked() === 1, 'asked for');
    await changed(20);
    elapse();
    expect(troubles).toEqual([]);
    expect(malformed).toEqual([]);
  });
});

test('S-52 an error frame that can only answer a transaction does not speak against the subscription', async () => {
  subscribed = (socket) => {
    socket.send('{"error":{"code":21739,"message":"not enough margin to create the order"}}');
    socket.send(JSON.stringify(snapshot()));
  };
  open();
  await account.stream.whenLive();
  expect(lighter.connections).toBe(1);
  expect(minted).toHaveLength(1);
});

test('snapshot, then changes; live only after both snapshot and gap', async () => {
  live = [order({ id: 11 })];
  open();
  expect(account.stream.state).toBe('connecting');
  await account.stream.whenLive();
  const pushedAtMs = systemClock.monotonicMs();
  lighter.push(change(order({ id: 11, filled: '0.00040' })));
  lighter.push(change(order({ id: 11, filled: '0.00100', status: 'filled' })));
  await until(() => frames.length === 3, 'three frames');
  expect(shown()).toEqual(['snapshot 11 open 0', 'change 11 open 40', 'change 11 filled 100']);
  expect(states).toEqual(['live']);
  expect(frames[2]?.receivedAtMs).toBeGreaterThanOrEqual(pushedAtMs);
  expect(frames[2]?.receivedAtMs).toBeLessThanOrEqual(systemClock.monotonicMs());
  await until(() => lighter.messages.length >= 3, 'all subscribed');
  const subscriptions = lighter.messages.filter(({ type }) => type === 'subscribe');
  expect(subscriptions.map(({ channel, auth }) => [channel, auth])).toEqual([
    ['account_all_orders/516', minted[0]],
    ['account_all_trades/516', undefined],
    ['account_tx/516', minted[0]],
  ]);
});

test('an update before the snapshot is dropped; frames of other accounts and channels too', async () => {
  subscribed = (socket) => {
    socket.send(JSON.stringify(change(order({ id: 9 }))));
    socket.send(JSON.stringify({ ...snapshot(order({ id: 8 })), channel: 'account_all_orders:517' }));
    socket.send(JSON.stringify(snapshot()));
  };
  open();
  await account.stream.whenLive();
  expect(frames.map(({ kind, orders }) => [kind, orders.length])).toEqual([['snapshot', 0]]);
});

test('S-07 a fill inside the gap is shown after the reconnect, before live', async () => {
  live = [order({ id: 11, client: 128 }), order({ id: 12, client: 256 })];
  open();
  await account.stream.whenLive();
  live = [order({ id: 12, client: 256, filled: '0.00030', timeUs: 1785542568496486 })];
  const ended = order({ id: 11, client: 128, filled: '0.00100', status: 'filled', timeUs: 1785542568596486 });
  lighter.routes.set(INACTIVE, () => rows(ended));
  frames = [];
  cut();
  await until(() => states.at(-1) === 'stale', 'stale');
  await account.stream.whenLive();
  expect(shown()).toEqual(['snapshot 12 open 30', 'read 11 filled 100']);
  expect(states).toEqual(['live', 'stale', 'live']);
});

test('S-07 an order placed and ended inside the gap, of which no frame ever spoke, is shown too', async () => {
  open();
  await account.stream.whenLive();
  lighter.push(change(order({ id: 5, status: 'canceled' })));
  await until(() => shown().length === 1, 'a first frame');
  lighter.routes.set(INACTIVE, () =>
    rows(order({ id: 77, client: 384, filled: '0.00100', status: 'filled', timeUs: 1785542569000000 })),
  );
  cut();
  await until(() => states.length === 3 && states.at(-1) === 'live', 'live again');
  expect(shown().at(-1)).toBe('read 77 filled 100');
});

test('S-07 an order missing from the inactive list is looked up by its client index', async () => {
  live = [order({ id: 11, client: 128 })];
  open();
  await account.stream.whenLive();
  live = [];
  lighter.routes.set(BY_ID, ({ query }) =>
    query.get('client_order_indexes') === '128'
      ? rows(order({ id: 11, client: 128, filled: '0.00020', status: 'canceled' }))
      : rows(),
  );
  cut();
  await until(() => states.length === 3, 'live again');
  expect(shown().at(-1)).toBe('read 11 canceled 20');
});

test('S-11 an order that no list shows yet is chased until one does; absence concludes nothing', async () => {
  live = [order({ id: 11, client: 128 })];
  open();
  await account.stream.whenLive();
  live = [];
  let asked = 0;
  lighter.routes.set(BY_ID, () => {
    asked += 1;
    return asked < 3 ? rows() : rows(order({ id: 11, client: 128, filled: '0.00100', status: 'filled' }));
  });
  cut();
  await until(() => shown().at(-1) === 'read 11 filled 100', 'the terminal record');
  expect(asked).toBe(3);
  expect(shown().filter((text) => text.startsWith('read'))).toHaveLength(1);
});

test('a gap that cannot be read keeps the stream from being live', async () => {
  let asked = 0;
  lighter.routes.set(INACTIVE, () => (++asked < 3 ? { status: 503, raw: 'no' } : rows()));
  open();
  await account.stream.whenLive();
  expect(asked).toBe(3);
  expect(states).toEqual(['live']);
});

test('S-33 poison frames are rejected and counted; good orders beside a bad one get through', async () => {
  live = [order({ id: 11 })];
  open();
  await account.stream.whenLive();
  for (const orders of [7, 'x', [1], { '1': 5 }, undefined]) {
    lighter.push({ type: 'update/account_all_orders', channel: 'account_all_orders:516', orders });
  }
  lighter.push(
    change({ order_id: 'x' }, { ...order({ id: 11 }), price: 'free' }, order({ id: 12, filled: '0.00001' })),
  );
  lighter.push(change({ ...order({ id: 13 }), owner_account_index: 9 }));
  lighter.push('{"type":"update/account_tx","channel":"account_tx:516","txs":"no"}');
  lighter.push(change(order({ id: 11, filled: '0.00050' })));
  await until(() => shown().at(-1) === 'change 11 open 50', 'the good frame');
  expect(shown()).toEqual(['snapshot 11 open 0', 'change 12 open 1', 'change 11 open 50']);
  expect(malformed).toHaveLength(9);
  expect(lighter.connections).toBe(1);
});

describe('P-23 an order whose status is a word that we do not know', () => {
  const strange = { id: 11, client: 1280, filled: '0.00030', status: 'paused-of-tomorrow' };

  test('is a fill at once, is told by its word, and is read again until its status is known', async () => {
    live = [order({ id: 11, client: 1280 })];
    let isKnown = false;
    lighter.routes.set(BY_ID, () => rows(order(isKnown ? { ...strange, status: 'canceled' } : strange)));
    open();
    await account.stream.whenLive();
    lighter.push(change(order(strange)));
    await until(() => shown().length === 2, 'the fill');
    expect(shown()[1]).toBe('change 11 unknown 30');
    expect(account.stream.own.open(1)).toHaveLength(1);
    const asked = (): number => lighter.requests.filter(({ path }) => path === BY_ID).length;
    await until(() => asked() > 1, 'a second reading');
    isKnown = true;
    await until(() => shown().length === 3, 'its end');
    expect(shown()[2]).toBe('read 11 canceled 30');
    expect(troubles).toEqual([
      expect.objectContaining({ kind: 'unreadable', what: expect.stringContaining('"paused-of-tomorrow"') }),
    ]);
  });

  test('is over when the exchange lists it among those that have ended', async () => {
    open();
    await account.stream.whenLive();
    lighter.routes.set(INACTIVE, () => rows(order(strange)));
    lighter.push(change(order(strange)));
    await until(() => shown().includes('read 11 canceled 30'), 'its end');
    expect(account.stream.own.open(1)).toEqual([]);
  });
});

test('P-23 a row that cannot be read is told, and its order is read again by its index', async () => {
  open();
  await account.stream.whenLive();
  lighter.routes.set(BY_ID, ({ query }) =>
    query.get('client_order_indexes') === '1280' ? rows(order({ id: 11, client: 1280, filled: '0.00030' })) : rows(),
  );
  lighter.push(change({ ...order({ id: 11, client: 1280 }), is_ask: 'no' }));
  await until(() => shown().includes('read 11 open 30'), 'the fill');
  expect(troubles).toEqual([expect.objectContaining({ kind: 'unreadable', what: expect.stringContaining('is_ask') })]);
});

test('null frames say nothing', async () => {
  open();
  await account.stream.whenLive();
  for (let n = 0; n < 3; n += 1) lighter.push('null');
  lighter.push(change(order({ id: 12 })));
  await until(() => shown().length > 0, 'the frame behind them');
  expect(malformed).toEqual([]);
});

test('a listener that throws disturbs neither the stream nor the other listeners', async () => {
  open();
  account.stream.on('orders', () => {
    throw new Error('mine');
  });
  const seen: OrdersFrame[] = [];
  const stop = account.stream.on('orders', (frame) => seen.push(frame));
  await account.stream.whenLive();
  stop();
  lighter.push(change(order({ id: 11 })));
  await until(() => frames.length === 2, 'the change');
  expect(seen).toHaveLength(1);
  expect(account.stream.state).toBe('live');
});

test('account_tx: rejections of the sequencer reach the listeners (P-06)', async () => {
  open();
  await account.stream.whenLive();
  lighter.push({
    type: 'update/account_tx',
    channel: 'account_tx:516',
    txs: [fixture('tx-rejected-by-sequencer.json')],
  });
  await until(() => txs.length === 1, 'the transaction');
  expect(txs[0]).toMatchObject({ nonce: 7n, status: 'executed', rejection: { code: 21728 } });
});

describe('tokens', () => {
  test('a rejected subscription leads to a fresh token and a fresh connection', async () => {
    subscribed = (socket, message) =>
      message['auth'] === minted[0]
        ? socket.send('{"error":{"code":20013,"message":"invalid auth: invalid deadline"}}')
        : socket.send(JSON.stringify(snapshot()));
    open();
    await account.stream.whenLive();
    expect(minted).toHaveLength(2);
  });

  test('renewed before its deadline on a fresh connection that follows without a gap', async () => {
    live = [order({ id: 11, client: 128 })];
    open({ tokenLifeMs: 400 });
    await account.stream.whenLive();
    live = [];
    lighter.routes.set(INACTIVE, () => rows(order({ id: 11, client: 128, status: 'filled', filled: '0.00100' })));
    await until(() => shown().includes('read 11 filled 100'), 'the new snapshot lacks it, so it was read');
    await until(() => lighter.connections >= 4, 'renewed while the one before the last still delivers');
    await until(() => minted.length >= 4, 'each with a token of its own');
    expect(states).toEqual(['live']);
  });
});

test('no snapshot, no life: closing rejects those who wait', async () => {
  subscribed = () => undefined;
  open();
  const waiting = account.stream.whenLive();
  const rejected = expect(waiting).rejects.toThrow(/closed/);
  await until(() => lighter.messages.length >= 1, 'subscribed');
  await account.close();
  await rejected;
  expect(account.stream.state).toBe('closed');
  await expect(account.stream.whenLive()).rejects.toThrow(/closed/);
});

test('an order in a market that was listed after the start: read again, then shown', async () => {
  const all = fixture<{ order_books: { market_id: number }[] }>('order-books.json');
  let books = all.order_books.filter(({ market_id }) => market_id !== 36);
  lighter.routes.set('/api/v1/orderBooks', () => ({ body: { code: 200, order_books: books } }));
  let now = 0;
  exchange = openLighter({
    baseUrl: lighter.url,
    signer,
    sessionTimes: FAST,
    clock: {
      epochMs: () => Date.now(),
      monotonicMs: () => performance.now() + now,
      after: (delayMs, action) => {
        const timer = setTimeout(action, delayMs);
        return () => clearTimeout(timer);
      },
      random: () => 0.5,
    },
  });
  account = exchange.openAccount({ accountIndex: 516, keys: new Map([[5, 'key']]) });
  account.stream.on('orders', (frame) => frames.push(frame));
  await account.stream.whenLive();
  books = all.order_books;
  now = 40_000;
  const raw = fixture<{ orders: unknown[] }>('order-above-2-53.json').orders[0];
  live = [raw];
  lighter.push(change(raw));
  await until(() => shown().includes('snapshot 10414574259102759 open 0'), 'the order of the new market');
});

describe('send and reads of the account', () => {
  test('over the WebSocket when open, over HTTP when not', async () => {
    lighter.routes.set('/api/v1/sendTx', () => ({
      body: { code: 200, tx_hash: HASH, predicted_execution_time_ms: 1 },
    }));
    lighter.onConnection = () => undefined; // never greets
    open();
    expect(await account.send(signed())).toMatchObject({ kind: 'accepted', predictedExecutionMs: 1 });
    expect(lighter.requests.filter(({ path }) => path === '/api/v1/sendTx')).toHaveLength(1);
    await exchange.close();
    lighter.onConnection = (socket) => socket.send('{"type":"connected"}');
    open();
    await account.stream.whenLive();
    const outcome = account.send(signed());
    await until(() => lighter.messages.some(({ type }) => type === 'jsonapi/sendtx'), 'sent over the socket');
    cut();
    expect(await outcome).toMatchObject({ kind: 'unknown' });
    expect(lighter.requests.filter(({ path }) => path === '/api/v1/sendTx')).toHaveLength(1);
  });

  test('P-25 decimals that change while we run: both are known, amounts are read by ours, and nothing with an amount is sent', async () => {
    open();
    await account.stream.whenLive();
    const text = JSON.stringify(fixture('order-books.json'));
    const decimals = (): unknown => account.decimals(1);
    const before = { sizeDecimals: 5, priceDecimals: 1 };
    expect(decimals()).toMatchObject({ ours: before, now: before });
    const changed = text.replaceAll('"supported_size_decimals":5', '"supported_size_decimals":6');
    lighter.routes.set('/api/v1/orderBooks', () => ({ body: JSON.parse(changed) as unknown }));
    await exchange.markets();
    expect(decimals()).toMatchObject({ ours: before, now: { sizeDecimals: 6, priceDecimals: 1 } });
    expect(await account.send(signed())).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('not sent'),
    });
    expect(lighter.messages.filter(({ type }) => type === 'jsonapi/sendtx')).toEqual([]);
    lighter.routes.set('/api/v1/orderBooks', () => ({ body: JSON.parse(text) as unknown }));
    await exchange.markets();
    expect(decimals()).toMatchObject({ ours: before, now: before });
  });

  test('findOrders asks in batches of twenty and keeps only what was asked for (S-04)', async () => {
    open();
    const asked: string[] = [];
    lighter.routes.set(BY_ID, ({ query }) => {
      asked.push(query.get('client_order_indexes') ?? '');
      return rows(order({ id: 1, client: 0 }), order({ id: 2, client: 3 }), order({ id: 4, client: 999 }));
    });
    const indexes = Array.from({ length: 25 }, (_, i) => BigInt(i + 1) as ClientOrderIndex);
    const read = await account.findOrders(indexes);
    expect(asked.map((text) => text.split(',').length)).toEqual([20, 5]);
    expect(read).toMatchObject({ ok: true });
    expect(read.ok && read.value.every(({ clientOrderIndex }) => clientOrderIndex === 3n)).toBe(true);
    lighter.routes.set(BY_ID, () => ({ status: 503, raw: '' }));
    expect(await account.findOrders(indexes)).toMatchObject({ ok: false });
  });

  describe('S-33 a row that cannot be read', () => {
    const broken = (client: number | undefined) => ({
      ...order({ id: 9, ...(client === undefined ? {} : { client }) }),
      ...(client === undefined ? { client_order_index: undefined, client_order_id: undefined } : {}),
      price: 'free',
    });
    const idOn = (lane: number): number => (283_000_000 * 256 + lane) * 128;
    test('hides no other order from a look by index: what is not found proves nothing anyway', async () => {
      open();
      await account.stream.whenLive();
      lighter.routes.set(BY_ID, () => rows(broken(idOn(5)), order({ id: 2, client: 3 })));
      const read = await account.findOrders([3n as ClientOrderIndex, BigInt(idOn(5)) as ClientOrderIndex]);
      expect(read).toMatchObject({ ok: true, value: [{ clientOrderIndex: 3n }] });
      expect(malformed).toHaveLength(1);
    });

    test('of the gap does not keep the stream from being live', async () => {
      lighter.routes.set(INACTIVE, () => rows(broken(idOn(5)), order({ id: 2, client: 3, status: 'canceled' })));
      open();
      await account.stream.whenLive();
      expect(malformed).toHaveLength(1);
    });

    test.each([
      ['of another lane', idOn(6), true],
      ['that carries no index of ours', 0, true],
      ['of this lane', idOn(5), false],
      ['whose index cannot be read', undefined, false],
    ])('%s: what a lane has open is known: %s → %s', async (_, client, isKnown) => {
      open();
      await account.stream.whenLive();
      const rest = order({ id: 2, client: idOn(5) });
      lighter.routes.set(ACTIVE, () => rows(broken(client), rest));
      lighter.routes.set(INACTIVE, () => rows(broken(client), rest));
      expect((await account.activeOrders({ marketId: 1, lane: 5 })).ok).toBe(isKnown);
      expect((await account.inactiveOrders({ marketId: 1, lane: 5, limit: 9 })).ok).toBe(isKnown);
      expect((await account.activeOrders()).ok).toBe(false);
    });

    test('of transactions hides no proof in another row', async () => {
      open();
      await account.stream.whenLive();
      const tx = fixture<Record<string, unknown>>('tx-rejected-by-sequencer.json');
      const query = { lane: Number(tx['api_key_index']), nonce: BigInt(Number(tx['nonce'])) as Nonce, sinceMs: 0 };
      lighter.routes.set('/api/v1/accountTxs', () => ({
        body: { code: 200, txs: [{ hash: 'x' }, { ...tx, account_index: 516 }] },
      }));
      expect(await account.nonceStatus(query)).toMatchObject({ ok: true, value: { kind: 'consumed' } });
      expect(malformed).toHaveLength(1);
    });
  });

  test('nextNonce, account and owner', async () => {
    open();
    lighter.routes.set('/api/v1/nextNonce', ({ query }) => ({
      body: { code: 200, nonce: Number(query.get('api_key_index')) },
    }));
    expect(await account.nextNonce(7)).toEqual({ ok: true, value: 7n as Nonce });
    const body = JSON.parse(JSON.stringify(fixture('account.json')).replaceAll('1234', '516')) as unknown;
    lighter.routes.set('/api/v1/account', () => ({ body }));
    expect(await account.account()).toMatchObject({ ok: true, value: { collateral: 10_000_000_000n } });
    expect(await exchange.ownerOf(516)).toEqual({ ok: true, value: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8' });
  });
});
