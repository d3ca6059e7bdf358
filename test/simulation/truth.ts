/**
 * The invariants of the design (docs/architecture.md), checked after every event against what the exchange really executed.
 *
 * Trusts nothing of ours but the names: which ticket belongs to which maker order is learnt when an activity is scheduled, that is
 * before anything of it can be sent. Everything else is the exchange's own record.
 */
import { EPOCH_TENTHS, SEAL_SLICE, SIGNED_BYTES_LIFE_MS } from '../../src/domain/limits';
import {
  epochMsOf,
  orderIdOf,
  parseOrderId,
  splitClientOrderIndex,
  timeOf,
  type OrderId,
  type Tenths,
} from '../../src/domain/ids-and-nonces';
import type { OrderInput, OrderResult, TicketMessage } from '../../src/domain/messages';
import { formatDecimal } from '../../src/domain/lots';
import { lotsOf } from '../../src/domain/naked';
import type { Changes } from '../../packages/paper-exchange/src/core/world';
import type { Account, Order, Tx, TxRecord as PaperTx } from '../../packages/paper-exchange/src/core/types';
import type { Host, Time } from './time';
import { ACCOUNT_A, ACCOUNT_B, CANCEL_LANE, MARKET } from './venue';

/** How far ahead the switch of A is set. */
export const DEAD_MAN_MS = 600_000;
/** Younger bytes were sent while a minute of the switch was left, whatever a wrong clock makes of their age. */
const STALE_BYTES_MS = 15_000;

/** src/closing/fence.ts consumes nonces so far ahead. */
const FENCE_MS = 60_000;
/** The positions that a step of an unwind was made for were read no longer before it. */
const POSITION_READ_MS = 20_000;

export interface OrderTruth {
  readonly input: OrderInput;
  readonly startedMs: number;
  filled: number;
  executed: number;
  /** The maker order itself, once the exchange has it. */
  maker: Order | undefined;
  isArmed: boolean;
  /** When the bytes of its quote were signed, by the clock of the process that did. */
  signedMs: number;
  isCanceledByOperator: boolean;
  /** Somebody was told that it ended with exposure. */
  isAlerted: boolean;
  /** Since when it has been naked; a further fill does not reset it. */
  nakedSinceMs: number | undefined;
  /** When a lot of it was last hedged or closed. */
  hedgedMs: number;
  /** When somebody was last told of this order, by kind of alert. */
  readonly toldMs: Map<string, number>;
  /** When it last said itself that it is stuck. */
  saidStuckMs: number;
  /** The process whose executor holds its first ticket ready. */
  armedOn: Host | undefined;
  /** Its tickets so far. */
  readonly tickets: Set<string>;
  /** When it was said that its lane may only quote. */
  quotesOnlyMs: number | undefined;
  /** When it was first asked to close on A. */
  closeAskedMs: number | undefined;
  /** An operator asked something of it. */
  meddled: boolean;
  end: 'completed' | 'canceled' | 'terminated' | undefined;
  result: OrderResult | undefined;
}

export class Truth {
  readonly orders = new Map<OrderId, OrderTruth>();
  readonly violations: string[] = [];
  readonly #orderOfTicket = new Map<string, OrderId>();
  readonly #filledOf = new Map<string, number>();
  readonly #nonces = new Set<string>();
  readonly #sealed = new Set<string>();

  /** When B's collateral or position last changed. */
  marginChangedMs = 0;
  /** When an order last ended. */
  endedMs = 0;
  onFill: (order: OrderTruth) => void = () => undefined;
  /** Somebody else has changed a position of ours. */
  isTouchedByHand = false;
  #lotsOfB = 0;
  #sign = 0;
  #signMs = 0;

  constructor(private readonly time: Time) {}

  addOrder(input: OrderInput): void {
    const id = parseOrderId(input.order_id);
    if (id === undefined) throw new Error(`no order id: ${input.order_id}`);
    this.#take(id, id);
    this.orders.set(id, {
      input,
      startedMs: this.time.nowMs,
      filled: 0,
      executed: 0,
      maker: undefined,
      isArmed: false,
      signedMs: 0,
      isCanceledByOperator: false,
      isAlerted: false,
      nakedSinceMs: undefined,
      hedgedMs: 0,
      toldMs: new Map(),
      saidStuckMs: -Infinity,
      armedOn: undefined,
      tickets: new Set(),
      meddled: false,
      quotesOnlyMs: undefined,
      closeAskedMs: undefined,
      end: undefined,
      result: undefined,
    });
  }

