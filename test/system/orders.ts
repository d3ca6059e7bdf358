/**
 * Single maker orders in a running system, without a pair: started by hand on a lane of their own, filled by another trader, judged by
 * `/_paper/truth`. What the system says about itself must agree with what the exchange really did.
 */
import { expect } from '@jest/globals';
import {
  nextOrderId,
  orderIdOf,
  orderWorkflowId,
  splitClientOrderIndex,
  type OrderId,
  type Tenths,
} from '../../src/domain/ids-and-nonces';
import { EPOCH_TENTHS } from '../../src/domain/limits';
import { formatDecimal, lots, ticks, ZERO_LOTS } from '../../src/domain/lots';
import { ordersQueue, type HedgePolicy, type OrderInput, type OrderResult } from '../../src/domain/messages';
import type { Ticket } from '../../src/domain/ticket';
import type { makerOrder } from '../../src/workflows';
import { eventually } from './eventually';
import { A, B, NEIGHBOUR, type System } from './harness';

export const BTC = { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 } as const;
export const ETH = { market_id: 0, symbol: 'ETH', size_decimals: 4, price_decimals: 2 } as const;
export const CRV = { market_id: 36, symbol: 'CRV', size_decimals: 1, price_decimals: 5 } as const;

export interface Want {
  readonly market?: OrderInput['market'];
  readonly side?: 'buy' | 'sell';
  readonly lots?: bigint;
  readonly lane?: number;
  readonly hedgeAccount?: number;
  readonly timeOutMs?: number;
  readonly policy?: Partial<HedgePolicy>;
}

export interface TrueOrder {
  readonly client_order_index: number;
  readonly market_index: number;
  readonly status: string;
  readonly initial_base_amount: string;
  readonly filled_base_amount: string;
  readonly price: string;
  readonly is_ask: boolean;
}

export interface TrueTx {
  readonly api_key_index: number;
  readonly nonce: number;
  readonly type: number;
  readonly client_order_index?: number;
  readonly state: string;
  readonly refusal_code?: number;
  readonly queued_at_us: number;
}

export interface TrueTrade {
  readonly size: string;
  readonly market_id: number;
  readonly ask_account_id: number;
  readonly bid_account_id: number;
  readonly ask_client_id: number;
  readonly bid_client_id: number;
  readonly transaction_time: number;
}

export interface Truth {
  readonly orders: readonly TrueOrder[];
  readonly transactions: readonly TrueTx[];
  readonly refused: readonly { readonly api_key_index: number; readonly nonce: number; readonly code: number }[];
  readonly trades: readonly TrueTrade[];
  readonly positions: readonly { readonly market_id: number; readonly signed_position: string }[];
}

/** Starts an order inside the spread (first in its book) and answers its id at once. */
export async function startOrder(system: System, want: Want = {}): Promise<string> {
  const market = want.market ?? BTC;
  const lane = want.lane ?? 5;
  const id = nextOrderId({ epochMs: Date.now(), lane, last: await lastOf(system, lane) });
  await launch(system, id, {
    order_id: id.toString(),
    maker_account: A,
    hedge_account: want.hedgeAccount ?? B,
    market,
    side: want.side ?? 'buy',
    lots: (want.lots ?? 20n).toString(),
    price_ticks: (await bestTicks(system, market, want.side ?? 'buy')).toString(),
    time_out_ms: want.timeOutMs ?? 60_000,
    expiry_ms: system.config.safety.orderExpiryMs,
    policy: {
      slippage_bps: 20,
      max_slippage_bps: 100,
      on_stuck: 'keep_trying',
      force_close_timeout_ms: 30_000,
      ...want.policy,
    },
    spare_lanes: [9],
  });
  return id.toString();
}

/** Later tickets of an order carry later ids: the next order of the lane comes after what the lane really executed, on A and on B. */
async function lastOf(system: System, lane: number): Promise<OrderId | undefined> {
  const truths = await Promise.all([system.truth<Truth>(A), system.truth<Truth>(B)]);
  const times = truths
    .flatMap(({ transactions }) => transactions.filter((tx) => tx.api_key_index === lane))
    .map(({ nonce }) => (BigInt(nonce) >> 7n) - EPOCH_TENTHS)
    .filter((time) => time >= 0n); // lower ones are of the lane's proof and of its key's registration
  if (times.length === 0) return undefined;
  const time = times.reduce((a, b) => (a > b ? a : b)) as Tenths;
  return orderIdOf({ time, lane });
}

