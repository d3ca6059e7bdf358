/** One ticket in this process: its execution machine with the driver, the bytes signed ahead, the stages, and the watch over what is late. */
import { stampOf, type Clock } from '../clock';
import {
  advance,
  missingLots,
  newExecution,
  wakeAtMs,
  type ExecutionCommand,
  type ExecutionEvent,
  type ExecutionState,
  type LaneAlert,
  type SliceSend,
} from '../domain/execution';
import { clientOrderIndexOf, laneOf, nonceOf, type OrderId } from '../domain/ids-and-nonces';
import { ZERO_LOTS, type Lots } from '../domain/lots';
import type { NonceEvent } from '../domain/nonce';
import { boundTicks } from '../domain/price';
import type { SendOutcome } from '../domain/records';
import type { Ticket } from '../domain/ticket';
import type { SelfTradeRule, SignedTx, SigningThread, TxRequest } from '../exchange/port';
import { whyOf } from './report';
import type { ExecutorEvents } from './executor-events';
import { Driver, type DriverAccount, type Machine } from './driver';
import { LateWatch } from './late-watch';
import type { SealRequest } from './seals';
import { SignedAhead } from './signed-ahead';
import { Stages } from './stages';

/** What the tickets of an executor share. */
export interface TicketContext {
  readonly account: DriverAccount & { readonly accountIndex: number };
  readonly sealBy: SealRequest;
  readonly selfTrade?: SelfTradeRule | undefined;
  readonly events: Required<ExecutorEvents>;
  readonly clock: Clock;
  readonly exchangeNow: () => number;
  readonly signsOn: (k: number) => SigningThread;
  /** Whether it is its order's newest ticket here. */
  readonly isNewest: (ticket: Ticket) => boolean;
}

/** `until-flat`: once a trade of ours has taken the position to zero, the rest is traded without it (S-17). */
export type ReduceOnly = 'never' | 'until-flat' | 'always';

export class TicketRun implements Machine<ExecutionEvent, SliceSend> {
  readonly state: ExecutionState;
  readonly driver: Driver<ExecutionEvent, SliceSend>;
  readonly ahead: SignedAhead;
  readonly stages = new Stages();
  readonly #late: LateWatch;
  readonly #context: TicketContext;
  #resolvedSeen = 0;
  reduceOnly: ReduceOnly = 'never';
  /** Its order's workflow ends it: what it lacks is that one's to bring elsewhere. */
  sealAsked = false;
  keepUntilMs = 0;
  /** When its lane was found dead. */
  deadAtEpochMs: number | undefined;
  touchedMs: number;

