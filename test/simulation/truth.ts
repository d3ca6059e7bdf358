/**
 * The invariants of the design (docs/architecture.md), checked after every event against what the exchange really executed.
 *
 * Trusts nothing of ours but the names: which ticket belongs to which maker order is learnt when an activity is scheduled, that is
 * before anything of it can be sent. Everything else is the exchange's own record.
 */
import { EPOCH_TENTHS, SEAL_SLICE } from '../../src/domain/limits';
import { orderIdOf, parseOrderId, splitClientOrderIndex, type OrderId, type Tenths } from '../../src/domain/ids';
import type { OrderInput, OrderResult, TicketMessage } from '../../src/domain/messages';
import { formatDecimal } from '../../src/domain/lots';
import type { Changes } from '../../src/paper/core/world';
import type { Order, TxRecord as PaperTx } from '../../src/paper/core/types';
import { ACCOUNT_A, ACCOUNT_B, CANCEL_LANE, MARKET } from './venue';

export interface OrderTruth {
  readonly input: OrderInput;
  filled: number;
  executed: number;
  /** The maker order itself, once the exchange has it. */
  maker: Order | undefined;
  isArmed: boolean;
  isCanceledByOperator: boolean;
  /** Somebody was told that it ended with exposure. */
  isAlerted: boolean;
  end: 'completed' | 'canceled' | undefined;
  result: OrderResult | undefined;
}

export class Truth {
  readonly orders = new Map<OrderId, OrderTruth>();
  readonly violations: string[] = [];
  readonly #orderOfTicket = new Map<string, OrderId>();
  readonly #filledOf = new Map<string, number>();
  readonly #nonces = new Set<string>();
  readonly #sealed = new Set<string>();

  addOrder(input: OrderInput): void {
    const id = parseOrderId(input.order_id);
    if (id === undefined) throw new Error(`no order id: ${input.order_id}`);
    this.orders.set(id, {
      input,
      filled: 0,
      executed: 0,
      maker: undefined,
      isArmed: false,
      isCanceledByOperator: false,
      isAlerted: false,
      end: undefined,
      result: undefined,
    });
    for (const account of [ACCOUNT_A, ACCOUNT_B]) this.#orderOfTicket.set(`${account}/${id}`, id);
  }

  learnTicket(ticket: TicketMessage): void {
    const id = parseOrderId(ticket.order_id);
    if (id === undefined) return;
    for (const account of [ACCOUNT_A, ACCOUNT_B]) this.#orderOfTicket.set(`${account}/${ticket.ticket_id}`, id);
  }

  /** One event of the exchange. */
  onChanges(changes: Changes): void {
    for (const [account, own] of changes.accounts) {
      if (!isOurs(account.accountIndex)) continue;
      // An order of this event is attributed before its transaction can seal the ticket.
      const sealedNow: string[] = [];
      for (const tx of own.txs) this.#onTx(tx, sealedNow);
      for (const order of own.orders) this.#onOrder(order);
      for (const key of sealedNow) this.#sealed.add(key);
    }
    for (const { ask, bid } of changes.trades) {
      if (isOurs(ask.accountIndex) && isOurs(bid.accountIndex))
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

  onEnd(id: OrderId, end: 'completed' | 'canceled', result: OrderResult | undefined): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    order.end = end;
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
    if (isMaker) truth.maker = order;
    if (more <= 0) return;
    if (this.#sealed.has(`${accountIndex}/${id}/${isMaker ? 'placement' : 'trades'}`)) {
      this.violations.push(`${more} lots of ${accountIndex}/${order.clientIndex} executed after the seal of ${id}`);
    }
    if (isMaker) truth.filled += more;
    else truth.executed += more;
    this.#checkBound(order, truth);
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

function isOurs(accountIndex: number): boolean {
  return accountIndex === ACCOUNT_A || accountIndex === ACCOUNT_B;
}