export function launch(system: System, id: OrderId, input: OrderInput): Promise<unknown> {
  return system.client.workflow.start<typeof makerOrder>('makerOrder', {
    workflowId: orderWorkflowId(A, id),
    taskQueue: ordersQueue(B),
    workflowTaskTimeout: '2s',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    args: [input],
  });
}

/** The ticket of an order's hedge, as any process derives it. */
export async function ticketOf(system: System, id: string): Promise<Ticket> {
  const order = await rests(system, id);
  return {
    id: BigInt(id) as OrderId,
    orderId: BigInt(id) as OrderId,
    market: BTC,
    side: order.is_ask ? 'buy' : 'sell',
    maxLots: lots(lotsOf(order.initial_base_amount)),
    priorLots: ZERO_LOTS,
    anchorTicks: ticks(lotsOf(order.price)),
    slippageBps: 20,
    slippageBpsMax: 100,
    start: 'opens-lane',
  };
}

/** Starts an order and waits until it rests on the exchange. */
export async function quote(system: System, want: Want = {}): Promise<string> {
  const id = await startOrder(system, want);
  await rests(system, id);
  return id;
}

export async function rests(system: System, id: string): Promise<TrueOrder> {
  return eventually(`order ${id} rests`, async () => {
    const order = await makerOrderOf(system, id);
    return order?.status === 'open' ? order : undefined;
  });
}

export async function makerOrderOf(system: System, id: string): Promise<TrueOrder | undefined> {
  return (await system.truth<Truth>(A)).orders.find((order) => String(order.client_order_index) === id);
}

/** Waits until the order's workflow says that this much of it is hedged. */
export function hedged(system: System, id: string, base: string): Promise<OrderResult> {
  return says(system, id, `hedged ${base}`, (state) => state.hedge.executed_base_amount === base);
}

