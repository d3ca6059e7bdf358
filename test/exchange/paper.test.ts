/**
 * The adapter and the paper exchange, which share no code, over the wire with the official signer: what one says the other
 * understands, and what the exchange's truth shows is what the adapter reported.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/clock';
import { loadSigner, openLighter, type Signer } from '../../src/exchange/lighter';
import type { AccountPort, ExchangePort, OrdersFrame, SignedTx, TxRequest } from '../../src/exchange/port';
import {
  clientOrderIndexOf,
  nextOrderId,
  nonceOf,
  type ClientOrderIndex,
  type Nonce,
  type OrderId,
} from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { OrderRecord, TxRecord } from '../../src/domain/records';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import { signerPath } from '../helpers/tools';
import { until } from './support';

const ACCOUNT = 101;
const LANE = 5;
const CANCEL_KEY = 4;
let paper: PaperServer;
let signer: Signer;
let keys: Map<number, string>;
let exchange: ExchangePort;
let account: AccountPort;
let frames: OrdersFrame[];
let txs: TxRecord[];
let malformed: string[];
let asked: string[];
let lastId: OrderId | undefined;

async function control(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<unknown> {
  const response = await fetch(`${paper.url}/_paper/${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function open(): Promise<void> {
  frames = [];
  txs = [];
  malformed = [];
  asked = [];
  exchange = openLighter({
    baseUrl: paper.url,
    wsUrl: paper.wsUrl,
    signer,
    onMalformed: (what, reason) => malformed.push(`${what}: ${reason}`),
    onRequest: (endpoint) => asked.push(endpoint),
    sessionTimes: { sendMs: 3_000, probeMs: 17_000 },
  });
  account = exchange.openAccount({ accountIndex: ACCOUNT, keys });
  account.stream.on('orders', (frame) => frames.push(frame));
  account.stream.on('txs', (some) => txs.push(...some));
  await account.stream.whenLive();
}

beforeAll(async () => {
  paper = await startPaper({ port: 0, seed: 7, flow: 'off', latency: 'zero' });
  signer = loadSigner(signerPath());
  const pairs = await Promise.all([signer.generateKey(), signer.generateKey()]);
  keys = new Map([LANE, CANCEL_KEY].map((lane, i) => [lane, pairs[i]?.privateKey ?? '']));
  await control('accounts', {
    account_index: ACCOUNT,
    l1_address: '0xAbCd000000000000000000000000000000000101',
    tier: 'premium',
    collateral: '100000',
    api_keys: { [LANE]: pairs[0]?.publicKey, [CANCEL_KEY]: pairs[1]?.publicKey },
  });
  await open();
});
afterEach(async () => {
  await control('faults', undefined, 'DELETE');
  expect(malformed).toEqual([]);
});
afterAll(async () => {
  await exchange.close();
  await paper.close();
});

const freshId = (): OrderId => {
  lastId = nextOrderId({ epochMs: Date.now(), lane: LANE, last: lastId });
  return lastId;
};
const lane = (id: OrderId, slice: number) => ({
  lane: LANE,
  nonce: nonceOf(id, slice),
  skipNonce: slice <= 1,
  clientOrderIndex: clientOrderIndexOf(id, slice),
});
const marketBuy = (id: OrderId, slice: number, amount: number, marketId = 1): TxRequest => ({
  ...lane(id, slice),
  kind: 'market-order',
  marketId,
  side: 'buy',
  lots: lots(amount),
  boundTicks: ticks(marketId === 36 ? 30_000 : 1_200_000),
  reduceOnly: false,
});
const resting = (id: OrderId, marketId = 1): TxRequest => ({
  ...lane(id, 0),
  kind: 'post-only-order',
  marketId,
  side: 'buy',
  lots: lots(marketId === 36 ? 1_000 : 100),
  priceTicks: ticks(marketId === 36 ? 15_000 : 1_000_000),
  expiryMs: Date.now() + 600_000,
});
const sendOf = async (request: TxRequest) => account.send(await account.sign(request));
const records = (index: ClientOrderIndex): OrderRecord[] =>
  frames.flatMap(({ orders }) => orders.filter(({ clientOrderIndex }) => clientOrderIndex === index));
const terminal = async (index: ClientOrderIndex): Promise<OrderRecord> => {
  await until(() => records(index).some(({ status }) => status !== 'open'), `a terminal frame of ${index}`);
  return records(index).at(-1) as OrderRecord;
};

test('markets, owner, account, an empty nonce history, the clock', async () => {
  const markets = await exchange.markets();
  expect(markets.ok && markets.value.map(({ marketId }) => marketId)).toEqual([0, 1, 36, 4096]);
  expect(await exchange.ownerOf(ACCOUNT)).toEqual({ ok: true, value: '0xabcd000000000000000000000000000000000101' });
  expect(await account.account()).toMatchObject({ ok: true, value: { collateral: 100_000_000_000n } });
  expect(await account.nextNonce(LANE)).toMatchObject({ ok: true });
  expect(await account.activeOrders()).toEqual({ ok: true, value: [] });
  const nonce = nonceOf(freshId(), 1);
  expect(await account.nonceStatus({ lane: LANE, nonce, sinceMs: 0 })).toEqual({
    ok: true,
    value: { kind: 'unseen', isComplete: false, isContested: false },
  });
  expect(Math.abs(exchange.clockSkewMs() ?? Number.NaN)).toBeLessThan(1_000);
});

test('a market order: accepted, its frame, its transaction, its nonce, its list entry, the account agree', async () => {
  const readings = (): number => asked.filter((endpoint) => endpoint === 'account').length;
  const before = readings();
  const [own, other] = await Promise.all([account.account(), exchange.accountState(ACCOUNT, 0)]);
  expect([own.ok, other]).toEqual([true, own]);
  expect(await account.account(own.ok ? own.value.begunMs - 1 : 0)).toEqual(own);
  expect(readings()).toBe(before + 1);
  const id = freshId();
  const outcome = await sendOf(marketBuy(id, 1, 20));
  expect(outcome.kind).toBe('accepted');
  const index = clientOrderIndexOf(id, 1);
  expect(await terminal(index)).toMatchObject({ status: 'filled', filledLots: 20n, side: 'buy', marketId: 1 });
  await until(() => txs.some(({ hash }) => hash === outcome.txHash), 'account_tx');
  const tx = txs.find(({ hash }) => hash === outcome.txHash);
  expect(tx).toMatchObject({ nonce: nonceOf(id, 1), apiKeyIndex: LANE, status: 'executed', clientOrderIndex: index });
  const nonceStatus = await account.nonceStatus({ lane: LANE, nonce: nonceOf(id, 1), sinceMs: 0 });
  expect(nonceStatus).toMatchObject({ ok: true, value: { kind: 'consumed', tx: { hash: outcome.txHash } } });
  const found = await account.findOrders([index]);
  expect(found).toMatchObject({ ok: true, value: [{ status: 'filled', filledLots: 20n }] });
  const heardMs = systemClock.monotonicMs();
  const after = await Promise.all([exchange.accountState(ACCOUNT, heardMs), account.account(heardMs)]);
  for (const state of after)
    expect(state.ok && state.value.positions.find(({ marketId }) => marketId === 1)?.lots).toBe(20n);
});

test('the same bytes twice, and a lower nonce: refused, classified as nonce; one execution', async () => {
  const id = freshId();
  const tx = await account.sign(marketBuy(id, 2, 20));
  // Slice 2 is exact; slice 1 opens the lane with skip-nonce.
  expect((await sendOf(marketBuy(id, 1, 20))).kind).toBe('accepted');
  expect((await account.send(tx)).kind).toBe('accepted');
  expect(await account.send(tx)).toMatchObject({ kind: 'rejected', code: 21104 });
  expect(await sendOf(marketBuy(id, 1, 20))).toMatchObject({ kind: 'rejected', code: 21104 });
  await terminal(clientOrderIndexOf(id, 2));
  expect(records(clientOrderIndexOf(id, 2)).filter(({ status }) => status === 'filled')).toHaveLength(1);
});

test('S-02 S-30 a post-only order rests, fills in part, is cancelled: filled comes from the same record', async () => {
  const id = freshId();
  const index = clientOrderIndexOf(id, 0);
  await control('market', { market_id: 0, flow: false });
  const book = await exchange.whenBook(0);
  const best = book.bids[0]?.priceTicks ?? ticks(1);
  const request = { ...resting(id, 0), priceTicks: ticks(best + 1n), lots: lots(500) } as TxRequest;
  expect((await sendOf(request)).kind).toBe('accepted');
  await until(() => records(index).length === 1, 'open');
  const price = `${String(best + 1n).slice(0, -2)}.${String(best + 1n).slice(-2)}`;
  await control('orders', { market_id: 0, is_ask: true, base_amount: '0.0200', price, type: 'ioc' });
  await until(() => records(index).at(-1)?.filledLots === 200n, 'partial fill');
  const active = await account.activeOrders({ marketId: 0 });
  expect(active).toMatchObject({ ok: true, value: [{ clientOrderIndex: index, filledLots: 200n, status: 'open' }] });
  const cancel: TxRequest = {
    kind: 'cancel-order',
    lane: CANCEL_KEY,
    nonce: BigInt(Date.now()) as Nonce,
    skipNonce: true,
    marketId: 0,
    index,
  };
  expect((await sendOf(cancel)).kind).toBe('accepted');
  expect(await terminal(index)).toMatchObject({ status: 'canceled', filledLots: 200n, initialLots: 500n });
  const inactive = await account.inactiveOrders({ marketId: 0, limit: 5 });
  expect(inactive).toMatchObject({ ok: true, value: [{ clientOrderIndex: index, filledLots: 200n }] });
});

test('P-12 an order id above 2^53 is the same in frame and list', async () => {
  const id = freshId();
  const index = clientOrderIndexOf(id, 0);
  await sendOf(resting(id, 36));
  await until(() => records(index).length === 1, 'open');
  const orderIndex = records(index)[0]?.orderIndex ?? 0n;
  expect(orderIndex).toBeGreaterThan(1n << 53n);
  expect(await account.findOrders([index])).toMatchObject({ ok: true, value: [{ orderIndex }] });
  expect(
    (await sendOf({ kind: 'cancel-all-now', lane: CANCEL_KEY, nonce: BigInt(Date.now()) as Nonce, skipNonce: true }))
      .kind,
  ).toBe('accepted');
  expect(await terminal(index)).toMatchObject({ status: 'canceled' });
});

test('the seal: a limit that cannot trade takes the nonce and executes nothing', async () => {
  const id = freshId();
  const index = clientOrderIndexOf(id, 127);
  const seal: TxRequest = {
    ...lane(id, 1),
    clientOrderIndex: index,
    kind: 'limit-ioc-order',
    marketId: 1,
    side: 'buy',
    lots: lots(1),
    priceTicks: ticks(1_000_000),
  };
  expect((await sendOf(seal)).kind).toBe('accepted');
  expect(await terminal(index)).toMatchObject({ filledLots: 0n });
  expect(await sendOf(marketBuy(id, 1, 20))).toMatchObject({ kind: 'rejected', code: 21104 });
});

test('the switch: set, renewed, with a time too near refused', async () => {
  const at = (atMs: number): TxRequest => ({
    kind: 'cancel-all-at',
    lane: CANCEL_KEY,
    nonce: BigInt(Date.now()) as Nonce,
    skipNonce: true,
    atMs,
  });
  expect((await sendOf(at(Date.now() + 600_000))).kind).toBe('accepted');
  expect((await sendOf(at(Date.now() + 700_000))).kind).toBe('accepted');
  expect(await sendOf(at(Date.now() + 1_000))).toMatchObject({ kind: 'rejected', code: 21714 });
});

describe('faults', () => {
  const match = { account_index: ACCOUNT };

  test('P-06 accepted, then rejected by the sequencer: told by account_tx and by nonceStatus, no order', async () => {
    await control('faults', { on: 'sequencer', action: 'refuse', code: 21739, consume_nonce: true, match });
    const id = freshId();
    const outcome = await sendOf(marketBuy(id, 1, 20));
    expect(outcome.kind).toBe('accepted');
    await until(() => txs.some(({ hash }) => hash === outcome.txHash), 'account_tx');
    expect(txs.find(({ hash }) => hash === outcome.txHash)).toMatchObject({ rejection: { code: 21739 } });
    const nonceStatus = await account.nonceStatus({ lane: LANE, nonce: nonceOf(id, 1), sinceMs: 0 });
    expect(nonceStatus).toMatchObject({ ok: true, value: { kind: 'consumed', tx: { rejection: { code: 21739 } } } });
    expect(await account.findOrders([clientOrderIndexOf(id, 1)])).toEqual({ ok: true, value: [] });
  });

  test('S-12 the reply is lost: unknown, and executed exactly once', async () => {
    await control('faults', { on: 'response', action: 'drop', match: { path: 'sendtx' } });
    const id = freshId();
    const tx: SignedTx = await account.sign(marketBuy(id, 1, 20));
    expect(await account.send(tx)).toMatchObject({ kind: 'unknown' });
    expect(await terminal(clientOrderIndexOf(id, 1))).toMatchObject({ filledLots: 20n });
    expect(await account.send(tx)).toMatchObject({ kind: 'rejected', code: 21104 });
  });

  test('S-07 the stream is cut, a fill inside the gap: told after the reconnect', async () => {
    const id = freshId();
    const index = clientOrderIndexOf(id, 0);
    const book = await exchange.whenBook(1);
    const price = (book.bids[0]?.priceTicks ?? 0n) + 1n;
    await sendOf({ ...resting(id), priceTicks: ticks(price) } as TxRequest);
    await until(() => records(index).length === 1, 'open');
    const states: string[] = [];
    const stop = account.stream.on('state', (state) => states.push(state));
    // The frame of the fill is lost with the connection that should have carried it.
    await control('faults', { on: 'frame', action: 'drop', match: { channel: `account_all_orders:${ACCOUNT}` } });
    const text = String(price);
    const crossing = { market_id: 1, is_ask: true, base_amount: '0.00100', type: 'ioc' };
    await control('orders', { ...crossing, price: `${text.slice(0, -1)}.${text.slice(-1)}` });
    await control('faults', { on: 'stream', action: 'cut', match });
    expect(await terminal(index)).toMatchObject({ status: 'filled', filledLots: 100n });
    await until(() => states.at(-1) === 'live', 'live again');
    stop();
    expect(states).toEqual(['stale', 'live']);
  });

  test('S-34 silence is noticed and the connection replaced', async () => {
    const states: string[] = [];
    const stop = account.stream.on('state', (state) => states.push(state));
    await control('faults', { on: 'stream', action: 'silence', ms: 60_000, match });
    await until(() => states.includes('stale'), 'noticed');
    await until(() => states.at(-1) === 'live', 'live again');
    stop();
  });

  test('S-11 lists lag: an absent order reads as absent and nothing else, the frame still tells', async () => {
    await control('faults', { on: 'lists', action: 'lag', ms: 60_000, match, count: 0 });
    const id = freshId();
    const index = clientOrderIndexOf(id, 1);
    await sendOf(marketBuy(id, 1, 20));
    expect(await terminal(index)).toMatchObject({ filledLots: 20n });
    expect(await account.findOrders([index])).toEqual({ ok: true, value: [] });
  });

  test('S-20 reads answered 503: failed, not empty', async () => {
    await control('faults', {
      on: 'request',
      action: 'answer',
      status: 503,
      code: 29500,
      match: { path: 'accountActiveOrders' },
    });
    expect(await account.activeOrders()).toMatchObject({ ok: false });
    expect(await account.activeOrders()).toMatchObject({ ok: true });
  });
});

describe('S-57 an order that no list holds any more is made up again from its transaction and its trades', () => {
  const txOfSlice = async (id: OrderId, slice: number): Promise<TxRecord> => {
    const read = await account.nonceStatus({ lane: LANE, nonce: nonceOf(id, slice), sinceMs: 0 });
    if (!read.ok || read.value.kind !== 'consumed') throw new Error('the transaction is not there');
    return read.value.tx;
  };
  const recallOf = async (id: OrderId, slice: number): Promise<OrderRecord | undefined> => {
    const read = await account.recall(await txOfSlice(id, slice));
    if (!read.ok) throw new Error(read.reason);
    return read.value;
  };

  test('a market order that traded with many: all of it, as its own record says', async () => {
    const id = freshId();
    await sendOf(marketBuy(id, 1, 30_000));
    const record = await terminal(clientOrderIndexOf(id, 1));
    const recalled = await recallOf(id, 1);
    const { filledLots, filledQuote, initialLots, side, orderIndex } = record;
    expect(recalled).toMatchObject({ filledLots, filledQuote, initialLots, side, orderIndex });
    expect(recalled?.clientOrderIndex).toBe(clientOrderIndexOf(id, 1));
  });

  test('one that traded with nobody: nothing; one that rests: not told', async () => {
    const none = freshId();
    await sendOf({ ...marketBuy(none, 1, 20), boundTicks: ticks(1) } as TxRequest);
    const record = await terminal(clientOrderIndexOf(none, 1));
    expect(record.filledLots).toBe(0n);
    expect(await recallOf(none, 1)).toMatchObject({ filledLots: 0n, status: 'canceled' });
    const rests = freshId();
    await sendOf(resting(rests));
    await until(() => records(clientOrderIndexOf(rests, 0)).length > 0, 'the order rests');
    expect(await recallOf(rests, 0)).toBeUndefined();
    const cancelId = freshId();
    await sendOf({ ...lane(cancelId, 0), kind: 'cancel-order', marketId: 1, index: clientOrderIndexOf(rests, 0) });
    await terminal(clientOrderIndexOf(rests, 0));
    expect(await recallOf(rests, 0)).toMatchObject({ filledLots: 0n, status: 'canceled', initialLots: 100n });
  });

  test('trades that cannot be read say nothing', async () => {
    const id = freshId();
    await sendOf(marketBuy(id, 1, 20));
    await terminal(clientOrderIndexOf(id, 1));
    const tx = await txOfSlice(id, 1);
    await control('faults', { on: 'request', action: 'answer', status: 503, code: 29500, match: { path: 'trades' } });
    expect(await account.recall(tx)).toMatchObject({ ok: false });
  });

  test('trades that are out of reach are not none', async () => {
    const id = freshId();
    await sendOf(marketBuy(id, 1, 20));
    await terminal(clientOrderIndexOf(id, 1));
    const tx = await txOfSlice(id, 1);
    if (!tx.order) throw new Error('its order is not told');
    const other = { ...tx, order: { ...tx.order, orderIndex: tx.order.orderIndex + 1_000_000n } };
    expect(await account.recall(other)).toEqual({ ok: true, value: undefined });
  });
});

test('nonceStatus over several pages: found deep down, and proved passed', async () => {
  const first = freshId();
  await sendOf(marketBuy(first, 1, 20));
  const skipped = freshId(); // never sent
  const later = freshId();
  expect((await sendOf(marketBuy(later, 1, 20))).kind).toBe('accepted');
  for (let slice = 2; slice <= 120; slice += 1) await sendOf(marketBuy(later, slice, 1));
  const last = clientOrderIndexOf(later, 120);
  await terminal(last);
  const nonceStatus = async (nonce: Nonce) => {
    const read = await account.nonceStatus({ lane: LANE, nonce, sinceMs: 0 });
    return read.ok ? read.value.kind : read.reason;
  };
  expect(await nonceStatus(nonceOf(first, 1))).toBe('consumed');
  expect(await nonceStatus(nonceOf(skipped, 1))).toBe('passed');
  expect(await nonceStatus(nonceOf(freshId(), 1))).toBe('unseen');
});
