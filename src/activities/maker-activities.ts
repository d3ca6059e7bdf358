/**
 * Activities of the maker: quote, place, cancel, close, and what it can prove about a lane. They hold A's side only.
 */
import type { Clock } from '../clock';
import {
  clientOrderIndexOf,
  epochMsOf,
  laneOf,
  nonceOf,
  splitClientOrderIndex,
  timeOf,
  type OrderId,
} from '../domain/ids-and-nonces';
import { lots, ticks } from '../domain/lots';
import {
  type Accounts,
  type Addressed,
  type LaneOrder,
  type LaneOrders,
  type MakerOrderRead,
  type MarketTerms,
  type OrderInput,
  type PlaceResult,
  type PositionRead,
} from '../domain/messages';
import type { QuoteInput, QuoteResult } from '../domain/quote-messages';
import { isTerminal, type Market, type OrderRecord, type Read } from '../domain/records';
import type { Canceller } from '../quoting/canceller';
import type { DeadMan } from '../quoting/dead-man';
import type { Executor } from '../hedging/executor';
import { orderEnd } from '../hedging/order-end';
import { placeOrder } from '../quoting/placer';
import type { QuoteQuestion } from '../quoting/quote';
import type { QuoteGate } from '../quoting/quote-gate';
import type { QuoteWatch } from '../quoting/quote-watch';
import type { Fees } from '../quoting/quote-price';
import type { AccountPort, ExchangePort } from '../exchange/port';
import { onlyFor, type Rejected } from './accounts';
import { createExecuteActivities, type ExecuteActivities } from './execute';
import { findMarket, marketOf } from './find-market';
import { withHeartbeat } from './heartbeat';
import { amountsOf, idOf, place, placerOf } from './placing';
import { positionForQuotes, readPosition, termsOf } from './position';
import { quote } from './where-to-quote';

/** What the maker knows of hedgers: nothing is quoted that nobody would hedge. */
export interface HedgerSight {
  /** Whether a hedger was heard of within the last seconds; asks the workflow that wants something before it says no. */
  hedges(workflowId: string): Promise<boolean>;
}

export interface MakerDeps {
  readonly accounts: Accounts;
  /** A step was not for our accounts. */
  readonly onRejected: (rejected: Rejected) => void;
  readonly executor: Executor;
  readonly account: AccountPort;
  readonly exchange: ExchangePort;
  readonly canceller: Canceller;
  readonly deadMan: DeadMan;
  readonly hedger: HedgerSight;
  /** What the exchange takes in a market now. */
  readonly gate: Pick<QuoteGate, 'closedBecause' | 'rules' | 'rejected'>;
  readonly clockSkewMsMax: number;
  /** A placement is stopped because an invariant is broken. */
  readonly onParked?: (order: OrderId, what: string) => void;
  /** The exchange rejects a lane's key for good: its order is given up. */
  readonly onDeadLane: (order: { readonly orderId: OrderId; readonly lane: number; readonly what: string }) => void;
  /** Whether the request budget, and the exchange's limits, have room for another quote; hedges and cancels are not asked. */
  readonly mayQuote: () =>
    { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number; readonly reason?: string };
  /** Looks after what rests. */
  readonly watch: Pick<QuoteWatch, 'asked' | 'waitMs'>;
  /** Limits of the day, if the configuration has any: why nothing is quoted that enlarges a position. */
  readonly limits?: { hold(): QuoteQuestion['noEnlarging'] };
  /** What A and B pay, if the configuration says so. */
  readonly fees?: Fees;
  /** Makes sure that fills of the lane in the market are heard; answers why not. */
  readonly hear: (
    market: Pick<Market, 'marketId' | 'symbol' | 'sizeDecimals' | 'priceDecimals'>,
    lane: number,
  ) => string | undefined;
  /** Why the exchange rejects what the lane's key signs; undefined: it does not, as far as is known. */
  readonly keyRejection: (lane: number) => string | undefined;
  readonly clock: Clock;
}

export interface MakerActivities extends ExecuteActivities {
  quote(input: QuoteInput): Promise<QuoteResult>;
  /** Places the order, or proves that it is not placed. Repeatable: the same order always. */
  place(input: Addressed & { order: OrderInput; stale_at_ms: number }): Promise<PlaceResult>;
  /** Asks the exchange to cancel, then reads what became of the order. */
  cancelMaker(input: Addressed & { order_id: string; market: MarketTerms }): Promise<MakerOrderRead>;
  laneOrders(input: Addressed & { lane: number; market: string; order_id?: string }): Promise<LaneOrders>;
  readPosition(input: Addressed & { market: string }): Promise<PositionRead>;
}

/** Frames follow a cancel's execution within 350 ms on the slowest tier (LP §5.6). */
const CANCEL_FRAME_MS = 1_500;
/** The lists of orders show nothing new of an order by then; they hold a thousand ended ones, and those of a day (LP §1.4). */
const RECALL_AFTER_MS = 30 * 60_000;

