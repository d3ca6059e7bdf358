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
import { expectedSlices } from '../domain/expected-slices';
import { laneOf, type OrderId } from '../domain/ids-and-nonces';
import { ZERO_LOTS, type Lots } from '../domain/lots';
import type { NonceEvent } from '../domain/nonce';
import type { SendOutcome } from '../domain/records';
import { NOT_REDUCE_ONLY } from '../domain/rejections';
import type { Ticket } from '../domain/ticket';
import type { SelfTradeRule, SignedTx, SigningThread, TxRequest } from '../exchange/port';
import type { AheadSigner } from './ahead-signer';
import { whyOf } from './report';
import type { ExecutorEvents } from './executor-events';
import { Driver, type DriverAccount, type Machine } from './driver';
import { LateWatch } from './late-watch';
import type { SealRequest } from './seals';
import { SignedAhead, type OrderRequest } from './signed-ahead';
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
  readonly aheadSigner: AheadSigner;
  /** What is signed ahead of an armed ticket. */
  readonly signsAhead: 'whole-order' | 'every-slice';
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
  #isSignedAhead = false;
  /** What decides which slices may come next. */
  #seen: readonly unknown[] = [];
  reduceOnly: ReduceOnly = 'never';
  needsFlag = false;
  /** Its order's workflow ends it: what it lacks is that one's to bring elsewhere. */
  sealAsked = false;
  keepUntilMs = 0;
  /** Its order has ended, or its lane serves another one. */
  isOver = false;
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
      expected: () => this.#expected(),
      sign: (request) => account.sign(request),
      onStale: () => context.aheadSigner.changed(this.ahead),
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
    this.#context.aheadSigner.forget(this.ahead);
    this.#late.stop();
  }

  advance(event: ExecutionEvent | NonceEvent, nowMs: number): ExecutionCommand[] {
    return advance(this.state, event, nowMs);
  }

  wakeAtMs(): number | undefined {
    return wakeAtMs(this.state);
  }

  requestOf(send: SliceSend): TxRequest {
    const { sealBy } = this.#context;
    const { form, nonce, skipNonce, clientOrderIndex, lots, priceTicks } = send;
    const { side, market } = this.ticket;
    const marketId = market.market_id;
    const base = { lane: laneOf(this.id), nonce, skipNonce };
    switch (form) {
      case 'order':
        return this.#orderOf(send);
      case 'seal-order':
        return { ...base, kind: 'limit-ioc-order', marketId, side, lots, clientOrderIndex, priceTicks };
      case 'seal-cancel':
      case 'seal-renewal':
        return sealBy(form, base, { marketId, index: clientOrderIndex });
    }
  }

  #orderOf({ nonce, skipNonce, clientOrderIndex, lots, priceTicks }: SliceSend): OrderRequest {
    const { selfTrade } = this.#context;
    const { side, market } = this.ticket;
    return {
      kind: 'market-order',
      lane: laneOf(this.id),
      nonce,
      skipNonce,
      marketId: market.market_id,
      side,
      lots,
      clientOrderIndex,
      boundTicks: priceTicks,
      reduceOnly: this.reduceOnly !== 'never',
      ...(selfTrade ? { selfTrade } : {}),
    };
  }

  sign(request: TxRequest, k: number): SignedTx | Promise<SignedTx> {
    const { account, aheadSigner, signsOn } = this.#context;
    const ahead = this.ahead.take(request);
    this.#isSignedAhead = ahead !== undefined;
    return ahead ?? aheadSigner.needed(account.sign(request, signsOn(k)));
  }

  onSubmitted(k: number, atMs: number): void {
    const stampMs = stampOf(this.#context.clock, atMs);
    const sinceNoticeMs = this.stages.submitted(k, stampMs);
    const path = this.state.sent?.path ?? 'durable';
    const since = sinceNoticeMs === undefined ? {} : { sinceNoticeMs };
    const signed = this.#isSignedAhead ? 'ahead' : 'when-needed';
    this.#context.events.submitted({ ticket: this.ticket, k, path, signed, atMs: stampMs, ...since });
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
    if (this.state.blocked?.rejection === NOT_REDUCE_ONLY) this.needsFlag = true;
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
    const { slice, sent, fillLots, bps, end, sealing } = this.state;
    const seen = [slice, sent?.lots, fillLots, bps, end, sealing, this.driver.parked];
    if (this.keepUntilMs > 0 && seen.some((value, at) => value !== this.#seen[at]))
      this.#context.aheadSigner.changed(this.ahead);
    this.#seen = seen;
  }

  /** A ticket that jumped lacks what nothing trades, until its order has gone on under another one. */
  #lacking(): Lots {
    if (this.driver.parked !== undefined || this.sealAsked || !this.#context.isNewest(this.ticket)) return ZERO_LOTS;
    return missingLots(this.state);
  }

  /** While it is armed. */
  #expected(): OrderRequest[] {
    const { clock, signsAhead } = this.#context;
    if (this.isOver || this.driver.parked !== undefined || clock.monotonicMs() > this.keepUntilMs) return [];
    const slices = expectedSlices(this.state);
    const wanted = signsAhead === 'every-slice' ? slices : slices.filter(({ k }) => k === 1).slice(0, 1);
    return wanted.map((slice) => this.#orderOf(slice));
  }
}
