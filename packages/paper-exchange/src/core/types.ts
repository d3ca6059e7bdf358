/**
 * The words of the simulated exchange: accounts, keys, orders, trades, transactions. Data only.
 *
 * Lots, ticks and micro-USDC are plain integers below 2^53 (see decimal.ts); order indexes may exceed 2^53 and are therefore kept
 * as text, with the part that identifies the order inside its market (`indexNonce`, below 2^48) as a number (LP §2.2).
 */
import type { Refusal } from './codes';
import type { Funding } from './funding';
import type { MoneyMove } from './money';

export type Tier = 'standard' | 'plus' | 'premium';

export type OrderType =
  'limit' | 'market' | 'stop-loss' | 'stop-loss-limit' | 'take-profit' | 'take-profit-limit' | 'twap';

export type TimeInForce = 'immediate-or-cancel' | 'good-till-time' | 'post-only';

/** LP §2.5. */
export type OrderStatus =
  | 'in-progress'
  | 'pending'
  | 'open'
  | 'filled'
  | 'canceled'
  | 'canceled-post-only'
  | 'canceled-reduce-only'
  | 'canceled-position-not-allowed'
  | 'canceled-margin-not-allowed'
  | 'canceled-too-much-slippage'
  | 'canceled-not-enough-liquidity'
  | 'canceled-self-trade'
  | 'canceled-expired'
  | 'canceled-oco'
  | 'canceled-child'
  | 'canceled-liquidation';

export const orderTypes: readonly OrderType[] = [
  'limit',
  'market',
  'stop-loss',
  'stop-loss-limit',
  'take-profit',
  'take-profit-limit',
  'twap',
];

export const timesInForce: readonly TimeInForce[] = ['immediate-or-cancel', 'good-till-time', 'post-only'];

export interface MarketSpec {
  readonly marketId: number;
  readonly symbol: string;
  readonly sizeDecimals: number;
  /** sizeDecimals + priceDecimals is 6 on every perp, so lots × ticks is micro-USDC (LP §2.1). */
  readonly priceDecimals: number;
  /** It moves (LP §1.4). */
  minBaseLots: number;
  readonly minQuoteMicro: number;
  /** Margin fractions in 1e-4 (500 = 5 %). */
  readonly defaultMarginFraction: number;
  readonly minMarginFraction: number;
  readonly maintenanceMarginFraction: number;
  readonly closeoutMarginFraction: number;
  readonly startTicks: number;
}

export interface Position {
  readonly marketId: number;
  /** Positive long, negative short. */
  lots: number;
  /** Cost of the open position, never negative. */
  entryQuoteMicro: number;
  realizedPnlMicro: number;
  /** Initial margin fraction chosen with UpdateLeverage, 1e-4. */
  marginFraction: number;
  marginMode: 'cross' | 'isolated';
  allocatedMarginMicro: number;
  /** Funding paid so far; negative when more was received. */
  fundingPaidMicro: number;
  openOrderCount: number;
  /** Waiting conditional orders and children of groups. */
  pendingOrderCount: number;
  /** Of resting limit orders at their own prices, for the margin they bind (LP §2.4). */
  restingBidMicro: number;
  restingAskMicro: number;
}

export interface ApiKey {
  readonly index: number;
  /** Hex; empty accepts any signature, all zeros none. */
  publicKey: string;
  /** May only quote (LP §3.6 (9)). */
  makerOnly: boolean;
  /** Next nonce counting executed transactions only. */
  executedNext: number;
  /** Next nonce counting what was accepted too (LP §3.6 (1)). */
  bookedNext: number;
  /** Accepted, not yet executed, in order of acceptance. */
  readonly pending: TxRecord[];
  updatedAtUs: number;
}

export interface Account {
  readonly accountIndex: number;
  readonly l1Address: string;
  /** 0 master, 1 sub-account (LP §1.4). */
  readonly accountType: number;
  readonly createdAtMs: number;
  tier: Tier;
  tierChangedAtMs: number;
  /** Simulated traders: no margin, no history, no private frames. */
  readonly synthetic: boolean;
  collateralMicro: number;
  feesPaidMicro: number;
  depositedMicro: number;
  tradeCount: number;
  tradedQuoteMicro: number;
  readonly keys: Map<number, ApiKey>;
  readonly positions: Map<number, Position>;
  /** Live (open and pending) orders by index text. */
  readonly liveOrders: Map<string, Order>;
  /** Live orders that carry a client order index, over all markets (LP §2.2). */
  readonly byClientIndex: Map<number, Order>;
  readonly inactiveOrders: Order[]; // oldest first and bounded, like all that follow
  readonly trades: Trade[];
  readonly txs: TxRecord[];
  readonly fundings: Funding[];
  readonly moneyMoves: MoneyMove[];
  readonly refusals: RefusedSubmission[];
  /** 0 = no dead-man's switch. */
  cancelAllAtMs: number;
  readonly integrators: Map<number, number>;
  updatedAtUs: number;
}

export interface RefusedSubmission {
  readonly atUs: number;
  readonly apiKeyIndex: number;
  readonly nonce: number;
  readonly txType: number;
  readonly code: number;
}

/** A grouped order's links (LP §2.6). */
export interface OrderLinks {
  parent?: Order;
  children: Order[];
  /** The other leg of a one-cancels-other pair. */
  sibling?: Order;
}

