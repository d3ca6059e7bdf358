/**
 * An account's executor: the tickets that this process knows, each with its machine (ticket-run.ts).
 *
 * The one code path that trades. A notice and an `execute` activity call it with a target; whoever comes first sends, the other finds
 * it done. It owns no truth: a fresh executor derives everything again from the exchange. It must never conclude anything by itself
 * (the machine does), and one ticket's trouble never reaches another (invariant 10).
 */
import type { Clock } from '../clock';
import { hasReached, type ExecutionEvent } from '../domain/execution';
import { laneOf, orderIdOfNonce, splitClientOrderIndex, timeOf, type OrderId } from '../domain/ids-and-nonces';
import { addLots, type Lots } from '../domain/lots';
import type { ExecuteResult } from '../domain/messages';
import type { Side, TxRecord } from '../domain/records';
import type { Ticket } from '../domain/ticket';
import type { AccountPort, OrdersFrame, SelfTradeRule, SigningThread } from '../exchange/port';
import { AheadSigner } from './ahead-signer';
import { reportOf } from './report';
import { guarded, type ExecutorEvents } from './executor-events';
import type { SealRequest } from './seals';
import { TicketRun, type ReduceOnly, type TicketContext } from './ticket-run';

/** The part of an account that executing needs. */
export type ExecutorAccount = TicketContext['account'] & { readonly stream: Pick<AccountPort['stream'], 'on'> };

export interface ExecutorOptions {
  readonly account: ExecutorAccount;
  /** How a nonce is consumed without a trade. */
  readonly sealBy: SealRequest;
  readonly selfTrade?: SelfTradeRule;
  readonly events: ExecutorEvents;
  readonly clock: Clock;
  /** The exchange's clock as estimated, epoch ms. */
  readonly exchangeNow: () => number;
  /** Slices that may come are signed while the processors are not busy; default: the whole order alone is. */
  readonly signAhead?: { readonly isBusy: () => boolean };
}

/** Nothing is left to try for this long: an `execute` answers what it knows rather than wait on. */
const PATIENCE_MS = 10_000;
/** A signature on this thread holds up everything else for a millisecond or two. */
const SIGNS_HERE_EVERY_MS = 20;
/** A ticket that nobody asks for any more is remembered this long, for late notices and reads. */
const REMEMBER_MS = 15 * 60_000;
/** One that can trade no more: whoever still asks for it finds the same on the exchange. At 20 orders a second 1 200 of them. */
const REMEMBER_FINISHED_MS = 60_000;

export class Executor {
  readonly #runs = new Map<OrderId, TicketRun>();
  /** Maker order → its newest ticket here. */
  readonly #newest = new Map<OrderId, OrderId>();
  /** By lane, which serves one order at a time. */
  readonly #armed = new Map<number, TicketRun>();
  readonly #context: TicketContext;
  readonly #clock: Clock;
  #signedHereAtMs = -Infinity;
  #isClosed = false;
  readonly #unsubscribe: (() => void)[];
  readonly #sweep: NodeJS.Timeout;

  constructor(options: ExecutorOptions) {
    const { account, clock, exchangeNow, sealBy, selfTrade, signAhead } = options;
    const events = guarded(options.events);
    const isBusy = signAhead?.isBusy ?? (() => false);
    this.#clock = clock;
    this.#context = {
      account,
      sealBy,
      selfTrade,
      events,
      signsAhead: signAhead ? 'every-slice' : 'whole-order',
      aheadSigner: new AheadSigner({ isBusy, onSigned: (tookMs) => events.signedAhead({ tookMs }), clock }),
      clock,
      exchangeNow,
      signsOn: (k) => this.#signingThread(k),
      isNewest: ({ id, orderId }) => this.#newest.get(orderId) === id,
    };
    this.#unsubscribe = [
      account.stream.on('orders', (frame) => this.#onOrders(frame)),
      account.stream.on('txs', (txs) => this.#onTxs(txs)),
    ];
    this.#sweep = setInterval(() => this.#forgetOld(), 60_000);
    this.#sweep.unref();
  }