  /** The id of an order, or of a ticket of it, is nobody else's, and none that the fence of `close-all` does not reach (src/closing/fence.ts). */
  #take(id: OrderId, orderId: OrderId): void {
    const owner = this.#orderOfTicket.get(`${ACCOUNT_A}/${id}`);
    if (owner !== undefined && owner !== orderId)
      this.violations.push(`id ${id} is taken by order ${orderId} and by order ${owner}`);
    const aheadMs = epochMsOf(timeOf(id)) - this.time.nowMs;
    if (aheadMs > FENCE_MS)
      this.violations.push(`id ${id} of order ${orderId} is ${Math.round(aheadMs / 1_000)} s ahead of the clock`);
    for (const account of [ACCOUNT_A, ACCOUNT_B]) this.#orderOfTicket.set(`${account}/${id}`, orderId);
  }

  find(id: string | undefined): OrderTruth | undefined {
    const parsed = id === undefined ? undefined : parseOrderId(id);
    return parsed === undefined ? undefined : this.orders.get(parsed);
  }

  learnTicket(ticket: TicketMessage): void {
    const id = parseOrderId(ticket.order_id);
    if (id === undefined) return;
    const order = this.orders.get(id);
    const ticketId = parseOrderId(ticket.ticket_id);
    if (order === undefined || ticketId === undefined || order.tickets.has(ticket.ticket_id)) return;
    order.tickets.add(ticket.ticket_id);
    this.#take(ticketId, id);
  }

  onCloseAsked(id: string): void {
    const order = this.find(id);
    if (order) order.closeAskedMs ??= this.time.nowMs;
  }

  /** Nothing but quotes and cancels is tried on a lane of which the order knew, before it closed, that it takes nothing else. */
  onKeyMisused(tx: Tx): void {
    const { body, head } = tx;
    if (body.kind !== 'create') return;
    const { id } = splitClientOrderIndex(BigInt(body.order.clientIndex));
    const orderId = this.#orderOfTicket.get(`${head.accountIndex}/${id}`);
    const order = orderId === undefined ? undefined : this.orders.get(orderId);
    if (order?.quotesOnlyMs !== undefined && order.quotesOnlyMs < (order.closeAskedMs ?? 0))
      this.violations.push(`order ${orderId} closes on lane ${head.apiKeyIndex}, which may only quote, and knew it`);
  }

  /** One event of the exchange. */
  onChanges(changes: Changes): void {
    this.#takeIn(changes);
    for (const account of changes.accounts.keys()) this.#onPosition(account);
  }

  /** After the event was judged: when A's position last had another sign, and when anything of B's margin last changed. */
  #onPosition(account: Account): void {
    const lots = positionOf(account);
    if (account.accountIndex === ACCOUNT_B && lots !== this.#lotsOfB) {
      this.#lotsOfB = lots;
      this.marginChangedMs = this.time.nowMs;
    }
    if (account.accountIndex !== ACCOUNT_A || Math.sign(lots) === this.#sign) return;
    this.#sign = Math.sign(lots);
    this.#signMs = this.time.nowMs;
  }

  /** Of A's position. */
  get signOfA(): number {
    return this.#sign;
  }

  /** Since when. */
  get signMs(): number {
    return this.#signMs;
  }

  #takeIn(changes: Changes): void {
    for (const [account, own] of changes.accounts) {
      if (!isOurs(account.accountIndex)) continue;
      // An order of this event is attributed before its transaction can seal the ticket.
      const sealedNow: string[] = [];
      for (const tx of own.txs) this.#onTx(tx, sealedNow);
      for (const order of own.orders) this.#onOrder(order);
      for (const key of sealedNow) this.#sealed.add(key);
    }
    for (const { ask, bid } of changes.trades) {
      const isByHand = ask.clientIndex === 0 || bid.clientIndex === 0;
      if (isOurs(ask.accountIndex) && isOurs(bid.accountIndex) && !isByHand)
        this.violations.push(`A and B traded with each other: ${ask.clientIndex} and ${bid.clientIndex}`);
    }
    // Judged when both accounts of the event are booked: A and B may meet in one trade.
    for (const [id, order] of this.orders) {
      if (order.executed > order.filled) {
        this.violations.push(
          `over-hedged: order ${id} filled ${order.filled} lots, hedged and closed ${order.executed}`,
        );
      }
    }
  }

  onEnd(id: OrderId, end: NonNullable<OrderTruth['end']>, result: OrderResult | undefined): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    order.end = end;
    this.endedMs = this.time.nowMs;
    order.result = result;
    const problem = this.#judge(order, result);
    if (problem) this.violations.push(`order ${id} ended ${end} but ${problem}`);
  }

  /** At the very end: nothing may have happened to an order after it ended. */
  finalCheck(): void {
    for (const [id, order] of this.orders) {
      const problem = this.#judge(order, order.result);
      if (problem) this.violations.push(`order ${id}, long ended, but ${problem}`);
    }
  }

  #judge(order: OrderTruth, result: OrderResult | undefined): string | undefined {
    if (result === undefined) return 'it has no result';
    const base = (amount: number): string => formatDecimal(BigInt(amount), MARKET.sizeDecimals);
    const exposure = order.filled - order.executed;
    if (order.maker?.status === 'open') return 'its maker order still rests on the exchange';
    if (result.maker.filled_base_amount !== base(order.filled))
      return `reports fill ${result.maker.filled_base_amount}, true is ${base(order.filled)}`;
    if (result.exposure !== base(exposure)) return `reports exposure ${result.exposure}, true is ${base(exposure)}`;
    const timed = result.naked_times.reduce((sum, lots) => sum + lotsOf(lots), 0);
    if (timed !== order.executed)
      return `tells the naked time of ${timed} lots, ${order.executed} were hedged or closed`;
    if (exposure !== 0 && !order.isCanceledByOperator)
      return `leaves ${exposure} lots naked although no operator cancelled it`;
    if (exposure !== 0 && !order.isAlerted) return `leaves ${exposure} lots naked without an alert`;
    if ((exposure === 0) !== (result.hedge_state === 'flat'))
      return `says ${result.hedge_state} with ${exposure} lots naked`;
    return undefined;
  }

  #onTx(tx: PaperTx, sealedNow: string[]): void {
    const { accountIndex } = tx.account;
    const slot = `${accountIndex}/${tx.apiKeyIndex}/${tx.nonce}`;
    if (this.#nonces.has(slot)) this.violations.push(`two transactions executed for ${slot}`);
    this.#nonces.add(slot);
    if (tx.apiKeyIndex === CANCEL_LANE) return;
    const { body, head } = tx.tx;
    const placed =
      accountIndex === ACCOUNT_A && body.kind === 'create'
        ? this.orders.get(BigInt(body.order.clientIndex) as OrderId)
        : undefined;
    if (placed) placed.signedMs = head.expiredAtMs - SIGNED_BYTES_LIFE_MS;
    const key = this.#sealedBy(tx);
    if (key !== undefined) sealedNow.push(key);
  }

  /** The ticket (or the placement) that this transaction ended. */
  #sealedBy(tx: PaperTx): string | undefined {
    const { accountIndex } = tx.account;
    const time = (BigInt(tx.nonce) >> 7n) - EPOCH_TENTHS;
    if (time < 0n || time >= 1n << 33n) return undefined;
    const id = orderIdOf({ time: time as Tenths, lane: tx.apiKeyIndex });
    if (!this.#orderOfTicket.has(`${accountIndex}/${id}`)) return undefined;
    const { body } = tx.tx;
    const isSeal =
      body.kind === 'create' ? BigInt(body.order.clientIndex) === id + BigInt(SEAL_SLICE) : body.kind !== 'modify';
    if (!isSeal) return undefined;
    return tx.nonce % 128 === 0 ? `${accountIndex}/${id}/placement` : `${accountIndex}/${id}/trades`;
  }

  #onOrder(order: Order): void {
    const { accountIndex } = order.account;
    const { id, slice } = splitClientOrderIndex(BigInt(order.clientIndex));
    const orderId = this.#orderOfTicket.get(`${accountIndex}/${id}`);
    const truth = orderId === undefined ? undefined : this.orders.get(orderId);
    if (truth === undefined) return;
    const key = `${accountIndex}/${order.indexText}`;
    const more = order.filledLots - (this.#filledOf.get(key) ?? 0);
    this.#filledOf.set(key, order.filledLots);
    const isMaker = accountIndex === ACCOUNT_A && slice === 0;
    if (isMaker && truth.maker === undefined && !truth.isArmed)
      this.violations.push(`order ${id} was placed although no hedger had armed it`);
    if (isMaker && truth.maker === undefined) this.#checkQuote(order, truth);
    if (isMaker) truth.maker = order;
    if (more <= 0) return;
    if (this.#sealed.has(`${accountIndex}/${id}/${isMaker ? 'placement' : 'trades'}`)) {
      this.violations.push(`${more} lots of ${accountIndex}/${order.clientIndex} executed after the seal of ${id}`);
    }
    if (isMaker) {
      if (truth.input.unwind === true) this.#checkReduced(order, more);
      truth.filled += more;
      this.onFill(truth);
    } else {
      truth.executed += more;
      if (truth.input.unwind === true && accountIndex === ACCOUNT_B) this.#checkHedgeReduced(order, truth, more);
      truth.hedgedMs = this.time.nowMs;
    }
    truth.nakedSinceMs = truth.filled > truth.executed ? (truth.nakedSinceMs ?? this.time.nowMs) : undefined;
    if (accountIndex === ACCOUNT_A && !isMaker) this.#checkClose(order, truth, more);
    this.#checkBound(order, truth);
  }

  /** A close of an order whose position had the sign that it reduces ever since it was asked for. */
  #checkClose(order: Order, { closeAskedMs }: OrderTruth, more: number): void {
    const after = positionOf(order.account);
    const before = after + (order.side === 'bid' ? -more : more);
    if (before * after < 0 && this.#signMs < (closeAskedMs ?? 0))
      this.violations.push(`a close of ${more} lots turned a position of ${before} lots into ${after}`);
  }

  /** A step of an unwind: nearer to zero, and not through it. */
  #checkReduced(order: Order, more: number): void {
    const after = positionOf(order.account);
    const before = after + (order.side === 'bid' ? -more : more);
    if (before * after < 0 || Math.abs(after) >= Math.abs(before))
      this.violations.push(`a step of an unwind made ${after} lots of ${before}`);
  }

  /** B's part of a step: where nothing else has traded since the positions were read for it, it is nearer to zero too. */
  #checkHedgeReduced(order: Order, step: OrderTruth, more: number): void {
    const after = positionOf(order.account);
    const before = after + (order.side === 'bid' ? -more : more);
    const readMs = step.startedMs - POSITION_READ_MS;
    const isAlone = [...this.orders.values()].every(
      (one) => one === step || (one.filled === one.executed && one.hedgedMs < readMs && one.maker?.status !== 'open'),
    );
    if (isAlone && !this.isTouchedByHand && (before * after < 0 || Math.abs(after) >= Math.abs(before)))
      this.violations.push(`the hedge of a step of an unwind made ${after} lots of ${before}`);
  }

  /** A quote that comes to rest: the exchange ends it by itself, should everything of ours be dead. */
  #checkQuote(order: Order, { input, signedMs }: OrderTruth): void {
    if (order.status !== 'open') return;
    const { nowMs } = this.time;
    const id = input.order_id;
    if (input.unwind === true) this.violations.push(`order ${id}, a step of an unwind, rests`);
    if (order.expiryMs > nowMs + input.expiry_ms + 1)
      this.violations.push(
        `order ${id} expires ${Math.round((order.expiryMs - nowMs) / 1_000)} s from now, later than configured`,
      );
    // Bytes that were on the way for long may outlive the switch that was set when they left.
    if (nowMs - signedMs > STALE_BYTES_MS) return;
    const leftMs = order.account.cancelAllAtMs - nowMs;
    if (leftMs <= 0 || leftMs > DEAD_MAN_MS + 1)
      this.violations.push(
        `order ${id} rests without a dead-man's switch: ${Math.round(leftMs / 1_000)} s are left of it`,
      );
  }

  /** No trade of ours is worse than the widest bound of its order. */
  #checkBound(order: Order, truth: OrderTruth): void {
    if (order.timeInForce !== 'immediate-or-cancel') return;
    const anchor = Number(truth.input.price_ticks);
    const slack = Math.floor((anchor * truth.input.policy.max_slippage_bps) / 10_000);
    const average = order.filledQuoteMicro / order.filledLots;
    const isBad = order.side === 'bid' ? average > anchor + slack : average < anchor - slack;
    if (isBad) this.violations.push(`an order of ours traded at ${average}, beyond ${slack} ticks from ${anchor}`);
  }
}

function positionOf(account: Account): number {
  return account.positions.get(MARKET.marketId)?.lots ?? 0;
}

function isOurs(accountIndex: number): boolean {
  return accountIndex === ACCOUNT_A || accountIndex === ACCOUNT_B;
}