export interface Order {
  readonly marketId: number;
  readonly account: Account;
  readonly indexText: string;
  /** The order's part of its index; never changes. */
  readonly indexNonce: number;
  /** Earlier states, for lists that lag (`/_paper/faults`); real accounts only, bounded. */
  readonly history: OrderState[];
  /** Book priority; a modify takes a new one (LP §2.7). */
  bookNonce: number;
  readonly clientIndex: number;
  readonly side: 'bid' | 'ask';
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly reduceOnly: boolean;
  readonly triggerTicks: number;
  readonly expiryMs: number;
  /** Attribute 8 of the last modify that carried one (LP §2.7). */
  version: number;
  priceTicks: number;
  initialLots: number;
  /** Zero in every terminal state, cancelled ones included (LP §0.1 (9)). */
  remainingLots: number;
  filledLots: number;
  filledQuoteMicro: number;
  status: OrderStatus;
  triggeredAtMs: number;
  readonly createdAtMs: number;
  updatedAtMs: number;
  transactionUs: number;
  blockHeight: number;
  readonly links: OrderLinks;
  readonly integrator: { readonly account: number; readonly takerFee: number; readonly makerFee: number } | undefined;
  /** Queue of the price level; owned by book.ts. */
  level: Level | undefined;
  previous: Order | undefined;
  next: Order | undefined;
}

/** The changing part of an order at one instant. */
export type OrderState = Pick<
  Order,
  | 'transactionUs'
  | 'bookNonce'
  | 'version'
  | 'priceTicks'
  | 'initialLots'
  | 'remainingLots'
  | 'filledLots'
  | 'filledQuoteMicro'
  | 'status'
  | 'triggeredAtMs'
  | 'updatedAtMs'
  | 'blockHeight'
>;

export interface Level {
  readonly priceTicks: number;
  lots: number;
  count: number;
  head: Order | undefined;
  tail: Order | undefined;
}

/** `type` of a trade row (LP §1.4). */
export type TradeKind = 'trade' | 'liquidation' | 'deleverage' | 'market-settlement';

export interface TradeSide {
  readonly account: Account;
  readonly positionBeforeLots: number;
  readonly entryQuoteBeforeMicro: number;
  readonly marginFraction: number;
  readonly feeTicks: number;
  readonly signChanged: boolean;
  readonly pnlMicro: number;
}

/** One order's part in a trade. */
export interface TradeLeg {
  readonly indexText: string;
  readonly clientIndex: number;
  readonly accountIndex: number;
  readonly version: number;
}

export interface Trade {
  readonly tradeId: number;
  readonly kind: TradeKind;
  readonly marketId: number;
  readonly lots: number;
  readonly priceTicks: number;
  readonly quoteMicro: number;
  readonly ask: TradeLeg;
  readonly bid: TradeLeg;
  /** The taker's transaction, on its first fill only (LP §1.4, Trade). */
  readonly txHash: string | undefined;
  readonly makerSide: 'bid' | 'ask';
  readonly maker: TradeSide;
  readonly taker: TradeSide;
  readonly blockHeight: number;
  /** The block's time, a little before the trade's (LP §1.4, Trade). */
  readonly timestampMs: number;
  readonly transactionUs: number;
  readonly sequence: number;
}

export interface TxRecord {
  readonly hash: string;
  readonly txType: number;
  readonly tx: Tx;
  /** The tx_info as JSON text. */
  readonly info: string;
  readonly account: Account;
  readonly apiKeyIndex: number;
  readonly nonce: number;
  state: 'queued' | 'executed' | 'dropped';
  eventInfo: string;
  refusal: Refusal | undefined;
  readonly queuedAtUs: number;
  executedAtUs: number;
  blockHeight: number;
  /** Time of the block, epoch ms; 0 until executed. */
  blockTimeMs: number;
  sequence: number;
  /** Injected by a fault: what the sequencer does instead of executing. */
  fault: SequencerFault | undefined;
}

export interface SequencerFault {
  readonly kind: 'refuse' | 'expire';
  readonly code: number;
  readonly message: string;
  readonly consumeNonce: boolean;
}

export interface TxHead {
  readonly txType: number;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
  readonly nonce: number;
  readonly expiredAtMs: number;
  readonly signature: string;
  /** L2TxAttributes (LP §3.3). */
  readonly attributes: ReadonlyMap<number, number>;
}

export interface OrderRequest {
  readonly marketId: number;
  readonly clientIndex: number;
  readonly baseLots: number;
  readonly priceTicks: number;
  readonly isAsk: number;
  readonly type: number;
  readonly timeInForce: number;
  readonly reduceOnly: number;
  readonly triggerTicks: number;
  readonly expiryMs: number;
}

export type TxBody =
  | { readonly kind: 'create'; readonly order: OrderRequest }
  | { readonly kind: 'cancel'; readonly marketId: number; readonly index: bigint }
  | { readonly kind: 'cancel-all'; readonly timeInForce: number; readonly atMs: number }
  | {
      readonly kind: 'modify';
      readonly marketId: number;
      readonly index: bigint;
      readonly baseLots: number;
      readonly priceTicks: number;
      readonly triggerTicks: number;
    }
  | { readonly kind: 'grouped'; readonly groupingType: number; readonly orders: readonly OrderRequest[] }
  | {
      readonly kind: 'update-leverage';
      readonly marketId: number;
      readonly marginFraction: number;
      readonly marginMode: number;
    }
  | {
      readonly kind: 'update-margin';
      readonly marketId: number;
      readonly amountMicro: number;
      readonly direction: number;
    }
  | { readonly kind: 'change-pub-key'; readonly publicKey: string; readonly l1Signature: string }
  | { readonly kind: 'create-sub-account' }
  | {
      readonly kind: 'transfer';
      readonly toAccountIndex: number;
      readonly assetIndex: number;
      readonly routes: readonly number[];
      readonly amountMicro: number;
      readonly feeMicro: number;
    }
  | { readonly kind: 'approve-integrator'; readonly integratorIndex: number; readonly expiryMs: number };

export interface Tx {
  readonly head: TxHead;
  readonly body: TxBody;
}