export function createMakerActivities(deps: MakerDeps): MakerActivities {
  const heldIn = positionForQuotes(deps.account, deps.clock);
  const steps: MakerActivities = {
    ...createExecuteActivities(deps),
    quote: (input) => quote(deps, heldIn, input),
    place: (input) => withHeartbeat((signal, _, scheduledAtMs) => place(deps, input, { signal, scheduledAtMs })),
    cancelMaker: (input) => withHeartbeat(() => cancelMaker(deps, input)),
    laneOrders: (input) => withHeartbeat((signal) => laneOrders(deps, input, signal)),
    readPosition: ({ market }) => readPosition(deps, market),
  };
  return onlyFor(deps.accounts, steps, deps.onRejected);
}

async function cancelMaker(deps: MakerDeps, input: { order_id: string; market: MarketTerms }): Promise<MakerOrderRead> {
  const index = clientOrderIndexOf(idOf(input.order_id), 0);
  const outcome = await deps.canceller.cancel(input.market.market_id, index);
  const record = await orderEnd(deps.account.stream.own, index, outcome.kind === 'rejected' ? 0 : CANCEL_FRAME_MS);
  if (record) return known(deps, record, input.market);
  const found = await deps.account.findOrders([index], { urgent: true });
  if (!found.ok) return { known: false, reason: found.reason };
  const read = found.value.find((order) => order.clientOrderIndex === index) ?? (await recalled(deps, input));
  return read ? known(deps, read, input.market) : { known: false, reason: 'the exchange lists no such order yet' };
}

/** What became of an order that is so old that the lists may not reach back to it. A read that fails says nothing. */
async function recalled(deps: MakerDeps, input: { order_id: string }): Promise<OrderRecord | undefined> {
  const id = idOf(input.order_id);
  const atMs = epochMsOf(timeOf(id));
  if (deps.clock.epochMs() - atMs < RECALL_AFTER_MS) return undefined;
  const nonceStatus = await deps.account.nonceStatus({
    lane: laneOf(id),
    nonce: nonceOf(id, 0),
    sinceMs: atMs - RECALL_AFTER_MS,
  });
  if (!nonceStatus.ok || nonceStatus.value.kind !== 'consumed') return undefined;
  const read = await deps.account.recall(nonceStatus.value.tx);
  return read.ok ? read.value : undefined;
}

async function laneOrders(
  deps: MakerDeps,
  input: { lane: number; market: string; order_id?: string },
  signal: AbortSignal,
): Promise<LaneOrders> {
  const market = ok(await findMarket(deps.exchange, input.market));
  const active = ok(await deps.account.activeOrders({ marketId: market.marketId, lane: input.lane }));
  const closed = ok(await deps.account.inactiveOrders({ marketId: market.marketId, lane: input.lane, limit: 100 }));
  const asked = input.order_id === undefined ? [] : await whatBecameOf(deps, idOf(input.order_id), market, signal);
  const ours = (record: OrderRecord): boolean => {
    const { id, slice } = splitClientOrderIndex(record.clientOrderIndex);
    return slice === 0 && id > 0n && laneOf(id) === input.lane;
  };
  const open = [...active, ...asked, ...deps.account.stream.own.open(market.marketId)].filter(
    (record) => ours(record) && !isTerminal(record.status),
  );
  const latest = [...asked, ...closed]
    .filter(ours)
    .reduce<OrderRecord | undefined>(
      (newest, record) => (newest === undefined || record.clientOrderIndex > newest.clientOrderIndex ? record : newest),
      undefined,
    );
  // The lane may have served another market before.
  const marketOfIt = async (record: OrderRecord): Promise<Market> => ok(await marketOf(deps.exchange, record.marketId));
  return {
    open: [...new Set(open.map((record) => record.clientOrderIndex.toString()))],
    market: termsOf(open[0] ? await marketOfIt(open[0]) : market),
    ...(latest ? { latest: laneOrder(latest, await marketOfIt(latest)) } : {}),
  };
}

/**
 * The record of an order whose run ended without saying that it was even. That no list shows it proves nothing (invariant 8), so the
 * nonce of its placement is taken: whoever had it before tells what became of the order.
 */
async function whatBecameOf(
  deps: MakerDeps,
  id: OrderId,
  market: Market,
  signal: AbortSignal,
): Promise<readonly OrderRecord[]> {
  const found = ok(await deps.account.findOrders([clientOrderIndexOf(id, 0)]));
  if (found.length > 0) return found;
  const never = { side: 'buy', lots: lots(0), priceTicks: ticks(0), expiryMs: 0, freshMs: () => 0 } as const; // stale: sealed, not sent
  const end = await placeOrder(placerOf(deps), { id, marketId: market.marketId, ...never }, signal);
  return end.placed ? [end.record] : [];
}

function laneOrder(record: OrderRecord, market: Market): LaneOrder {
  return {
    order_id: record.clientOrderIndex.toString(),
    market: termsOf(market),
    side: record.side,
    lots: record.initialLots.toString(),
    price_ticks: record.priceTicks.toString(),
    filled_lots: record.filledLots.toString(),
  };
}

function known(deps: MakerDeps, record: OrderRecord, terms: MarketTerms): MakerOrderRead {
  return { known: true, ...amountsOf(deps.account, record, terms), transaction_time_us: record.transactionTimeUs };
}

/** Inside an activity a failed read is an exception: the engine tries again, and nothing is concluded meanwhile. */
function ok<T>(read: Read<T>): T {
  if (!read.ok) throw new Error(`a read failed, nothing was concluded from it: ${read.reason}`);
  return read.value;
}