  constructor(ticket: Ticket, context: TicketContext) {
    const { account, clock, exchangeNow, events } = context;
    this.#context = context;
    this.touchedMs = clock.monotonicMs();
    this.state = newExecution(ticket, account.accountIndex, this.touchedMs);
    this.driver = new Driver(this, context);
    this.ahead = new SignedAhead({
      sign: () => account.sign(this.#wholeOrder()),
      isWanted: () =>
        this.state.resolved.length === 0 && this.state.end === undefined && clock.monotonicMs() <= this.keepUntilMs,
      exchangeNow,
    });
    this.#late = new LateWatch({
      lacking: () => this.#lacking(),
      tell: (late) => events.late({ ticket, missingLots: missingLots(this.state), ...late, why: whyOf(this) }),
      clock,
    });
  }

  get ticket(): Ticket {
    return this.state.ticket;
  }

  get id(): OrderId {
    return this.ticket.id;
  }

  /** It can trade no more. */
  get isFinished(): boolean {
    const { state, driver } = this;
    return driver.parked === undefined && (state.end !== undefined || state.executedLots === state.ticket.maxLots);
  }

  close(): void {
    this.driver.close();
    this.ahead.stop();
    this.#late.stop();
  }

  advance(event: ExecutionEvent | NonceEvent, nowMs: number): ExecutionCommand[] {
    return advance(this.state, event, nowMs);
  }

  wakeAtMs(): number | undefined {
    return wakeAtMs(this.state);
  }

  requestOf(send: SliceSend): TxRequest {
    const { sealBy, selfTrade } = this.#context;
    const { form, nonce, skipNonce, clientOrderIndex, lots, priceTicks } = send;
    const { side, market } = this.ticket;
    const marketId = market.market_id;
    const base = { lane: laneOf(this.id), nonce, skipNonce };
    const order = { ...base, marketId, side, lots, clientOrderIndex };
    switch (form) {
      case 'order': {
        const rule = selfTrade ? { selfTrade } : {};
        return {
          ...order,
          kind: 'market-order',
          boundTicks: priceTicks,
          reduceOnly: this.reduceOnly !== 'never',
          ...rule,
        };
      }
      case 'seal-order':
        return { ...order, kind: 'limit-ioc-order', priceTicks };
      case 'seal-cancel':
      case 'seal-renewal':
        return sealBy(form, base, { marketId, index: clientOrderIndex });
    }
  }

  signedAhead(request: TxRequest): SignedTx | undefined {
    return this.ahead.take(request);
  }

  signsOn(k: number): SigningThread {
    return this.#context.signsOn(k);
  }

  onSubmitted(k: number, atMs: number): void {
    const stampMs = stampOf(this.#context.clock, atMs);
    const sinceNoticeMs = this.stages.submitted(k, stampMs);
    const path = this.state.sent?.path ?? 'durable';
    const since = sinceNoticeMs === undefined ? {} : { sinceNoticeMs };
    this.#context.events.submitted({ ticket: this.ticket, k, path, atMs: stampMs, ...since });
  }

  onAnswered(answer: { readonly k: number; readonly outcome: SendOutcome; readonly tookMs: number }): void {
    const { k, outcome, tookMs } = answer;
    if (outcome.kind === 'accepted') this.stages.accepted(k, this.#context.clock.epochMs());
    const code = outcome.kind === 'rejected' ? { code: outcome.code } : {};
    this.#context.events.answered({ ticket: this.ticket, k, outcome: outcome.kind, tookMs, ...code });
  }

  onAlert({ kind, what }: LaneAlert): void {
    this.#context.events.alert({ kind, ticket: this.ticket, what });
  }

  onParked(what: string): void {
    this.#context.events.alert({ kind: 'ticket-parked', ticket: this.ticket, what });
  }

  onFed(nowMs: number, ageMs: number): void {
    this.touchedMs = nowMs;
    const resolvedMs = this.#context.clock.epochMs();
    for (const slice of this.state.resolved.slice(this.#resolvedSeen)) {
      const { k, executedLots: lots, sent } = slice;
      if (slice.status === 'canceled-reduce-only' && lots > 0n && this.reduceOnly === 'until-flat')
        this.reduceOnly = 'never';
      const executedMs = lots > 0n ? resolvedMs - ageMs : undefined;
      const times = this.stages.resolved(k, { executedMs, resolvedMs });
      this.#context.events.resolved({ ticket: this.ticket, k, path: sent?.path ?? 'durable', lots, times });
    }
    this.#resolvedSeen = this.state.resolved.length;
    this.deadAtEpochMs = this.state.end === 'dead' ? (this.deadAtEpochMs ?? resolvedMs) : undefined;
    this.#late.look(nowMs);
  }

  /** A ticket that jumped lacks what nothing trades, until its order has gone on under another one. */
  #lacking(): Lots {
    if (this.driver.parked !== undefined || this.sealAsked || !this.#context.isNewest(this.ticket)) return ZERO_LOTS;
    return missingLots(this.state);
  }

  /** The first slice, if all of the order fills at once. */
  #wholeOrder(): TxRequest {
    const { id, start, maxLots, side, anchorTicks, slippageBps } = this.ticket;
    return this.requestOf({
      do: 'send',
      k: 1,
      form: 'order',
      nonce: nonceOf(id, 1),
      skipNonce: start === 'opens-lane',
      clientOrderIndex: clientOrderIndexOf(id, 1),
      lots: maxLots,
      priceTicks: boundTicks({ side, anchorTicks, bps: slippageBps }),
    });
  }
}