  get size(): number {
    return this.#runs.size;
  }

  /**
   * Keeps the ticket ready until `keepUntilMs` (monotonic): a notice may raise it from now on. Signs its full size ahead, and has the rest
   * signed. Repeatable; reserves nothing.
   */
  async arm(input: { readonly ticket: Ticket; readonly keepUntilMs: number }): Promise<void> {
    const run = this.#open(input.ticket);
    const lane = laneOf(run.id);
    run.keepUntilMs = Math.max(run.keepUntilMs, input.keepUntilMs);
    const before = this.#armed.get(lane);
    if (!before || before.id < run.id) {
      this.#over(before);
      this.#armed.set(lane, run);
    }
    await this.#context.aheadSigner.first(run.ahead);
  }

  /** Of this order nothing more is signed ahead. Whatever is asked of it is still done. */
  ended(orderId: OrderId): void {
    this.#over(this.#newestRun(orderId));
  }

  /**
   * A notice: only an armed ticket of that market and side listens, and never beyond its maximum. A notice changes latency and nothing
   * else, so one that fits nothing is simply not heard.
   */
  raise(notice: {
    readonly orderId: OrderId;
    readonly marketId: number;
    readonly side: Side;
    readonly fillLots: Lots;
    /** Of the amount; absent: the ticket's. */
    readonly sizeDecimals?: number;
  }): 'raised' | 'not-armed' {
    const run = this.#newestRun(notice.orderId);
    if (!run || run.keepUntilMs === 0) return 'not-armed';
    const { ticket } = run;
    const { market, side } = ticket;
    if (market.market_id !== notice.marketId || side !== notice.side) return 'not-armed';
    if ((notice.sizeDecimals ?? market.size_decimals) !== market.size_decimals) return 'not-armed';
    if (notice.fillLots > run.state.fillLots) run.stages.noticed(this.#clock.epochMs());
    run.driver.feed({ type: 'raise', fillLots: notice.fillLots, path: 'fast' });
    return 'raised';
  }

  /** What this executor knows of a maker order, cumulative: told to be filled, and hedged or closed. */
  known(orderId: OrderId): { readonly filledLots: Lots; readonly doneLots: Lots } | undefined {
    const state = this.#newestRun(orderId)?.state;
    if (!state || state.fillLots === 0n) return undefined;
    return { filledLots: state.fillLots, doneLots: addLots(state.ticket.priorLots, state.executedLots) };
  }

  /** Whether its market has rejected what this executor sent for the ticket because it was not flagged reduce-only. */
  needsFlag(ticketId: OrderId): boolean {
    return this.#runs.get(ticketId)?.needsFlag ?? false;
  }

  /**
   * Makes the ticket execute what `fillLots` asks of it. Returns when it has, when the ticket has ended, or when it is blocked (then
   * the executor keeps trying by itself). Abandoning the wait through `signal` abandons nothing else.
   */
  async execute(input: {
    readonly ticket: Ticket;
    readonly fillLots: Lots;
    readonly reduceOnly: ReduceOnly;
    readonly retryNow: boolean;
    readonly signal?: AbortSignal;
  }): Promise<ExecuteResult> {
    const { fillLots, signal } = input;
    const run = this.#open(input.ticket);
    const { driver, state } = run;
    run.reduceOnly = input.reduceOnly;
    driver.feed({ type: 'asked' });
    if (input.retryNow) driver.feed({ type: 'retry' });
    driver.feed({ type: 'raise', fillLots, path: 'durable' });
    const sinceMs = this.#clock.monotonicMs();
    const isBlocked = (): boolean => state.blocked !== undefined && state.blocked.atMs >= sinceMs;
    const isDone = (): boolean => hasReached(state, fillLots) || state.end !== undefined || isBlocked();
    await driver.until(isDone, { signal, patienceMs: PATIENCE_MS });
    return reportOf(run, hasReached(state, fillLots) ? 'executed' : 'blocked');
  }

  /** Ends the ticket for good and says what it executed. */
  async seal(input: {
    readonly ticket: Ticket;
    /** Epoch ms of the engine's clock. */
    readonly deadAfterMs?: number | undefined;
    readonly signal?: AbortSignal;
  }): Promise<ExecuteResult> {
    const { signal } = input;
    const run = this.#open(input.ticket);
    run.sealAsked = true;
    run.driver.feed({ type: 'asked' });
    // Both are epoch times: a monotonic clock that stood still while the host slept would never get there.
    const again = input.deadAfterMs !== undefined && (run.deadAtEpochMs ?? 0) < input.deadAfterMs;
    run.driver.feed({ type: 'seal', again });
    await run.driver.until(() => run.state.end !== undefined, { signal, patienceMs: PATIENCE_MS });
    return reportOf(run, 'blocked');
  }

  /** Sends nothing from here on, whatever still comes back; who waits is told what is known. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    for (const stop of this.#unsubscribe) stop();
    for (const run of this.#runs.values()) run.close();
    this.#runs.clear();
  }

  #onOrders({ orders, receivedAtMs }: OrdersFrame): void {
    for (const record of orders)
      this.#feed(splitClientOrderIndex(record.clientOrderIndex).id, { type: 'order', record }, receivedAtMs);
  }

  #onTxs(txs: readonly TxRecord[]): void {
    for (const tx of txs) this.#feed(orderIdOfNonce(tx.apiKeyIndex, tx.nonce), { type: 'tx', tx });
  }

  #feed(id: OrderId | undefined, event: ExecutionEvent, receivedAtMs?: number): void {
    const run = id === undefined ? undefined : this.#runs.get(id);
    run?.driver.feed(event, receivedAtMs === undefined ? 0 : this.#clock.monotonicMs() - receivedAtMs);
  }

  /**
   * Here for the first hedge of an order, so that it waits for no other thread. Not twice in a short time: in a burst the others would
   * wait for this one.
   */
  #signingThread(k: number): SigningThread {
    const nowMs = this.#clock.monotonicMs();
    if (k > 1 || nowMs - this.#signedHereAtMs < SIGNS_HERE_EVERY_MS) return 'beside';
    this.#signedHereAtMs = nowMs;
    return 'here';
  }

  #over(run: TicketRun | undefined): void {
    if (!run) return;
    run.isOver = true;
    this.#context.aheadSigner.forget(run.ahead);
  }

  #newestRun(orderId: OrderId): TicketRun | undefined {
    const ticketId = this.#newest.get(orderId);
    return ticketId === undefined ? undefined : this.#runs.get(ticketId);
  }

  #open(ticket: Ticket): TicketRun {
    const known = this.#runs.get(ticket.id);
    if (known) return known;
    const run = new TicketRun(ticket, this.#context);
    if (this.#isClosed) run.close();
    this.#runs.set(ticket.id, run);
    const newest = this.#newest.get(ticket.orderId);
    if (newest === undefined || timeOf(newest) <= timeOf(ticket.id)) this.#newest.set(ticket.orderId, ticket.id);
    return run;
  }

  #forgetOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [id, run] of this.#runs) {
      const { touchedMs, keepUntilMs, ticket } = run;
      const untilMs = run.isFinished
        ? touchedMs + REMEMBER_FINISHED_MS
        : Math.max(touchedMs + REMEMBER_MS, keepUntilMs);
      if (nowMs < untilMs || run.wakeAtMs() !== undefined || run.driver.isAwaited) continue;
      run.close();
      this.#runs.delete(id);
      if (this.#newest.get(ticket.orderId) === id) this.#newest.delete(ticket.orderId);
    }
  }
}