export function says(
  system: System,
  id: string,
  what: string,
  test: (state: OrderResult) => boolean,
): Promise<OrderResult> {
  let last: OrderResult | undefined;
  return eventually(`order ${id} says: ${what}`, async () => {
    last = await system.order(id).query<OrderResult>('state');
    return test(last) ? last : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it said: ${JSON.stringify(last)}`, { cause: error });
  });
}

/** Another trader takes out so much of the order, one fill after another (default: all of it), and whatever stands before it. */
export async function fillOrder(system: System, id: string, ...bases: readonly string[]): Promise<void> {
  const order = await rests(system, id);
  await system.fillResting(order, bases.length === 0 ? undefined : bases);
}

/**
 * Part of the order fills, and other traders step in front of its rest before the hedge executes: without them the hedge would meet
 * our own rest and make it expire (S-19).
 */
export async function fillPart(system: System, id: string, base: string): Promise<void> {
  const order = await rests(system, id);
  await system.fillResting(order, [base], [inFrontOf(order)]);
}

/** Other traders quote one tick better than the order. */
export async function stepInFront(system: System, order: TrueOrder): Promise<void> {
  await system.control('POST', 'orders', inFrontOf(order));
}

function inFrontOf(order: TrueOrder): object {
  const decimals = order.price.split('.')[1]?.length ?? 0;
  const tick = 10 ** -decimals;
  return {
    market_id: order.market_index,
    account_index: NEIGHBOUR,
    is_ask: order.is_ask,
    base_amount: '1000',
    price: (Number(order.price) + (order.is_ask ? -tick : tick)).toFixed(decimals),
    type: 'limit',
  };
}

/** Asks for another try; when one of its own was faster, nothing was naked any more and the order ends. */
export async function retryHedge(system: System, id: string): Promise<void> {
  await system
    .order(id)
    .executeUpdate('retryHedge')
    .catch(async (error: unknown) => {
      await system.ended(id).catch(() => {
        throw error;
      });
    });
}

export interface Books {
  readonly filled: bigint;
  readonly hedged: bigint;
  readonly closed: bigint;
}

/** What the exchange really executed for an order, in lots; `otherTickets` are slices under later ids. */
export function booksOf(a: Truth, b: Truth, id: string, otherTickets: ReadonlySet<string> = new Set()): Books {
  const own = (order: TrueOrder): boolean =>
    splitClientOrderIndex(BigInt(order.client_order_index)).id === BigInt(id) ||
    otherTickets.has(String(order.client_order_index));
  const sum = (orders: readonly TrueOrder[]): bigint =>
    orders.reduce((total, order) => total + lotsOf(order.filled_base_amount), 0n);
  return {
    filled: sum(a.orders.filter((order) => String(order.client_order_index) === id)),
    hedged: sum(b.orders.filter(own)),
    closed: sum(a.orders.filter((order) => own(order) && String(order.client_order_index) !== id)),
  };
}

/**
 * Waits until the order's workflow has ended, then holds it against the truth: hedge executed + closed = fill in the end and never
 * more on the way (invariant 1), and the result says the same.
 */
export async function resolved(
  system: System,
  id: string,
  withinMs?: number,
): Promise<{ status: string; result: OrderResult; b: Truth }> {
  const { status, result } = await system.ended(id, withinMs);
  const a = await system.truth<Truth>(A);
  const b = await system.truth<Truth>(B);
  const slices = new Set(result.hedge.slices.map((slice) => slice.client_order_index));
  const books = booksOf(a, b, id, slices);
  expect({
    filled: lotsOf(result.maker.filled_base_amount),
    hedged: lotsOf(result.hedge.executed_base_amount),
    closed: lotsOf(result.closed_base_amount),
    exposure: lotsOf(result.exposure),
  }).toEqual({ ...books, exposure: 0n });
  expect(books.hedged + books.closed).toBe(books.filled);
  neverAhead(a, b, id, slices);
  return { status, result, b };
}

/** In exchange time, trade by trade: hedge + close never exceed the fill. */
function neverAhead(a: Truth, b: Truth, id: string, slices: ReadonlySet<string>): void {
  const isOwn = (index: number): boolean =>
    splitClientOrderIndex(BigInt(index)).id === BigInt(id) || slices.has(String(index));
  const steps = [...side(a, A), ...side(b, B)].filter(({ index }) => isOwn(index)).sort((x, y) => x.atUs - y.atUs);
  let naked = 0n;
  for (const { account, index, lots } of steps) {
    naked += account === A && String(index) === id ? lots : -lots;
    expect(naked).toBeGreaterThanOrEqual(0n);
  }
}

function side(truth: Truth, account: number): { account: number; index: number; lots: bigint; atUs: number }[] {
  return truth.trades.map((trade) => ({
    account,
    index: trade.ask_account_id === account ? trade.ask_client_id : trade.bid_client_id,
    lots: lotsOf(trade.size),
    atUs: trade.transaction_time,
  }));
}

/** Both accounts hold mirrored positions in every market. A difference is evened out before it is reported: one test, one failure. */
export async function expectMirror(system: System): Promise<void> {
  const a = await system.truth<Truth>(A);
  const b = await system.truth<Truth>(B);
  const differences = [BTC, ETH, CRV].map((market) => ({
    market,
    lots: position(a, market.market_id) + position(b, market.market_id),
  }));
  for (const { market, lots } of differences) if (lots !== 0n) await tradeByHand(system, market, -lots);
  expect(differences.filter(({ lots }) => lots !== 0n)).toEqual([]);
}

/** B trades as a person would, past the system: buys what is positive, sells what is negative. */
export async function tradeByHand(system: System, market: OrderInput['market'], lots: bigint): Promise<void> {
  await system.control('POST', 'orders', {
    market_id: market.market_id,
    account_index: B,
    is_ask: lots < 0n,
    base_amount: formatDecimal(lots < 0n ? -lots : lots, market.size_decimals),
    type: 'market',
  });
}

export function position(truth: Truth, marketId: number): bigint {
  const text = truth.positions.find((p) => p.market_id === marketId)?.signed_position ?? '0';
  return text.startsWith('-') ? -lotsOf(text.slice(1)) : lotsOf(text);
}

/** Transactions that B's or A's lane executed for one order. */
export function transactionsOf(truth: Truth, id: string): TrueTx[] {
  return truth.transactions.filter(
    (tx) =>
      tx.client_order_index !== undefined && splitClientOrderIndex(BigInt(tx.client_order_index)).id === BigInt(id),
  );
}

/** Amounts are fully padded, so their digits are lots. */
export function lotsOf(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

async function bestTicks(system: System, market: OrderInput['market'], wanted: 'buy' | 'sell'): Promise<bigint> {
  const response = await fetch(`${system.paper.url}/api/v1/orderBookOrders?market_id=${market.market_id}&limit=1`);
  const book = (await response.json()) as Record<'asks' | 'bids', { price: string }[]>;
  const best = book[wanted === 'buy' ? 'bids' : 'asks'][0];
  if (!best) throw new Error('the book is empty');
  return lotsOf(best.price);
}
